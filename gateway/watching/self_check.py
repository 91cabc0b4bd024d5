"""The house's own watchman, on the loop's thread: what is overdue and what is not heard becomes a notice, and ends.

It counts timers and rows that are long overdue, hears whether a county that normally speaks has fallen silent, sees
whether the journal's log is folded back and the clock was set, mends nothing and tells the county; whom that concerns
is in ``config/escalation.yaml``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Final, NamedTuple

from alerts.alert import Alert
from alerts.calendars import iso
from alerts.conditions import engine
from alerts.episodes.county import County
from alerts.episodes.decide import Trouble
from alerts.ledger.book import Ledger
from alerts.model import Detail, Event
from alerts.notify.replies import Replies
from alerts.notify.texts import clock, day, span
from alerts.undo import Undoable, UndoLog
from gateway.clock import STEP_S, Clock, Deafness, SettableClock, monotonic_s
from gateway.health import Health, Part
from gateway.journal.place import openers
from gateway.journal.retention import Log
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.settings import Watch
from gateway.watching.heartbeat import faltering
from telemetry.reading import Millis

_log = logger(__name__)

LEARNING_S: Final = 3_600.0
"""So long, and one whole interval, must have been heard before the gaps of the past say what is usual."""
WINDOW_S: Final = 86_400.0
_TIMES: Final = 2.0
"""A silence twice as long as any usual one is none of them."""


@dataclass(slots=True)
class Ear:
    """``shortest_s`` is the shortest interval of any device (0 without any), ``deaf_s`` the least that is borne."""

    shortest_s: float
    deaf_s: float
    started_s: float
    _last_s: float = 0.0
    _learned_s: float = 0.0
    _listening: bool = False
    _gap_s: float = 0.0
    _gap_before_s: float = 0.0
    _window_s: float = 0.0

    def __post_init__(self) -> None:
        self._last_s = self._window_s = self.started_s

    def listens(self, at_s: float, *, live: bool) -> None:
        """We are subscribed, or not any more; while we are not, nothing can be heard."""
        if live and not self._listening:
            self._last_s = at_s
        self._listening = live

    def heard(self, at_s: float) -> None:
        """A device spoke."""
        gap_s = at_s - self._last_s
        if gap_s <= self.bound_s:
            self._learn(gap_s, at_s)
        self._last_s = at_s

    def silent_s(self, at_s: float) -> float:
        """How long nothing was heard; from the beginning of our own listening at most."""
        return at_s - self._last_s

    def is_deaf(self, at_s: float) -> bool:
        """Whether the silence is longer than any that is usual. Without devices nobody is missed."""
        return self.shortest_s > 0 and self.silent_s(at_s) >= self.bound_s

    @property
    def listening(self) -> bool:
        """Whether we are subscribed."""
        return self._listening

    @property
    def bound_s(self) -> float:
        """From when on a silence is not usual: by the devices' intervals, or sooner by the gaps of the last days."""
        if not self._listening:
            return self.deaf_s
        by_interval_s = _TIMES * self.shortest_s
        learned = self._learned_s >= max(LEARNING_S, self.shortest_s)
        by_gaps_s = _TIMES * max(self._gap_s, self._gap_before_s) if learned else by_interval_s
        return max(self.deaf_s, min(by_interval_s, by_gaps_s))

    def _learn(self, gap_s: float, at_s: float) -> None:
        if at_s - self._window_s >= WINDOW_S:
            self._gap_before_s, self._gap_s, self._window_s = self._gap_s, 0.0, at_s
        self._gap_s = max(self._gap_s, gap_s)
        self._learned_s += gap_s


OVERDUE_MS: Final[Millis] = 600_000
"""What is due is done within a second; a courier in a storm may be busy for minutes."""


class OverdueRows(NamedTuple):
    """Rows of the journal that wait beyond their time: not taken, in a try that never ended, without a decision."""

    owed: int = 0
    sending: int = 0
    receipts: int = 0


class MissedTimers(NamedTuple):
    """Instants that passed without anything coming of them."""

    alerts: int = 0
    mailboxes: int = 0
    assets: int = 0
    cases: int = 0


