"""How much a device says: what is counted and what is not, and that what is asked first of a message agrees.

By its plan a device of these tests speaks every twenty minutes.
"""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calendars import DAY_MS, HOUR_MS
from alerts.conditions.traffic import LARGE, HourlyTraffic, Share, add, deliver

INTERVAL_MS = 1_200_000
HALF_MS: Final = INTERVAL_MS // 2
NOW_MS = 100 * HOUR_MS
SMALL: Final = 40
QUIET: Final = HourlyTraffic(missing=3)
"""Its last hour is over, and three of its messages lie somewhere."""
BUSY: Final = HourlyTraffic(NOW_MS - HOUR_MS + 1, 5, 9_000, 3)
"""Its hour has one millisecond left."""


def delivered(before: HourlyTraffic, gap_ms: int, spread_ms: int | None = None, size: int = SMALL) -> HourlyTraffic:
    """The traffic after a message that came, and was measured, so long after the one before."""
    return deliver(before, NOW_MS, size, NOW_MS - gap_ms, gap_ms if spread_ms is None else spread_ms, INTERVAL_MS)


def test_nothing_was_said_by_a_device_that_was_never_heard() -> None:
    assert HourlyTraffic() == HourlyTraffic(since_ms=0, messages=0, size=0, missing=0)


def test_an_hour_counts_every_message_and_the_bytes_of_large_ones() -> None:
    assert LARGE == 4_096
    assert add(BUSY, NOW_MS, 4_095) == HourlyTraffic(BUSY.since_ms, 6, 9_000, 3)
    assert add(BUSY, NOW_MS, 4_096) == HourlyTraffic(BUSY.since_ms, 6, 13_096, 3)
    over = HourlyTraffic(NOW_MS - HOUR_MS, 5, 9_000, 3)
    assert add(over, NOW_MS, 4_095) == HourlyTraffic(NOW_MS, 1, 0, 3)
    assert add(over, NOW_MS, 4_096, first=2) == HourlyTraffic(NOW_MS, 2, 4_096, 3)


@pytest.mark.parametrize(
    ("traffic", "exceeds"),
    [
        (HourlyTraffic(NOW_MS - HOUR_MS + 1, 10, 500), False),
        (HourlyTraffic(NOW_MS - HOUR_MS + 1, 11, 0), True),
        (HourlyTraffic(NOW_MS - HOUR_MS + 1, 0, 501), True),
        (HourlyTraffic(NOW_MS - HOUR_MS, 11, 501), False),
    ],
)
def test_more_than_its_share_is_above_it_while_the_hour_runs(traffic: HourlyTraffic, exceeds: bool) -> None:  # noqa: FBT001 -- of the table
    assert traffic.exceeds(Share(10, 500), NOW_MS) is exceeds


@pytest.mark.parametrize("gap_ms", [HALF_MS, INTERVAL_MS, 2 * INTERVAL_MS - 1])
def test_what_comes_in_its_turn_is_counted_only_while_an_hour_runs_or_if_it_is_large(gap_ms: int) -> None:
    assert delivered(QUIET, gap_ms) is QUIET
    assert delivered(QUIET, gap_ms, spread_ms=0) is QUIET, "in its turn, whatever its own time is"
    over = HourlyTraffic(NOW_MS - HOUR_MS, 5, 9_000, 3)
    assert delivered(over, gap_ms) is over
    assert delivered(QUIET, gap_ms, size=LARGE - 1) is QUIET
    assert delivered(QUIET, gap_ms, size=LARGE) == HourlyTraffic(NOW_MS, 1, LARGE, 3)
    assert delivered(BUSY, gap_ms) == HourlyTraffic(BUSY.since_ms, 6, 9_000, 3)


def test_the_first_message_of_all_is_in_its_turn_and_lacks_nothing() -> None:
    for before, size, after in (
        (QUIET, SMALL, QUIET),
        (QUIET, LARGE, HourlyTraffic(NOW_MS, 1, LARGE, 3)),
        (BUSY, SMALL, HourlyTraffic(BUSY.since_ms, 6, 9_000, 3)),
    ):
        assert deliver(before, NOW_MS, size, 0, 0, INTERVAL_MS) == after
    assert deliver(QUIET, NOW_MS, SMALL, 0, 0, INTERVAL_MS) is QUIET


