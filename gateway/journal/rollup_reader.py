"""Rollups as their readers see them: rows by subject and span, what has changed, and all that the roller goes on from.

A journal reader with more to ask; read-only like every other. Instants are the beginnings of windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import asdict

from alerts.rollups.rows import DAYS, HOURS, ROWS, Rollup
from gateway.journal import names, readings
from gateway.journal.database import translated
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress
from gateway.journal.names import Named
from gateway.journal.reader import JournalReader
from gateway.journal.readings import Place
from gateway.journal.rollups import COLUMNS, NAMED_IN, PROGRESS, progress_in
from gateway.journal.view import FIRST_MS, LAST_MS, Row, iso
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

_PAGE: Final = 2_000


class Changed(NamedTuple):
    """Rows that were written after a position, each as it is now, and the position to go on from."""

    position: int
    rows: tuple[Rollup, ...]


class RollupReader(JournalReader):
    """Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    def rollups(
        self, measurement: Measurement, subjects: Iterable[str], from_ms: Millis, to_ms: Millis
    ) -> list[Rollup]:
        """The rows of some subjects whose windows begin in [from, to), by instant."""
        bounds = {"subjects": _json(subjects), "from_ms": from_ms, "to_ms": to_ms}
        return self._rows(measurement, _SPAN[measurement], bounds)

    def all_rollups(self, measurement: Measurement, from_ms: Millis, to_ms: Millis) -> Iterator[Rollup]:
        """Every row whose window begins in [from, to), by instant."""
        after = (from_ms, -1)
        while True:
            bounds = {"after_ms": after[0], "after": after[1], "to_ms": to_ms, "rows": _PAGE}
            with translated(self._path):
                found = self._connection.execute(_ALL[measurement], bounds).fetchall()
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
        with translated(self._path):
            changes = self._connection.execute(
                "SELECT id, measurement FROM rollup_change WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()
        if not changes:
            return Changed(after, ())
        through = int(changes[-1][0])
        kinds = [Measurement(name) for name in dict.fromkeys(name for _, name in changes)]
        bounds = {"after": after, "through": through}
        return Changed(through, tuple(row for kind in kinds for row in self._rows(kind, _CHANGED[kind], bounds)))

    def progress(self) -> Progress | None:
        """How far the rollups have come; ``None`` before they ever began."""
        with translated(self._path):
            return progress_in(
                dict(self._connection.execute("SELECT key, value FROM meta WHERE key = ?", (PROGRESS,)).fetchall())
            )

    def let_go_ms(self) -> Millis:
        """Up to when readings were observed of which some are deleted; 0 while none is."""
        with translated(self._path):
            return readings.let_go_ms(self._connection)

    def names(self, table: Named) -> dict[int, str]:
        """Names by number."""
        with translated(self._path):
            return names.by_number(self._connection, table)

    def places(self, after: int, limit: int) -> list[Place]:
        """The first readings with an id above ``after``, by id."""
        with translated(self._path):
            return readings.places(self._connection, after, limit)

    def these(self, ids: Sequence[int]) -> list[Reading]:
        """The readings with these ids."""
        with translated(self._path):
            return readings.these(self._connection, ids)

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
        with translated(self._path):
            found = self._connection.execute(_CARRIES, (_json(assets),)).fetchall()
        return {carry.asset: carry for carry in (Carry(*row) for row in found)}

    def day_carry(self, asset: str, day_ms: Millis) -> DayCarry | None:
        """Where an asset stood when a day began, if it was followed then."""
        with translated(self._path):
            row = self._connection.execute(_DAY_CARRY, (day_ms, asset)).fetchone()
        return None if row is None else DayCarry(*row)

    def dirty(self, limit: int) -> list[Dirty]:
        """The first days to be computed again: assets before towns, and of each the earliest."""
        with translated(self._path):
            return [Dirty(*row) for row in self._connection.execute(_DIRTY, (limit,))]

    def _exported(self, measurements: Iterable[Measurement], from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
        found = chain.from_iterable(self.all_rollups(measurement, from_ms, to_ms) for measurement in measurements)
        for measurement, subject, start_ms, row in found:
            head = {"measurement": str(measurement), "subject": subject, "start_at": iso(start_ms)}
            yield head | asdict(row)

    def _rows(self, measurement: Measurement, query: str, bounds: dict[str, Any]) -> list[Rollup]:
        kind = ROWS[measurement]
        with translated(self._path):
            found = self._connection.execute(query, bounds).fetchall()
        return [Rollup(measurement, name, start_ms, kind(*row)) for name, start_ms, *row in found]


def _json(names: Iterable[str]) -> str:
    return msgspec.json.encode(list(names)).decode()


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