def overdue(county: County, ledger: Ledger, before_ms: Millis, *, listening: bool) -> MissedTimers:
    """What memory says was due before then. What fell due while we could not hear waits for the grace, and may."""
    if county.hearing_since_ms >= before_ms:
        return MissedTimers(cases=_passed((case.wake_ms for case in ledger.cases.values()), before_ms))
    plans = county.plans
    deadlines = (engine.deadline_ms(plans[asset], state) for asset, state in county.states.items())
    return MissedTimers(
        alerts=_passed((alert.wake_ms for alert in county.alerts.values()), before_ms),
        mailboxes=_passed((box.due_ms or 0 for box in county.boxes.values()), before_ms),
        assets=_passed(deadlines, before_ms) if listening else 0,
        cases=_passed((case.wake_ms for case in ledger.cases.values()), before_ms),
    )


def kinds(rows: OverdueRows, timers: MissedTimers) -> Mapping[str, int]:
    """Every kind with its count, for the metrics."""
    return {**rows._asdict(), **timers._asdict()}


def spoken(found: OverdueRows | MissedTimers) -> str:
    """What is overdue, in a sentence; empty when nothing is."""
    return ", ".join(f"{count} {kind}" for kind, count in found._asdict().items() if count)


def _passed(instants: Iterator[Millis], before_ms: Millis) -> int:
    return sum(0 < due_ms < before_ms for due_ms in instants)


LOG_PART: Final = "journal_log"
"""What the log is called on ``/readyz``; it is shown, and the gateway is ready all the same."""
MEGABYTE: Final = 1 << 20
MOST_BYTES: Final = 32 * MEGABYTE
"""Twice of what is folded back by itself."""
MOST_LOOKS: Final = 5
"""Minutes. No read of ours lasts so long."""
_LOG_REMEDY: Final = (
    "end whatever reads the journal for so long (a sqlite3 that was left open, a backup tool, an export); "
    "it is folded back by itself then"
)


class Folding(Undoable):
    """Whether a reader keeps the journal's log from being folded back into it, since when, and who (case J10).

    A log that is never folded back grows until the disk is full, and every read takes longer. Who reads is not ours to
    end. One look a minute; for the loop's thread alone.
    """

    def __init__(
        self, health: Health, metrics: Metrics, openers: Callable[[Path], list[str]], undo: UndoLog | None = None
    ) -> None:
        super().__init__(undo)
        self._health = health
        self._metrics = metrics
        self._openers = openers
        self._since_ms: Millis | None = None
        self._looks = 0
        self._is_said = False

    def look(self, log: Log, now_ms: Millis) -> None:
        """How the log stands after it was folded back as far as it could be."""
        self._looks = self._looks + 1 if log.unfolded_bytes else 0
        self._since_ms = (self._since_ms or now_ms) if log.unfolded_bytes else None
        unfolded_s = 0.0 if self._since_ms is None else (now_ms - self._since_ms) / 1_000
        self._metrics.journal_log_bytes.set(log.bytes)
        self._metrics.journal_log_unfolded_seconds.set(unfolded_s)
        starved = self._looks > 1 and (log.bytes > MOST_BYTES or self._looks > MOST_LOOKS)
        if starved:
            self._say(log, unfolded_s)
        elif not log.unfolded_bytes:
            self._end(log)

    def _say(self, log: Log, unfolded_s: float) -> None:
        who = ", ".join(self._openers(log.path)) or "nobody that may be seen from here"
        state = (
            f"a reader has kept {log.path.name}-wal, {log.bytes // MEGABYTE} MB now, from being folded back since"
            f" {iso(self._since_ms or 0)}; the journal is open in {who}"
        )
        self._health.report(LOG_PART, Part(ready=False, state=state, remedy=_LOG_REMEDY))
        if not self._is_said:
            _log.warning("log_not_folded", bytes=log.bytes, seconds=round(unfolded_s), open_in=who, remedy=_LOG_REMEDY)
        self._is_said = True

    def _end(self, log: Log) -> None:
        self._health.report(LOG_PART, Part(ready=True, state="it is folded back as it grows"))
        if self._is_said:
            _log.info("log_folded", bytes=log.bytes)
        self._is_said = False


