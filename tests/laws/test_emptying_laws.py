"""When a bin was emptied: what no excursion, no gap and no restart may bring about, and what none may hide."""

from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.conditions.bins import BinMemory, Emptying, look
from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Reading, TimeSource, Values

POOL = BinGeometry(empty_mm=1200, full_mm=200, blind_mm=250)
"""Ten millimetres are one percent."""
MINUTE = 60_000
QUICK, DEEP = 60, 5_000

levels = st.integers(0, 950).map(lambda tenths: tenths / 10)
low = st.floats(0, 8)
wobble = st.lists(st.integers(-10, 10).map(lambda tenths: tenths / 10), min_size=90, max_size=90)
SILENT = (Values(battery_pct=80.0), Values(distance_mm=0.0), Values(distance_mm=8190.0), Values(temperature_c=9.0))


def lived(said: list[Values], every_ms: Millis = 20 * MINUTE, memory: BinMemory | None = None) -> list[Emptying | None]:
    """What each sample in turn was seen to be."""
    seen, numbers = [], count()
    memory = memory or BinMemory()
    for number, values in zip(numbers, said, strict=False):
        at_ms = (number + 1) * every_ms
        reading = Reading("d", "a", 1, number, at_ms, at_ms, TimeSource.OK, late=False, values=values)
        sight, memory = look(POOL, memory, reading)
        seen.append(sight.emptying)
    return seen


def at(*pcts: float) -> list[Values]:
    return [Values(distance_mm=round(1200 - 10 * min(max(pct, 0.0), 95.0), 1)) for pct in pcts]


def hold_excursion(stands: float, to: float, length: int, wobbles: list[float]) -> None:
    """A bag, a lid, an echo: however far and long it goes up within one interval, its return is no event."""
    off = iter(wobbles)
    calm = [stands + next(off) / 2 for _ in range(6)]
    up = [to + next(off) / 2 for _ in range(length)]
    back = [stands + next(off) / 2 for _ in range(12)]
    assert [each for each in lived(at(*calm, *up, *back)) if each is not None] == []


@settings(max_examples=QUICK, deadline=None)
@given(st.floats(1, 60), st.floats(15, 90), st.integers(1, 60), wobble)
def test_what_goes_up_within_one_interval_and_comes_back_was_not_emptied(
    stands: float, by: float, length: int, wobbles: list[float]
) -> None:
    hold_excursion(stands, min(stands + by, 94.0), length, wobbles)


def hold_visit(found: float, left: float, wobbles: list[float], stray: int) -> None:
    """Whoever empties a bin is seen at the second low sample, whatever one stray echo said before."""
    off = iter(wobbles)
    content = [found + next(off) / 2 for _ in range(8)]
    if stray < len(content) - 1:
        content[stray] = 95.0
    seen = lived(at(*content, left, left))
    assert [each for each in seen[:-1] if each is not None] == []
    assert seen[-1] is not None
    assert seen[-1].wholly
    assert abs(seen[-1].from_pct - found) < 8.0 + 1.0


@settings(max_examples=QUICK, deadline=None)
@given(st.floats(20, 90), low, wobble, st.integers(1, 12))
def test_a_visit_is_seen_at_the_second_low_sample(found: float, left: float, wobbles: list[float], stray: int) -> None:
    hold_visit(found, left, wobbles, stray)


@settings(max_examples=QUICK, deadline=None)
@given(levels, st.lists(levels, min_size=2, max_size=30))
def test_no_single_level_says_from_where_it_fell(first: float, pcts: list[float]) -> None:
    """From which level it fell, at least one more reading had been about as high."""
    pcts = [first, first, *pcts]
    for place, found in enumerate(lived(at(*pcts))):
        if found is not None:
            near = [pct for pct in pcts[:place] if pct > found.from_pct - 8.05]
            assert len(near) >= 2, (place, found)


