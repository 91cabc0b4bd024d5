"""Clocks: never backwards, and the demo's runs faster than the world."""

from gateway.clock import ScaledClock, WallClock, monotonic_s


def test_the_wall_clock_holds_still_while_the_machine_is_set_back() -> None:
    clock = WallClock()
    ahead = clock.now_ms() + 3_600_000
    clock._latest_ms = ahead  # what it showed before the machine was set back by an hour
    assert clock.now_ms() == ahead


def test_the_demo_clock_stands_at_its_origin_until_it_is_started() -> None:
    clock = ScaledClock(1_000, 300)
    assert clock.now_ms() == 1_000
    assert clock.wait_s(301_000) == 1.0


def test_the_demo_clock_runs_so_many_times_faster() -> None:
    clock = ScaledClock(0, 1_000_000)
    before_s = monotonic_s()
    clock.start()
    first_ms = clock.now_ms()
    while clock.now_ms() == first_ms:
        pass
    assert first_ms <= clock.now_ms() <= (monotonic_s() - before_s) * 1_000 * 1_000_000


def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    assert ScaledClock(1_000, 2).wait_s(999) == 0.0
    assert WallClock().wait_s(0) == 0.0
