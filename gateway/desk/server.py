"""The HTTP server on a thread of its own.

Its socket is bound before anything else starts, so that a taken port is told first. No route is defined here.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from gateway.settings_faults import SettingsFault
from gateway.settings_fields import Endpoint

_STOPPED_WITHIN_S: Final = 5.0


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
def serving(app: FastAPI, bound: socket.socket) -> Iterator[None]:
    """Serves ``app`` on ``bound`` while the context lasts, then closes both."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run(server, bound), name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOPPED_WITHIN_S)
        bound.close()


def _run(server: uvicorn.Server, bound: socket.socket) -> Callable[[], None]:
    def run() -> None:
        server.run([bound])

    return run
