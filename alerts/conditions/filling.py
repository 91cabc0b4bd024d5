"""How a bin fills, as its own hours have taught, and when it would reach a level if nobody came: its forecast.

What an hour brought is learned when the next one begins. From it follow the times to two thirds and to overflow, each
with an interval that corrects itself by how far such forecasts were off. No rule, no person and no round stands here,
and a forecast is never a reason to call something full.
"""

from array import array
from collections.abc import Iterable
from math import exp, log
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import HOUR_MS, Calendar
from telemetry.reading import Millis

DAY_H: Final = 24
WEEK_D: Final = 7
THURSDAY: Final = 3
"""1 January 1970; Monday is 0."""
AHEAD_H: Final = 12
"""At this distance a forecast is held against what came of it."""
LONGEST_H: Final = WEEK_D * DAY_H
"""Nothing further away is foretold."""
LONGEST_GAP_H: Final = 36
"""What came in a longer silence is not told apart by hours any more."""
FEWEST_DAYS: Final = 3
"""So many days must have been seen of a bin before anything is foretold of it."""
MEMORY_DAYS: Final = 21
"""What one day teaches counts for one part in so many at the least, so that a festival is forgotten."""
SHAPE_DAYS: Final = 4
"""What is known of bins anyway says as much about the hours of this one as so many of its own days."""
WEEKDAY_SHARE: Final = 0.1
"""What one market day teaches about market days: there are few, and any day differs from another by half."""
MIDDLE_DAY: Final = 0.91
"""What a day brings in the middle, of what it brings in the mean: some few bring twice as much (CV 0.45)."""
UNSEEN_DAY: Final = 0.04
LEAST_UNSEEN: Final = 1.5
"""Until today has shown what it is it counts as one in the middle: that much of a usual day, or that many points.

The latter is what the noise of a sensor comes to.
"""
LEAST_DAY: Final = 0.2
MOST_DAY: Final = 4.0
"""What today may be of a usual day."""
BRIM_PCT: Final = 95.0
"""From here on nobody sees what is brought."""
OUTSIDE: Final = 0.1
"""The share of forecasts that may lie below the interval, and above it: it is to hold eight of ten."""
PART_H: Final = 6
"""Hours of a part of the day, each with an interval of its own: by night it is not known what day is coming."""
FIRST_ENDS: Final = (-0.55, 0.65)
EVERY_H: Final = 3
"""So often a forecast is held against what came: from one hour to the next it is nearly the same one."""
STEP: Final = 0.1
"""How far one forecast moves an end of the interval, as a logarithm: adaptive conformal inference."""
LEAST_RISE: Final = 3.0
"""Points: what is foretold of less teaches nothing but the sensor's noise."""
LEAST_FALL: Final = 1.5
NOISES: Final = 1.0
"""Points, or times a site's own noise: what a level loses in an hour above that was taken out."""
LEAST_SHARE: Final = 0.1
"""What came counts as this share of what was foretold at the least: a logarithm knows no nothing."""

_DAY: Final = (0.4,) * 5 + (1.0, 2.0, 2.2, 1.8) + (1.0,) * 7 + (1.2, 1.8, 1.8, 1.6, 0.9) + (0.5,) * 3
_SHAPE: Final = tuple(share / sum(_DAY) for share in _DAY)
"""What each hour brings of a day where nothing is known yet: most in the morning and in the evening."""
_Floats: TypeAlias = "array[float]"


class Filling(Struct, frozen=True, gc=False, array_like=True):
    """What a bin's hours have taught, some 400 bytes. Levels and rises are points of its height.

    Hours are those of the local clock since 1970; the tables are packed as C floats.
    """

    hour: int = 0
    """The hour that runs; 0 before the first."""
    ends_ms: Millis = 0
    """When it is over."""
    level_pct: float = 0.0
    """The level at which it began; ``BRIM_PCT`` where what it brings is not seen."""
    days: bytes = b""
    """For each hour of the day, on how many days it was seen, as far as they still count; one byte each."""
    rates: bytes = b""
    """For each hour of a usual day what it brings."""
    weekdays: bytes = b""
    """For each day of the week, what it brings of a usual day."""
    risen: float = 0.0
    """What today has brought in the hours that were seen."""
    usual: float = 0.0
    """What a usual day brings in the same hours."""
    total: float = 0.0
    """What all hours have brought, those that were not seen as much as was usual."""
    foretold: bytes = b""
    """For each of the last ``AHEAD_H`` hours the total when it began, and the rise that was foretold from there."""
    ends: bytes = b""
    """For forecasts made in each part of the day, the lower and the upper end of the interval.

    Each is the logarithm of what came, over what was foretold.
    """

    @property
    def is_known(self) -> bool:
        """Whether enough was seen of the bin to foretell anything."""
        return _is_known(self.days)


