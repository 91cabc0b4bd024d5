"""Rollups depend on the readings alone: not on order, repetition or batches, not on ticks, restarts or crashes."""

from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.build import assemble
from gateway.rollups.roller import StepBounds
from gateway.rollups.scope import RollupScope
from telemetry.clock import OLDEST_MS
from telemetry.reading import Millis, Reading, TimeSource, Values
from tests.laws.test_restart_laws import (
    BINS,
    COUNTY,
    HOUR,
    MINUTE,
    PLANTS,
    POLICY_FILES,
    SECOND,
    START_MS,
    bin_values,
    difference,
    plant_values,
)
from tests.rolling import Rolling

DAY = 24 * HOUR
PLANS = assemble(COUNTY, POLICY_FILES)[0].plans
SCOPE = RollupScope.of(COUNTY, PLANS, dict.fromkeys(COUNTY.devices, START_MS))

QUICK, DEEP = 30, 1_500


@dataclass(frozen=True)
class Heard:
    """Something a device measured, so long after what was measured before, and how long it took to come."""

    after_ms: Millis
    device: str
    boot: int
    values: Values
    delay_ms: Millis
    volume_m3: float | None


gaps = st.sampled_from((0, 1, 7 * MINUTE, 20 * MINUTE, 20 * MINUTE, 50 * MINUTE, HOUR, 3 * HOUR, 11 * HOUR))
delays = st.sampled_from((SECOND, SECOND, 2 * MINUTE, 3 * HOUR, 2 * DAY))
boots = st.sampled_from((1, 1, 2))
volumes = st.sampled_from((None, 0.0, 100.0, 100.5, 104.0, 250.0))


def heard(
    devices: tuple[str, ...], values: st.SearchStrategy[Values], volume: st.SearchStrategy[float | None]
) -> st.SearchStrategy[Heard]:
    """Something that one of these devices measures."""
    return st.builds(Heard, gaps, st.sampled_from(devices), boots, values, delays, volume)


stories = st.lists(heard(BINS, bin_values, st.none()) | heard(PLANTS, plant_values, volumes), min_size=8, max_size=30)


def readings(story: list[Heard]) -> list[Reading]:
    """The story as readings, in the order in which they were measured; the first ones before anything was known."""
    at_ms, found = START_MS - 2 * HOUR, []
    for seq, each in enumerate(story):
        at_ms += each.after_ms
        values = each.values if each.volume_m3 is None else replace(each.values, volume_m3=each.volume_m3)
        asset, came_ms = COUNTY.devices[each.device].asset, at_ms + each.delay_ms
        found.append(
            Reading(each.device, asset, each.boot, seq, at_ms, came_ms, TimeSource.OK, late=False, values=values)
        )
    return found


class Between(Enum):
    """What happens between two batches."""

    NOTHING = 0
    TURN = 1
    WORK = 2
    RESTART = 3
    DIES_BEFORE = 4
    DIES_AFTER = 5


@dataclass(frozen=True)
class Rough:
    """How the readings come: in which order, how often, in how many at once, with what in between."""

    seed: int
    repeats: int
    batch: int
    between: tuple[Between, ...]
    dies_in: tuple[int, ...]
    bounds: StepBounds


roughs = st.builds(
    Rough,
    st.integers(0, 2**32),
    st.integers(0, 5),
    st.integers(1, 8),
    st.lists(st.sampled_from(Between), min_size=4, max_size=8).map(tuple),
    st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
    st.builds(
        StepBounds,
        assets=st.sampled_from((1, 2, 200)),
        days=st.sampled_from((1, 500)),
        page=st.sampled_from((1, 3, 1_000)),
        waiting=st.sampled_from((1, 5, 1_000_000)),
    ),
)


def calm(path: Path, told: list[Reading], end_ms: Millis) -> Rolling:
    """All there in order before any hour is closed."""
    rolling = Rolling(path, SCOPE)
    rolling.turn(START_MS)
    rolling.commit(told)
    rolling.turn(end_ms)
    rolling.until_idle(end_ms + HOUR)
    return rolling


def rough(path: Path, told: list[Reading], end_ms: Millis, how: Rough) -> Rolling:
    """The same readings, as they come in bad weather; none counts for longer ago than a device's clock is believed."""
    random = Random(how.seed)
    rolling = Rolling(path, SCOPE, how.bounds)
    rolling.turn(START_MS)
    left = told + [random.choice(told) for _ in range(how.repeats)]
    random.shuffle(left)
    at_ms, step = START_MS, 0
    while left:
        rolling.commit(left[: how.batch])
        del left[: how.batch]
        between, dies_in = how.between[step % len(how.between)], how.dies_in[step % len(how.dies_in)]
        step += 1
        at_ms = min(at_ms + random.choice((0, MINUTE, 90 * MINUTE, 7 * HOUR, DAY)), end_ms)
        oldest_ms = at_ms - OLDEST_MS
        rolling.commit([reading for reading in left if reading.observed_ms < oldest_ms])
        left = [reading for reading in left if reading.observed_ms >= oldest_ms]
        match between:
            case Between.TURN:
                rolling.turn(at_ms)
            case Between.WORK:
                rolling.until_idle(at_ms)
            case Between.RESTART:
                rolling.restart()
            case Between.DIES_BEFORE | Between.DIES_AFTER:
                rolling.dies_after, rolling.dies_durably = dies_in, between is Between.DIES_AFTER
                rolling.until_idle(at_ms)
    rolling.dies_after = -1
    rolling.turn(end_ms)
    rolling.until_idle(end_ms + HOUR)
    return rolling


def hold(story: list[Heard], how: Rough) -> None:
    told = readings(story)
    end_ms = max(told[-1].observed_ms, START_MS) + 30 * HOUR
    with (
        TemporaryDirectory() as made,
        closing(calm(Path(made) / "calm.db", told, end_ms)) as once,
        closing(rough(Path(made) / "rough.db", told, end_ms, how)) as again,
    ):
        assert not difference(again.tables(), once.tables())
        assert not difference(again.standing(), once.standing())
        assert again.metrics.rollup_bugs._value.get() == again.metrics.rollup_frozen._value.get() == 0


@settings(max_examples=QUICK, deadline=None)
@given(stories, roughs)
def test_any_order_repetition_batch_tick_restart_and_crash_give_the_same_rows(story: list[Heard], how: Rough) -> None:
    hold(story, how)


@pytest.mark.deep
@settings(max_examples=DEEP, deadline=None)
@given(stories, roughs)
def test_rows_are_the_same_in_thousands_of_stories(story: list[Heard], how: Rough) -> None:
    hold(story, how)
