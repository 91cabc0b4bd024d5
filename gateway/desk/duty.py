"""值班: who answers for what and when, and which village has nobody."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.users import Role
from gateway.desk.visiting import Gate
from gateway.welcoming import is_new
from telemetry.inventory import Duty, Person


@dataclass(frozen=True, slots=True)
class Post:
    """One duty of one person as the roster shows it; ``where`` is an area or a route."""

    person: Person
    duty: Duty
    where: str
    on_duty: bool
    stand_in: str


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The roster."""
    router = APIRouter()

    @router.get("/duty")
    def duty(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        phones = visit.user.role.reaches(Role.CREW)
        contacts = desk.contacts()
        new = [person.name for person in visit.scope.people if phones and is_new(person, contacts)]
        nobody = visit.scope.uncovered
        return leaf(visit, "duty.html", "duty", posts=_posts(visit), nobody=nobody, phones=phones, new=new)

    return router


def _posts(visit: Visit) -> dict[str, list[Post]]:
    """The roster by role, in the order of the roles."""
    inventory, calendar = visit.present.inventory, visit.present.calendar
    found: dict[str, list[Post]] = {}
    for person in visit.scope.people:
        for duty in person.duties:
            place = inventory.areas[duty.area].name if duty.area else inventory.routes[duty.route or ""].name
            on_duty = duty.hours is None or calendar.is_within(visit.now_ms, duty.hours)
            stand_in = inventory.people[person.stand_in].name if person.stand_in else ""
            found.setdefault(duty.role, []).append(Post(person, duty, place, on_duty, stand_in))
    return {
        role: found[role]
        for role in ("dispatcher", "crew", "collector", "cleaner", "village_head", "town_leader")
        if role in found
    }
