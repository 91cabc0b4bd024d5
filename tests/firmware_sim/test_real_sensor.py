"""A sensor in the field: its noise has the figures of four real bins, and each lie sounds as it should."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import mean, median
from typing import NamedTuple

import pytest

from firmware_sim.diary import BinDiary, LieKind
from firmware_sim.firmware import bin_samples
from firmware_sim.fleet import BinSite, fleet
from firmware_sim.lies import LASTING, Plan, plan_lies
from firmware_sim.real_sensor import RealBinSensor
from firmware_sim.scenario import HOUR_MS, LOCAL_OFFSET_MS, Scenario, load
from firmware_sim.story import FOREVER, Span, Story, stories
from telemetry.reading import Millis

SCENARIO = load(
    "{seed: eyes, world: real, start: 2026-11-22T16:00:00Z, hours: 720, "
    "fleet: {towns: 1, villages: 4, bins: 40, plants: 0}}"
)
START = SCENARIO.start_ms
STEP = 1_200_000
FAR_MM = 8_000


class Month(NamedTuple):
    """A bin's month: what its sensor said, its plan of lies, and its diary."""

    site: BinSite
    plan: Plan
    diary: BinDiary
    said: list[tuple[Millis, float]]

    @property
    def honest(self) -> bool:
        return not LASTING.keys() & self.plan.keys()


@pytest.fixture(scope="module")
def months() -> list[Month]:
    return list(_months(SCENARIO))


def _months(scenario: Scenario) -> Iterator[Month]:
    for site, story in stories(scenario):
        assert isinstance(site, BinSite)
        plan, diary = plan_lies(scenario, site, story), BinDiary()
        told = bin_samples(scenario, site, story, Random(site.device), plan, diary)
        yield Month(site, plan, diary, [(one.at_ms, one.values.distance_mm or 0) for one in told])


def night_jumps(month: Month) -> float:
    """The share of the steps between 22:00 and 05:00 that are of 8 cm or more."""
    steps = [
        abs(after - before)
        for (at, before), (then, after) in pairwise(month.said)
        if not 5 <= (at + LOCAL_OFFSET_MS) // HOUR_MS % 24 < 22
        if then - at < 1.5 * STEP and 0 < before < FAR_MM and 0 < after < FAR_MM
    ]
    return sum(step >= 80 for step in steps) / len(steps)


def plateaus(month: Month) -> int:
    """How often it said the same near distance for 4 to 15 hours."""
    count, i, said = 0, 0, month.said
    while i < len(said):
        j = i
        while j + 1 < len(said) and 0 < said[i][1] < 350 and abs(said[j + 1][1] - said[i][1]) < 40:
            j += 1
        count += 4 <= (said[j][0] - said[i][0]) / HOUR_MS <= 15.5
        i = j + 1
    return count


def test_the_nights_readings_jump_as_those_of_real_bins(months: list[Month]) -> None:
    jumps = sorted(night_jumps(month) for month in months if month.honest)
    assert sum(0.02 <= share <= 0.16 for share in jumps) >= 0.95 * len(jumps)
    assert jumps[0] > 0.01
    assert jumps[-1] < 0.18
    assert jumps[-1] > 2 * jumps[0], "bins differ as the real ones do"


def test_a_wall_of_its_own_stands_before_the_lens_three_times_a_month(months: list[Month]) -> None:
    assert 2.3 <= mean(plateaus(month) for month in months if month.honest) <= 3.8


def test_gaps_last_about_a_day(months: list[Month]) -> None:
    gaps = [then - at for month in months for (at, _), (then, _) in pairwise(month.said) if then - at > 6 * HOUR_MS]
    assert 0.3 <= len(gaps) / len(months) <= 1.2
    assert 18 * HOUR_MS <= median(gaps) <= 28 * HOUR_MS


