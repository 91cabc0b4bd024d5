"""值班: who answers for what and when, who is away and who stands in, and which village has nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from gateway.commands.absences import AbsenceList, ListAbsences
from gateway.commands.welcome import is_new
from gateway.desk.auth import Gate
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.pages.absences import away, may_write
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import await_answer
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from telemetry.inventory import Duty, Person


@dataclass(frozen=True, slots=True)
class DutyPost:
    """One duty of one person as the roster shows it; ``where`` is an area or a route."""

    person: Person
    duty: Duty
    where: str
    on_duty: bool
    stand_in: str
    away: bool


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The roster."""
    router = APIRouter()

    @router.get("/duty")
    def duty(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        phones = visit.user.role.reaches(UserRole.CREW)
        contacts = desk.contacts()
        new = [person.name for person in visit.scope.people if phones and is_new(person, contacts)]
        roster = await_answer(desk, ListAbsences())
        absences = away(visit, roster)
        gone = {each.person for each in absences if each.from_ms <= visit.now_ms}
        return lay_out(
            visit,
            "duty.html",
            "/duty",
            posts=_posts(visit, gone),
            nobody=_nobody(visit, roster),
            phones=phones,
            new=new,
            known=isinstance(roster, AbsenceList),
            absences=[(each, may_write(visit, each)) for each in absences],
        )

    return router


PAGE: Final = Page(path="/duty", role=UserRole.VIEWER, menu=MenuPlace("值班", 70), routes=routes)


def _nobody(visit: Visit, roster: object) -> list[str]:
    """Areas that nobody empties now; while the gateway does not answer, those that nobody ever does."""
    if not isinstance(roster, AbsenceList):
        return list(visit.scope.uncovered)
    return [area for area in roster.uncovered if visit.scope.sees_area(area)]


def _posts(visit: Visit, gone: Collection[str]) -> dict[str, list[DutyPost]]:
    """The roster by role, in the order of the roles."""
    inventory, calendar = visit.present.inventory, visit.present.arrangements.calendar
    found: dict[str, list[DutyPost]] = {}
    for person in visit.scope.people:
        for duty in person.duties:
            place = inventory.areas[duty.area].name if duty.area else inventory.routes[duty.route or ""].name
            on_duty = duty.hours is None or calendar.is_within(visit.now_ms, duty.hours)
            stand_in = inventory.people[person.stand_in].name if person.stand_in else ""
            found.setdefault(duty.role, []).append(DutyPost(person, duty, place, on_duty, stand_in, person.id in gone))
    return {
        role: found[role]
        for role in ("dispatcher", "crew", "collector", "cleaner", "village_head", "town_leader")
        if role in found
    }
