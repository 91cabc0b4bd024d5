"""The simulated county on a real broker: publishes timed uplinks when their instant has come. The simulator's only I/O.

One connection speaks for all devices, on one thread. What an uplink says is decided elsewhere and never looked at here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Final
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware_sim.radio import TimedUplink
from telemetry.reading import Millis

IN_FLIGHT: Final = 500
"""Uplinks published and not yet acknowledged by the broker."""

LONGEST_WAIT_S: Final = 0.5
FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 10.0
CONNECT_S: Final = 10.0
DRAIN_S: Final = 10.0
STOPPED_DRAIN_S: Final = 1.0
"""Who asks to stop does not want to wait for a broker that may be gone."""


class BrokerError(Exception):
    """The broker cannot be used; the text says which, and why. Raised for the first connection and for a refusal."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the county publishes, and as whom."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @classmethod
    def at(cls, url: str) -> "Broker":
        """The broker of ``mqtt://[user[:password]@]host[:port]``. Raises ``ValueError`` for anything else."""
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{url!r} is not a broker: write mqtt://host:1883")
        username = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, parts.port or 1883, username, password)


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it: uplinks handed to the broker, and those of them that it acknowledged."""

    sent: int
    acknowledged: int


def publish(
    uplinks: Iterable[TimedUplink],
    broker: Broker,
    stop: Event,
    now_ms: Callable[[], Millis] | None = None,
    speed: float = 1.0,
    statuses: Iterable[TimedUplink] = (),
    *,
    mqtt5: bool = True,
) -> Published:
    """Publish uplinks at QoS 1, each when ``now_ms()`` has reached its instant, until they end or ``stop`` is set.

    ``now_ms`` is the clock that the uplinks live by, which runs ``speed`` times as fast as the wall's; without one
    they go out as fast as the broker acknowledges them. ``statuses`` go first, retained. A lost connection is dialled
    again for as long as it takes, and what was not acknowledged is sent again. Raises ``BrokerError`` if the first
    connection fails or the broker refuses it.
    """
    line = _Line(broker, stop, mqtt5=mqtt5)
    line.dial()
    try:
        for status in statuses:
            line.make_room()
            line.send(status, retain=True)
        for uplink in uplinks:
            line.make_room()
            while now_ms is not None and not stop.is_set() and (ahead_ms := uplink.at_ms - now_ms()) > 0:
                line.tend(min(ahead_ms / 1000 / speed, LONGEST_WAIT_S))
            if stop.is_set():
                break
            line.send(uplink, retain=False)
        line.drain()
    finally:
        line.hang_up()
    return Published(line.sent, line.acknowledged)


class _Line:
    """One MQTT connection, tended by the thread that publishes on it."""

    def __init__(self, broker: Broker, stop: Event, *, mqtt5: bool) -> None:
        self.sent = 0
        self.acknowledged = 0
        self._broker = broker
        self._stop = stop
        self._refusal: ReasonCode | None = None
        self._connected = False
        self._retry_s = FIRST_RETRY_S
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5 if mqtt5 else MQTTv311)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)

    def dial(self) -> None:
        """Connect for the first time and wait for the broker's word."""
        where = f"{self._broker.host}:{self._broker.port}"
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        except OSError as fault:
            raise BrokerError(f"no broker answers at {where}: {fault}") from fault
        deadline = monotonic() + CONNECT_S
        while not self._connected and not self._stop.is_set():
            answer = self._client.loop(0.1)
            if self._refusal is not None:
                raise BrokerError(f"the broker at {where} refuses the connection: {self._refusal}")
            if answer != MQTTErrorCode.MQTT_ERR_SUCCESS or monotonic() > deadline:
                raise BrokerError(f"what answers at {where} does not answer as a broker")

    def send(self, uplink: TimedUplink, *, retain: bool) -> None:
        """Hand one uplink over; while the connection is down it waits in the client."""
        self._client.publish(uplink.topic, uplink.payload, qos=1, retain=retain)
        self.sent += 1

    def make_room(self) -> None:
        """Tend the line until another uplink may be in flight."""
        while self.sent - self.acknowledged >= IN_FLIGHT and not self._stop.is_set():
            self.tend(LONGEST_WAIT_S)

    def drain(self) -> None:
        """Wait, not for ever, until everything sent is acknowledged."""
        deadline = monotonic() + (STOPPED_DRAIN_S if self._stop.is_set() else DRAIN_S)
        while self.acknowledged < self.sent and monotonic() < deadline:
            self.tend(0.1)

    def tend(self, seconds: float) -> None:
        """Read and write for up to so long; dial again if the line is down, ever less eagerly.

        Raises ``BrokerError`` if the broker no longer wants this client.
        """
        if self._client.loop(seconds) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
        if self._refusal is not None:
            raise BrokerError(f"the broker at {self._broker.host}:{self._broker.port} refuses: {self._refusal}")
        self._stop.wait(self._retry_s)
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        try:
            self._client.reconnect()
        except OSError:
            return  # still away; the next call tries again, later

    def hang_up(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        self._client.disconnect()
        self._client.loop(0.1)

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._refusal = reason if reason.is_failure else None
        self._connected = not reason.is_failure
        if self._connected:
            self._retry_s = FIRST_RETRY_S

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._connected = False

    def _on_publish(
        self, _client: Client, _userdata: object, _mid: int, _reason: ReasonCode, _props: Properties | None
    ) -> None:
        self.acknowledged += 1
