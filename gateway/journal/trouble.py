"""Why the journal cannot be used: SQLite's and the system's errors translated into a few names, each with its remedy.

The rest of the house never sees an ``sqlite3`` exception. What is our own mistake is not translated.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final


class Problem(StrEnum):
    """What is wrong with the file."""

    LOCKED = "locked"
    FULL = "full"
    DAMAGED = "damaged"
    READ_ONLY = "read_only"
    UNWRITABLE = "unwritable"
    NEWER = "newer"
    OLDER = "older"
    FOREIGN = "foreign"
    MISSING = "missing"


_SENTENCES: Final[Mapping[Problem, str]] = MappingProxyType(
    {
        Problem.LOCKED: "{path} is in use by another process; stop the other gateway, or whatever tool has it open",
        Problem.FULL: "{path} cannot grow: disk or configured size is full; free space, or raise [journal] max_mb",
        Problem.DAMAGED: "{path} is damaged; keep a copy of it, then restore a backup or move it away to start anew",
        Problem.READ_ONLY: "{path} is read-only; give the gateway's user the right to write it and its folder",
        Problem.UNWRITABLE: "{path} cannot be opened or written; check that its folder is a folder and is writable",
        Problem.NEWER: "{path} was written by a newer version of cunjing; run that version, or restore an older backup",
        Problem.OLDER: "{path} was written by an older version of cunjing; start the gateway once to update it",
        Problem.FOREIGN: "{path} is another program's SQLite file; name a different file as [journal] path",
        Problem.MISSING: "{path} does not exist yet; start the gateway once, or check [journal] path",
    }
)


class JournalUnavailable(Exception):  # noqa: N818 -- a state of the world, not an error of ours
    """The journal cannot be used now; ``problem`` names why, the message is a sentence with the file and the remedy."""

    def __init__(self, problem: Problem, path: Path, cause: str = "") -> None:
        super().__init__(_SENTENCES[problem].format(path=path) + (f" ({cause})" if cause else ""))
        self.problem = problem


_PROBLEMS: Final[Mapping[int, Problem]] = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: Problem.LOCKED,
        sqlite3.SQLITE_LOCKED: Problem.LOCKED,
        sqlite3.SQLITE_PROTOCOL: Problem.LOCKED,
        sqlite3.SQLITE_FULL: Problem.FULL,
        sqlite3.SQLITE_CORRUPT: Problem.DAMAGED,
        sqlite3.SQLITE_NOTADB: Problem.DAMAGED,
        sqlite3.SQLITE_READONLY: Problem.READ_ONLY,
        sqlite3.SQLITE_CANTOPEN: Problem.UNWRITABLE,
        sqlite3.SQLITE_IOERR: Problem.UNWRITABLE,
        sqlite3.SQLITE_PERM: Problem.UNWRITABLE,
    }
)
"""By SQLite's primary result code (sqlite.org/rescode.html). A code that is not here is a mistake of ours."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns trouble of the world about ``path`` into ``JournalUnavailable``; everything else passes."""
    try:
        yield
    except sqlite3.Error as error:
        problem = _PROBLEMS.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF)
        if problem is None:
            raise
        raise JournalUnavailable(problem, path, str(error)) from error
    except OSError as error:
        raise JournalUnavailable(Problem.UNWRITABLE, path, error.strerror or "") from error
