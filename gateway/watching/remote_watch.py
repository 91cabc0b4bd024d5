"""The watcher elsewhere: it hears heartbeats, asks a gateway whether it is ready, and says when neither comes.

All the I/O of ``cunjing watch``; when silence is an alarm is ``absence``, how it is said ``herald``.
"""

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

from gateway.clock import Clock
from gateway.logs import logger
from gateway.settings import Endpoint, SettingsFault
from gateway.watching import absence, notebook
from gateway.watching.absence import Absence, Patience, Word
from gateway.watching.herald import Herald
from gateway.watching.notebook import Kept

_log = logger(__name__)

PATH: Final = "/beat"
_MOST_BYTES: Final = 4_096
_WITHIN_S: Final = 5.0
_LOOK_S: Final = 1.0


class Outpost:
    """``beat`` is called from any thread at a sign of life, ``look`` by one thread again and again."""

    def __init__(
        self,
        patience: Patience,
        herald: Herald,
        clock: Clock,
        monotonic: Callable[[], float],
        kept_in: Path | None = None,
    ) -> None:
        """``kept_in`` is the file that remembers an outage over a restart."""
        self._patience = patience
        self._herald = herald
        self._clock = clock
        self._monotonic = monotonic
        self._kept_in = kept_in
        self._kept = notebook.read(kept_in)
        self._absence = self._recalled(self._kept)
        self._seen_s = self._absence.seen_s

    def beat(self) -> None:
        """A sign of life, now."""
        self._seen_s = self._monotonic()

    def look(self) -> Word | None:
        """What silence and signs of life come to by now; it is said at once, or tried again later."""
        now_s, seen_s = self._monotonic(), self._seen_s
        if seen_s > self._absence.seen_s:
            self._absence, word = absence.heard(self._absence, seen_s)
        else:
            self._absence, word = absence.waited(self._absence, now_s, self._patience)
        if word is not None:
            _log.warning("watch", word=word.value, silent_s=round(now_s - self._absence.seen_s))
            self._herald.announce(word, now_s)
        self._herald.speak(now_s, self._clock.now_ms(), now_s - self._absence.seen_s)
        self._keep(now_s)
        return word

    def _recalled(self, kept: Kept) -> Absence:
        """An outage that stood when we ended stands on; who had not heard of it hears of it now."""
        now_s, now_ms = self._monotonic(), self._clock.now_ms()
        if not kept.said:
            return Absence(now_s)
        self._herald.recall(kept.told, now_s)
        seen_s, said_s = (now_s - max(0, now_ms - at_ms) / 1_000 for at_ms in (kept.seen_ms, kept.said_ms))
        return Absence(seen_s, kept.said, said_s)

    def _keep(self, now_s: float) -> None:
        """Written only when something was said, or has ended."""
        absence, told = self._absence, self._herald.told
        if (absence.said, told) == (self._kept.said, self._kept.told):
            return
        now_ms = self._clock.now_ms()
        said_ms, seen_ms = (now_ms - round((now_s - at_s) * 1_000) for at_s in (absence.said_s, absence.seen_s))
        self._kept = Kept(absence.said, said_ms, seen_ms, told) if absence.said else Kept(told=told)
        notebook.write(self._kept_in, self._kept)

    def run(self, stop: threading.Event) -> None:
        """Looks each second until it is told to stop."""
        while not stop.wait(_LOOK_S):
            self.look()


class _Server(HTTPServer):
    """One connection at a time: whoever holds the door shut makes an alarm, and never a false sign of life."""

    def __init__(self, address: Endpoint, token: str, beat: Callable[[], None]) -> None:
        super().__init__(address, _Door)
        self.token = token.encode()
        self.beat = beat


class _Door(BaseHTTPRequestHandler):
    """One path, one token; whatever else knocks is refused and is no sign of life."""

    timeout = _WITHIN_S
    server_version = "cunjing"
    sys_version = ""
    server: _Server

    def do_POST(self) -> None:
        """A heartbeat."""
        self._knock()

    def do_GET(self) -> None:
        """The same from who cannot post."""
        self._knock()

    def log_message(self, *_: object) -> None:
        """What comes is told by what is done about it."""

    def _knock(self) -> None:
        status = self._judged()
        if status is HTTPStatus.NO_CONTENT:
            self.server.beat()
        else:
            _log.warning("refused", status=int(status), origin=self.client_address[0])
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _judged(self) -> HTTPStatus:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        length = self.headers.get("Content-Length", "0")
        if self.path != PATH:
            return HTTPStatus.NOT_FOUND
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.server.token):
            return HTTPStatus.UNAUTHORIZED
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self.rfile.read(int(length))
        return HTTPStatus.NO_CONTENT


@contextmanager
def listening(address: Endpoint, token: str, beat: Callable[[], None]) -> Iterator[int]:
    """Hears heartbeats while the context lasts; its port. ``SettingsFault`` when it cannot listen there."""
    try:
        server = _Server(address, token, beat)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        remedy = "stop what uses it, or set another [listen] address"
        raise SettingsFault([f"nothing can listen on {address.host}:{address.port}: {why}; {remedy}"]) from None
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="listener", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_WITHIN_S)


@contextmanager
def polling(ready: Callable[[], bool], every_s: float, beat: Callable[[], None]) -> Iterator[None]:
    """Asks a gateway every so often whether it is ready; that it is, is a sign of life."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            if ready():
                beat()
            stop.wait(every_s)

    thread = threading.Thread(target=ask, name="poller", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_WITHIN_S)
