"""What the platform says of a week of sixty bins and six plants is at least as right as it was (``make score``).

A later commit that makes it better raises the floor here; nobody lowers one. The seed is written down and scores
nothing else: what counts comes from seeds that nobody knew (docs/score.md).
"""

from functools import cache
from typing import Final

import pytest

from benchmarks.score import said
from benchmarks.score.aims import GOALS, interval
from benchmarks.score.county import SCORING_IS_NOT, SIZES, Job
from benchmarks.score.running import Scored, judge, score_job
from benchmarks.score.tally import Count, Tally
from tests.score.made import bin_site, ears, every_20_minutes, fault, levels, true, visit
from tests.small_county import county

SEED: Final = "floor"
LEAST: Final = {
    "plain": {
        "emptied.recall": 0.985,
        "emptied.precision": 0.985,
        "emptied.one_event": 0.985,
        "over_two_thirds.noticed": 1.0,
        "over_two_thirds.sure": 1.0,
        "overflow.noticed": 1.0,
        "fire.recall": 1.0,
        "plants.recall": 1.0,
    },
    "real": {
        "emptied.recall": 0.86,
        "emptied.precision": 0.72,
        "emptied.one_event": 0.98,
        "over_two_thirds.noticed": 0.88,
        "overflow.noticed": 0.8,
    },
}
"""Shares. The plain world keeps its bytes; of the real one the bounds of the intervals are held."""
MOST: Final = {
    "plain": {
        "emptied.closed_over_line": 0.0,
        "lines.false_sure": 0.0,
        "lines.false_unsure": 3.0,  # nobody is unsure yet: the aim itself
        "lines.false_texts": 0.0,
        "honest_named.false": 0.0,
        "fire.false": 0.0,
        "hot_ash.false": 0.0,
        "plants.false_share": 0.0,
        "offline of plants.false": 3.0,
    },
    "real": {
        "emptied.closed_over_line": 0.04,
        "lines.false_sure": 9.0,
        "lines.false_unsure": 3.0,
        "lines.false_texts": 3.4,
        "fire.false": 150.0,
        "hot_ash.false": 150.0,
        "offline of plants.false": 5.0,
    },
}
"""Shares, or a month of an asset (of a thousand, for heat), as ``GOALS`` has them."""


def each_of(floors: dict[str, dict[str, float]]) -> list[tuple[str, str]]:
    return [(world, counted) for world, held in floors.items() for counted in held]


@cache
def scored(world: str) -> Scored:
    return score_job(SIZES["small"], Job(world, SEED))


def reached(tally: Tally, counted: str) -> float:
    goal = next(goal for goal in GOALS if goal.counted == counted)
    found = interval(tally.counts.get(counted, Count()), goal)
    assert found is not None, f"nothing was counted of {counted}: the seed has none, or the join sees none"
    return found.value


@pytest.mark.parametrize(("world", "counted"), each_of(LEAST))
def test_it_is_at_least_as_right(world: str, counted: str) -> None:
    assert reached(scored(world).tallies["platform"], counted) >= LEAST[world][counted]


@pytest.mark.parametrize(("world", "counted"), each_of(MOST))
def test_it_is_no_oftener_wrong(world: str, counted: str) -> None:
    assert reached(scored(world).tallies["platform"], counted) <= MOST[world][counted]


@pytest.mark.parametrize("world", LEAST)
def test_it_is_better_than_no_thought(world: str) -> None:
    tallies = scored(world).tallies
    for thoughtless, counted in (
        ("threshold", "emptied.precision"),
        ("threshold", "emptied.one_event"),
        ("drop", "emptied.recall"),
    ):
        assert reached(tallies[thoughtless], counted) < reached(tallies["platform"], counted)
    assert reached(tallies["drop"], "emptied.recall") < 0.6, "a plain drop of 30 finds half"


def test_whoever_says_nothing_is_below_every_floor() -> None:
    """The double: a platform that breaks is seen."""
    rows = [bin_site(), levels(*[40.0] * 10, *[90.0] * 10, *[100.0] * 10, *[3.0] * 18), visit(30, 100, 3)]
    truth = true(*rows, fault("fire", 5, 6, asset="a"))
    tally = judge(truth, said.Story(), ears(*every_20_minutes(), temperature_c=90.0), county(), thought=True)
    for counted in ("emptied.recall", "over_two_thirds.noticed", "overflow.noticed", "fire.recall"):
        assert reached(tally, counted) == 0


def test_no_seed_that_counts_is_one_that_was_looked_at() -> None:
    assert SEED in SCORING_IS_NOT
