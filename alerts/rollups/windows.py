"""Hours and days: which one an instant belongs to, and what order readings have inside one.

An hour begins at the full hour UTC. A day is a local date: the hours that begin in it, however many those are.
"""

from collections.abc import Iterable
from datetime import time, timedelta
from operator import attrgetter
from typing import Final

from msgspec import Struct

from alerts.calendars import HOUR_MS, Calendar
from telemetry.reading import Millis, Reading

_ORDER: Final = attrgetter("observed_ms", "boot", "seq", "device", "received_ms")


class Period(Struct, frozen=True, gc=False):
    """From … to …, the end not included."""

    start_ms: Millis
    end_ms: Millis


class Day(Struct, frozen=True, gc=False):
    """A local date: it stands at its midnight, and is made of whole hours."""

    start_ms: Millis
    hours: Period


def hour_at(at_ms: Millis) -> Period:
    """The hour in which an instant lies."""
    start_ms = at_ms - at_ms % HOUR_MS
    return Period(start_ms, start_ms + HOUR_MS)


def day_at(calendar: Calendar, at_ms: Millis) -> Day:
    """The day of an instant; that of a reading is the day in which its hour begins."""
    date = calendar.local(at_ms).date()
    midnight, next_midnight = (calendar.instant(day, time()) for day in (date, date + timedelta(days=1)))
    return Day(midnight, Period(_full_hour(midnight), _full_hour(next_midnight)))


def starts(window: Period) -> range:
    """Where the hours of a window begin."""
    return range(window.start_ms, window.end_ms, HOUR_MS)


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Each reading once, by the time it counts for: neither the order of arrival nor a repetition is left."""
    seen: set[tuple[str, int, int, Millis]] = set()
    ordered: list[Reading] = []
    for reading in sorted(readings, key=_ORDER):
        name = (reading.device, reading.boot, reading.seq, reading.observed_ms)  # one frame may tell of several times
        if name not in seen:
            seen.add(name)
            ordered.append(reading)
    return ordered


def _full_hour(at_ms: Millis) -> Millis:
    """The instant itself if it is a full hour, else the next one."""
    return -(-at_ms // HOUR_MS) * HOUR_MS
