"""Local time: rounds, market days, windows of the day and clocks that stand still at night.

The only place where an instant becomes a wall-clock time. Pure: an instant is an argument.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from typing import Final
from zoneinfo import ZoneInfo

from borax.calendars.lunardate import LunarDate

from telemetry.inventory import Asset, Collection, CountySettings
from telemetry.reading import Millis
from telemetry.terms import Hours

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
LOOK_AHEAD_DAYS: Final = 40
"""Longer than any lunar month: within it every collection calendar has a day."""


@dataclass(frozen=True, slots=True)
class RoundSlot:
    """One round on one day, by the clock: when it starts and ends."""

    start_ms: Millis
    end_ms: Millis
    extra: bool = False
    """Ordered beside the calendar (加收): no habit of the bin."""


def _no_extras(_asset: Asset) -> Iterable[RoundSlot]:
    return ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """A county's local time and its named rounds."""

    zone: ZoneInfo
    rounds: dict[str, Hours]
    extras: Callable[[Asset], Iterable[RoundSlot]] = _no_extras
    """The slots of a bin that were ordered beside its own, in order."""

    @classmethod
    def of(cls, county: CountySettings, extras: Callable[[Asset], Iterable[RoundSlot]] = _no_extras) -> "Calendar":
        """The calendar of a county."""
        return cls(ZoneInfo(county.timezone), dict(county.rounds), extras)

    def local(self, at_ms: Millis) -> datetime:
        """The instant as people there read it on the clock."""
        return datetime.fromtimestamp(at_ms / 1000, tz=self.zone)

    def instant(self, day: date, at: time) -> Millis:
        """The instant at which that day's clock shows that time."""
        return round(datetime.combine(day, at, tzinfo=self.zone).timestamp() * 1000)

    def next_time(self, at_ms: Millis, wanted: time) -> Millis:
        """The first instant at or after ``at_ms`` when the clock shows ``wanted``."""
        day = self.local(at_ms).date()
        due = self.instant(day, wanted)
        return due if due >= at_ms else self.instant(day + timedelta(days=1), wanted)

    def midnight(self, at_ms: Millis) -> Millis:
        """When the local day of the instant began."""
        return self.instant(self.local(at_ms).date(), time())

    def is_within(self, at_ms: Millis, hours: Hours) -> bool:
        """Whether the instant lies in a span of the local day."""
        return self.local(at_ms).time() in hours

    def opening(self, at_ms: Millis, hours: Hours, opens: time | None = None) -> Millis:
        """The instant itself if it lies in the span, else the next ``opens`` (by default the span's start)."""
        return at_ms if self.is_within(at_ms, hours) else self.next_time(at_ms, opens or hours.start)

    def counted(self, start_ms: Millis, span_ms: Millis, hours: Hours | None) -> Millis:
        """The instant at which ``span_ms`` have passed on a clock that runs only within ``hours`` of the day."""
        if hours is None:
            return start_ms + span_ms
        at, left = self.opening(start_ms, hours), span_ms
        while True:
            closes = self.next_time(at + 1, hours.end)
            if left <= closes - at:
                return at + left
            left -= closes - at
            at = self.next_time(closes, hours.start)

    def slots(self, asset: Asset, from_ms: Millis) -> Iterator[RoundSlot]:
        """A bin's slots that end after ``from_ms``, in order, as far as the calendar is looked ahead."""
        collection = asset.collection
        if collection is None:
            return iter(())
        extra = (slot for slot in self.extras(asset) if slot.end_ms > from_ms)
        return merge(self._own(collection, from_ms), extra, key=lambda slot: slot.start_ms)

    def _own(self, collection: Collection, from_ms: Millis) -> Iterator[RoundSlot]:
        spans = sorted((self.rounds[name] for name in collection.rounds), key=lambda hours: hours.start)
        first = self.local(from_ms).date()
        for day in (first + timedelta(days=offset) for offset in range(LOOK_AHEAD_DAYS)):
            if not _collects(collection, day):
                continue
            for span in spans:
                slot = RoundSlot(self.instant(day, span.start), self.instant(day, span.end))
                if slot.end_ms > from_ms:
                    yield slot

    def last_slot(self, asset: Asset, from_ms: Millis, at_ms: Millis) -> RoundSlot | None:
        """The last of a bin's slots that ended after ``from_ms`` and by ``at_ms``."""
        ended = None
        for slot in self.slots(asset, from_ms):
            if slot.end_ms > at_ms:
                break
            ended = slot
        return ended


def stamp(at_ms: Millis) -> str:
    """The instant in UTC to the second, compact: ``20261122T004001Z``."""
    return datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y%m%dT%H%M%SZ")


def iso(at_ms: Millis) -> str:
    """The instant in UTC as ISO 8601, milliseconds only where there are some."""
    text = datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at_ms % 1000:03d}Z" if at_ms % 1000 else f"{text}Z"


def _collects(collection: Collection, day: date) -> bool:
    if collection.weekdays is not None:
        return day.weekday() in collection.weekdays
    if collection.lunar_ends is not None:
        return LunarDate.from_solar(day).day % 10 in collection.lunar_ends
    return True
