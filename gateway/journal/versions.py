"""Which migrations a file has seen, and how it becomes a journal of this code: each runs once, known by its name.

Never by its place: a file that is numbered into a gap runs on a journal that is further, too. Migrations only ever
add, each in a transaction of its own; a file that this code does not know is left alone (ADR 0035).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from gateway.journal.trouble import JournalUnavailable, Problem
from telemetry.phone import number_key

APPLICATION_ID: Final = 0x434A4E4C
"""Marks the file as ours in its header ("CJNL"), so that nobody else's database is ever migrated."""

BY_PLACE: Final = (
    "schema.sql",
    "0002_levels_and_consumers.sql",
    "0003_rollups.sql",
    "0004_mailboxes.sql",
    "0005_telephone.sql",
    "0006_ledger.sql",
    "0010_quarantine_again.sql",
    "0011_what_the_wire_says.sql",
)
"""What a journal has seen that only says how many: its ``user_version`` counts these, in this order. Never edited."""

BY_NAME: Final = 1_000
"""The ``user_version`` of every journal that says which: higher than any count, so that an older program, which only
counts, takes it for a newer one and leaves it alone."""

_NAMES: Final = """
    CREATE TABLE migration (
        name       TEXT PRIMARY KEY,
        applied_at TEXT                          -- UTC, by the machine's clock; null: before names were kept
    ) STRICT, WITHOUT ROWID;
"""

_NOW: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""Nothing is ever decided by it."""


class Migration(NamedTuple):
    """One step, under the name by which the journal remembers it."""

    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All that lead from an empty file to this code's journal: the schema, then each by its number."""
    room = files("gateway.journal")
    numbered = sorted(
        (found for found in room.joinpath("migrations").iterdir() if found.name.endswith(".sql")),
        key=lambda found: found.name,
    )
    return tuple(Migration(found.name, found.read_text("utf-8")) for found in (room / "schema.sql", *numbered))


def seen_by(connection: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """The names of what the file has seen, none for an empty one.

    ``JournalUnavailable`` if it is not a journal at all, or counts further than any program did that only counted.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (count,) = connection.execute("PRAGMA user_version").fetchone()
    tables = _tables_in(connection)
    if not application and not count and not tables:
        return ()
    if application != APPLICATION_ID or not tables or not count:
        raise JournalUnavailable(Problem.FOREIGN, path)
    if "migration" in tables:
        return tuple(name for (name,) in connection.execute("SELECT name FROM migration ORDER BY name"))
    # Two programs may count to the same number; the last one that did is known by a table of its own.
    if count > len(BY_PLACE) or (count == len(BY_PLACE) and "sign_of_life" not in tables):
        raise JournalUnavailable(Problem.NEWER, path)
    return BY_PLACE[:count]


def examine(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """``JournalUnavailable`` unless the file is a journal that ``steps`` can bring up to date; reads, and no more.

    Empty ones are refused, too: a new journal is made elsewhere (see ``place``). So is one without the tables of what
    it has seen.
    """
    seen = _known(connection, path, steps)
    if not seen:
        raise JournalUnavailable(Problem.EMPTY, path)
    missing = sorted(_tables(tuple(step for step in steps if step.name in seen)) - _tables_in(connection))
    if missing:
        raise JournalUnavailable(Problem.DAMAGED, path, f"without its tables {', '.join(missing)}")


def check(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """``JournalUnavailable`` unless the file has seen exactly ``steps``."""
    seen, known = _known(connection, path, steps), {step.name for step in steps}
    if not seen:
        raise JournalUnavailable(Problem.EMPTY, path)
    if known - seen:
        raise JournalUnavailable(Problem.OLDER, path)


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """Runs those of ``steps`` that the file has not seen, in their order; ``JournalUnavailable`` if it is newer.

    What fails leaves the file as the step before it had left it, and is tried again at the next start.
    """
    _lend(connection)
    for script in _scripts(connection, path, steps):
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {script}\n; COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise


def _lend(connection: sqlite3.Connection) -> None:
    """What migrations may call beside SQL's own functions."""
    connection.create_function("number_key", 1, number_key, deterministic=True)


def _scripts(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> Iterator[str]:
    seen = _known(connection, path, steps)
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchone():
        marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {BY_NAME};"
        yield "\n".join((_NAMES, *(_noted(name, "NULL") for name in sorted(seen)), marks))
    for step in steps:
        if step.name not in seen:
            yield f"{step.sql}\n; {_noted(step.name, _NOW)}"


def _noted(name: str, applied_at: str) -> str:
    """The name of a file of ours, which has no quotes in it."""
    return f"INSERT INTO migration (name, applied_at) VALUES ('{name}', {applied_at});"  # noqa: S608 -- words of our own


def _known(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> set[str]:
    """What the file has seen; ``JournalUnavailable`` if something of it is not among ``steps``."""
    seen = set(seen_by(connection, path))
    strange = sorted(seen - {step.name for step in steps})
    if strange:
        raise JournalUnavailable(Problem.NEWER, path, f"it has seen {', '.join(strange)}")
    return seen


@cache
def _tables(steps: tuple[Migration, ...]) -> frozenset[str]:
    """The tables of a journal that has seen these."""
    with closing(sqlite3.connect(":memory:")) as empty:
        _lend(empty)
        for step in steps:
            empty.executescript(step.sql)
        return _tables_in(empty)


def _tables_in(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"))
