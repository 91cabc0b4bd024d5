"""The one thread: take what is there, step the county, commit, and only then acknowledge.

It owns socket, journal and county. Whatever the journal refuses is tried again, unacknowledged, until it is taken;
what is decided about an uplink is ``pipeline``, what is decided about an alert is ``alerts``.
"""

import select
from collections.abc import Callable
from typing import Any, Final, Protocol

from gateway.clock import Clock, monotonic_s
from gateway.deeds import Deeds
from gateway.health import Health, Part
from gateway.journal.entry import Entry
from gateway.journal.trouble import JournalUnavailable
from gateway.journal.writer import Journal
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline, Tally
from gateway.sources.inbox import Inbox
from gateway.sources.link import Batch, Phase, SessionState
from telemetry.reading import Millis

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


class Source(Protocol):
    """Where uplinks come from (``sources.mqtt.MqttSource``)."""

    state: SessionState

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        """What is there."""

    def ack(self, batch: Batch) -> int:
        """Acknowledges all of it, if its connection still stands."""


class Stopping(Exception):  # noqa: N818 -- the end, not an error
    """The gateway is to end while the journal takes nothing; nothing of it was acknowledged."""


class Loop:
    """One turn after the other, until told to stop."""

    def __init__(  # noqa: PLR0913 -- the loop is where everything meets; each is named at the call
        self,
        pipeline: Pipeline,
        journal: Journal,
        source: Source,
        inbox: Inbox[Any],
        deeds: Deeds,
        *,
        clock: Clock,
        heard_ms: Millis | None,
        unsnapshotted: int,
        health: Health,
        metrics: Metrics,
        wake_at: Callable[[Millis | None], None],
        owe: Callable[[], None],
        watch: Callable[[Entry], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._pipeline = pipeline
        self._journal = journal
        self._source = source
        self._inbox = inbox
        self._deeds = deeds
        self._clock = clock
        self._heard_ms = heard_ms
        self._health = health
        self._metrics = metrics
        self._wake_at = wake_at
        self._owe = owe
        self._watch = watch
        self._stopping = stopping
        self._listening = self._started = False
        self._beat_at_s = 0.0
        self._snapshot_at_s = monotonic_s()
        self._read_since_snapshot = unsnapshotted  # a gateway that is killed again and again takes one too

    def run(self) -> None:
        """Turns until told to stop; then leaves a snapshot behind."""
        try:
            while not self._stopping():
                self.turn()
            self._commit(snapshot=True)
        except Stopping:
            _log.warning("stopped_with_unacknowledged_messages", remedy="they come again at the next start")

    def turn(self) -> None:
        """Steps 1 to 6 of the design's line for whatever is there."""
        batch = self._source.wait(IDLE_S, [self._inbox.fileno()])
        arrived_s = monotonic_s()
        self._follow_session(batch.uplinks[0].received_ms if batch.uplinks else self._clock.now_ms())
        for uplink in batch.uplinks:
            self._patiently(self._pipeline.take, uplink)
        answers = [(posted.answer, self._deeds.do(posted.item, self._patiently)) for posted in self._inbox.take()]
        now_ms = self._clock.now_ms()
        self._pipeline.advance(now_ms)
        self._deeds.watchman.turn(now_ms, heard=bool(batch.uplinks), live=self._listening)
        committed_s = monotonic_s()
        self._commit()
        if batch.mids:
            self._acknowledge(batch, arrived_s, committed_s)
        for answer, value in answers:
            answer.resolve(value)
        self._wake_at(self._pipeline.next_deadline())
        self._health.turned()

    def _acknowledge(self, batch: Batch, arrived_s: float, committing_s: float) -> None:
        now_s = monotonic_s()
        acked = self._source.ack(batch)
        self._metrics.received.inc(len(batch.uplinks))
        self._metrics.acked.inc(acked)
        self._metrics.ack_dropped.inc(len(batch.uplinks) - acked)
        self._metrics.durable(len(batch.uplinks), now_s - committing_s, now_s - arrived_s)

    def _follow_session(self, at_ms: Millis) -> None:
        """Silence means something only while we can hear: from ``at_ms`` on, when the first of the batch came."""
        state = self._source.state
        self._health.report(BROKER, state.part)
        live = state.phase is Phase.LIVE
        if live == self._listening:
            return
        self._listening = live
        county = self._pipeline.county
        if not live:
            county.deafen()
            return
        county.listen(at_ms, self._heard_ms, self._pipeline.changes, started=not self._started)
        self._started = True

    def _commit(self, *, snapshot: bool = False) -> None:
        """One transaction with everything since the last one; returns when it is durable."""
        entry, tally = self._pipeline.finish()
        now_s = monotonic_s()
        if self._listening and (not entry.is_empty or now_s - self._beat_at_s >= HEARTBEAT_S):
            self._beat_at_s = now_s
            self._heard_ms = entry.heartbeat_ms = self._clock.now_ms()
        self._read_since_snapshot += len(entry.readings)
        old = now_s - self._snapshot_at_s >= SNAPSHOT_AFTER_S and self._read_since_snapshot > 0
        if snapshot or old or self._deeds.past_changed or self._read_since_snapshot >= SNAPSHOT_AFTER:
            self._deeds.past_changed = False
            entry.snapshot = self._pipeline.snapshot()
            self._snapshot_at_s, self._read_since_snapshot = now_s, 0
        if entry.is_empty:
            return
        self._patiently(self._journal.commit, entry)
        self._health.report(JOURNAL, READY)
        self._health.committed()
        self._count(entry, tally)
        if entry.owed:
            self._owe()
        self._watch(entry)

    def _count(self, entry: Entry, tally: Tally) -> None:
        metrics = self._metrics
        metrics.readings.inc(len(entry.readings))
        metrics.duplicates.inc(tally.duplicates)
        metrics.unknown_keys.inc(tally.unknown_keys)
        for reason, count in tally.refused.items():
            metrics.quarantine(reason, count)
        for event in entry.events:
            metrics.events.labels(event.event).inc()

    def _patiently(self, act: Callable[..., object], *given: object) -> None:
        """Does it again and again until the journal takes it; what waits for it is not acknowledged meanwhile."""
        while True:
            try:
                act(*given)
            except JournalUnavailable as trouble:
                self._health.report(JOURNAL, Part(ready=False, state=trouble.problem, remedy=str(trouble)))
                self._metrics.commit_failures.inc()
                _log.error("journal_unavailable", problem=str(trouble.problem), remedy=str(trouble))
                if self._stopping():
                    raise Stopping from trouble
                select.select([], [], [], RETRY_S)
                self._health.turned()
            else:
                return
