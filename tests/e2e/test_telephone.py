"""A gateway with a real gammu-smsd: a case is told, received, answered; and killed between accept and commit.

Counted at smsd's own tables: nothing is lost, and what is there twice is named.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.smsd import Smsd

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

BINS = 6
SIGNED = "【湘阳环卫】"


def inventory() -> str:
    """A village of some bins, one cleaner with a stand-in, and an office."""
    assets = "".join(
        f"- {{id: bin-{n}, kind: bin, name: 柳潭{n}号池, short: 柳潭{n}号, landmark: 村部东侧, area: ltan,"
        " bin: {container: pool, empty_mm: 1250, full_mm: 250, blind_mm: 250}}\n  "
        for n in range(BINS)
    )
    devices = "".join(
        f"- {{id: dev-{n}, asset: bin-{n}, profile: native, power: battery, interval_s: 1200,"
        " installed_at: 2026-01-01T00:00:00Z, trial_until: 2026-01-02T00:00:00Z}\n  "
        for n in range(BINS)
    )
    return f"""
county: {{id: xiang, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫, office_phone: "55661234"}}
areas:
  - {{id: qshi, name: 青石镇, level: town}}
  - {{id: ltan, name: 柳潭村, level: village, parent: qshi}}
people:
  - {{id: li, name: 李大姐, phone: "13900000001", duties: [{{role: cleaner, area: ltan}}], stand_in: zhou}}
  - {{id: zhou, name: 周师傅, phone: "13900000002", duties: [{{role: village_head, area: ltan}}]}}
  - {{id: wu, name: 吴调度, phone: "13900000003", duties: [{{role: dispatcher, area: qshi}}]}}
  - {{id: he, name: 何镇长, phone: "13900000004", duties: [{{role: town_leader, area: qshi}}]}}
assets:
  {assets}
devices:
  {devices}
