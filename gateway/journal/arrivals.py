"""What arrived and is no reading: a device's status, its signs of life, what was wrong with it, and what was refused.

Only statements stand here; the transaction around them is the writer's. Strangers' texts pass through here.
"""

import base64
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from gateway.journal.entry import Anomaly, Aside, Quarantined, RequeueOutcome, SignOfLife
from gateway.journal.names import NameIds
from gateway.journal.retention import STEP_ROWS, Keep
from gateway.journal.view import Row, as_json, iso, pages
from telemetry.reading import Millis
from telemetry.sequence import EPOCH, REMEMBERED_MS, Mark
from telemetry.wire import Status


def keep_statuses(connection: sqlite3.Connection, statuses: Iterable[tuple[Status, Millis]], devices: NameIds) -> None:
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


def add_signs_of_life(connection: sqlite3.Connection, signs: Iterable[SignOfLife], devices: NameIds) -> None:
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


def keep_anomalies(connection: sqlite3.Connection, anomalies: Iterable[Anomaly], devices: NameIds) -> None:
    """Adds to what is known of each: how often, and what of the last time."""
    rows = [(devices[each.device], *each[1:-1], _storable(each.detail)) for each in anomalies]
    connection.executemany(_KEEP_ANOMALY, rows)


def anomalies(connection: sqlite3.Connection, devices: Collection[str]) -> list[Anomaly]:
    """What is wrong with what some devices say, the latest first."""
    return [Anomaly(*row) for row in connection.execute(_ANOMALIES, (as_json(devices),))]


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


def keep_looked(connection: sqlite3.Connection, looked: Iterable[RequeueOutcome]) -> None:
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


_EXPORTED: Final = "SELECT * FROM quarantine WHERE id > ? AND received_ms >= ? AND received_ms < ? ORDER BY id LIMIT ?"


