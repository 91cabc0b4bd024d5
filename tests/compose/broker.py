"""The mounted configuration of the broker on a real mosquitto 2.0, laid out as in its container, on ports of its own.

The files are the shipped ones but for the two port numbers. What the broker must do is in the tests.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.embedded_broker import dies_with_us, find_mosquitto
from tests.compose.compose_file import ROOT, mounts
from tests.servers import free_port

WITHIN_S: Final = 240.0
PAUSE_S: Final = 0.02


class Broker:
    """One mosquitto on the folder of an installation."""

    def __init__(self, installation: Path, at: Path) -> None:
        self._at = at
        self.devices = free_port()
        self.house = free_port()
        for mount in mounts("mosquitto"):
            inside = at / Path(mount.target).relative_to("/mosquitto")
            if (ROOT / mount.source).exists() and mount.source.startswith("./config"):
                shutil.copytree(ROOT / mount.source, inside)
            else:
                inside.symlink_to(installation / mount.source)
        told = at / "config/mosquitto-2.0.conf"
        text = told.read_text("utf-8")
        for line, ours in (("listener 1883", self.devices), ("listener 1884 127.0.0.1", self.house)):
            assert text.count(f"\n{line}\n") == 1
            text = text.replace(f"\n{line}\n", f"\nlistener {ours} 127.0.0.1\n")
        told.write_text(text, "utf-8")
        if (
            os.geteuid() == 0
        ):  # else it drops to a user of its own who may not read the secrets; a container has no root
            (at / "config/shared/tests.conf").write_text("user root\n", "ascii")

    def admit(self, device: str, password: str) -> None:
        """Gives a device its password, as operations.md tells; it counts when the broker reads the file again."""
        program = shutil.which("mosquitto_passwd")
        assert program, "mosquitto_passwd comes with mosquitto"
        subprocess.run([program, "-b", self._at / "secrets/passwords", device, password], check=True)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """It listens while the context lasts, on the data that it had before."""
        program = find_mosquitto()
        assert program is not None
        command = [*dies_with_us(), str(program), "-c", "config/mosquitto-2.0.conf"]
        with (self._at / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self._at, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or all(map(_answers, (self.devices, self.house))))
            assert process.poll() is None, self.log()
            yield self
        finally:
            process.terminate()
            process.wait(120)

    def log(self) -> str:
        """What it said."""
        return (self._at / "log").read_text("utf-8", "replace")


class Guest:
    """A client: what it received, and how it was let in or put out."""

    def __init__(
        self, port: int, client_id: str, user: str | None, password: str = "", *, lasting: bool = False
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.let_in: bool | None = None
        self.session_present = False
        self.put_out = False
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5, reconnect_on_failure=False)
        if user is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own gap
        session.SessionExpiryInterval = 600 if lasting else 0
        session.ReceiveMaximum = 1_000
        self._client.connect("127.0.0.1", port, clean_start=not lasting, properties=session)
        until(lambda: self._turned() and self.let_in is not None)

    def hears(self, topic: str) -> Self:
        """Subscribes, and has the answer."""
        granted: list[object] = []
        self._client.on_subscribe = lambda *said: granted.append(said)
        self._client.subscribe(topic, qos=1)
        until(lambda: self._turned() and bool(granted))
        return self

    def says(self, topic: str, *payloads: bytes, retain: bool = False, qos: int = 1) -> Self:
        """Publishes, and has every acknowledgement or was put out."""
        sent = [self._client.publish(topic, payload, qos, retain=retain) for payload in payloads]
        until(lambda: self._turned() and (self.put_out or all(each.is_published() for each in sent)))
        return self

    def until_heard(self, count: int) -> list[tuple[str, bytes]]:
        """What came, as soon as it is so many."""
        until(lambda: self._turned() and len(self.heard) >= count)
        return self.heard

    def wait(self, seconds: float = 0.5) -> list[tuple[str, bytes]]:
        """What came after a while in which more could have come."""
        ends = monotonic() + seconds
        while monotonic() < ends:
            self._turned()
        return self.heard

    def leaves(self) -> None:
        """DISCONNECT; a lasting session stays."""
        self._client.disconnect()
        until(lambda: self._turned() and self._client.socket() is None)

    def _turned(self) -> bool:
        self._client.loop(PAUSE_S)
        return True

    def _connected(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self.let_in = not reason.is_failure
        self.session_present = flags.session_present

    def _disconnected(
        self, _client: Client, _data: object, _flags: DisconnectFlags, _why: ReasonCode, _more: Properties | None
    ) -> None:
        self.put_out = True


def until(reached: Callable[[], bool], timeout_s: float = WITHIN_S) -> None:
    """Waits for something real to come about; ``reached`` is asked again and again."""
    ends = monotonic() + timeout_s
    while not reached():
        assert monotonic() < ends, f"waited {timeout_s} s in vain"
        Event().wait(PAUSE_S / 10)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