"""


class Line:
    """A gateway, its broker and its modem."""

    def __init__(self, folder: Path, broker: Embedded, smsd: Smsd) -> None:
        self.installation = Installation(folder, broker, inventory(), offset_to(10))
        configuration = folder / "gateway.toml"
        said = configuration.read_text("utf-8").replace(
            f'outbox_folder = "{self.installation.outbox}"',
            f'channel = "gammu"\ndatabase = "{smsd.database}"\ncollect_every_s = 0.2',
        )
        configuration.write_text(said, "utf-8")
        self.smsd = smsd
        self._seq = 0
        self._client = Client(CallbackAPIVersion.VERSION2, "bins", protocol=MQTTv5)
        self._client.username_pw_set(broker.username, broker.password)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def full(self, *bins: int) -> None:
        """Two samples that say so, a minute apart."""
        self._sample(bins, 260)

    def _sample(self, bins: tuple[int, ...], distance_mm: int) -> None:
        for number in bins:
            for _ in range(2):
                self._seq += 1
                body = {"v": 1, "boot": 1, "seq": self._seq, "readings": {"distance_mm": distance_mm, "tilt_deg": 1}}
                topic = f"cunjing/v1/xiang/dev-{number}/telemetry"
                self._client.publish(topic, json.dumps(body), qos=1).wait_for_publish(10)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    def events(self, name: str) -> int:
        return int(self.installation.rows(f"SELECT count(*) FROM event WHERE event = '{name}'")[0][0])  # noqa: S608 -- ours

    def texts_to(self, phone: str) -> list[str]:
        rows = self.smsd.rows("SELECT TextDecoded FROM sentitems WHERE DestinationNumber = ? ORDER BY ID", phone)
        return [text for (text,) in rows]


@pytest.fixture
def line(tmp_path: Path, mosquitto: Embedded, smsd: Smsd) -> Iterator[Line]:
    made = Line(tmp_path / "gateway", mosquitto, smsd)
    yield made
    made.close()


def told(line: Line) -> Callable[[], bool]:
    return lambda: bool(line.texts_to("13900000001"))


def test_a_full_bin_is_told_received_declined_and_passed_on(line: Line) -> None:
    with line.installation.running():
        line.full(1)
        until(told(line), 20)
        (text,) = line.texts_to("13900000001")
        assert text.startswith(f"{SIGNED}急：柳潭1号池（村部东侧）可能满出来了。")
        line.smsd.report(1)
        until(lambda: line.installation.rows("SELECT state FROM notification WHERE id = 1") == [("delivered",)], 20)
        line.smsd.reply("+8613900000001", "２")
        until(lambda: bool(line.texts_to("13900000003")) and bool(line.texts_to("13900000002")), 20)
        assert "李大姐回复去不了：柳潭1号池" in line.texts_to("13900000003")[0]
        assert "可找周师傅" in line.texts_to("13900000003")[0]
        assert "柳潭1号池（村部东侧）可能满出来了" in line.texts_to("13900000002")[0]
        until(lambda: len(line.texts_to("13900000001")) == 2, 20)
        assert "您不用去了" in line.texts_to("13900000001")[1]
        assert line.events("declined") == 1
        line.smsd.reply("+8613900000002", "1")
        until(lambda: line.events("acked") == 1, 20)
        assert line.installation.rows("SELECT meaning, person FROM answer ORDER BY id") == [
            ("declined", "li"),
            ("done", "zhou"),
        ]


def test_done_is_a_claim_and_two_samples_later_it_is_asked_again(line: Line) -> None:
    with line.installation.running():
        line.full(2)
        until(told(line), 20)
        line.smsd.reply("13900000001", "清了")
        until(lambda: line.events("acked") == 1, 20)
        line.full(2)
        until(lambda: len(line.texts_to("13900000001")) == 2, 20)
        assert "您说清了，仪器还显示" in line.texts_to("13900000001")[1]


def test_what_is_not_understood_is_kept_and_answered_once_an_hour(line: Line) -> None:
    with line.installation.running():
        for text in ("你是谁" * 20, "😀", "再说一次"):
            line.smsd.reply("+8613911112222", text)
        line.smsd.reply("10086", "您的话费不足")
        until(lambda: line.installation.rows("SELECT count(*) FROM answer") == [(4,)], 20)
        until(lambda: bool(line.texts_to("13911112222")), 20)
        line.full(3)
        until(told(line), 20)
        assert len(line.texts_to("13911112222")) == 1
        assert line.texts_to("10086") == []


@pytest.mark.parametrize("kills", [4])
def test_killed_between_accept_and_commit_nothing_is_lost_and_doubles_are_named(line: Line, kills: int) -> None:
    line.smsd.stop()  # what is laid stays countable in the outbox
    process = line.installation.start()
    line.installation.until_ready(process)
    for number in range(kills):
        before = line.smsd.rows("SELECT count(*) FROM outbox")[0][0]
        line.full(number)
        until(lambda before=before: line.smsd.rows("SELECT count(*) FROM outbox")[0][0] > before, 20)  # type: ignore[misc] # bound now
        process.kill()  # smsd has it; whether we noted it is chance
        process.join()
        process = line.installation.start()
        line.installation.until_ready(process)
    until(
        lambda: line.installation.rows("SELECT count(*) FROM notification WHERE state = 'accepted'") == [(kills,)], 30
    )
    process.terminate()
    process.join(15)
    line.smsd.start()
    line.smsd.until(lambda: line.smsd.rows("SELECT count(*) FROM outbox") == [(0,)])
    marks = Counter(mark for (mark,) in line.smsd.rows("SELECT CreatorID FROM sentitems"))
    doubles = {mark: count for mark, count in marks.items() if count > 1}
    print(f"{kills} kills, {len(marks)} of {kills} texts at smsd, twice: {doubles or 'none'}")  # noqa: T201 -- counted
    assert len(marks) == kills
    assert doubles == {}, "smsd can be asked by our mark, so not even a kill makes a double"
