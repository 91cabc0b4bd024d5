"""What a bin's sample means, at the edges of each number: distance to level, what counts as blind, bad or emptied."""

from itertools import count
from math import cos, radians
from typing import Final, TypeAlias

import pytest

from alerts.conditions import bins
from alerts.conditions.bins import BinMemory, BinSight, Emptying, Turn, look
from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Quality, Reading, TimeSource, Values

POOL: Final = BinGeometry(empty_mm=1200, full_mm=200, blind_mm=250)
"""Ten millimetres are one percent."""
AT_MS: Final[Millis] = 1_000_000
MINUTE: Final[Millis] = 60_000
COUNTED: Final = count()
Lived: TypeAlias = tuple[list[Emptying | None], BinMemory]


def sample(values: Values, at_ms: Millis = AT_MS) -> Reading:
    return Reading("d", "a", 1, next(COUNTED), at_ms, at_ms, TimeSource.OK, late=False, values=values)


def at_level(pct: float) -> float:
    return 1200 - 10 * pct


def lived(*levels: float, memory: BinMemory = BinMemory(), every: Millis = 20 * MINUTE) -> Lived:  # noqa: B008 -- frozen
    """What each of these levels in turn was seen to be, and what they leave behind."""
    seen, at_ms = [], memory.fill_ms or AT_MS - every
    for level in levels:
        at_ms += every
        sight, memory = look(POOL, memory, sample(Values(distance_mm=at_level(level)), at_ms))
        seen.append(sight.emptying)
    return seen, memory


@pytest.mark.parametrize(
    ("distance_mm", "quality", "fill"),
    [
        (1200, Quality.GOOD, 0.0),
        (700, Quality.GOOD, 50.0),
        (697.7, Quality.GOOD, 50.2),
        (1210, Quality.GOOD, 0.0),
        (1249.9, Quality.GOOD, 0.0),
        (1250, Quality.BEYOND, None),
        (1800, Quality.BEYOND, None),
        (1800.1, Quality.BAD, None),
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


def test_the_deeper_the_bin_the_further_its_floor_may_be() -> None:
    shaft = BinGeometry(empty_mm=3_000, full_mm=200, blind_mm=250)
    found = [look(shaft, BinMemory(), sample(Values(distance_mm=each)))[0].quality for each in (3_089, 3_090)]
    assert found == [Quality.GOOD, Quality.BEYOND]


def test_what_looks_past_the_bin_leaves_no_level_and_does_not_interrupt() -> None:
    seen, memory = lived(80, 80, 80, -6, -6, 80)
    assert (seen, memory.fill_pct, memory.emptied_ms) == ([None] * 6, 80.0, 0)
    assert lived(80, 80, 4, -6, 4)[0][-1] == Emptying(80, 4, wholly=True)


@pytest.mark.parametrize(
    ("said", "felt"),
    [
        ((20.0, 85.0, 20.0), [20.0, None, 20.0]),
        ((20.0, 85.0, None, 85.0, 85.0), [20.0, None, None, 85.0, 85.0]),
        ((127.0, 85.0), [None, 85.0]),
        ((85.0, 21.0, 85.0), [None, 21.0, None]),
        ((84.9, 85.1, 126.9), [84.9, 85.1, 126.9]),
    ],
)
def test_a_thermometer_that_began_anew_is_believed_the_second_time(
    said: tuple[float | None, ...], felt: list[float | None]
) -> None:
    memory, seen = BinMemory(), list[float | None]()
    for warmth in said:
        sight, memory = look(POOL, memory, sample(Values(temperature_c=warmth, distance_mm=1000)))
        seen.append(sight.temperature_c)
    assert seen == felt
    assert memory.temperature_c == next(each for each in reversed(felt) if each is not None)
    flagged, _ = look(POOL, BinMemory(), sample(Values(temperature_c=85.0, fire_flag=1.0)))
    assert flagged.temperature_c == 85.0


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
        ((25, 25, 15, 15), Emptying(25, 15, wholly=True)),
        ((24.9, 24.9, 15, 15), None),
        ((10, 10, 2, 2), Emptying(10, 2, wholly=True)),
        ((9.9, 9.9, 2, 2), None),
        ((80, 80, 60, 10), None),
        ((80, 80, 60, 10, 10), Emptying(80, 10, wholly=True)),
        ((80, 80, 10, 60), None),
        ((80, 80, 10, 75, 10), None),
        ((80, 80, 70, 30, 5, 5), Emptying(80, 5, wholly=True)),
        ((80, 80, 0, 0), Emptying(80, 0, wholly=True)),
        ((22, 22, 10, 15), Emptying(22, 15, wholly=True)),
        ((22, 22, 10, 16.1), None),
        ((40, 40, 5, 14), Emptying(40, 14, wholly=True)),
        ((26, 26, 0, 13), Emptying(26, 13, wholly=True)),
        ((26, 26, 0, 13.1), None),
        ((80, 60, 5, 5), Emptying(80, 5, wholly=True)),
    ],
)
def test_an_emptying_is_confirmed_by_a_second_low_level(levels: tuple[float, ...], expected: Emptying | None) -> None:
    seen, memory = lived(*levels)
    assert seen[:-1] == [None] * (len(levels) - 1)
    assert seen[-1] == expected
    assert memory.emptied_ms == (memory.fill_ms if expected is not None else 0)


