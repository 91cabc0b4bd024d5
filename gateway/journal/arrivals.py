"""What arrived and is no reading: a device's status, its signs of life, what was wrong with it, and what was refused.

Only statements stand here; the transaction around them is the writer's. Strangers' texts pass through here.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from gateway.journal.entry import Anomaly, Aside, Looked, Quarantined, SignOfLife
from gateway.journal.names import Names
from telemetry.reading import Millis
from telemetry.sequence import EPOCH, REMEMBERED_MS, Mark
from telemetry.wire import Status


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


def add_signs_of_life(connection: sqlite3.Connection, signs: Iterable[SignOfLife], devices: Names) -> None:
    """Keeps uplinks that measured nothing, so that they are known again."""
    connection.executemany(
        "INSERT INTO sign_of_life (device, boot, seq, received_ms, device_ms, fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
        [(devices[sign.device], *sign[1:]) for sign in signs],
    )


def life_marks(connection: sqlite3.Connection, device: int, session: int, seq: int, since_ms: Millis) -> list[Mark]:
    """Signs of life of a session under a count that came since then."""
    rows = connection.execute(
        "SELECT boot, received_ms, device_ms, fingerprint FROM sign_of_life"
        " WHERE device = ? AND seq = ? AND boot % ? = ? AND received_ms >= ? ORDER BY id DESC",
        (device, seq, EPOCH, session, since_ms),
    )
    return [Mark(*row) for row in rows]


def newest_life_epoch(connection: sqlite3.Connection, device: int, session: int) -> int | None:
    """The boot of the newest epoch of a session of which a counted sign of life is kept."""
    found = connection.execute(
        "SELECT max(boot) FROM sign_of_life WHERE device = ? AND seq >= 0 AND boot % ? = ?", (device, EPOCH, session)
    ).fetchone()[0]
    return None if found is None else int(found)


def expire_signs_of_life(connection: sqlite3.Connection, now_ms: Millis, most: int) -> int:
    """Deletes those by which nothing is known again any more, oldest first."""
    return connection.execute(
        "DELETE FROM sign_of_life WHERE id IN"
        " (SELECT id FROM (SELECT id, received_ms FROM sign_of_life ORDER BY id LIMIT ?) WHERE received_ms < ?)",
        (most, now_ms - REMEMBERED_MS),
    ).rowcount


ANOMALIES_KEPT_MS: Final = 30 * 86_400_000
"""What was not wrong for so long is not shown any more; should it come again, it begins anew."""


_KEEP_ANOMALY: Final = """
    INSERT INTO anomaly (device, kind, subject, since_ms, last_ms, times, reason, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (device, kind, subject) DO UPDATE SET
        since_ms = min(since_ms, excluded.since_ms), last_ms = max(last_ms, excluded.last_ms),
        times = times + excluded.times, reason = excluded.reason, detail = excluded.detail
"""
_ANOMALIES: Final = """
    SELECT device.name, kind, subject, since_ms, last_ms, times, reason, detail
    FROM json_each(?) JOIN device ON device.name = json_each.value JOIN anomaly ON anomaly.device = device.id
    ORDER BY last_ms DESC, kind, subject
"""


def keep_anomalies(connection: sqlite3.Connection, anomalies: Iterable[Anomaly], devices: Names) -> None:
    """Adds to what is known of each: how often, and what of the last time."""
    rows = [(devices[each.device], *each[1:-1], _storable(each.detail)) for each in anomalies]
    connection.executemany(_KEEP_ANOMALY, rows)


def anomalies(connection: sqlite3.Connection, devices: Collection[str]) -> list[Anomaly]:
    """What is wrong with what some devices say, the latest first."""
    return [Anomaly(*row) for row in connection.execute(_ANOMALIES, (json.dumps(list(devices)),))]


def expire_anomalies(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes what was not wrong for long; there are a few rows a device at most."""
    return connection.execute("DELETE FROM anomaly WHERE last_ms < ?", (now_ms - ANOMALIES_KEPT_MS,)).rowcount


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
