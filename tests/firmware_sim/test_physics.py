"""The world: bins fill and are emptied, pumps take turns with the inflow, and what is hot cools."""

from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from firmware_sim.diary import BinDiary
from firmware_sim.fleet import fleet
from firmware_sim.physics import Air, Plant, SettlingWaste, Waste, Well, heat_c, lognormal_day, surface_mm
from firmware_sim.scenario import DAY_MS, HOUR_MS, Happening, Weather, load
from firmware_sim.story import FOREVER, Span, Story, TruckVisit

SCENARIO = load(
    "{seed: 7, start: 2026-11-22T16:00:00Z, hours: 240, fleet: {towns: 1, villages: 8, bins: 200, plants: 20}}"
)
START = SCENARIO.start_ms
STEP = 20 * 60_000
QUIET = Story()


def waste(index: int, story: Story = QUIET) -> Waste:
    return Waste(fleet(SCENARIO).bins[index], story, START, Random(index))


def plant(index: int, story: Story = QUIET) -> Plant:
    return Plant(fleet(SCENARIO).plants[index], story, START, Random(index))


def seen(plant: Plant, hours: float) -> list[Well]:
    first = plant.at_ms
    return [plant.advance(first + i * STEP) for i in range(1, int(hours * 3) + 1)]


def test_a_bin_that_nobody_empties_only_rises_and_stops_at_the_brim() -> None:
    bin_ = waste(3)
    levels = []
    for i in range(10 * 72):
        bin_.advance(START + i * STEP)
        levels.append(bin_.pct)
    assert levels == sorted(levels)
    assert levels[-1] == pytest.approx(108)


def test_a_full_visit_empties_and_a_partial_one_takes_its_share() -> None:
    at = START + 9 * HOUR_MS
    for takes, left in ((100.0, 0.0), (50.0, 0.5)):
        bin_ = waste(3, Story(visits=(TruckVisit(at, Happening.EMPTIED, takes),)))
        bin_.advance(at - 1)
        before = bin_.pct
        bin_.advance(at)
        assert bin_.pct == pytest.approx(before * left, abs=0.01)


