"""The one thread: take what is there, step the county, commit, and only then acknowledge.

It owns socket, journal and county. What the world refuses is tried again, unacknowledged, until it is taken
(``barrier``); what is decided about an uplink is ``pipeline``, what is decided about an alert is ``alerts``.
"""

import select
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

import msgspec

from alerts.undo import Undoable
from gateway.barrier import Barrier, give_up
from gateway.clock import Deafness, Face, SettableClock, between, monotonic_s
from gateway.commands.dispatcher import CommandDispatcher
from gateway.health import Health, Part
from gateway.inbox import Inbox, Posted
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.mqtt.link import Batch, SessionPhase, SessionState
from gateway.pipeline import Pipeline, Tally
from telemetry.reading import Millis
from telemetry.wire import Uplink

_log = logger(__name__)

HEARTBEAT_S: Final = 5.0
IDLE_S: Final = 1.0
RETRY_S: Final = 1.0
SNAPSHOT_AFTER: Final = 50_000
"""Readings; so many at most are stepped through again at a start."""
SNAPSHOT_AFTER_S: Final = 3_600.0
"""A quiet county takes one too, so that what is older may be let go."""

JOURNAL: Final = "journal"
BROKER: Final = "broker"
READY: Final = Part(ready=True, state="every commit is taken")
FILTERS: Final = "mqtt_filters"
"""The journal's mark for what the broker's session is subscribed to."""


class Source(Protocol):
    """Where uplinks come from (``mqtt.source.MqttSource``)."""

    state: SessionState

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        """What is there."""

    def ack(self, batch: Batch) -> int:
        """Acknowledges all of it, if its connection still stands."""


class Stopping(Exception):  # noqa: N818 -- the end, not an error
    """The gateway is to end while the world refuses; nothing of the turn was acknowledged."""


class Backoff:
    """How a loop waits while the world refuses: said on ``/readyz``, in the log and as a metric, until it is to stop.

    ``rest`` is given what to wait for, in seconds.
    """

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        stopping: Callable[[], bool],
        rest: Callable[[float], object] = lambda seconds: select.select([], [], [], seconds),
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._stopping = stopping
        self._rest = rest

    def wait(self, trouble: Exception) -> None:
        """Returns when it is worth another try; ``Stopping`` when there is to be none."""
        state, remedy = "refused", f"{type(trouble).__name__}: {trouble}; free memory, disk or file descriptors"
        if isinstance(trouble, JournalUnavailable):
            state, remedy = str(trouble.problem), str(trouble)
        self._health.report(JOURNAL, Part(ready=False, state=state, remedy=remedy))
        self._metrics.commit_failures.inc()
        _log.error("journal_unavailable", problem=state, remedy=remedy)
        if self._stopping():
            raise Stopping from trouble
        self._rest(RETRY_S)
        self._health.turned()


class JournalFilters:
    """Which topic filters the broker's session knows, remembered so that a restart need not subscribe again.

    See ``mqtt.link.SubscriptionMemory``. Called on the loop's thread, which alone writes the journal.
    """

    def __init__(self, journal: Journal, remembered: str | None, barrier: Barrier) -> None:
        self._journal = journal
        self._barrier = barrier
        self._filters = frozenset(msgspec.json.decode(remembered, type=list[str])) if remembered else frozenset()

    def remembered_filters(self) -> frozenset[str]:
        """What the broker last granted."""
        return self._filters

    def remember_filters(self, filters: frozenset[str]) -> None:
        """Keeps them, durably; returns when the journal has taken them."""
        kept = Entry(meta={FILTERS: msgspec.json.encode(sorted(filters)).decode()})
        self._barrier.attempt(lambda: self._journal.commit(kept), give_up, "topic filters")
        self._filters = filters


class Subscription(NamedTuple):
    """Whether the subscription stands; silence means something only while it does, from ``at_ms`` on."""

    at_ms: Millis
    live: bool


class Time(NamedTuple):
    """The end of a turn: everything is due that time alone makes due by then. ``heard`` is whether a device spoke."""

    at_ms: Millis
    heard: bool


Item: TypeAlias = Deafness | Subscription | Uplink | Posted | Time
"""What one turn does, in this order; a deafness where it ends."""


