"""The journal's streams as points, a portion at a time: what comes after a position, for which bucket, up to where.

Reads only. How far a stream has come is the sender's to remember, and what became of the points the server's to say.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol, TypeVar

from gateway.journal.entry import Consumer, Happening, Stream
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.series.delivery import BUG, Filed
from gateway.series.points import Point, Points

_log = logger(__name__)
_Row = TypeVar("_Row")

NAME: Final = "series"
ROWS_MOST: Final = 2_500
"""A reading gives two lines, and a request holds 5,000."""


class Portion(NamedTuple):
    """What comes next: its points by bucket, rows that gave none by a mistake of ours, the position after them all."""

    points: Mapping[str, list[Point]]
    filed: list[Filed]
    position: int


class Outflow(Protocol):
    """One stream of the journal on its way out."""

    consumer: Consumer

    def after(self, reader: JournalReader, position: int) -> Portion | None:
        """The next portion; ``None`` when there is nothing more yet. Raises ``JournalUnavailable``."""


class Readings:
    """Every reading, in order of arrival."""

    consumer = Consumer(NAME, Stream.READING)

    def __init__(self, points: Points, bucket: str) -> None:
        self._points = points
        self._bucket = bucket

    def after(self, reader: JournalReader, position: int) -> Portion | None:
        """See ``Outflow``."""
        found = reader.readings_after(position, ROWS_MOST)
        if not found:
            return None
        made, filed = _made(self._points.of_reading, (reading for _, reading in found))
        return Portion({self._bucket: made}, filed, found[-1][0])


class Events:
    """Every change of an alert, every emptying, every new run state."""

    consumer = Consumer(NAME, Stream.EVENT)

    def __init__(self, points: Points, bucket: str) -> None:
        self._points = points
        self._bucket = bucket

    def after(self, reader: JournalReader, position: int) -> Portion | None:
        """See ``Outflow``."""
        found: list[Happening] = reader.events_after(position, ROWS_MOST)
        if not found:
            return None
        made, filed = _made(self._points.of_event, found)
        return Portion({self._bucket: made}, filed, found[-1].id)


def _made(point_out: Callable[[_Row], tuple[Point, ...]], rows: Iterable[_Row]) -> tuple[list[Point], list[Filed]]:
    """The points of all rows; a row that fails by our own mistake is filed, and the others go on."""
    points: list[Point] = []
    filed: list[Filed] = []
    for row in rows:
        try:
            points += point_out(row)
        except Exception as bug:  # noqa: BLE001 -- the one barrier around a row: our mistake must not stop the stream
            _log.exception("row_failed_by_our_mistake", row=str(row))
            filed.append(Filed(str(row).encode(), BUG, f"{type(bug).__name__}: {bug}"))
    return points, filed
