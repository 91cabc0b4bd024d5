"""A broker of our own on a loopback port, for the demo and the tests: mosquitto where it is installed, else amqtt.

Neither is ever what a county runs on; ``config/`` has the broker's configuration for that. mosquitto is a child process
with the settings of traps B1, B2 and 9: queues sized by bytes, a wide window, an explicit listener, no anonymous user.
Nothing here reads MQTT.
"""

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gateway.mosquitto_passwords import hashed

SWITCH: Final = "CUNJING_MOSQUITTO"
_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin")
USERNAME: Final = "cunjing"
EMBEDDED_MARK: Final = "only-for-a-demo-"
"""How the password of an embedded broker begins, so that a production gateway can refuse it."""

_STARTED_WITHIN_TRIES: Final = 250
_TRY_EVERY_S: Final = 0.02
_STOPPED_WITHIN_S: Final = 5.0

_CONFIGURATION: Final = """\
# Made by gateway/embedded_broker.py at every start.
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


class BrokerFault(Exception):  # noqa: N818 a fault of the surroundings, said in a sentence
    """Why the embedded broker does not run, in a sentence with its remedy."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running broker: where it is, the one user it knows, the file with the password, and what it speaks."""

    name: str
    url: str
    port: int
    username: str
    password_file: Path
    protocol: Literal["auto", "3.1.1"]

    @property
    def password(self) -> str:
        """The user's password."""
        return self.password_file.read_text("ascii").strip()


def find_mosquitto(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where mosquitto is: named or hidden (``none``) by CUNJING_MOSQUITTO, else on PATH or in the system's sbin."""
    named = environment.get(SWITCH, "")
    if named == "none":
        return None
    if named:
        if not Path(named).is_file():
            raise BrokerFault(f"{SWITCH} = {named!r}: there is no such program; name mosquitto's path, or none")
        return Path(named)
    folders = os.pathsep.join((environment.get("PATH", ""), *_SYSTEM_FOLDERS))
    found = shutil.which("mosquitto", path=folders)
    return Path(found) if found else None


@contextmanager
def embedded_broker(folder: Path, port: int = 0) -> Iterator[Embedded]:
    """Runs a broker on 127.0.0.1 while the context lasts; port 0 takes a free one.

    ``folder`` keeps its password, and mosquitto's sessions and queues, from one run to the next. ``BrokerFault``
    when none can be started.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    port, kept = port or free_port(), folder / "broker.password"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(f"{EMBEDDED_MARK}{secrets.token_urlsafe(24)}\n", "ascii")
    mosquitto, password = find_mosquitto(), kept.read_text("ascii").strip()
    with _mosquitto(mosquitto, folder, port, password) if mosquitto else _amqtt(port, password) as name:
        url = f"mqtt://127.0.0.1:{port}"
        yield Embedded(name, url, port, USERNAME, kept, "auto" if mosquitto else "3.1.1")


def dies_with_us() -> list[str]:
    """Where the system has it, what lets the broker end when we are killed and cannot end it ourselves."""
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "TERM"]


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _mosquitto(program: Path, folder: Path, port: int, password: str) -> Iterator[str]:
    """Runs mosquitto while the context lasts and yields its name for itself; ``BrokerFault`` with its last words."""
    configuration = folder.resolve() / "mosquitto.conf"
    passwords = folder.resolve() / "mosquitto.passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(f"{USERNAME}:{hashed(password)}\n", "ascii")
    as_root = "user root\n" if os.getuid() == 0 else ""  # else it would drop to a user who cannot read the folder
    configuration.write_text(
        _CONFIGURATION.format(port=port, passwords=passwords, folder=folder.resolve(), as_root=as_root), "utf-8"
    )
    if _taken(port):  # whoever listens there would be mistaken for it
        raise BrokerFault(_unstarted("mosquitto", port, "Error: Address already in use"))
    log = folder / "mosquitto.log"
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: S603 the program that the operator has installed
            [*dies_with_us(), program, "-c", configuration], stdin=subprocess.DEVNULL, stdout=written, stderr=written
        )
    try:
        if not _listening(process, port):
            words = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise BrokerFault(_unstarted("mosquitto", port, words[0]))
        yield _version(program)
    finally:
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


@contextmanager
def _amqtt(port: int, password: str) -> Iterator[str]:
    """Runs amqtt in a thread of this process while the context lasts; it keeps nothing for another run."""
    try:
        from gateway.broker_amqtt import serving  # noqa: PLC0415 amqtt is an extra
    except ImportError:
        remedy = "install the Debian package mosquitto, or cunjing[demo]"
        raise BrokerFault(f"neither mosquitto nor amqtt is there to be the embedded broker; {remedy}") from None
    with ExitStack() as stack:
        try:
            version = stack.enter_context(serving(port, USERNAME, password))
        except OSError as error:
            raise BrokerFault(_unstarted("amqtt", port, str(error))) from None
        yield version


def _unstarted(broker: str, port: int, words: str) -> str:
    return f"{broker} does not start on port {port}: {words}; choose another port with --port"
