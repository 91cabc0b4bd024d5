"""What goes wrong by itself: as often as the tables say, in real counties alone, and never two things at once."""

from collections import Counter
from itertools import pairwise

import pytest

from firmware_sim.fleet import fleet
from firmware_sim.mishaps import APART_H, AT_PLANTS, happenings
from firmware_sim.scenario import Happening, Scenario, load
from firmware_sim.traces import truth

TEXT = "{seed: 8, world: WORLD, start: 2026-11-22T16:00:00Z, hours: 720, fleet: {bins: 300, plants: 400, villages: 60}}"


@pytest.fixture(scope="module")
def real() -> Scenario:
    return load(TEXT.replace("WORLD", "real"))


def test_in_a_plain_world_nothing_goes_wrong_by_itself() -> None:
    assert happenings(load(TEXT.replace("WORLD", "plain"))) == ()


def test_plants_have_their_mishaps_as_often_as_the_table_says(real: Scenario) -> None:
    found = Counter(event.kind for event in happenings(real) if event.target.startswith("plant"))
    assert found.keys() == AT_PLANTS.keys()
    for kind in (Happening.POWER_CUT, Happening.DEAD_SENSOR, Happening.RAIN_INFLOW, Happening.REST_DAY):
        wanted = AT_PLANTS[kind].a_month * 400
        assert 0.55 * wanted < found[kind] < 1.1 * wanted, f"{kind}: some are left out that would fall together"


def test_two_things_do_not_happen_to_one_plant_at_once(real: Scenario) -> None:
    for plant in fleet(real).plants:
        spans = [(event.at, event.hours or 0) for event in happenings(real) if event.target == plant.device]
        for (begins, hours), (then, _) in pairwise(spans):
            assert isinstance(begins, float)
            assert isinstance(then, float)
            assert then >= begins + hours + APART_H


def test_every_mishap_stands_in_the_truth(real: Scenario) -> None:
    told = {(row.kind, row.device or row.asset) for row in truth(real)}
    assert {(event.kind, event.target) for event in happenings(real)} <= told


def test_fires_and_embers_come_as_often_as_ordered() -> None:
    hot = load(
        TEXT.replace("WORLD", "real").replace("fleet", "reality: {fires_per_month: 0.5, embers_per_month: 2}, fleet")
    )
    found = Counter(event.kind for event in happenings(hot) if event.target.startswith("bin"))
    assert 100 < found[Happening.FIRE] < 200
    assert 400 < found[Happening.HOT_ASH] < 700


def test_where_something_is_ordered_nothing_happens_by_itself(real: Scenario) -> None:
    busy = Counter(event.target for event in happenings(real)).most_common(1)[0][0]
    ordered = real.model_copy(update={"events": (happenings(real)[0].model_copy(update={"target": busy}),)})
    assert [event.target for event in happenings(ordered)].count(busy) == 1


def test_none_of_it_happens_where_there_are_no_mishaps(real: Scenario) -> None:
    quiet = real.reality.model_copy(update={"mishaps": 0.0})
    assert happenings(real.model_copy(update={"reality": quiet})) == ()
