"""The journal as everyone but the writer sees it: read-only, beside a running gateway or without one.

It only opens and asks: what is asked of a table is answered by the file of that table, in short reads that never keep
the write-ahead log from being reset.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alerts.channels import Awaited
from alerts.delivery.delivery import Due
from gateway.journal import arrivals, episodes, marks, notifications, place, readings, restore
from gateway.journal.database import JournalUnavailable, Problem, translated
from gateway.journal.entry import Consumer, InventoryBody, Spell, StoredEvent, Stream
from gateway.journal.restore import Restored
from gateway.journal.view import FIRST_MS, LAST_MS, Row, T, View
from telemetry.reading import Millis, Reading


class JournalReader(View):
    """A read-only view. Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    def restore(self) -> Restored:
        """What a start would find; its ``tail`` is read as it is consumed."""
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM reading").fetchone()
        return restore.restore(self._connection, self._path, last)

    def inventory(self) -> InventoryBody | None:
        """The inventory that was imported last."""
        return self._ask(marks.inventory)

    def mark(self, name: str) -> str | None:
        """A small mark that the gateway keeps over a restart."""
        return self._ask(marks.mark, name)

    def readings(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Readings observed in [from, to), in order of arrival."""
        with translated(self._path):
            yield from readings.exported(self._connection, from_ms, to_ms)

    def alerts(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Episodes raised in [from, to), in the order in which they were first written."""
        with translated(self._path):
            yield from episodes.exported(self._connection, from_ms, to_ms)

    def episodes(self, severities: Collection[str], since_ms: Millis) -> list[Spell]:
        """Episodes of these severities that stood at any time since then, in the order in which they were raised."""
        return self._ask(episodes.standing, severities, since_ms)

    def notifications(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Notifications that came to be owed in [from, to), with what became of them."""
        with translated(self._path):
            yield from notifications.exported(self._connection, from_ms, to_ms)

    def quarantine(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Refused uplinks received in [from, to); ``payload`` or ``payload_b64`` as in a recording."""
        with translated(self._path):
            yield from arrivals.exported(self._connection, from_ms, to_ms)

    def due_notification(self, now_ms: Millis) -> Due | None:
        """The most urgent notification that may be tried at ``now_ms``, or whose receipt is due by then.

        The highest severity, then one whose receipt is due, then the lowest id.
        """
        return self._ask(notifications.due, now_ms)

    def awaited(self, via: str, since_ms: Millis, most: int) -> list[Awaited]:
        """At most so many texts that a channel took since then and that no receipt came for, the newest first."""
        return self._ask(notifications.awaited, via, since_ms, most)

    def state_of(self, key: str) -> tuple[str, str, str] | None:
        """A notification's state, its channel and the reason; ``None`` for one that is not there."""
        return self._ask(notifications.state_of, key)

    def owed(self) -> tuple[int, Millis]:
        """How many notifications nobody has taken yet, and when the oldest of them came to be owed (0 without any)."""
        return self._ask(notifications.count_owed)

    def overdue(self, before_ms: Millis) -> tuple[int, int, int]:
        """Notifications that wait beyond their time: owed since before then, in a try begun before, without a decision.

        A decision is due when a receipt did not come.
        """
        return self._ask(notifications.overdue, before_ms)

    def readings_after(self, position: int, most: int) -> list[tuple[int, Reading]]:
        """At most so many readings with ids above ``position``, in order of arrival, with their ids."""
        return self._ask(readings.page, position, most)

    def events_after(self, position: int, most: int) -> list[StoredEvent]:
        """At most so many events with ids above ``position``, in their order."""
        return self._ask(episodes.events_after, position, most)

    def position(self, consumer: Consumer) -> int:
        """The highest id with which a consumer has dealt; 0 for one that was never admitted."""
        return self._ask(marks.position, consumer)

    def newest(self, stream: Stream) -> int:
        """The highest id of a stream; 0 while it is empty."""
        return self._ask(marks.newest, stream)

    def position_before(self, stream: Stream, since_ms: Millis) -> int:
        """The position after which a stream holds everything that came since then; reads the whole stream."""
        return self._ask(marks.position_before, stream, since_ms)

    def damage(self) -> list[str]:
        """What SQLite's own examination finds wrong; empty when all is well. Reads the whole file."""
        with translated(self._path):
            try:
                return place.damage(self._connection)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise JournalUnavailable(Problem.LOCKED, self._path, "the look was broken off") from None
                raise

    def break_off(self) -> None:
        """Ends ``damage`` before its time; the one call that may come from another thread."""
        self._connection.interrupt()


def glance(path: Path, question: Callable[[JournalReader], T], otherwise: T) -> T:
    """What a journal answers that is opened for this one question; ``otherwise`` while it cannot be read."""
    try:
        with closing(JournalReader.open(path)) as reader:
            return question(reader)
    except JournalUnavailable:
        return otherwise


@contextmanager
def remembered(path: Path) -> Iterator[Restored | None]:
    """What a start would find, read beside a running gateway; ``None`` where there is no journal yet.

    Its tail is read while the context lasts. Raises ``JournalUnavailable`` for a journal that cannot be read.
    """
    try:
        reader = JournalReader.open(path)
    except JournalUnavailable as trouble:
        if trouble.problem is not Problem.MISSING:
            raise
        yield None
        return
    with closing(reader), translated(path):
        yield reader.restore()
