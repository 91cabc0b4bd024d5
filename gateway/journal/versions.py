"""Which version of the schema a file has, and how it becomes the version of this code.

Versions only ever go up, each step in a transaction of its own; a file that this code does not know is left alone.
"""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway.journal.trouble import JournalUnavailable, Problem

APPLICATION_ID: Final = 0x434A4E4C
"""Marks the file as ours in its header ("CJNL"), so that nobody else's database is ever migrated."""


def scripts() -> tuple[str, ...]:
    """The SQL that leads from an empty file to this code's version: the schema, then each migration by its number."""
    room = files("gateway.journal")
    migrations = sorted(
        (found for found in room.joinpath("migrations").iterdir() if found.name.endswith(".sql")),
        key=lambda found: found.name,
    )
    return tuple(script.read_text("utf-8") for script in (room / "schema.sql", *migrations))


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The file's version, 0 for an empty one; ``JournalUnavailable`` if it is not a journal at all."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise JournalUnavailable(Problem.FOREIGN, path)
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> None:
    """Brings the file to version ``len(steps)``, one step a transaction; ``JournalUnavailable`` if it is newer."""
    version = version_of(connection, path)
    if version > len(steps):
        raise JournalUnavailable(Problem.NEWER, path)
    for reached, script in enumerate(steps[version:], start=version + 1):
        marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {reached};"
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {script}\n; {marks} COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
