"""What arrived and is no reading: when a device became known, its status, and what was refused.

Only statements stand here; the transaction around them is the writer's. Strangers' texts pass through here.
"""

import sqlite3
from collections.abc import Iterable, Mapping

from gateway.journal.aside import Aside, Looked
from gateway.journal.entry import Quarantined
from gateway.journal.names import Names
from telemetry.reading import Millis
from telemetry.wire import Status


def keep_known(connection: sqlite3.Connection, known: Mapping[str, Millis], devices: Names) -> None:
    """Writes since when a device is known; the first instant told stays."""
    connection.executemany(
        "UPDATE device SET first_known_ms = ? WHERE id = ? AND first_known_ms IS NULL",
        [(since_ms, devices[device]) for device, since_ms in known.items()],
    )


def keep_statuses(connection: sqlite3.Connection, statuses: Iterable[tuple[Status, Millis]], devices: Names) -> None:
    """Writes the latest status of each device."""
    connection.executemany(
        "INSERT OR REPLACE INTO device_status (device, received_ms, online, boot, fw, device_ms) VALUES (?,?,?,?,?,?)",
        [
            (
                devices[status.device],
                received_ms,
                int(status.online),
                status.boot,
                None if status.fw is None else _storable(status.fw),
                status.ts_ms,
            )
            for status, received_ms in statuses
        ],
    )


def add_quarantined(connection: sqlite3.Connection, quarantined: Iterable[Quarantined]) -> None:
    """Keeps what was refused, byte for byte, with the reason (law L2)."""
    connection.executemany(
        "INSERT INTO quarantine (received_ms, topic, payload, reason, detail) VALUES (?, ?, ?, ?, ?)",
        [
            (each.received_ms, _storable(each.topic), each.payload, str(each.reason), _storable(each.detail))
            for each in quarantined
        ],
    )


def _storable(text: str) -> str:
    """SQLite takes UTF-8 only; a lone surrogate out of a stranger's JSON must not stop the stream (law L2)."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def keep_looked(connection: sqlite3.Connection, looked: Iterable[Looked]) -> None:
    """Says what became of those that were looked at again."""
    connection.executemany(
        "UPDATE quarantine SET again_ms = ?, again = ?, reason = ?, detail = CASE WHEN ? = '' THEN detail ELSE ? END"
        " WHERE id = ?",
        [
            (each.at_ms, each.result, str(each.reason), _storable(each.detail), _storable(each.detail), each.id)
            for each in looked
        ],
    )


def aside(connection: sqlite3.Connection, reason: str, most: int) -> list[Aside]:
    """Those refused for a reason, and refused still; those never looked at again first, then as they came."""
    rows = connection.execute(
        "SELECT id, received_ms, topic, payload, reason FROM quarantine"
        " WHERE reason = ? AND again IN ('', 'refused') ORDER BY coalesce(again_ms, 0), id LIMIT ?",
        (reason, most),
    )
    return [Aside(*row) for row in rows]