@pytest.mark.parametrize(
    "levels",
    [
        (8.2, 8.2, 8.2, 8.2, 82.4, 8.2, 8.2, 8.2),  # a stray near echo
        (8, 8, 8, 82, 8, 60, 8, 8),
        (8, 8, 8, 82, 82, 8, 8, 8),  # a bag before the lens
        (8, 8, 8, *[82] * 40, 8, 8, 8),
        (8, 8, 8, *[82] * 40, 14, 14, 14),  # and meanwhile some came under it
        (30, 30, 30, *[82] * 9, 31, 31, 31, 31, 31),
        (80, 80, 80, 3, 80, 80, 3, 80, 80),  # an open lid
        (40, 38, 36, 34, 32, 30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10),  # it settles
        (22, 22, 14.1, 14.1, 14.1),
    ],
)
def test_what_comes_and_goes_or_settles_is_no_emptying(levels: tuple[float, ...]) -> None:
    seen, memory = lived(*levels)
    assert [each for each in seen if each is not None] == []
    assert memory.emptied_ms == 0


def test_one_stray_level_does_not_say_from_where_it_fell() -> None:
    for stray in (82, 95, 100):
        seen, _ = lived(50, 50, 50, stray, 50, 3, 3)
        assert seen[-1] == Emptying(50, 3, wholly=True)
    seen, _ = lived(50, 50, 50, 82, 3, 3)
    assert seen[-1] == Emptying(50, 3, wholly=True)


def test_what_is_taken_from_under_a_bag_is_an_emptying() -> None:
    for stood, left in ((10, 2), (40, 5), (30, 14)):
        seen, _ = lived(stood, stood, stood, *[85] * 9, left, left)
        assert seen[-1] == Emptying(85, left, wholly=True)


def test_what_fills_on_after_a_jump_is_content() -> None:
    seen, _ = lived(5, 5, 5, 30, 33, 36, 40, 44, 48, 3, 3)
    assert seen[-1] == Emptying(40, 3, wholly=True)


@pytest.mark.parametrize(
    ("levels", "told_at"),
    [
        ((80, 80, 58, 58, 58, 58, 58), 5),
        ((80, 80, 70, 60, 59, 58, 58), 6),
        ((36, 36, 16, 16, 16, 16, 16), 5),
    ],
)
def test_a_part_is_told_when_the_visit_must_be_over(levels: tuple[float, ...], told_at: int) -> None:
    seen, memory = lived(*levels)
    assert [place for place, each in enumerate(seen) if each is not None] == [told_at]
    assert seen[told_at] == Emptying(levels[0], levels[told_at], wholly=False)
    assert (memory.emptied_ms, memory.fallen_pct) == (0, -1.0)