def exported(connection: sqlite3.Connection, from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
    """Refused uplinks received in [from, to), fit for export; ``payload`` or ``payload_b64`` as in a recording."""
    for row in pages(connection, _EXPORTED, from_ms, to_ms):
        yield {
            "received_at": iso(row["received_ms"]),
            "topic": row["topic"],
            **_payload(row["payload"]),
            "reason": row["reason"],
            "detail": row["detail"],
        }


def _payload(payload: bytes) -> Row:
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_b64": base64.b64encode(payload).decode()}


class Beginning(Struct, frozen=True):
    """One uplink in quarantine; of its payload only the beginning."""

    id: int
    received_ms: Millis
    topic: str
    reason: str
    detail: str
    payload: bytes
    again_ms: Millis
    again: str


_BEGINNINGS: Final = """
    SELECT id, received_ms, topic, reason, detail, substr(payload, 1, 400), coalesce(again_ms, 0), again FROM quarantine
    WHERE ? = '' OR reason = ? ORDER BY id DESC LIMIT ?
"""


def count_by_reason(connection: sqlite3.Connection) -> list[tuple[str, int, Millis]]:
    """How many uplinks are in quarantine for each reason, and when the last came; the most first."""
    return connection.execute(
        "SELECT reason, count(*), max(received_ms) FROM quarantine"
        " WHERE again IN ('', 'refused') GROUP BY reason ORDER BY 2 DESC, 1"
    ).fetchall()


def newest(connection: sqlite3.Connection, reason: str, most: int) -> list[Beginning]:
    """The newest uplinks in quarantine for a reason (empty: for any), the newest first."""
    return [Beginning(*row) for row in connection.execute(_BEGINNINGS, (reason, reason, most))]


SHARES: Final = 8
"""One source keeps at most such a part of all."""
_ROUNDS: Final = 64
"""So often at most is taken from who has most in one go; the rest goes the next time."""
_FORGOTTEN_MS: Final[Millis] = 30 * 86_400_000
_MOST_SOURCES: Final = 10_000
"""So many are counted of which nothing is kept any more; a stranger may invent as many as they like."""

_OLDEST: Final = """
    DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (
            SELECT id, size, row_number() OVER (ORDER BY id) AS place, sum(size) OVER (ORDER BY id) AS through
            FROM (
                SELECT id, 100 + length(payload) + length(CAST(topic || detail AS BLOB)) AS size
                FROM quarantine WHERE source = :source ORDER BY id LIMIT :step
            )
        ) WHERE place <= :rows OR through - size < :bytes
    )
"""


class Bounds(NamedTuple):
    """The most that is kept of all, by rows and by bytes, in all and of each source (law L10, case H10).

    Whoever sends junk loses the oldest of their own first. Evidence of others goes only when all together are too many,
    and then from whoever has most.
    """

    rows: int
    bytes: int


class _Kept(NamedTuple):
    source: str
    rows: int
    bytes: int


def kept_bytes(connection: sqlite3.Connection) -> int:
    """What all that is kept takes."""
    return int(connection.execute("SELECT coalesce(sum(bytes), 0) FROM quarantine_source").fetchone()[0])


def trim(connection: sqlite3.Connection, bounds: Bounds) -> int:
    """Lets go of what is beyond the bounds, a bounded number of rows; answers how many."""
    share = Bounds(max(1, bounds.rows // SHARES), bounds.bytes // SHARES)
    above = "SELECT source, rows, bytes FROM quarantine_source WHERE rows > ? OR bytes > ?"
    gone = sum(
        _let_go(connection, source, rows - share.rows, size - share.bytes)
        for source, rows, size in connection.execute(above, share).fetchall()
    )
    for _ in range(_ROUNDS):
        rows, size = connection.execute(
            "SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM quarantine_source"
        ).fetchone()
        if rows <= bounds.rows and size <= bounds.bytes:
            break
        most = _most(connection, "bytes" if size > bounds.bytes else "rows")
        gone += _let_go(
            connection, most.source, min(rows - bounds.rows, most.rows // 2), min(size - bounds.bytes, most.bytes // 2)
        ) or _let_go(connection, most.source, 1, 0)
    return gone


def _forget(connection: sqlite3.Connection, now_ms: Millis) -> None:
    """Sources of which nothing is kept and nothing came for long, or of which there are too many."""
    connection.execute(
        "DELETE FROM quarantine_source WHERE rows = 0 AND (last_ms < ? OR source IN"
        " (SELECT source FROM quarantine_source WHERE rows = 0 ORDER BY last_ms DESC LIMIT -1 OFFSET ?))",
        (now_ms - _FORGOTTEN_MS, _MOST_SOURCES),
    )


def _most(connection: sqlite3.Connection, by: str) -> _Kept:
    found = f"SELECT source, rows, bytes FROM quarantine_source WHERE rows > 0 ORDER BY {by} DESC, source LIMIT 1"  # noqa: S608 -- one of two words of our own
    return _Kept(*connection.execute(found).fetchone())


def _let_go(connection: sqlite3.Connection, source: str, rows: int, size: int) -> int:
    """The oldest of a source, until so many rows and so many bytes are gone."""
    given = {"source": source, "rows": rows, "bytes": size, "step": STEP_ROWS}
    return connection.execute(_OLDEST, given).rowcount


_EXPIRED: Final = """
    DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM quarantine ORDER BY id LIMIT :rows)
        WHERE received_ms < :before
    )
"""


def expire_quarantine(connection: sqlite3.Connection, now_ms: Millis, keep: Keep) -> int:
    """Deletes quarantined uplinks that are too old or too many, and forgets who sent any long ago."""
    old = connection.execute(_EXPIRED, {"before": now_ms - keep.quarantined_ms, "rows": STEP_ROWS}).rowcount
    beyond = trim(connection, Bounds(keep.quarantined_rows, keep.quarantined_bytes))
    _forget(connection, now_ms)
    return old + beyond


def expire(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes a step of the signs of life by which nothing is known again any more, and anomalies of long ago."""
    signs = connection.execute(
        "DELETE FROM sign_of_life WHERE id IN"
        " (SELECT id FROM (SELECT id, received_ms FROM sign_of_life ORDER BY id LIMIT ?) WHERE received_ms < ?)",
        (STEP_ROWS, now_ms - REMEMBERED_MS),
    ).rowcount
    # of these there are a few rows a device at most
    return signs + connection.execute("DELETE FROM anomaly WHERE last_ms < ?", (now_ms - ANOMALIES_KEPT_MS,)).rowcount
