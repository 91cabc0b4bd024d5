"""The HTTP server on a thread of its own.

Its socket is bound before anything else starts, so that a taken port is told first. No route is defined here.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final, cast

import uvicorn
from fastapi import FastAPI

from gateway.desk.connections import BoundedConnection, Connections, Limits
from gateway.settings import Endpoint, SettingsFault

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
        why = (error.strerror or str(error)).lower()
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
