"""The HTTP server on a thread of its own, and how many connections it holds: in all, from one address, silent ones.

Its socket is bound before anything else starts, so that a taken port is told first. A newcomer is let in at the cost of
whoever has waited longest without a whole request: a stranger who opens a thousand and says nothing shuts out nobody
but himself (law L10). No route is defined here; what is asked, and by whom, is not looked at.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final, NamedTuple, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from gateway.desk.addresses import lies_in, neighbourhood, plain
from gateway.settings import Endpoint, SettingsFault, tell_why

MOST: Final = 256
MOST_EACH: Final = 128
"""From one address: an office behind one router, or one stranger."""
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\n\r\ntoo many connections"
)


class Limits(NamedTuple):
    """Connections in all and from one address; seconds until a silent one is closed, by what is waited for."""

    most: int = MOST
    most_each: int = MOST_EACH
    header_s: float = 10.0
    """From the first byte, or the end of what was answered before, until the head of a request is whole."""
    still_s: float = 20.0
    """A body that stands still."""
    unread_s: float = 5.0
    """What is still sent after the answer is read for so long, or the sender would never see the answer."""
    unheard_s: float = 60.0
    """A browser that does not take what it asked for."""


class ConnectionPhase(Enum):
    """What a connection waits for."""

    HEADER = "header"
    BODY = "body"
    REST = "rest"
    ANSWER = "answer"


class Connections:
    """Every connection that is open, in the order in which they came."""

    def __init__(self, limits: Limits, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self.limits = limits
        self._proxies = proxies
        self._open: dict[BoundedConnection, str] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, new: "BoundedConnection", address: str) -> bool:
        """Whether there is room for one more; whoever waits longest may have had to go for it."""
        home = "" if lies_in(self._proxies, address) else neighbourhood(address)
        of_home = [each for each, known in self._open.items() if home and known == home]
        if len(of_home) >= self.limits.most_each and not self._end_one_of(of_home):
            return False
        if len(self._open) >= self.limits.most and not self._end_one_of(list(self._open)):
            return False
        self._open[new] = home
        return True

    def forget(self, gone: "BoundedConnection") -> None:
        """It is closed."""
        self._open.pop(gone, None)

    def _end_one_of(self, among: "Sequence[BoundedConnection]") -> bool:
        waiting = next((each for each in among if each.phase is not ConnectionPhase.ANSWER), None)
        if waiting is None:
            return False
        self.forget(waiting)
        waiting.end()
        return True


class BoundedConnection(H11Protocol):
    """One connection of the server, ended when nothing comes of it; made by uvicorn, which speaks HTTP for it."""

    def __init__(self, among: Connections, **given: Any) -> None:  # noqa: ANN401 -- what uvicorn gives
        super().__init__(**given)
        self.phase = ConnectionPhase.HEADER
        self._among = among
        self._ends: asyncio.TimerHandle | None = None
        self._unheard: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Somebody has come."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (plain(self.client[0]), self.client[1])
        if not self._among.admit(self, "" if self.client is None else self.client[0]):
            transport.write(_FULL)
            transport.close()
            return
        self._wait_for(ConnectionPhase.HEADER)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look(again=self.phase is ConnectionPhase.BODY)

    def on_response_complete(self) -> None:
        """It is answered."""
        super().on_response_complete()
        self._look(again=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whomever."""
        self._among.forget(self)
        for timer in (self._ends, self._unheard):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The browser takes nothing for the moment."""
        super().pause_writing()
        self._unheard = self.loop.call_later(self._among.limits.unheard_s, self.end)

    def resume_writing(self) -> None:
        """It takes again."""
        super().resume_writing()
        if self._unheard is not None:
            self._unheard.cancel()
            self._unheard = None

    def end(self) -> None:
        """Nothing comes of it."""
        self.transport.abort()

    def _look(self, *, again: bool) -> None:
        phase = self._present_phase()
        if again or phase is not self.phase:
            self._wait_for(phase)

    def _present_phase(self) -> ConnectionPhase:
        request = cast("RequestResponseCycle | None", self.cycle)  # there is none before the first
        if request is None:
            return ConnectionPhase.HEADER
        if request.response_complete:
            return ConnectionPhase.REST if request.more_body else ConnectionPhase.HEADER
        return ConnectionPhase.BODY if request.more_body else ConnectionPhase.ANSWER

    def _wait_for(self, phase: ConnectionPhase) -> None:
        self.phase = phase
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        limits = self._among.limits
        waits_s = {
            ConnectionPhase.HEADER: limits.header_s,
            ConnectionPhase.BODY: limits.still_s,
            ConnectionPhase.REST: limits.unread_s,
        }.get(phase)
        if waits_s is not None and not self.transport.is_closing():
            self._ends = self.loop.call_later(waits_s, self.end)


_STOPPED_WITHIN_S: Final = 5.0
_AT_ONCE: Final = 64
"""So many newcomers are accepted before the first of them is counted: they too need descriptors."""
_AT_THE_DOOR: Final = 1_024
"""So many may knock at the same moment: beyond it the kernel lets them wait a second and more."""
_LARGEST_HEAD: Final = 16_384


def bind(listen: Endpoint) -> socket.socket:
    """A listening socket; ``SettingsFault`` in one sentence when the port is taken or may not be used."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(listen)
        bound.listen(128)
    except OSError as error:
        bound.close()
        why = tell_why(error)
        remedy = "stop what uses it, or set another port as [desk] listen"
        raise SettingsFault([f"the desk cannot listen on {listen.host}:{listen.port}: {why}; {remedy}"]) from None
    return bound


@contextmanager
def serving(
    app: FastAPI,
    bound: socket.socket,
    limits: Limits | None = None,
    proxies: Sequence[IPv4Network | IPv6Network] = (),
) -> Iterator[None]:
    """Serves ``app`` on ``bound`` while the context lasts, then closes both.

    What ``proxies`` say of who asks and how is believed; nobody else's word is, wherever they are.
    """
    among = Connections(limits or Limits(), proxies)
    config = uvicorn.Config(
        app,
        http=cast("Any", partial(BoundedConnection, among)),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        backlog=_AT_ONCE,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[str(network) for network in proxies],
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    thread = threading.Thread(target=_run(server, bound), name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOPPED_WITHIN_S)
        bound.close()


class _Server(uvicorn.Server):
    """As uvicorn has it, but that more may wait at the kernel's door than are let in at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_AT_THE_DOOR)


def _run(server: uvicorn.Server, bound: socket.socket) -> Callable[[], None]:
    def run() -> None:
        server.run([bound])

    return run
