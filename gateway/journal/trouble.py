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
    MEMORY = "memory"
    DAMAGED = "damaged"
    READ_ONLY = "read_only"
    UNWRITABLE = "unwritable"
    NEWER = "newer"
    OLDER = "older"
    FOREIGN = "foreign"
    MISSING = "missing"
    EMPTY = "empty"
    LEFT_BEHIND = "left_behind"
    GONE = "gone"


_SENTENCES: Final[Mapping[Problem, str]] = MappingProxyType(
    {
        Problem.LOCKED: "{path} is in use by another process; stop the other gateway, or whatever tool has it open",
        Problem.FULL: "{path} cannot grow: disk or configured size is full; free space, or raise [journal] max_mb",
        Problem.MEMORY: "{path} cannot be used: there is not enough memory; end other programs, or add memory",
        Problem.DAMAGED: "{path} is damaged; keep a copy of it, then restore a backup or move it away to start anew",
        Problem.READ_ONLY: "{path} is read-only; give the gateway's user the right to write it and its folder",
        Problem.UNWRITABLE: "{path} cannot be opened or written; check that its folder is a folder and is writable",
        Problem.NEWER: "{path} was written by a newer version of cunjing; run that version, or restore an older backup",
        Problem.OLDER: "{path} was written by an older version of cunjing; start the gateway once to update it",
        Problem.FOREIGN: "{path} is another program's SQLite file; name a different file as [journal] path",
        Problem.MISSING: "{path} does not exist yet; start the gateway once, or check [journal] path",
        Problem.EMPTY: (
            "{path} is empty, as a failed disk or a copy that broke off leaves it, and is not taken for a new journal;"
            " restore a backup, or delete the file to begin anew"
        ),
        Problem.LEFT_BEHIND: (
            "{path} is gone, but what belonged to it is still there, and no new journal is begun over it;"
            " put the journal back, or move the rest away to begin anew"
        ),
        Problem.GONE: (
            "{path} was deleted, moved or replaced while the gateway has it open, and nothing is acknowledged any more;"
            " put the file back in its place, then restart the gateway"
        ),
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
        sqlite3.SQLITE_SCHEMA: Problem.LOCKED,
        sqlite3.SQLITE_FULL: Problem.FULL,
        sqlite3.SQLITE_NOMEM: Problem.MEMORY,
        sqlite3.SQLITE_CORRUPT: Problem.DAMAGED,
        sqlite3.SQLITE_NOTADB: Problem.DAMAGED,
        sqlite3.SQLITE_READONLY: Problem.READ_ONLY,
        sqlite3.SQLITE_CANTOPEN: Problem.UNWRITABLE,
        sqlite3.SQLITE_IOERR: Problem.UNWRITABLE,
        sqlite3.SQLITE_PERM: Problem.UNWRITABLE,
        sqlite3.SQLITE_NOLFS: Problem.UNWRITABLE,
    }
)
"""By SQLite's primary result code (sqlite.org/rescode.html). A code that is not here is a mistake of ours."""

_CLOSER: Final[Mapping[int, Problem]] = MappingProxyType({sqlite3.SQLITE_IOERR_NOMEM: Problem.MEMORY})
"""Extended codes that say something else than their primary one."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns trouble of the world about ``path`` into ``JournalUnavailable``; everything else passes."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        problem = _CLOSER.get(code, _PROBLEMS.get(code & 0xFF))
        if problem is None:
            raise
        raise JournalUnavailable(problem, path, str(error)) from error
    except OSError as error:
        raise JournalUnavailable(Problem.UNWRITABLE, path, error.strerror or "") from error
