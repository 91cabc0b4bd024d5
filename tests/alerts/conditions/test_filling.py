"""How a bin fills: what its hours teach, what is foretold from that, and how far a forecast trusts itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.calendars import DAY_MS, HOUR_MS, Calendar
from alerts.conditions.filling import FEWEST_DAYS, Filling, Forecast, follow, foretell
from telemetry.reading import Millis

CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"), {})
MONDAY: Millis = round(datetime(2026, 11, 22, 16, tzinfo=UTC).timestamp() * 1_000)
"""Midnight in Shanghai."""
STEP_MS = 20 * 60_000
LINE_PCT = 66.7
NEW = Filling()

Rate = Callable[[int], float]
"""Points that come in an hour, by its number from the beginning."""


def busy_by_day(a_day: float) -> Rate:
    """So much a day, all of it between 06:00 and 18:00."""
    return lambda hour: a_day / 12 if 6 <= hour % 24 < 18 else 0.0


def live(rate: Rate, days: float, filling: Filling = NEW, *, since_day: int = 0) -> tuple[Filling, float]:
    """So many days in which it is emptied at each midnight; gives also the level at the end."""
    level = 0.0
    for step in range(since_day * 72, since_day * 72 + round(days * 72)):
        emptied = step % 72 == 0
        level = 0.0 if emptied else min(level + rate((step - 1) // 3) / 3, 100.0)
        filling = follow(filling, CALENDAR, MONDAY + step * STEP_MS, level, 0.3, emptied=emptied)
    return filling, level


def at(days: float, hour: float = 0.0) -> Millis:
    return MONDAY + round(days * DAY_MS + hour * HOUR_MS)


def told(filling: Filling, at_ms: Millis, level: float, target: float = LINE_PCT) -> Forecast:
    found = foretell(filling, CALENDAR, at_ms, level, target)
    assert found is not None
    return found


def test_a_bin_that_fills_alike_each_day_is_foretold_to_the_hour() -> None:
    filling, _ = live(busy_by_day(96.0), 14)
    found = told(filling, at(14), 0.0)
    assert abs(found.at_ms - at(14, 6 + LINE_PCT / 8)) < HOUR_MS
    assert found.low_ms <= found.at_ms <= found.high_ms


def test_what_is_reached_by_day_is_not_put_into_the_night() -> None:
    filling, _ = live(busy_by_day(48.0), 21)
    found = told(filling, at(21, 18), 61.7)
    assert found.at_ms > at(22, 5), "five points are missing, and nobody brings them before the morning"


def test_a_day_that_brings_twice_as_much_is_seen_while_it_runs() -> None:
    usual, _ = live(busy_by_day(36.0), 14)
    quick, level = live(busy_by_day(72.0), 0.5, usual, since_day=14)
    calm, lower = live(busy_by_day(36.0), 0.5, usual, since_day=14)
    assert level == pytest.approx(2 * lower)
    one, other = (told(each, at(14.5), now, now + 9.0) for each, now in ((quick, level), (calm, lower)))
    assert one.at_ms < other.at_ms - HOUR_MS


def test_the_days_of_the_week_differ_where_they_do() -> None:
    def market(hour: int) -> float:
        return busy_by_day(60.0 if hour // 24 % 7 == 2 else 20.0)(hour)

    filling, _ = live(market, 70)
    wednesday, thursday = (told(filling, at(day), 0.0, 15.0).at_ms - at(day) for day in (72, 73))
    assert wednesday < thursday - HOUR_MS


@pytest.mark.parametrize("days", [0.0, 0.5, FEWEST_DAYS - 0.5])
def test_nothing_is_foretold_of_a_bin_that_is_hardly_known(days: float) -> None:
    filling, level = live(busy_by_day(40.0), days)
    assert foretell(filling, CALENDAR, at(days), level, LINE_PCT) is None


def test_nothing_is_foretold_of_a_level_that_is_reached() -> None:
    filling, _ = live(busy_by_day(40.0), 7)
    assert foretell(filling, CALENDAR, at(7), LINE_PCT, LINE_PCT) is None
    assert foretell(filling, CALENDAR, at(7), 80.0, LINE_PCT) is None


def test_what_takes_longer_than_a_week_is_not_foretold() -> None:
    filling, _ = live(busy_by_day(4.0), 14)
    found = told(filling, at(14), 10.0)
    assert (found.at_ms, found.high_ms) == (0, 0)


def test_the_hour_of_an_emptying_teaches_nothing() -> None:
    """Else a bin that is emptied at noon each day would seem to be given less at noon."""
    filling, level = Filling(), 0.0
    for step in range(14 * 72):
        emptied = step % 72 == 37
        level = 3.0 if emptied else level + 0.4
        filling = follow(filling, CALENDAR, MONDAY + step * STEP_MS, level, 0.3, emptied=emptied)
    found = told(filling, at(14, 10), 30.0, 33.6)
    assert abs(found.at_ms - at(14, 13)) < HOUR_MS


def test_a_full_bin_teaches_nothing() -> None:
    usual, _ = live(busy_by_day(40.0), 14)
    full = usual
    for step in range(14 * 72, 17 * 72):
        full = follow(full, CALENDAR, MONDAY + step * STEP_MS, 100.0, 0.3, emptied=False)
    assert (full.rates, full.weekdays, full.days) == (usual.rates, usual.weekdays, usual.days)


def test_a_silence_of_some_hours_is_spread_over_them_as_usual() -> None:
    usual, level = live(busy_by_day(48.0), 14.25)
    heard = gap = usual
    for step in range(1026, 1027 + 27):
        level = min(level + busy_by_day(48.0)((step - 1) // 3) / 3, 100.0)
        heard = follow(heard, CALENDAR, MONDAY + step * STEP_MS, level, 0.3, emptied=False)
    gap = follow(gap, CALENDAR, MONDAY + 1053 * STEP_MS, level, 0.3, emptied=False)
    assert gap.hour == heard.hour
    assert gap.risen == pytest.approx(heard.risen, abs=1.0)


def test_a_longer_silence_teaches_nothing() -> None:
    usual, _ = live(busy_by_day(48.0), 14)
    after = follow(usual, CALENDAR, at(16), 60.0, 0.3, emptied=False)
    assert (after.rates, after.days) == (usual.rates, usual.days)
    assert after.level_pct == 60.0


def test_the_interval_narrows_where_forecasts_come_true_and_widens_where_they_do_not() -> None:
    even, _ = live(busy_by_day(60.0), 40)

    def moody(hour: int) -> float:
        return busy_by_day(20.0 if hour // 24 % 2 else 100.0)(hour)

    uneven, _ = live(moody, 40)
    spans = [told(each, at(40, 7), 20.0) for each in (even, uneven)]
    even_ms, uneven_ms = (each.high_ms - each.low_ms for each in spans)
    assert even_ms < 0.7 * uneven_ms


def test_what_is_kept_of_a_bin_is_small() -> None:
    filling, _ = live(busy_by_day(48.0), 30)
    assert sum(len(each) for each in filling.__reduce__()[1] if isinstance(each, bytes)) < 400


@given(
    st.lists(
        st.tuples(st.integers(1, 60 * HOUR_MS), st.floats(0, 100).map(lambda level: round(level, 1)), st.booleans()),
        max_size=60,
    ),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_whatever_is_said_a_forecast_is_an_instant_between_its_ends(
    said: list[tuple[int, float, bool]], level: float, target: float
) -> None:
    filling, _ = live(busy_by_day(48.0), 4)
    at_ms = at(4)
    for later_ms, each, emptied in said:
        at_ms += later_ms
        filling = follow(filling, CALENDAR, at_ms, each, 0.3, emptied=emptied)
    found = foretell(filling, CALENDAR, at_ms, level, target)
    assert isfinite(filling.total)
    if found is not None:
        far = 1 << 60
        early, middle, late = (each or far for each in (found.low_ms, found.at_ms, found.high_ms))
        assert at_ms <= early <= middle <= late
