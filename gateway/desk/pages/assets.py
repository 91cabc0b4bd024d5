"""资产: the list, and one page for each with its trend, its people, its devices, and why what was sent was sent."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.calendars import DAY_MS, HOUR_MS
from alerts.conditions.plants import Unseen, list_unseen
from alerts.people import EMPTIER, holders
from alerts.rollups.rows import BinRow, PlantRow
from alerts.rules.over_two_thirds import POINTS_A_SITE
from gateway.desk import account, drawing
from gateway.desk.auth import DeskRefusal, Gate
from gateway.desk.drawing import PlotArea, Point, area, path
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from gateway.desk.words import moment
from gateway.journal.case_reader import CaseReader
from telemetry.inventory import Asset
from telemetry.reading import QUANTITIES, Millis
from telemetry.series import Measurement

LISTED: Final = 300
HEARD: Final = 100
"""So many of its last readings show which signals a plant has."""
FORMER_MS: Final = 92 * DAY_MS
"""How far back the texts about something retired are shown."""
CHART: Final = (1000.0, 260.0)
_ROLES: Final = (EMPTIER, "cleaner", "crew", "dispatcher", "village_head", "town_leader")


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The list of assets and their pages."""
    router = APIRouter()

    @router.get("/assets")
    def listed(
        visit: Annotated[Visit, Depends(gate.visit)],
        q: Annotated[str, Query(max_length=40)] = "",
        area: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        found = [
            asset
            for asset in visit.scope.assets
            if (not area or area in asset.areas) and (not q or q in asset.name or q in asset.short or q == asset.id)
        ]
        with visit.present.feed.present() as projection:
            seen = [(asset, drawing.look(projection, asset), projection.assets[asset.id]) for asset in found]
        seen.sort(key=lambda row: (drawing.rank(row[1]), -(row[2].level_pct or 0.0)))
        return lay_out(
            visit,
            "assets.html",
            "/assets",
            rows=seen[:LISTED],
            count=len(seen),
            q=q,
            chosen=area,
            villages=visit.scope.villages,
            former=[] if q or area else visit.scope.former,
        )

    @router.get("/assets/{name}")
    def one(
        visit: Annotated[Visit, Depends(gate.visit)],
        name: str,
        at: Annotated[str, Query(max_length=40)] = "",
        days: Annotated[int, Query(ge=1, le=14)] = 14,
    ) -> Response:
        inventory = visit.present.inventory
        if not visit.scope.sees(name) or inventory.known_asset(name) is None:
            raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
        if name in inventory.former:
            return _former(desk, visit, inventory.former[name], at)
        asset = inventory.assets[name]
        at_ms = _instant(visit, at)
        with desk.journal() as journal:
            story = account.account(journal, visit.present.inventory, asset, at_ms)
            chart = _chart(journal, visit, asset, days)
            anomalies = journal.anomalies([device.id for device in _devices(visit, asset)])
            unseen = _unseen(journal, visit, asset)
        with visit.present.feed.present() as projection:
            seen, look = projection.assets[name], drawing.look(projection, asset)
            standing = sorted(projection.of_asset.get(name, {}).values(), key=lambda alert: alert.raised_ms)
            heard = [(each, projection.devices[each.id]) for each in _devices(visit, asset)]
        return lay_out(
            visit,
            "asset.html",
            "/assets",
            asset=asset,
            seen=seen,
            look=look,
            line_pct=visit.present.arrangements.lines_pct.get(name, 66.7),
            standing=standing,
            devices=heard,
            anomalies=anomalies,
            unseen=unseen,
            posts=_posts(visit, asset),
            story=story,
            sample=account.sample,
            chart=chart,
            days=days,
            points=POINTS_A_SITE,
            local_at=f"{visit.present.arrangements.calendar.local(at_ms):%Y-%m-%dT%H:%M}",
            phones=visit.user.role.reaches(UserRole.CREW),
        )

    return router


PAGE: Final = Page(path="/assets", role=UserRole.VIEWER, menu=MenuPlace("资产", 50), routes=routes)


def _former(desk: Desk, visit: Visit, asset: Asset, at: str) -> Response:
    """The page of what is retired (已停用): what stood on it, what was sent, and why, for as long as that is kept."""
    inventory, at_ms = visit.present.inventory, _instant(visit, at)
    with desk.journal() as journal:
        story = account.account(journal, inventory, asset, at_ms)
        spells = journal.spells_on(asset.id, 0, visit.now_ms)
        messages = journal.messages_on(asset.id, visit.now_ms - FORMER_MS, visit.now_ms)
    places = [inventory.areas[area].name for area in asset.areas if area in inventory.areas]
    return lay_out(
        visit,
        "former.html",
        "/assets",
        asset=asset,
        places=places,
        now_called=next((other for other in inventory.assets.values() if other.renamed_from == asset.id), None),
        spells=list(spells)[-LISTED:],
        messages=list(messages)[-LISTED:],
        story=story,
        local_at=f"{visit.present.arrangements.calendar.local(at_ms):%Y-%m-%dT%H:%M}",
    )


def _instant(visit: Visit, at: str) -> Millis:
    """What a person has picked, by the county's clock; now for anything else."""
    at_ms = moment(visit.present.arrangements.calendar, at)
    return visit.now_ms if at_ms is None else min(visit.now_ms, max(0, at_ms))


def _devices(visit: Visit, asset: Asset) -> Sequence[Any]:
    return visit.present.inventory.devices_of.get(asset.id, ())


def _unseen(journal: CaseReader, visit: Visit, asset: Asset) -> list[Unseen]:
    """What a plant cannot show by what it has lately spoken of; nothing is said of one that was not heard yet."""
    devices = [device.id for device in _devices(visit, asset)]
    if asset.plant is None or not devices:
        return []
    readings = journal.last_readings(devices, visit.now_ms + 1, HEARD)
    said = {name for reading in readings for name in QUANTITIES if getattr(reading.values, name) is not None}
    return list_unseen(asset.plant, said) if said else []


def _posts(visit: Visit, asset: Asset) -> list[tuple[str, list[Any]]]:
    """Who answers for it, by role; for a bin its emptier stands first and a crew is not asked."""
    inventory = visit.present.inventory
    roles = _ROLES if asset.bin is not None else _ROLES[2:]
    found = [(role, list(holders(inventory, role, asset.areas, asset))) for role in roles]
    return [(role, people) for role, people in found if people or role in (EMPTIER, "crew")]


def _chart(journal: CaseReader, visit: Visit, asset: Asset, days: int) -> dict[str, Any]:
    """A fortnight by the hour, or a day by its own samples; with what was emptied and what stood meanwhile."""
    to_ms = visit.now_ms
    from_ms = to_ms - days * DAY_MS
    points = _samples(journal, visit, asset, from_ms) if days == 1 else _hours(journal, asset, from_ms, to_ms)
    is_bin = asset.bin is not None
    highest = 100.0 if is_bin else max((value for _, value in points if value is not None), default=1.0) * 1.15
    frame = PlotArea(*CHART, from_ms, to_ms, 0.0, highest or 1.0)
    events = journal.events_on(asset.id, from_ms, to_ms)
    spells = journal.spells_on(asset.id, from_ms, to_ms)
    return {
        "path": path(frame, points),
        "area": area(frame, points),
        "line_y": frame.y(visit.present.arrangements.lines_pct.get(asset.id, 66.7)) if is_bin else None,
        "emptied": [(frame.x(event.at_ms), event.at_ms) for event in events if event.event == "emptied"],
        "spells": [
            (spell, max(0.0, frame.x(spell.raised_ms)), frame.x(min(to_ms, spell.cleared_ms or to_ms)))
            for spell in spells
            if spell.severity != "P4"
        ],
        "ticks": list(_ticks(visit, frame, days)),
        "highest": highest,
        "known": sum(value is not None for _, value in points),
        "width": CHART[0],
        "height": CHART[1],
    }


def _ticks(visit: Visit, frame: PlotArea, days: int) -> Iterable[tuple[float, str]]:
    """Midnights of a fortnight, every sixth hour of a day."""
    calendar = visit.present.arrangements.calendar
    step = 6 * HOUR_MS if days == 1 else DAY_MS * max(1, days // 7)
    at_ms = calendar.midnight(frame.to_ms) + (DAY_MS if days == 1 else 0)
    while at_ms > frame.from_ms:
        if at_ms <= frame.to_ms:
            local = calendar.local(at_ms)
            yield frame.x(at_ms), f"{local:%H:%M}" if days == 1 else f"{local.month}/{local.day}"
        at_ms -= step


def _samples(journal: CaseReader, visit: Visit, asset: Asset, from_ms: Millis) -> list[Point]:
    devices = [device.id for device in _devices(visit, asset)]
    readings = journal.last_readings(devices, visit.now_ms + 1, 400)
    kept = sorted((reading for reading in readings if reading.observed_ms >= from_ms), key=lambda one: one.observed_ms)
    points: list[Point] = []
    for reading in kept:
        value = reading.judged_pct if asset.bin is not None else reading.values.flow_m3h
        if value is not None:
            if points and reading.observed_ms - points[-1][0] > 3 * HOUR_MS:
                points.append((points[-1][0] + 1, None))
            points.append((reading.observed_ms, value))
    return points


def _hours(journal: CaseReader, asset: Asset, from_ms: Millis, to_ms: Millis) -> list[Point]:
    """An hour that nobody heard is a gap, never a zero (law L5)."""
    kind = Measurement.BIN_HOUR if asset.bin is not None else Measurement.PLANT_HOUR
    points: list[Point] = []
    for each in journal.rollups(kind, (asset.id,), from_ms, to_ms):
        if points and each.start_ms - points[-1][0] > HOUR_MS:
            points.append((points[-1][0] + 1, None))
        value = each.row.fill_last_pct if isinstance(each.row, BinRow) else None
        if isinstance(each.row, PlantRow):
            value = each.row.volume_m3
        points.append((each.start_ms + HOUR_MS, value))
    return points
