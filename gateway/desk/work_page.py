"""检修、停电: the dialog of a site in which a dispatcher declares work or a planned cut, and ends one.

Nothing is decided here: the gateway says what became of it, and the page says what the gateway said.
"""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Response

from alerts.windows import Work
from gateway.commands import Declare, Declared, Windows, Wish, Withdraw
from gateway.desk import words
from gateway.desk.leaf import leaf
from gateway.desk.present import ANSWERED_WITHIN_S, Desk, Visit
from gateway.desk.saying import asked
from gateway.desk.users import Deed, Role
from gateway.desk.visiting import Form, Gate, Refusal, require
from gateway.sources.inbox import Unanswered
from telemetry.inventory import Asset
from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
USUAL_H: Final = 4


class Choice(NamedTuple):
    """What may be declared from a site's page: the site itself, one of its areas, its power line."""

    work: Work
    subject: str
    name: str

    @property
    def value(self) -> str:
        """As the form sends it."""
        return f"{self.work.value}/{self.subject}"


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The dialog, and what it sends."""
    router = APIRouter()

    @router.get("/work")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], asset: Annotated[str, Query(max_length=64)]) -> Response:
        require(visit, Role.DISPATCHER)
        site = _site(visit, asset)
        until = visit.present.calendar.local(visit.now_ms + USUAL_H * HOUR_MS)
        return leaf(
            visit,
            "work.html",
            "assets",
            asset=site,
            choices=list(_choices(visit, site)),
            standing=_standing(desk, site),
            until=f"{until:%Y-%m-%dT%H:00}",
        )

    @router.post("/work")
    def declare(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = _allowed(sent)
        site = _site(visit, form.get("asset", ""))
        what = next((each for each in _choices(visit, site) if each.value == form.get("what", "")), None)
        if what is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form")
        since_ms, until_ms = _ms(visit, form.get("since", "")), _ms(visit, form.get("until", ""))
        wish = Wish(what.work, what.subject, since_ms, until_ms, form.get("reason", "").strip())
        return _answered(visit, site, Declare(wish=wish, by=visit.user.person, origin=_origin(visit)))

    @router.post("/work/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = _allowed(sent)
        site = _site(visit, form.get("asset", ""))
        window = form.get("window", "")
        return _answered(visit, site, Withdraw(window=window, by=visit.user.person, origin=_origin(visit)))

    def _answered(visit: Visit, site: Asset, wish: Declare | Withdraw) -> Response:
        outcome = asked(desk, wish)
        event = "work_declared" if isinstance(wish, Declare) else "work_withdrawn"
        desk.users.note(Deed(desk.wall_ms(), visit.user.name, visit.address, event, f"{site.id} {outcome.name}"))
        title = words.word("events", event)
        return leaf(visit, "said.html", "assets", title=title, outcome=outcome, back=f"/assets/{site.id}")

    return router


def _allowed(sent: tuple[Visit, Form]) -> tuple[Visit, Form]:
    visit, form = sent
    require(visit, Role.DISPATCHER)
    if not visit.user.person:
        raise Refusal(HTTPStatus.FORBIDDEN, "no_person")
    return visit, form


def _site(visit: Visit, name: str) -> Asset:
    """One that may be seen; any other is as if it were not there."""
    asset = visit.present.inventory.assets.get(name)
    if asset is None or not visit.scope.sees(name):
        raise Refusal(HTTPStatus.NOT_FOUND, "not_found")
    return asset


def _choices(visit: Visit, site: Asset) -> Iterator[Choice]:
    inventory = visit.present.inventory
    yield Choice(Work.MAINTENANCE, site.id, site.name)
    for area in site.areas:
        if visit.scope.sees_area(area):
            yield Choice(Work.MAINTENANCE, area, inventory.areas[area].name)
    if site.plant is not None and site.plant.feeder is not None:
        yield Choice(Work.PLANNED_CUT, site.plant.feeder, inventory.feeders[site.plant.feeder].name)


def _standing(desk: Desk, site: Asset) -> list[Declared]:
    """What is declared for a site already; nothing where the gateway is too busy to say."""
    answer = desk.inbox.post(Windows())
    found = answer if isinstance(answer, Unanswered) else answer.wait(ANSWERED_WITHIN_S)
    return [each for each in found if site.id in each.assets] if isinstance(found, tuple) else []


def _ms(visit: Visit, local: str) -> Millis:
    """An instant by the county's clock; 0 for none."""
    if not local:
        return 0
    try:
        at = datetime.fromisoformat(local)
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form") from None
    return round((at if at.tzinfo else at.replace(tzinfo=visit.present.calendar.zone)).timestamp() * 1000)


def _origin(visit: Visit) -> str:
    return f"{visit.user.name}@{visit.address}"
