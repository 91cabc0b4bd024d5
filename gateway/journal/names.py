"""Ids by name for the rows that are written by the million: devices, assets and areas, learned on first sight.

A name learned in a transaction that failed must be forgotten again, or later rows would point at nothing.
"""

import sqlite3
from typing import Literal, cast


class Names(dict[str, int]):
    """The ids of one table's names. Looking up a new name inserts its row into the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection, table: Literal["device", "asset", "area"]) -> None:
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
