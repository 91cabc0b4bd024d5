"""Gateways as processes of their own, made to be killed: real ones, and the control that acknowledges too early.

They are forked from a server that has imported everything already, so that a kill costs no second. Nothing here knows
what is sent or judged.
"""

import json
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
import yaml
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from alerts.channels import channels
from gateway import app, settings, shipped
from gateway.clock import WallClock
from gateway.embedded_broker import Embedded
from telemetry.reading import Millis
from tests.servers import free_port

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])

LOOK_EVERY_S = 0.05
BUSY = 12.0
"""So many times longer may anything take on a slow machine whose cores are busy with something else."""
SESSION_S = 86_400


class ShiftedClock(WallClock):
    """The wall clock, a fixed while ahead or behind, so that it is day in the county whenever the tests run."""

    def __init__(self, offset_ms: Millis) -> None:
        super().__init__(lambda: time.time_ns() + offset_ms * 1_000_000)


def offset_to(hour: int) -> Millis:
    """How far from now it is to a full hour of the present day, local time of the county."""
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    return round((now.replace(hour=hour, minute=0, second=0, microsecond=0) - now).total_seconds() * 1_000)


def unfolded(escalation: str) -> str:
    """The shipped escalation, but whoever is to be told is told at once and of one thing at a time; and no lists."""
    document = yaml.safe_load(escalation)
    many = 1_000_000
    document["telling"] = {"fold_p2": "0s", "fold_p3": "0s", "budget": {"1h": many}, "cap_a_day": many}
    document["telling"] |= {"storm_begins": many}
    document["lists"] = {}
    return yaml.safe_dump(document, allow_unicode=True)


def folded(escalation: str) -> str:
    """The shipped escalation with mailboxes that open after seconds instead of minutes, and no lists."""
    document = yaml.safe_load(escalation)
    document["telling"] |= {"fold_p2": "2s", "fold_p3": "3s", "budget": {"1h": 1_000_000}, "cap_a_day": 1_000_000}
    document["telling"] |= {"storm_begins": 1_000_000}
    document["lists"] = {}
    return yaml.safe_dump(document, allow_unicode=True)


