"""A broker of our own on a loopback port, for the demo and the tests: mosquitto where it is installed, else amqtt.

Neither is ever what a county runs on; ``config/`` has the broker's configuration for that. Nothing here reads MQTT.
"""

import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gateway.broker_fault import BrokerFault

SWITCH: Final = "CUNJING_MOSQUITTO"
_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin")
USERNAME: Final = "cunjing"
EMBEDDED_MARK: Final = "only-for-a-demo-"
"""How the password of an embedded broker begins, so that a production gateway can refuse it."""


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
    port = port or free_port()
    mosquitto = find_mosquitto()
    if mosquitto:
        from gateway.broker_mosquitto import running  # noqa: PLC0415 only the broker that is used is imported

        with running(mosquitto, folder, port, USERNAME, _password(folder)) as version:
            yield _embedded(version, folder, port, "auto")
        return
    try:
        from gateway.broker_amqtt import serving  # noqa: PLC0415 amqtt is an extra
    except ImportError:
        remedy = "install the Debian package mosquitto, or cunjing[demo]"
        raise BrokerFault(f"neither mosquitto nor amqtt is there to be the embedded broker; {remedy}") from None
    with serving(port, USERNAME, _password(folder)) as version:
        yield _embedded(version, folder, port, "3.1.1")


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _embedded(name: str, folder: Path, port: int, protocol: Literal["auto", "3.1.1"]) -> Embedded:
    return Embedded(name, f"mqtt://127.0.0.1:{port}", port, USERNAME, _password_file(folder), protocol)


def _password_file(folder: Path) -> Path:
    return folder / "broker.password"


def _password(folder: Path) -> str:
    kept = _password_file(folder)
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(f"{EMBEDDED_MARK}{secrets.token_urlsafe(24)}\n", "ascii")
    return kept.read_text("ascii").strip()
