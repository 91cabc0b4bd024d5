"""``record``, ``simulate`` and ``doctor`` with a real mosquitto: what they bring, and that nothing stays behind."""

import json
import threading
from contextlib import suppress

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from gateway.clock import monotonic_s
from gateway.embedded_broker import Embedded
from gateway.mqtt.link import SessionPhase
from gateway.mqtt.source import MqttSource
from gateway.mqtt.visitor import Visitor
from tests.gateway.cli.installation import Cunjing, Installation
from tests.gateway.mqtt.test_mqtt import Memory, settings

pytestmark = pytest.mark.broker

TOPIC = "cunjing/v1/xiang/bin-0003/telemetry"


def publish(broker: Embedded, payload: bytes, *, retain: bool = False) -> Client:
    """Publishes once at QoS 1; returns when the broker answered or hung up."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311, reconnect_on_failure=False)
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    sent = client.publish(TOPIC, payload, 1, retain=retain)
    end_s = monotonic_s() + 60
    # Whether it hung up is asked first: paho raises for a message with which the connection was lost at once.
    while client.socket() is not None and not sent.is_published() and monotonic_s() < end_s:
        client.loop(0.2)
    return client


def entrance(broker: Embedded) -> str:
    return f"--broker {broker.url} --username {broker.username} --password-file {broker.password_file}"


def test_what_arrives_is_recorded_as_a_line_that_can_be_replayed(
    cunjing: Cunjing, installation: Installation, mosquitto: Embedded
) -> None:
    _ = installation
    payload = b'{"v":1,"boot":3,"seq":1,"readings":{"distance_mm":700}}'
    with suppress(OSError):
        publish(mosquitto, payload, retain=True).disconnect()
    said = cunjing(f"record {entrance(mosquitto)} --seconds 5")
    assert said.exit_code == 0, said.stderr
    (line,) = [json.loads(line) for line in said.stdout.splitlines()]
    assert (line["topic"], line["payload"]) == (TOPIC, payload.decode())
    assert "1 uplinks recorded" in said.stderr
    assert cunjing("replay - --inventory inventory.yaml", said.stdout_bytes).exit_code == 0


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_visit_leaves_no_session_behind(mosquitto: Embedded, protocol: str) -> None:
    visitor = Visitor(settings(mosquitto, protocol=protocol), "record")
    end_s = monotonic_s() + 60
    while not visitor.is_in:
        assert monotonic_s() < end_s
        visitor.wait(0.2)
    visitor.leave()
    returned = MqttSource(settings(mosquitto, client_id=visitor.client_id), Memory(), lambda: 1_000, monotonic_s)
    while returned.state.phase is not SessionPhase.LIVE:
        assert monotonic_s() < end_s
        returned.wait(0.2)
    assert returned.state.session_present is False
    returned.stop()


def test_a_wrong_password_ends_with_one_and_the_brokers_reason(
    cunjing: Cunjing, installation: Installation, mosquitto: Embedded
) -> None:
    (installation.folder / "wrong").write_text("guessed\n", "ascii")
    for command in ("record", "simulate --scenario demo"):
        said = cunjing(f"{command} --broker {mosquitto.url} --username {mosquitto.username} --password-file wrong")
        assert (said.exit_code, said.stdout) == (1, "")
        assert "ot authori" in said.stderr


def test_the_simulated_county_arrives_and_fits_its_inventory(
    cunjing: Cunjing, installation: Installation, mosquitto: Embedded
) -> None:
    quick = "seed: test\nstart: 2026-11-22T00:00:00Z\nhours: 2\nfleet: {villages: 1, bins: 4, plants: 1}\n"
    (installation.folder / "quick.yaml").write_text(quick, "utf-8")
    lines: list[str] = []
    hears, over = threading.Event(), threading.Event()
    recorder = threading.Thread(target=lambda: lines.extend(_recorded(mosquitto, hears, over)))
    recorder.start()
    assert hears.wait(240)
    said = cunjing(f"simulate {entrance(mosquitto)} --scenario quick.yaml --speed 3600 --write-inventory county.yaml")
    over.set()
    recorder.join()
    assert said.exit_code == 0, said.stderr
    assert cunjing("inventory check county.yaml").exit_code == 0
    assert len(lines) > 10
    assert any("/status" in line for line in lines)


def _recorded(broker: Embedded, hears: threading.Event, over: threading.Event) -> list[str]:
    """Topics, heard beside the simulation until it is over and all is said; typer's runner is for one thread."""
    visitor = Visitor(settings(broker), "test")
    heard: list[str] = []
    before = 0
    while not over.is_set() or len(heard) > before:
        before = len(heard)
        batch = visitor.wait(0.2)
        heard += [uplink.topic for uplink in batch.uplinks]
        visitor.done_with(batch)
        if visitor.is_in:
            hears.set()
    visitor.leave()
    return heard


def test_doctor_finds_a_healthy_installation_healthy(
    cunjing: Cunjing, installation: Installation, mosquitto: Embedded
) -> None:
    installation.configure(mosquitto.url, username=mosquitto.username, password_file=str(mosquitto.password_file))
    said = cunjing("doctor --config gateway.toml")
    assert said.exit_code == 0, said.stdout
    assert f"ok       broker     subscribed at {mosquitto.url} (MQTT 5, mosquitto version" in said.stdout


def test_our_broker_refuses_a_mebibyte(mosquitto: Embedded) -> None:
    client = publish(mosquitto, b" " * 2**20)
    assert client.socket() is None
