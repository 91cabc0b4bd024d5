"""The journal's file as SQLite has it: how it is opened, which migrations it has seen, and why it cannot be used.

Every pragma of the house stands here, with its reason. Each migration runs once, known by its name and never by its
place, in a transaction of its own; a file that this code does not know is left alone (ADR 0035). SQLite's and the
system's errors become a few names, each with its remedy: the rest of the house never sees an ``sqlite3`` exception,
and what is our own mistake is not translated. No table is named here.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

from telemetry.phone import number_key


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


BUSY_S: Final = 0.25
"""How long a statement waits for a lock: readers never hold one that matters, so who does is a stranger, and the
thread that waits is the one that answers the broker."""

LOG: Final = "-wal"
INDEX: Final = "-shm"
"""What SQLite puts behind the name for the write-ahead log beside it, and for the log's index."""

SAVED: Final = ".saved"
"""Stands behind the name where a journal was saved that somebody had deleted under the gateway."""

FILE_MODE: Final = 0o600
"""What is in it names people and their numbers; SQLite gives the log and its index the rights of the file."""

_CHECKPOINT_PAGES: Final = 4_000
"""The write-ahead log is folded back each 16 MB: often enough to stay small, seldom enough that a page that many
batches touched is written once."""

_WAL_KEPT_BYTES: Final = 64 * 1024 * 1024
_CACHE_KIB: Final = 16_384
_STATEMENTS: Final = 256


def take_lock(path: Path) -> sqlite3.Connection:
    """Holds ``<path>.lock`` for as long as the connection lives; busy when another gateway does.

    A second file, because the journal itself must stay readable: an exclusive lock on it would bar ``export`` and
    ``why``. The lock is the operating system's, so that SIGKILL frees it; the file stays, empty, and means nothing.
    """
    make_file(path.with_name(f"{path.name}.lock"))
    lock = sqlite3.connect(f"{path}.lock", timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        raise
    return lock


def open_for_writing(path: Path, max_bytes: int | None) -> sqlite3.Connection:
    """The writer's connection; used by one thread at a time, but not by the one that opened it."""
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    try:
        _arrange(connection, path, max_bytes)
    except (sqlite3.Error, JournalUnavailable):
        connection.close()
        raise
    return connection


def _arrange(connection: sqlite3.Connection, path: Path, max_bytes: int | None) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalUnavailable(Problem.UNWRITABLE, path, "this file system cannot carry a write-ahead log")
    connection.execute("PRAGMA synchronous = FULL")  # law L1: durable when COMMIT returns, not at the next checkpoint
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if max_bytes is not None:  # law L10: SQLite itself refuses to grow beyond it
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page_size)}")
    connection.execute("BEGIN IMMEDIATE")  # proves at the start, not at the first batch, that it can be written
    connection.execute("ROLLBACK")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, beside a running gateway or without one."""
    if not path.exists():
        raise absence(path)
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )


def absence(path: Path) -> JournalUnavailable:
    """What it means that no file is at ``path``: there is no journal yet, or it is gone from beside its log."""
    log = path.with_name(path.name + LOG)
    if log.exists() and log.stat().st_size:
        return JournalUnavailable(Problem.LEFT_BEHIND, path, f"{log.name} holds what was committed last")
    saved = next(path.parent.glob(f"{path.name}{SAVED}-*"), None)
    if saved is not None:
        why = f"{saved.name} was saved when it was deleted: rename that to {path.name}"
        return JournalUnavailable(Problem.LEFT_BEHIND, path, why)
    return JournalUnavailable(Problem.MISSING, path)


def make_file(path: Path) -> None:
    """Makes an empty file for its owner alone, whatever the umask; one that is there stays as it is."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE))