PART: Final = "auditor"
CLOCK: Final = "clock"
"""What they are called on ``/readyz``."""
DEAF: Final = "house_deaf"
STUCK: Final = "house_stuck"
STEPPED: Final = "clock_stepped"
_TOLD_FOR_MS: Final[Millis] = 24 * 3_600_000
"""However often the clock is set, it is told once in so long."""
_REMEDY: Final = "see that the machine's date, time and zone are right and that it asks a time server"
DAILY: Final = "heartbeat"
"""The name of the text of each day, and the small mark that says up to when it was sent."""
_LATE_MS: Final[Millis] = 3 * 3_600_000
"""So late at most the day's text still says something."""


class Daily(NamedTuple):
    """The text of each day: who gets it, at what time, and when they last did."""

    phone: str
    at: time
    texted_ms: Millis = 0


class Watchman(Undoable):
    """``turn`` is called in every turn of the loop, ``round`` each minute."""

    def __init__(
        self,
        pipeline: Pipeline,
        ear: Ear,
        health: Health,
        metrics: Metrics,
        clock: SettableClock,
        monotonic: Callable[[], float],
        *,
        allowed_ms: Millis = OVERDUE_MS,
        daily: Daily | None = None,
    ) -> None:
        super().__init__(pipeline.undo)
        self._pipeline = pipeline
        self._ear = ear
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._allowed_ms = allowed_ms
        self._daily = daily
        self._folding = Folding(health, metrics, openers, pipeline.undo)
        self._is_deaf: bool | None = None
        self._slept = ""

    def overslept(self, deaf: Deafness) -> None:
        """Nobody listened for a while: that is said, and of a clock that was set somebody is told, once."""
        seconds, step_s = (deaf.at_ms - deaf.since_ms) / 1_000, round(deaf.step_ms / 1_000)
        self._metrics.deafnesses.labels("step" if step_s else "pause").inc()
        detail: Detail = {"since_ms": deaf.since_ms, "step_s": step_s}
        self._pipeline.say(Event(at_ms=deaf.at_ms, event="deaf", detail=detail))
        _log.warning("deaf", seconds=round(seconds), clock_set_by_s=step_s, remedy=_REMEDY if step_s else "")
        until = iso(deaf.at_ms)
        self._slept = f"nothing was done for {seconds:.0f} s until {until}, which counts as a downtime"
        self._end_step(deaf.at_ms)  # what was told long ago is over before more is told
        if deaf.step_ms:
            self._set(deaf.step_ms, f"the machine's clock was set by {step_s:+d} s at {until}", deaf.at_ms)
        self._look_at_clock(deaf.at_ms)

    def folded(self, log: Log, now_ms: Millis) -> None:
        """How the journal's log stands, each minute."""
        self._folding.look(log, now_ms)

    def _set(self, step_ms: int, problem: str, now_ms: Millis) -> None:
        self._tell(STEPPED, CLOCK, problem, now_ms, {"jump": span(step_ms)})

    def _end_step(self, now_ms: Millis) -> Alert | None:
        """What was told of a clock that was set is over after a day, once the clock is right; answers what stands."""
        alerts = self._pipeline.county.alerts.values()
        standing = next((alert for alert in alerts if alert.rule == STEPPED and not alert.closed_ms), None)
        if standing is None or self._clock.behind_s() > STEP_S or now_ms - standing.raised_ms < _TOLD_FOR_MS:
            return standing
        self._tell(STEPPED, CLOCK, "", now_ms)
        return None

    def _look_at_clock(self, now_ms: Millis) -> None:
        """What ``/readyz`` says of the clock: that it was set lately, or that it shows less than what we told."""
        behind_s, standing = self._clock.behind_s(), self._end_step(now_ms)
        if behind_s > STEP_S and standing is None:
            self._set(round(-behind_s * 1_000), f"the machine's clock is {behind_s:.0f} s behind the journal", now_ms)
        said = [] if standing is None else [str(standing.detail.get("problem", ""))]
        if behind_s > STEP_S:
            said.append(f"it shows {behind_s:.0f} s less than what was told already; from there time goes on as ever")
        notes = (self._slept,) if self._slept else ()
        sound = Part(ready=True, state="it has not been set", notes=notes)
        self._health.report(
            CLOCK, Part(ready=False, state="; ".join(said), remedy=_REMEDY, notes=notes) if said else sound
        )

    def turn(self, now_ms: Millis, *, heard: bool, live: bool) -> None:
        """One turn of the loop: whether a device spoke in it, and whether we are subscribed."""
        at_s, ear = self._monotonic(), self._ear
        ear.listens(at_s, live=live)
        if heard:
            ear.heard(at_s)
            if self._is_deaf is not False:
                self._tell(DEAF, "devices", "", now_ms)
                self._is_deaf = False
        elif not self._is_deaf and ear.is_deaf(at_s):
            silent_ms = round(ear.silent_s(at_s) * 1_000)
            problem = "no device was heard" if live else "not subscribed at the broker"
            self._tell(DEAF, "devices", problem, now_ms, {"seen_ms": now_ms - silent_ms})
            self._is_deaf = True

    def round(self, rows: OverdueRows, now_ms: Millis) -> None:
        """Each minute: what is overdue is told, or is over."""
        pipeline = self._pipeline
        pipeline.advance(now_ms)
        timers = overdue(pipeline.county, pipeline.ledger, now_ms - self._allowed_ms, listening=self._ear.listening)
        for kind, count in kinds(rows, timers).items():
            self._metrics.overdue.labels(kind).set(count)
        self._metrics.deaf_seconds.set(self._ear.silent_s(self._monotonic()))
        self._tell(STUCK, "texts", spoken(rows), now_ms)
        self._tell(STUCK, "timers", spoken(timers), now_ms)
        found = [f"overdue: {said}" for said in (spoken(rows), spoken(timers)) if said]
        self._health.report(PART, _part(found))
        self._look_at_clock(now_ms)
        self._text(now_ms)

    def _tell(self, rule: str, part: str, problem: str, now_ms: Millis, detail: Detail | None = None) -> None:
        self._pipeline.watch(Trouble(rule, part, problem, detail or {}), now_ms)

    def _text(self, now_ms: Millis) -> None:
        """The text of the day, once, while the house works."""
        if self._daily is None:
            return
        phone, at, texted_ms = self._daily
        calendar = self._pipeline.calendar
        due_ms = calendar.instant(calendar.local(now_ms).date(), at)
        if not due_ms <= now_ms < due_ms + _LATE_MS or texted_ms >= due_ms or faltering(self._health):
            return
        self._daily = Daily(phone, at, due_ms)
        self._pipeline.keep(DAILY, due_ms)
        facts = {"day": day(calendar, now_ms), "time": clock(calendar, now_ms)}
        said = self._pipeline.county.message_writer.texts.word(DAILY, facts)
        self._pipeline.say(Replies.to_person(phone, phone, said, due_ms))


