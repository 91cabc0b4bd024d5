"""How much people are told in ordinary life and in storms, counted on the virtual clock (``benchmarks/township.py``).

The bounds are what the rules as written come to; where that misses an aim of the papers, docs/telling.md says why.
"""

import pytest

from benchmarks.telling import Figures, figures, live
from benchmarks.township import dark_lines, dark_town, story

MINUTES_2, MINUTES_30 = 1, 3


def test_an_ordinary_day_tells_few_and_the_desk_shows_every_case() -> None:
    """Scenario 13: 300 bins, two rounds; ``live`` compares episodes and desk at each minute."""
    scenario = story("ordinary_week", hours=24)
    found = figures(scenario, live(scenario))
    assert sum(found.raised.values()) > sum(found.per_day)
    assert_ordinary(found, texts=20)
    assert two_thirds(found.useless_by) == 0, "none for a bin that the running round empties"


@pytest.mark.deep
@pytest.mark.parametrize("answered", [False, True])
def test_an_ordinary_week_tells_few(answered: bool) -> None:  # noqa: FBT001 -- both
    scenario = story("ordinary_week")
    found = figures(scenario, live(scenario, answered=answered))
    assert_ordinary(found, texts=24)
    assert two_thirds(found.useless_by) <= 0.1 * two_thirds(found.by_kind)


@pytest.mark.deep
@pytest.mark.parametrize("answered", [False, True])
def test_a_festival_week_tells_no_cleaner_more_than_four_a_day(answered: bool) -> None:  # noqa: FBT001 -- both
    scenario = story("spring_festival")
    found = figures(scenario, live(scenario, answered=answered))
    assert found.most_cleaner_day <= 4
    assert max(found.per_day) <= 140
    assert two_thirds(found.useless_by) <= 0.1 * two_thirds(found.by_kind)


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


def assert_ordinary(found: Figures, *, texts: int) -> None:
    assert max(found.per_day) <= texts
    assert found.most_cleaner_day <= 4


def two_thirds(counted: dict[str, int]) -> int:
    return sum(count for what, count in counted.items() if what.startswith("over_two_thirds"))
