from telemetry.clock import UNHEARD, ClockState, Stored, Timed, judge, restore
from telemetry.reading import Millis, Sample, TimeSource, Values

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INTERVAL = 20 * MINUTE
NOON: Millis = 1_795_305_600_000


def taken(ts_ms: Millis | None, up_s: float | None = None, boot: int = 1, seq: int = 0) -> Sample:
    return Sample(boot, seq, Values(fill_pct=50), ts_ms, up_s)


def one(state: ClockState, sample: Sample, received_ms: Millis) -> tuple[Timed, ClockState]:
    (timed,), state = judge(state, (sample,), (sample,), received_ms, INTERVAL)
    return timed, state


def several(*samples: Sample, received_ms: Millis = NOON) -> list[Timed]:
    timed, _ = judge(UNHEARD, samples, samples, received_ms, INTERVAL)
    return list(timed)


def steady(lags_ms: list[int], start_ms: Millis = NOON) -> tuple[list[Timed], ClockState]:
    """One uplink an interval, with these lags."""
    state, times = UNHEARD, []
    for turn, lag_ms in enumerate(lags_ms):
        received_ms = start_ms + turn * INTERVAL
        timed, state = one(state, taken(received_ms - lag_ms), received_ms)
        times.append(timed)
    return times, state


def test_a_devices_own_time_counts_from_seven_days_back_to_five_minutes_ahead() -> None:
    for lag_ms in (7 * DAY, 0, -5 * MINUTE):
        timed, _ = one(UNHEARD, taken(NOON - lag_ms), NOON)
        assert (timed.observed_ms, timed.clock) == (NOON - lag_ms, TimeSource.OK)


def test_one_millisecond_beyond_that_our_time_counts_and_nothing_is_late() -> None:
    for lag_ms in (7 * DAY + 1, -5 * MINUTE - 1):
        assert one(UNHEARD, taken(NOON - lag_ms), NOON)[0] == Timed(NOON, TimeSource.SERVER, late=False)


def test_a_clock_of_1970_or_2036_or_none_gives_our_time_and_leaves_no_trace() -> None:
    for ts_ms in (0, 2_086_000_000_000, 2**53, None):
        timed, state = one(UNHEARD, taken(ts_ms), NOON)
        assert timed == Timed(NOON, TimeSource.SERVER, late=False)
        assert state == UNHEARD


def test_a_list_without_a_clock_is_laid_out_by_its_uptimes() -> None:
    timed = several(taken(None, 100), taken(0, 700.5), taken(None, 1_300))
    assert [one.observed_ms for one in timed] == [NOON - 1_200_000, NOON - 599_500, NOON]
    assert {one.clock for one in timed} == {TimeSource.SERVER}
    assert not any(one.late for one in timed)


def test_a_list_is_laid_out_from_its_last_sample_even_if_that_one_is_a_duplicate() -> None:
    older, newer = taken(None, 100, seq=0), taken(None, 1_300, seq=1)
    timed, _ = judge(UNHEARD, (older,), (older, newer), NOON, INTERVAL)
    assert timed[0].observed_ms == NOON - 1_200_000


def test_uptimes_that_cannot_be_compared_give_the_receive_time() -> None:
    last = taken(None, 1_000)
    for sample in (taken(None), taken(None, 1_001), taken(None, 900, boot=2), taken(None, 0)):
        timed = several(sample, taken(None, 2.0**53) if sample.up_s == 0 else last)
        assert timed[0].observed_ms == NOON


def test_more_than_two_hours_behind_is_late() -> None:
    assert not one(UNHEARD, taken(NOON - 2 * HOUR), NOON)[0].late
    assert one(UNHEARD, taken(NOON - 2 * HOUR - 1), NOON)[0].late


def test_a_clock_three_hours_slow_for_good_is_corrected_from_the_third_burst_on() -> None:
    times, _ = steady([3 * HOUR] * 5)
    assert [one.clock for one in times] == [TimeSource.OK, TimeSource.OK, *[TimeSource.CORRECTED] * 3]
    assert [one.late for one in times] == [True, True, False, False, False]
    assert times[-1].observed_ms == NOON + 4 * INTERVAL


