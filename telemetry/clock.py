"""Which time a sample counts for (design.md §5 "Time", alerting.md §1 "Event time").

All state is an immutable ``ClockState`` that the caller keeps per device and can rebuild from stored readings.
Only samples that are new come here, so that redelivery changes nothing. No clock is read: time is an argument.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from telemetry.reading import Clock, Millis, Sample

OLDEST_MS: Final = 7 * 86_400_000
"""How far behind the receive time a device's clock may be and still be believed."""

FASTEST_MS: Final = 5 * 60_000
"""How far ahead of it."""

BURSTS_KEPT: Final = 20
BURSTS_NEEDED: Final = 3
CORRECTED_FROM_MS: Final = 10 * 60_000
LATE_FROM_MS: Final = 2 * 3_600_000


class ClockState(Struct, frozen=True, gc=False):
    """What is known of a device's clock since its boot.

    ``lags_ms`` holds the smallest lag of each of the last bursts, oldest first; the last one may still be going on.
    A lag is receive time minus device time; it is negative if the device's clock is ahead.
    """

    boot: int = -1
    received_ms: Millis = 0
    lags_ms: tuple[int, ...] = ()
    least_lag_ms: int = 0


UNHEARD: Final = ClockState()
"""The state of a device that was never heard."""


class Timed(Struct, frozen=True, gc=False):
    """The time a sample counts for, where it is from, and whether it came too late to wake anybody."""

    observed_ms: Millis
    clock: Clock
    late: bool


class Stored(NamedTuple):
    """What a stored reading remembers of its device's clock."""

    boot: int
    received_ms: Millis
    device_ms: Millis | None


def judge(
    state: ClockState, fresh: Sequence[Sample], last: Sample, received_ms: Millis, interval_ms: int
) -> tuple[tuple[Timed, ...], ClockState]:
    """The times of the new samples of one uplink, in their order, and the state after it.

    ``last`` is the last sample of the uplink as it stood on the wire, new or not: it was taken when the uplink left.
    All samples of a boot are judged by the offset that is known once the uplink is, so their order does not matter.
    """
    if len(fresh) == 1:
        sample = fresh[0]
        lag_ms = _lag_ms(received_ms, sample.ts_ms)
        state = _observed(state, sample.boot, received_ms, lag_ms, interval_ms)
        return (_timed(state, sample, lag_ms, last, received_ms),), state
    times: list[Timed] = []
    for boot, run in groupby(fresh, key=attrgetter("boot")):
        lagging = [(sample, _lag_ms(received_ms, sample.ts_ms)) for sample in run]
        for _, lag_ms in lagging:
            state = _observed(state, boot, received_ms, lag_ms, interval_ms)
        times.extend(_timed(state, sample, lag_ms, last, received_ms) for sample, lag_ms in lagging)
    return tuple(times), state


def restore(stored: Iterable[Stored], interval_ms: int) -> ClockState:
    """The state after a restart, from a device's stored readings in the order in which they were taken in.

    All of them give the state as it was. A tail gives the same if ``BURSTS_KEPT`` bursts of the last boot lie in it
    after the one in which it begins.
    """
    state = UNHEARD
    for boot, received_ms, device_ms in stored:
        state = _observed(state, boot, received_ms, _lag_ms(received_ms, device_ms), interval_ms)
    return state


def _lag_ms(received_ms: Millis, device_ms: Millis | None) -> int | None:
    """How far the device's clock is behind ours, or ``None`` where there is no time to be believed."""
    if device_ms is None:
        return None
    lag_ms = received_ms - device_ms
    return lag_ms if -FASTEST_MS <= lag_ms <= OLDEST_MS else None


def _observed(state: ClockState, boot: int, received_ms: Millis, lag_ms: int | None, interval_ms: int) -> ClockState:
    """The state after one new sample.

    A sample without a plausible time says nothing about the clock and leaves the state alone. Another boot starts
    anew. What comes less than half an interval after the one before belongs to the same burst, as does, with no time
    between, the rest of a list.
    """
    if lag_ms is None:
        return state
    if boot != state.boot:
        return ClockState(boot, received_ms, (lag_ms,), lag_ms)
    lags_ms = state.lags_ms
    if 2 * (received_ms - state.received_ms) < interval_ms:
        if lag_ms >= lags_ms[-1]:
            return ClockState(boot, received_ms, lags_ms, state.least_lag_ms)
        return ClockState(boot, received_ms, (*lags_ms[:-1], lag_ms), min(state.least_lag_ms, lag_ms))
    if len(lags_ms) < BURSTS_KEPT:
        return ClockState(boot, received_ms, (*lags_ms, lag_ms), min(state.least_lag_ms, lag_ms))
    kept = (*lags_ms[1:], lag_ms)
    # Only when the smallest lag itself drops out do all have to be looked at again.
    least_ms = min(kept) if lags_ms[0] == state.least_lag_ms else min(state.least_lag_ms, lag_ms)
    return ClockState(boot, received_ms, kept, least_ms)


def _timed(state: ClockState, sample: Sample, lag_ms: int | None, last: Sample, received_ms: Millis) -> Timed:
    if lag_ms is None:
        return Timed(received_ms - _age_ms(sample, last), Clock.SERVER, late=False)
    offset_ms = state.least_lag_ms if len(state.lags_ms) >= BURSTS_NEEDED else 0
    late = lag_ms - offset_ms > LATE_FROM_MS
    if offset_ms > CORRECTED_FROM_MS:
        return Timed(received_ms - lag_ms + offset_ms, Clock.CORRECTED, late)
    return Timed(received_ms - lag_ms, Clock.OK, late)


def _age_ms(sample: Sample, last: Sample) -> int:
    """How long before the uplink left a sample was taken, by the device's uptime; 0 where that cannot be told."""
    if sample.up_s is None or last.up_s is None or sample.boot != last.boot:
        return 0
    age_ms = (last.up_s - sample.up_s) * 1_000
    return round(age_ms) if 0 <= age_ms <= OLDEST_MS else 0
