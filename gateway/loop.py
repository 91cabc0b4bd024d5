"""The one thread: take what is there, step the county, commit, and only then acknowledge.

It owns socket, journal and county. Whatever the journal refuses is tried again, unacknowledged, until it is taken;
what is decided about an uplink is ``pipeline``, what is decided about an alert is ``alerts``.
"""

import select
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from alerts.annunciator import no_longer_owed
from alerts.courier import Clearance
from gateway import absence_work, desk_work, extra_work
from gateway.clock import Clock, monotonic_s
from gateway.commands import (
    Away,
    Back,
    CaseCommand,
    Command,
    Done,
    Extra,
    NoExtra,
    NotPossible,
    Register,
    Resend,
    Tick,
    UnknownEpisode,
    WhichExtras,
    WhoIsAway,
)
from gateway.commands import Verdict as CommandVerdict
from gateway.health import Health, Part
from gateway.hearing import Hearing
from gateway.journal.entry import AttemptEnded, AttemptStarted, Entry, Rolled
from gateway.journal.trouble import JournalUnavailable
from gateway.journal.writer import Journal
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.orders import obey
from gateway.pipeline import Pipeline, Tally
from gateway.requests import Begin, DealtWith, End, Heard, Housekeep, Lapsed, Watched
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
        hearing: Hearing,
        *,
        clock: Clock,
        heard_ms: Millis | None,
        unsnapshotted: int,
        keep_days: int,
        health: Health,
        metrics: Metrics,
        wake_at: Callable[[Millis | None], None],
        owe: Callable[[], None],
        resend: Sequence[Callable[[Millis], None]],
        watch: Callable[[Entry], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._pipeline = pipeline
        self._journal = journal
        self._source = source
        self._inbox = inbox
        self._hearing = hearing
        self._clock = clock
        self._heard_ms = heard_ms
        self._keep_days = keep_days
        self._health = health
        self._metrics = metrics
        self._wake_at = wake_at
        self._owe = owe
        self._resend = resend
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
        answers = [(posted.answer, self._do(posted.item)) for posted in self._inbox.take()]
        self._pipeline.advance(self._clock.now_ms())
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
        if snapshot or old or self._read_since_snapshot >= SNAPSHOT_AFTER:
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

    def _do(self, item: object) -> object:
        match item:
            case Command():
                return self._command(item)
            case Register() | CaseCommand():
                self._pipeline.advance(self._clock.now_ms())
                return desk_work.done(item, self._pipeline, self._clock.now_ms(), self._journal.knows_case)
            case Away() | Back() | WhoIsAway():
                self._pipeline.advance(self._clock.now_ms())
                return absence_work.answered(item, self._pipeline, self._clock.now_ms())
            case Extra() | NoExtra() | WhichExtras():
                self._pipeline.advance(self._clock.now_ms())
                return extra_work.answered(item, self._pipeline, self._clock.now_ms())
            case Resend(since_ms):
                return self._send_again(since_ms)
            case Begin():
                return self._begin(item)
            case Watched(rule, part, problem):
                self._pipeline.county.watch(rule, part, problem, self._clock.now_ms(), self._pipeline.changes)
            case Housekeep():
                self._patiently(self._expire)
            case Tick():
                pass
            case _:
                self._enter(item)
        return None

    def _enter(self, item: object) -> None:
        """What others beside the loop have done, and wait to see durable."""
        entry = self._pipeline.entry
        match item:
            case End(number, at_ms, via, outcome, step, event):
                ended = AttemptEnded(number, at_ms, outcome, step.next_attempt_ms, via, step.via, step.receipt_due_ms)
                entry.attempts.append(ended)
                entry.events += () if event is None else (event,)
            case Lapsed():
                self._hearing.lapsed(item)
            case Heard(receipts, replies):
                self._hearing.receipts(receipts)
                for reply in replies:
                    self._hearing.reply(reply, self._clock.now_ms())
            case DealtWith(consumer, position, filed):
                self._pipeline.file(filed)
                entry.consumed[consumer] = position
            case Rolled():
                entry.rolled.append(item)

    def _expire(self) -> None:
        expired = self._journal.expire(self._clock.now_ms(), self._keep_days)
        if expired.rows:
            self._inbox.post(Housekeep())

    def _begin(self, asked: Begin) -> Clearance:
        """A try may begin unless what it is about has been seen to or is over since."""
        owed = asked.due.owed
        wanted = self._pipeline.ledger.is_wanted(owed)
        if wanted is not None:
            return self._clear(asked, "" if wanted else "closed")
        return self._clear(asked, no_longer_owed(owed, self._pipeline.county.alerts))

    def _clear(self, asked: Begin, not_owed: str) -> Clearance:
        if not_owed:
            self._pipeline.entry.dropped.append((asked.due.owed.key, not_owed))
            return Clearance.NO_LONGER_OWED
        self._pipeline.entry.attempts.append(AttemptStarted(asked.due.notification_id, asked.at_ms))
        return Clearance.GRANTED

    def _send_again(self, since_ms: Millis) -> CommandVerdict:
        if not self._resend:
            return NotPossible("nothing is written to InfluxDB: the configuration has no [influxdb]")
        for resend in self._resend:
            resend(since_ms)
        return Done(self._clock.now_ms(), "resending")

    def _command(self, command: Command) -> CommandVerdict:
        county, now_ms = self._pipeline.county, self._clock.now_ms()
        self._pipeline.advance(now_ms)
        if command.episode in self._pipeline.ledger.cases:
            return desk_work.answered(command, self._pipeline, now_ms)
        if command.episode not in county.alerts and not self._journal.knows(command.episode):
            return UnknownEpisode()
        return obey(command, county, now_ms, self._pipeline.changes)