def test_what_is_too_little_or_comes_back_before_the_visit_is_over_is_no_part() -> None:
    for levels in ((80, 80, 60.1, 60.1, 60.1, 60.1), (80, 80, 58, 58, 58), (80, 80, 58, 58, 70, 70, 70)):
        assert lived(*levels)[0] == [None] * len(levels)


def test_a_slow_device_tells_a_part_by_its_second_level() -> None:
    assert lived(80, 80, 58, 58, every=60 * MINUTE)[0][-1] == Emptying(80, 58, wholly=False)
    assert lived(80, 80, 58, 58, every=50 * MINUTE)[0][-1] == Emptying(80, 58, wholly=False)
    assert lived(80, 80, 58, 58, every=49 * MINUTE)[0][-1] is None


def test_a_visit_that_takes_a_part_and_then_the_rest_is_one_emptying() -> None:
    for levels in ((80, 80, 50, 50, 4, 4, 4, 4), (80, 80, 50, 50, 50, 4, 4), (80, 80, 14, 14, 3, 3, 3)):
        seen, _ = lived(*levels)
        assert sum(each is not None and each.wholly for each in seen) == 1
        assert sum(each is not None for each in seen) == 1


def test_what_settles_long_after_an_emptying_is_another() -> None:
    seen, _ = lived(80, 80, 14, 14, 14, 14, 14, 3, 3)
    assert [each for each in seen if each is not None] == [
        Emptying(80, 14, wholly=True),
        Emptying(14, 3, wholly=True),
    ]


@pytest.mark.parametrize(
    ("levels", "every_min", "expected"),
    [
        ((20, 40, 60, 5, 15), 360, Emptying(40, 15, wholly=True)),
        ((20, 40, 60, 5, 30), 360, None),
        ((60, 60, 5, 30), 360, Emptying(60, 30, wholly=True)),
        ((60, 60, 5, 30), 20, None),
        ((60, 60, 5, 36.1), 360, Emptying(60, 36.1, wholly=False)),
        ((60, 60, 5, 40.1), 360, None),
        ((60, 60, 40, 5, 5), 1_440, Emptying(60, 5, wholly=True)),
        ((3, 3, 40, 65, 4, 4), 1_440, Emptying(40, 4, wholly=True)),
        ((3, 3, 40, 41, 4, 4), 360, Emptying(41, 4, wholly=True)),
        ((3, 3, 3, 40, 3, 3), 360, None),
    ],
)
def test_of_a_slow_device_two_levels_tell(levels: tuple[float, ...], every_min: int, expected: Emptying | None) -> None:
    assert lived(*levels, every=every_min * MINUTE)[0][-1] == expected


def test_the_noise_of_a_site_is_learned_from_its_own_readings() -> None:
    calm, noisy = [26.0, 26.5] * 20, [26.0, 26.0, 38.0, 38.0, 26.0] * 20
    assert lived(*calm)[1].noise_pct < 0.5
    _, memory = lived(*noisy)
    assert 4.0 < memory.noise_pct < 12.0
    assert len(memory.recent) <= 32
    assert lived(26, 26, 26, 12, 12, memory=memory)[0][-1] is None
    assert lived(26, 26, 26, 12, 12)[0][-1] == Emptying(26, 12, wholly=True)
    assert lived(60, 60, 60, 12, 12, memory=memory)[0][-1] == Emptying(60, 12, wholly=True)


def test_of_a_slow_device_no_noise_is_learned() -> None:
    noisy = [26.0, 26.0, 38.0, 38.0, 26.0] * 20
    assert lived(*noisy, every=49 * MINUTE)[1].noise_pct > 0.0
    assert lived(*noisy, every=50 * MINUTE)[1].noise_pct == 0.0


