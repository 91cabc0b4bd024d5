"""Which time a sample counts for (design.md §5 "Time", alerting.md §1 "Event time").

All state is an immutable ``ClockState`` that the caller keeps per device and can rebuild from stored readings.
Only samples that are new come here, so that redelivery changes nothing. No clock is read: time is an argument.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from telemetry.reading import Millis, Reading, Sample, TimeSource

OLDEST_MS: Final = 7 * 86_400_000
"""How far behind the receive time a device's clock may be and still be believed."""

FASTEST_MS: Final = 5 * 60_000
"""How far ahead of it."""

BURSTS_KEPT: Final = 20
BURSTS_NEEDED: Final = 3
CORRECTED_FROM_MS: Final = 10 * 60_000
LATE_FROM_MS: Final = 2 * 3_600_000
AS_EVER_MS: Final = 60_000
"""A device's lag never falls by more than this while neither clock is set."""


class ClockState(Struct, frozen=True, gc=False):
    """What is known of a device's clock since its boot.

    ``lags_ms`` holds the smallest lag of each of the last bursts, oldest first; the last one may still be going on.
    A lag is receive time minus device time; it is negative if the device's clock is ahead. ``supposed_ms`` is by how
    much all of them were raised because our own clock was set, until the device says which of the clocks was wrong.
    """

    boot: int = -1
    received_ms: Millis = 0
    lags_ms: tuple[int, ...] = ()
    least_lag_ms: int = 0
    supposed_ms: int = 0


UNHEARD: Final = ClockState()
"""The state of a device that was never heard."""


class Timed(Struct, frozen=True, gc=False):
    """The time a sample counts for, where it is from, and whether it came too late to wake anybody."""

    observed_ms: Millis
    clock: TimeSource
    late: bool


def read(device: str, asset: str, sample: Sample, timed: Timed, received_ms: Millis) -> Reading:
    """What a device measured by a new sample, at the time that it counts for; the one place where a reading is made."""
    return Reading(
        device,
        asset,
        sample.boot,
        sample.seq,
        timed.observed_ms,
        received_ms,
        timed.clock,
        timed.late,
        sample.values,
        sample.ts_ms,
        None,
        sample.fingerprint,
    )


class Stored(NamedTuple):
    """What a stored reading remembers of its device's clock."""

    boot: int
    received_ms: Millis
    device_ms: Millis | None


def judge(
    state: ClockState, fresh: Sequence[Sample], said: Sequence[Sample], received_ms: Millis, interval_ms: int
) -> tuple[tuple[Timed, ...], ClockState]:
    """The times of the new samples of one uplink, in their order, and the state after it.

    ``said`` is the uplink as it stood on the wire, those new samples themselves and others: its newest was taken when
    the uplink left.
    All samples of a boot are judged by the offset that is known once the uplink is, so their order does not matter.
    """
    if len(said) == 1:
        sample = fresh[0]
        lag_ms = _lag_ms(received_ms, sample.ts_ms)
        state = _observed(state, sample.boot, received_ms, lag_ms, interval_ms)
        return (_timed(lag_ms, _offset_ms(state), received_ms, received_ms),), state
    offsets_ms: dict[int, int] = {}
    for sample in fresh:
        state = _observed(state, sample.boot, received_ms, _lag_ms(received_ms, sample.ts_ms), interval_ms)
        if state.boot == sample.boot:
            offsets_ms[sample.boot] = _offset_ms(state)
    places = _placed(said, received_ms, offsets_ms)
    return tuple(places[id(sample)] for sample in fresh), state


def _placed(said: Sequence[Sample], received_ms: Millis, offsets_ms: Mapping[int, int]) -> dict[int, Timed]:
    """Each sample of a list by its ``id``: at its own time where that may be believed, else by the spacing.

    A device's clock is believed in a list if its newest time of that boot is plausible: one that is hours ahead gives
    the oldest of a backlog plausible times as well. Whatever is not believed lies as far before the sample after it as
    the device says, so that a backlog never collapses to one instant.
    """
    places: dict[int, Timed] = {}
    after: Sample | None = None
    after_ms = received_ms
    for run in reversed(_runs(said)):
        newest_ms = next((sample.ts_ms for sample in reversed(run) if sample.ts_ms is not None), None)
        believed = _lag_ms(received_ms, newest_ms) is not None
        for sample in reversed(run):
            gap_ms = _gap_ms(sample, after)
            stamped_alike = after is not None and sample.ts_ms == after.ts_ms and gap_ms > 0
            lag_ms = _lag_ms(received_ms, sample.ts_ms) if believed and not stamped_alike else None
            timed = _timed(lag_ms, offsets_ms.get(sample.boot, 0), received_ms, after_ms - gap_ms)
            places[id(sample)] = timed
            after, after_ms = sample, min(timed.observed_ms, received_ms)
    return places


