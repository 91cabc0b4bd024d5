"""What people do about a case of the ledger: 派, 开始, 办好, 核实, 销号, 备案, 退回, 备注.

Each is a command into the inbox. Which step is possible is the ledger's to say; here stands only from which role on
somebody may ask for it.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import ValidationError

from alerts.ledger.asking import CaseCommand
from alerts.ledger.case import Case, CaseVerb
from alerts.ledger.moves import FROM
from gateway.commands.cases import AskLedger
from gateway.desk import words
from gateway.desk.cases import StepBody
from gateway.desk.choices import near
from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import asked
from gateway.desk.typed_times import moment
from gateway.desk.users import Deed, Role
from gateway.desk.visiting import DeskRefusal, Form, Gate, require
from telemetry.reading import Millis

NEEDS: Final = {
    CaseVerb.ASSIGN: Role.DISPATCHER,
    CaseVerb.START: Role.CREW,
    CaseVerb.FIX: Role.CREW,
    CaseVerb.VERIFY: Role.DISPATCHER,
    CaseVerb.CLOSE: Role.DISPATCHER,
    CaseVerb.DEFER: Role.CREW,
    CaseVerb.REOPEN: Role.DISPATCHER,
    CaseVerb.NOTE: Role.CREW,
}
"""From which role on a step is there for somebody."""
_WITH_REASON: Final = frozenset({CaseVerb.DEFER, CaseVerb.REOPEN, CaseVerb.NOTE})


def offered(case: Case, visit: Visit) -> list[CaseVerb]:
    """The steps that may lead on from where a case stands, and that its visitor may ask for."""
    if not visit.user.person or case.settled:
        return []
    return [verb for verb in CaseVerb if case.state in FROM[verb] and visit.user.role.reaches(NEEDS[verb])]


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The dialog of a step, and the step itself."""
    router = APIRouter()

    @router.get("/cases/{name}/{verb}")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], name: str, verb: CaseVerb) -> Response:
        require(visit, NEEDS[verb])
        case = _case(desk, visit, name)
        tomorrow = visit.present.arrangements.calendar.local(visit.now_ms + 86_400_000)
        return leaf(
            visit,
            "step.html",
            "cases",
            verb=verb,
            case=case,
            people=near(visit, case.asset, case.areas) if verb is CaseVerb.ASSIGN else [],
            rules=visit.present.cases.rules,
            tomorrow=f"{tomorrow:%Y-%m-%d}T17:00",
        )

    @router.post("/cases/{name}/{verb}")
    def step(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str, verb: CaseVerb) -> Response:
        visit, form = sent
        require(visit, NEEDS[verb])
        case = _case(desk, visit, name)
        outcome = asked(desk, AskLedger(_wish(visit, form, case, verb)))
        what = f"{verb} {case.id} {outcome.name}"
        desk.users.note(Deed(desk.wall_ms(), visit.user.name, visit.address, "stepped", what))
        return leaf(
            visit, "said.html", "cases", title=words.word("steps", verb), outcome=outcome, back=f"/cases/{case.id}"
        )

    return router


def _case(desk: Desk, visit: Visit, name: str) -> Case:
    with desk.ledger() as ledger:
        case = ledger.case(name)
    if case is None or not visit.scope.sees_within(case.within):
        raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
    return case


def _wish(visit: Visit, form: Form, case: Case, verb: CaseVerb) -> CaseCommand:
    if not visit.user.person:
        raise DeskRefusal(HTTPStatus.FORBIDDEN, "no_person")
    to = form.get("to", "")
    if to and to not in {person.id for person in visit.scope.people}:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
    reason = " ".join(form.get("reason", "").split())  # a note has lines, the ledger has one
    if verb in _WITH_REASON and not reason.strip():
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "no_step_reason")
    try:
        body = StepBody.model_validate(
            {"by": visit.user.person, "to": to, "rule": form.get("rule", ""), "reason": reason}
            | {"proof": form.get("proof", "")}
        )
    except ValidationError:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "long_step_reason") from None
    return CaseCommand(
        verb=verb,
        case=case.id,
        by=body.by,
        channel="desk",
        origin=f"{visit.user.name}@{visit.address}",
        to=body.to,
        rule=body.rule if body.rule != case.rule else "",
        deadline_ms=_ms(visit, form.get("deadline", "")),
        until_ms=_ms(visit, form.get("until", "")),
        reason=body.reason,
        proof=body.proof,
    )


def _ms(visit: Visit, local: str) -> Millis:
    """An instant that a form says by the county's clock; 0 for none."""
    if not local:
        return 0
    at_ms = moment(visit.present.arrangements.calendar, local)
    if at_ms is None:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
    return at_ms
