"""Whether the journal's pages are what SQLite wrote (case H9): quickly at a start, wholly beside a running gateway.

SQLite keeps no checksums: bytes that turned inside a value still are a value, and nobody can see that here.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.journal.database import JournalUnavailable, Problem

QUICK_BYTES: Final = 256 << 20
"""So much is looked through at a start, within a second or two; of a larger journal, what the next alert needs."""
_BULKY: Final = frozenset({"reading", "quarantine", "bin_1h", "plant_1h", "device_1h", "town_1h"})
"""What a larger journal is large of. A damaged page of these is found by the look at the whole, and when it is read."""
_MOST: Final = 20


def look_quickly(connection: sqlite3.Connection, path: Path, quick_bytes: int = QUICK_BYTES) -> None:
    """``JournalUnavailable`` at the first page that is not what it should be. No index is compared with its rows."""
    if path.stat().st_size <= quick_bytes:
        looks = ["PRAGMA quick_check(1)"]
    else:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0").fetchall()
        looks = [f"PRAGMA quick_check('{name}')" for (name,) in tables if name not in _BULKY]
    for look in looks:
        for damage in _said(connection, look):
            raise JournalUnavailable(Problem.DAMAGED, path, damage)


def damage(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the whole of it, one line each; empty when all is well. Seconds for each 100 MB."""
    return list(_said(connection, f"PRAGMA integrity_check({_MOST})"))


def _said(connection: sqlite3.Connection, look: str) -> Iterator[str]:
    for (line,) in connection.execute(look).fetchall():
        if line != "ok":
            yield " ".join(str(line).removeprefix("*** in database main ***").split())
