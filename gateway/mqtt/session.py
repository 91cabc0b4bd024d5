"""Our session with the broker: when to dial, what to subscribe, which acknowledgements still mean something.

Dialling is on a thread of its own, since a name server or a dead host may hold it for seconds. A handful of phases,
each one step that answers the next. No paho here: a link is anything that speaks MQTT for us, and the tests give one
made of paper.
"""

import select
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from gateway.health import Part
from gateway.mqtt import broker_words as words
from gateway.mqtt.link import Batch, MqttLink, SessionPhase, SessionState, SubscriptionMemory, Version
from gateway.mqtt.readahead import Arrivals
from gateway.settings import Mqtt, SettingsFault
from telemetry.reading import Millis


class Dial:
    """One link being dialled; ``done`` is called from the thread when ``finished`` is true, unless it was abandoned."""

    def __init__(self, link: MqttLink, done: Callable[[], None]) -> None:
        self.link = link
        self.failure: OSError | ValueError | None = None
        self._done = done
        self._handing_over = threading.Lock()
        self._abandoned = self.finished = False
        threading.Thread(target=self._run, name="mqtt dial", daemon=True).start()

    def abandon(self) -> None:
        """Nobody wants it any more: it is closed now, or as soon as it stands."""
        with self._handing_over:
            self._abandoned = True
            if self.finished:
                self.link.close()

    def _run(self) -> None:
        try:
            self.link.dial()
        except (OSError, ValueError) as failure:  # ValueError: a host name that no resolver takes
            self.failure = failure
        with self._handing_over:
            self.finished = True
            if self._abandoned:
                self.link.close()
                return
        self._done()


GREETED_WITHIN_S: Final = 5.0
KEEPALIVE_S: Final = 60
"""What we name in CONNECT: how long either side may be silent."""
_LOOK_EVERY_S: Final = 1.0
_REFUSED: Final = 0x80
_THROWN_OUT: Final = 3
"""So often in a row a connection that hardly stood may end without a word before that is a pattern."""


