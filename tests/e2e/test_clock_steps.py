"""A real gateway whose machine's clock is set while it runs, by libfaketime; and one whose machine stands still.

Only the wall clock is told another time, the monotonic one goes on: each test looks that the two have parted.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.clock import monotonic_s
from gateway.embedded_broker import Embedded, find_mosquitto
from gateway.journal.reader import JournalReader
from tests.e2e.gateway_process import SERVE, Installation, offset_to, paused, until
from tests.pictures import demo

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

HOUR_S, DAY_S = 3_600, 86_400
SECOND_MS = 1_000
FROZEN_S = 90
INVENTORY = """
county: {id: xiang, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫}
areas:
  - {id: qshi, name: 青石镇, level: town}
people:
  - {id: li, name: 李大姐, phone: "13900000001", duties: [{role: cleaner, area: qshi}]}
  - {id: wu, name: 吴调度, phone: "13900000003", duties: [{role: dispatcher, area: qshi}]}
  - {id: chen, name: 陈工, phone: "13900000002", duties: [{role: crew, area: qshi}]}
assets:
  - id: bin-1
    kind: bin
    name: 柳潭1号池
    short: 柳潭1号
    area: qshi
    bin: {container: pool, empty_mm: 1250, full_mm: 250, blind_mm: 250}
  - id: works
    kind: plant
    name: 禾田污水站
    short: 禾田站
    area: qshi
    plant: {design_m3d: 50}
devices:
  - {id: dev-1, asset: bin-1, profile: native, power: battery, interval_s: 60, installed_at: 2026-01-01T00:00:00Z}
  - {id: met-1, asset: works, profile: native, power: mains, interval_s: 60, installed_at: 2026-01-01T00:00:00Z}
"""


class Machine:
    """What tells a process the time of day: a file at which libfaketime looks each second."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._ahead_s = offset_to(10) // SECOND_MS
        self.is_set(0)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def is_set(self, by_s: int) -> None:
        self._ahead_s += by_s
        told = self._file.with_suffix(".new")
        told.write_text(f"{self._ahead_s:+d}\n", "ascii")
        told.replace(self._file)


class House:
    """A gateway on such a machine, and the two devices of its county."""

    def __init__(self, installation: Installation, machine: Machine, process: subprocess.Popen[bytes]) -> None:
        self.installation = installation
        self.machine = machine
        self.process = process
        self._seq = 0

    def speak(self, broker: Embedded) -> None:
        """Both say that all is well, and it is durable."""
        self._seq += 1
        client = Client(CallbackAPIVersion.VERSION2, "bins", protocol=MQTTv5)
        client.username_pw_set(broker.username, broker.password)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        for device, readings in (("dev-1", {"distance_mm": 1_100}), ("met-1", {"flow_m3h": 2.0, "mains_on": True})):
            body = {"v": 1, "boot": 1, "seq": self._seq, "readings": readings}
            client.publish(f"cunjing/v1/xiang/{device}/telemetry", json.dumps(body), qos=1).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()
        until(lambda: self.count("reading") == 2 * self._seq, 10)

    def count(self, rows: str) -> int:
        ((found,),) = self.installation.rows(f"SELECT count(*) FROM {rows}")  # noqa: S608 -- words of our own
        return int(found)

    def deafness(self, number: int = 0) -> dict[str, Any]:
        """The newest of so many and one."""
        until(lambda: self.count("event WHERE event = 'deaf'") == number + 1, 20)
        rows = self.installation.rows("SELECT at_ms, detail FROM event WHERE event = 'deaf' ORDER BY id")
        at_ms, detail = rows[-1]
        return {"at_ms": at_ms, **json.loads(detail)}

    def happened(self) -> list[tuple[str, ...]]:
        return self.installation.rows("SELECT rule FROM event WHERE event = 'raised' ORDER BY id")

    def told(self, after: int) -> list[tuple[str, ...]]:
        return self.installation.rows("SELECT rule, text FROM notification ORDER BY id")[after:]

    def goes_on(self, since_ms: int) -> None:
        """Its time does not stand still."""
        until(lambda: self.heartbeat_ms() >= since_ms + 6 * SECOND_MS, 20)

    def heartbeat_ms(self) -> int:
        ((at_ms,),) = self.installation.rows("SELECT at_ms FROM heartbeat")
        return int(at_ms)


