"""台账: the ledger as a list with filters and as a workbook, each case as a page, and what people do about one.

派, 开始, 办好, 核实, 销号, 备案, 退回 and 备注 are each a command into the inbox. Which is possible the ledger says;
here stands only from which role on somebody may ask for it.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from msgspec.structs import replace
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alerts.ledger.case import UNFINISHED, Case, CaseCommand, CaseVerb, State
from alerts.ledger.moves import FROM
from gateway import exporting
from gateway.commands.cases import STEP, STEP_FORMS, AskLedger, StepField
from gateway.commands.fields import CountField, MomentField, TextField
from gateway.desk.auth import DeskRefusal, Form, Gate, require
from gateway.desk.cases import STEP_BODY
from gateway.desk.commands_api import wish_of
from gateway.desk.drafts import choose, obey, say, signed
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit, near
from gateway.desk.sentences import of_line
from gateway.desk.users import UserRole
from gateway.desk.view import HEADERS, lay_out
from gateway.desk.words import moment
from gateway.journal.ledger import OVERDUE, LedgerReader, PlacedCase, Wanted, exported
from gateway.journal.view import Row
from telemetry.reading import Millis

A_PAGE: Final = 100
_BATCH: Final = 500
_NEWEST: Final = 2**62
SHOWS: Final = ("unfinished", "all", *(str(state) for state in State))
"""What the list may be narrowed to: a state, everything nobody has seen done, or nothing."""
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NEEDS: Final = {
    CaseVerb.ASSIGN: UserRole.DISPATCHER,
    CaseVerb.START: UserRole.CREW,
    CaseVerb.FIX: UserRole.CREW,
    CaseVerb.VERIFY: UserRole.DISPATCHER,
    CaseVerb.CLOSE: UserRole.DISPATCHER,
    CaseVerb.DEFER: UserRole.CREW,
    CaseVerb.REOPEN: UserRole.DISPATCHER,
    CaseVerb.NOTE: UserRole.CREW,
}
"""From which role on a step is there for somebody."""
_CLOCKED: Final = {name: kind.of for name, kind in STEP.fields.items() if isinstance(kind, MomentField)}
"""What a form says by the county's clock, and how the command has it."""
_WITH_REASON: Final = {verb for verb, asks in STEP_FORMS.items() for ask in asks if ask.name == "reason" and ask.needed}


def _bounded(value: object) -> object:
    """An empty field of the form asks for nothing."""
    return value if value != "" else None


