"""The journal as the one thread that writes it sees it: entries go in whole or not at all, and come back at a start.

One connection, one thread at a time, no clock. What a row looks like is in the file of its table.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from alerts.answers import Asked
from alerts.notify.lists import Crossing
from gateway.journal import (
    arrivals,
    episodes,
    ledger,
    marks,
    names,
    notifications,
    readings,
    restore,
    rollups,
    telephone,
)
from gateway.journal.arrivals import Bounds
from gateway.journal.database import JournalUnavailable, migrate, migrations, open_for_writing, take_lock, translated
from gateway.journal.entry import Aside, Committed, Consumer, Entry, Stream
from gateway.journal.names import NameIds
from gateway.journal.place import Presence, make_folder, take_place
from gateway.journal.restore import Restored
from gateway.journal.retention import KEEP_CASES_MS, Expired, Log, Pressure, keep, pressure_at
from gateway.journal.view import Questioner
from telemetry.reading import Millis
from telemetry.sequence import NONE_STORED, UNCOUNTED, Mark

_KEPT_FOR_YEARS: Final = (
    ledger.expire,
    episodes.expire_events,
    notifications.expire,
    telephone.expire,
    episodes.expire,
)
"""What lets go of the rows that people are told of and answer for, in this order."""


class Journal(Questioner):
    """The one SQLite file. Made by ``open``; every method may raise ``JournalUnavailable``."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: sqlite3.Connection, max_bytes: int | None
    ) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self._max_bytes = max_bytes
        self._presence = Presence(path, connection)
        self._devices = NameIds(connection, "device")
        self._assets = NameIds(connection, "asset")
        self._areas = NameIds(connection, "area")
        self._rollup_names = rollups.RollupNames(self._assets, self._devices, self._areas)
        self._rollups_queued = rollups.is_queued(connection)
        (self._last_reading_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM reading").fetchone()
        self._snapshot_position = marks.snapshot_position(connection)

    @classmethod
    def open(cls, path: Path, *, max_bytes: int | None = None) -> Self:
        """Opens or makes the file and its folder and brings the schema up to date.

        ``max_bytes`` bounds the file. Raises ``JournalUnavailable`` and leaves nothing open when it cannot be used.
        """
        with ExitStack() as undo, translated(path):
            make_folder(path.parent)
            lock = undo.enter_context(closing(take_lock(path)))
            take_place(path)
            connection = undo.enter_context(closing(open_for_writing(path, max_bytes)))
            migrate(connection, path, migrations())
            journal = cls(path, connection, lock, max_bytes)
            undo.pop_all()
        return journal

    def close(self) -> None:
        """Folds the write-ahead log back into the file, if it can, and lets go of it; all of it is durable anyway."""
        with ExitStack() as stack:
            for held in (self._lock, self._connection, self._presence):
                stack.enter_context(closing(held))
            stack.enter_context(suppress(JournalUnavailable))
            stack.enter_context(translated(self._path))
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def commit(self, entry: Entry) -> Committed:
        """Makes everything in ``entry`` durable in one transaction; returns only when it is (law L1).

        When it raises, nothing of the entry is in the journal, and the same entry may be committed again.
        """
        if entry.is_empty:
            return Committed(self._last_reading_id, (), 0)
        with self._transaction():
            committed = self._write(entry)
        self._last_reading_id = committed.last_reading_id
        if entry.snapshot is not None:
            self._snapshot_position = committed.last_reading_id
        return committed

    def seen(self, device: str, boot: int, seq: int) -> bool:
        """Whether the journal keeps a reading of this identity; for those below the window in memory.

        About 1 ms with two million readings kept, so it is for the few, not for every message.
        """
        number = self._devices.get(device)
        return number is not None and self._ask(readings.seen, self._last_reading_id, number, boot, seq)

    def highest_seq(self, device: str, boot: int, through: int | None = None) -> int:
        """The highest ``seq`` kept of a boot, ``sequence.NONE_STORED`` if none is; as dear as ``seen``.

        With ``through``, among readings with an id up to that.
        """
        number = self._devices.get(device)
        if number is None:
            return NONE_STORED
        newest = self._last_reading_id if through is None else through
        found = self._ask(readings.highest_seq, newest, number, boot)
        return NONE_STORED if found is None else found

    def marks(self, device: str, session: int, seq: int, since_ms: Millis) -> list[Mark]:
        """The frames kept of a LoRaWAN session under a count that came since then; as dear as ``seen``."""
        number = self._devices.get(device)
        if number is None:
            return []
        found = self._ask(arrivals.life_marks, number, session, seq, since_ms)
        if seq != UNCOUNTED:
            found += self._ask(readings.marks, self._last_reading_id, number, session, seq, since_ms)
        return found

    def newest_epoch(self, device: str, session: int) -> int | None:
        """The boot of the newest epoch kept of a LoRaWAN session; as dear as ``seen``."""
        number = self._devices.get(device)
        if number is None:
            return None
        living = self._ask(arrivals.newest_life_epoch, number, session)
        reading = self._ask(readings.newest_epoch, self._last_reading_id, number, session)
        return max((boot for boot in (living, reading) if boot is not None), default=None)

    def crossings(self, since_ms: Millis) -> list[Crossing]:
        """The times that bins were over two thirds and that ended since then, or have not."""
        return self._ask(episodes.crossings, since_ms)

    def aside(self, reason: str, most: int) -> list[Aside]:
        """Some of those in quarantine for a reason that were not taken when looked at again."""
        return self._ask(arrivals.aside, reason, most)

    def knows(self, episode: str) -> bool:
        """Whether there ever was such an episode, open or over."""
        return self._ask(episodes.knows, episode)

    def is_answered(self, channel: str, number: str) -> bool:
        """Whether this reply was dealt with before; providers tell twice."""
        return self._ask(telephone.is_answered, channel, number)

    def told(self, phone: str, since_ms: Millis) -> list[Asked]:
        """What a number was told since then, the newest first."""
        return self._ask(telephone.told, phone, since_ms)

    def ended(self, episode: str) -> tuple[str, Millis] | None:
        """What an episode that is over was about, and when it ended."""
        return self._ask(episodes.ended, episode)

    def phone_of(self, channel: str, reference: str) -> str:
        """The number of a text taken under this reference that has not arrived yet; nothing if there is none."""
        return self._ask(telephone.phone_of, channel, reference)

    def phone_of_notification(self, notification_id: int) -> str:
        """The number of a notification."""
        return self._ask(notifications.phone_of_notification, notification_id)

    def untold(self, phone: str, since_ms: Millis) -> int:
        """How many texts to a number since then have not arrived."""
        return self._ask(telephone.untold, phone, since_ms)

    def reached(self, phone: str, since_ms: Millis) -> bool:
        """Whether any text arrived at a number since then."""
        return self._ask(telephone.reached, phone, since_ms)

    def hears_back(self, channel: str, since_ms: Millis) -> bool:
        """Whether any text of a channel was told to have arrived since then."""
        return self._ask(telephone.hears_back, channel, since_ms)

    def knows_case(self, case: str) -> bool:
        """Whether there ever was such a case, settled or not."""
        return self._ask(ledger.knows, case)

    def restore(self) -> Restored:
        """What was saved, to go on from; consume its ``tail`` before the first commit."""
        return restore.restore(self._connection, self._path, self._last_reading_id)

    def pressure(self) -> Pressure:
        """How full the journal is: of its configured size, or of what the disk lets it take if that is less."""
        with translated(self._path):
            return self._pressure()

    def admit(self, consumers: Iterable[Consumer]) -> None:
        """Says who reads on from here; whoever is not named is not waited for any more."""
        with self._transaction():
            marks.admit(self._connection, consumers)
            queued = rollups.is_queued(self._connection)
        self._rollups_queued = queued

    def expire(self, now_ms: Millis, keep_days: int) -> Expired:
        """Deletes one bounded step of what the policy lets go; call between batches while it deletes anything."""
        with translated(self._path):
            pressure = self.pressure()
            of_readings = self._pressure_of_readings()
        policy = keep(pressure, keep_days, self._max_bytes, readings=of_readings)
        db, before_ms = self._connection, now_ms - KEEP_CASES_MS
        with self._transaction():
            through = min(self._snapshot_position, self._last_reading_id - 1, *marks.positions(db, Stream.READING))
            return Expired(
                pressure=pressure,
                readings=readings.expire(db, now_ms - policy.readings_ms, through),
                quarantined=arrivals.expire_quarantine(db, now_ms, policy),
                arrivals=arrivals.expire(db, now_ms),
                cases=sum(expire(db, before_ms) for expire in _KEPT_FOR_YEARS),
                rollups=rollups.expire(db, before_ms),
            )

    def fold(self) -> Log:
        """Folds the log back into the file, as far as those who read let it; to be called now and then."""
        with translated(self._path):
            _, pages, folded = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            (page_size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return Log(self._path, pages * page_size, (pages - folded) * page_size)

    def _pressure_of_readings(self) -> Pressure:
        """Without what strangers sent, which takes half as much again on its pages."""
        return self._pressure(without=arrivals.kept_bytes(self._connection) * 3 // 2)

    def _pressure(self, without: int = 0) -> Pressure:
        used = self._used_bytes()
        room = used + shutil.disk_usage(self._path.parent).free
        return pressure_at(used - without, room if self._max_bytes is None else min(room, self._max_bytes))

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with translated(self._path), ExitStack() as unless_durable:
                self._connection.execute("BEGIN IMMEDIATE")
                unless_durable.callback(self._undo)
                yield
                self._presence.check()
                self._connection.execute("COMMIT")
                unless_durable.pop_all()
        except JournalUnavailable:
            with translated(self._path):
                self._presence.keep_what_is_gone()
            raise
        for learned in (self._devices, self._assets, self._areas):
            learned.settle()

    def _undo(self) -> None:
        for learned in (self._devices, self._assets, self._areas):
            learned.forget()
        if self._connection.in_transaction:  # a full disk may have rolled it back already
            self._connection.execute("ROLLBACK")

    def _write(self, entry: Entry) -> Committed:
        db, devices, assets = self._connection, self._devices, self._assets
        names.keep_known(db, entry.known, devices)
        last = readings.insert(db, entry.readings, self._last_reading_id, devices, assets)
        arrivals.keep_statuses(db, entry.statuses, devices)
        arrivals.add_signs_of_life(db, entry.signs_of_life, devices)
        arrivals.keep_anomalies(db, entry.anomalies.values(), devices)
        arrivals.add_quarantined(db, entry.quarantined)
        if entry.quarantined:  # at once, not at the next round: a flood brings a gigabyte in a minute
            most = keep(Pressure.OK, 0, self._max_bytes)
            arrivals.trim(db, Bounds(most.quarantined_rows, most.quarantined_bytes))
        arrivals.keep_looked(db, entry.looked)
        marks.keep_states(db, entry.states, last, assets)
        marks.keep_tracks(db, entry.tracks, last, devices)
        if entry.snapshot is not None:
            marks.keep_snapshot(db, entry.snapshot, last, assets, devices)
        episodes.keep_alerts(db, entry.alerts)
        notifications.keep_mailboxes(db, entry.mailboxes)
        episodes.add_events(db, entry.events)
        notification_ids, repeated_keys = notifications.add_owed(db, entry.owed)
        notifications.drop(db, entry.dropped)
        notifications.readdress(db, entry.readdressed)
        notifications.excuse(db, entry.excused)
        not_owed = notifications.keep_attempts(db, entry.attempts)
        notifications.keep_unreceipted(db, entry.unreceipted)
        telephone.keep_receipts(db, entry.receipts)
        telephone.add_answers(db, entry.answers)
        ledger.keep_cases(db, entry.cases)
        ledger.add_deeds(db, entry.deeds)
        marks.keep_heartbeat(db, entry.heartbeat_ms)
        marks.keep_consumed(db, entry.consumed)
        marks.keep_meta(db, entry.meta)
        marks.add_inventory(db, entry.inventory)
        rollups.keep_rolled(db, entry.rolled, self._rollup_names, queued=self._rollups_queued)
        return Committed(last, notification_ids, repeated_keys, not_owed)
