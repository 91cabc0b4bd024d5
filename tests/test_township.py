"""How much people are told in ordinary life and in storms, counted on the virtual clock (``benchmarks/township.py``).

The bounds of the weeks are the aims of the issue; where a week comes a little above one, docs/telling.md says why.
"""

import pytest

from benchmarks.telling import count, live
from benchmarks.township import RARELY, Pressed, county_week, dark_lines, dark_town, pressed, story

MINUTES_2, MINUTES_30 = 1, 3
CLEANER_A_DAY, USELESS_SHARE = 4, 0.1
HALF_AN_HOUR_MS = 30 * 60_000


def test_an_ordinary_day_tells_few_and_the_desk_shows_every_case() -> None:
    """Scenario 13: 300 bins, two rounds; ``live`` compares episodes and desk at each minute."""
    scenario = story("ordinary_week", hours=24)
    found = count(scenario, live(scenario))
    assert sum(found.raised.values()) > sum(found.per_day)
    assert sum(found.per_day) <= 15
    assert found.most_cleaner_day <= CLEANER_A_DAY
    assert found.useless == 0, "none for a bin that the running round empties"


@pytest.mark.deep
@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(
    ("week", "texts"),
    [("ordinary_week", 15), ("spring_festival", 42), pytest.param("festival_with_markets", 60, id="worst")],
)
def test_a_week_tells_few_and_hardly_anybody_for_nothing(week: str, texts: int, answered: bool) -> None:  # noqa: FBT001 -- both
    scenario = story(week)
    found = count(scenario, live(scenario, answered=answered))
    assert sum(found.per_day) / len(found.per_day) <= texts
    assert found.most_cleaner_day <= CLEANER_A_DAY
    assert found.useless_share <= USELESS_SHARE


def hold(found: Pressed) -> None:
    assert found.urgent > 0
    assert found.of_restless > 0, "the plant is restless, and its crew hears of it"
    assert found.longest_wait_ms <= HALF_AN_HOUR_MS, "a P2 waits for what others were told"
    assert found.dropped == (), "of a P1 or P2 that stands no step is dropped"


def test_a_restless_plant_keeps_nobody_from_hearing_of_another_asset() -> None:
    """Two days of the county week: a plant, dead sensors, a radio gateway away, people who rarely answer."""
    hold(pressed(live(county_week(days=2), answered=RARELY)))


@pytest.mark.deep
def test_a_county_week_of_two_towns_keeps_nobody_from_hearing_of_another_asset() -> None:
    hold(pressed(live(county_week(), answered=RARELY)))


def test_a_dark_town_costs_a_person_one_text_and_a_fire_goes_out_at_once() -> None:
    storm = dark_town()
    assert storm.raised > 1_900
    assert storm.most_in_2_min <= MINUTES_2
    assert storm.most_in_30_min <= MINUTES_30
    assert 0 <= storm.fire_after_ms <= 2_000
    assert storm.unaccounted == 0, "something waited, and is in no text"


def test_forty_plants_without_power_cost_the_crew_few_texts() -> None:
    storm = dark_lines()
    assert storm.raised > 0
    assert storm.most_in_2_min <= MINUTES_2
    assert storm.most_in_30_min <= MINUTES_30
    assert storm.unaccounted == 0
