"""The order in which the files of the whole run begin."""

from tests.order import dealt

WAITING = [f"tests/e2e/test_{name}.py" for name in "abcd"]
LONG = ["tests/laws/test_a.py", "tests/test_z.py"]
SHORT = ["tests/alerts/test_a.py", "tests/gateway/desk/test_b.py"]


def test_one_that_waits_runs_beside_those_that_compute_and_the_short_come_last() -> None:
    found = dealt([*SHORT, *WAITING, *LONG])
    assert found[:2] == [WAITING[0], LONG[0]]
    assert found.index(LONG[1]) == 4
    assert found[-2:] == SHORT
    assert sorted(found) == sorted([*SHORT, *WAITING, *LONG])


def test_nothing_is_moved_where_only_short_ones_run() -> None:
    assert dealt(SHORT) == SHORT
    assert dealt([]) == []
