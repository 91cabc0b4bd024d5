"""Faults of the past come back by name, each through a port of its own, and the storm finds each of them again."""

import importlib
from typing import Final

import pytest

from tests.storm.days import DAYS, live
from tests.storm.line import StormLine
from tests.storm.steps import expand
from tests.storm.storm import Violation

MOST: Final = 25 // (DAYS + 1)
"""So many seeds are 25 county-days. Without a variant all of them hold (``test_days_1``)."""


def variant(name: str) -> type[StormLine]:
    """The gateway with a fault."""
    found: type[StormLine] = importlib.import_module(f"tests.storm.faults.{name}").Line
    return found


@pytest.mark.parametrize(
    ("name", "laws"),
    [
        ("h3", {"L13"}),
        ("j1", {"L1"}),
        ("j2", {"L12"}),
        ("t1", {"L9"}),
        ("t3", {"T6"}),
    ],
)
def test_a_fault_is_found_within_25_county_days(name: str, laws: set[str]) -> None:
    found = (law for seed in range(1, 1 + MOST) if (law := _broken(seed, variant(name))))
    assert next(found, "nothing") in laws


def _broken(seed: int, line: type[StormLine]) -> str:
    """The law that a seed finds broken, if any."""
    try:
        live(expand(seed, DAYS), line)
    except Violation as found:
        return found.law
    return ""
