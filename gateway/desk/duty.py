"""值班 and 试运行: who answers for what and when, which village has nobody, and what a trial still keeps quiet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from alerts.alert import Alert
from alerts.holds import TRIAL
from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.users import Role
from gateway.desk.visiting import Gate
from gateway.welcoming import is_new
from telemetry.inventory import Duty, Person
from telemetry.reading import Millis


@dataclass(frozen=True, slots=True)
class Post:
    """One duty of one person as the roster shows it; ``where`` is an area or a route."""

    person: Person
    duty: Duty
    where: str
    on_duty: bool
    stand_in: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Something on trial, and until when."""

    name: str
    kind: str
    until_ms: Millis
    path: str = ""


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The roster and the trials."""
    router = APIRouter()

    @router.get("/duty")
    def duty(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        phones = visit.user.role.reaches(Role.CREW)
        contacts = desk.contacts()
        new = [person.name for person in visit.scope.people if phones and is_new(person, contacts)]
        nobody = visit.scope.uncovered
        return leaf(visit, "duty.html", "duty", posts=_posts(visit), nobody=nobody, phones=phones, new=new)

    @router.get("/trial")
    def trial(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        return leaf(visit, "trial.html", "trial", trials=_trials(visit), held=_held(visit))

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


def _trials(visit: Visit) -> list[Trial]:
    """What the inventory has put on trial, what ends first first; who is new is on trial by the rule for new ones."""
    inventory, scope = visit.present.inventory, visit.scope
    given = [
        *((area.name, "area", area.trial_until, "") for area in inventory.areas.values() if scope.sees_area(area.id)),
        *((asset.name, "asset", asset.trial_until, f"/assets/{asset.id}") for asset in scope.assets),
        *(
            (device.id, "device", device.trial_until, f"/assets/{device.asset}")
            for device in inventory.devices.values()
            if scope.sees(device.asset)
        ),
    ]
    trials = [Trial(name, kind, _ms(until), path) for name, kind, until, path in given if until is not None]
    return sorted((trial for trial in trials if trial.until_ms > visit.now_ms), key=lambda trial: trial.until_ms)


def _held(visit: Visit) -> list[Alert]:
    """Episodes that would have told somebody by now, or will, but for a trial."""
    with visit.present.feed.present() as projection:
        held = [alert for alert in projection.open.values() if alert.reason == TRIAL and visit.scope.sees(alert.asset)]
    return sorted(held, key=lambda alert: alert.raised_ms)


def _ms(at: datetime) -> Millis:
    return round(at.timestamp() * 1000)
