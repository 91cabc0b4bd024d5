"""请假 and 销假 from the roster: who is away, from when until when, and who stands in.

What is wrong is said beside the form, which keeps what was typed. Who is told instead, and what cannot be, the gateway
decides; here stands only for whom a visitor may write something down.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.calendars import DAY_MS
from alerts.operations.absences import Absence
from gateway.commands.absences import AbsenceList, EndAbsence, ListAbsences, RecordAbsence
from gateway.desk.auth import Form, Gate
from gateway.desk.drafts import Draft, choose, obey, pick, say, signed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit, near
from gateway.desk.saying import Outcome, await_answer
from gateway.desk.users import UserRole

_FIELDS: Final = ("person", "since", "until", "stand_in", "reason")


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The sheet, an absence written down, and one ended."""
    router = APIRouter()

    @router.get("/duty/away")
    def ask(
        visit: Annotated[Visit, Depends(gate.visit)], person: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        return _sheet(visit, Draft({"person": person}))

    @router.post("/duty/away")
    def write(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        who, draft = signed(visit), Draft.of(form, _FIELDS)
        person, stand_in = _people(visit, draft)
        (since_ms, until_ms), reason = draft.span(visit), draft.reason(needed=False)
        wish = RecordAbsence(
            person=person, from_ms=since_ms, until_ms=until_ms, stand_in=stand_in, reason=reason, **who
        )
        outcome = draft.obey(desk, visit, wish, "away", f"absence_added {person}")
        return _sheet(visit, draft) if outcome is None else _said(visit, "absence_added", outcome)

    @router.post("/duty/away/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        who = signed(visit)
        absences = away(visit, await_answer(desk, ListAbsences()))
        named = (each for each in absences if each.id == form.get("absence") and may_write(visit, each))
        found = pick(named, "no_absence")
        outcome = obey(desk, visit, EndAbsence(absence=found.id, **who), "away", f"absence_ended {found.person}")
        return _said(visit, "absence_ended", outcome)

    return router


PAGE: Final = Page(path="/duty/away", role=UserRole.DISPATCHER, routes=routes)


def away(visit: Visit, verdict: object) -> list[Absence]:
    """Absences that are not over, of people whom the visitor sees."""
    seen = {person.id for person in visit.scope.people}
    return [each for each in verdict.absences if each.person in seen] if isinstance(verdict, AbsenceList) else []


def may_write(visit: Visit, absence: Absence) -> bool:
    """Whoever sees only a part of what somebody answers for does not write for the rest."""
    return visit.user.role.reaches(UserRole.DISPATCHER) and absence.person in {
        each.id for each in visit.scope.own_people
    }


def _sheet(visit: Visit, draft: Draft) -> Response:
    tomorrow = visit.present.arrangements.calendar.local(visit.now_ms + DAY_MS)
    usual = dict.fromkeys(_FIELDS, "") | {"until": f"{tomorrow:%Y-%m-%d}T00:00"}
    return draft.lay_out(visit, "away.html", "/duty", usual, own=visit.scope.own_people, people=near(visit, ""))


def _people(visit: Visit, draft: Draft) -> tuple[str, str]:
    """Who is away, and who stands in, which may be left to the inventory."""
    person, stand_in = draft.typed["person"], draft.typed["stand_in"]
    choose(person, {"", *(each.id for each in visit.scope.own_people)})
    choose(stand_in, {"", *(each.id for each in visit.scope.people)})
    if not person:
        draft.fault("no_person")
    return person, stand_in


def _said(visit: Visit, event: str, outcome: Outcome) -> Response:
    return say(visit, "/duty", ("events", event), outcome, "/duty")
