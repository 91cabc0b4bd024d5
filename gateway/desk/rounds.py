"""How far the running round has come: which sites it has served, which villages it has not touched. Pure.

A site is served when it was emptied in the slot, or stands so low that there is nothing to fetch (免清).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Final

from alerts.calendars import DAY_MS, Calendar, RoundSlot
from alerts.conditions.bins import EMPTY_PCT
from gateway.desk.projection import Projection
from telemetry.inventory import Asset, Collection
from telemetry.reading import Millis

AFTER_MS: Final = 30 * 60_000
"""So long after its end a round is still shown as the one to look at."""


class RoundPhase(StrEnum):
    """Where the round is in its day."""

    RUNNING = "running"
    ENDED = "ended"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class Round:
    """One round and what it has done. ``last`` is the asset emptied last in it, ``untouched`` are villages by id."""

    slot: RoundSlot
    phase: RoundPhase
    sites: int
    emptied: int
    spared: int
    left: tuple[str, ...]
    untouched: tuple[str, ...]
    last: str = ""
    last_ms: Millis = 0

    @property
    def served(self) -> int:
        """Emptied, or nothing to fetch."""
        return self.emptied + self.spared


class Rounds:
    """The rounds of one day after another; what a calendar says of a day is worked out once."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._known: dict[tuple[Collection, Millis, tuple[RoundSlot, ...]], tuple[RoundSlot, ...]] = {}

    def of(self, assets: Iterable[Asset], projection: Projection, now_ms: Millis) -> Round | None:
        """The round that runs, else one that has just ended, else the next; ``None`` where nothing is ever emptied."""
        by_slot: dict[RoundSlot, list[Asset]] = {}
        for asset in assets:
            for slot in self._slots(asset, now_ms):
                by_slot.setdefault(slot, []).append(asset)
        chosen = _chosen(by_slot, now_ms)
        return None if chosen is None else _progress(chosen, by_slot[chosen], projection, now_ms)

    def _slots(self, asset: Asset, now_ms: Millis) -> tuple[RoundSlot, ...]:
        if asset.collection is None:
            return ()
        midnight_ms = self._calendar.midnight(now_ms)
        key = (asset.collection, midnight_ms, tuple(self._calendar.extras(asset)))
        if key not in self._known:
            if len(self._known) > 1_000:  # noqa: PLR2004 -- days that are over
                self._known.clear()
            slots, end_ms = self._calendar.slots(asset, midnight_ms), midnight_ms + 2 * DAY_MS
            self._known[key] = tuple(takewhile(lambda slot: slot.start_ms < end_ms, slots))
        return self._known[key]


def _chosen(by_slot: Mapping[RoundSlot, list[Asset]], now_ms: Millis) -> RoundSlot | None:
    """Of several that run at once the one with the most sites."""
    running = [slot for slot in by_slot if slot.start_ms <= now_ms < slot.end_ms + AFTER_MS]
    if running:
        return max(running, key=lambda slot: (now_ms < slot.end_ms, len(by_slot[slot])))
    return min((slot for slot in by_slot if slot.start_ms > now_ms), key=lambda slot: slot.start_ms, default=None)


def _progress(slot: RoundSlot, assets: list[Asset], projection: Projection, now_ms: Millis) -> Round:
    phase = (
        RoundPhase.COMING
        if now_ms < slot.start_ms
        else RoundPhase.RUNNING
        if now_ms < slot.end_ms
        else RoundPhase.ENDED
    )
    emptied: list[Asset] = []
    spared: list[Asset] = []
    left: list[Asset] = []
    for asset in assets:
        seen = projection.assets[asset.id]
        low = seen.level_pct is not None and seen.level_pct < EMPTY_PCT and not projection.silent(asset.id)
        if phase is not RoundPhase.COMING and seen.emptied_ms >= slot.start_ms:
            emptied.append(asset)
        elif low:
            spared.append(asset)
        else:
            left.append(asset)
    touched = {asset.area for asset in emptied}
    last = max(emptied, key=lambda asset: projection.assets[asset.id].emptied_ms, default=None)
    return Round(
        slot,
        phase,
        len(assets),
        len(emptied),
        len(spared),
        tuple(asset.id for asset in left),
        tuple(dict.fromkeys(asset.area for asset in left if asset.area not in touched)),
        "" if last is None else last.id,
        0 if last is None else projection.assets[last.id].emptied_ms,
    )
