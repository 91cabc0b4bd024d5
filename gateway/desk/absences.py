"""请假 over HTTP: who is away and which village has nobody, an absence written down, cancelled or ended early.

It posts to the inbox and reads nothing; what is possible is decided in ``alerts.operations.absences``.
"""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from alerts.calendars import iso
from alerts.operations.absences import Absence
from gateway.commands.absences import AbsenceDone, AbsenceList, EndAbsence, ListAbsences, RecordAbsence
from gateway.commands.command import UnknownPerson
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of
from gateway.desk.auth import address_of
from gateway.desk.problems import ProblemError
from gateway.inbox import Inbox

_CLEAN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"

_Person = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_CLEAN)]
_Maybe = Annotated[str, StringConstraints(max_length=64, pattern=_CLEAN)]
_Way = Literal["api", "cli"]


class AwayBody(BaseModel):
    """Who is away, from when to when (ISO 8601 with its zone), who stands in; ``by`` writes it down.

    Without ``begins`` from now on; without ``stand_in`` the one whom the inventory names.
    """

    model_config = ConfigDict(extra="forbid")

    person: _Person
    ends: AwareDatetime
    by: _Person
    begins: AwareDatetime | None = None
    stand_in: _Maybe = ""
    reason: Annotated[str, StringConstraints(max_length=200, pattern=_CLEAN, strip_whitespace=True)] = ""
    channel: _Way = "api"


class BackBody(BaseModel):
    """Which absence ends now, or does not begin at all; ``by`` says so."""

    model_config = ConfigDict(extra="forbid")

    absence: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CLEAN)]
    by: _Person
    channel: _Way = "api"


class AbsenceBody(BaseModel):
    """An absence as it is kept; times in ISO 8601 UTC."""

    absence: str
    person: str
    stand_in: str
    begins: str
    ends: str
    reason: str
    by: str


class RosterBody(BaseModel):
    """Who is away or will be, and the areas with a bin that nobody empties now."""

    at: str
    absences: list[AbsenceBody]
    uncovered: list[str]


def serve_absences(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the routes. ``inbox`` is given ``RecordAbsence``, ``EndAbsence`` and ``ListAbsences`` values."""
    permit = [Depends(permitted_by(token))]

    def asked(wish: RecordAbsence | EndAbsence | ListAbsences) -> object:
        return await_answer(inbox, wish, answered_within_s)

    @app.get("/api/v1/absences", responses=PROBLEMS, dependencies=permit)
    def roster() -> RosterBody:
        """Absences that are not over, what begins first first."""
        match asked(ListAbsences()):
            case AbsenceList(at_ms, absences, uncovered):
                found = [_body(absence) for absence in absences]
                return RosterBody(at=iso(at_ms), absences=found, uncovered=list(uncovered))
            case verdict:
                raise problem_of(verdict)

    @app.post("/api/v1/absences", responses=PROBLEMS, dependencies=permit, status_code=HTTPStatus.CREATED)
    def add(body: AwayBody, request: Request) -> AbsenceBody:
        """请假: answers when it is durable; who stands in is asked by SMS."""
        wish = RecordAbsence(
            person=body.person,
            from_ms=0 if body.begins is None else round(body.begins.timestamp() * 1000),
            until_ms=round(body.ends.timestamp() * 1000),
            by=body.by,
            stand_in=body.stand_in,
            reason=body.reason,
            channel=body.channel,
            origin=address_of(request),
        )
        return _done(asked(wish), wish)

    @app.post("/api/v1/absences/end", responses=PROBLEMS, dependencies=permit)
    def end(body: BackBody, request: Request) -> AbsenceBody:
        """销假: from now on texts go to the person again; answers when it is durable."""
        wish = EndAbsence(absence=body.absence, by=body.by, channel=body.channel, origin=address_of(request))
        return _done(asked(wish), wish)


def _done(verdict: object, wish: RecordAbsence | EndAbsence) -> AbsenceBody:
    match verdict:
        case AbsenceDone(_, _, absence):
            return _body(absence)
        case UnknownPerson():
            who = f"{wish.by} or {wish.person}" if isinstance(wish, RecordAbsence) else wish.by
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the inventory has no person {who}: name their ids")
        case _:
            raise problem_of(verdict)


def _body(absence: Absence) -> AbsenceBody:
    return AbsenceBody(
        absence=absence.id,
        person=absence.person,
        stand_in=absence.stand_in,
        begins=iso(absence.from_ms),
        ends=iso(absence.until_ms),
        reason=absence.reason,
        by=absence.by,
    )
