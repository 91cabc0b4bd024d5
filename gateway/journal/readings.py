"""Readings to rows and back: the one place where a reading's columns are named.

Devices and assets are numbers here (see ``names``). A sample speaks of four to six of the 23 quantities, and binding a
NULL costs Python more than binding a number. So readings are grouped by what they speak of, and each group goes in
with multi-row INSERTs that name only those columns.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import to_builtins

from gateway.journal.marks import keep_meta, mark
from gateway.journal.names import NameIds
from gateway.journal.retention import STEP_ROWS
from gateway.journal.view import Row, iso
from telemetry.reading import QUANTITIES, Millis, Reading, TimeSource, Values
from telemetry.sequence import EPOCH, Mark

_Row: TypeAlias = tuple[Any, ...]

_HEAD: Final = (
    *("id", "device", "asset", "boot", "seq", "observed_ms", "received_ms", "device_ms", "clock", "late", "judged_pct"),
)
_BLOCKS: Final = (100, 25, 5, 1)
"""Rows a statement, largest first: few texts to prepare, few statements for any number of rows. The largest binds
3,400 values; SQLite's limit is 32,766."""


@lru_cache(maxsize=512)
def _insert(shape: tuple[str, ...], rows: int) -> str:
    columns = (*_HEAD, *shape)
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO reading ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 -- fixed names


def insert(
    connection: sqlite3.Connection, readings: Sequence[Reading], after: int, devices: NameIds, assets: NameIds
) -> int:
    """Writes the readings with the ids ``after + 1`` and up, in their order; answers the last id."""
    shapes: dict[tuple[str, ...], list[Any]] = {}
    for number, reading in enumerate(readings, start=after + 1):
        values = to_builtins(reading.values)
        if reading.fingerprint:
            values["fingerprint"] = reading.fingerprint
        shape = tuple(values)
        flat = shapes.get(shape)
        if flat is None:
            flat = shapes[shape] = []
        flat += (
            number,
            devices[reading.device],
            assets[reading.asset],
            reading.boot,
            reading.seq,
            reading.observed_ms,
            reading.received_ms,
            reading.device_ms,
            int(reading.clock),
            int(reading.late),
            reading.judged_pct,
            *values.values(),
        )
    for shape, flat in shapes.items():
        _insert_all(connection, shape, flat)
    return after + len(readings)


def _insert_all(connection: sqlite3.Connection, shape: tuple[str, ...], flat: list[Any]) -> None:
    width = len(_HEAD) + len(shape)
    at = 0
    for block in _BLOCKS:
        while len(flat) - at >= block * width:
            connection.execute(_insert(shape, block), flat[at : at + block * width])
            at += block * width


_QUANTITY_COLUMNS: Final = ", ".join(f"reading.{name}" for name in QUANTITIES)
_WHOLE: Final = f"""
    SELECT reading.id, device.name, asset.name, boot, seq, observed_ms, received_ms, device_ms, clock, late, judged_pct,
           {_QUANTITY_COLUMNS}
"""
_NAMED: Final = "JOIN device ON device.id = reading.device JOIN asset ON asset.id = reading.asset"
_TAIL: Final = f"""
    {_WHOLE} FROM reading {_NAMED}
    WHERE reading.id > ? AND observed_ms >= ? AND observed_ms < ?
    ORDER BY reading.id LIMIT ?
"""
_PAGE: Final = 2_000
"""Rows a query, so that no read transaction lasts: one that does keeps the write-ahead log from being reset."""
_ALWAYS: Final = (-(2**63), 2**63 - 1)


def read(
    connection: sqlite3.Connection, after: int, observed_ms: tuple[int, int] = _ALWAYS
) -> Iterator[tuple[int, Reading]]:
    """Yields (id, reading) of the ids above ``after`` observed in [from, to), in order of arrival."""
    while found := page(connection, after, _PAGE, observed_ms):
        yield from found
        after = found[-1][0]


def page(
    connection: sqlite3.Connection, after: int, most: int, observed_ms: tuple[int, int] = _ALWAYS
) -> list[tuple[int, Reading]]:
    """The first ``most`` of them."""
    return [(row[0], _reading(row)) for row in connection.execute(_TAIL, (after, *observed_ms, most))]


