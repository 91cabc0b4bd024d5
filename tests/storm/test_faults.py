"""Faults of the past come back by name, each through a port of its own, and the storm finds each of them again."""

from pathlib import Path
from typing import Final

import pytest

from tests.storm.days import DAYS, live
from tests.storm.steps import expand
from tests.storm.storm import Violation

MOST: Final = 25 // (DAYS + 1)
"""So many seeds are 25 county-days. Without a variant all of them hold (``test_days_1``)."""
FAULTS: Final = (
    ("h3", 5, "L13"),
    ("j1", 1, "L1"),
    ("j2", 2, "L12"),
    ("j3", 2, "lists"),
    ("t1", 1, "L9"),
    ("t2", 1, "T2"),
    ("t3", 1, "T6"),
    ("t4", 6, "T4"),
)
"""Each with the first seed that is lived through, and the law that it breaks."""


@pytest.mark.parametrize(("name", "first", "law"), FAULTS)
def test_a_fault_is_found_within_25_county_days(name: str, first: int, law: str) -> None:
    found = (broken for seed in range(first, first + MOST) if (broken := _broken(seed, name)))
    assert next(found, "nothing") == law


def test_each_fault_is_one_of_them() -> None:
    there = {path.stem for path in Path(__file__).parent.joinpath("faults").glob("*.py")}
    assert {name for name, _, _ in FAULTS} == there


def _broken(seed: int, name: str) -> str:
    """The law that a seed finds broken, if any."""
    try:
        live(expand(seed, DAYS, name))
    except Violation as found:
        return found.law
    return ""
