"""The storm itself: the same seed is the same run, a day draws enough, and a failing run can be cut down."""

import pytest

from tests.storm.days import live
from tests.storm.shrink import shrunk
from tests.storm.steps import DEEDS, FAULTS, FAULTS_A_DAY, FAULTY, LIFE, dump, expand, load
from tests.storm.storm import Violation


def test_a_seed_expands_to_the_same_run() -> None:
    one, other = live(expand(7, 2)), live(expand(7, 2))
    assert one.printed == other.printed
    assert len(one.printed) > 200


def test_what_a_seed_expands_to_can_be_written_down() -> None:
    seeded = expand(7, 2)
    assert load(dump(seeded)) == seeded


@pytest.mark.deep
def test_a_failing_run_is_cut_down_to_the_steps_that_it_needs() -> None:
    seeded = expand(1, 1, "t1")
    small = shrunk(seeded, "L9")
    assert 1 <= len(small.steps) < len(seeded.steps) / 4
    with pytest.raises(Violation, match="L9"):
        live(load(dump(small)))


def test_a_county_day_draws_enough_kinds_of_fault() -> None:
    assert len(FAULTS) >= 20
    for seed in range(50):
        kinds = {step.what for step in expand(seed, 1).steps} & FAULTY
        assert len(kinds) >= FAULTS_A_DAY - 1, kinds  # a refusal belongs to three of them


def test_all_that_may_happen_does_happen() -> None:
    drawn = {step.what for seed in range(100) for step in expand(seed, 4).steps}
    assert drawn >= FAULTY
    assert len(drawn) >= len(FAULTY | LIFE.keys() | DEEDS.keys()) - 12