@contextmanager
def gateway(folder: Path, broker: Embedded, machine: Machine) -> Iterator[House]:
    """A process of its own from its first word; SIGTERM ends it well and soon, whatever was done to its clock."""
    installation = Installation(folder, broker, INVENTORY, telling=lambda shipped: shipped)
    command = [sys.executable, "-c", SERVE, str(folder / "gateway.toml"), str(installation.log)]
    process = subprocess.Popen(command, env=machine.environment)
    try:
        until(lambda: bool(installation.ready().get("ready")) or process.poll() is not None, 90)
        assert process.poll() is None, installation.last_words()
        yield House(installation, machine, process)
        began_s = monotonic_s()
        process.terminate()
        assert process.wait(10) == 0, installation.last_words()
        assert monotonic_s() - began_s < 10
    finally:
        process.kill()
        process.wait()


STEPS: Final[tuple[tuple[int, list[str]], ...]] = (
    (3 * HOUR_S, ["3小时"]),
    (-3 * HOUR_S, []),
    (7 * DAY_S, ["7天"]),
    (365 * DAY_S, ["365天"]),
)
"""By how much it is set, and what is told of it: once a day, however often."""


def test_a_clock_that_is_set_is_excused_said_and_told_once(tmp_path: Path, mosquitto: Embedded, faketime: Path) -> None:
    machine = Machine(tmp_path / "time", faketime)
    with gateway(tmp_path / "gateway", mosquitto, machine) as house:
        house.speak(mosquitto)
        shown_s = highest_s = 0
        for number, (step_s, jumps) in enumerate(STEPS):
            told = house.count("notification")
            before_ms = house.heartbeat_ms()
            machine.is_set(step_s)
            deaf = house.deafness(number)
            assert abs(deaf["step_s"] - step_s) <= 2, "the two clocks have not parted"
            assert before_ms <= deaf["since_ms"] <= deaf["at_ms"]
            shown_s += step_s
            moved_s, highest_s = max(0, shown_s - highest_s), max(shown_s, highest_s)
            assert abs(deaf["at_ms"] - before_ms - moved_s * SECOND_MS) < 60 * SECOND_MS
            house.speak(mosquitto)
            part = house.installation.ready()["parts"]["clock"]
            assert not part["ready"]
            assert "set by" in part["state"]
            assert ("less than what was told" in part["state"]) is (step_s < 0)
            house.goes_on(deaf["at_ms"])
            texts = [text for rule, text in house.told(told) if rule != "list"]
            assert texts == [
                f"【湘阳环卫】{day(deaf)}值班电脑时间跳了{jump}，已按停机处理，请核对电脑时间。" for jump in jumps
            ]
            assert len(house.told(told)) <= len(jumps) + 1, "lists of days that nobody saw"
        assert set(house.happened()) == {("clock_stepped",)}


def day(deaf: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(deaf["at_ms"] / SECOND_MS, ZoneInfo("Asia/Shanghai"))
    return f"{at.day}日"


@pytest.mark.skipif(find_mosquitto() is None, reason="the demo's own broker speaks too slowly for this speed")
def test_a_machine_that_stands_still_has_slept_in_production_and_in_the_demo(
    tmp_path: Path, mosquitto: Embedded
) -> None:
    plain = Machine(tmp_path / "time", Path())
    plain.environment = dict(os.environ)
    with ExitStack() as stack:
        house = stack.enter_context(gateway(tmp_path / "gateway", mosquitto, plain))
        stack.enter_context(demo(tmp_path, speed=60))
        visitor = tmp_path / "data" / "journal.db"
        until(lambda: visitor.exists() and read(visitor, "SELECT count(*) FROM reading")[0][0] > 0, 30)
        house.speak(mosquitto)
        frozen = [house.process.pid, *children("gateway.cli", "demo", str(tmp_path / "data"))]
        assert len(frozen) == 2
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        paused(FROZEN_S)
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        deaf = house.deafness()
        assert deaf["step_s"] == 0
        assert deaf["at_ms"] - deaf["since_ms"] >= (FROZEN_S - 5) * SECOND_MS
        house.speak(mosquitto)
        assert house.happened() == []
        assert house.count("notification WHERE rule <> 'list'") == 0
        until(lambda: bool(read(visitor, "SELECT 1 FROM event WHERE event = 'deaf'")), 20)
        ((at_ms, detail),) = read(visitor, "SELECT at_ms, detail FROM event WHERE event = 'deaf'")
        assert at_ms - json.loads(detail)["since_ms"] >= (FROZEN_S - 5) * 60 * SECOND_MS
        paused(5)
        silent = read(visitor, "SELECT at_ms FROM event WHERE event = 'raised' AND rule LIKE '%offline'")
        assert [raised_ms for (raised_ms,) in silent if raised_ms >= at_ms] == []


def read(journal: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(JournalReader.open(journal)) as reader:
        return reader._connection.execute(query).fetchall()


def children(*words: str) -> list[int]:
    """Processes whose command has all these words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if all(word in command for word in words):
                found.append(int(entry.name))
    return found