class Installation:
    """A gateway's folder: configuration, journal, outbox and log; and the processes that were started on it."""

    def __init__(
        self,
        folder: Path,
        broker: Embedded,
        inventory: str,
        offset_ms: Millis = 0,
        rules: str = "{}",
        more: str = "",
        telling: Callable[[str], str] = unfolded,
        protocol: str = "auto",
    ) -> None:
        """``more`` are further tables of the configuration. Nobody's texts are folded: each message is one.

        Unless ``telling`` makes another escalation of the shipped one.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.journal = folder / "journal.db"
        self.outbox = folder / "outbox"
        self.log = folder / "gateway.log"
        self.port = free_port()
        self.configuration = folder / "gateway.toml"
        self._offset_ms = offset_ms
        (folder / "inventory.yaml").write_text(inventory, "utf-8")
        (folder / "rules.yaml").write_text(rules, "utf-8")
        (folder / "escalation.yaml").write_text(telling(shipped.policy_files().escalation), "utf-8")
        self.configuration.write_text(
            f"""
            [mqtt]
            url = "{broker.url}"
            username = "{broker.username}"
            password_file = "{broker.password_file}"
            topics = ["cunjing/v1/+/+/+", "application/+/device/+/event/up"]
            protocol = "{protocol}"
            [journal]
            path = "{self.journal}"
            [inventory]
            path = "{folder / "inventory.yaml"}"
            [alerts]
            rules = "{folder / "rules.yaml"}"
            escalation = "{folder / "escalation.yaml"}"
            [sms]
            outbox_folder = "{self.outbox}"
            [desk]
            listen = "127.0.0.1:{self.port}"
            {more}
            """,
            "utf-8",
        )

    def hear(self, topic: str) -> None:
        """Of ChirpStack the next gateway subscribes to this."""
        told = self.configuration.read_text("utf-8")
        self.configuration.write_text(told.replace("application/+/device/+/event/up", topic), "utf-8")

    def start(self) -> ForkServerProcess:
        """One more gateway on this folder."""
        process = _FORKS.Process(
            target=serve, args=(self.configuration, self._offset_ms, self.log), name="gateway", daemon=True
        )
        process.start()
        return process

    @contextmanager
    def running(self) -> Iterator[ForkServerProcess]:
        """A gateway that is ready, and that ends well when the context does."""
        process = self.start()
        try:
            self.until_ready(process)
            yield process
            end(process)
        finally:
            process.kill()
            process.join()

    @contextmanager
    def killed_at_the_end(self) -> Iterator[None]:
        """A gateway that is ready, and that dies without a word when the context ends."""
        process = self.start()
        try:
            self.until_ready(process)
            yield
        finally:
            process.kill()
            process.join()

    def ready(self) -> dict[str, Any]:
        """What ``/readyz`` says; nothing while nobody answers."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as asked:
            try:
                asked.request("GET", "/readyz")
                said: dict[str, Any] = json.loads(asked.getresponse().read())
            except (OSError, HTTPException):
                return {}
            return said

    def metrics(self) -> str:
        """What Prometheus would read."""
        return self._asked("GET", "/metrics").decode()

    def post(self, path: str, body: object) -> object:
        """Asks for something, as a person who may."""
        token = (self.journal.parent / "control.token").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return json.loads(self._asked("POST", path, json.dumps(body).encode(), headers))

    def _asked(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> bytes:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as asked:
            asked.request(method, path, body, dict(headers))
            answer = asked.getresponse()
            said = answer.read()
            assert answer.status < HTTPStatus.MULTIPLE_CHOICES, said
            return said

    def until_ready(self, process: ForkServerProcess, timeout_s: float = 20) -> None:
        """Waits until it is subscribed and everything stands."""
        until(lambda: bool(self.ready().get("ready")) or not process.is_alive(), timeout_s)
        assert process.is_alive(), self.last_words()

    def last_words(self) -> str:
        """The end of what the gateways logged."""
        return self.log.read_text("utf-8")[-4_000:] if self.log.exists() else "it logged nothing"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the journal, read by a connection of our own."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=60)) as journal:
            return journal.execute(query).fetchall()


def until(reached: Callable[[], bool], timeout_s: float) -> None:
    """Waits for something real to come about, which on an idle machine takes at most so long."""
    deadline = time.monotonic() + timeout_s * BUSY
    while not reached():
        assert time.monotonic() < deadline, f"waited {timeout_s * BUSY:g} s in vain"
        paused(LOOK_EVERY_S)


def paused(seconds: float) -> None:
    """Nothing happens here for so long."""
    threading.Event().wait(seconds)


def end(process: ForkServerProcess) -> None:
    """SIGTERM, and it must end well."""
    process.terminate()
    process.join(15 * BUSY)
    assert process.exitcode == 0, f"the gateway ended with {process.exitcode}"


SERVE: Final = (
    "import sys; from pathlib import Path; from tests.e2e.gateway_process import serve;"
    " serve(Path(sys.argv[1]), 0, Path(sys.argv[2]))"
)
"""The same by a command line, for who starts it in surroundings of their own: configuration and log follow."""


def serve(configuration: Path, offset_ms: Millis, log: Path) -> None:
    """The gateway's process: the composition root itself, under a shifted clock."""
    _log_to(log)
    app.run(settings.load(configuration, channels()), clock=ShiftedClock(offset_ms))


def start_control(broker: Embedded, kept: Path, log: Path) -> ForkServerProcess:
    """One more control."""
    process = _FORKS.Process(
        target=acknowledge_at_once, args=(broker.port, broker.username, broker.password, kept, log), daemon=True
    )
    process.start()
    return process


def acknowledge_at_once(port: int, username: str, password: str, kept: Path, log: Path) -> None:
    """What most programs do: paho acknowledges when the callback returns, a thread writes to disk later."""
    _log_to(log)
    heard: list[tuple[str, bytes]] = []
    client = Client(CallbackAPIVersion.VERSION2, "control", protocol=MQTTv5, manual_ack=False)
    client.username_pw_set(username, password)
    client.on_message = lambda _client, _data, message: heard.append(_named(message))

    def subscribe(*_: object) -> None:
        client.subscribe("cunjing/v1/+/+/telemetry", qos=1)

    client.on_connect = subscribe
    client.on_subscribe = lambda *_: subscribed_mark(kept).touch()
    lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own gap
    lasting.SessionExpiryInterval = SESSION_S
    lasting.ReceiveMaximum = 1_000
    client.connect("127.0.0.1", port, clean_start=False, properties=lasting)
    client.loop_start()
    with closing(sqlite3.connect(kept, isolation_level=None)) as disk:
        disk.execute("CREATE TABLE IF NOT EXISTS heard (topic TEXT, payload BLOB)")
        while True:
            paused(0.1)
            taken = heard[:]
            del heard[: len(taken)]
            disk.execute("BEGIN")
            disk.executemany("INSERT INTO heard VALUES (?, ?)", taken)
            disk.execute("COMMIT")


def subscribed_mark(kept: Path) -> Path:
    """The file that is there once the control has a session with the broker."""
    return kept.with_suffix(".subscribed")


def _named(message: MQTTMessage) -> tuple[str, bytes]:
    return message.topic, bytes(message.payload)


def _log_to(log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