def hold_gaps(pcts: list[float], gaps: list[tuple[int, Values]], every_ms: Millis) -> None:
    """Samples that say nothing of the level change neither what is seen nor at which sample."""
    said = at(*pcts)
    once = lived(said, every_ms)
    stamped = [(float(number), values) for number, values in enumerate(said)]
    stamped += [(place + 0.5, values) for place, values in gaps]
    memory, numbers, again = BinMemory(), count(), []
    for when, values in sorted(stamped, key=lambda each: each[0]):
        at_ms = round((when + 1) * every_ms)
        reading = Reading("d", "a", 1, next(numbers), at_ms, at_ms, TimeSource.OK, late=False, values=values)
        sight, memory = look(POOL, memory, reading)
        if when == int(when):
            again.append(sight.emptying)
        else:
            assert sight.emptying is None
    assert again == once


gaps = st.lists(st.tuples(st.integers(-1, 40), st.sampled_from(SILENT)), max_size=12)


@settings(max_examples=QUICK, deadline=None)
@given(st.lists(levels, min_size=1, max_size=30), gaps, st.sampled_from((MINUTE, 20 * MINUTE, 360 * MINUTE)))
def test_missing_levels_change_no_verdict(pcts: list[float], gaps: list[tuple[int, Values]], every_ms: Millis) -> None:
    hold_gaps(pcts, gaps, every_ms)


@settings(max_examples=QUICK, deadline=None)
@given(st.lists(levels, min_size=1, max_size=60), st.integers(0, 60))
def test_what_is_remembered_is_small_and_goes_on_equal_from_its_bytes(pcts: list[float], cut: int) -> None:
    memory = BinMemory()
    for number, values in enumerate(at(*pcts[:cut])):
        at_ms = (number + 1) * 20 * MINUTE
        reading = Reading("d", "a", 1, number, at_ms, at_ms, TimeSource.OK, late=False, values=values)
        memory = look(POOL, memory, reading)[1]
    assert len(memory.recent) <= 32
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=BinMemory)
    assert again == memory
    assert lived(at(*pcts[cut:]), memory=again) == lived(at(*pcts[cut:]), memory=memory)


def hold_scale(steps: list[float], every_ms: Millis, times: float) -> None:
    """A device that reports half as often of a life half as quick sees the same emptyings, each in twice the time."""
    pcts, level = [30.0, 30.0, 30.0], 30.0
    for step in steps:
        level = 4.0 if level + step > 90 else level + step
        pcts += [level] if level > 4.0 else [4.0, 4.0, 4.0]
    seen, slower = lived(at(*pcts), every_ms), lived(at(*pcts), round(every_ms * times))
    assert [each is not None and each.wholly for each in seen] == [each is not None and each.wholly for each in slower]


@settings(max_examples=QUICK, deadline=None)
@given(st.lists(st.floats(0, 7), max_size=60), st.integers(5, 24), st.floats(1, 2))
def test_scaling_time_scales_delays(steps: list[float], every_min: int, times: float) -> None:
    hold_scale(steps, every_min * MINUTE, times)


def hold_one_event(found: float, part: float, left: float, after: int) -> None:
    """A visit that takes a part, and within it the rest, is one emptying."""
    seen = lived(at(*[found] * 6, *[found * part] * after, *[left] * 12))
    assert [each.wholly for each in seen if each is not None] == [True]


@settings(max_examples=QUICK, deadline=None)
@given(st.floats(30, 95), st.floats(0.3, 0.9), low, st.integers(0, 2))
def test_one_visit_is_one_event(found: float, part: float, left: float, after: int) -> None:
    hold_one_event(found, part, left, after)


@pytest.mark.deep
@settings(max_examples=DEEP, deadline=None)
@given(st.lists(levels, min_size=1, max_size=30), gaps, st.sampled_from((MINUTE, 20 * MINUTE, 360 * MINUTE)))
def test_missing_levels_change_no_verdict_in_thousands_of_lives(
    pcts: list[float], gaps: list[tuple[int, Values]], every_ms: Millis
) -> None:
    hold_gaps(pcts, gaps, every_ms)


@pytest.mark.deep
@settings(max_examples=DEEP, deadline=None)
@given(st.floats(1, 60), st.floats(15, 90), st.integers(1, 60), wobble)
def test_no_excursion_of_thousands_was_an_emptying(stands: float, by: float, length: int, wobbles: list[float]) -> None:
    hold_excursion(stands, min(stands + by, 94.0), length, wobbles)
