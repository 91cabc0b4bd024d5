"""How the journal's file is opened: the writer's connection, its lock, and read-only ones beside it.

Every pragma of the house stands here, with its reason.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.journal.trouble import JournalUnavailable, Problem

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
