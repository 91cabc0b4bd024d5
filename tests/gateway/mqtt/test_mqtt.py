"""The MQTT source against a real mosquitto: what is queued arrives, what is not acknowledged comes again."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.clock import monotonic_s
from gateway.embedded_broker import Embedded, embedded_broker
from gateway.mqtt.link import SessionPhase, SessionState
from gateway.mqtt.session import KEEPALIVE_S
from gateway.mqtt.source import MqttSource
from gateway.settings import Mqtt
from tests.conftest import require_mosquitto
from tests.own_mosquitto import own_mosquitto
from tests.servers import free_port

TOPIC = "cunjing/v1/qy/ab-0001/telemetry"


class Memory:
    def __init__(self) -> None:
        self.filters: frozenset[str] = frozenset()

    def remembered_filters(self) -> frozenset[str]:
        return self.filters

    def remember_filters(self, filters: frozenset[str]) -> None:
        self.filters = filters


def settings(broker: Embedded, **changes: object) -> Mqtt:
    keys = {"url": broker.url, "username": broker.username, "password_file": broker.password_file}
    return Mqtt.model_validate({**keys, "topics": ["cunjing/v1/+/+/+"], "protocol": broker.protocol, **changes})


@contextmanager
def source(settings: Mqtt, memory: Memory, keepalive_s: int = KEEPALIVE_S) -> Iterator[MqttSource]:
    opened = MqttSource(settings, memory, lambda: 1_000, monotonic_s, keepalive_s=keepalive_s)
    try:
        yield opened
    finally:
        opened.stop()


def until(source: MqttSource, reached: Callable[[SessionState], bool]) -> None:
    end_s = monotonic_s() + 60
    while not reached(source.state):
        assert monotonic_s() < end_s, source.state
        source.wait(0.2)


def taken(source: MqttSource, count: int, *, ack: bool = True) -> list[bytes]:
    """At least ``count`` payloads in the order of arrival."""
    payloads: list[bytes] = []
    end_s = monotonic_s() + 60
    while len(payloads) < count:
        assert monotonic_s() < end_s, payloads[-3:]
        batch = source.wait(0.2)
        payloads += [uplink.payload for uplink in batch.uplinks]
        if ack:
            assert source.ack(batch) == len(batch.mids)
    return payloads


def live(state: SessionState) -> bool:
    return state.phase is SessionPhase.LIVE


def published(broker: Embedded, payloads: list[bytes]) -> int:
    """Publishes at QoS 1 and answers how many the broker acknowledged before it hung up or was done."""
    client = Client(
        CallbackAPIVersion.VERSION2, "ab-0001", protocol=MQTTProtocolVersion.MQTTv311, reconnect_on_failure=False
    )
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    waiting = [client.publish(TOPIC, payload, 1) for payload in payloads]
    end_s = monotonic_s() + 60
    while not all(map(is_published, waiting)) and monotonic_s() < end_s:
        if client.loop(0.2) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            break
    client.disconnect()
    return sum(map(is_published, waiting))


def is_published(info: MQTTMessageInfo) -> bool:
    """Whether the broker acknowledged it; one that it hung up on while it was written was not."""
    return info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS and info.is_published()


@pytest.mark.broker
def test_what_was_published_while_we_were_away_arrives_in_order(mosquitto: Embedded) -> None:
    memory = Memory()
    with source(settings(mosquitto), memory) as first:
        until(first, live)
        assert first.state.session_present is False
    sent = [b"%d" % number for number in range(2_500)]
    published(mosquitto, sent)
    with source(settings(mosquitto), memory) as second:
        assert taken(second, 2_500) == sent
        assert second.state.session_present is True
        assert second.state.sessions_lost == 0


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_was_not_acknowledged_comes_again(mosquitto: Embedded, protocol: str) -> None:
    memory = Memory()
    with source(settings(mosquitto, protocol=protocol), memory) as first:
        until(first, live)
        published(mosquitto, [b"1", b"2", b"3"])
        assert taken(first, 3, ack=False) == [b"1", b"2", b"3"]
    with source(settings(mosquitto, protocol=protocol), memory) as second:
        assert taken(second, 3) == [b"1", b"2", b"3"]
    with source(settings(mosquitto, protocol=protocol), memory) as third:
        until(third, live)
        published(mosquitto, [b"4"])
        assert taken(third, 1) == [b"4"]


@pytest.mark.broker
@pytest.mark.usefixtures("needs_mosquitto")
def test_a_broker_that_was_restarted_is_found_again_with_its_queue(tmp_path: Path) -> None:
    port = free_port()
    memory = Memory()
    with embedded_broker(tmp_path, port) as broker, source(settings(broker), memory) as ours:
        until(ours, live)
        published(broker, [b"1"])
        assert taken(ours, 1, ack=False) == [b"1"]
    with embedded_broker(tmp_path, port) as broker, source(settings(broker), memory) as ours:
        assert taken(ours, 1) == [b"1"]
        assert ours.state.sessions_lost == 0


@pytest.mark.broker
@pytest.mark.usefixtures("needs_mosquitto")
def test_a_connection_that_breaks_is_dialled_again_and_old_acks_are_dropped(tmp_path: Path) -> None:
    port = free_port()
    memory = Memory()
    with embedded_broker(tmp_path, port) as broker:
        ours = MqttSource(settings(broker), memory, lambda: 1_000, monotonic_s)
        until(ours, live)
        published(broker, [b"1"])
        batch = ours.wait(1)
        while not batch.uplinks:
            batch = ours.wait(1)
    try:
        until(ours, lambda state: not state.part.ready)
        assert ours.state.part.state.startswith(f"the connection to {broker.url} was lost")
        with embedded_broker(tmp_path, port):
            assert taken(ours, 1) == [b"1"]
            assert ours.state.generation > 1
            assert ours.ack(batch) == 0
    finally:
        ours.stop()


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_gateways_under_one_client_id_say_so(mosquitto: Embedded, protocol: str) -> None:
    """A 2.0.11 has no word for it in either version: that it happens again and again is all there is."""
    ours = settings(mosquitto, protocol=protocol)
    with source(ours, Memory()) as first, source(ours, Memory()) as second:
        end_s = monotonic_s() + 60
        while not (first.state.thrown_out or second.state.thrown_out):
            assert monotonic_s() < end_s, (first.state, second.state)
            first.wait(0.02)
            second.wait(0.02)
        part = (first if first.state.thrown_out else second).state.part
        assert not part.ready
        assert "'cunjing-gateway'" in part.state
        assert "client_id" in part.remedy


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_stands_still_is_not_subscribed_to_any_more_and_found_again(
    tmp_path: Path, protocol: str
) -> None:
    require_mosquitto()
    with own_mosquitto(tmp_path) as broker:
        ours = Mqtt.model_validate({"url": broker.url, "topics": ["cunjing/v1/+/+/+"], "protocol": protocol})
        with source(ours, Memory(), keepalive_s=2) as frozen:
            until(frozen, live)
            with broker.frozen():
                until(frozen, lambda state: state.phase is not SessionPhase.LIVE)
                assert "half-open" in frozen.state.part.state
                assert not frozen.state.part.ready
            until(frozen, lambda state: state.phase is SessionPhase.LIVE and state.part.ready)
            assert frozen.state.session_present


@pytest.mark.broker
def test_a_quiet_line_stays(tmp_path: Path) -> None:
    """The control: nobody says anything for several keepalives, and the broker, which takes one and a half, agrees."""
    require_mosquitto()
    with own_mosquitto(tmp_path) as broker:
        ours = Mqtt.model_validate({"url": broker.url, "topics": ["cunjing/v1/+/+/+"]})
        with source(ours, Memory(), keepalive_s=1) as quiet:
            until(quiet, live)
            end_s = monotonic_s() + 4
            while monotonic_s() < end_s:
                quiet.wait(0.2)
            assert quiet.state.generation == 1
            assert quiet.state.phase is SessionPhase.LIVE


@pytest.mark.broker
def test_a_wrong_password_is_said_in_a_sentence(mosquitto: Embedded, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guess")
    with source(settings(mosquitto, password_file=wrong), Memory()) as ours:
        until(ours, lambda state: "refuses" in state.part.state)
        assert ours.state.part.state == (
            f"the broker at {mosquitto.url} refuses user 'cunjing': not authorised: user name or password are wrong, "
            "or the user may not connect (Not authorized, 0x87)"
        )


def test_a_port_where_nobody_listens_is_said_in_a_sentence() -> None:
    refused = Mqtt.model_validate({"url": f"mqtt://127.0.0.1:{free_port()}", "topics": ["a"]})
    with source(refused, Memory()) as ours:
        until(ours, lambda state: "cannot be reached" in state.part.state)
        assert "Connection refused" in ours.state.part.state


def test_a_port_that_hangs_up_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        with source(Mqtt.model_validate({"url": url, "topics": ["a"]}), Memory()) as ours:
            until(ours, lambda state: state.phase is SessionPhase.GREETING)
            server.accept()[0].close()
            until(ours, lambda state: "closed the connection before it answered" in state.part.state)


@pytest.mark.broker
def test_a_payload_of_a_mebibyte_is_refused_by_our_broker(mosquitto: Embedded) -> None:
    memory = Memory()
    with source(settings(mosquitto), memory) as ours:
        until(ours, live)
        assert published(mosquitto, [b"x" * 1_048_576]) == 0
        assert published(mosquitto, [b"after"]) == 1
        assert taken(ours, 1) == [b"after"]


@pytest.mark.broker
def test_the_version_of_an_old_broker_is_worth_a_note(mosquitto: Embedded) -> None:
    with source(settings(mosquitto), Memory()) as ours:
        until(ours, lambda state: "mosquitto version" in state.part.state)
        assert ours.state.part.ready


def test_amqtt_is_served_with_mqtt_3_1_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    memory = Memory()
    with embedded_broker(tmp_path) as broker:
        with source(settings(broker), memory) as first:
            until(first, live)
        published(broker, [b"1", b"2", b"x" * 1_048_576])
        with source(settings(broker), memory) as second:
            assert taken(second, 3) == [b"1", b"2", b"x" * 1_048_576]
            assert second.state.session_present is True


def test_amqtt_refuses_a_wrong_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    wrong = tmp_path / "wrong"
    wrong.write_text("guess")
    with embedded_broker(tmp_path) as broker, source(settings(broker, password_file=wrong), Memory()) as ours:
        until(ours, lambda state: "refuses" in state.part.state)
