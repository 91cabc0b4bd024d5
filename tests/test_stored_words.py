"""Words that outlive a release: what lies in journals, what logs are searched for, what scrapers and scripts read.

Collected from the source and held against the list of 2026-11-29: a module may move and a class be renamed, but none of
these may vanish. A new word needs no entry; one that is taken out on purpose is struck here with its migration.
"""

import ast
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
GOLDEN: Final = ROOT / "tests" / "golden" / "stored_words.json"
ROOMS: Final = ("telemetry", "alerts", "gateway")
LOGGED: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
REASONED: Final = frozenset(
    {
        "why",
        "unsaid",
        "record",
        "Refused",
        "SendRefused",
        "NotPossible",
        "Refusal",
        "DeskRefusal",
        "Release",
        "Rejected",
        "pick",
    }
)
"""What takes a reason or an event by its name; what is renamed, or refuses for another, is named here as well."""
METRICS: Final = frozenset({"counter", "gauge", "histogram", "Counter", "Gauge", "Histogram"})
NAMED: Final = frozenset({"event", "reason", "kind", "rule", "template", "deed", "channel", "verb"})
"""Keywords whose value is written down."""


def collected(root: Path) -> dict[str, set[str]]:
    """Words by where they are kept: in logs, in rows, in enums, in the journal's schema, in metrics."""
    found: dict[str, set[str]] = {
        "log": set(),
        "row": set(),
        "enum": set(),
        "metric": set(),
        "schema": set(_schema(root)),
    }
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for kind, word in _words(tree):
                found[kind].add(word)
    return found


def _words(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            yield from (
                ("enum", word) for each in node.body if isinstance(each, ast.Assign) for word in _text(each.value)
            )
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in LOGGED and isinstance(node.func, ast.Attribute) and "log" in ast.unparse(node.func.value):
            yield from (("log", word) for argument in node.args[:1] for word in _text(argument))
            yield from (("log", f"{each.arg}=") for each in node.keywords if each.arg)
        if called in REASONED:
            yield from (("row", word) for argument in node.args for word in _text(argument) if " " not in word)
        if called in METRICS:
            yield from (("metric", word) for argument in node.args[:1] for word in _text(argument))
        yield from (("row", word) for each in node.keywords if each.arg in NAMED for word in _text(each.value))


def _text(node: ast.expr) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


def _schema(root: Path) -> Iterator[str]:
    """Tables and columns of a new journal."""
    folder = root / "gateway" / "journal"
    with closing(sqlite3.connect(":memory:")) as journal:
        journal.create_function("number_key", 1, str)  # what a migration computes rows with; there are none
        for script in (folder / "schema.sql", *sorted((folder / "migrations").glob("*.sql"))):
            journal.executescript(script.read_text("utf-8"))
        for (table,) in journal.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            yield from (f"{table}.{row[1]}" for row in journal.execute(f"PRAGMA table_info('{table}')"))


def test_no_word_that_is_stored_somewhere_has_vanished() -> None:
    now, then = collected(ROOT), json.loads(GOLDEN.read_text("utf-8"))
    assert {kind: sorted(set(words) - now[kind]) for kind, words in then.items() if set(words) - now[kind]} == {}


def test_words_of_every_kind_are_collected() -> None:
    assert all(len(words) > 30 for words in collected(ROOT).values())


if __name__ == "__main__":
    words = {kind: sorted(found) for kind, found in collected(Path(sys.argv[1])).items()}
    sys.stdout.write(json.dumps(words, ensure_ascii=False, indent=1) + "\n")
