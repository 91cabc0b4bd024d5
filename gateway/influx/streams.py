"""The journal's streams as points, a portion at a time: what comes after a position, for which bucket, up to where.

Reads only. How far a stream has come is the sender's to remember, and what became of the points the server's to say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, Protocol, TypeVar

from alerts.rollups.rows import Rollup
from gateway.influx.delivery import BUG, Filed
from gateway.influx.points import Point, Points
from gateway.journal.entry import Consumer, StoredEvent, Stream
from gateway.journal.rollups import RollupReader
from gateway.journal.view import LAST_MS
from gateway.logs import logger
from telemetry.reading import Millis
from telemetry.series import Measurement

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

    def after(self, reader: RollupReader, position: int) -> Portion | None:
        """The next portion; ``None`` when there is nothing more yet. Raises ``JournalUnavailable``."""

    def before(self, reader: RollupReader, since_ms: Millis) -> int | None:
        """The position to go back to for what came since then; ``None`` where the stream does not reach back."""

    def past(self, reader: RollupReader, since_ms: Millis) -> Iterator[Portion]:
        """What there is since then that the stream does not hold any more."""


class _Whole:
    """A stream that holds all that is kept: whoever wants its past goes back in it."""

    consumer: Consumer

    def __init__(self, points: Points, bucket: str) -> None:
        self._points = points
        self._bucket = bucket

    def before(self, reader: RollupReader, since_ms: Millis) -> int | None:
        """See ``Outflow``."""
        return reader.position_before(self.consumer.stream, since_ms)

    def past(self, reader: RollupReader, since_ms: Millis) -> Iterator[Portion]:
        """See ``Outflow``."""
        _ = reader, since_ms
        return iter(())


class Readings(_Whole):
    """Every reading, in order of arrival."""

    consumer = Consumer(NAME, Stream.READING)

    def after(self, reader: RollupReader, position: int) -> Portion | None:
        """See ``Outflow``."""
        found = reader.readings_after(position, ROWS_MOST)
        if not found:
            return None
        made, filed = _made(self._points.of_reading, (reading for _, reading in found))
        return Portion({self._bucket: made}, filed, found[-1][0])


class Events(_Whole):
    """Every change of an alert, every emptying, every new run state."""

    consumer = Consumer(NAME, Stream.EVENT)

    def after(self, reader: RollupReader, position: int) -> Portion | None:
        """See ``Outflow``."""
        found: list[StoredEvent] = reader.events_after(position, ROWS_MOST)
        if not found:
            return None
        made, filed = _made(self._points.of_event, found)
        return Portion({self._bucket: made}, filed, found[-1].id)


class Rollups:
    """Every row of an hour or a day that was written or changed; ``buckets`` by measurement."""

    consumer = Consumer(NAME, Stream.ROLLUP)

    def __init__(self, points: Points, buckets: Mapping[Measurement, str]) -> None:
        self._points = points
        self._buckets = buckets

    def after(self, reader: RollupReader, position: int) -> Portion | None:
        """See ``Outflow``."""
        changed = reader.changed_rollups(position, ROWS_MOST)
        return None if changed.position == position else self._portion(changed.rows, changed.position)

    def before(self, reader: RollupReader, since_ms: Millis) -> int | None:
        """See ``Outflow``: what was sent is no change any more."""
        _ = reader, since_ms
        return None

    def past(self, reader: RollupReader, since_ms: Millis) -> Iterator[Portion]:
        """See ``Outflow``: every row whose window begins from then on."""
        for measurement in self._buckets:
            rows = reader.all_rollups(measurement, since_ms, LAST_MS)
            while some := list(islice(rows, ROWS_MOST)):
                yield self._portion(some, 0)

    def _portion(self, rows: Sequence[Rollup], position: int) -> Portion:
        points: dict[str, list[Point]] = {}
        filed: list[Filed] = []
        for measurement in dict.fromkeys(row.measurement for row in rows):
            made, failed = _made(self._points.of_rollup, [row for row in rows if row.measurement is measurement])
            points.setdefault(self._buckets[measurement], []).extend(made)
            filed += failed
        return Portion(points, filed, position)


SENT: Final = (Readings.consumer, Events.consumer, Rollups.consumer)
"""Everything that goes to InfluxDB."""


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
