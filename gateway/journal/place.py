"""The journal's place on the disk: whether what lies there is a journal, and how a new one begins.

A new one stands whole under another name before it takes its place, so that no end of the program leaves an empty file
there, and an empty file is never one of ours (case H16). What a row means is nobody's business here.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from alerts.channels.outbox import sync_folder
from gateway.journal.database import LOG, Problem, absence, examine, make_file, migrate, migrations, open_for_reading
from gateway.journal.soundness import look_quickly

FOLDER_MODE: Final = 0o700

_NEW: Final = ".new"


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
