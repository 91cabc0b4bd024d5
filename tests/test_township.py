"""How much people are told in ordinary life and in storms, counted on the virtual clock (``benchmarks/township.py``).

The bounds of the weeks are the aims of the issue; where a week comes a little above one, docs/telling.md says why.
"""

import pytest

from benchmarks.telling import figures, live
from benchmarks.township import dark_lines, dark_town, story

MINUTES_2, MINUTES_30 = 1, 3
CLEANER_A_DAY, USELESS_SHARE = 4, 0.1


def test_an_ordinary_day_tells_few_and_the_desk_shows_every_case() -> None:
    """Scenario 13: 300 bins, two rounds; ``live`` compares episodes and desk at each minute."""
    scenario = story("ordinary_week", hours=24)
    found = figures(scenario, live(scenario))
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
    found = figures(scenario, live(scenario, answered=answered))
    assert sum(found.per_day) / len(found.per_day) <= texts
    assert found.most_cleaner_day <= CLEANER_A_DAY
    assert found.useless_share <= USELESS_SHARE


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
