"""改指标 from a site's page: the few parameters that people change, what each is now, who says so, and another value.

What is wrong is said beside the form, which keeps what was typed. All others are the command line's; what a
parameter may be is its rule's, and who may set it the gateway's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isfinite
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Response

from alerts.conditions.thresholds import ThresholdInForce, ThresholdScope
from gateway.commands.thresholds import SetFigure
from gateway.desk.auth import Form, Gate, site
from gateway.desk.drafts import Draft, choose, pick, say, signed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from telemetry.inventory import Asset


class Range(NamedTuple):
    """What may be typed for a parameter, and the parameter that must stay on its other side."""

    least: float
    most: float
    unit: str
    below: str = ""
    above: str = ""


OFFERED: Final[Mapping[str, Range]] = {
    "over_two_thirds.raise_pct": Range(20, 95, "%", above="over_two_thirds.clear_pct"),
    "over_two_thirds.clear_pct": Range(5, 94, "%", below="over_two_thirds.raise_pct"),
    "overflow.raise_pct": Range(70, 100, "%", above="overflow.clear_pct"),
    "overflow.clear_pct": Range(20, 99, "%", below="overflow.raise_pct"),
    "stopped.day_h": Range(0.5, 48, "小时"),
    "stopped.night_h": Range(0.5, 48, "小时"),
}
"""By rule and parameter, in the order of the page; a wider wish belongs to who knows the rules file."""
_FIELDS: Final = ("figure", "place", "value", "reason", "undo")


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One parameter of a site: what it is now, and at which place that is said."""

    name: str
    range: Range
    standing: ThresholdInForce
    place: str

    @property
    def shown(self) -> str:
        """66.7 or 70, without a tail of zeros."""
        return f"{self.standing.value:g}"


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The sheet of one site, and a parameter set."""
    router = APIRouter()

    @router.get("/assets/{name}/figures")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], name: str) -> Response:
        return _sheet(visit, site(visit, name), Draft())

    @router.post("/assets/{name}/figures")
    def set_figure(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = site(visit, name)
        who, draft = signed(visit), Draft.of(form, _FIELDS)
        at, row = draft.typed["place"], _row(visit, asset, draft.typed["figure"])
        choose(at, _places(visit, asset))
        value = _value(visit, asset, row, draft)
        reason = draft.reason()
        rule, _, parameter = row.name.partition(".")
        place = ThresholdScope.ASSET if at == asset.id else ThresholdScope.AREA
        wish = SetFigure(place=place, name=at, rule=rule, figure=parameter, value=value, reason=reason, **who)
        outcome = draft.obey(desk, visit, wish, "figure", f"{row.name} {at}", {"unchanged": "figure_same"})
        if outcome is None:
            return _sheet(visit, asset, draft)
        return say(visit, "/assets", ("events", "figure_set"), outcome, f"/assets/{asset.id}")

    return router


PAGE: Final = Page(path="/assets/{name}/figures", role=UserRole.DISPATCHER, routes=routes)


def _sheet(visit: Visit, asset: Asset, draft: Draft) -> Response:
    rows, places = list(_rows(visit, asset)), _places(visit, asset)
    usual = dict.fromkeys(_FIELDS, "")
    return draft.lay_out(visit, "figures.html", "/assets", usual, asset=asset, rows=rows, places=places)


def _places(visit: Visit, asset: Asset) -> dict[str, str]:
    """For what a parameter may be set, by id: the site, and its village where all of that is in sight."""
    area = visit.present.inventory.areas[asset.area]
    return {asset.id: asset.short} | ({area.id: area.name} if visit.scope.sees_area(area.id) else {})


def _rows(visit: Visit, asset: Asset) -> Iterator[ThresholdRow]:
    inventory = visit.present.inventory
    for name, bounds in OFFERED.items():
        standing = visit.present.arrangements.thresholds.standing(asset, *name.split("."))
        if standing is not None:
            area = inventory.areas.get(standing.place)
            place = asset.short if standing.place == asset.id else inventory.county.name if area is None else area.name
            yield ThresholdRow(name, bounds, standing, place)


def _row(visit: Visit, asset: Asset, name: str) -> ThresholdRow:
    return pick((row for row in _rows(visit, asset) if row.name == name), "bad_form", HTTPStatus.BAD_REQUEST)


def _value(visit: Visit, asset: Asset, row: ThresholdRow, draft: Draft) -> float | None:
    """The number that was typed, 0 where the draft has a fault; ``None``, the file's again, for what was set there."""
    if draft.typed["undo"]:
        if row.standing.tuned is None or row.standing.place != draft.typed["place"]:
            draft.fault("not_changed")
        return None
    try:
        value = float(draft.typed["value"])
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        draft.fault("no_value")
        return 0.0
    if not row.range.least <= value <= row.range.most:
        draft.fault("out_of_range")
    others = {other.name: other.standing.value for other in _rows(visit, asset)}
    if value <= others.get(row.range.above, value - 1) or value >= others.get(row.range.below, value + 1):
        draft.fault("wrong_order")
    return value
