"""What an hour of a bin comes to: its levels, how long one was known and over the line, and its emptyings.

A level holds until the next one, or until the device that gave it would be called silent, whichever comes first.
"""

from collections.abc import Sequence
from statistics import fmean

from msgspec import Struct

from alerts.calendars import MINUTE_MS
from alerts.conditions.bins import BinMemory, look
from alerts.notify.exposure import POINTS_A_SITE
from alerts.rollups.rows import BinRow
from alerts.rollups.windows import Period
from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Reading


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


def fold(scale: BinScale, carry: BinCarry, readings: Sequence[Reading], window: Period) -> tuple[BinRow, BinCarry]:
    """The row of a window and what it leaves, from the readings observed in it, in order."""
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
        fmean(fills) if fills else None,
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