def _reading(row: _Row) -> Reading:
    _, device, asset, boot, seq, observed_ms, received_ms, device_ms, clock, late, judged_pct, *values = row
    return Reading(
        *(
            device,
            asset,
            boot,
            seq,
            observed_ms,
            received_ms,
            TimeSource(clock),
            bool(late),
            Values(*values),
            device_ms,
        ),
        judged_pct,
    )


_STRETCHES: Final = """
    WITH RECURSIVE stretch (n) AS (
        SELECT :newest >> 11 UNION ALL
        SELECT n - 1 FROM stretch WHERE n > (SELECT min(id) >> 11 FROM reading)
    )
"""
_SEEN: Final = f"""
    {_STRETCHES}
    SELECT EXISTS (
        SELECT 1 FROM stretch CROSS JOIN reading
        ON (reading.id >> 11) = stretch.n AND device = :device AND boot = :boot AND seq = :seq
    )
"""  # noqa: S608 -- words of our own
_HIGHEST: Final = f"""
    {_STRETCHES}
    SELECT max(seq) FROM stretch CROSS JOIN reading
    ON (reading.id >> 11) = stretch.n AND device = :device AND boot = :boot AND reading.id <= :newest
"""  # noqa: S608 -- words of our own
_NEWEST_EPOCH: Final = f"""
    {_STRETCHES}
    SELECT max(boot) FROM stretch CROSS JOIN reading
    ON (reading.id >> 11) = stretch.n AND device = :device AND boot % :epoch = :session
"""  # noqa: S608 -- words of our own
_MARKS: Final = """
    WITH RECURSIVE stretch (n) AS (
        SELECT :newest >> 11 UNION ALL
        SELECT n - 1 FROM stretch
        WHERE n > (SELECT min(id) >> 11 FROM reading)
            AND (SELECT received_ms FROM reading WHERE id >= n << 11 ORDER BY id LIMIT 1) >= :since
    )
    SELECT boot, received_ms, device_ms, fingerprint FROM stretch CROSS JOIN reading
    ON (reading.id >> 11) = stretch.n AND device = :device AND boot % :epoch = :session AND seq = :seq
    WHERE received_ms >= :since LIMIT :most
"""
MARKS_MOST: Final = 1_000
"""So many frames under one count are looked at, the newest; a device that restarts every ten minutes has as many in a
week."""


def seen(connection: sqlite3.Connection, newest: int, device: int, boot: int, seq: int) -> bool:
    """Whether a reading of this identity is kept: one look-up a stretch of 2,048 readings, the newest first."""
    found = connection.execute(_SEEN, {"newest": newest, "device": device, "boot": boot, "seq": seq}).fetchone()
    return bool(found[0])


def marks(
    connection: sqlite3.Connection, newest: int, device: int, session: int, seq: int, since_ms: int
) -> list[Mark]:
    """The frames of a LoRaWAN session under a count that came since then, newest stretch first; as dear as ``seen``."""
    bounds = {"newest": newest, "device": device, "session": session, "seq": seq, "since": since_ms}
    return [Mark(*row) for row in connection.execute(_MARKS, bounds | {"epoch": EPOCH, "most": MARKS_MOST})]


def newest_epoch(connection: sqlite3.Connection, newest: int, device: int, session: int) -> int | None:
    """The boot of the newest epoch kept of a LoRaWAN session, or ``None``; as dear as ``seen``."""
    bounds = {"newest": newest, "device": device, "session": session, "epoch": EPOCH}
    found = connection.execute(_NEWEST_EPOCH, bounds).fetchone()[0]
    return None if found is None else int(found)


def highest_seq(connection: sqlite3.Connection, newest: int, device: int, boot: int) -> int | None:
    """The highest ``seq`` of a boot among readings up to ``newest``, or ``None``; as dear as ``seen``."""
    found = connection.execute(_HIGHEST, {"newest": newest, "device": device, "boot": boot}).fetchone()[0]
    return None if found is None else int(found)


class ReadingPlace(NamedTuple):
    """Where a reading is kept, whose it is by number, for when it counts and when it came."""

    id: int
    asset: int
    observed_ms: Millis
    received_ms: Millis


