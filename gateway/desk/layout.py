"""A whole page with its frame: who is there, where they are, what the menu has for them, how times are written."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import HTMLResponse

from gateway.desk import sentences
from gateway.desk.pages import pages
from gateway.desk.present import Visit
from gateway.desk.rendering import html
from gateway.desk.users import UserRole
from gateway.desk.writing import clock, date_of
from telemetry.inventory import Asset


def lay_out(
    visit: Visit,
    template: str,
    active: str,
    status: HTTPStatus = HTTPStatus.OK,
    **given: Any,  # noqa: ANN401 whatever a template speaks of
) -> HTMLResponse:
    """The page ``template`` within the frame of the desk; ``active`` is the path that the menu marks."""
    inventory, user = visit.present.inventory, visit.user
    written = clock(visit.present.arrangements.calendar, visit.now_ms)
    return html(
        template,
        status,
        menu=[page for page in pages() if page.is_for(visit)],
        active=active,
        user=user,
        basis=visit.seen,
        csrf=visit.session.csrf,
        county=inventory.county,
        area=inventory.areas.get(user.area),
        may_act=user.role.reaches(UserRole.CREW),
        may_send=user.role.reaches(UserRole.DISPATCHER),
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
