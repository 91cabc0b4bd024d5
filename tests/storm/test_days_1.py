"""County-days of the storm, part 1: a file to each core."""

import pytest

from tests.storm.days import hold


@pytest.mark.parametrize("seed", range(1, 26))
def test_the_laws_hold_on_every_day_of_a_seed(seed: int) -> None:
    hold(seed)
