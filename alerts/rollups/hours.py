"""What an hour comes to: of a bin its levels and emptyings, of a device what it said, of a town its sites over.

A level holds until the next one, or until the device that gave it would be called silent, whichever comes first. Of
plants, whose hour the engine itself says, it is ``plants``.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from statistics import fmean

from msgspec import Struct

from alerts.calendars import MINUTE_MS
from alerts.conditions.bins import BinMemory, look
from alerts.rollups.rows import BinRow, DeviceRow, Period, TownRow
from alerts.rules.over_two_thirds import POINTS_A_SITE
from telemetry.inventory import BinGeometry, Device, Inventory
from telemetry.reading import Millis, Reading
from telemetry.terms import Level


class BinCarry(Struct, frozen=True, gc=False, array_like=True):
    """What an hour leaves to the next: the bin's memory, who gave its level, and until when that holds."""

    memory: BinMemory = BinMemory()
    feeder: str = ""
    until_ms: Millis = 0


class BinScale(Struct, frozen=True, gc=False):
    """What a bin's levels are held against: its shape, its line, and how long each of its devices may be silent."""

    geometry: BinGeometry
    line_pct: float
    stale_after_ms: dict[str, Millis]


def fold_bin(scale: BinScale, carry: BinCarry, readings: Sequence[Reading], window: Period) -> tuple[BinRow, BinCarry]:
    """The row of a bin's window and what it leaves, from the readings observed in it, in order."""
    level = _Level(scale, carry, window.start_ms)
    fills: list[float] = []
    emptyings = 0
    for reading in readings:
        level.hold(reading.observed_ms)
        sight, level.memory = look(scale.geometry, level.memory, reading)
        level.hear(reading, judged=sight.fill_pct is not None)
        if sight.fill_pct is not None:
            fills.append(sight.fill_pct)
        emptyings += sight.emptying is not None and sight.emptying.wholly
    level.hold(window.end_ms)
    row = BinRow(
        min(fills, default=None),
        max(fills, default=None),
        mean(fills),
        fills[-1] if fills else None,
        len(fills),
        level.known_ms / MINUTE_MS,
        level.over_ms / MINUTE_MS,
        emptyings,
        _exposure(scale.geometry, level.known_ms, level.over_ms),
    )
    return row, BinCarry(level.memory, level.feeder, level.until_ms)


def _exposure(geometry: BinGeometry, known_ms: Millis, over_ms: Millis) -> float | None:
    """Time in which nothing was known is left out, so that a dead sensor does not make a village look good."""
    if not known_ms:
        return None
    return POINTS_A_SITE * over_ms / known_ms if geometry.counts_for_score else 0.0


class _Level:
    """The level as it stands while the readings go by, and for how long it has stood."""

    __slots__ = ("_at_ms", "_line_pct", "_stale_after_ms", "feeder", "known_ms", "memory", "over_ms", "until_ms")

    def __init__(self, scale: BinScale, carry: BinCarry, at_ms: Millis) -> None:
        self._line_pct = scale.line_pct
        self._stale_after_ms = scale.stale_after_ms
        self._at_ms = at_ms
        self.memory, self.feeder, self.until_ms = carry.memory, carry.feeder, carry.until_ms
        self.known_ms = self.over_ms = 0

    def hold(self, to_ms: Millis) -> None:
        """Lets time pass: the level stands, as long as it holds."""
        span_ms = max(0, min(to_ms, self.until_ms) - self._at_ms)
        self.known_ms += span_ms
        if self.memory.fill_pct > self._line_pct:
            self.over_ms += span_ms
        self._at_ms = to_ms

    def hear(self, reading: Reading, *, judged: bool) -> None:
        """A new level begins to hold; a sample without one is a sign of life and prolongs what still holds."""
        at_ms = reading.observed_ms
        if judged:
            self.feeder = reading.device
        elif reading.device != self.feeder or self.until_ms < at_ms:
            return
        self.until_ms = at_ms + self._stale_after_ms[reading.device]


def fold_device(device: Device, known_ms: Millis, readings: Sequence[Reading], window: Period) -> DeviceRow | None:
    """The row of a window, from the device's own readings in it; ``None`` before it was known, unless it spoke."""
    followed_ms = window.end_ms - max(window.start_ms, known_ms)
    if followed_ms <= 0 and not readings:
        return None
    values = [reading.values for reading in readings]
    return DeviceRow(
        len(readings),
        max(0, followed_ms) / (device.interval_s * 1_000),
        min((each.battery_pct for each in values if each.battery_pct is not None), default=None),
        mean([each.rssi_dbm for each in values if each.rssi_dbm is not None]),
        mean([each.snr_db for each in values if each.snr_db is not None]),
        mean([(reading.received_ms - reading.observed_ms) / 1_000 for reading in readings]),
    )


def mean(values: Sequence[float]) -> float | None:
    """Their mean, if there are any."""
    return fmean(values) if values else None


def scored_sites(inventory: Inventory) -> Mapping[str, frozenset[str]]:
    """The bins that count for the score, by town; each is counted once, in the first of its areas."""
    found: dict[str, set[str]] = {}
    for asset in inventory.assets.values():
        if asset.bin is None or not asset.bin.counts_for_score:
            continue
        for area in inventory.lineage(asset.area):
            if area.level is Level.TOWN:
                found.setdefault(area.id, set()).add(asset.id)
    return {town: frozenset(assets) for town, assets in found.items()}


def fold_town(rows: Iterable[BinRow]) -> TownRow:
    """The row of a town's hour, from its sites' in it; a site counts for the time in which it is known."""
    known = [row for row in rows if row.known_min]
    over = fsum(row.over_min / row.known_min for row in known)
    return TownRow(float(len(known)), over, POINTS_A_SITE * over)
