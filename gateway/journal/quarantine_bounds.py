"""How much of what was refused is kept: by bytes and by rows, in all and of each source (law L10, case H10).

Whoever sends junk loses the oldest of their own first. Evidence of others goes only when all together are too many, and
then from whoever has most. Only statements stand here; the transaction around them is the writer's.
"""

import sqlite3
from typing import Final, NamedTuple

from telemetry.reading import Millis

SHARES: Final = 8
"""One source keeps at most such a part of all."""
STEP_ROWS: Final = 2_000
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
    """The most that is kept of all."""

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


def forget(connection: sqlite3.Connection, now_ms: Millis) -> None:
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
