"""Strangers before a real gateway that has few descriptors, as a service has them: what they do must not cost a fire.

No name is known to them and no password; they have the desk's address and patience.
"""

import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import SERVE, Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

DESCRIPTORS: Final = 1_024
STRANGERS: Final = 1_100
HALF: Final = b"GET / HTTP/1.1\r\nHost: desk\r\n"
INVENTORY: Final = """
county: {id: xiang, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫}
areas:
  - {id: qshi, name: 青石镇, level: town}
people:
  - {id: li, name: 李大姐, phone: "13900000001", duties: [{role: cleaner, area: qshi}]}
  - {id: wu, name: 吴调度, phone: "13900000003", duties: [{role: dispatcher, area: qshi}]}
  - {id: zhu, name: 朱主任, phone: "13900000004", duties: [{role: village_head, area: qshi}]}
assets:
  - id: bin-1
    kind: bin
    name: 柳潭1号池
    short: 柳潭1号
    area: qshi
    bin: {container: pool, empty_mm: 1250, full_mm: 250, blind_mm: 250}
devices:
  - {id: dev-1, asset: bin-1, profile: native, power: battery, interval_s: 60, installed_at: 2026-01-01T00:00:00Z}
"""


@contextmanager
def few_descriptors(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway that is ready, with as many descriptors as most shells give."""
    arguments = [sys.executable, "-c", SERVE, str(installation.configuration), str(installation.log)]
    shell = f'ulimit -n {DESCRIPTORS}; exec "$@"'
    process = subprocess.Popen(["bash", "-c", shell, "gateway", *arguments], cwd=Path(__file__).parents[2])
    try:
        until(lambda: bool(installation.ready().get("ready")) or process.poll() is not None, 60)
        assert process.poll() is None, installation.last_words()
        yield process
        process.terminate()
        assert process.wait(30) == 0, installation.last_words()
    finally:
        process.kill()
        process.wait(30)


@contextmanager
def strangers(port: int) -> Iterator[list[socket.socket]]:
    """They begin to ask, and never end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * STRANGERS)), hard))
    with ExitStack() as stack:
        came = []
        for _ in range(STRANGERS):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            one.sendall(HALF)
            came.append(one)
        yield came


@contextmanager
def device(broker: Embedded) -> Iterator[Client]:
    """The bin's sensor, before the strangers come: its library waits with ``select``, which knows 1,024 files."""
    client = Client(CallbackAPIVersion.VERSION2, "dev-1", protocol=MQTTv5)
    client.username_pw_set(broker.username, broker.password)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def burn(sensor: Client) -> None:
    """Four samples of a fire."""
    for seq in range(1, 5):
        body = {"v": 1, "boot": 1, "seq": seq, "readings": {"distance_mm": 900, "temperature_c": 95.0}}
        sensor.publish("cunjing/v1/xiang/dev-1/telemetry", json.dumps(body), qos=1).wait_for_publish(30)


def test_a_fire_is_told_while_more_strangers_stand_at_the_desk_than_there_are_descriptors(
    mosquitto: Embedded, tmp_path: Path
) -> None:
    installation = Installation(tmp_path / "gateway", mosquitto, INVENTORY)
    with few_descriptors(installation), device(mosquitto) as sensor, strangers(installation.port):
        burn(sensor)
        until(lambda: any("火警" in text.read_text("utf-8") for text in installation.outbox.glob("*")), 60)
        assert installation.rows("SELECT reason, detail FROM quarantine") == []
        ((stored,),) = installation.rows("SELECT count(*) FROM reading")
        assert stored == 4
        assert installation.ready().get("ready") is True, "the desk answers, too"
