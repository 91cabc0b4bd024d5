"""Whatever a broker has acknowledged is committed or in quarantine, and counted, however large it is.

Below, at and above every limit that there is: the payload's, the packet's, what a broker takes, what is gathered whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.embedded_broker import SWITCH, Embedded, embedded_broker
from gateway.mqtt.readahead import WHOLE_BYTES
from gateway.pipeline import BEGINNING_BYTES
from telemetry.wire import MAX_PAYLOAD_BYTES
from tests.conftest import require_mosquitto
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.lorawan import NATIVE_TOPIC, VILLAGE
from tests.own_mosquitto import own_mosquitto

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

MUCH_IS_PLANNED: Final = "rules: {flooded_device: {most_bytes: 1000000000}}"
"""Else the largest would be summed up as the junk of a device that floods: see tests/gateway/test_throttle.py."""
ITS_LIMIT: Final = 131_072
SIZES: Final = (
    100,
    16_383,
    MAX_PAYLOAD_BYTES - 64,
    65_500,
    MAX_PAYLOAD_BYTES - 1,
    MAX_PAYLOAD_BYTES,
    MAX_PAYLOAD_BYTES + 1,
    ITS_LIMIT - 100,
    ITS_LIMIT,
    262_144,
    WHOLE_BYTES - 100,
    WHOLE_BYTES,
    2 * WHOLE_BYTES + 1,
)


def sample(seq: int, size: int) -> bytes:
    """A measurement of so many bytes, padded by a key that nobody knows."""
    said = b'{"v":1,"boot":1,"seq":%d,"readings":{"distance_mm":700},"x":"' % seq
    return said.ljust(size - 2, b"x") + b'"}'


def acknowledged(broker: Embedded, payload: bytes, protocol: MQTTProtocolVersion) -> bool:
    """Publishes it on a connection of its own; whether the broker said that it has it."""
    client = Client(CallbackAPIVersion.VERSION2, "", protocol=protocol, reconnect_on_failure=False)
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    while not client.is_connected():
        assert client.loop(5) is MQTTErrorCode.MQTT_ERR_SUCCESS
    sent = client.publish(NATIVE_TOPIC, payload, qos=1)
    while sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS and not sent.is_published():
        if client.loop(5) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
    client.disconnect()
    return sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS


@contextmanager
def brokered(kind: str, folder: Path) -> Iterator[Embedded]:
    """The broker of the demo, with mosquitto or with amqtt, or a mosquitto that takes whatever MQTT allows."""
    if kind != "amqtt":
        require_mosquitto()
    if kind == "boundless":
        secret = folder / "password"
        secret.parent.mkdir()
        secret.write_text("none\n", "ascii")
        with own_mosquitto(folder) as own:
            yield Embedded("mosquitto", own.url, own.port, "anybody", secret, "auto")
        return
    with embedded_broker(folder) as broker:
        yield broker


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [("shipped", "5"), ("shipped", "3.1.1"), ("boundless", "5"), ("boundless", "3.1.1"), ("amqtt", "3.1.1")],
)
def test_whatever_a_broker_acknowledged_is_committed_or_in_quarantine_and_counted(
    kind: str, protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "amqtt":
        monkeypatch.setenv(SWITCH, "none")
    publishers = (MQTTv311,) if kind == "amqtt" else (MQTTv5, MQTTv311)
    with brokered(kind, tmp_path / "broker") as broker:
        installation = Installation(
            tmp_path / "gateway", broker, VILLAGE, offset_to(10), MUCH_IS_PLANNED, protocol=protocol
        )
        with installation.running():
            sent = [(size, by) for by in publishers for size in SIZES]
            taken = [size for seq, (size, by) in enumerate(sent) if acknowledged(broker, sample(seq, size), by)]
            read = sum(size <= MAX_PAYLOAD_BYTES for size in taken)
            aside = sorted(size for size in taken if size > MAX_PAYLOAD_BYTES)
            until(lambda: f"cunjing_messages_received_total {len(taken)}.0" in installation.metrics(), 20)
            until(lambda: f"cunjing_readings_committed_total {read}.0" in installation.metrics(), 20)
            assert f'cunjing_quarantined_total{{reason="too_large"}} {len(aside)}.0' in installation.metrics()
    assert read == len(publishers) * sum(size <= MAX_PAYLOAD_BYTES for size in SIZES)
    assert len(taken) == len(sent) or kind == "shipped"
    kept = installation.rows("SELECT detail, payload FROM quarantine WHERE reason = 'too_large'")
    assert sorted(int(detail.split()[0]) for detail, _ in kept) == aside
    assert {len(payload) for _, payload in kept} == {BEGINNING_BYTES}
    assert all(payload.startswith(b'{"v":1,"boot":1,"seq":') for _, payload in kept)
    assert installation.rows("SELECT count(*) FROM reading") == [(read,)]