def _part(found: list[str]) -> Part:
    """Told beside the others: it makes nobody unready, since what is stuck is ours to mend while the rest works."""
    if not found:
        return Part(ready=True, state="nothing is overdue")
    return Part(ready=False, state="; ".join(found), remedy="the log says what failed; a restart files timers anew")


def watchman(
    watch: Watch,
    pipeline: Pipeline,
    clock: SettableClock,
    health: Health,
    metrics: Metrics,
    kept: Mapping[str, str],
    monotonic: Callable[[], float] = monotonic_s,
) -> Watchman:
    """The watchman of a pipeline; ``kept`` are the journal's small marks."""
    devices = pipeline.inventory.devices.values()
    shortest_s = min((device.interval_s for device in devices), default=0)
    return Watchman(
        pipeline,
        Ear(shortest_s, watch.deaf_minutes * 60, monotonic()),
        health,
        metrics,
        clock,
        monotonic,
        allowed_ms=allowed_ms(clock),
        daily=None if watch.phone is None else Daily(watch.phone, watch.daily_at, int(kept.get(DAILY, 0))),
    )


def allowed_ms(clock: Clock) -> Millis:
    """The auditor's patience by a clock that may run faster than the world: it is in real minutes."""
    real_s = clock.wait_s(clock.now_ms() + OVERDUE_MS)
    return round(OVERDUE_MS * max(1.0, OVERDUE_MS / 1_000 / max(real_s, 0.001)))
