"""The journal's place on the disk: whether a sound journal lies there, how a new one begins, whether it is still there.

A new one stands whole under another name before it takes its place, so that no end of the program leaves an empty file
there, and an empty file is never one of ours (case H16). Whether the pages are what SQLite wrote is looked at quickly
at a start, wholly beside a running gateway (case H9): SQLite keeps no checksums, so bytes that turned inside a value
still are a value, and nobody can see that here. SQLite goes on happily with a file that was deleted under it, and what
it takes in then is gone with the process: that is looked for (case H8), and what such a file holds is saved beside its
place while it still can be read. Nothing else is mended here, and what a row means is nobody's business.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from alerts.channels.outbox import sync_folder
from gateway.journal.database import (
    INDEX,
    LOG,
    SAVED,
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
    for part in parts(path)[:2]:
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


_PROCESSES: Final = Path("/proc")


class Identity(NamedTuple):
    """What tells a file from another one that has its name."""

    device: int
    inode: int


class Presence:
    """The journal, its log and the log's index as they were when they were opened. Not thread-safe."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """To be made once the connection has its log open; raises ``OSError``."""
        self._path = path
        self._connection = connection
        self._files = [(os.fspath(part), part.name, identity(part)) for part in parts(path)]
        # Opened by its path only: closing any other descriptor would let go of SQLite's locks (fcntl(2)).
        self._handle = os.open(path, os.O_PATH)
        self._kept = ""

    def close(self) -> None:
        """Saves what would end with the process, and lets go."""
        try:
            self._keep()
        finally:
            os.close(self._handle)

    def check(self) -> None:
        """``JournalUnavailable`` when a start would not find what is open now; once a commit, so three looks each."""
        gone = self._gone()
        if gone is not None:
            raise JournalUnavailable(Problem.GONE, self._path, f"{gone} is not the one that was opened")

    def keep_what_is_gone(self) -> None:
        """The same, and what was committed is made to outlast the process first; to be called outside a transaction."""
        gone = self._gone()
        if gone is not None:
            kept = self._keep()
            raise JournalUnavailable(Problem.GONE, self._path, f"{gone} is not the one that was opened; {kept}")

    def _gone(self) -> str | None:
        for path, name, known in self._files:
            if identity(path) != known:
                return name
        return None

    def _keep(self) -> str:
        """What became of what was committed. Nothing is committed any more, so that once is enough."""
        if self._gone() is None or self._kept:
            return self._kept
        try:
            self._kept = self._saved() if os.fstat(self._handle).st_nlink == 0 else self._folded()
        except (sqlite3.Error, OSError) as error:
            return f"what it holds could not be saved ({error}) and ends with this process"
        return self._kept

    def _saved(self) -> str:
        """Deleted: its pages are this process's alone."""
        saved = self._path.with_name(f"{self._path.name}{SAVED}-{os.fstat(self._handle).st_ino}")
        unfinished = saved.with_name(f"{saved.name}.part")
        unfinished.unlink(missing_ok=True)
        make_file(unfinished)
        with closing(sqlite3.connect(unfinished)) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, to be moved as one
        unfinished.replace(saved)
        # A log that is left with another journal in that place would be read into it.
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return f"all that was committed is saved as {saved.name}"

    def _folded(self) -> str:
        """Moved, or without its log: whatever the log still holds goes into the file, wherever that is now."""
        busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise OSError("somebody reads it")
        where = Path(f"/proc/self/fd/{self._handle}").readlink()
        return "all that was committed is in the file" + (f" {where}" if where != self._path.absolute() else "")


def parts(path: Path) -> tuple[Path, ...]:
    """The journal's files: itself, its log, and the log's index."""
    return tuple(path.with_name(path.name + end) for end in ("", LOG, INDEX))


def identity(path: str | Path) -> Identity | None:
    """Which file has this name; ``None`` when none has. Raises ``OSError`` when that cannot be seen."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- once a file and commit: half the time of ``Path.stat``
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Identity(found.st_dev, found.st_ino)


def openers(path: Path) -> list[str]:
    """The processes that have the journal open, as far as this user may see them: number and name of each.

    Raises nothing: processes end while they are looked at, and others' are not ours to see.
    """
    known = {identity(part) for part in parts(path)} - {None}
    return [f"{process.name} ({_name(process)})" for process in _processes() if known & set(_open_files(process))]


def _processes() -> list[Path]:
    with suppress(OSError):
        return [found for found in _PROCESSES.iterdir() if found.name.isdigit()]
    return []


def _open_files(process: Path) -> Iterator[Identity | None]:
    with suppress(OSError):
        for handle in (process / "fd").iterdir():
            with suppress(OSError):
                yield identity(handle)


def _name(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text("utf-8", "replace").strip()
    return "?"
