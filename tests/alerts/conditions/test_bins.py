"""What a bin's sample means, at the edges of each number: distance to level, what counts as blind, bad or emptied."""

from itertools import count
from math import cos, radians
from typing import Final

import pytest

from alerts.conditions import bins
from alerts.conditions.bins import BinMemory, BinSight, Emptying, look
from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Quality, Reading, TimeSource, Values

POOL: Final = BinGeometry(empty_mm=1200, full_mm=200, blind_mm=250)
"""Ten millimetres are one percent."""
AT_MS: Final[Millis] = 1_000_000
COUNTED: Final = count()


def sample(values: Values) -> Reading:
    return Reading("d", "a", 1, next(COUNTED), AT_MS, AT_MS, TimeSource.OK, late=False, values=values)


def at_level(pct: float) -> float:
    return 1200 - 10 * pct


def lived(*levels: float, memory: BinMemory = BinMemory()) -> tuple[list[Emptying | None], BinMemory]:  # noqa: B008 -- frozen
    """What each of these levels in turn was seen to be, and what they leave behind."""
    seen = []
    for level in levels:
        sight, memory = look(POOL, memory, sample(Values(distance_mm=at_level(level))))
        seen.append(sight.emptying)
    return seen, memory


@pytest.mark.parametrize(
    ("distance_mm", "quality", "fill"),
    [
        (1200, Quality.GOOD, 0.0),
        (700, Quality.GOOD, 50.0),
        (697.7, Quality.GOOD, 50.2),
        (1210, Quality.GOOD, 0.0),
        (1380, Quality.GOOD, 0.0),
        (1380.1, Quality.BAD, None),
        (250, Quality.GOOD, 95.0),
        (249.9, Quality.BLIND, None),
        (0, Quality.BAD, None),
        (8190, Quality.BAD, None),
        (65535, Quality.BAD, None),
    ],
)
def test_a_distance_is_a_level_blind_or_bad(distance_mm: float, quality: Quality, fill: float | None) -> None:
    sight, memory = look(POOL, BinMemory(), sample(Values(distance_mm=distance_mm)))
    assert (sight.quality, sight.fill_pct) == (quality, fill)
    good = -1.0 if fill is None else fill
    assert (memory.good_pct, memory.fill_pct, memory.fill_ms) == (good, good, 0 if fill is None else AT_MS)
    assert bins.stated_pct(POOL, Values(distance_mm=distance_mm)) == fill


@pytest.mark.parametrize(("distance_mm", "fill"), [(0, None), (8190, None), (65535, None), (8189, 86.5), (8191, 86.5)])
def test_what_a_sensor_says_when_it_saw_nothing_is_no_distance_however_deep_it_is(
    distance_mm: float, fill: float | None
) -> None:
    shaft = BinGeometry(empty_mm=60_000, full_mm=100, blind_mm=0)
    assert bins.stated_pct(shaft, Values(distance_mm=distance_mm)) == fill


def test_above_the_full_line_it_is_full_and_no_more() -> None:
    deep = BinGeometry(empty_mm=1200, full_mm=200, blind_mm=100)
    sight, _ = look(deep, BinMemory(), sample(Values(distance_mm=150)))
    assert sight.fill_pct == 100.0


def test_what_comes_near_the_sensor_is_full_after_a_high_level_or_three_times_in_a_row() -> None:
    for good, expected in ((70.0, 95.0), (69.9, None)):
        sight, memory = look(POOL, BinMemory(good_pct=good), sample(Values(distance_mm=200)))
        assert (sight.quality, sight.fill_pct, memory.good_pct) == (Quality.BLIND, expected, good)
    memory, found = BinMemory(), []
    for distance in (200, 200, 200, 200, 1000, 200):
        sight, memory = look(POOL, memory, sample(Values(distance_mm=distance)))
        found.append((sight.fill_pct, memory.blind_run))
    assert found == [(None, 1), (None, 2), (95.0, 3), (95.0, 4), (20.0, 0), (None, 1)]
    assert bins.stated_pct(POOL, Values(distance_mm=200)) is None


@pytest.mark.parametrize(
    ("tilt", "fill"),
    [
        ({"tilt_deg": 4.9}, 50.0),
        ({"tilt_deg": 5.0}, round((1200 - 700 * cos(radians(5))) / 10, 1)),
        ({"tilt_deg": 29.9}, round((1200 - 700 * cos(radians(29.9))) / 10, 1)),
        ({"tilt_deg": 30.0}, None),
        ({"tilt_flag": 1.0}, None),
        ({"tilt_flag": 1.0, "tilt_deg": 3.0}, None),
        ({"tilt_flag": 0.0}, 50.0),
        ({"tilt_flag": 0.0, "tilt_deg": 31.0}, None),
    ],
)
def test_a_leaning_bin_is_measured_along_its_axis_until_it_leans_too_far(
    tilt: dict[str, float], fill: float | None
) -> None:
    sight, _ = look(POOL, BinMemory(), sample(Values(distance_mm=700, **tilt)))
    assert sight.fill_pct == fill
    assert bins.stated_pct(POOL, Values(distance_mm=700, **tilt)) == fill


