"""Templates to pages: the frame around each, who is there and what the menu has; what a browser may do with it.

The one place that knows Jinja2. Everything is escaped by default. No route is here, and no sentence: those are in the
templates.
"""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerts.notify.texts import tenths
from dashboards import words as boards
from gateway.desk import sentences, words
from gateway.desk.pages import pages
from gateway.desk.present import Visit
from gateway.desk.users import UserRole
from gateway.desk.words import clock, date_of, masked, span
from telemetry.inventory import Asset


def policy(images_from: str = "") -> dict[str, str]:
    """The header with all that a page may ask for; ``images_from`` is one origin more that may send it pictures."""
    images = f"img-src 'self' data: {images_from}".rstrip()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self'; style-src 'self'; {images}; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
    }


HEADERS: Final = {
    **policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing from elsewhere, nothing inline, nothing kept: a page shows where people live and whom to call."""


def html(template: str, status: HTTPStatus = HTTPStatus.OK, **given: object) -> HTMLResponse:
    """A page or a part of one."""
    return HTMLResponse(_environment().get_template(template).render(**given), status, HEADERS)


def text(template: str, **given: object) -> str:
    """The same as a file of its own."""
    return _environment().get_template(template).render(**given)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(word=words.word, sign=words.sign, runs={name: said for name, (said, _) in boards.RUNS.items()})
    made.filters.update(
        rule=words.rule,
        subject=words.subject,
        severity=words.severity,
        tenths=tenths,
        span=span,
        masked=masked,
        path=quote,
    )
    return made


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