_PLACES: Final = "SELECT id, asset, observed_ms, received_ms FROM reading WHERE id > ? ORDER BY id LIMIT ?"
_THESE: Final = f"{_WHOLE} FROM json_each(?) CROSS JOIN reading ON reading.id = json_each.value {_NAMED}"
_OF_DEVICE: Final = f"""
    WITH RECURSIVE stretch (n) AS (
        SELECT max(:after, (SELECT min(id) FROM reading)) >> 11 UNION ALL
        SELECT n + 1 FROM stretch WHERE n < (SELECT max(id) >> 11 FROM reading)
    )
    {_WHOLE}
    FROM stretch CROSS JOIN reading
        ON (reading.id >> 11) = stretch.n AND reading.device = (SELECT id FROM device WHERE name = :device)
    {_NAMED}
    WHERE reading.id > :after AND observed_ms >= :from_ms AND observed_ms < :to_ms
"""  # noqa: S608 -- words of our own


def places(connection: sqlite3.Connection, after: int, limit: int) -> list[ReadingPlace]:
    """The first readings with an id above ``after``, numbers only: a sixth of what a whole reading costs."""
    return [ReadingPlace(*row) for row in connection.execute(_PLACES, (after, limit))]


def these(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Reading]:
    """The readings with these ids, as far as they are kept."""
    return [_reading(row) for row in connection.execute(_THESE, (f"[{','.join(map(str, ids))}]",))]


def of_device(connection: sqlite3.Connection, device: str, after: int, from_ms: Millis, to_ms: Millis) -> list[Reading]:
    """A device's readings observed in [from, to) with an id above ``after``: one look-up a stretch of 2,048 ids."""
    bounds = {"after": after, "device": device, "from_ms": from_ms, "to_ms": to_ms}
    return [_reading(row) for row in connection.execute(_OF_DEVICE, bounds)]


_LOOKED_AT: Final = 400_000
"""How far back, in readings of the whole county, the last ones of a device are looked for: a look-up each 2,048."""
_LAST: Final = """
    WITH RECURSIVE stretch (n) AS (
        SELECT :newest >> 11 UNION ALL SELECT n - 1 FROM stretch WHERE n > :oldest
    )
    SELECT reading.id FROM stretch CROSS JOIN reading
        ON (reading.id >> 11) = stretch.n AND reading.device = :device
    WHERE received_ms < :to_ms ORDER BY reading.id DESC LIMIT :most
"""


def last_of(connection: sqlite3.Connection, devices: Iterable[str], before_ms: Millis, most: int) -> list[Reading]:
    """The last readings of some devices received before an instant, the newest last."""
    found: list[Reading] = []
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM reading").fetchone()
    for device in devices:
        row = connection.execute("SELECT id FROM device WHERE name = ?", (device,)).fetchone()
        if row is not None:
            oldest = max(0, newest - _LOOKED_AT) >> 11
            bounds = {"newest": newest, "oldest": oldest, "device": row[0], "to_ms": before_ms, "most": most}
            ids = [number for (number,) in connection.execute(_LAST, bounds)]
            found += these(connection, ids)
    return sorted(found, key=lambda reading: (reading.received_ms, reading.observed_ms))[-most:]


def exported(connection: sqlite3.Connection, from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
    """Readings observed in [from, to), in order of arrival, fit for export."""
    for _, reading in read(connection, 0, (from_ms, to_ms)):
        yield {
            "device": reading.device,
            "asset": reading.asset,
            "boot": reading.boot,
            "seq": reading.seq,
            "observed_at": iso(reading.observed_ms),
            "received_at": iso(reading.received_ms),
            "clock": reading.clock.name.lower(),
            "late": reading.late,
            "judged_pct": reading.judged_pct,
            "values": to_builtins(reading.values),
        }


LET_GO: Final = "readings_let_go_ms"
"""The small mark of up to when readings were observed that are deleted: whatever is later is still all there."""

_EXPIRED: Final = """
    DELETE FROM reading WHERE id IN (
        SELECT id FROM (SELECT id, received_ms FROM reading WHERE id <= :through ORDER BY id LIMIT :rows)
        WHERE received_ms < :before
    )
    RETURNING observed_ms
"""


def expire(connection: sqlite3.Connection, before_ms: Millis, through: int) -> int:
    """Deletes a step of readings received before then whose id is at most ``through``, and notes up to when."""
    gone = connection.execute(_EXPIRED, {"through": through, "before": before_ms, "rows": STEP_ROWS}).fetchall()
    if gone:
        keep_meta(connection, {LET_GO: str(max(let_go_ms(connection), *(observed_ms for (observed_ms,) in gone)))})
    return len(gone)


def let_go_ms(connection: sqlite3.Connection) -> Millis:
    """Up to when readings were observed of which some are deleted; 0 while none is."""
    return int(mark(connection, LET_GO) or 0)