def test_an_offset_of_ten_minutes_is_left_alone_and_one_more_millisecond_is_not() -> None:
    assert steady([10 * MINUTE] * 3)[0][-1].clock == TimeSource.OK
    assert steady([10 * MINUTE + 1] * 3)[0][-1].clock == TimeSource.CORRECTED


def test_a_corrected_sample_can_still_be_late() -> None:
    _, state = steady([3 * HOUR] * 3)
    received_ms = NOON + DAY
    timed, _ = one(state, taken(received_ms - 6 * HOUR), received_ms)
    assert timed == Timed(received_ms - 3 * HOUR, TimeSource.CORRECTED, late=True)


def test_a_clock_up_to_five_minutes_ahead_is_believed_and_never_corrected() -> None:
    times, _ = steady([-4 * MINUTE] * 6)
    assert {one.clock for one in times} == {TimeSource.OK}


def test_nine_hours_of_queued_uplinks_in_a_minute_are_one_burst_and_late() -> None:
    _, state = steady([1_000] * 2)
    start_ms = NOON + 12 * HOUR
    times = []
    for turn in range(27):
        received_ms = start_ms + turn * 2_000
        timed, state = one(state, taken(start_ms - 9 * HOUR + turn * INTERVAL), received_ms)
        times.append(timed)
    assert len(state.lags_ms) == 3
    assert {one.clock for one in times} == {TimeSource.OK}
    assert [one.late for one in times] == [True] * 22 + [False] * 5


def test_uplinks_exactly_half_an_interval_apart_are_two_bursts() -> None:
    _, state = one(UNHEARD, taken(NOON), NOON)
    apart_ms = INTERVAL // 2
    assert len(one(state, taken(NOON), NOON + apart_ms - 1)[1].lags_ms) == 1
    assert len(one(state, taken(NOON), NOON + apart_ms)[1].lags_ms) == 2


def test_a_list_is_one_uplink_with_its_smallest_lag_whatever_its_order() -> None:
    ages_ms = (3 * HOUR, 2 * HOUR + 30 * MINUTE, 20 * MINUTE)
    samples = [taken(NOON - age_ms) for age_ms in ages_ms]
    for order in (samples, samples[::-1]):
        _, state = judge(UNHEARD, order, order, NOON, INTERVAL)
        assert state.lags_ms == (20 * MINUTE,)


def test_a_list_is_judged_by_the_offset_that_is_known_once_it_is_read() -> None:
    _, state = steady([3 * HOUR] * 2)
    received_ms = NOON + 2 * INTERVAL
    oldest, newest = taken(received_ms - 4 * HOUR), taken(received_ms - 3 * HOUR)
    timed, _ = judge(state, (oldest, newest), (oldest, newest), received_ms, INTERVAL)
    assert [one.observed_ms for one in timed] == [received_ms - HOUR, received_ms]
    assert {one.clock for one in timed} == {TimeSource.CORRECTED}


def test_the_smallest_lag_is_forgotten_after_twenty_bursts() -> None:
    assert steady([0, *[3 * HOUR] * 19])[0][-1].clock == TimeSource.OK
    assert steady([0, *[3 * HOUR] * 20])[0][-1].clock == TimeSource.CORRECTED


def test_a_reboot_forgets_the_offset_and_does_not_touch_the_samples_before_it() -> None:
    _, state = steady([3 * HOUR] * 3)
    received_ms = NOON + 3 * INTERVAL
    before, after = taken(received_ms - 3 * HOUR), taken(received_ms - 3 * HOUR, boot=2)
    timed, state = judge(state, (before, after), (before, after), received_ms, INTERVAL)
    assert [one.clock for one in timed] == [TimeSource.CORRECTED, TimeSource.OK]
    assert state.boot == 2


def test_one_sample_of_1970_does_not_spoil_a_known_offset() -> None:
    _, state = steady([3 * HOUR] * 3)
    timed, state = one(state, taken(0), NOON + 3 * INTERVAL)
    assert timed.clock == TimeSource.SERVER
    received_ms = NOON + 4 * INTERVAL
    assert one(state, taken(received_ms - 3 * HOUR), received_ms)[0] == Timed(
        received_ms, TimeSource.CORRECTED, late=False
    )


