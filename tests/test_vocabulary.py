"""docs/vocabulary.md holds: a word has one meaning, and a public class a name that stands once in the house."""

import ast
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "vocabulary.md").read_text("utf-8")
ROOMS: Final = ("telemetry", "alerts", "dashboards", "firmware_sim", "gateway")
TWICE: Final = "## Names that stand twice"
SHORTEST_REASON: Final = 20
TENSES: Final = frozenset({"done", "said", "answered", "found", "kept"})
"""Names that say when instead of what; a function is an imperative verb."""


def definitions(*kinds: type[ast.stmt]) -> list[tuple[str, str]]:
    """Every definition of these kinds in the house: where, and its name."""
    return [
        (path.relative_to(ROOT).as_posix(), node.name)
        for path in sorted(chain.from_iterable((ROOT / room).rglob("*.py") for room in ROOMS))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, kinds) and isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [cells for cells in found if cells[0] not in {"word", "class"}]


def test_every_public_class_stands_once_or_is_listed_with_the_reason() -> None:
    names = Counter(name for _, name in definitions(ast.ClassDef) if not name.startswith("_"))
    listed = {name.strip("`"): why for name, why in rows(PAGE.partition(TWICE)[2])}
    assert {name for name, count in names.items() if count > 1} == set(listed)
    assert [name for name, why in listed.items() if len(why) < SHORTEST_REASON] == []


def test_no_function_says_a_tense_where_a_verb_belongs() -> None:
    assert [each for each in definitions(ast.FunctionDef, ast.AsyncFunctionDef) if each[1] in TENSES] == []


def test_a_word_stands_in_one_row_alone_and_every_row_says_what_it_means() -> None:
    told = rows(PAGE.partition(TWICE)[0])
    words = Counter(word.strip() for cells in told for word in cells[0].split(","))
    assert [word for word, count in words.items() if count > 1] == []
    assert [cells[0] for cells in told if not cells[1]] == []