class Forecast(NamedTuple):
    """When a level is reached if nobody comes, and the interval that holds that instant in eight of ten cases.

    0 is never within a week.
    """

    at_ms: Millis
    low_ms: Millis
    high_ms: Millis


class LevelForecast(NamedTuple):
    """When a bin reaches its line and when it runs over; ``None`` where that cannot be said, or is so already."""

    line: Forecast | None
    brim: Forecast | None


def follow(
    filling: Filling, calendar: Calendar, at_ms: Millis, level_pct: float, noise_pct: float, *, emptied: bool
) -> Filling:
    """The level at an instant (event time); ``emptied`` says that somebody has taken something out just before.

    A level that is lower than before by more than its noise, in points, was taken from as well: nobody calls it an
    emptying where there was hardly anything in the bin.
    """
    if emptied:
        filling = replace(filling, level_pct=BRIM_PCT)  # what its hour brought was not seen
    if at_ms < filling.ends_ms:
        return filling
    offset_ms = _offset_ms(calendar, at_ms)
    hour = (at_ms + offset_ms) // HOUR_MS
    if level_pct < filling.level_pct - max(LEAST_FALL, NOISES * noise_pct):
        filling = replace(filling, level_pct=BRIM_PCT)
    return _begin(filling, hour, (hour + 1) * HOUR_MS - offset_ms, level_pct)


def foretell(
    filling: Filling, calendar: Calendar, at_ms: Millis, level_pct: float, target_pct: float
) -> Forecast | None:
    """When ``target_pct`` will be reached from the level at an instant.

    ``None`` while too little is known of the bin, and where the level is there already.
    """
    need = target_pct - level_pct
    if need <= 0 or not filling.is_known:
        return None
    offset_ms = _offset_ms(calendar, at_ms)
    at_h = (at_ms + offset_ms) / HOUR_MS
    ends, part = _ends(filling), _part(int(at_h))
    rises = _rises(filling, at_h, level_pct, LONGEST_H)
    early, late = sorted((need / exp(ends[part + 1]), need / exp(ends[part])))
    reached = (_reach(rises, at_h, each) for each in (need, min(early, need), max(late, need)))
    return Forecast(*(round(hour * HOUR_MS) - offset_ms if hour else 0 for hour in reached))


class _Habit:
    """What a bin's hours bring, from its own days and, while they are few, from what is known of bins."""

    __slots__ = ("_days", "_rates", "_weekdays", "day")

    def __init__(self, filling: Filling) -> None:
        self._days = bytearray(filling.days or bytes(DAY_H))
        self._rates = _unpack(filling.rates, DAY_H, 0.0)
        self._weekdays = _unpack(filling.weekdays, WEEK_D, 1.0)
        seen = sum(share for share, days in zip(_SHAPE, self._days, strict=True) if days)
        self.day = max(0.0, sum(self._rates)) / seen if seen else 0.0
        """Points of a usual day."""

    @property
    def is_known(self) -> bool:
        """Whether enough was seen to say what is usual."""
        return _is_known(self._days)

    def usual(self, hour: int) -> float:
        """Points that this hour brings on a usual day."""
        place = hour % DAY_H
        days = self._days[place]
        share = (days * self._rates[place] + SHAPE_DAYS * self.day * _SHAPE[place]) / (days + SHAPE_DAYS)
        return max(0.0, share) * self._weekdays[_weekday(hour)]

    def learn(self, hour: int, brought: float) -> None:
        """What an hour has brought."""
        place = hour % DAY_H
        days = self._days[place]
        self._rates[place] += (brought / self._weekdays[_weekday(hour)] - self._rates[place]) / (1 + days)
        self._days[place] = min(days + 1, MEMORY_DAYS)

    def learn_day(self, hour: int, share: float) -> None:
        """That the day which ends with this hour brought ``share`` of what was usual."""
        day = _weekday(hour)
        brought = self._weekdays[day] * min(max(share, LEAST_DAY), MOST_DAY)
        self._weekdays[day] += (brought - self._weekdays[day]) * WEEKDAY_SHARE

    def pack(self) -> tuple[bytes, bytes, bytes]:
        """Days, rates and weekdays as ``Filling`` keeps them."""
        return bytes(self._days), self._rates.tobytes(), self._weekdays.tobytes()