class Session:
    """wait → commit → ack, all on the thread of the first call; only ``state`` may be read from others."""

    def __init__(
        self,
        settings: Mqtt,
        memory: SubscriptionMemory,
        *,
        open_link: Callable[[Version], MqttLink],
        now_ms: Callable[[], Millis],
        monotonic: Callable[[], float],
        draw: Callable[[float, float], float],
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self._keepalive_s = self._named_s = keepalive_s
        self._settings = settings
        self._memory = memory
        self._open_link = open_link
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._draw = draw
        self._filters = tuple(dict.fromkeys(settings.topics))
        self._version = Version.THREE if settings.protocol == "3.1.1" else Version.FIVE
        self._phase = SessionPhase.RESTING
        self._part = Part(ready=False, state=f"not connected to {settings.url} yet")
        self._dial: Dial | None = None
        self._link: MqttLink | None = None
        self._generation = self._sessions_lost = self._failures = 0
        self._session_present: bool | None = None
        self._thrown_out = self._in_a_row = 0
        self._act_at_s = self._ping_at_s = self._live_at_s = monotonic()
        self._thrown_out_part: Part | None = None
        self._answered, self._has_looked = True, False
        self._told: object = None
        self._dialled, self._woken = socket.socketpair()
        self._dialled.setblocking(False)  # noqa: FBT003 socket's own signature
        self._woken.setblocking(False)  # noqa: FBT003 socket's own signature
        self._steps: dict[SessionPhase, Callable[[], SessionPhase]] = {
            SessionPhase.RESTING: self._rest,
            SessionPhase.DIALLING: self._dialling,
            SessionPhase.GREETING: self._greet,
            SessionPhase.SUBSCRIBING: self._subscribe,
            SessionPhase.LIVE: self._live,
            SessionPhase.STOPPED: lambda: SessionPhase.STOPPED,
        }
        self.state = self._snapshot()

    def wait(self, timeout_s: float, extra_fds: Sequence[int] = ()) -> Batch:
        """What is there, at most ``MAX_MESSAGES`` or ``MAX_BYTES``; waits for it, for an extra fd, or for the time-out.

        Connects, pings and subscribes meanwhile. The batch is empty when something else woke it. When this raises, the
        connection is given up: what was read of it and not handed over, the broker sends again on the next.
        """
        whole = False
        try:
            batch = self._take(timeout_s, extra_fds)
            whole = True
        finally:
            if not whole:
                self._phase = self._fall_back(words.lost(self._settings.url, "what came could not be read"))
        return batch

    def _take(self, timeout_s: float, extra_fds: Sequence[int]) -> Batch:
        self._has_looked = False
        self._advance()
        arrivals = Arrivals()
        link = self._link
        fd = link.fileno() if link else None
        ready = self._poll(timeout_s, extra_fds, fd)
        if link and fd is not None:
            if ready.get(fd, 0) & select.POLLOUT:
                link.write()
            if link.left or ready.get(fd, 0) & ~select.POLLOUT:
                arrivals.received_ms = self._now_ms()
                link.read(arrivals)
                self._answered = True
        self._has_looked = True
        generation = self._generation
        self._advance()
        return Batch(arrivals.uplinks, arrivals.mids, generation)

    def ack(self, batch: Batch) -> int:
        """Acknowledges the whole batch in one write; answers how many, none if its connection is gone."""
        if self._link is None or batch.generation != self._generation or self._link.fileno() is None:
            return 0
        mids = batch.mids if 0 not in batch.mids else [mid for mid in batch.mids if mid]
        if mids:
            self._link.acknowledge(mids)
        return len(mids)

    def stop(self) -> None:
        """DISCONNECT; the broker keeps the session and queues. Nothing may be called after it."""
        if self._dial:
            self._dial.abandon()
        if self._link:
            self._link.close()
        self._dial = self._link = None
        self._phase, self._part = SessionPhase.STOPPED, Part(ready=False, state="stopped")
        self.state = self._snapshot()
        self._dialled.close()
        self._woken.close()

    def _poll(self, timeout_s: float, extra_fds: Sequence[int], fd: int | None) -> dict[int, int]:
        watch = select.poll()
        for extra in (*extra_fds, self._woken.fileno()):
            watch.register(extra, select.POLLIN)
        if self._link and fd is not None:
            watch.register(fd, select.POLLIN | (select.POLLOUT if self._link.wants_write else 0))
            timeout_s = 0.0 if self._link.left else min(timeout_s, _LOOK_EVERY_S, self._keepalive_s / 8)
        elif self._phase is SessionPhase.RESTING:
            timeout_s = min(timeout_s, max(0.0, self._act_at_s - self._monotonic()))
        ready = dict(watch.poll(timeout_s * 1_000))
        if ready.pop(self._woken.fileno(), None):
            self._woken.recv(64)
        return ready

    def _advance(self) -> None:
        before = None
        while self._phase is not before:
            before = self._phase
            self._phase = self._steps[before]()
        if self._phase is not self.state.phase or self._part is not self.state.part:
            self.state = self._snapshot()

    def _snapshot(self) -> SessionState:
        return SessionState(
            phase=self._phase,
            part=self._part,
            generation=self._generation,
            version=self._version,
            session_present=self._session_present,
            sessions_lost=self._sessions_lost,
            reconnects=max(0, self._generation - 1),
            thrown_out=self._thrown_out,
        )

    def _rest(self) -> SessionPhase:
        if self._monotonic() < self._act_at_s:
            return SessionPhase.RESTING
        try:
            link = self._open_link(self._version)
        except SettingsFault as fault:
            return self._fall_back(
                Part(ready=False, state=str(fault), remedy="mend it; the gateway looks again by itself")
            )
        self._dial = Dial(link, self._wake)
        return SessionPhase.DIALLING

    def _wake(self) -> None:
        with suppress(OSError):  # stopped in the same instant
            self._dialled.send(b"\0")

    def _dialling(self) -> SessionPhase:
        dial = self._dial
        if dial is None or not dial.finished:
            return SessionPhase.DIALLING
        self._dial = None
        if dial.failure:
            self._in_a_row = 0  # nobody who takes a session over bars the door
            return self._fall_back(words.undialled(self._settings.url, dial.failure))
        self._link = dial.link
        self._generation += 1
        self._act_at_s = self._monotonic() + GREETED_WITHIN_S
        return SessionPhase.GREETING

    def _greet(self) -> SessionPhase:
        link = self._link
        if link is None or (greeting := link.greeting) is None:
            return self._unanswered(SessionPhase.GREETING)
        if greeting.code >= _REFUSED:
            if greeting.code == words.UNSUPPORTED_PROTOCOL and self._other_version():
                self._failures = 0
            return self._fall_back(
                words.refused(self._settings.url, self._settings.username, greeting.code, greeting.name)
            )
        self._session_present = greeting.session_present
        self._keepalive_s = greeting.keepalive_s or self._named_s
        remembered = self._memory.remembered_filters()
        link.ask_version()
        if greeting.session_present and remembered == frozenset(self._filters):
            return self._go_live()
        if not greeting.session_present and remembered:
            self._sessions_lost += 1
        if greeting.session_present and (unwanted := sorted(remembered - frozenset(self._filters))):
            link.unsubscribe(unwanted)
        link.subscribe(self._filters)
        return SessionPhase.SUBSCRIBING

    def _subscribe(self) -> SessionPhase:
        link = self._link
        if link is None or link.granted is None:
            return self._unanswered(SessionPhase.SUBSCRIBING)
        if not any(code >= _REFUSED for code in link.granted):
            self._memory.remember_filters(frozenset(self._filters))
        return self._go_live()

    def _go_live(self) -> SessionPhase:
        self._live_at_s = self._monotonic()
        self._ping_at_s, self._answered = self._live_at_s + self._keepalive_s / 2, True
        return SessionPhase.LIVE

    def _live(self) -> SessionPhase:
        link = self._link
        if link is None or link.fileno() is None:
            return self._fall_back(self._thrown(link))
        if self._is_silent(link):
            return self._fall_back(words.silent(self._settings.url, self._keepalive_s))
        self._failures = 0
        if self._monotonic() - self._live_at_s >= words.STEADY_S:
            self._in_a_row, self._thrown_out_part = 0, None
        if self._told != (said := (self._generation, link.granted, link.broker_version, self._thrown_out_part)):
            self._told, self._part = said, self._standing(link)
        return SessionPhase.LIVE

    def _is_silent(self, link: MqttLink) -> bool:
        """Pings twice a keepalive; whether nothing at all came since the last ping, half a keepalive ago.

        It is judged when what had come by now has been read: a turn that was long on our side is not held against the
        broker. paho alone would find out after two keepalives.
        """
        now_s = self._monotonic()
        if now_s < self._ping_at_s or not self._has_looked:
            return False
        if not self._answered:
            return True
        link.ping()
        self._ping_at_s, self._answered = now_s + self._keepalive_s / 2, False
        return False

    def _thrown(self, link: MqttLink | None) -> Part:
        """Why a connection that stood is gone. Who is thrown out all the time has somebody else under its client id."""
        url, why = self._settings.url, link.closed if link and link.closed else "it was closed"
        code = None if link is None else link.closed_code
        hardly_stood = self._monotonic() - self._live_at_s < words.STEADY_S
        self._in_a_row = self._in_a_row + 1 if hardly_stood else 1
        without_a_word = code is None and hardly_stood and self._in_a_row >= _THROWN_OUT
        if code == words.TAKEN_OVER or without_a_word:
            self._thrown_out += 1
            self._thrown_out_part = words.taken_over(url, self._settings.client_id, said=not without_a_word)
            return self._thrown_out_part
        return (words.ended(url, code) if code is not None else None) or words.lost(url, why)

    def _standing(self, link: MqttLink) -> Part:
        url, user = self._settings.url, self._settings.username
        if refused := [name for name, code in zip(self._filters, link.granted or ()) if code >= _REFUSED]:  # noqa: B905 nothing was asked of a resumed session
            return words.unsubscribed(url, user, tuple(refused))
        if self._thrown_out_part is not None:
            return self._thrown_out_part  # until this connection has stood for a while
        return words.subscribed(url, self._version.value, link.broker_version, self._sessions_lost, self._thrown_out)

    def _unanswered(self, phase: SessionPhase) -> SessionPhase:
        """CONNACK or SUBACK is still to come; a link that closed or stayed silent instead is given up."""
        stands = self._link is not None and self._link.fileno() is not None
        if stands and self._monotonic() < self._act_at_s:
            return phase
        if phase is SessionPhase.GREETING and self._session_present is None:
            self._other_version()  # some brokers meet a version that they do not know with silence
        why = "it does not answer" if stands else "it closed the connection before it answered"
        return self._fall_back(words.unreachable(self._settings.url, why))

    def _other_version(self) -> bool:
        if self._settings.protocol != "auto":
            return False
        self._version = Version.THREE if self._version is Version.FIVE else Version.FIVE
        return True

    def _fall_back(self, part: Part) -> SessionPhase:
        """Lets go of the link and rests for a drawn while (full jitter, bounded), longer if it is thrown out."""
        if self._link:
            self._link.close()
        self._link, self._part = None, part
        patience = self._failures if self._thrown_out_part is None else max(self._failures, self._in_a_row)
        self._act_at_s = self._monotonic() + self._draw(0.0, words.longest_wait_s(patience))
        self._failures += 1
        return SessionPhase.RESTING
