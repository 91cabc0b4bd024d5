"""Whatever may happen has a Chinese word on the desk: every event that the code writes, found by reading the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from gateway.desk import words

ROOT = Path(__file__).parents[3]
WRITERS = frozenset({"record", "why", "unsaid", "_about", "_event", "event_of"})
"""Whose first argument is what happened."""


def events() -> Iterator[str]:
    for path in (*ROOT.glob("alerts/**/*.py"), *ROOT.glob("gateway/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            named = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            said = node.args[:1] if named in WRITERS else []
            said += [each.value for each in node.keywords if each.arg == "event" and named == "Event"]
            yield from (each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str))


def test_every_event_is_called_by_a_word() -> None:
    written = set(events())
    assert len(written) > 20
    assert sorted(written - words.catalogue()["events"].keys()) == []
