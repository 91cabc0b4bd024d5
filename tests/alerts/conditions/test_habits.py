"""What a plant is used to: pauses by quarter of the day, and the water of whole days by weekday."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from alerts.conditions.habits import (
    LONGEST_PAUSE_MS,
    NO_DAYS,
    NO_GAPS,
    NO_SUMS,
    PAUSES_KEPT,
    DayEnd,
    FlowDays,
    Gaps,
    MeterDay,
    add_water,
    compare,
    learn_pause,
    quarter,
    usual_pause_ms,
    usual_water_m3,
)

CALENDAR: Final = Calendar(ZoneInfo("Asia/Shanghai"), {})
MIDNIGHT: Final = 1_795_276_800_000  # 2026-11-21T16:00:00Z


def learned(minutes: list[int], begun_in: int = 1) -> Gaps:
    gaps = NO_GAPS
    for each in minutes:
        gaps = learn_pause(gaps, begun_in, each * MINUTE_MS)
    return gaps


@pytest.mark.parametrize(("hour", "expected"), [(0, 0), (5.99, 0), (6, 1), (11.99, 1), (12, 2), (18, 3), (23.99, 3)])
def test_a_day_has_four_quarters(hour: float, expected: int) -> None:
    assert quarter(CALENDAR, MIDNIGHT + round(hour * HOUR_MS)) == expected


def test_a_quarter_knows_its_own_pauses_from_so_many_on() -> None:
    gaps = learned([40] * 29)
    assert usual_pause_ms(gaps, 1, 30) == 0
    assert usual_pause_ms(learn_pause(gaps, 1, 50 * MINUTE_MS), 1, 30) == 50 * MINUTE_MS
    assert usual_pause_ms(gaps, 1, 29) == 40 * MINUTE_MS
    assert [usual_pause_ms(gaps, each, 1) for each in (0, 2, 3)] == [0, 0, 0]


def test_of_many_one_long_pause_is_no_habit_and_two_are() -> None:
    assert usual_pause_ms(learned([40] * 50 + [900]), 1, 30) == 40 * MINUTE_MS
    assert usual_pause_ms(learned([40] * 50 + [900, 800]), 1, 30) == 800 * MINUTE_MS


@pytest.mark.parametrize("gap_ms", [0, -1, LONGEST_PAUSE_MS + 1])
def test_what_is_no_pause_teaches_nothing(gap_ms: int) -> None:
    assert learn_pause(NO_GAPS, 0, gap_ms) is NO_GAPS


def test_the_longest_pause_fits() -> None:
    assert usual_pause_ms(learn_pause(NO_GAPS, 2, LONGEST_PAUSE_MS), 2, 1) == LONGEST_PAUSE_MS
    assert usual_pause_ms(learn_pause(NO_GAPS, 2, 1), 2, 1) == MINUTE_MS


@given(st.lists(st.integers(1, 4320), min_size=1, max_size=3 * PAUSES_KEPT))
def test_it_is_the_98th_percentile_of_the_last_ones(minutes: list[int]) -> None:
    gaps = learned(minutes)
    last = sorted(minutes[-PAUSES_KEPT:])
    usual = usual_pause_ms(gaps, 1, 1) // MINUTE_MS
    assert sum(each <= usual for each in last) >= 0.98 * len(last)
    assert sum(each < usual for each in last) < 0.98 * len(last)
    assert sum(map(len, gaps)) <= 2 * PAUSES_KEPT


def lived(volumes: Iterable[float | None]) -> tuple[FlowDays, list[DayEnd | None]]:
    """Days with so much water at noon each; ``None`` is one of which a part is missing."""
    days, _ = add_water(NO_DAYS, CALENDAR, MIDNIGHT - HOUR_MS, 0.0, is_missing=False)
    days, first = add_water(days, CALENDAR, MIDNIGHT, 0.0, is_missing=False)
    ends = [first]
    for number, volume in enumerate(volumes):
        noon_ms = MIDNIGHT + number * DAY_MS + 12 * HOUR_MS
        days, none = add_water(days, CALENDAR, noon_ms, volume or 0.0, is_missing=volume is None)
        assert none is None
        days, ended = add_water(days, CALENDAR, noon_ms + 12 * HOUR_MS, 0.0, is_missing=False)
        ends.append(ended)
    return days, ends


def test_a_day_is_known_when_all_of_it_was_seen() -> None:
    _, ends = lived([5.0, None, 7.0])
    assert ends == [None, DayEnd(5.0, None), None, DayEnd(7.0, None)]


def test_what_is_usual_is_the_median_of_three_or_four_of_the_same_weekday() -> None:
    week = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]
    _, ends = lived(week * 2 + [12.0, 21.0])
    assert ends[-1] == DayEnd(21.0, None), "two are too few"
    _, ends = lived([*week, *week, *week, 12.0, None, 31.0])
    assert [end and end.usual_m3 for end in ends[-3:]] == [10.0, None, 30.0]
    _, ends = lived([*[10.0] * 7, *[12.0] * 7, *[14.0] * 7, *[40.0] * 7, 9.0])
    assert ends[-1] == DayEnd(9.0, 13.0)


def test_a_low_day_is_no_habit_until_nothing_else_is_known() -> None:
    days, ends = lived([10.0] * 28 + [4.9] * 7 + [10.0])
    assert ends[-1] == DayEnd(10.0, 10.0)
    _, ends = lived([10.0] * 28 + [2.0] * 50)
    usual = [end.usual_m3 for end in ends if end is not None]
    assert usual[28:42] == [10.0] * 14
    assert usual[-1] == 2.0, "and after seven weeks it is"
    assert len(days.past) == 4 * 28


def test_a_midnight_that_nobody_saw_makes_neither_day_known() -> None:
    days, _ = lived([5.0])
    days, ended = add_water(days, CALENDAR, MIDNIGHT + DAY_MS + 30 * HOUR_MS, 3.0, is_missing=True)
    assert (ended, days.is_whole, days.last) == (None, False, DayEnd(5.0, None))


def test_days_without_a_word_are_days_and_many_of_them_are_no_more_than_four_weeks() -> None:
    days, _ = lived([10.0] * 28)
    after_week, _ = add_water(days, CALENDAR, MIDNIGHT + 35 * DAY_MS, 0.0, is_missing=True)
    assert after_week.ends_ms == MIDNIGHT + 36 * DAY_MS
    assert usual_water_m3(after_week.past) == 10.0
    after_year, _ = add_water(days, CALENDAR, MIDNIGHT + 400 * DAY_MS, 0.0, is_missing=True)
    assert (usual_water_m3(after_year.past), len(after_year.past)) == (None, 4 * 28)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin"])
def test_a_day_ends_at_the_next_midnight_whatever_the_clocks_do(zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone), {})
    begin = calendar.midnight(1_792_800_000_000)  # 2026-10-24, the day before clocks are set back in Berlin
    ends = [
        add_water(NO_DAYS, calendar, begin + each * HOUR_MS, 0.0, is_missing=False)[0].ends_ms for each in (0, 30, 60)
    ]
    assert [calendar.local(each).hour for each in ends] == [0, 0, 0]
    assert all(20 * HOUR_MS < later - sooner < 30 * HOUR_MS for sooner, later in pairwise(ends))


def test_totaliser_and_rate_are_compared_at_the_end_of_each_quarter_over_the_last_four() -> None:
    sums, none = compare(NO_SUMS, MIDNIGHT, 5.0, 9.0)
    assert (none, sums.volume_m3) == (None, 0.0), "what was before is in neither"
    days = []
    for hour in range(1, 31):
        sums, day = compare(sums, MIDNIGHT + hour * HOUR_MS, 1.0, 3.0 if hour % 2 else 0.0)
        days += [(hour, day)] if day is not None else []
    assert days == [(24, MeterDay(23.0, 36.0, 12)), (30, MeterDay(24.0, 36.0, 12))]
    assert (sums.last, len(sums.past)) == (days[-1][1], 4 * 3 * 4)
    later, day = compare(sums, MIDNIGHT + 100 * HOUR_MS, 1.0, 1.0)
    assert day is not None
    assert later.ends_ms == MIDNIGHT + 106 * HOUR_MS
