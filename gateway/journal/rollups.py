"""Rollups: one table a measurement with a column for each field, and where the roller stands, to rows and back.

The transaction around what writes is the writer's; who only reads has a ``RollupReader``. What an hour comes to is
nobody's business here.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import structs

from alerts.rollups.rows import DAYS, HOURS, ROWS, Rollup
from gateway.journal import readings
from gateway.journal.database import translated
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress, Rolled
from gateway.journal.marks import keep_consumed, keep_meta, mark
from gateway.journal.names import Named, NameIds, by_number
from gateway.journal.reader import JournalReader
from gateway.journal.readings import ReadingPlace
from gateway.journal.retention import STEP_ROWS
from gateway.journal.view import FIRST_MS, LAST_MS, Row, as_json, iso
from telemetry.reading import Millis, Reading
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

    def __init__(self, asset: NameIds, device: NameIds, area: NameIds) -> None:
        self._tables: Mapping[Named, NameIds] = {"asset": asset, "device": device, "area": area}

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


def read_progress(connection: sqlite3.Connection) -> Progress | None:
    """How far the rollups have come; ``None`` before they ever began."""
    kept = mark(connection, PROGRESS)
    return None if kept is None else msgspec.json.decode(kept, type=Progress)


def _keep_rows(connection: sqlite3.Connection, rows: Iterable[Rollup], names: RollupNames, *, queued: bool) -> None:
    written = [(each.measurement, each.start_ms, names.of(each), each.row) for each in rows]
    for measurement in dict.fromkeys(measurement for measurement, *_ in written):
        connection.executemany(
            _INSERTS[measurement],
            [
                (start_ms, subject, *structs.astuple(row))
                for name, start_ms, subject, row in written
                if name is measurement
            ],
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
    progress = read_progress(connection)
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


_PAGE: Final = 2_000


class Changed(NamedTuple):
    """Rows that were written after a position, each as it is now, and the position to go on from."""

    position: int
    rows: tuple[Rollup, ...]


class RollupReader(JournalReader):
    """Rows by subject and span, what has changed, and all that the roller goes on from.

    A journal reader with more to ask. Instants are the beginnings of windows. Made by ``open``; every method may raise
    ``JournalUnavailable``. One thread at a time.
    """

    def rollups(
        self, measurement: Measurement, subjects: Iterable[str], from_ms: Millis, to_ms: Millis
    ) -> list[Rollup]:
        """The rows of some subjects whose windows begin in [from, to), by instant."""
        bounds = {"subjects": as_json(subjects), "from_ms": from_ms, "to_ms": to_ms}
        return self._rows(measurement, _SPAN[measurement], bounds)

    def all_rollups(self, measurement: Measurement, from_ms: Millis, to_ms: Millis) -> Iterator[Rollup]:
        """Every row whose window begins in [from, to), by instant."""
        after = (from_ms, -1)
        while True:
            bounds = {"after_ms": after[0], "after": after[1], "to_ms": to_ms, "rows": _PAGE}
            found = self._fetch(_ALL[measurement], bounds)
            if not found:
                return
            kind = ROWS[measurement]
            yield from (Rollup(measurement, name, start_ms, kind(*row)) for _, name, start_ms, *row in found)
            number, _, start_ms, *_ = found[-1]
            after = (start_ms, number)

    def hours(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Hours that begin in [from, to), fit for export."""
        return self._exported(HOURS, from_ms, to_ms)

    def days(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Days that begin in [from, to), fit for export."""
        return self._exported(DAYS, from_ms, to_ms)

    def changed_rollups(self, after: int, limit: int = _PAGE) -> Changed:
        """The rows named by the next changes after ``after``, each once; none at a position equal to it is the end.

        Changes are noted while ``Consumer(name, Stream.ROLLUP)`` is admitted, and let go behind its position.
        """
        changes = self._fetch(
            "SELECT id, measurement FROM rollup_change WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        )
        if not changes:
            return Changed(after, ())
        through = int(changes[-1][0])
        kinds = [Measurement(name) for name in dict.fromkeys(name for _, name in changes)]
        bounds = {"after": after, "through": through}
        return Changed(through, tuple(row for kind in kinds for row in self._rows(kind, _CHANGED[kind], bounds)))

    def progress(self) -> Progress | None:
        """How far the rollups have come; ``None`` before they ever began."""
        return self._ask(read_progress)

    def let_go_ms(self) -> Millis:
        """Up to when readings were observed of which some are deleted; 0 while none is."""
        return self._ask(readings.let_go_ms)

    def names(self, table: Named) -> dict[int, str]:
        """Names by number."""
        return self._ask(by_number, table)

    def places(self, after: int, limit: int) -> list[ReadingPlace]:
        """The first readings with an id above ``after``, by id."""
        return self._ask(readings.places, after, limit)

    def these(self, ids: Sequence[int]) -> list[Reading]:
        """The readings with these ids."""
        return self._ask(readings.these, ids)

    def of_devices(self, devices: Iterable[str], after: int, from_ms: Millis, to_ms: Millis) -> list[Reading]:
        """Readings of some devices observed in [from, to) with an id above ``after``."""
        with translated(self._path):
            return [
                reading
                for device in devices
                for reading in readings.of_device(self._connection, device, after, from_ms, to_ms)
            ]

    def carries(self, assets: Iterable[str]) -> dict[str, Carry]:
        """Where assets stand; one that was never followed is left out."""
        return {carry.asset: carry for carry in (Carry(*row) for row in self._fetch(_CARRIES, (as_json(assets),)))}

    def day_carry(self, asset: str, day_ms: Millis) -> DayCarry | None:
        """Where an asset stood when a day began, if it was followed then."""
        rows = self._fetch(_DAY_CARRY, (day_ms, asset))
        return DayCarry(*rows[0]) if rows else None

    def dirty(self, limit: int) -> list[Dirty]:
        """The first days to be computed again: assets before towns, and of each the earliest."""
        return [Dirty(*row) for row in self._fetch(_DIRTY, (limit,))]

    def _exported(self, measurements: Iterable[Measurement], from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
        found = chain.from_iterable(self.all_rollups(measurement, from_ms, to_ms) for measurement in measurements)
        for measurement, subject, start_ms, row in found:
            head = {"measurement": str(measurement), "subject": subject, "start_at": iso(start_ms)}
            yield head | structs.asdict(row)

    def _rows(self, measurement: Measurement, query: str, bounds: dict[str, Any]) -> list[Rollup]:
        kind = ROWS[measurement]
        return [Rollup(measurement, name, start_ms, kind(*row)) for name, start_ms, *row in self._fetch(query, bounds)]


def _columns(measurement: Measurement) -> str:
    return ", ".join(f"kept.{column}" for column in COLUMNS[measurement])


def _span(measurement: Measurement) -> str:
    """Steps from one instant to the next by the primary key, and at each looks up the subjects."""
    return f"""
        WITH RECURSIVE instant (at_ms) AS (
            SELECT (SELECT min(start_ms) FROM {measurement} WHERE start_ms >= :from_ms) UNION ALL
            SELECT (SELECT min(start_ms) FROM {measurement} WHERE start_ms > at_ms) FROM instant WHERE at_ms < :to_ms
        ),
        wanted (id, name) AS MATERIALIZED (
            SELECT id, name FROM {NAMED_IN[measurement]} WHERE name IN (SELECT value FROM json_each(:subjects))
        )
        SELECT wanted.name, kept.start_ms, {_columns(measurement)}
        FROM instant CROSS JOIN wanted CROSS JOIN {measurement} AS kept
            ON kept.start_ms = instant.at_ms AND kept.subject = wanted.id
        WHERE instant.at_ms < :to_ms
    """  # noqa: S608 -- names of our own


def _all(measurement: Measurement) -> str:
    return f"""
        SELECT kept.subject, named.name, kept.start_ms, {_columns(measurement)}
        FROM {measurement} AS kept CROSS JOIN {NAMED_IN[measurement]} AS named ON named.id = kept.subject
        WHERE (kept.start_ms, kept.subject) > (:after_ms, :after) AND kept.start_ms < :to_ms
        ORDER BY kept.start_ms, kept.subject LIMIT :rows
    """  # noqa: S608 -- names of our own


def _changed(measurement: Measurement) -> str:
    return f"""
        SELECT DISTINCT named.name, kept.start_ms, {_columns(measurement)}
        FROM rollup_change AS change CROSS JOIN {measurement} AS kept
            ON kept.start_ms = change.start_ms AND kept.subject = change.subject
        CROSS JOIN {NAMED_IN[measurement]} AS named ON named.id = kept.subject
        WHERE change.id > :after AND change.id <= :through AND change.measurement = '{measurement}'
    """  # noqa: S608 -- names of our own


_SPAN: Final = {measurement: _span(measurement) for measurement in ROWS}
_ALL: Final = {measurement: _all(measurement) for measurement in ROWS}
_CHANGED: Final = {measurement: _changed(measurement) for measurement in ROWS}
_CARRIES: Final = """
    SELECT asset.name, at_ms, blob
    FROM json_each(?) CROSS JOIN asset ON asset.name = json_each.value
    CROSS JOIN rollup_carry ON rollup_carry.asset = asset.id
"""
_DAY_CARRY: Final = """
    SELECT day_ms, asset.name, position, blob
    FROM asset CROSS JOIN rollup_day_carry ON rollup_day_carry.asset = asset.id AND day_ms = ? WHERE asset.name = ?
"""
_DIRTY: Final = """
    SELECT day_ms, kind, coalesce(asset.name, area.name)
    FROM (SELECT day_ms, kind, subject FROM rollup_dirty ORDER BY kind <> 'asset', day_ms, subject LIMIT ?) AS dirty
    LEFT JOIN asset ON kind = 'asset' AND asset.id = subject
    LEFT JOIN area ON kind = 'area' AND area.id = subject
    ORDER BY kind <> 'asset', day_ms, subject
"""
