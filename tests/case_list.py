"""The page of numbered cases, tests/cases.yaml: which test holds which number. Reading only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

PAGE: Final = Path(__file__).with_name("cases.yaml")
ROOT: Final = PAGE.parents[1]
SCENARIOS: Final = "tests/scenarios/"
PLAYED: Final = "test_a_scenario_prints_what_it_expects_and_nothing_else"
EYES: Final = (1, 2, 3, 5, 6, 7, 8, 11)
"""The line of a learned floor (4), lying sensors (9) and percent alone (10) are not held yet."""
NUMBERS: Final = (
    *(
        f"{kind}{number}"
        for kind, most in {"J": 10, "H": 17, "T": 10, "K": 10, "S": 14}.items()
        for number in range(1, most + 1)
    ),
    *(f"E{number}" for number in EYES),
)


def cases() -> Mapping[str, list[str]]:
    """The tests of each number, as ``tests/file.py::test_name`` or ``tests/scenarios/file.yaml``."""
    page = PAGE.read_text(encoding="utf-8")
    found = yaml.safe_load(page)
    assert isinstance(found, dict)
    written = [line.partition(":")[0] for line in page.splitlines() if line[:1].isalpha()]
    assert written == list(found), "a number stands twice: YAML would keep the last alone"
    return {str(number): list(tests) for number, tests in found.items()}


def held_nodes() -> frozenset[str]:
    """Every pytest node that the page relies on; one with parameters by its function."""
    return frozenset(node_of(test) for tests in cases().values() for test in tests)


def node_of(test: str) -> str:
    """The pytest node of a test of the page, without its parameters; a scenario is one run of the scenarios' test."""
    if test.startswith(SCENARIOS):
        name = test.removeprefix(SCENARIOS).removesuffix(".yaml")
        return f"tests/test_scenarios.py::{PLAYED}[{name}]"
    return test
