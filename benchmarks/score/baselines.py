"""Two ways to judge a bin without any thought, in the platform's own words, to be scored beside it.

``threshold``: one reading over or under a line is the whole truth. ``drop``: the level fell by 30 points from one
reading to the next, so somebody emptied it. Neither remembers more than one reading.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.score.heard import Ear, HeardSample
from benchmarks.score.said import Said
from telemetry.inventory import Inventory
from telemetry.inventory.assets import BinGeometry
from telemetry.reading import Millis

LINES: Final[Mapping[str, float]] = {"over_two_thirds": 66.7, "overflow": 95.0}
HEAT_C: Final[Mapping[str, float]] = {"hot_ash": 50.0, "fire": 70.0}
EMPTY_PCT: Final = 15.0
DROP_PCT: Final = 30.0
FARTHEST: Final = 1.15


def fill_pct(sample: HeardSample, geometry: BinGeometry) -> float | None:
    """What its distance means by the inventory's own figures, or nothing where no echo came."""
    distance = sample.values.distance_mm
    if distance is None or not 0 < distance <= FARTHEST * geometry.empty_mm:
        return None
    return min(100.0, max(0.0, 100 * (geometry.empty_mm - distance) / (geometry.empty_mm - geometry.full_mm)))


def speak(ears: Mapping[str, Ear], inventory: Inventory) -> dict[str, list[Said]]:
    """What each baseline says, in time order."""
    said: dict[str, list[Said]] = {"threshold": [], "drop": []}
    for asset, ear in ears.items():
        geometry = inventory.assets[asset].bin
        if geometry is not None:
            said["threshold"] += _threshold(asset, ear.samples, geometry)
            said["drop"] += _drop(asset, ear.samples, geometry)
    return {name: sorted(lines, key=lambda line: line.at) for name, lines in said.items()}


def _threshold(asset: str, samples: Iterable[HeardSample], geometry: BinGeometry) -> Iterator[Said]:
    open_rules: dict[str, str] = {}
    was_empty = True
    for sample in samples:
        level, heat = fill_pct(sample, geometry), sample.values.temperature_c
        for values, value in ((LINES, level), (HEAT_C, heat)):
            if value is not None:
                yield from _cross(asset, sample.received_ms, values, value, open_rules)
        if level is not None:
            is_empty = level <= EMPTY_PCT
            if is_empty and not was_empty:
                yield _event(asset, sample.received_ms, "emptied")
            was_empty = is_empty


def _cross(
    asset: str, at_ms: Millis, lines: Mapping[str, float], value: float, open_rules: dict[str, str]
) -> Iterator[Said]:
    for rule, line in lines.items():
        if value > line and rule not in open_rules:
            open_rules[rule] = f"{rule}/{asset}/{at_ms}"
            yield _event(asset, at_ms, "raised", rule, open_rules[rule])
        elif value <= line and rule in open_rules:
            yield _event(asset, at_ms, "cleared", rule, open_rules.pop(rule), {"reason": "recovered"})


def _drop(asset: str, samples: Iterable[HeardSample], geometry: BinGeometry) -> Iterator[Said]:
    before: float | None = None
    for sample in samples:
        level = fill_pct(sample, geometry)
        if level is None:
            continue
        if before is not None and before - level >= DROP_PCT:
            yield _event(asset, sample.received_ms, "emptied")
        before = level


def _event(
    asset: str, at_ms: Millis, event: str, rule: str = "", episode: str = "", detail: dict[str, Any] | None = None
) -> Said:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Said(at=at, event=event, rule=rule, asset=asset, episode=episode, detail=detail)
