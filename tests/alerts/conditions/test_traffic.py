"""What is asked first of a message agrees with what is counted: the short way leaves out nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calendars import HOUR_MS
from alerts.conditions.traffic import LARGE, HourlyTraffic, Share, deliver

INTERVAL_MS = 1_200_000
NOW_MS = 100 * HOUR_MS
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
def test_what_stays_would_not_be_counted(traffic: HourlyTraffic, size: int, gap_ms: int, spread_ms: int) -> None:
    seen_ms = NOW_MS - gap_ms
    if traffic.stays(NOW_MS, size, seen_ms, spread_ms, INTERVAL_MS):
        assert deliver(traffic, NOW_MS, size, seen_ms, spread_ms, INTERVAL_MS) is traffic
        assert not traffic.exceeds(Share(0, 0), NOW_MS)


def test_most_messages_stay() -> None:
    quiet = HourlyTraffic()
    assert quiet.stays(NOW_MS, 90, NOW_MS - INTERVAL_MS, INTERVAL_MS, INTERVAL_MS), "in its turn"
    assert quiet.stays(NOW_MS, 90, NOW_MS, INTERVAL_MS, INTERVAL_MS), "of a backlog, by its own time"
    assert not quiet.stays(NOW_MS, 90, NOW_MS, 0, INTERVAL_MS), "again at once"
    assert not quiet.stays(NOW_MS, LARGE, NOW_MS - INTERVAL_MS, INTERVAL_MS, INTERVAL_MS), "large"