class CaseFilterForm(BaseModel):
    """What the form of the list says."""

    model_config = ConfigDict(extra="ignore")

    show: Annotated[str, Field(max_length=16)] = "unfinished"
    area: Annotated[str, Field(max_length=64)] = ""
    rule: Annotated[str, Field(max_length=64)] = ""
    owner: Annotated[str, Field(max_length=64)] = ""
    q: Annotated[str, Field(max_length=60)] = ""
    asset: Annotated[str, Field(max_length=64)] = ""
    overdue: bool = False
    before: Annotated[int | None, BeforeValidator(_bounded), Field(ge=1, le=_NEWEST)] = None

    def encode(self, **other: object) -> str:
        """The same question as the end of an address."""
        question = self.model_dump(exclude_defaults=True) | other
        return urlencode({name: "1" if value is True else value for name, value in question.items() if value})


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The list, the workbook, a case, its photograph, the dialog of a step, and the step itself."""
    router = APIRouter()

    @router.get("/cases")
    def cases(visit: Annotated[Visit, Depends(gate.visit)], filters: Annotated[CaseFilterForm, Query()]) -> Response:
        with desk.ledger() as ledger:
            found = ledger.find(_wanted(visit, filters), A_PAGE + 1)
            late = ledger.find(_wanted(visit, CaseFilterForm(overdue=True)), A_PAGE + 1) if not filters.before else []
        page = found[:A_PAGE]
        return lay_out(
            visit,
            "cases.html",
            "/cases",
            found=[each.case for each in page],
            older=filters.encode(before=page[-1].place) if len(found) > A_PAGE else "",
            late=len(late),
            filters=filters,
            shows=SHOWS,
            query=filters.encode(),
            rules=visit.present.cases.rules,
            people=visit.scope.people,
            areas=[area for area in visit.present.inventory.areas.values() if visit.scope.sees_area(area.id)],
            overdue=lambda case: overdue(case, visit),
        )

    @router.get("/cases.xlsx")
    def book(visit: Annotated[Visit, Depends(gate.visit)], filters: Annotated[CaseFilterForm, Query()]) -> Response:
        require(visit, UserRole.CREW)
        inventory = visit.present.inventory
        called = exporting.names(inventory, visit.present.cases.rules)
        with desk.ledger() as ledger:
            made = exporting.workbook(
                _rows(ledger, _wanted(visit, filters)), called, ZoneInfo(inventory.county.timezone)
            )
        named = {"Content-Disposition": "attachment; filename=taizhang.xlsx; filename*=UTF-8''%E5%8F%B0%E8%B4%A6.xlsx"}
        return Response(made, media_type=_XLSX, headers={**HEADERS, **named})

    @router.get("/cases/{name}")
    def one(
        visit: Annotated[Visit, Depends(gate.visit)], name: str, said: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        with desk.ledger() as ledger:
            case = seen(ledger, visit, name)
            history = ledger.history(case.id)
            earlier = ledger.case(case.recurs) if case.recurs else None
        return lay_out(
            visit,
            "case.html",
            "/cases",
            case=case,
            rule=visit.present.cases.of(case.rule),
            lines=[of_line(line, visit) for line in history],
            passed=_passed(case, history),
            verbs=offered(case, visit),
            overdue=overdue(case, visit),
            earlier=earlier,
            fresh=said == "registered",
            asset=visit.present.inventory.known_asset(case.asset),
            by_sensor=by_sensor(case, visit),
            phones=visit.user.role.reaches(UserRole.CREW),
        )

    @router.get("/cases/{name}/photo")
    def photo(visit: Annotated[Visit, Depends(gate.visit)], name: str) -> Response:
        with desk.ledger() as ledger:
            case = seen(ledger, visit, name)
        found = desk.photos.read(case.photo)
        if found is None:
            raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
        return Response(found[0], media_type=found[1], headers=HEADERS)

    @router.get("/cases/{name}/{verb}")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], name: str, verb: CaseVerb) -> Response:
        require(visit, NEEDS[verb])
        case = _case(desk, visit, name)
        tomorrow = visit.present.arrangements.calendar.local(visit.now_ms + 86_400_000)
        return lay_out(
            visit,
            "step.html",
            "/cases",
            verb=verb,
            case=case,
            people=near(visit, case.asset, case.areas) if verb is CaseVerb.ASSIGN else [],
            rules=visit.present.cases.rules,
            asks=_asks(verb),
            tomorrow=f"{tomorrow:%Y-%m-%d}T17:00",
        )

    @router.post("/cases/{name}/{verb}")
    def step(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str, verb: CaseVerb) -> Response:
        visit, form = sent
        require(visit, NEEDS[verb])
        case = _case(desk, visit, name)
        outcome = obey(desk, visit, AskLedger(_wish(visit, form, case, verb)), "stepped", f"{verb} {case.id}")
        return say(visit, "/cases", ("steps", verb), outcome, f"/cases/{case.id}")

    return router


PAGE: Final = Page(path="/cases", role=UserRole.VIEWER, menu=MenuPlace("台账", 40), routes=routes)


def _asks(verb: CaseVerb) -> list[tuple[StepField, int, bool]]:
    """What is typed for a step, each with the most that it takes, and whether it is a number."""
    kinds = ((ask, STEP.fields[ask.name]) for ask in STEP_FORMS.get(verb, ()))
    bounded = ((ask, kind) for ask, kind in kinds if isinstance(kind, TextField | CountField))
    return [(ask, kind.most, isinstance(kind, CountField)) for ask, kind in bounded]


def offered(case: Case, visit: Visit) -> list[CaseVerb]:
    """The steps that may lead on from where a case stands, and that its visitor may ask for."""
    if not visit.user.person or case.settled:
        return []
    return [verb for verb in CaseVerb if case.state in FROM[verb] and visit.user.role.reaches(NEEDS[verb])]


def _passed(case: Case, history: list[Row]) -> set[str]:
    """The states that it has been in since it was last reopened."""
    since = max((place for place, line in enumerate(history) if line["deed"] == "reopen"), default=0)
    return {"open", str(case.state), *(str(line["now"]) for line in history[since:])}


def seen(ledger: LedgerReader, visit: Visit, name: str) -> Case:
    """A case that the visitor may see; any other is as if it were not there."""
    case = ledger.case(name)
    if case is None or not visit.scope.sees_within(case.within):
        raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
    return case


def _case(desk: Desk, visit: Visit, name: str) -> Case:
    with desk.ledger() as ledger:
        return seen(ledger, visit, name)


def overdue(case: Case, visit: Visit) -> int:
    """For how long it should have been done; 0 while it need not be."""
    late = case.deadline_ms and case.state in OVERDUE and case.deadline_ms < visit.now_ms
    return visit.now_ms - case.deadline_ms if late else 0


def by_sensor(case: Case, visit: Visit) -> bool:
    """Whether it is a sensor that is expected to see that it is done."""
    rule = visit.present.cases.of(case.rule)
    has_devices = case.asset in visit.present.inventory.devices_of
    return case.standing or (has_devices and bool(rule.seen))


def _wanted(visit: Visit, filters: CaseFilterForm) -> Wanted:
    """The question to the journal: never more than the visitor may see."""
    area = filters.area if filters.area and visit.scope.sees_area(filters.area) else visit.scope.area
    states = {"unfinished": tuple(sorted(UNFINISHED)), "all": ()}
    return Wanted(
        area=area,
        states=() if filters.overdue else states.get(filters.show, (filters.show,)),
        rule=filters.rule,
        owner=filters.owner,
        asset=filters.asset,
        text=filters.q.strip(),
        by_caller=visit.user.role.reaches(UserRole.CREW),  # else a number could be guessed digit by digit
        overdue_at_ms=visit.now_ms if filters.overdue else 0,
        before=filters.before or _NEWEST,
    )


def _rows(ledger: LedgerReader, wanted: Wanted) -> Iterator[Row]:
    """Everything that the list would show, page after page."""
    page: list[PlacedCase] = ledger.find(wanted, _BATCH)
    while page:
        yield from (exported(each.case) for each in page)
        page = ledger.find(replace(wanted, before=page[-1].place), _BATCH)


def _wish(visit: Visit, form: Form, case: Case, verb: CaseVerb) -> CaseCommand:
    who = signed(visit)
    to = choose(form.get("to", ""), {"", *(person.id for person in visit.scope.people)})
    reason = " ".join(form.get("reason", "").split())  # a note has lines, the ledger has one
    if verb in _WITH_REASON and not reason.strip():
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "no_step_reason")
    try:
        typed = {name: form[name] for name in STEP.fields if name not in _CLOCKED and form.get(name)}
        body = STEP_BODY.model_validate({**typed, "by": who["by"], "to": to, "reason": reason})
    except ValidationError:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "long_step_reason") from None
    wish = wish_of(STEP, body, **who, case=case.id, verb=verb)
    moments = {of: _ms(visit, form.get(name, "")) for name, of in _CLOCKED.items()}
    return replace(wish, rule=wish.rule if wish.rule != case.rule else "", **moments)


def _ms(visit: Visit, local: str) -> Millis:
    """An instant that a form says by the county's clock; 0 for none."""
    if not local:
        return 0
    at_ms = moment(visit.present.arrangements.calendar, local)
    if at_ms is None:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
    return at_ms
