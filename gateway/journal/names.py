"""Devices, assets and areas: each has a number, learned on first sight, and a device an instant since when it is known.

Only statements stand here; the transaction around them is the writer's. What was learned in one that failed is
forgotten again.
"""

import sqlite3
from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

from telemetry.reading import Millis

Named: TypeAlias = Literal["asset", "device", "area"]
"""The tables that have names."""


class NameIds(dict[str, int]):
    """The ids of one table's names. Looking up a new name inserts its row into the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection, table: Named) -> None:
        super().__init__(connection.execute(f"SELECT name, id FROM {table}"))  # noqa: S608 -- one of three literals
        self._connection = connection
        self._insert = f"INSERT INTO {table} (name) VALUES (?)"  # noqa: S608 -- one of three literals
        self._fresh: list[str] = []

    def __missing__(self, name: str) -> int:
        row = cast("int", self._connection.execute(self._insert, (name,)).lastrowid)  # an INSERT has one
        self[name] = row
        self._fresh.append(name)
        return row

    def settle(self) -> None:
        """The transaction is durable: what was learned in it stays."""
        self._fresh.clear()

    def forget(self) -> None:
        """The transaction failed: what was learned in it was never written."""
        for name in self._fresh:
            del self[name]
        self._fresh.clear()


def keep_known(connection: sqlite3.Connection, known: Mapping[str, Millis], devices: NameIds) -> None:
    """Writes since when a device is known; the first instant told stays."""
    connection.executemany(
        "UPDATE device SET first_known_ms = ? WHERE id = ? AND first_known_ms IS NULL",
        [(since_ms, devices[device]) for device, since_ms in known.items()],
    )


def known(connection: sqlite3.Connection) -> dict[str, Millis]:
    """Since when each device is known, of those that are."""
    return dict(connection.execute("SELECT name, first_known_ms FROM device WHERE first_known_ms IS NOT NULL"))


def by_number(connection: sqlite3.Connection, table: Named) -> dict[int, str]:
    """Names by number."""
    return dict(connection.execute(f"SELECT id, name FROM {table}").fetchall())  # noqa: S608 -- a literal
