"""amqtt in a thread of this process, for machines without mosquitto: MQTT 3.1.1, one user, nothing kept on disk.

It deviates from the standard (trap 8), so everything behind it goes by topic and (boot, seq), never by the retain flag.
"""

import asyncio
import hmac
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from amqtt.broker import Broker
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

_STOPPED_WITHIN_S = 5.0


class OneUser(BaseAuthPlugin):  # type: ignore[misc] # amqtt has no types
    """Lets in whoever knows the one user's password; an anonymous session would get no offline queue."""

    @dataclass
    class Config:
        """Who may come in."""

        username: str
        password: str

    async def authenticate(self, *, session: Session) -> bool:
        """Whether CONNECT carried the user's name and password."""
        expected = f"{self.config.username}\0{self.config.password}"
        return hmac.compare_digest(f"{session.username}\0{session.password}".encode(), expected.encode())


@contextmanager
def serving(port: int, username: str, password: str) -> Iterator[str]:
    """Serves on 127.0.0.1 while the context lasts and yields what it is; ``OSError`` when the port is taken."""
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_ignore)
    thread = threading.Thread(target=loop.run_forever, name="amqtt", daemon=True)
    thread.start()
    try:
        broker = asyncio.run_coroutine_threadsafe(_started(port, username, password), loop).result()
        try:
            yield f"amqtt {version('amqtt')} in process"
        finally:
            asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(_STOPPED_WITHIN_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOPPED_WITHIN_S)
        loop.close()


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, object]) -> None:
    """Amqtt trips over its own feet when a refused client has already hung up; there is nobody to tell."""


async def _started(port: int, username: str, password: str) -> Broker:
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {f"{__name__}.OneUser": {"username": username, "password": password}},
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise OSError(str(error)) from None
    return broker
