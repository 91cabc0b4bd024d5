"""Where the house stands: asset states, device tracks, the heartbeat, the inventory and small marks by name.

Only statements stand here; the transaction around them is the writer's.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from gateway.journal.entry import Consumer, InventoryBody, Snapshot, Stream
from gateway.journal.names import NameIds
from telemetry.reading import Millis

SNAPSHOT_POSITION: Final = "snapshot_position"
SNAPSHOT_RULESET: Final = "snapshot_ruleset"


class PackedUpTo(NamedTuple):
    """A blob and the highest reading id that it includes."""

    position: int
    blob: bytes


def keep_states(connection: sqlite3.Connection, states: Mapping[str, bytes], position: int, assets: NameIds) -> None:
    """Writes each asset's state as including every reading up to ``position``."""
    connection.executemany(
        "INSERT OR REPLACE INTO asset_state (asset, position, blob) VALUES (?, ?, ?)",
        [(assets[asset], position, blob) for asset, blob in states.items()],
    )


def keep_tracks(connection: sqlite3.Connection, tracks: Mapping[str, bytes], position: int, devices: NameIds) -> None:
    """Writes each device's track as including every reading up to ``position``."""
    connection.executemany(
        "INSERT OR REPLACE INTO track (device, position, blob) VALUES (?, ?, ?)",
        [(devices[device], position, blob) for device, blob in tracks.items()],
    )


def states(connection: sqlite3.Connection) -> dict[str, PackedUpTo]:
    """Each asset's state."""
    return _placed(connection, "SELECT name, position, blob FROM asset_state JOIN asset ON asset.id = asset")


def tracks(connection: sqlite3.Connection) -> dict[str, PackedUpTo]:
    """Each device's track, of those that were kept."""
    return _placed(connection, "SELECT name, position, blob FROM track JOIN device ON device.id = device")


def _placed(connection: sqlite3.Connection, query: str) -> dict[str, PackedUpTo]:
    return {name: PackedUpTo(position, blob) for name, position, blob in connection.execute(query)}


def keep_snapshot(
    connection: sqlite3.Connection, snapshot: Snapshot, position: int, assets: NameIds, devices: NameIds
) -> None:
    """Writes all states and tracks, from which a start goes on with the readings after ``position``."""
    keep_states(connection, snapshot.states, position, assets)
    keep_tracks(connection, snapshot.tracks, position, devices)
    keep_meta(connection, {SNAPSHOT_POSITION: str(position), SNAPSHOT_RULESET: snapshot.ruleset})


def keep_meta(connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
    """Writes small marks by name."""
    connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", list(meta.items()))


def keep_heartbeat(connection: sqlite3.Connection, at_ms: Millis | None) -> None:
    """Writes when the gateway last was subscribed and committing (alerting.md §2, Start)."""
    if at_ms is not None:
        connection.execute("INSERT OR REPLACE INTO heartbeat (id, at_ms) VALUES (1, ?)", (at_ms,))


def add_inventory(connection: sqlite3.Connection, inventory: InventoryBody | None) -> None:
    """Appends a version of the inventory."""
    if inventory is not None:
        connection.execute(
            "INSERT INTO inventory_version (imported_ms, sha256, body) VALUES (?, ?, ?)",
            (inventory.imported_ms, inventory.sha256, inventory.body),
        )


def admit(connection: sqlite3.Connection, consumers: Iterable[Consumer]) -> None:
    """These and no others are waited for; one that is new begins at the beginning."""
    admitted = set(consumers)
    known = {Consumer(name, Stream(stream)) for name, stream in connection.execute("SELECT name, stream FROM consumer")}
    connection.executemany("DELETE FROM consumer WHERE name = ? AND stream = ?", list(known - admitted))
    keep_consumed(connection, dict.fromkeys(admitted - known, 0))


def keep_consumed(connection: sqlite3.Connection, consumed: Mapping[Consumer, int]) -> None:
    """Writes how far consumers have come."""
    connection.executemany(
        "INSERT OR REPLACE INTO consumer (name, stream, position) VALUES (?, ?, ?)",
        [(consumer.name, str(consumer.stream), position) for consumer, position in consumed.items()],
    )


def positions(connection: sqlite3.Connection, stream: Stream) -> list[int]:
    """How far each consumer of a stream has come."""
    return [at for (at,) in connection.execute("SELECT position FROM consumer WHERE stream = ?", (str(stream),))]


_STREAMS: Final = {Stream.READING: ("reading", "received_ms"), Stream.EVENT: ("event", "at_ms")}
"""Where the rows of a stream are, and when they came."""


def position(connection: sqlite3.Connection, consumer: Consumer) -> int:
    """The highest id with which a consumer has dealt; 0 for one that was never admitted."""
    row = connection.execute(
        "SELECT position FROM consumer WHERE name = ? AND stream = ?", (consumer.name, str(consumer.stream))
    ).fetchone()
    return 0 if row is None else int(row[0])


def newest(connection: sqlite3.Connection, stream: Stream) -> int:
    """The highest id of a stream; 0 while it is empty."""
    row = connection.execute(f"SELECT coalesce(max(id), 0) FROM {_STREAMS[stream][0]}").fetchone()  # noqa: S608 -- a name of our own
    return int(row[0])


def position_before(connection: sqlite3.Connection, stream: Stream, since_ms: Millis) -> int:
    """The position after which a stream holds everything that came since then; reads the whole stream."""
    table, at = _STREAMS[stream]
    row = connection.execute(
        f"SELECT coalesce((SELECT min(id) - 1 FROM {table} WHERE {at} >= ?), max(id), 0) FROM {table}",  # noqa: S608 -- names of our own
        (since_ms,),
    ).fetchone()
    return int(row[0])


def mark(connection: sqlite3.Connection, name: str) -> str | None:
    """A small mark that the gateway keeps over a restart."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def every_mark(connection: sqlite3.Connection) -> dict[str, str]:
    """The small marks that are kept over a restart, by name."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def snapshot_position(connection: sqlite3.Connection) -> int:
    """The highest reading id that the last snapshot includes; 0 before the first one."""
    return int(mark(connection, SNAPSHOT_POSITION) or 0)


def heartbeat(connection: sqlite3.Connection) -> Millis | None:
    """When the gateway last was subscribed and committing."""
    row = connection.execute("SELECT at_ms FROM heartbeat").fetchone()
    return None if row is None else int(row[0])


def inventory(connection: sqlite3.Connection) -> InventoryBody | None:
    """The inventory that was imported last."""
    row = connection.execute(
        "SELECT imported_ms, sha256, body FROM inventory_version ORDER BY version DESC LIMIT 1"
    ).fetchone()
    return None if row is None else InventoryBody(*row)