def test_after_an_emptying_the_next_begins_at_its_own_level() -> None:
    _, memory = lived(80, 80, 10, 10)
    assert (memory.fallen_pct, memory.crest_pct, memory.turn) == (-1.0, 10.0, Turn())
    seen, _ = lived(10, 14, 18, 22, 26, 30, 5, 5, memory=memory)
    assert seen == [None] * 7 + [Emptying(22, 5, wholly=True)]


WRITTEN: Final = BinGeometry(empty_mm=1000, full_mm=150, blind_mm=250)
FILLING: Final = (950.0, 870.0, 790.0, 710.0, 630.0, 550.0, 500.0, 500.0, 500.0, 500.0)


def heard(*distances: float, memory: BinMemory = BinMemory()) -> tuple[list[BinSight], BinMemory]:  # noqa: B008 -- frozen
    """What each of these distances in a bin of that figure was seen to be, every 20 minutes."""
    sights, at_ms = [], memory.fill_ms or AT_MS
    for distance in distances:
        at_ms += 20 * MINUTE
        sight, memory = look(WRITTEN, memory, sample(Values(distance_mm=distance), at_ms))
        sights.append(sight)
    return sights, memory


def test_a_floor_that_is_deeper_than_was_written_is_learned() -> None:
    cycle = (*FILLING, *[1160.0] * 4)
    sights, memory = heard(*cycle * 5)
    assert {sight.quality for sight in sights} == {Quality.GOOD, Quality.BEYOND}
    assert not any(sight.emptying.wholly for sight in sights[:34] if sight.emptying)
    assert memory.floor_mm == 1160.0
    sights, memory = heard(*cycle, memory=memory)
    assert {sight.quality for sight in sights} == {Quality.GOOD}
    assert [each.emptying for each in sights if each.emptying] == [Emptying(65.3, 0.0, wholly=True)]
    assert (sights[9].fill_pct, sights[-1].fill_pct) == (58.8, 0.0)  # alerts go by what was written
    sights, _ = heard(1210.0, 1740.0, memory=memory)
    assert [sight.quality for sight in sights] == [Quality.BEYOND, Quality.BEYOND]
    assert heard(1209.9, memory=memory)[0][0].quality is Quality.GOOD


def test_a_floor_that_is_higher_than_was_written_is_learned() -> None:
    cycle = (790.0, *FILLING[3:], *[830.0] * 6)
    sights, memory = heard(*cycle * 5)
    assert [each.emptying for each in sights if each.emptying] == [Emptying(58.8, 20.0, wholly=False)] * 5
    assert memory.floor_mm == 830.0
    sights, memory = heard(*cycle, memory=memory)
    assert [each.emptying for each in sights if each.emptying] == [Emptying(48.5, 0.0, wholly=True)]
    assert sights[-1].fill_pct == 20.0
    assert memory.emptied_ms
    assert heard(1049.0, memory=memory)[0][0].quality is Quality.GOOD  # nobody confirmed it: what was good stays good


def test_a_lid_that_stands_open_is_no_floor() -> None:
    sights, memory = heard(*[*FILLING, *[1000.0] * 6] * 9)
    assert (memory.floor_mm, len(memory.floors)) == (0.0, 18)
    sights, memory = heard(*[*FILLING, *[1300.0] * 9, 500.0, 500.0, *[1000.0] * 6] * 2, memory=memory)
    assert (memory.floor_mm, len(memory.floors)) == (0.0, 24)
    assert [each.emptying for each in sights if each.emptying] == [Emptying(58.8, 0.0, wholly=True)] * 2


def test_a_short_look_past_the_bin_is_not_noted_and_a_long_one_once() -> None:
    for distances, noted in (
        ((500.0, 1160.0, 1160.0, 1160.0, 500.0), 0),
        ((500.0, 1160.0, 1160.0, 0.0, 1160.0, 500.0), 1),
        ((500.0, *[1160.0] * 20, 0.0, *[1160.0] * 20), 1),
        ((500.0, *[1160.0] * 4, 200.0, *[1160.0] * 4), 2),
    ):
        assert len(heard(*distances)[1].floors) == 2 * noted


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
