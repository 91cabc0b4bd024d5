"""mosquitto as a child process on a loopback port, configured for what we ask of a broker.

The settings are those of traps B1, B2 and 9: queues sized by bytes, a wide window, an explicit listener, no anonymous
user. Nothing here is for production.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gateway.broker_fault import BrokerFault
from gateway.mosquitto_passwords import hashed

_STARTED_WITHIN_TRIES: Final = 250
_TRY_EVERY_S: Final = 0.02
_STOPPED_WITHIN_S: Final = 5.0

_CONFIGURATION: Final = """\
# Made by gateway/broker_mosquitto.py at every start.
listener {port} 127.0.0.1
allow_anonymous false
password_file {passwords}
max_packet_size 131072
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 536870912
persistence true
persistence_location {folder}/
autosave_interval 30
log_dest stderr
log_type error
log_type warning
log_type notice
{as_root}"""


@contextmanager
def running(program: Path, folder: Path, port: int, username: str, password: str) -> Iterator[str]:
    """Runs it while the context lasts and yields what it calls itself; ``BrokerFault`` with its own last words."""
    configuration = folder.resolve() / "mosquitto.conf"
    passwords = folder.resolve() / "mosquitto.passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(f"{username}:{hashed(password)}\n", "ascii")
    as_root = "user root\n" if os.getuid() == 0 else ""  # else it would drop to a user who cannot read the folder
    configuration.write_text(
        _CONFIGURATION.format(port=port, passwords=passwords, folder=folder.resolve(), as_root=as_root), "utf-8"
    )
    if _taken(port):  # whoever listens there would be mistaken for it
        raise BrokerFault(_unstarted(port, "Error: Address already in use"))
    log = folder / "mosquitto.log"
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: S603 the program that the operator has installed
            [*dies_with_us(), program, "-c", configuration], stdin=subprocess.DEVNULL, stdout=written, stderr=written
        )
    try:
        if not _listening(process, port):
            words = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise BrokerFault(_unstarted(port, words[0]))
        yield _version(program)
    finally:
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def dies_with_us() -> list[str]:
    """Where the system has it, what lets the broker end when we are killed and cannot end it ourselves."""
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "TERM"]


def _unstarted(port: int, words: str) -> str:
    return f"mosquitto does not start on port {port}: {words}; choose another port with --port"


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _listening(process: subprocess.Popen[bytes], port: int) -> bool:
    for _ in range(_STARTED_WITHIN_TRIES):
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TRY_EVERY_S)
            return False
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    return False


def _version(program: Path) -> str:
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout  # noqa: S603 as above
    return said.partition("\n")[0] or "mosquitto"