def test_the_state_comes_back_from_stored_readings() -> None:
    _, state = steady([3 * HOUR, 4 * HOUR, 3 * HOUR])
    stored = [
        Stored(1, NOON + turn * INTERVAL, NOON + turn * INTERVAL - lag)
        for turn, lag in enumerate((3 * HOUR, 4 * HOUR, 3 * HOUR))
    ]
    assert restore(stored, INTERVAL) == state


def backlog(off_ms: int, count: int = 10, step_ms: int = 20 * MINUTE) -> list[Sample]:
    """Samples a step apart, the last taken now, by a clock that is so far off."""
    return [taken(NOON - (count - 1 - seq) * step_ms + off_ms, seq=seq) for seq in range(count)]


def test_a_backlog_under_a_clock_eight_hours_ahead_keeps_its_spacing_and_is_late() -> None:
    timed = several(*backlog(8 * HOUR))
    assert [one.observed_ms for one in timed] == [NOON - (9 - seq) * 20 * MINUTE for seq in range(10)]
    assert {one.clock for one in timed} == {TimeSource.SERVER}
    assert [one.late for one in timed] == [True] * 3 + [False] * 7


def test_the_oldest_of_a_backlog_are_not_believed_by_a_clock_that_is_ahead() -> None:
    """Two hours ahead, what is older than that looks plausible."""
    assert [one.observed_ms for one in several(*backlog(2 * HOUR))] == [
        NOON - (9 - seq) * 20 * MINUTE for seq in range(10)
    ]


def test_a_backlog_that_is_sent_newest_first_is_laid_out_from_its_newest() -> None:
    samples = backlog(8 * HOUR)
    assert several(*samples[::-1]) == several(*samples)[::-1]


def test_samples_from_before_the_clock_was_set_stand_before_those_after_it() -> None:
    before = [taken(seq * 20 * MINUTE, seq=seq) for seq in range(3)]
    after = [taken(NOON - (4 - seq) * 20 * MINUTE, seq=seq) for seq in range(3, 5)]
    timed = several(*before, *after)
    assert [one.observed_ms for one in timed] == [NOON - age * 20 * MINUTE for age in (3, 2, 1, 1, 0)]
    assert [one.clock for one in timed] == [TimeSource.SERVER] * 3 + [TimeSource.OK] * 2


def test_a_backlog_of_more_than_a_week_is_as_old_as_it_says() -> None:
    timed = several(*backlog(0, count=100, step_ms=4 * HOUR))
    assert [one.observed_ms for one in timed] == [NOON - (99 - seq) * 4 * HOUR for seq in range(100)]
    assert timed[0].late


def test_samples_that_are_all_stamped_when_they_are_sent_lie_as_far_apart_as_their_uptimes() -> None:
    timed = several(*(taken(NOON, 1_200.0 * seq, seq=seq) for seq in range(4)))
    assert [one.observed_ms for one in timed] == [NOON - (3 - seq) * 20 * MINUTE for seq in range(4)]


def test_what_could_not_be_placed_in_a_list_stands_beside_the_sample_after_it() -> None:
    timed = several(taken(None, seq=0), taken(NOON - HOUR, seq=1), taken(NOON, seq=2))
    assert [one.observed_ms for one in timed] == [NOON - HOUR, NOON - HOUR, NOON]


def test_a_list_of_a_clock_that_is_corrected_is_laid_out_by_the_corrected_time() -> None:
    _, state = steady([3 * HOUR] * 3)
    received_ms = NOON + 3 * INTERVAL
    said = [taken(None, 600.0, seq=0), taken(received_ms - 3 * HOUR, 1_800.0, seq=1)]
    timed, _ = judge(state, said, said, received_ms, INTERVAL)
    assert [one.observed_ms for one in timed] == [received_ms - 20 * MINUTE, received_ms]
    assert [one.clock for one in timed] == [TimeSource.SERVER, TimeSource.CORRECTED]
