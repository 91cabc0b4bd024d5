"""Deletes what the policy lets go, a bounded step at a time; each step reads and deletes few rows, oldest first.

Never deleted, whatever the policy says: readings not yet sent on, readings after the last snapshot (the next start
steps through them again), the newest reading (ids must not be given twice), and notifications still owed.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from gateway.journal import arrivals, ledger, rollups
from gateway.journal.arrivals import Bounds
from gateway.journal.marks import keep_meta
from gateway.journal.retention import KEEP_CASES_MS, Keep, Pressure
from telemetry.reading import Millis

LET_GO: Final = "readings_let_go_ms"
"""The small mark of up to when readings were observed that are deleted: whatever is later is still all there."""

STEP_ROWS: Final = 2_000
"""At most so many rows of a kind a call: a few milliseconds for the thread that also commits (measured 5–10 ms)."""


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows one step deleted, and how full the journal was. While ``rows`` is not 0 there may be more to do."""

    pressure: Pressure
    readings: int
    quarantined: int
    arrivals: int
    cases: int
    rollups: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.readings + self.quarantined + self.arrivals + self.cases + self.rollups


_READINGS: Final = """
    DELETE FROM reading WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM reading WHERE id <= :through ORDER BY id LIMIT :rows)
        WHERE received_ms < :before
    )
    RETURNING observed_ms
"""
_QUARANTINE: Final = """
    DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM quarantine ORDER BY id LIMIT :rows)
        WHERE received_ms < :before
    )
"""
_CASES: Final = (
    """
    DELETE FROM event WHERE id IN (
        SELECT id FROM (SELECT id, at_ms FROM event ORDER BY id LIMIT :rows) WHERE at_ms < :before
    )
    """,
    """
    DELETE FROM notification WHERE id IN (
        SELECT id FROM (SELECT id, at_ms, state FROM notification ORDER BY id LIMIT :rows)
        WHERE at_ms < :before AND state NOT IN ('owed', 'sending')
    )
    """,
    """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM (SELECT id, at_ms FROM answer ORDER BY id LIMIT :rows) WHERE at_ms < :before
    )
    """,
    """
    DELETE FROM receipt WHERE (channel, reference) IN (
        SELECT channel, reference FROM receipt WHERE at_ms < :before ORDER BY at_ms LIMIT :rows
    )
    """,
    """
    DELETE FROM alert WHERE episode IN (
        SELECT episode FROM alert WHERE settled AND cleared_ms < :before ORDER BY cleared_ms LIMIT :rows
    )
    """,
)


def consumed(connection: sqlite3.Connection) -> list[int]:
    """How far each consumer of readings has come."""
    return [position for (position,) in connection.execute("SELECT position FROM consumer WHERE stream = 'reading'")]


def expire_readings(connection: sqlite3.Connection, now_ms: Millis, keep: Keep, through: int) -> int:
    """Deletes readings received before the policy's limit whose id is at most ``through``, and notes up to when."""
    before = now_ms - keep.readings_ms
    gone = connection.execute(_READINGS, {"through": through, "before": before, "rows": STEP_ROWS}).fetchall()
    if gone:
        keep_meta(connection, {LET_GO: str(max(let_go_ms(connection), *(observed_ms for (observed_ms,) in gone)))})
    return len(gone)


def let_go_ms(connection: sqlite3.Connection) -> Millis:
    """Up to when readings were observed of which some are deleted; 0 while none is."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (LET_GO,)).fetchone()
    return 0 if row is None else int(row[0])


def expire_quarantine(connection: sqlite3.Connection, now_ms: Millis, keep: Keep) -> int:
    """Deletes quarantined uplinks that are too old or too many, and forgets who sent any long ago."""
    old = connection.execute(_QUARANTINE, {"before": now_ms - keep.quarantined_ms, "rows": STEP_ROWS}).rowcount
    beyond = arrivals.trim(connection, Bounds(keep.quarantined_rows, keep.quarantined_bytes))
    arrivals.forget(connection, now_ms)
    return old + beyond


def expire_arrivals(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes signs of life by which nothing is known again any more, and anomalies of long ago."""
    signs = arrivals.expire_signs_of_life(connection, now_ms, STEP_ROWS)
    return signs + arrivals.expire_anomalies(connection, now_ms)


def expire_cases(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes events, settled notifications with attempts and receipts, answers, closed episodes, settled cases."""
    bounds = {"before": now_ms - KEEP_CASES_MS, "rows": STEP_ROWS}
    cases = ledger.expire(connection, now_ms - KEEP_CASES_MS, STEP_ROWS)
    return cases + sum(connection.execute(statement, bounds).rowcount for statement in _CASES)


def expire_rollups(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes hours after three years, carries that no late reading can ask for, and changes that were sent on."""
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key = ?", (rollups.PROGRESS,)))
    progress = rollups.progress_in(meta)
    carries_from_ms = 0 if progress is None else progress.carries_from_ms
    old = rollups.expire(connection, now_ms - KEEP_CASES_MS, carries_from_ms, STEP_ROWS)
    return old + rollups.expire_changes(connection, STEP_ROWS)
