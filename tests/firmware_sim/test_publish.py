"""The county on a real broker, or what is said when there is none."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread, Timer
from time import monotonic

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.publish import IN_FLIGHT, Broker, BrokerError, Published, publish
from firmware_sim.radio import TimedUplink
from gateway.embedded_broker import Embedded, embedded_broker
from tests.servers import free_port


def uplinks(count: int, step_ms: int = 0) -> list[TimedUplink]:
    return [TimedUplink(i * step_ms, "cunjing/v1/x/d/telemetry", str(i).encode()) for i in range(count)]


def reach(embedded: Embedded) -> Broker:
    return Broker("127.0.0.1", embedded.port, embedded.username, embedded.password)


class Listener:
    """A subscriber that collects until it has enough."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[MQTTMessage] = []
        ready: list[bool] = []
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.username_pw_set(broker.username, broker.password)
        self._client.on_message = lambda _client, _userdata, message: self.messages.append(message)
        self._client.on_subscribe = lambda *_: ready.append(True)
        self._client.connect(broker.host, broker.port)
        self._client.subscribe("#", qos=1)
        while not ready:
            self._client.loop(0.1)

    def until(self, count: int) -> list[bytes]:
        deadline = monotonic() + 10
        while len(self.messages) < count and monotonic() < deadline:
            self._client.loop(0.1)
        self._client.disconnect()
        return [bytes(message.payload) for message in self.messages]


@pytest.mark.broker
@pytest.mark.parametrize("mqtt5", [True, False])
def test_every_uplink_arrives_once_and_in_order(mosquitto: Embedded, *, mqtt5: bool) -> None:
    broker = reach(mosquitto)
    listener = Listener(broker)
    published = publish(uplinks(1_200), broker, Event(), mqtt5=mqtt5)
    assert published == Published(sent=1_200, acknowledged=1_200)
    assert listener.until(1_200) == [str(i).encode() for i in range(1_200)]


@pytest.mark.broker
def test_an_uplink_goes_out_no_earlier_than_its_instant(mosquitto: Embedded) -> None:
    shown: list[int] = []
    clock = iter(range(0, 100_000, 50))

    def now_ms() -> int:
        shown.append(next(clock))
        return shown[-1]

    def told() -> Iterator[TimedUplink]:
        for uplink in uplinks(5, step_ms=400):
            yield uplink
            assert shown[-1] >= uplink.at_ms

    publish(told(), reach(mosquitto), Event(), now_ms, speed=1_000)
    assert shown[-1] == 1_600


@pytest.mark.broker
def test_statuses_are_retained(mosquitto: Embedded) -> None:
    broker = reach(mosquitto)
    publish([], broker, Event(), statuses=[TimedUplink(0, "cunjing/v1/x/d/status", b"{}")])
    listener = Listener(broker)
    assert listener.until(1) == [b"{}"]
    assert listener.messages[0].retain


@pytest.mark.broker
def test_a_county_told_to_stop_stops(mosquitto: Embedded) -> None:
    stop = Event()

    def endless() -> Iterator[TimedUplink]:
        for i, uplink in enumerate(uplinks(10_000)):
            if i == 50:
                stop.set()
            yield uplink

    assert publish(endless(), reach(mosquitto), stop).sent == 50


@pytest.mark.broker
@pytest.mark.usefixtures("needs_mosquitto")
def test_a_broker_that_comes_back_gets_the_rest(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as first, ExitStack() as second:
        broker = reach(first.enter_context(embedded_broker(tmp_path, port)))

        def through_a_restart() -> Iterator[TimedUplink]:
            yield from uplinks(600)
            first.close()
            second.enter_context(embedded_broker(tmp_path, port))
            yield from uplinks(600)

        stop = Event()
        patience = Timer(240, stop.set)
        patience.start()
        assert publish(through_a_restart(), broker, stop) == Published(sent=1_200, acknowledged=1_200)
        patience.cancel()


def test_a_broker_that_acknowledges_nothing_gets_no_more_than_may_be_in_flight() -> None:
    stop = Event()

    def welcome_and_fall_silent() -> None:
        line, _ = held.accept()
        with line:
            line.recv(1_024)
            line.sendall(b"\x20\x02\x00\x00")  # CONNACK of MQTT 3.1.1
            while line.recv(65_536):
                pass

    def more_than_fit() -> Iterator[TimedUplink]:
        for number, uplink in enumerate(uplinks(5_000)):
            if number == IN_FLIGHT:  # asked for once all before it are sent
                Timer(1.0, stop.set).start()
            yield uplink

    with socket.create_server(("127.0.0.1", 0)) as held:
        silent = Thread(target=welcome_and_fall_silent)
        silent.start()
        published = publish(more_than_fit(), Broker("127.0.0.1", held.getsockname()[1]), stop, mqtt5=False)
        silent.join(10)
    assert published == Published(sent=IN_FLIGHT, acknowledged=0)


def test_no_broker_is_said_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(BrokerError, match=f"no broker answers at 127.0.0.1:{port}"):
        publish(uplinks(1), Broker("127.0.0.1", port), Event())


@pytest.mark.broker
def test_a_wrong_password_is_the_brokers_refusal(mosquitto: Embedded) -> None:
    with pytest.raises(BrokerError, match="refuses the connection: Not authorized"):
        publish(uplinks(1), Broker("127.0.0.1", mosquitto.port, "cunjing", "wrong"), Event())


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://10.0.0.5", Broker("10.0.0.5", 1883)),
        ("mqtt://me:a%40b@broker:2883/", Broker("broker", 2883, "me", "a@b")),
    ],
)
def test_a_broker_is_named_by_its_address(url: str, broker: Broker) -> None:
    assert Broker.at(url) == broker


@pytest.mark.parametrize("url", ["broker:1883", "http://broker", "mqtt://", "mqtt://broker/county"])
def test_an_address_that_is_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not a broker"):
        Broker.at(url)
