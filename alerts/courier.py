"""Takes what is owed, hands it to its channel, and reports what became of it, one notification at a time.

Owns one thread and no clock, no database and no provider's protocol: the journal is behind ``Port``, the providers are
behind ``Channel``. A row says that a try began before the call is made, so a crash leaves a question, never a silence.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final, Protocol

import structlog

from alerts.calendars import iso
from alerts.channels import Accepted, Channel, Failed, Message, Outcome, Refused
from alerts.delivery import Due, Standing, Step, Verdict, next_step, resume, undelivered
from alerts.model import Event
from telemetry.reading import Millis

_log = structlog.get_logger(__name__)

_IDLE_S: Final = 0.5
"""Real seconds after which it looks again by itself; what is new wakes it, this is for retries."""


class PortUnavailable(Exception):  # noqa: N818 -- a state of the world, not an error of ours
    """The journal cannot answer or cannot make it durable now. Nothing may be sent; asking later is right."""


class Clearance(StrEnum):
    """Whether a try may begin: what was owed a moment ago may have been acknowledged since."""

    GRANTED = "granted"
    NO_LONGER_OWED = "no_longer_owed"


class Port(Protocol):
    """The courier's side of the journal. Each method raises ``PortUnavailable`` when the journal is in trouble."""

    def due(self, now_ms: Millis) -> Due | None:
        """The most urgent notification whose time has come: the highest severity, then the lowest id.

        One that is found ``sending`` is due at once, whatever its time.
        """

    def started(self, notification_id: int, at_ms: Millis) -> Clearance:
        """A try begins; returns only when that is durable. Nothing was written if it is no longer owed."""

    def ended(
        self,
        notification_id: int,
        at_ms: Millis,
        outcome: Outcome,
        next_attempt_ms: Millis | None,
        event: Event | None,
    ) -> None:
        """A try ended so, in one transaction with the event, if any; returns only when that is durable."""


class Courier:
    """The loop around one notification: ``start`` runs it, ``wake`` hurries it, ``stop`` ends it."""

    def __init__(self, port: Port, channels: Mapping[str, Channel], now_ms: Callable[[], Millis]) -> None:
        self._port = port
        self._channels = channels
        self._now_ms = now_ms
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread; once."""
        self._thread.start()

    def wake(self) -> None:
        """Something new is owed; may be called from any thread, and too often."""
        self._woken.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Lets the notification in hand come to its end, and no other begin."""
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def run_once(self, now_ms: Millis) -> bool:
        """Brings the most urgent due notification one step further; ``False`` when nothing was due."""
        due = self._port.due(now_ms)
        if due is None:
            return False
        match due.standing:
            case Standing.OWED:
                self._try(due, now_ms)
            case Standing.SENDING:
                self._reconcile(due, now_ms)
        return True

    def _try(self, due: Due, now_ms: Millis) -> None:
        if self._port.started(due.notification_id, now_ms) is Clearance.GRANTED:
            begun = replace(due, attempts=due.attempts + 1)
            outcome = self._send(begun)
            ended_ms = self._now_ms()
            self._conclude(begun, outcome, next_step(outcome, begun.attempts, begun.owed.severity, ended_ms), ended_ms)

    def _reconcile(self, due: Due, now_ms: Millis) -> None:
        """A try that nobody saw end: the provider is asked; what it never got is sent again (alerting.md §4)."""
        found = self._find(due)
        _log.warning("reconciled", key=due.owed.key, found=found is not None)
        if found is None:
            step = resume(due.attempts, due.owed.severity, now_ms)
            self._conclude(due, Failed("unconfirmed"), step, now_ms)
        else:
            self._conclude(due, found, Step(Verdict.SETTLED), now_ms)

    def _send(self, due: Due) -> Outcome:
        owed = due.owed
        channel = self._channels.get(owed.channel)
        if channel is None:
            return Failed("no_channel")
        message = Message(owed.key, owed.episode, owed.to, owed.phone, owed.text, iso(owed.at_ms))
        try:
            return channel.send(message)
        except Exception:  # noqa: BLE001 -- the one barrier around a channel's own mistakes: others must still be told
            _log.exception("channel_failed_by_our_mistake", channel=owed.channel, key=owed.key)
            return Failed("bug")

    def _find(self, due: Due) -> Accepted | None:
        channel = self._channels.get(due.owed.channel)
        return None if channel is None else channel.find(due.owed.key)

    def _conclude(self, due: Due, outcome: Outcome, step: Step, now_ms: Millis) -> None:
        event = None
        match outcome:
            case Accepted(reference, delivered):
                _log.info("sent", key=due.owed.key, reference=reference, delivered=delivered)
            case Refused(reason) | Failed(reason):
                _log.warning("not_sent", key=due.owed.key, reason=reason, verdict=str(step.verdict))
                if step.verdict is Verdict.GIVEN_UP:
                    event = undelivered(due, reason, now_ms)
        self._port.ended(due.notification_id, now_ms, outcome, step.next_attempt_ms, event)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                worked = self.run_once(self._now_ms())
            except PortUnavailable as trouble:
                _log.warning("journal_unavailable", reason=str(trouble))
                worked = False
            if not worked:
                self._woken.wait(_IDLE_S)
