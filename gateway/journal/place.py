"""The journal's place on the disk: whether what lies there is a sound journal, and how a new one begins.

A new one stands whole under another name before it takes its place, so that no end of the program leaves an empty file
there, and an empty file is never one of ours (case H16). Whether the pages are what SQLite wrote is looked at quickly
at a start, wholly beside a running gateway (case H9): SQLite keeps no checksums, so bytes that turned inside a value
still are a value, and nobody can see that here. What a row means is nobody's business here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from alerts.channels.outbox import sync_folder
from gateway.journal.database import (
    LOG,
    JournalUnavailable,
    Problem,
    absence,
    examine,
    make_file,
    migrate,
    migrations,
    open_for_reading,
)

FOLDER_MODE: Final = 0o700

_NEW: Final = ".new"

QUICK_BYTES: Final = 256 << 20
"""So much is looked through at a start, within a second or two; of a larger journal, what the next alert needs."""
_BULKY: Final = frozenset({"reading", "quarantine", "bin_1h", "plant_1h", "device_1h", "town_1h"})
"""What a larger journal is large of. A damaged page of these is found by the look at the whole, and when it is read."""
_MOST: Final = 20


def make_folder(folder: Path) -> None:
    """Makes the folder and those above it for their owner alone, whatever the umask; what is there stays as it is."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(FOLDER_MODE, exist_ok=True)


def take_place(path: Path) -> None:
    """Sees that a sound journal of this program or of an older one stands at ``path``, or begins one where nothing is.

    To be called under the lock. ``JournalUnavailable`` for whatever is none; it is left as it was.
    """
    if path.exists():
        with closing(open_for_reading(path)) as connection:
            examine(connection, path, migrations())
            look_quickly(connection, path)
        return
    absent = absence(path)
    if absent.problem is not Problem.MISSING:
        raise absent
    _begin(path)


def _begin(path: Path) -> None:
    new = path.with_name(path.name + _NEW)
    for half_made in (new, new.with_name(f"{new.name}-journal")):
        half_made.unlink(missing_ok=True)
    make_file(new)
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        migrate(connection, new, migrations())
    new.replace(path)
    sync_folder(path.parent)


def size_bytes(path: Path) -> int:
    """What the journal takes on the disk together with its log; nothing while it is not there."""
    found = 0
    for part in (path, path.with_name(path.name + LOG)):
        with suppress(FileNotFoundError):
            found += part.stat().st_size
    return found


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
