"""Whether a board in Grafana is still what was pushed: decided from the board itself, nothing is remembered here. Pure.

A hidden constant holds two marks: of what we asked to be saved, and of what Grafana gave back after it had saved it.
Whoever edits the board by hand leaves the second one behind.
"""

import json
from copy import deepcopy
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from dashboards.sources import Document, set_constant

NAME: Final = "pushed"
_HIDDEN: Final = 2
_GRAFANAS_OWN: Final = ("id", "uid", "version", "iteration")
"""What Grafana counts and keeps for itself."""
_LETTERS: Final = 16


class BoardState(StrEnum):
    """How a board in Grafana stands to the one that is wanted."""

    SAME = "same"
    OLDER = "older"
    """As it was pushed, but another one is wanted now."""
    EDITED = "edited"
    """Somebody changed it by hand, or it was never pushed by us."""


class Marks(NamedTuple):
    """Of what was asked, and of what was kept."""

    asked: str
    kept: str


def mark(board: Document) -> str:
    """A board's contents in a few letters; what Grafana keeps for itself and the marks do not count."""
    content = {key: value for key, value in board.items() if key not in _GRAFANAS_OWN}
    content["templating"] = {"list": [each for each in _variables(board) if each.get("name") != NAME]}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_LETTERS]


def stamped(board: Document, marks: Marks) -> Document:
    """The board with its marks."""
    made = deepcopy(board)
    variable: Document = {"name": NAME, "label": NAME, "type": "constant", "hide": _HIDDEN, "skipUrlSync": True}
    set_constant(variable, ".".join(marks))
    made["templating"]["list"] = [*(each for each in _variables(board) if each.get("name") != NAME), variable]
    return made


def marks_of(board: Document) -> Marks | None:
    """The marks that it has."""
    for variable in _variables(board):
        if variable.get("name") == NAME:
            asked, _, kept = str(variable.get("query", "")).partition(".")
            return Marks(asked, kept)
    return None


def standing(there: Document, wanted: Document) -> BoardState:
    """How the one that is there stands to the one that is wanted."""
    marks = marks_of(there)
    if marks is None or marks.kept != mark(there):
        return BoardState.EDITED
    return BoardState.SAME if marks.asked == mark(wanted) else BoardState.OLDER


def _variables(board: Document) -> list[Document]:
    found: list[Document] = board.get("templating", {}).get("list", [])
    return found
