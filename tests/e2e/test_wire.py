"""The kinds of the wire on real doors: mosquitto, a gateway process that is killed, its journal and its metrics."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.lorawan import EUI, MINUTE, NATIVE_TOPIC, TOPIC, VILLAGE, event

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

EMPTY, FULL = "01755c 04822003 050000", "01755c 04826400 050000"


def publish(broker: Embedded, said: Iterable[tuple[str, Any]]) -> None:
    """Each at QoS 1, all at once."""
    client = Client(CallbackAPIVersion.VERSION2, "stranger", protocol=MQTTv5)
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent = [client.publish(topic, json.dumps(body), qos=1) for topic, body in said]
    for one in sent:
        one.wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def test_what_the_field_sends_is_counted_once_through_a_real_broker_and_a_kill(
    mosquitto: Embedded, tmp_path: Path
) -> None:
    installation = Installation(tmp_path / "gateway", mosquitto, VILLAGE, offset_to(10))
    installation.hear("application/+/device/+/event/+")
    noon_ms = 1_795_390_200_000
    frames = [(turn * 12 + f_cnt, f_cnt, frame) for turn, frame in enumerate((EMPTY, FULL)) for f_cnt in range(12)]
    counted = [(TOPIC, event(f_cnt, frame, noon_ms + place * 20 * MINUTE)) for place, f_cnt, frame in frames]
    beside = [
        (TOPIC, event(12, "017565 04824408", None)),
        (TOPIC, event(13, "01755c 03824408 040001", None)),
        (TOPIC, event(14, "050001", None, fPort=0)),
        (TOPIC.replace("/up", "/join"), {"deviceInfo": {"devEui": EUI}, "devAddr": "0a0b0c0d"}),
        (TOPIC.replace("/up", "/txack"), {"deviceInfo": {"devEui": EUI}}),
    ]
    backlog = [{"v": 1, "boot": 1, "seq": seq, "up": 60 * seq, "readings": {"distance_mm": 800}} for seq in range(10)]
    with installation.killed_at_the_end():
        publish(mosquitto, [*counted, *beside, (NATIVE_TOPIC, backlog)])
        until(lambda: 'cunjing_ignored_total{kind="txack"} 1.0' in installation.metrics(), 10)
        until(lambda: "cunjing_readings_committed_total 36.0" in installation.metrics(), 10)
        metrics = installation.metrics()
    for line in (
        'cunjing_values_refused_total{quantity="battery_pct",reason="out_of_range"} 1.0',
        "cunjing_samples_partial_total 1.0",
        "cunjing_counters_restarted_total 1.0",
        'cunjing_ignored_total{kind="mac"} 1.0',
        'cunjing_ignored_total{kind="join"} 1.0',
    ):
        assert line in metrics
    publish(mosquitto, [*counted, *beside[:3], (NATIVE_TOPIC, backlog)])
    with installation.running():
        until(lambda: "cunjing_messages_received_total 28.0" in installation.metrics(), 10)
        until(lambda: "cunjing_samples_duplicate_total 37.0" in installation.metrics(), 10)
    levels = installation.rows("SELECT distance_mm FROM reading WHERE fingerprint IS NOT NULL ORDER BY id")
    assert [row[0] for row in levels] == [800] * 12 + [100] * 12 + [2116, None]
    assert installation.rows("SELECT count(DISTINCT observed_ms) FROM reading WHERE fingerprint IS NULL") == [(10,)]
    assert installation.rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert installation.rows("SELECT kind, times FROM anomaly ORDER BY kind") == [
        ("partial", 1),
        ("refused", 1),
        ("restarted", 1),
    ]
