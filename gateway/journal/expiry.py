"""Deletes what the policy lets go, a bounded step at a time; each step reads and deletes few rows, oldest first.

Never deleted, whatever the policy says: readings not yet sent on, readings after the last snapshot (the next start
steps through them again), the newest reading (ids must not be given twice), and notifications still owed.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from gateway.journal.retention import KEEP_CASES_MS, Keep, Pressure
from telemetry.reading import Millis

STEP_ROWS: Final = 2_000
"""At most so many rows of a kind a call: a few milliseconds for the thread that also commits (measured 5–10 ms)."""


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows one step deleted, and how full the journal was. While ``rows`` is not 0 there may be more to do."""

    pressure: Pressure
    readings: int
    quarantined: int
    cases: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.readings + self.quarantined + self.cases


_READINGS: Final = """
    DELETE FROM reading WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM reading WHERE id <= :through ORDER BY id LIMIT :rows)
        WHERE received_ms < :before
    )
"""
_QUARANTINE: Final = """
    DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM quarantine ORDER BY id LIMIT :rows)
        WHERE received_ms < :before OR id <= (SELECT max(id) FROM quarantine) - :keep
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
    DELETE FROM alert WHERE episode IN (
        SELECT episode FROM alert WHERE settled AND cleared_ms < :before ORDER BY cleared_ms LIMIT :rows
    )
    """,
)


def consumed(connection: sqlite3.Connection) -> list[int]:
    """How far each consumer of readings has come."""
    return [position for (position,) in connection.execute("SELECT position FROM consumer WHERE stream = 'reading'")]


def expire_readings(connection: sqlite3.Connection, now_ms: Millis, keep: Keep, through: int) -> int:
    """Deletes readings received before the policy's limit whose id is at most ``through``."""
    before = now_ms - keep.readings_ms
    return connection.execute(_READINGS, {"through": through, "before": before, "rows": STEP_ROWS}).rowcount


def expire_quarantine(connection: sqlite3.Connection, now_ms: Millis, keep: Keep) -> int:
    """Deletes quarantined uplinks that are too old or too many."""
    bounds = {"before": now_ms - keep.quarantined_ms, "keep": keep.quarantined_rows, "rows": STEP_ROWS}
    return connection.execute(_QUARANTINE, bounds).rowcount


def expire_cases(connection: sqlite3.Connection, now_ms: Millis) -> int:
    """Deletes events, settled notifications with their attempts, and closed episodes after three years."""
    bounds = {"before": now_ms - KEEP_CASES_MS, "rows": STEP_ROWS}
    return sum(connection.execute(statement, bounds).rowcount for statement in _CASES)
