"""Whether the files that the gateway has open are still those that a start would find (case H8); who else has them.

SQLite goes on happily with a file that was deleted under it; what it takes in then is gone with the process. Nothing
is mended here but one thing: what such a file holds is saved beside its place while it still can be read.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from gateway.journal.database import INDEX, LOG, SAVED, JournalUnavailable, Problem, make_file

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