@pytest.mark.parametrize(
    ("said", "tilt"),
    [
        ({}, None),
        ({"tilt_deg": 12.0}, 12.0),
        ({"tilt_flag": 0.0}, 0.0),
        ({"tilt_flag": 0.0, "tilt_deg": 12.0}, 12.0),
        ({"tilt_flag": 1.0}, 30.0),
        ({"tilt_flag": 1.0, "tilt_deg": 12.0}, 30.0),
        ({"tilt_flag": 1.0, "tilt_deg": 44.0}, 44.0),
    ],
)
def test_a_flag_of_tilt_is_thirty_degrees_at_least(said: dict[str, float], tilt: float | None) -> None:
    sight, memory = look(POOL, BinMemory(tilt_deg=7.0), sample(Values(**said)))
    assert (sight.tilt_deg, memory.tilt_deg) == (tilt, 7.0 if tilt is None else tilt)


def test_a_sample_that_does_not_speak_of_it_leaves_what_was() -> None:
    before = BinMemory(50.0, 2, 40.0, 7, 60.0, 55.0, 3, 21.0, 5, 4.0, full_flag=True, fire_flag=True)
    sight, after = look(POOL, before, sample(Values(battery_pct=90)))
    assert (sight.quality, sight.fill_pct, sight.emptying, sight.tilt_deg) == (None, None, None, None)
    assert (sight.temperature_c, sight.before_c, sight.before_ms) == (None, 21.0, 5)
    assert (sight.full, sight.fire) == (False, False)
    assert after == BinMemory(50.0, 2, 40.0, 7, 60.0, 55.0, 3, 21.0, 5, 4.0)


def test_flags_and_warmth_are_as_the_sample_says() -> None:
    sight, after = look(POOL, BinMemory(), sample(Values(full_flag=1.0, fire_flag=1.0, temperature_c=0.0)))
    assert (sight.full, sight.fire, sight.temperature_c, sight.observed_ms) == (True, True, 0.0, AT_MS)
    assert (after.full_flag, after.fire_flag, after.temperature_c, after.temperature_ms) == (True, True, 0.0, AT_MS)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((80, 10, 10), Emptying(80, 10, wholly=True)),
        ((80, 10, 15), Emptying(80, 15, wholly=True)),
        ((80, 10), None),
        ((25, 15, 15), Emptying(25, 15, wholly=True)),
        ((24.9, 15, 15), None),
        ((10, 2, 2), Emptying(10, 2, wholly=True)),
        ((9.9, 2, 2), None),
        ((80, 60, 60), Emptying(80, 60, wholly=False)),
        ((80, 60.1, 60.1), None),
        ((36, 16, 16), Emptying(36, 16, wholly=False)),
        ((80, 60, 10), None),
        ((80, 60, 10, 10), Emptying(80, 10, wholly=True)),
        ((80, 10, 60), None),
        ((80, 15, 60), None),
        ((80, 15.1, 60), Emptying(80, 60, wholly=False)),
        ((80, 10, 75, 10), None),
        ((80, 70, 60, 60), Emptying(80, 60, wholly=False)),
        ((80, 70, 75, 60), None),
        ((80, 70, 70, 60, 60), None),
        ((80, 70, 69.9, 60, 60), Emptying(80, 60, wholly=False)),
        ((80, 0, 0), Emptying(80, 0, wholly=True)),
    ],
)
def test_an_emptying_is_seen_by_two_samples_from_the_crest_of_the_fall(
    levels: tuple[float, ...], expected: Emptying | None
) -> None:
    seen, memory = lived(*levels)
    assert seen[:-1] == [None] * (len(levels) - 1)
    assert seen[-1] == expected
    assert memory.emptied_ms == (AT_MS if expected is not None and expected.wholly else 0)


def test_a_fall_that_is_no_emptying_yet_awaits_its_second_sample_and_a_small_one_awaits_none() -> None:
    for to_pct, awaited in ((72.1, -1.0), (72.0, -1.0), (60.1, -1.0), (60.0, 80.0), (15.0, 80.0)):
        _, memory = lived(80, to_pct)
        assert (memory.fallen_pct, memory.crest_pct, memory.emptied_ms) == (awaited, 80.0, 0)


def test_after_an_emptying_the_next_begins_at_its_own_crest() -> None:
    _, memory = lived(80, 10, 10)
    assert (memory.fallen_pct, memory.crest_pct) == (-1.0, 10.0)
    seen, _ = lived(10, 30, 5, 5, memory=memory)
    assert seen == [None, None, None, Emptying(30, 5, wholly=True)]


def test_what_was_remembered_is_seen_once_more_and_says_nothing_else() -> None:
    memory = BinMemory(fill_pct=66.0, fill_ms=7, full_flag=True, fire_flag=True, temperature_c=50.0, tilt_deg=40.0)
    assert bins.recall(memory) == BinSight(
        Quality.GOOD,
        66.0,
        full=True,
        temperature_c=None,
        before_c=None,
        before_ms=0,
        tilt_deg=None,
        fire=False,
        observed_ms=7,
        emptying=None,
    )


def test_when_it_was_emptied_and_how_warm_it_was_is_asked_of_bins_alone() -> None:
    memory = BinMemory(emptied_ms=9, temperature_c=40.0, temperature_ms=100)
    assert (bins.emptied_ms(memory), bins.emptied_ms(object())) == (9, 0)
    found = [bins.recent_c(memory, at_ms, 50) for at_ms in (49, 50, 100, 150, 151)]
    assert found == [None, 40.0, 40.0, 40.0, None]
    assert bins.recent_c(object(), 100, 50) is None


def test_of_a_bin_of_which_nothing_was_heard_nothing_is_remembered() -> None:
    assert BinMemory() == BinMemory(-1.0, 0, -1.0, 0, -1.0, -1.0, 0, None, 0, 0.0, full_flag=False, fire_flag=False)
