"""Takes what is owed, hands it to its channel, and reports what became of it, one notification at a time.

Owns one thread and no clock, no database and no provider's protocol: the journal is behind ``Port``, the providers are
behind ``Channel``. A row says that a try began before the call is made, so a crash leaves a question, never a silence.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

import structlog

from alerts.calendars import iso
from alerts.channels import Accepted, Caps, Channel, Failed, Message, Outcome, SendRefused, Withdrawing
from alerts.delivery.delivery import (
    LIMITS,
    STILL_LIMITED,
    TIMEOUT,
    Due,
    DueState,
    Lapse,
    NextTry,
    Nights,
    Routes,
    TryVerdict,
    around,
    event_of,
    is_long,
    is_too_late,
    is_vain,
    lapse,
    next_step,
    opens_ms,
    over_cap,
    resume,
    shut,
)
from alerts.model import Event, Owed
from alerts.notify.stages import QUIET
from telemetry.reading import Millis

_log = structlog.get_logger(__name__)

_IDLE_S: Final = 0.5
"""Real seconds after which it looks again by itself; what is new wakes it, this is for retries."""


_UNCAPPED: Final = Caps()


class PortUnavailable(Exception):  # noqa: N818 -- a state of the world, not an error of ours
    """The journal cannot answer or cannot make it durable now. Nothing may be sent; asking later is right."""


class Clearance(StrEnum):
    """Whether a try may begin: what was owed a moment ago may have been acknowledged since."""

    GRANTED = "granted"
    NO_LONGER_OWED = "no_longer_owed"
    ADDRESSED_ANEW = "addressed_anew"
    """Its person has another number by now: the row has it, and is to be looked at again."""


class Port(Protocol):
    """The courier's side of the journal. Each method raises ``PortUnavailable`` when the journal is in trouble."""

    def due(self, now_ms: Millis) -> Due | None:
        """The most urgent notification whose time has come: the highest severity, then the lowest id.

        One that is found ``sending`` is due at once, whatever its time; one that is ``accepted``, when its receipt is.
        """

    def started(self, notification_id: int, at_ms: Millis) -> Clearance:
        """A try begins; returns only when that is durable. Nothing was written if it is no longer owed."""

    def ended(
        self, notification_id: int, at_ms: Millis, via: str, outcome: Outcome, step: NextTry, event: Event | None
    ) -> None:
        """A try by a channel ended so, in one transaction with the event, if any; returns only when that is durable."""

    def lapsed(self, notification_id: int, at_ms: Millis, lapse: Lapse) -> None:
        """Its receipt did not come, or was a bad one; returns only when what follows from that is durable."""


