"""A real gateway watched from outside and by itself: it beats while it works, and silence on either side is told."""

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from alerts.notify import texts
from gateway import shipped
from gateway.clock import WallClock, monotonic_s
from gateway.embedded_broker import Embedded, embedded_broker
from gateway.settings import Endpoint
from gateway.watching.remote_watch import Herald, Outpost, Patience, SilenceNotice, listening
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.gateway.watching.test_remote_watch import CALENDAR

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

INVENTORY = """
county: {id: xiang, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫}
areas:
  - {id: qshi, name: 青石镇, level: town}
people:
  - {id: li, name: 李大姐, phone: "13900000001", duties: [{role: cleaner, area: qshi}]}
  - {id: wu, name: 吴调度, phone: "13900000003", duties: [{role: dispatcher, area: qshi}]}
assets:
  - id: bin-1
    kind: bin
    name: 柳潭1号池
    short: 柳潭1号
    area: qshi
    bin: {container: pool, empty_mm: 1250, full_mm: 250, blind_mm: 250}
devices:
  - {id: dev-1, asset: bin-1, profile: native, power: battery, interval_s: 1, installed_at: 2026-01-01T00:00:00Z}
"""


def spoken(broker: Embedded, seq: int) -> None:
    """One sample of the only device."""
    client = Client(CallbackAPIVersion.VERSION2, "bin", protocol=MQTTv5)
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    body = {"v": 1, "boot": 1, "seq": seq, "readings": {"distance_mm": 900, "tilt_deg": 1}}
    client.publish("cunjing/v1/xiang/dev-1/telemetry", json.dumps(body), qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def test_a_gateway_that_stands_still_is_missed_and_one_that_goes_on_is_heard_again(
    mosquitto: Embedded, tmp_path: Path
) -> None:
    said: list[SilenceNotice] = []

    def ring(word: SilenceNotice, _text: str, _now_ms: int) -> bool:
        said.append(word)
        return True

    policy_files = shipped.policy_files()
    catalogue = texts.load(policy_files.texts, policy_files.texts_name, "湘阳环卫")
    herald = Herald({"ring": ring}, catalogue, CALENDAR)
    outpost = Outpost(Patience(2.0, 3_600, 0), herald, WallClock(), monotonic_s)
    (tmp_path / "token").write_text("hush", "ascii")
    with listening(Endpoint("127.0.0.1", 0), "hush", outpost.beat) as port:
        watch = f'[watch]\nurl = "http://127.0.0.1:{port}/beat"\ntoken_file = "{tmp_path / "token"}"\nevery_s = 0.2'
        installation = Installation(tmp_path / "gateway", mosquitto, INVENTORY, offset_to(10), more=watch)
        with installation.running() as process:
            until(lambda: installation.ready()["parts"].get("heartbeat", {}).get("ready"), 10)
            outpost.beat()
            assert 'cunjing_heartbeats_total{outcome="sent"}' in installation.metrics()
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            try:
                until(lambda: outpost.look() is SilenceNotice.ALARM, 10)
            finally:
                os.kill(process.pid, signal.SIGCONT)
            until(lambda: outpost.look() is SilenceNotice.CLEAR, 10)
    assert said == [SilenceNotice.ALARM, SilenceNotice.CLEAR]


def test_a_gateway_whose_broker_is_gone_does_not_beat(mosquitto: Embedded, tmp_path: Path) -> None:
    assert mosquitto, "the one of this test is another, which ends in its midst"
    beats: list[int] = []
    with ExitStack() as broker, listening(Endpoint("127.0.0.1", 0), "", lambda: beats.append(1)) as port:
        watch = f'[watch]\nurl = "http://127.0.0.1:{port}/beat"\nevery_s = 0.1'
        own = broker.enter_context(embedded_broker(tmp_path / "own"))
        installation = Installation(tmp_path / "gateway", own, INVENTORY, offset_to(10), more=watch)
        with installation.running():
            until(lambda: len(beats) > 0, 10)
            broker.close()
            until(lambda: installation.ready()["parts"]["heartbeat"]["state"].startswith("withheld: "), 20)
            before = len(beats)
            part = installation.ready()["parts"]["heartbeat"]
            assert "broker is not ready" in part["state"]
            until(lambda: 'heartbeats_total{outcome="withheld"}' in installation.metrics(), 5)
            assert len(beats) <= before + 1


def test_a_county_that_falls_silent_is_told_to_the_dispatcher_and_ends_with_the_first_message(
    mosquitto: Embedded, tmp_path: Path
) -> None:
    installation = Installation(
        tmp_path / "gateway", mosquitto, INVENTORY, offset_to(10), more="[watch]\ndeaf_minutes = 0.05"
    )
    happened = "SELECT event FROM event WHERE rule = 'house_deaf' AND event IN ('raised', 'cleared') ORDER BY id"
    with installation.running():
        spoken(mosquitto, 1)
        until(lambda: installation.rows(happened) == [("raised",)], 20)
        until(lambda: len(list(installation.outbox.glob("*.json"))) == 1, 10)
        spoken(mosquitto, 2)
        until(lambda: installation.rows(happened)[:2] == [("raised",), ("cleared",)], 10)
    (sent,) = installation.rows("SELECT recipient, text, kind FROM notification WHERE rule = 'house_deaf' LIMIT 1")
    assert sent[0] == "wu"
    assert "没收到任何设备消息。请看电脑和网络" in sent[1]
    assert sent[2] == "notice"
