"""A whole page with its frame: who is there, where they are, what the menu has for them, how times are written."""

from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi.responses import HTMLResponse

from gateway.desk import sentences
from gateway.desk.present import Visit
from gateway.desk.rendering import html
from gateway.desk.users import Role
from gateway.desk.writing import clock, date_of
from telemetry.inventory import Asset


class Entry(NamedTuple):
    """One line of the menu, and from which role on it is there."""

    path: str
    name: str
    role: Role = Role.VIEWER
    whole: bool = False


MENU: Final = (
    Entry("/", "today"),
    Entry("/map", "map"),
    Entry("/register", "register", Role.CREW),
    Entry("/cases", "cases"),
    Entry("/assets", "assets"),
    Entry("/texts", "texts"),
    Entry("/duty", "duty"),
    Entry("/trial", "trial"),
    Entry("/quarantine", "quarantine", Role.CREW, whole=True),
    Entry("/audit", "audit", Role.DISPATCHER, whole=True),
)


def leaf(
    visit: Visit,
    template: str,
    active: str,
    status: HTTPStatus = HTTPStatus.OK,
    **given: Any,  # noqa: ANN401 whatever a template speaks of
) -> HTMLResponse:
    """The page ``template`` within the frame of the desk."""
    inventory, user = visit.present.inventory, visit.user
    written = clock(visit.present.arrangements.calendar, visit.now_ms)
    entries = [entry for entry in MENU if user.role.reaches(entry.role) and (visit.scope.is_whole or not entry.whole)]
    return html(
        template,
        status,
        menu=entries,
        active=active,
        user=user,
        basis=visit.seen,
        csrf=visit.session.csrf,
        county=inventory.county,
        area=inventory.areas.get(user.area),
        may_act=user.role.reaches(Role.CREW),
        may_send=user.role.reaches(Role.DISPATCHER),
        now_ms=visit.now_ms,
        at=written,
        date=date_of(visit.present.arrangements.calendar, visit.now_ms),
        person=lambda name: sentences.person(inventory, name),
        subject=lambda name: sentences.subject(inventory, name),
        episode=lambda name: sentences.episode(inventory, name),
        sentence=lambda event: sentences.of_event(event, inventory, written),
        wait=lambda alert: sentences.of_wait(alert, written),
        place=lambda asset: place(visit, asset),
        area_name=lambda area: inventory.areas[area].name if area in inventory.areas else inventory.county.name,
        **given,
    )


def place(visit: Visit, asset: Asset) -> str:
    """石桥镇 梅岭村: where an asset is counted."""
    town, area = visit.scope.town_of(asset.area), visit.present.inventory.areas[asset.area].name
    return area if town == area or not town else f"{town} {area}"