class Loop(Undoable):
    """One turn after the other, until told to stop."""

    def __init__(  # noqa: PLR0913 -- the loop is where everything meets; each is named at the call
        self,
        pipeline: Pipeline,
        journal: Journal,
        source: Source,
        inbox: Inbox,
        dispatcher: CommandDispatcher,
        *,
        clock: SettableClock,
        heard_ms: Millis | None,
        unsnapshotted: int,
        health: Health,
        metrics: Metrics,
        wake_at: Callable[[Millis | None], None],
        owe: Callable[[], None],
        watch: Callable[[Entry], None],
        stopping: Callable[[], bool],
        clock_was_set: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(pipeline.undo)
        self._pipeline = pipeline
        self._journal = journal
        self._source = source
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._clock = clock
        self._heard_ms = heard_ms
        self._health = health
        self._metrics = metrics
        self._wake_at = wake_at
        self._owe = owe
        self._watch = watch
        self._stopping = stopping
        self._clock_was_set = clock_was_set
        self._face: Face | None = None
        self._listening = self._started = False
        self._broker_state = source.state.part.state
        self._broker_troubles: frozenset[str] = frozenset()
        self._beat_at_s = 0.0
        self._snapshot_at_s = monotonic_s()
        self._read_since_snapshot = unsnapshotted  # a gateway that is killed again and again takes one too
        self._committing_s = 0.0
        self._snapshot_is_due = False

    def run(self) -> None:
        """Turns until told to stop; then leaves a snapshot behind."""
        try:
            while not self._stopping():
                self.turn()
            self._commit((), self._clock.now_ms(), snapshot=True)
        except Stopping:
            _log.warning("stopped_with_unacknowledged_messages", remedy="they come again at the next start")

    def turn(self) -> None:
        """Steps 1 to 6 of the design's line for whatever is there."""
        batch = self._hear()
        arrived_s, face = monotonic_s(), self._clock.face()
        now_ms, deaf = face.at_ms, None if self._face is None else between(self._face, face)
        self._face = face
        items = self._in_order(batch, now_ms, deaf)
        first, last = self._parted(items)
        answers = self._commit(first, now_ms)
        if last:
            answers += self._commit(last, now_ms)
        if batch.mids:
            self._acknowledge(batch, arrived_s)
        for item, value in zip((*first, *last), answers, strict=True):
            if isinstance(item, Posted):
                item.answer.resolve(value)
        if deaf is not None and deaf.step_ms:
            self._clock_was_set()
        self._wake_at(self._pipeline.next_deadline())
        self._health.turned()

    def _in_order(self, batch: Batch, now_ms: Millis, deaf: Deafness | None) -> Sequence[Item]:
        """What the turn does; of what was read while nobody listened, that before a deafness which came before it."""
        state, posted = self._source.state, self._inbox.take()
        self._tell_broker(state.part)
        came_ms = batch.uplinks[0].received_ms if batch.uplinks else now_ms
        heard: tuple[Item, ...] = (Subscription(came_ms, state.phase is SessionPhase.LIVE), *batch.uplinks)
        if deaf is not None:
            is_over = came_ms - deaf.since_ms >= now_ms - came_ms
            heard = (deaf._replace(at_ms=came_ms), *heard) if is_over else (*heard, deaf)
        return (*heard, *posted, Time(now_ms, bool(batch.uplinks)))

    def _tell_broker(self, part: Part) -> None:
        """On ``/readyz`` always; in the log each trouble once, until all is well again, and that it is."""
        self._health.report(BROKER, part)
        if part.state == self._broker_state:
            return
        self._broker_state = part.state
        if part.ready:
            self._broker_troubles = frozenset()
            _log.info("broker", state=part.state, notes=part.notes)
        elif part.state not in self._broker_troubles:
            self._broker_troubles |= {part.state}
            _log.warning("broker", state=part.state, remedy=part.remedy)

    def _parted(self, items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
        """What is done and durable before anything of those who say more than their share; and that, with the rest."""
        throttle = self._pipeline.throttle
        if not throttle.holds_back:  # as nearly always
            return items, ()
        waits = throttle.waits
        last = [item for item in items if isinstance(item, Uplink) and waits(item)]
        if not last:
            return items, ()
        last_of_all = items[-1]
        first = [item for item in items[:-1] if not (isinstance(item, Uplink) and waits(item))]
        return first, (*last, last_of_all)

    def _hear(self) -> Batch:
        """What is there; a source that fails has let go of its connection, so that the broker brings it again."""
        return self._pipeline.barrier.attempt(
            lambda: self._source.wait(IDLE_S, [self._inbox.fileno()]), lambda _: Batch([], [], -1), "the session"
        )

    def _do(self, item: Item, now_ms: Millis) -> object:
        match item:
            case Uplink():  # first, since nearly every one is
                self._pipeline.take(item)
            case Deafness():
                return self._pipeline.barrier.attempt(lambda: self._oversleep(item), lambda _: None, "a deafness")
            case Subscription():
                return self._pipeline.barrier.attempt(lambda: self._follow(item), lambda _: None, "the subscription")
            case Posted():
                return self._dispatcher.do(item.item, now_ms)
            case Time(at_ms, heard):
                self._pipeline.advance(at_ms)
                self._dispatcher.look_around(at_ms, heard=heard, live=self._listening)
        return None

    def _failed(self, item: Item, bug: Exception) -> object:
        """What becomes of the one item that the journal would not take by our own mistake."""
        if isinstance(item, Uplink):
            self._pipeline.set_aside(item, bug)
        return self._dispatcher.failed(bug)

    def _acknowledge(self, batch: Batch, arrived_s: float) -> None:
        now_s = monotonic_s()
        acked = self._source.ack(batch)
        self._metrics.received.inc(len(batch.uplinks))
        self._metrics.acked.inc(acked)
        self._metrics.ack_dropped.inc(len(batch.uplinks) - acked)
        self._metrics.durable(len(batch.uplinks), self._committing_s, now_s - arrived_s)

    def _follow(self, session: Subscription) -> None:
        if session.live == self._listening:
            return
        county = self._pipeline.county
        if session.live:
            county.listen(session.at_ms, self._heard_ms, self._pipeline.changes, started=not self._started)
            self._started = True
        else:
            county.deafen()
        self._listening = session.live

    def _oversleep(self, deaf: Deafness) -> None:
        """What it excuses is excused once: what is missed from now on counts from its end."""
        self._pipeline.oversleep(deaf)
        self._dispatcher.watchman.overslept(deaf)
        self._snapshot_is_due = bool(deaf.moved_ms)  # the clocks of all devices have moved
        if self._listening:
            self._heard_ms = deaf.at_ms
            self._pipeline.beat(deaf.at_ms)

    def _commit(self, items: Sequence[Item], now_ms: Millis, *, snapshot: bool = False) -> list[object]:
        """Does the items and makes them durable: in one transaction, unless one of them is poison to it."""
        began_s = monotonic_s()
        answers = self._pipeline.barrier.commit(
            items,
            lambda item: self._do(item, now_ms),
            self._failed,
            lambda: self._make_durable(now_ms, snapshot=snapshot),
            self._announce,
        )
        self._committing_s = monotonic_s() - began_s
        return answers

    def _announce(self, durable: tuple[Entry, Tally]) -> None:
        """What became durable is counted, sent and shown."""
        entry, tally = durable
        self._count(entry, tally)
        if entry.owed:
            self._owe()
        if not entry.is_empty:
            self._health.report(JOURNAL, READY)
            self._health.committed()
            self._watch(entry)

    def _make_durable(self, now_ms: Millis, *, snapshot: bool) -> tuple[Entry, Tally]:
        """One transaction with everything since the last one; returns when it is durable."""
        began_s = monotonic_s()
        entry, tally = self._pipeline.finish()
        if self._listening and (not entry.is_empty or began_s - self._beat_at_s >= HEARTBEAT_S):
            self._beat_at_s = began_s
            self._heard_ms = entry.heartbeat_ms = now_ms
        self._read_since_snapshot += len(entry.readings)
        old = began_s - self._snapshot_at_s >= SNAPSHOT_AFTER_S and self._read_since_snapshot > 0
        if (
            snapshot
            or old
            or self._snapshot_is_due
            or self._pipeline.past_changed
            or self._read_since_snapshot >= SNAPSHOT_AFTER
        ):
            self._snapshot_is_due = False
            entry.snapshot = self._pipeline.snapshot()
            self._snapshot_at_s, self._read_since_snapshot = began_s, 0
        if not entry.is_empty:
            self._journal.commit(entry)
        return entry, tally

    def _count(self, entry: Entry, tally: Tally) -> None:
        """Also of a turn that left nothing to commit: repeats are counted where there is nothing else (case K6)."""
        metrics = self._metrics
        metrics.readings.inc(len(entry.readings))
        for name, counted in tally.counts():
            metrics.count(name, counted)
        for name in tally.floods:
            _log.warning("floods", of=name, remedy="it says more than its share and is heard last; have it repaired")
        for event in entry.events:
            metrics.events.labels(event.event).inc()
