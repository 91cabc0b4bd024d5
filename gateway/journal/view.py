"""What every reader of the journal begins with: opened read-only beside a running gateway or without one, and closed.

How a row of an export is said stands here, too. No table is named: what may be asked of one is in its own file.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeAlias, TypeVar

from gateway.journal.database import JournalUnavailable, check, migrations, open_for_reading, translated
from telemetry.reading import Millis

P = ParamSpec("P")
T = TypeVar("T")

Row: TypeAlias = dict[str, Any]
"""One exported row: strings, numbers, ``None``, and for a reading its ``values``. Times are ISO 8601 in UTC with ms."""

FIRST_MS: Final = -(2**62)
LAST_MS: Final = 2**62
_PAGE: Final = 2_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Questioner:
    """Who asks the files of the tables, on one connection and one thread at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def _ask(self, question: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """What a question of one of the tables is answered with; ``JournalUnavailable`` where the world refuses."""
        with translated(self._path):
            return question(self._connection, *given, **named)


class View(Questioner):
    """A read-only view. Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens an existing journal of exactly this code's version."""
        with translated(path):
            connection = open_for_reading(path)
            try:
                check(connection, path, migrations())
            except (sqlite3.Error, JournalUnavailable):
                connection.close()
                raise
        return cls(path, connection)

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def _fetch(self, query: str, given: Sequence[object] | Mapping[str, object]) -> list[Any]:
        """All rows of a statement, in its own columns."""
        with translated(self._path):
            return self._connection.execute(query, given).fetchall()


def as_json(values: Iterable[object]) -> str:
    """Some values as a query's ``json_each`` reads them."""
    return json.dumps(list(values))


def pages(connection: sqlite3.Connection, query: str, from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
    """The rows of a query that takes (after, from, to, most) and answers its place first, in short reads.

    None of them keeps the write-ahead log from being reset.
    """
    after = 0
    while True:
        cursor = connection.execute(query, (after, from_ms, to_ms, _PAGE))
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        if not rows:
            return
        yield from (dict(zip(names, row, strict=True)) for row in rows)
        after = rows[-1][0]


def iso(at_ms: Millis) -> str:
    """The instant as every row of an export says it."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at_ms: Millis | None) -> str | None:
    """The same, or nothing where there is none."""
    return None if at_ms is None else iso(at_ms)
