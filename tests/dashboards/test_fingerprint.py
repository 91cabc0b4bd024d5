"""Whether a board was edited by hand is read from the board alone."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import committed
from dashboards.fingerprint import BoardState, Marks, mark, marks_of, stamped, standing

Document = dict[str, Any]
BOARD = committed.documents()["county"]
PUSHED = stamped(BOARD, Marks(mark(BOARD), mark(BOARD)))


def test_what_was_pushed_is_the_same() -> None:
    assert standing(PUSHED, BOARD) is BoardState.SAME


@given(number=st.integers(1, 10**6), version=st.integers(0, 10**6))
def test_what_grafana_counts_for_itself_is_no_edit(number: int, version: int) -> None:
    assert standing({**PUSHED, "id": number, "version": version, "iteration": version}, BOARD) is BoardState.SAME


def test_the_order_of_keys_is_no_edit() -> None:
    assert standing(dict(sorted(PUSHED.items(), reverse=True)), BOARD) is BoardState.SAME


@pytest.mark.parametrize(
    "path",
    [("title",), ("refresh",), ("panels", 0, "title"), ("panels", 3, "targets", 0, "query"), ("time", "from")],
    ids=str,
)
def test_any_change_by_hand_is_seen(path: tuple[str | int, ...]) -> None:
    there: Any = copy.deepcopy(PUSHED)
    at = there
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = "我改过的"
    assert standing(there, BOARD) is BoardState.EDITED


def test_a_panel_that_was_taken_away_is_seen() -> None:
    assert standing({**PUSHED, "panels": PUSHED["panels"][1:]}, BOARD) is BoardState.EDITED


def test_another_board_that_is_wanted_is_an_older_one_that_is_there() -> None:
    assert standing(PUSHED, {**BOARD, "refresh": "1d"}) is BoardState.OLDER


def test_a_form_of_grafanas_own_is_known_again_by_its_second_mark() -> None:
    kept = {**BOARD, "liveNow": False}
    there = {**stamped(BOARD, Marks(mark(BOARD), mark(kept))), "liveNow": False}
    assert standing(there, BOARD) is BoardState.SAME


@pytest.mark.parametrize(
    "there", [BOARD, {}, {"templating": {"list": []}}], ids=["no marks", "nothing", "no variables"]
)
def test_a_board_without_marks_was_never_pushed(there: Document) -> None:
    assert marks_of(there) is None
    assert standing(there, BOARD) is BoardState.EDITED


def test_stamping_again_leaves_one_mark_and_the_board_as_it_was() -> None:
    again = stamped(PUSHED, Marks("a", "b"))
    assert marks_of(again) == Marks("a", "b")
    assert len(again["templating"]["list"]) == len(BOARD["templating"]["list"]) + 1
    assert mark(again) == mark(BOARD)
    assert marks_of(BOARD) is None
