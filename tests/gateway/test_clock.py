"""The clocks: the machine's, however it is set; the demo's that runs faster; one that stands."""

from gateway.clock import ScaledClock, StandingClock, WallClock, monotonic_s

SECOND_NS = 1_000_000_000
DAY_S = 86_400


class Machine:
    """Two clocks that are moved by hand."""

    def __init__(self) -> None:
        self.wall_ns = 1_795_312_800 * SECOND_NS
        self.monotonic_ns = 5 * SECOND_NS
        self.interrupted_ns = 0

    def passes(self, seconds: float) -> None:
        self.wall_ns += round(seconds * SECOND_NS)
        self.monotonic_ns += round(seconds * SECOND_NS)

    def is_set(self, seconds: float) -> None:
        self.wall_ns += round(seconds * SECOND_NS)

    def wall(self) -> int:
        shown_ns = self.wall_ns
        self.passes(self.interrupted_ns / SECOND_NS)
        self.interrupted_ns = 0
        return shown_ns

    def clock(self) -> WallClock:
        return WallClock(self.wall, lambda: self.monotonic_ns)


def test_set_back_it_goes_on_from_the_highest_instant_that_it_told_at_real_pace() -> None:
    machine = Machine()
    clock = machine.clock()
    began_ms = clock.now_ms()
    machine.is_set(-3 * 3_600)
    machine.passes(60)
    assert clock.now_ms() == began_ms + 60_000
    assert clock.behind_s() == 3 * 3_600
    machine.passes(4 * 3_600)
    assert clock.now_ms() == began_ms + 60_000 + 4 * 3_600_000, "it does not wait for the machine"
    machine.is_set(3 * 3_600)
    assert clock.now_ms() == began_ms + 60_000 + 4 * 3_600_000
    assert clock.behind_s() == 0


def test_set_forward_it_follows() -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.face()
    machine.passes(1)
    machine.is_set(365 * DAY_S)
    after = clock.face()
    assert after.at_ms - before.at_ms == 1_000 + 365 * DAY_S * 1_000
    assert after.monotonic_s - before.monotonic_s == 1
    assert after.wall_s - before.wall_s == 1 + 365 * DAY_S


def test_what_another_process_told_is_not_told_again() -> None:
    machine = Machine()
    clock = machine.clock()
    before_ms = clock.now_ms()
    clock.go_on_from(before_ms + 10_800_000)
    machine.passes(5)
    assert clock.now_ms() == before_ms + 10_805_000
    assert clock.behind_s() == 10_800


def test_a_pause_between_two_looks_does_not_put_it_ahead() -> None:
    machine = Machine()
    clock = machine.clock()
    began_ms = clock.now_ms()
    machine.interrupted_ns = 90 * SECOND_NS
    assert clock.now_ms() == began_ms + 90_000
    assert clock.behind_s() == 0


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


def test_the_demo_clock_sees_a_pause_of_the_machine_and_no_clock_that_is_set() -> None:
    face = ScaledClock(0, 300).face()
    assert face.wall_s == face.monotonic_s


def test_one_that_stands_shows_no_time_between_two_instants() -> None:
    clock = StandingClock(1_000)
    before = clock.face()
    clock.at_ms = 90_000_000
    assert clock.face() == before._replace(at_ms=90_000_000)
