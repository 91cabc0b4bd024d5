"""One device's junk on a real broker before everybody else's fires: they are told in time, and their evidence stays.

The gateway is a process of its own; the junk lies in the broker before it starts, so that all of it comes first.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event

import pytest

from firmware_sim.publish import Broker, publish
from firmware_sim.radio import TimedUplink
from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, ShiftedClock, offset_to, unfolded, until
from tests.e2e.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

JUNK = b"\xff" * 60_000
FIRES = 4
EVIDENCE = 12


def installed(folder: Path, broker: Embedded) -> Installation:
    offset_ms = offset_to(10)
    load = Load.of(Random(20_261_129), 40, 1, ShiftedClock(offset_ms).now_ms)
    return Installation(folder, broker, load.inventory(), offset_ms, telling=unfolded)


def said(device: int, payload: bytes) -> TimedUplink:
    return TimedUplink(0, f"cunjing/v1/xiang/s-{device:04}/telemetry", payload)


def uplinks(junk: int) -> Iterator[TimedUplink]:
    """Others' evidence, the flood, and in its midst and after it the fires."""
    yield from (said(number, b"no JSON at all") for number in range(20, 20 + EVIDENCE))
    fire = json.dumps({"v": 1, "boot": 1, "seq": 1, "readings": {"temperature_c": 95.0}}).encode()
    for number in range(junk):
        yield said(0, JUNK)
        if number % (junk // FIRES) == junk // FIRES - 1:
            yield said(1 + number * FIRES // junk, fire)


def flood(folder: Path, broker: Embedded, junk: int) -> None:
    gateway = installed(folder, broker)
    with gateway.running():
        pass  # the broker knows our session from here on
    reach = Broker("127.0.0.1", broker.port, broker.username, broker.password)
    published = publish(uplinks(junk), reach, Event())
    assert published.acknowledged == published.sent
    with gateway.running():
        until(lambda: f"cunjing_messages_acked_total {published.sent}.0" in gateway.metrics(), 60)
        until(
            lambda: (
                len(gateway.rows("SELECT 1 FROM notification WHERE rule = 'fire' AND state = 'delivered'")) >= FIRES
            ),
            30,
        )
        metrics = gateway.metrics()
    assert f'cunjing_quarantined_total{{reason="not_json"}} {EVIDENCE + junk}.0' in metrics
    others = "SELECT count(*) FROM quarantine WHERE topic NOT LIKE '%/s-0000/%'"
    assert gateway.rows(others) == [(EVIDENCE,)]
    ((rows,),) = gateway.rows("SELECT count(*) FROM quarantine WHERE topic LIKE '%/s-0000/%'")
    ((summed,),) = gateway.rows("SELECT sum(times) FROM anomaly WHERE kind = 'flooded'")
    assert rows <= 17, "about a megabyte of it"
    assert rows + summed == junk, "nothing that is acknowledged is nowhere"
    told = gateway.rows("SELECT recipient, text FROM notification WHERE rule = 'flooded_device'")
    assert [person for person, _ in told] == ["crew"]
    assert "仪器乱发消息" in told[0][1]
    assert gateway.log.read_text("utf-8").count("floods") == 1


def test_one_devices_junk_delays_nobodys_fire_and_drives_out_nobodys_evidence(
    tmp_path: Path, mosquitto: Embedded
) -> None:
    flood(tmp_path, mosquitto, 120)


@pytest.mark.deep
def test_three_thousand_of_them(tmp_path: Path, mosquitto: Embedded) -> None:
    flood(tmp_path, mosquitto, 3_000)
