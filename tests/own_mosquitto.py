"""A real mosquitto on a free loopback port that does what a test tells it, line by line of its configuration.

The broker of the demo is ``gateway.embedded_broker``, the shipped files are tried in ``tests/compose``; here nothing is
set.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import NamedTuple

from gateway.embedded_broker import dies_with_us, find_mosquitto
from tests.servers import free_port

_STARTED_WITHIN_S = 240.0


class OwnMosquitto(NamedTuple):
    """One that listens."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where, without TLS."""
        return f"mqtt://127.0.0.1:{self.port}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still while the context lasts: its sockets stay open, and nobody answers on them."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def own_mosquitto(folder: Path, *lines: str) -> Iterator[OwnMosquitto]:
    """Runs while the context lasts; anybody may come in unless ``lines`` say otherwise."""
    program = find_mosquitto()
    assert program is not None
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    as_root = ("user root",) if os.geteuid() == 0 else ()
    told = (f"listener {port} 127.0.0.1", "allow_anonymous true", *as_root, *lines)
    (folder / "mosquitto.conf").write_text("\n".join(told) + "\n", "utf-8")
    with (folder / "mosquitto.log").open("wb") as log:
        command = [*dies_with_us(), str(program), "-c", str(folder / "mosquitto.conf")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        ends_s = monotonic() + _STARTED_WITHIN_S
        while process.poll() is None and not _listens(port):
            assert monotonic() < ends_s
            Event().wait(0.02)
        assert process.poll() is None, (folder / "mosquitto.log").read_text("utf-8", "replace")
        yield OwnMosquitto(port, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(120)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
