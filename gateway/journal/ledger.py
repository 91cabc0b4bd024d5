"""Cases of the ledger and their histories to rows and back. Only statements stand here; the transaction is not here.

A history is appended to and never changed; the table itself refuses it.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, fields
from typing import Final

from msgspec.structs import asdict

from alerts.ledger.case import Deed
from gateway.journal.entry import CaseRow
from gateway.journal.retention import STEP_ROWS
from telemetry.reading import Millis

_FIELDS: Final = tuple(part.name for part in fields(CaseRow))
_CHANGING: Final = ("state", "rule", "owner", "deadline_ms", "closed_ms", "blob", "settled")
_CASE: Final = (  # names of our own
    f"INSERT INTO ledger_case ({', '.join(_FIELDS)}) VALUES ({', '.join('?' for _ in _FIELDS)})"  # noqa: S608 -- names of our own
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGING)}"
)
_DEED: Final = (
    'INSERT INTO ledger_deed ("case", at_ms, deed, by, channel, origin, was, now, reason)'
    " VALUES (:case, :at_ms, :deed, :by, :channel, :origin, :was, :now, :reason)"
)
_EXPIRED: Final = """
    DELETE FROM ledger_case WHERE number IN (
        SELECT number FROM (SELECT number, closed_ms, settled FROM ledger_case ORDER BY number LIMIT :rows)
        WHERE settled AND closed_ms < :before
    )
"""


def keep_cases(connection: sqlite3.Connection, cases: Mapping[str, CaseRow]) -> None:
    """Writes each case as it stands now."""
    connection.executemany(_CASE, [astuple(row) for row in cases.values()])


def add_deeds(connection: sqlite3.Connection, deeds: Iterable[Deed]) -> None:
    """Appends to histories, in their order."""
    connection.executemany(_DEED, [{**asdict(deed), "now": str(deed.now)} for deed in deeds])


def unsettled(connection: sqlite3.Connection) -> list[CaseRow]:
    """What a start goes on with, oldest first."""
    rows = connection.execute(f"SELECT {', '.join(_FIELDS)} FROM ledger_case WHERE NOT settled ORDER BY number")  # noqa: S608 -- names of our own
    return [CaseRow(*row) for row in rows]


def knows(connection: sqlite3.Connection, case: str) -> bool:
    """Whether there ever was such a case, settled or not."""
    return connection.execute("SELECT 1 FROM ledger_case WHERE id = ?", (case,)).fetchone() is not None


def numbers(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """The highest number that was given on each day in each town."""
    rows = connection.execute("SELECT day, town, max(in_day) FROM ledger_case GROUP BY day, town")
    return {(day, town): highest for day, town, highest in rows}


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of settled cases that were closed before then, with their histories."""
    return connection.execute(_EXPIRED, {"before": before_ms, "rows": STEP_ROWS}).rowcount