def _runs(said: Sequence[Sample]) -> list[list[Sample]]:
    """A list's samples, oldest first, a run for each boot; some devices send the newest first."""
    runs = [list(run) for _, run in groupby(said, key=attrgetter("boot"))]
    falls = sum(b.seq < a.seq for run in runs for a, b in pairwise(run))
    rises = sum(b.seq > a.seq for run in runs for a, b in pairwise(run))
    ordered = [sorted(run, key=attrgetter("seq")) for run in runs]
    return ordered[::-1] if falls > rises else ordered


def _gap_ms(sample: Sample, after: Sample | None) -> int:
    """How long before the one after it a sample was taken: by the uptime, else by the clock if it rises plausibly.

    0 where neither can tell; the newest of a list was taken when it left.
    """
    if after is None:
        return 0
    if sample.up_s is not None and after.up_s is not None and sample.boot == after.boot:
        gap_ms = round((after.up_s - sample.up_s) * 1_000)
        if 0 <= gap_ms <= OLDEST_MS:
            return gap_ms
    if sample.ts_ms is not None and after.ts_ms is not None:
        gap_ms = after.ts_ms - sample.ts_ms
        if 0 <= gap_ms <= OLDEST_MS:
            return gap_ms
    return 0


def restore(stored: Iterable[Stored], interval_ms: int) -> ClockState:
    """The state after a restart, from a device's stored readings in the order in which they were taken in.

    All of them give the state as it was. A tail gives the same if ``BURSTS_KEPT`` bursts of the last boot lie in it
    after the one in which it begins.
    """
    state = UNHEARD
    for boot, received_ms, device_ms in stored:
        state = _observed(state, boot, received_ms, _lag_ms(received_ms, device_ms), interval_ms)
    return state


def stepped(state: ClockState, by_ms: int) -> ClockState:
    """The state after our own clock was set forward: the device's is supposed to have stayed as it was (law L13)."""
    if not state.lags_ms:
        return state
    lags_ms = tuple(lag_ms + by_ms for lag_ms in state.lags_ms)
    supposed_ms = state.supposed_ms + by_ms
    return ClockState(state.boot, state.received_ms + by_ms, lags_ms, state.least_lag_ms + by_ms, supposed_ms)


def _known(state: ClockState, lag_ms: int) -> ClockState:
    """Whether a set clock of ours was right before or is now, by the first lag that a device shows after it.

    One that has hardly changed against ours as it was before says that so much time has passed in truth.
    """
    supposed_ms = state.supposed_ms
    if lag_ms < state.least_lag_ms - AS_EVER_MS:
        lags_ms = tuple(lag_ms - supposed_ms for lag_ms in state.lags_ms)
        return ClockState(state.boot, state.received_ms, lags_ms, state.least_lag_ms - supposed_ms)
    return ClockState(state.boot, state.received_ms, state.lags_ms, state.least_lag_ms)


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
    if state.supposed_ms:
        state = _known(state, lag_ms)
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


def _offset_ms(state: ClockState) -> int:
    """By how much the device's clock is steadily behind, once that is known."""
    return state.least_lag_ms if len(state.lags_ms) >= BURSTS_NEEDED else 0


def _timed(lag_ms: int | None, offset_ms: int, received_ms: Millis, placed_ms: Millis) -> Timed:
    """By the device's clock and its offset; without a lag, where the sample was placed without its clock."""
    if lag_ms is None:
        return Timed(placed_ms, TimeSource.SERVER, late=received_ms - placed_ms > LATE_FROM_MS)
    late = lag_ms - offset_ms > LATE_FROM_MS
    if offset_ms > CORRECTED_FROM_MS:
        return Timed(received_ms - lag_ms + offset_ms, TimeSource.CORRECTED, late)
    return Timed(received_ms - lag_ms, TimeSource.OK, late)