class Courier:
    """The loop around one notification: ``start`` runs it, ``wake`` hurries it, ``stop`` ends it."""

    def __init__(
        self,
        port: Port,
        channels: Mapping[str, Channel],
        now_ms: Callable[[], Millis],
        routes: Routes | None = None,
        caps: Mapping[str, Caps] = MappingProxyType({}),
        turned: Callable[[], None] = lambda: None,
        nights: Nights | None = None,
    ) -> None:
        """``channels`` are tried in their order where no ``routes`` say otherwise; ``turned`` hears of every look.

        Without ``nights`` nobody sleeps.
        """
        self._port = port
        self._channels = channels
        self._now_ms = now_ms
        self._routes = routes or Routes(tuple(channels))
        self._caps = caps
        self._turned = turned
        self._nights = nights
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
            case DueState.OWED:
                self._try(due, now_ms)
            case DueState.SENDING:
                self._reconcile(due, now_ms)
            case DueState.ACCEPTED:
                self._lapse(due, now_ms)
        return True

    def _try(self, due: Due, now_ms: Millis) -> None:
        if self._port.started(due.notification_id, now_ms) is Clearance.GRANTED:
            begun = replace(due, attempts=due.attempts + 1)
            route = around(self._routes.of(due), due.via)
            found = self._find(begun, due.unsure)
            if not found and self._wake_ms(due, now_ms):
                self._sleep(begun, route, now_ms)
                return
            via, outcome = (due.unsure, found) if found else self._send(begun, route, now_ms)
            ended_ms = self._now_ms()
            again_ms = opens_ms(begun, via, outcome, route, ended_ms)
            step = next_step(outcome, begun.attempts, begun.owed.severity, ended_ms, route or ("",), again_ms)
            if again_ms and is_too_late(begun, again_ms):
                step = NextTry(TryVerdict.GIVEN_UP)
            self._conclude(begun, via, outcome, step, ended_ms)

    def _wake_ms(self, due: Due, at_ms: Millis) -> Millis:
        """When it may leave instead of at an instant of the night; 0 if it may then."""
        return 0 if self._nights is None else self._nights.wake_ms(due, at_ms)

    def _sleep(self, begun: Due, route: tuple[str, ...], now_ms: Millis) -> None:
        """No channel is asked; one that may have taken it before is still asked in the morning whether it has."""
        via, outcome = (begun.unsure, Failed(TIMEOUT)) if begun.unsure else (next(iter(route), ""), Failed(QUIET))
        self._conclude(begun, via, outcome, NextTry(TryVerdict.AGAIN, now_ms, via), now_ms)

    def _reconcile(self, due: Due, now_ms: Millis) -> None:
        """A try that nobody saw end: the provider is asked; what it never got is sent again (alerting.md §4)."""
        via = next(iter(around(self._routes.of(due), due.via)), "")
        found = self._find(due, due.unsure) or self._find(due, via)
        _log.warning("reconciled", key=due.owed.key, found=found is not None)
        if found is None:
            step = resume(due.attempts, due.owed.severity, now_ms, via)
            self._conclude(due, via, Failed("unconfirmed"), step, now_ms)
        else:
            step = next_step(found, due.attempts, due.owed.severity, now_ms)
            self._conclude(due, via, found, step, now_ms)

    def _lapse(self, due: Due, now_ms: Millis) -> None:
        """Another way is gone only once this one is taken back where it can be: then nobody is told twice."""
        decided = lapse(due, self._routes.of(due), now_ms)
        withdrawn = bool(decided.via) and _withdrawn(self._channels.get(due.via), due.owed.key)
        reason = due.reason or "no_receipt"
        _log.warning("lapsed", key=due.owed.key, via=due.via, reason=reason, onward=decided.via, withdrawn=withdrawn)
        self._port.lapsed(due.notification_id, now_ms, decided)

    def _send(self, due: Due, route: tuple[str, ...], now_ms: Millis) -> tuple[str, Outcome]:
        via = next(iter(route), "")
        channel = self._channels.get(via)
        if channel is None:
            return via, Failed("no_channel")
        capped = over_cap(self._caps.get(via, _UNCAPPED), due, via, now_ms) or shut(due, via, now_ms)
        if capped is not None:
            return via, capped
        try:
            return via, channel.send(message_of(due.owed))
        except Exception:  # noqa: BLE001 -- the one barrier around a channel's own mistakes: others must still be told
            _log.exception("channel_failed_by_our_mistake", channel=via, key=due.owed.key)
            return via, Failed("bug")

    def _find(self, due: Due, via: str) -> Accepted | None:
        channel = self._channels.get(via)
        return None if channel is None else channel.find(message_of(due.owed))

    def _conclude(self, due: Due, via: str, outcome: Outcome, step: NextTry, now_ms: Millis) -> None:
        event = None
        wake_ms = self._wake_ms(due, step.next_attempt_ms or now_ms) if step.verdict is TryVerdict.AGAIN else 0
        if wake_ms:
            step = replace(step, next_attempt_ms=wake_ms)
        match outcome:
            case Accepted(reference, delivered):
                _log.info("sent", key=due.owed.key, via=via, reference=reference, delivered=delivered)
            case SendRefused(reason) | Failed(reason):
                _log.warning("not_sent", key=due.owed.key, via=via, reason=reason, verdict=str(step.verdict))
                if step.verdict is TryVerdict.GIVEN_UP:
                    event = event_of("undelivered", due, reason, now_ms, attempts=due.attempts)
                elif wake_ms:
                    event = event_of("held", due, QUIET, now_ms, until_ms=wake_ms)
                elif step.next_attempt_ms and _is_kept_long(due, reason, step.next_attempt_ms - now_ms):
                    event = event_of("limited", due, reason, now_ms, until_ms=step.next_attempt_ms)
                elif step.next_attempt_ms and is_vain(due, reason, self._routes.of(due)):
                    until_ms, attempts = step.next_attempt_ms, due.attempts
                    event = event_of("delayed", due, reason, now_ms, until_ms=until_ms, attempts=attempts)
        self._port.ended(due.notification_id, now_ms, via, outcome, step, event)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            self._turned()
            try:
                worked = self.run_once(self._now_ms())
            except PortUnavailable as trouble:
                _log.warning("journal_unavailable", reason=str(trouble))
                worked = False
            if not worked:
                self._woken.wait(_IDLE_S)


def _is_kept_long(due: Due, reason: str, wait_ms: Millis) -> bool:
    return (reason in LIMITS or reason == STILL_LIMITED) and is_long(due, wait_ms)


def _withdrawn(channel: object, key: str) -> bool:
    return isinstance(channel, Withdrawing) and channel.withdraw(key)


def message_of(owed: Owed) -> Message:
    """What a channel is given."""
    return Message(
        key=owed.key,
        episode=owed.episode,
        to=owed.to,
        phone=owed.phone,
        text=owed.text,
        at=iso(owed.at_ms),
        severity=owed.severity,
        template=owed.template,
        variables=owed.variables,
    )