def test_a_pool_takes_some_days_to_two_thirds_and_a_bin_too() -> None:
    rates = sorted(site.per_day_pct for site in fleet(SCENARIO).bins)
    assert 20 < rates[len(rates) // 2] < 38
    assert rates[20] > 8
    assert rates[-20] < 85


def test_what_a_day_brings_is_the_sites_mean_over_many_days() -> None:
    site = fleet(SCENARIO).bins[0]
    days = [Waste(site, Story(), START, Random(i)) for i in range(300)]
    for day in days:
        day.advance(START + 24 * HOUR_MS)
    brought = mean(min(day.pct, 108) - site.fill_pct for day in days)
    assert brought == pytest.approx(site.per_day_pct, rel=0.1)


def test_days_differ_by_their_coefficient_of_variation() -> None:
    rng = Random(1)
    days = [lognormal_day(0.45, rng) for _ in range(5_000)]
    assert mean(days) == pytest.approx(1, abs=0.03)
    assert mean((day - 1) ** 2 for day in days) ** 0.5 == pytest.approx(0.45, abs=0.05)


def test_the_morning_brings_more_than_the_night() -> None:
    night, morning = waste(0), waste(0)
    night.advance(START + HOUR_MS)
    night_from = night.pct
    night.advance(START + 4 * HOUR_MS)
    morning.advance(START + 6 * HOUR_MS)
    morning_from = morning.pct
    morning.advance(START + 9 * HOUR_MS)
    assert morning.pct - morning_from > 5 * (night.pct - night_from)


def test_a_crowd_fills_a_bin_within_its_time_even_between_two_samples() -> None:
    crowd = Span(START + 10 * 60_000, START + 15 * 60_000, 80.0)
    bin_ = waste(3, Story(spans={Happening.FAST_FILL: (crowd,)}))
    bin_.advance(START + 9 * 60_000)
    assert bin_.pct < 65
    bin_.advance(START + HOUR_MS)
    assert 80 <= bin_.pct < 85


def settling(rng: int, diary: BinDiary) -> SettlingWaste:
    return SettlingWaste(fleet(SCENARIO).bins[3], QUIET, START, Random(rng), diary=diary)


def test_what_comes_in_a_big_load_sinks_by_itself() -> None:
    falls, rises = [], []
    for n in range(20):
        diary = BinDiary()
        settling(n, diary).advance(START + 3 * DAY_MS)
        steps = [after - before for before, after in pairwise(diary.pct)]
        rises += [step for step in steps if step > 8]
        falls += [-step for step in steps if step < 0]
    assert len(rises) > 5
    assert falls
    assert 0 < max(falls) < 6, "it sinks, and nobody has emptied anything"


def test_a_settling_bin_brings_as_much_as_any_other() -> None:
    site = fleet(SCENARIO).bins[3]
    brought = []
    for n in range(60):
        diary = BinDiary()
        SettlingWaste(site, QUIET, START, Random(n), diary=diary).advance(START + 10 * DAY_MS)
        brought.append(diary.gained[-1] / 10)
    assert 0.8 * site.per_day_pct < mean(brought) < 1.05 * site.per_day_pct


def test_more_stays_on_a_heap_in_the_field() -> None:
    diary = BinDiary()
    bin_ = settling(1, diary)
    bin_.advance(START + 10 * DAY_MS)
    assert max(diary.pct) == pytest.approx(115)


def test_the_surface_is_where_the_geometry_puts_it() -> None:
    geometry = fleet(SCENARIO).bins[0].geometry
    assert surface_mm(geometry, 0) == geometry.empty_mm
    assert surface_mm(geometry, 100) == geometry.full_mm


def test_embers_cool_from_the_first_minute_and_never_look_like_fire() -> None:
    story = Story(spans={Happening.HOT_ASH: (Span(START, START + 4 * HOUR_MS, 67.0),)})
    for air in (-5.0, 10.0, 30.0):
        at_sensor = [air + heat_c(story, START + i * 60_000, air) for i in range(240)]
        assert at_sensor == sorted(at_sensor, reverse=True)
        assert at_sensor[0] < 70
        assert at_sensor[20] >= 50  # the latest first sample still shows it


def test_a_fire_passes_seventy_degrees_within_five_minutes() -> None:
    story = Story(spans={Happening.FIRE: (Span(START, START + HOUR_MS, 160.0),)})
    assert 5 + heat_c(story, START + 5 * 60_000, 5) > 70
    assert heat_c(story, START + HOUR_MS, 5) == 0


def test_no_air_of_the_year_is_as_hot_as_embers() -> None:
    air = Air(Weather(winter_c=6, summer_c=30, swing_c=5))
    year = [air.at(START + i * HOUR_MS) for i in range(24 * 366)]
    assert -5 < min(year) < 5
    assert 32 < max(year) < 40


@pytest.mark.parametrize("index", range(12))
def test_a_plant_never_counts_back_and_keeps_between_its_floats(index: int) -> None:
    site = fleet(SCENARIO).plants[index]
    shown = seen(plant(index), 240)
    volumes = [well.volume_m3 for well in shown]
    assert volumes == sorted(volumes)
    assert all(site.stop_level_mm - 5 <= well.level_mm <= site.start_level_mm + 5 for well in shown)
    assert all((well.flow_m3h > 0) is well.pumping for well in shown)


@pytest.mark.parametrize("index", range(12))
def test_a_plant_pumps_about_what_its_households_send(index: int) -> None:
    site = fleet(SCENARIO).plants[index]
    shown = seen(plant(index), 240)
    a_day = (shown[-1].volume_m3 - shown[0].volume_m3) / 10
    assert a_day == pytest.approx(site.design_m3d * site.load, rel=0.25)


def test_a_pump_starts_some_six_to_forty_times_a_day() -> None:
    for index in range(12):
        tank = plant(index)
        states = [tank.advance(START + i * 60_000).pumping for i in range(24 * 60)]
        starts = sum(now and not before for before, now in pairwise(states))
        assert 6 <= starts <= 45


def test_a_stopped_pump_lets_the_well_rise_and_the_totaliser_stand() -> None:
    stop = Span(START + 8 * HOUR_MS, START + 14 * HOUR_MS, 0)
    site = fleet(SCENARIO).plants[0]
    shown = seen(plant(0, Story(spans={Happening.PLANT_STOP: (stop,)})), 24)
    during = shown[24:41]
    assert {well.pumping for well in during} == {False}
    assert len({well.volume_m3 for well in during}) == 1
    assert during[-1].level_mm > site.start_level_mm
    assert shown[-1].volume_m3 > during[-1].volume_m3


def test_a_stop_without_an_end_lasts() -> None:
    stop = Span(START + DAY_MS, FOREVER, 0)
    shown = seen(plant(1, Story(spans={Happening.PLANT_STOP: (stop,)})), 72)
    assert len({well.volume_m3 for well in shown[73:]}) == 1