def _begin(filling: Filling, hour: int, ends_ms: Millis, level_pct: float) -> Filling:
    """A level in a later hour than the last: what came meanwhile is learned, in each hour its usual part of it."""
    gap = hour - filling.hour
    if not filling.hour or gap > LONGEST_GAP_H:
        return replace(filling, hour=hour, ends_ms=ends_ms, level_pct=level_pct, risen=0.0, usual=0.0)
    habit, passed = _Habit(filling), range(filling.hour, hour)
    shares = [habit.usual(each) for each in passed]
    whole = sum(shares)
    is_seen = max(filling.level_pct, level_pct) < BRIM_PCT
    rise = level_pct - filling.level_pct if is_seen else whole
    risen, usual = filling.risen, filling.usual
    for each, share in zip(passed, shares, strict=True):
        if is_seen:
            brought = rise * share / whole if whole > 0 else rise / gap
            habit.learn(each, brought)
            risen, usual = risen + brought, usual + share
        if each % DAY_H == DAY_H - 1:
            if habit.is_known and usual > LEAST_RISE:
                habit.learn_day(each, risen / usual)
            risen = usual = 0.0
    total = filling.total + rise
    learned = Filling(hour, ends_ms, level_pct, *habit.pack(), risen, usual, total, filling.foretold, filling.ends)
    return _correct(learned, gap) if hour % EVERY_H == 0 or gap > 1 else learned


def _correct(filling: Filling, gap: int) -> Filling:
    """Holds what was foretold half a day ago against what came, moves the interval by it, and foretells once more."""
    foretold, ends = _unpack(filling.foretold, 2 * AHEAD_H, 0.0), _ends(filling)
    place, part = 2 * (filling.hour % AHEAD_H), _part(filling.hour - AHEAD_H)
    if gap == 1 and foretold[place + 1] >= LEAST_RISE:
        came = log(max((filling.total - foretold[place]) / foretold[place + 1], LEAST_SHARE))
        ends[part] += STEP * (OUTSIDE - (came < ends[part]))
        ends[part + 1] += STEP * ((came > ends[part + 1]) - OUTSIDE)
    for missed in range(1, min(gap, AHEAD_H)):
        foretold[2 * ((filling.hour - missed) % AHEAD_H) + 1] = 0.0
    if filling.hour % EVERY_H:
        return replace(filling, foretold=foretold.tobytes())
    foretold[place] = filling.total
    foretold[place + 1] = sum(_rises(filling, float(filling.hour), filling.level_pct, AHEAD_H)[:AHEAD_H])
    return replace(filling, foretold=foretold.tobytes(), ends=ends.tobytes())


def _rises(filling: Filling, at_h: float, level_pct: float, hours: int) -> list[float]:
    """What each of the next hours brings, of the first one what is left of it, and one more after them.

    Today brings what it has shown so far, any other day what a day brings in the middle.
    """
    habit, hour = _Habit(filling), int(at_h)
    gone, midnight = at_h - hour, hour - hour % DAY_H + DAY_H
    since = range(max(filling.hour, hour - hour % DAY_H), hour)
    usual = filling.usual + sum(habit.usual(each) for each in since) + habit.usual(hour) * gone
    unseen = max(UNSEEN_DAY * habit.day, LEAST_UNSEEN)
    brought = max(0.0, level_pct - filling.level_pct)
    today = min(max((filling.risen + brought + unseen * MIDDLE_DAY) / (usual + unseen), LEAST_DAY), MOST_DAY)
    rises = [habit.usual(each) * (today if each < midnight else MIDDLE_DAY) for each in range(hour, hour + hours + 1)]
    rises[0] *= 1 - gone
    return rises


def _reach(rises: Iterable[float], at_h: float, need: float) -> float:
    """When so much has come; 0 where all of them together do not bring it."""
    since = at_h
    for nth, rise in enumerate(rises, 1):
        until = int(at_h) + nth
        if rise >= need:
            return since + (until - since) * need / rise
        need -= rise
        since = until
    return 0.0


def _offset_ms(calendar: Calendar, at_ms: Millis) -> Millis:
    """How far the local clock is ahead of UTC."""
    offset = calendar.local(at_ms).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1_000)


def _is_known(days: bytes | bytearray) -> bool:
    return sum(days) >= FEWEST_DAYS * DAY_H


def _weekday(hour: int) -> int:
    return (hour // DAY_H + THURSDAY) % WEEK_D


def _part(hour: int) -> int:
    """Where the ends of the interval stand for forecasts made in an hour."""
    return 2 * (hour % DAY_H // PART_H)


def _ends(filling: Filling) -> _Floats:
    return array("f", filling.ends) if filling.ends else array("f", FIRST_ENDS * (DAY_H // PART_H))


def _unpack(packed: bytes, length: int, born: float) -> _Floats:
    return array("f", packed) if packed else array("f", [born]) * length