def test_jumps_have_a_heavy_tail_and_are_of_no_single_width(months: list[Month]) -> None:
    steps = sorted(
        abs(after - before)
        for month in months
        if month.honest
        for (_, before), (_, after) in pairwise(month.said)
        if 0 < before < FAR_MM and 0 < after < FAR_MM
    )
    usual, rare = steps[len(steps) // 2], steps[len(steps) * 99 // 100]
    assert usual < 25
    assert rare > 10 * usual, "a Gaussian's is 3.8 times"


def test_about_one_sensor_in_ten_lies_and_each_lie_stands_in_the_diary() -> None:
    many = load("{seed: 5, world: real, start: 2026-11-22T16:00:00Z, hours: 48, fleet: {bins: 600, plants: 0}}")
    plans = [plan_lies(many, site, Story()) for site in fleet(many).bins]
    kinds = Counter(kind for plan in plans for kind in LASTING if kind in plan)
    assert 40 <= kinds.total() <= 85
    assert min(kinds.values()) >= 5


def test_every_lie_of_the_plan_stands_in_the_diary(months: list[Month]) -> None:
    for month in months:
        written = {(lie.kind, lie.start_ms, lie.end_ms) for lie in month.diary.lies}
        planned = {(kind, span.start_ms, span.end_ms) for kind, spans in month.plan.items() for span in spans}
        assert planned <= written
        assert {kind for kind, _, _ in written - planned} <= {LieKind.SUN}


def test_a_truth_without_lies_is_wished_for_by_a_share_of_none() -> None:
    quiet = SCENARIO.model_copy(
        update={"reality": SCENARIO.reality.model_copy(update={"lying": 0.0, "mishaps": 0.0, "wrong_figures": 0.0})}
    )
    assert {kind for site in fleet(quiet).bins for kind in plan_lies(quiet, site, Story())} == {LieKind.FACETS}


def test_a_bin_is_wrong_where_its_floor_is_wrong(months: list[Month]) -> None:
    wrong = [month for month in months if LieKind.FLOOR in month.plan]
    assert 4 <= len(wrong) <= 18
    for month in wrong:
        off = abs(month.site.claimed_mm / month.site.geometry.empty_mm - 1)
        assert 0.03 < off <= 0.21
        (lie,) = (lie for lie in month.diary.lies if lie.kind is LieKind.FLOOR)
        assert lie.start_ms == START
        assert (lie.wrong_ms is not None) or off < 0.11, "a floor a tenth off is eight points off when it is empty"


def lying(kind: LieKind, size: float, true_mm: float = 700, *, samples: int = 200, night: int = 0) -> list[int]:
    """What a sensor with one lie and no facets says of a surface that stands still; the lie begins at sample 50."""
    site = replace(fleet(SCENARIO).bins[2], native=True)
    plan: Plan = {kind: (Span(START + 50 * STEP, FOREVER, size),)}
    sensor = RealBinSensor(SCENARIO, site, Story(), plan, Random(4 + night))
    sensor.stay_on_one_facet()
    return [sensor.hear(START + i * STEP, true_mm - i, 20) for i in range(samples)]


def test_a_stuck_sensor_says_the_same_for_ever() -> None:
    said = lying(LieKind.STUCK, 0)
    assert len({mm for mm in said[51:] if mm}) <= 2


def test_a_covered_lens_is_near_and_a_moved_one_off_by_as_much_as_it_moved() -> None:
    assert median(lying(LieKind.COVERED, 150)[51:]) < 200
    honest = lying(LieKind.LOST, 0)
    site = fleet(SCENARIO).bins[2]
    off = 0.2 * (site.geometry.empty_mm - site.geometry.full_mm)
    moved = lying(LieKind.MOVED, 0.2)
    assert median(moved[60:]) - median(honest[60:]) == pytest.approx(off, abs=45)


def test_dirt_comes_nearer_week_by_week() -> None:
    site = fleet(SCENARIO).bins[2]
    a_point = (site.geometry.empty_mm - site.geometry.full_mm) / 100
    honest, fouled = (lying(kind, 15, 1_000, samples=560) for kind in (LieKind.LOST, LieKind.FOULED))
    off = median(honest[540:]) - median(fouled[540:])
    assert off / a_point == pytest.approx(15, abs=4)


def test_a_carton_hides_what_is_behind_it_and_not_what_is_before() -> None:
    assert median(lying(LieKind.BOX, 300, 900)[51:]) == pytest.approx(300, abs=15)
    assert median(lying(LieKind.BOX, 300, 260)[51:60]) < 260


def test_an_open_lid_looks_past_the_bin() -> None:
    floor = fleet(SCENARIO).bins[2].geometry.empty_mm
    beyond = [mm for night in range(4) for mm in lying(LieKind.LID, 0.9, night=night)[51:]]
    assert sum(mm > floor for mm in beyond) > 0.7 * len(beyond)


def test_a_thermometer_begins_anew_with_a_single_value() -> None:
    site = fleet(SCENARIO).bins[2]
    plan: Plan = {LieKind.RESET: (Span(START + STEP, START + STEP, 0.2), Span(START + 9 * STEP, START + 9 * STEP, 2.9))}
    sensor = RealBinSensor(SCENARIO, site, Story(), plan, Random(1))
    felt = [sensor.feel(START + i * STEP, 8.0) for i in range(20)]
    assert [i for i, one in enumerate(felt) if abs(one) > 60] == [1, 9]
    assert (felt[1], felt[9]) == (85.0, -127.0)


def test_the_sun_heats_a_whole_village_and_late() -> None:
    july = load(
        "{seed: 3, world: real, start: 2026-07-14T16:00:00Z, hours: 240, fleet: {towns: 1, villages: 2, bins: 24}}"
    )
    hottest: dict[str, list[Millis]] = defaultdict(list)
    excess = []
    for site in fleet(july).bins:
        sensor = RealBinSensor(july, site, Story(), {}, Random(site.device))
        felt = [sensor.feel(july.start_ms + i * STEP, 30.0) - 30.0 for i in range(720)]
        excess.append(max(felt))
        hottest[site.village.place.latin] += [i // 72 for i, one in enumerate(felt) if one > 10]
        assert all(one < 1 for i, one in enumerate(felt) if i % 72 < 24), "at night there is none"
        if max(felt) > 10:
            assert [lie for lie in sensor.lies if lie.kind is LieKind.SUN]
    assert max(excess) > 15
    assert min(excess) < 5, "some stand in the shade"
    days = [set(of) for of in hottest.values()]
    assert all(0 < len(of) < 10 for of in days), "there are dull days, and a village has them together"
