"""The alarm clock rings at the last instant that was asked for, once."""

import queue
from collections.abc import Iterator

import pytest

from gateway.clock import ScaledClock, WallClock
from gateway.timer import Timer
from telemetry.reading import Millis


@pytest.fixture
def rings() -> queue.Queue[Millis]:
    return queue.Queue()


@pytest.fixture
def clock() -> ScaledClock:
    running = ScaledClock(0, 1)
    running.start()
    return running


@pytest.fixture
def timer(clock: ScaledClock, rings: queue.Queue[Millis]) -> Iterator[Timer]:
    opened = Timer(clock, rings.put)
    opened.start()
    yield opened
    opened.stop()


def test_an_instant_that_has_passed_rings_at_once(timer: Timer, rings: queue.Queue[Millis]) -> None:
    timer.wake_at(-3_600_000)
    assert rings.get(timeout=240) == -3_600_000


def test_an_earlier_instant_replaces_a_later_one(timer: Timer, rings: queue.Queue[Millis]) -> None:
    timer.wake_at(3_600_000)
    timer.wake_at(20)
    assert rings.get(timeout=240) == 20
    assert rings.empty()


def test_a_later_instant_replaces_an_earlier_one(timer: Timer, clock: ScaledClock, rings: queue.Queue[Millis]) -> None:
    timer.wake_at(clock.now_ms() + 1_000)
    timer.wake_at(due_ms := clock.now_ms() + 1_200)
    assert rings.get(timeout=240) == due_ms
    assert clock.now_ms() >= due_ms
    assert rings.empty()


def test_nothing_rings_after_never(timer: Timer, clock: ScaledClock, rings: queue.Queue[Millis]) -> None:
    timer.wake_at(clock.now_ms() + 700)
    timer.wake_at(None)
    with pytest.raises(queue.Empty):
        rings.get(timeout=0.8)
    timer.wake_at(1)
    assert rings.get(timeout=240) == 1


def test_a_scaled_clock_is_waited_for_in_real_time(rings: queue.Queue[Millis]) -> None:
    clock = ScaledClock(0, 100_000)
    clock.start()
    timer = Timer(clock, rings.put)
    timer.start()
    timer.wake_at(5_000)
    assert rings.get(timeout=240) == 5_000
    assert clock.now_ms() >= 5_000
    timer.stop()


def test_housekeeping_is_called_again_and_again() -> None:
    calls: queue.Queue[str] = queue.Queue()
    timer = Timer(WallClock(), lambda _: None)
    timer.start()
    timer.every(0.02, "heartbeat", lambda: calls.put("beat"))
    assert [calls.get(timeout=240) for _ in range(2)] == ["beat", "beat"]
    timer.stop()
