"""What a plant is used to: its last pauses by the quarter of the day, and its water by the day of the week; packed.

Only what was, never what it means: which pause is a stop and which day is low is the rules' to say. A pause is learned
when it ends, a day when it is over; a day of which part is missing is not known, and neither low nor usual.
"""

from array import array
from math import ceil
from statistics import median
from typing import Final, TypeAlias

from msgspec import Struct

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from telemetry.reading import Millis

Gaps: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""For each quarter of the local day its last pauses in minutes, two bytes each, the oldest first."""

NO_GAPS: Final[Gaps] = (b"", b"", b"", b"")
PAUSES_KEPT: Final = 64
"""So many pauses of a quarter are remembered: of a plant that starts ten times a day those of a month."""
LONGEST_PAUSE_MS: Final = 72 * HOUR_MS
"""A longer one is a stop or a holiday, and no habit."""
_SHARE: Final = 0.98
_BYTES: Final = 2


def quarter(calendar: Calendar, at_ms: Millis) -> int:
    """0 from midnight, 1 from 06:00, 2 from noon, 3 from 18:00."""
    return calendar.local(at_ms).hour // 6


def learn_pause(gaps: Gaps, begun_in: int, gap_ms: Millis) -> Gaps:
    """The same with one pause more, which began in that quarter; one too long teaches nothing."""
    if not 0 < gap_ms <= LONGEST_PAUSE_MS:
        return gaps
    minutes = ceil(gap_ms / MINUTE_MS).to_bytes(_BYTES, "little")
    kept = list(gaps)
    kept[begun_in] = (gaps[begun_in] + minutes)[-PAUSES_KEPT * _BYTES :]
    return kept[0], kept[1], kept[2], kept[3]


def usual_pause_ms(gaps: Gaps, begun_in: int, least: int) -> Millis:
    """What 98 % of the pauses of a quarter do not pass; 0 while fewer than ``least`` are known."""
    known = sorted(array("H", gaps[begun_in]))
    if len(known) < least:
        return 0
    return known[ceil(_SHARE * len(known)) - 1] * MINUTE_MS


WEEKS: Final = 4
_DAYS_KEPT: Final = 7 * WEEKS
_FEWEST: Final = 3
"""So many of the same weekdays have to be known."""
TEACHES_FROM: Final = 0.5
"""A day with less than this of what is usual is no habit; where it becomes one, four weeks of it forget the other."""
_UNKNOWN: Final = -1.0
_QUARTER_MS: Final = 6 * HOUR_MS
_NUMBERS: Final = 3
_INTO_NEXT_DAY_MS: Final = 30 * HOUR_MS
"""From a midnight so far on it is the next day, whatever the clocks do in between."""


class DayEnd(Struct, frozen=True, gc=False, array_like=True):
    """A day that is over: its water, and what is usual; ``None`` is not known."""

    volume_m3: float
    usual_m3: float | None


class FlowDays(Struct, frozen=True, gc=False, array_like=True):
    """The day that runs, and those before it. Volumes in m³; times are event time."""

    ends_ms: Millis = 0
    """When the day that runs is over; 0 before the first sample."""
    volume_m3: float = 0.0
    """By the totaliser, or by the rate where there is none."""
    is_whole: bool = False
    """Whether nothing of it is missing so far."""
    past: bytes = b""
    """The last four weeks, the oldest first, four bytes each; less than 0 is not known."""
    last: DayEnd | None = None
    """The last of them of which all is known."""


NO_DAYS: Final = FlowDays()


def add_water(
    days: FlowDays, calendar: Calendar, at_ms: Millis, volume_m3: float, *, is_missing: bool
) -> tuple[FlowDays, DayEnd | None]:
    """So much more by ``at_ms``, and the day that is over with it; ``is_missing`` where it is not known how much."""
    if at_ms < days.ends_ms:
        is_whole = days.is_whole and not is_missing
        return FlowDays(days.ends_ms, days.volume_m3 + volume_m3, is_whole, days.past, days.last), None
    ends_ms = calendar.midnight(calendar.midnight(at_ms) + _INTO_NEXT_DAY_MS)
    if not days.ends_ms:
        return FlowDays(ends_ms), None
    is_known = days.is_whole and not is_missing
    usual = usual_water_m3(days.past)
    teaches = is_known and (usual is None or days.volume_m3 >= TEACHES_FROM * usual)
    past = array("f", days.past)
    past.append(days.volume_m3 if teaches else _UNKNOWN)
    past.extend([_UNKNOWN] * min(round((ends_ms - days.ends_ms) / DAY_MS) - 1, _DAYS_KEPT))
    ended = DayEnd(days.volume_m3, usual) if is_known else None
    return FlowDays(ends_ms, volume_m3, not is_missing, past[-_DAYS_KEPT:].tobytes(), ended or days.last), ended


def usual_water_m3(past: bytes) -> float | None:
    """The median of the same weekday in the four weeks before the day that runs."""
    kept = array("f", past)
    known = [kept[-7 * week] for week in range(1, WEEKS + 1) if 7 * week <= len(kept) and kept[-7 * week] >= 0]
    return median(known) if len(known) >= _FEWEST else None


class MeterDay(Struct, frozen=True, gc=False, array_like=True):
    """What totaliser and rate came to in the same day's length, and how many samples gave a rate."""

    volume_m3: float
    by_rate_m3: float
    seen_flowing: int
    """Where they are few, the volume by the rate is guesswork."""


class MeterSums(Struct, frozen=True, gc=False, array_like=True):
    """Totaliser and rate side by side, quarter of a day by quarter; what fell into a gap is in neither."""

    ends_ms: Millis = 0
    """When the quarter that runs is over; 0 before the first sample."""
    volume_m3: float = 0.0
    by_rate_m3: float = 0.0
    seen_flowing: int = 0
    past: bytes = b""
    """The quarters before, at most four of them, the oldest first: three numbers of four bytes each."""
    last: MeterDay | None = None


NO_SUMS: Final = MeterSums()


def compare(sums: MeterSums, at_ms: Millis, volume_m3: float, by_rate_m3: float) -> tuple[MeterSums, MeterDay | None]:
    """So much more by both by ``at_ms``, and what the last four quarters came to where one is over with it."""
    seen = int(by_rate_m3 > 0)
    if at_ms < sums.ends_ms:
        both = (sums.volume_m3 + volume_m3, sums.by_rate_m3 + by_rate_m3)
        return MeterSums(sums.ends_ms, *both, sums.seen_flowing + seen, sums.past, sums.last), None
    ends_ms = at_ms + _QUARTER_MS
    if not sums.ends_ms:
        return MeterSums(ends_ms), None
    past = array("f", sums.past)
    past.extend((sums.volume_m3, sums.by_rate_m3, sums.seen_flowing))
    day = None
    if len(past) >= 4 * _NUMBERS:
        past = past[-4 * _NUMBERS :]
        day = MeterDay(sum(past[::_NUMBERS]), sum(past[1::_NUMBERS]), round(sum(past[2::_NUMBERS])))
    return MeterSums(ends_ms, volume_m3, by_rate_m3, seen, past.tobytes(), day or sums.last), day
