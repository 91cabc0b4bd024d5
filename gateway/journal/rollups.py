"""Rollups to rows: one table a measurement, with a column for each field; and where the roller stands.

Only statements stand here; the transaction around them is the writer's, and reading back is ``rollup_reader``.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec.structs import astuple

from alerts.rollups.rows import HOURS, ROWS, Rollup
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress, Rolled
from gateway.journal.marks import keep_consumed, keep_meta
from gateway.journal.names import Named, Names
from gateway.journal.retention import STEP_ROWS
from telemetry.reading import Millis
from telemetry.series import Measurement

PROGRESS: Final = "rollups"
"""The small mark under which the progress is kept, as JSON."""

NAMED_IN: Final[Mapping[Measurement, Named]] = MappingProxyType(
    {
        Measurement.BIN_HOUR: "asset",
        Measurement.BIN_DAY: "asset",
        Measurement.PLANT_HOUR: "asset",
        Measurement.PLANT_DAY: "asset",
        Measurement.DEVICE_HOUR: "device",
        Measurement.DEVICE_DAY: "device",
        Measurement.TOWN_HOUR: "area",
        Measurement.TOWN_DAY: "area",
    }
)
"""Which table has the names of a measurement's subjects."""

COLUMNS: Final[Mapping[Measurement, tuple[str, ...]]] = MappingProxyType(
    {measurement: row.__struct_fields__ for measurement, row in ROWS.items()}
)
"""The fields of each measurement; its table has a column of each, after ``start_ms`` and ``subject``."""

_INSERTS: Final = MappingProxyType(
    {
        measurement: f"INSERT OR REPLACE INTO {measurement} (start_ms, subject, {', '.join(columns)})"  # noqa: S608 -- names of our own
        f" VALUES ({', '.join('?' * (len(columns) + 2))})"
        for measurement, columns in COLUMNS.items()
    }
)

_NEWEST: Final = 2**63 - 1


class RollupNames:
    """The names that rollups are about, by table."""

    def __init__(self, asset: Names, device: Names, area: Names) -> None:
        self._tables: Mapping[Named, Names] = {"asset": asset, "device": device, "area": area}

    def of(self, rollup: Rollup) -> int:
        """The number of a row's subject."""
        return self._tables[NAMED_IN[rollup.measurement]][rollup.subject]

    def dirty(self, dirty: Dirty) -> int:
        """The number of what is to be computed again."""
        return self._tables[dirty.kind][dirty.subject]

    def asset(self, name: str) -> int:
        """The number of an asset."""
        return self._tables["asset"][name]


def keep_rolled(connection: sqlite3.Connection, rolled: Iterable[Rolled], names: RollupNames, *, queued: bool) -> None:
    """Writes rows, carries and marks, in the order in which they were posted; ``queued`` notes each row as changed."""
    for each in rolled:
        _keep_rows(connection, each.rows, names, queued=queued)
        _keep_carries(connection, each.carries, names)
        _keep_day_carries(connection, each.day_carries, names)
        _keep_dirty(connection, each, names)
        if each.progress is not None:
            keep_meta(connection, {PROGRESS: msgspec.json.encode(asdict(each.progress)).decode()})
        if each.consumed is not None:
            keep_consumed(connection, dict([each.consumed]))


def progress_in(meta: Mapping[str, str]) -> Progress | None:
    """How far the rollups have come, out of the small marks; ``None`` before they ever began."""
    return msgspec.json.decode(meta[PROGRESS], type=Progress) if PROGRESS in meta else None


def _keep_rows(connection: sqlite3.Connection, rows: Iterable[Rollup], names: RollupNames, *, queued: bool) -> None:
    written = [(each.measurement, each.start_ms, names.of(each), each.row) for each in rows]
    for measurement in dict.fromkeys(measurement for measurement, *_ in written):
        connection.executemany(
            _INSERTS[measurement],
            [(start_ms, subject, *astuple(row)) for name, start_ms, subject, row in written if name is measurement],
        )
    if queued:
        connection.executemany(
            "INSERT INTO rollup_change (measurement, subject, start_ms) VALUES (?, ?, ?)",
            [(str(measurement), subject, start_ms) for measurement, start_ms, subject, _ in written],
        )


def _keep_carries(connection: sqlite3.Connection, carries: Iterable[Carry], names: RollupNames) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO rollup_carry (asset, at_ms, blob) VALUES (?, ?, ?)",
        [(names.asset(asset), at_ms, blob) for asset, at_ms, blob in carries],
    )


def _keep_day_carries(connection: sqlite3.Connection, carries: Iterable[DayCarry], names: RollupNames) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO rollup_day_carry (day_ms, asset, position, blob) VALUES (?, ?, ?, ?)",
        [(day_ms, names.asset(asset), position, blob) for day_ms, asset, position, blob in carries],
    )


def _keep_dirty(connection: sqlite3.Connection, rolled: Rolled, names: RollupNames) -> None:
    """What is clean first: the same post may make a day clean and the next one dirty, never the other way round."""
    connection.executemany(
        "DELETE FROM rollup_dirty WHERE day_ms = ? AND kind = ? AND subject = ?",
        [(each.day_ms, each.kind, names.dirty(each)) for each in rolled.clean],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO rollup_dirty (day_ms, kind, subject) VALUES (?, ?, ?)",
        [(each.day_ms, each.kind, names.dirty(each)) for each in rolled.dirty],
    )


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step each of hours of before then, carries that no late reading can ask for, and changes sent on.

    Days are kept for ever.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key = ?", (PROGRESS,)))
    progress = progress_in(meta)
    carries_from_ms = 0 if progress is None else progress.carries_from_ms
    old = _expire_rows(connection, before_ms, carries_from_ms)
    return old + _expire_changes(connection)


def _expire_rows(connection: sqlite3.Connection, before_ms: Millis, carries_from_ms: Millis) -> int:
    bounds = [(str(measurement), "subject", "start_ms", before_ms) for measurement in HOURS]
    bounds.append(("rollup_day_carry", "asset", "day_ms", carries_from_ms))
    return sum(
        connection.execute(
            f"DELETE FROM {table} WHERE ({start}, {subject}) IN"  # noqa: S608 -- names of our own
            f" (SELECT {start}, {subject} FROM {table} WHERE {start} < ? ORDER BY {start}, {subject} LIMIT ?)",
            (bound, STEP_ROWS),
        ).rowcount
        for table, subject, start, bound in bounds
    )


def _expire_changes(connection: sqlite3.Connection) -> int:
    """Changes with which every consumer of rollups has dealt; all, when there is none."""
    (position,) = connection.execute("SELECT min(position) FROM consumer WHERE stream = 'rollup'").fetchone()
    return connection.execute(
        "DELETE FROM rollup_change WHERE id IN (SELECT id FROM rollup_change WHERE id <= ? ORDER BY id LIMIT ?)",
        (_NEWEST if position is None else position, STEP_ROWS),
    ).rowcount


def is_queued(connection: sqlite3.Connection) -> bool:
    """Whether somebody sends changed rows on."""
    return connection.execute("SELECT 1 FROM consumer WHERE stream = 'rollup'").fetchone() is not None
