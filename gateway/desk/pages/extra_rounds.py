"""加收 from a bin's page: an extra round for it or for its village, ordered, seen and cancelled.

What is wrong is said beside the form, which keeps what was typed. What an extra round may be the gateway decides.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from alerts.calendars import HOUR_MS
from alerts.operations.extra_rounds import ExtraRound
from gateway.commands.extra_rounds import CancelExtraRound, ExtraList, ListExtraRounds, OrderExtraRound
from gateway.desk.auth import DeskRefusal, Form, Gate, site
from gateway.desk.drafts import Draft, choose, obey, pick, say, signed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import Outcome, await_answer
from gateway.desk.users import UserRole
from telemetry.inventory import Asset

USUAL_H: Final = 3
"""How long an extra round usually takes."""
_FIELDS: Final = ("place", "since", "until", "reason")


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The sheet of one bin, an extra round ordered, and one cancelled."""
    router = APIRouter()

    @router.get("/assets/{name}/extra")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], name: str) -> Response:
        return _sheet(desk, visit, _asset(visit, name), Draft())

    @router.post("/assets/{name}/extra")
    def order(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = _asset(visit, name)
        who, draft = signed(visit), Draft.of(form, _FIELDS)
        place = choose(draft.typed["place"], _places(visit, asset))
        (since_ms, until_ms), reason = draft.span(visit), draft.reason(needed=False)
        wish = OrderExtraRound(place=place, from_ms=since_ms, until_ms=until_ms, reason=reason, **who)
        outcome = draft.obey(desk, visit, wish, "extra", f"extra_ordered {place}")
        return _sheet(desk, visit, asset, draft) if outcome is None else _said(visit, asset, outcome)

    @router.post("/assets/{name}/extra/end")
    def cancel(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = _asset(visit, name)
        who = signed(visit)
        ordered = _standing(visit, asset, await_answer(desk, ListExtraRounds()))
        named = (each for each in ordered if each.id == form.get("extra") and _may_end(visit, each))
        found = pick(named, "no_work")
        outcome = obey(desk, visit, CancelExtraRound(extra=found.id, **who), "extra", f"extra_cancelled {found.place}")
        return _said(visit, asset, outcome)

    return router


PAGE: Final = Page(path="/assets/{name}/extra", role=UserRole.DISPATCHER, routes=routes)


def _sheet(desk: Desk, visit: Visit, asset: Asset, draft: Draft) -> Response:
    verdict = await_answer(desk, ListExtraRounds())
    usual = visit.present.arrangements.calendar.local(visit.now_ms + USUAL_H * HOUR_MS)
    return draft.lay_out(
        visit,
        "extra.html",
        "/assets",
        dict.fromkeys(_FIELDS, "") | {"until": f"{usual:%Y-%m-%dT%H:00}"},
        asset=asset,
        places=_places(visit, asset),
        known=isinstance(verdict, ExtraList),
        standing=[(each, _may_end(visit, each)) for each in _standing(visit, asset, verdict)],
    )


def _asset(visit: Visit, name: str) -> Asset:
    """A bin with rounds that a dispatcher sees; any other is as if it were not there."""
    asset = site(visit, name)
    if asset.collection is None or not asset.collection.rounds:
        raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
    return asset


def _places(visit: Visit, asset: Asset) -> dict[str, str]:
    """For what it may be ordered, by id: the bin, and each village that it serves."""
    areas = {area: visit.present.inventory.areas[area].name for area in asset.areas if visit.scope.sees_area(area)}
    return {asset.id: asset.short, **areas}


def _standing(visit: Visit, asset: Asset, verdict: object) -> list[ExtraRound]:
    """Those of a bin that are not over: its own, and those of all areas above it."""
    places = (asset.id, *visit.present.inventory.around(asset.areas))
    found = verdict.extras if isinstance(verdict, ExtraList) else ()
    return [each for each in found if each.place in places and each.end_ms > visit.now_ms]


def _may_end(visit: Visit, extra: ExtraRound) -> bool:
    return (
        visit.scope.sees(extra.place)
        if extra.place in visit.present.inventory.assets
        else visit.scope.sees_area(extra.place)
    )


def _said(visit: Visit, asset: Asset, outcome: Outcome) -> Response:
    return say(visit, "/assets", ("events", "extra_ordered"), outcome, f"/assets/{asset.id}")
