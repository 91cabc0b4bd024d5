"""Every number of tests/cases.yaml has a test that is there; conftest.py keeps them from being skipped in CI."""

import ast
from functools import cache

from tests.case_list import NUMBERS, PLAYED, ROOT, SCENARIOS, cases, held_nodes


def test_every_number_has_a_test() -> None:
    assert sorted(cases()) == sorted(NUMBERS)


def test_no_number_is_named_that_is_not_one() -> None:
    assert set(cases()) <= set(NUMBERS)
    assert [number for number, tests in cases().items() if not tests] == []


def test_every_test_that_is_named_is_there() -> None:
    assert [test for tests in cases().values() for test in tests if not _is_there(test)] == []


def test_scenarios_are_found_where_they_are_played() -> None:
    assert PLAYED in _functions("tests/test_scenarios.py")
    assert [node for node in held_nodes() if "::" not in node] == []


def _is_there(test: str) -> bool:
    if test.startswith(SCENARIOS):
        return (ROOT / test).is_file()
    path, _, function = test.partition("::")
    return (ROOT / path).is_file() and function.partition("[")[0] in _functions(path)


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
