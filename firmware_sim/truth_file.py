"""The truth of a run as the lines of a file, for a scorer alone: what stood there, what came, what was and what lied.

Made of the diaries after the last uplink, so that it cannot disagree with what the devices saw. Nothing here decides
what happens, and no line of it ever reaches the gateway.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from firmware_sim.diary import BinDiary, PlantDiary
from firmware_sim.fleet import AnySite, BinSite, PlantSite, fleet
from firmware_sim.scenario import DAY_MS, HOUR_MS, Happening, Scenario
from firmware_sim.story import FOREVER, Truth, truth
from telemetry.reading import Millis

STEP_MS: Final = 600_000
TWO_THIRDS_PCT: Final = 100 * 2 / 3
OVERFLOW_PCT: Final = 95.0
"""The two lines of alerting.md; what lies over the second one is about to lie beside the bin."""

HORIZON_MS: Final = 7 * DAY_MS
"""Nobody asks for a longer forecast."""

Diary: TypeAlias = BinDiary | PlantDiary
Row: TypeAlias = dict[str, Any]

FAULTS: Final[Mapping[Happening, str]] = {
    Happening.PLANT_STOP: "trip",
    Happening.POWER_CUT: "power_cut",
    Happening.FIRE: "fire",
    Happening.HOT_ASH: "hot_ash",
    Happening.TILTED: "tilted",
    Happening.DEAD_SENSOR: "dead_sensor",
    Happening.NEVER_INSTALLED: "never_installed",
    Happening.GATEWAY_OUTAGE: "gateway_outage",
    Happening.BATTERY_LOW: "battery_low",
    Happening.REBOOT: "reboot",
    Happening.CLOCK_WRONG: "clock_wrong",
}
"""What the file calls what can happen; visits and lies have lines of their own, and waste is in the levels."""


def truth_lines(name: str, scenario: Scenario, diaries: Mapping[str, Diary]) -> Iterator[Row]:
    """Every line of the truth, sorted by its first instant; ``diaries`` by device, each kept to the end of the run."""
    start, end = iso(scenario.start_ms), iso(scenario.end_ms)
    world = {"seed": scenario.seed, "world": "plain", "from": start, "to": end}
    yield {"truth": "world", "scenario": name, **world}
    sites = fleet(scenario).sites
    yield from map(_site, sites)
    timed = [*_happenings(truth(scenario), scenario)]
    for site in sites:
        diary = diaries[site.device]
        if isinstance(site, BinSite) and isinstance(diary, BinDiary):
            timed += _bin(scenario, site, diary)
        elif isinstance(diary, PlantDiary):
            timed += _runs(scenario, site, diary)
    yield from (row for _, row in sorted(timed, key=lambda each: each[0]))


def iso(at_ms: Millis) -> str:
    """An instant in UTC with milliseconds and a Z at its end."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _iso_or_none(at_ms: Millis | None) -> str | None:
    return None if at_ms is None or at_ms >= FOREVER else iso(at_ms)


def _site(site: AnySite) -> Row:
    row: Row = {"truth": "site", "asset": site.asset, "device": site.device}
    if isinstance(site, BinSite):
        floor = {"floor_mm": site.geometry.empty_mm, "interval_s": site.interval_s}
        return {**row, "kind": "bin", **floor, "per_day_pct": round(site.per_day_pct, 2)}
    signals = {"signals": _signals(site), "interval_s": site.interval_s}
    return {**row, "kind": "plant", **signals, "design_m3d": site.design_m3d}


def _signals(site: PlantSite) -> str:
    return "flow" if site.meter_only else "flow+level+current+mains"


def _happenings(told: Iterable[Truth], scenario: Scenario) -> Iterator[tuple[Millis, Row]]:
    for happened in told:
        fault = FAULTS.get(happened.kind)
        if fault is None or happened.start_ms >= scenario.end_ms:
            continue
        row: Row = {"truth": "fault", "asset": happened.asset, "device": happened.device, "fault": fault}
        yield happened.start_ms, {**row, "from": iso(happened.start_ms), "to": _iso_or_none(happened.end_ms)}
    for happened in told:
        if happened.kind is Happening.MISSED_ROUND:
            yield happened.start_ms, {"truth": "missed", "asset": happened.asset, "at": iso(happened.start_ms)}


def _bin(scenario: Scenario, site: BinSite, diary: BinDiary) -> Iterator[tuple[Millis, Row]]:
    for visit in diary.visits:
        levels = {"found_pct": round(visit.found_pct, 1), "left_pct": round(visit.left_pct, 1)}
        yield visit.at_ms, {"truth": "visit", "asset": site.asset, "at": iso(visit.at_ms), **levels}
    for lie in diary.lies:
        row: Row = {"truth": "lie", "asset": site.asset, "device": site.device, "lie": str(lie.kind)}
        ends = None if lie.end_ms >= scenario.end_ms else iso(lie.end_ms)
        yield lie.start_ms, {**row, "from": iso(lie.start_ms), "to": ends, "wrong_from": _iso_or_none(lie.wrong_ms)}
    for day in range(scenario.start_ms, scenario.end_ms, DAY_MS):
        until = min(day + DAY_MS, scenario.end_ms)
        begins: Row = {"asset": site.asset, "from": iso(day)}
        pct = [round(diary.level_at(at), 1) for at in range(day, until, STEP_MS)]
        yield day, {"truth": "levels", **begins, "step_s": STEP_MS // 1000, "fill_pct": pct}
        hours = range(day, until, HOUR_MS)
        lines = {
            "two_thirds_at": [_iso_or_none(reaches(diary, at, TWO_THIRDS_PCT)) for at in hours],
            "overflow_at": [_iso_or_none(reaches(diary, at, OVERFLOW_PCT)) for at in hours],
        }
        yield day, {"truth": "crossings", **begins, "step_s": HOUR_MS // 1000, **lines}


def reaches(diary: BinDiary, from_ms: Millis, line_pct: float) -> Millis | None:
    """When the bin would have stood at a line had nobody come from an instant on; that instant if it already does.

    ``None`` where a week is not enough. The same waste comes as came.
    """
    missing = line_pct - diary.level_at(from_ms)
    if missing <= 0:
        return from_ms
    wanted = diary.gained_at(from_ms) + missing
    first, _ = diary.look_up(from_ms)
    i = first_at_least(diary.gained, wanted, first + 1)
    if i is None:
        return None
    before, after = diary.gained[i - 1], diary.gained[i]
    begun, ended = diary.at_ms[i - 1], diary.at_ms[i]
    at_ms = begun + round((wanted - before) / (after - before) * (ended - begun))
    at_ms = max(at_ms, from_ms)
    return at_ms if at_ms - from_ms <= HORIZON_MS else None


def first_at_least(rising: Sequence[float], wanted: float, start: int) -> int | None:
    """The first index from ``start`` on at which a sequence that never falls has come to ``wanted``."""
    i = bisect_left(rising, wanted, start)
    return i if i < len(rising) else None


def _runs(scenario: Scenario, site: AnySite, diary: PlantDiary) -> Iterator[tuple[Millis, Row]]:
    for day in range(scenario.start_ms, scenario.end_ms, DAY_MS):
        looks = [diary.look(at) for at in range(day, min(day + DAY_MS, scenario.end_ms), STEP_MS)]
        row: Row = {"truth": "runs", "asset": site.asset, "from": iso(day), "step_s": STEP_MS // 1000}
        seen = {"state": [state.name for state, _, _ in looks], "level_mm": [round(level) for _, level, _ in looks]}
        yield day, {**row, **seen, "flow_m3h": [round(flow, 2) for _, _, flow in looks]}