@pytest.mark.parametrize(
    ("before", "gap_ms", "missing"),
    [
        (3, 2 * INTERVAL_MS, 4),
        (3, 3 * INTERVAL_MS - 1, 4),
        (3, 3 * INTERVAL_MS, 5),
        (0, 7 * DAY_MS, 503),
        (0, 7 * DAY_MS + INTERVAL_MS, 503),
        (498, 7 * INTERVAL_MS, 504),
        (499, 7 * INTERVAL_MS, 504),
    ],
)
def test_what_did_not_come_in_its_turn_is_missing_but_none_of_more_than_a_week(
    before: int, gap_ms: int, missing: int
) -> None:
    assert delivered(HourlyTraffic(missing=before), gap_ms) == HourlyTraffic(missing=missing)
    busy = HourlyTraffic(BUSY.since_ms, 5, 9_000, before)
    assert delivered(busy, gap_ms) == HourlyTraffic(BUSY.since_ms, 6, 9_000, missing)


def test_what_comes_too_soon_is_counted_with_the_one_before_once_nothing_is_missing() -> None:
    for before, after in (
        (QUIET, HourlyTraffic(missing=2)),
        (HourlyTraffic(missing=1), HourlyTraffic()),
        (HourlyTraffic(), HourlyTraffic(NOW_MS, 2)),
        (BUSY, HourlyTraffic(BUSY.since_ms, 5, 9_000, 2)),
        (HourlyTraffic(BUSY.since_ms, 5, 9_000), HourlyTraffic(BUSY.since_ms, 6, 9_000)),
    ):
        for gap_ms, spread_ms in ((HALF_MS - 1, HALF_MS - 1), (HALF_MS - 1, 1 - HALF_MS), (0, 0)):
            assert delivered(before, gap_ms, spread_ms) == after
    assert delivered(HourlyTraffic(), 0, 0, LARGE) == HourlyTraffic(NOW_MS, 2, LARGE)


def test_what_was_measured_by_plan_and_comes_at_once_is_not_counted() -> None:
    for before in (QUIET, BUSY):
        for spread_ms in (HALF_MS, -HALF_MS, 3 * INTERVAL_MS):
            assert delivered(before, 0, spread_ms) is before
            assert delivered(before, HALF_MS - 1, spread_ms, LARGE) is before


def test_most_messages_stay() -> None:
    quiet = HourlyTraffic()
    for gap_ms in (HALF_MS, INTERVAL_MS, 2 * INTERVAL_MS - 1):
        assert quiet.stays(NOW_MS, 90, NOW_MS - gap_ms, 0, INTERVAL_MS), "in its turn"
        assert not quiet.stays(NOW_MS, LARGE, NOW_MS - gap_ms, 0, INTERVAL_MS), "large"
    assert quiet.stays(NOW_MS, LARGE - 1, 0, 0, INTERVAL_MS), "the first of all"
    assert not quiet.stays(NOW_MS, 90, NOW_MS - 2 * INTERVAL_MS, 2 * INTERVAL_MS, INTERVAL_MS), "one is missing"
    for spread_ms, stays in ((HALF_MS, True), (-HALF_MS, True), (HALF_MS - 1, False), (1 - HALF_MS, False), (0, False)):
        for gap_ms in (0, HALF_MS - 1):
            assert quiet.stays(NOW_MS, 90, NOW_MS - gap_ms, spread_ms, INTERVAL_MS) is stays, "of a backlog, or at once"
    for ago_ms, stays in ((HOUR_MS, True), (HOUR_MS - 1, False)):
        assert HourlyTraffic(NOW_MS - ago_ms).stays(NOW_MS, 90, NOW_MS - INTERVAL_MS, 0, INTERVAL_MS) is stays


AROUND = st.sampled_from((0, 1, 599_999, 600_000, 1_199_999, 1_200_000, 2_399_999, 2_400_000, HOUR_MS, 30 * HOUR_MS))
TRAFFIC = st.builds(
    lambda ago, messages, size, missing: HourlyTraffic(NOW_MS - ago, messages, size, missing),
    st.one_of(AROUND, st.integers(0, 2 * HOUR_MS)),
    st.integers(0, 40),
    st.sampled_from((0, 2_000_000)),
    st.integers(0, 3),
)


@settings(max_examples=2_000)
@given(
    TRAFFIC,
    st.sampled_from((40, LARGE - 1, LARGE)),
    st.one_of(st.just(NOW_MS), AROUND, st.integers(0, 4 * INTERVAL_MS)),
    st.one_of(AROUND, st.integers(-3 * INTERVAL_MS, 3 * INTERVAL_MS)),
)
def test_what_stays_is_what_would_not_be_counted_while_no_hour_runs(
    traffic: HourlyTraffic, size: int, gap_ms: int, spread_ms: int
) -> None:
    seen_ms = NOW_MS - gap_ms
    after = deliver(traffic, NOW_MS, size, seen_ms, spread_ms, INTERVAL_MS)
    runs = traffic.exceeds(Share(-1, 0), NOW_MS)
    assert traffic.stays(NOW_MS, size, seen_ms, spread_ms, INTERVAL_MS) is (after is traffic and not runs)
