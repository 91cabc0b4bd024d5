"""What a start finds in the journal: states, tracks, open alerts, and the readings since the last snapshot.

The values are handed to whoever goes on from them. Only reads; what it means to step through the tail again is the
pipeline's.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.journal import episodes, ledger, marks, names, notifications, readings
from gateway.journal.database import translated
from gateway.journal.entry import AlertRow, CaseRow, InventoryBody
from gateway.journal.marks import SNAPSHOT_POSITION, SNAPSHOT_RULESET, PackedUpTo
from telemetry.reading import Millis, Reading


@dataclass(frozen=True, slots=True)
class Restored:
    """What a start finds. ``tail`` yields (id, reading) after ``snapshot_position``, in order of arrival.

    A reading of the tail is already in its asset's state if that state's position is not below its id.
    """

    known: dict[str, Millis]
    heartbeat_ms: Millis | None
    ruleset: str
    snapshot_position: int
    last_reading_id: int
    states: dict[str, PackedUpTo]
    tracks: dict[str, PackedUpTo]
    open_alerts: list[AlertRow]
    meta: dict[str, str]
    inventory: InventoryBody | None
    mailboxes: list[bytes]
    tail: Iterator[tuple[int, Reading]]
    cases: list[CaseRow] = field(default_factory=list)
    """Those that are not settled, oldest first."""
    case_numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """The highest number of each (day, town)."""
    latest_ms: Millis = 0
    """The highest instant that was told before."""


_DATED: Final = {"reading": "received_ms", "quarantine": "received_ms", "event": "at_ms", "notification": "at_ms"}
"""Kinds of rows, and where they say when they were made."""


def restore(connection: sqlite3.Connection, path: Path, last_reading_id: int) -> Restored:
    """Everything at once but the tail, which is read as it is consumed; nothing may be committed before it is."""
    with translated(path):
        meta = marks.every_mark(connection)
        position = int(meta.pop(SNAPSHOT_POSITION, "0"))
        return Restored(
            known=names.known(connection),
            heartbeat_ms=marks.heartbeat(connection),
            ruleset=meta.pop(SNAPSHOT_RULESET, ""),
            snapshot_position=position,
            last_reading_id=last_reading_id,
            states=marks.states(connection),
            tracks=marks.tracks(connection),
            open_alerts=episodes.unsettled(connection),
            meta=meta,
            inventory=marks.inventory(connection),
            mailboxes=notifications.mailboxes(connection),
            tail=_tail(connection, path, position),
            cases=ledger.unsettled(connection),
            case_numbers=ledger.numbers(connection),
            latest_ms=_latest(connection),
        )


def _latest(connection: sqlite3.Connection) -> Millis:
    """Rows are added in the order of time, so that the newest of each kind say what the clock has shown."""
    newest = (
        f"SELECT max({at}) FROM {rows} WHERE id = (SELECT max(id) FROM {rows})"  # noqa: S608 -- words of our own
        for rows, at in _DATED.items()
    )
    found = connection.execute(" UNION ALL ".join(("SELECT max(at_ms) FROM heartbeat", *newest))).fetchall()
    return max((at_ms for (at_ms,) in found if at_ms is not None), default=0)


def _tail(connection: sqlite3.Connection, path: Path, position: int) -> Iterator[tuple[int, Reading]]:
    with translated(path):
        yield from readings.read(connection, position)
