"""A village of two LoRaWAN bins and a native one, and the events that ChirpStack publishes of them.

Nothing is judged here.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from telemetry.codecs import codecs
from telemetry.inventory.checks import NATIVE
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.scenario_run import policy_files
from tests.virtual_line import VirtualLine

START_MS: Final[Millis] = 1_795_390_200_000
"""2026-11-23 07:30 in the county."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

SENSOR: Final = "s-pool"
EUI: Final = "24e124713b000102"
TOPIC: Final = f"application/1/device/{EUI}/event/up"
NATIVE_TOPIC: Final = "cunjing/v1/xia/s-road/telemetry"
ADDRESS: Final = "01a2b3c4"
SESSION: Final = int(ADDRESS, 16)

VILLAGE: Final = f"""
county: {{id: xia, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫}}
areas:
  - {{id: qingshi, name: 青石镇, level: town}}
  - {{id: liutan, name: 柳潭村, level: village, parent: qingshi}}
people:
  - {{id: cleaner, name: 李大姐, phone: "13900000001", duties: [{{role: cleaner, area: liutan}}]}}
  - {{id: crew, name: 陈工, phone: "13900000003", duties: [{{role: crew, area: qingshi}}]}}
  - {{id: office, name: 吴调度, phone: "13900000004", duties: [{{role: dispatcher, area: qingshi}}]}}
  - {{id: head, name: 柳书记, phone: "13900000005", duties: [{{role: village_head, area: liutan}}]}}
  - {{id: leader, name: 何镇长, phone: "13900000006", duties: [{{role: town_leader, area: qingshi}}]}}
assets:
  - {{id: pool, kind: bin, name: 柳潭村1号垃圾池, short: 柳潭1号, area: liutan, bin: {{empty_mm: 1200, full_mm: 200, blind_mm: 200}}}}
  - {{id: road, kind: bin, name: 柳潭村2号垃圾池, short: 柳潭2号, area: liutan, bin: {{empty_mm: 1200, full_mm: 200, blind_mm: 200}}}}
  - {{id: gate, kind: bin, name: 柳潭村3号垃圾池, short: 柳潭3号, area: liutan, bin: {{empty_mm: 1200, full_mm: 200, blind_mm: 200}}}}
devices:
  - {{id: {SENSOR}, asset: pool, profile: milesight-em400, power: battery, interval_s: 1200, dev_eui: {EUI}, installed_at: 2026-11-01T00:00:00Z}}
  - {{id: s-road, asset: road, profile: native, power: battery, interval_s: 1200, installed_at: 2026-11-01T00:00:00Z}}
  - {{id: s-gate, asset: gate, profile: milesight-em400, power: battery, interval_s: 1200, dev_eui: 24e124713b000103, installed_at: 2026-11-01T00:00:00Z, settings: {{f_port: 2}}}}
"""  # noqa: E501 -- a row is a row
PARSED = parse(VILLAGE, "lorawan.yaml", frozenset({NATIVE, *codecs()}))
assert PARSED.inventory is not None, PARSED.faults
COUNTY = PARSED.inventory
POLICY_FILES = policy_files()


def opened(path: Path) -> VirtualLine:
    """A gateway that has just begun to listen, on a journal of its own."""
    return VirtualLine(path, COUNTY, POLICY_FILES, START_MS)


def iso(at_ms: Millis) -> str:
    """The network server's way to write an instant."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def event(f_cnt: int | None, frame: str, at_ms: Millis | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """An uplink event: the frame in hex, the network's time, and what else a test wants in it."""
    return {
        "deduplicationId": f"{f_cnt}-{frame}-{at_ms}",
        "deviceInfo": {"devEui": EUI},
        "devAddr": ADDRESS,
        "fCnt": f_cnt,
        "fPort": 85,
        "data": base64.b64encode(bytes.fromhex(frame)).decode(),
        **({} if at_ms is None else {"time": iso(at_ms)}),
        **more,
    }


def up(f_cnt: int | None, frame: str, at_ms: Millis, *, topic: str = TOPIC, **more: Any) -> Uplink:  # noqa: ANN401 -- JSON
    """The same as an uplink that reaches us at that time."""
    return Uplink(at_ms, topic, json.dumps(event(f_cnt, frame, at_ms, **more)).encode())


def native(*samples: dict[str, Any], at_ms: Millis) -> Uplink:
    """What the native bin sends: one sample, or a list of several."""
    return Uplink(at_ms, NATIVE_TOPIC, json.dumps(samples[0] if len(samples) == 1 else samples).encode())
