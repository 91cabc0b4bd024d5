"""The ledger over HTTP: cases listed and looked at from the journal, registered and moved through the inbox.

It reads a read-only journal and posts to the inbox; which step is possible is decided in ``alerts.ledger``.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from alerts.ledger.case import CaseCommand, CaseVerb, Origin, Register, State
from gateway.commands.cases import REGISTER, STEP, AskLedger, CaseDone, UnknownCase
from gateway.commands.command import UnknownPerson
from gateway.commands.fields import CLEAN, NAMES
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of
from gateway.desk.commands_api import add_route, body_of, wish_of
from gateway.desk.problems import ProblemError
from gateway.inbox import Inbox
from gateway.journal.database import JournalUnavailable
from gateway.journal.ledger import CaseBody, LedgerReader, Wanted
from gateway.journal.view import FIRST_MS, LAST_MS
from telemetry.reading import Millis

MOST: Final = 500


def _text(most: int) -> Any:  # noqa: ANN401 -- a constraint, not a value
    return StringConstraints(min_length=0, max_length=most, pattern=CLEAN, strip_whitespace=True)


_Id = Annotated[str, StringConstraints(max_length=64, pattern=NAMES)]


REGISTER_BODY: Final = body_of(REGISTER)
STEP_BODY: Final = body_of(STEP)


class DeedBody(BaseModel):
    """A line of a case's history; without ``by`` the house itself did it."""

    at: str
    deed: str
    by: str
    channel: str
    origin: str
    was: str
    now: str
    reason: str


class CaseWithHistory(BaseModel):
    """A case and everything that was done about it, in order."""

    case: CaseBody
    history: list[DeedBody]


class CaseList(BaseModel):
    """Cases, the newest first; ``next`` is the ``before`` of the next page, null on the last."""

    cases: list[CaseBody]
    next: int | None


class CaseFilters(BaseModel):
    """Which cases; what is not given asks for nothing. ``area`` takes everything below it."""

    model_config = ConfigDict(extra="forbid")

    area: _Id = ""
    state: Annotated[list[State], Field(max_length=len(State))] = []
    rule: _Id = ""
    owner: Annotated[str, _text(64)] = ""
    asset: _Id = ""
    text: Annotated[str, _text(60)] = ""
    overdue: bool = False
    since: Annotated[AwareDatetime | None, Field(alias="from", description="opened from then on")] = None
    to: Annotated[AwareDatetime | None, Field(description="opened before then")] = None
    before: Annotated[int, Field(ge=0, le=2**62)] = 2**62
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


def serve_cases(
    app: FastAPI,
    inbox: Inbox,
    journal: Path,
    token: str,
    now_ms: Callable[[], Millis],
    answered_within_s: float = ANSWERED_WITHIN_S,
) -> None:
    """Adds the routes. ``inbox`` is given ``AskLedger`` values."""
    permit, ask = [Depends(permitted_by(token))], partial(_asked, inbox, answered_within_s)

    @app.get("/api/v1/cases", responses=PROBLEMS, dependencies=permit)
    def cases(filters: Annotated[CaseFilters, Query()]) -> CaseList:
        """Cases of the ledger, the newest first."""
        wanted = Wanted(
            area=filters.area,
            states=tuple(filters.state),
            rule=filters.rule,
            owner=filters.owner,
            asset=filters.asset,
            text=filters.text,
            overdue_at_ms=now_ms() if filters.overdue else 0,
            from_ms=_ms(filters.since) or FIRST_MS,
            to_ms=_ms(filters.to) or LAST_MS,
            before=filters.before,
        )
        with _reading(journal) as reader:
            found = reader.find(wanted, filters.limit + 1)
        page = found[: filters.limit]
        return CaseList(
            cases=[CaseBody.of(each.case) for each in page], next=page[-1].place if len(found) > len(page) else None
        )

    @app.get("/api/v1/cases/{case}", responses=PROBLEMS, dependencies=permit)
    def one(case: str) -> CaseWithHistory:
        """A case with its history."""
        with _reading(journal) as reader:
            found = reader.case(case)
            history = reader.history(case)
        if found is None:
            raise _unknown(case, settled=False)
        return CaseWithHistory(case=CaseBody.of(found), history=[DeedBody.model_validate(line) for line in history])

    def register(body: BaseModel) -> CaseBody:
        wish = wish_of(REGISTER, body, channel="api")
        if wish.reported is Origin.TELEMETRY:
            detail = "reported: telemetry opens its cases itself; say telephone, sight or answer"
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        return ask(wish)

    def step(body: BaseModel, case: str, verb: CaseVerb) -> CaseBody:
        return ask(wish_of(STEP, body, case=case, verb=verb, channel="api"))

    register.__annotations__["body"], step.__annotations__["body"] = REGISTER_BODY, STEP_BODY
    add_route(app, REGISTER, register, token)
    add_route(app, STEP, step, token)


def _asked(inbox: Inbox, within_s: float, wish: Register | CaseCommand) -> CaseBody:
    """The case after what was asked, once it is durable; a problem when nothing came of it."""
    match await_answer(inbox, AskLedger(wish), within_s):
        case CaseDone(_, case):
            return CaseBody.of(case)
        case UnknownCase(settled):
            raise _unknown("" if isinstance(wish, Register) else wish.case, settled=settled)
        case UnknownPerson():
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"by: the inventory has no person {wish.by}")
        case verdict:
            raise problem_of(verdict)


@contextmanager
def _reading(journal: Path) -> Iterator[LedgerReader]:
    try:
        with closing(LedgerReader.open(journal)) as reader:
            yield reader
    except JournalUnavailable as trouble:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(trouble), {"Retry-After": "5"}) from trouble


def _ms(at: datetime | None) -> Millis:
    return 0 if at is None else round(at.timestamp() * 1000)


def _unknown(case: str, *, settled: bool) -> ProblemError:
    if settled:
        detail = f"{case} was closed too long ago to be changed; register a new case"
        return ProblemError(HTTPStatus.CONFLICT, detail)
    return ProblemError(HTTPStatus.NOT_FOUND, f"there is no case {case}; GET /api/v1/cases lists them")
