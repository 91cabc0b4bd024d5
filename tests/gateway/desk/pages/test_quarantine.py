"""隔离: what was refused is looked at again once its cause is mended: history, and nobody is told."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.journal.reader import JournalReader
from telemetry.inventory import Inventory
from tests.desk_gateway import DeskGateway, at, desk_gateway, inventory
from tests.gateway.desk.conftest import MORNING, Visitor

Enter = Callable[[str], Visitor]
EnterAt = Callable[[DeskGateway, str], Visitor]


def without(device: str) -> Inventory:
    """The county before somebody has entered a device."""
    county = inventory()
    return replace(county, devices={name: known for name, known in county.devices.items() if name != device})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    """One whose device 0102 was refused all morning, and is known since a restart."""
    refused_all_morning(tmp_path)
    with desk_gateway(tmp_path, at(24, 12)) as running:
        running.sent_before(1_000)
        yield running


def refused_all_morning(folder: Path) -> None:
    with desk_gateway(folder, MORNING, county=without("bin-0102")) as before:
        before.filled("bin-0102", 80)


def again(visitor: Visitor, reason: str = "unknown_device") -> str:
    return visitor.post("/quarantine/again", data={"csrf": visitor.csrf, "reason": reason}).text


def readings(gateway: DeskGateway, device: str) -> list[dict[str, object]]:
    with closing(JournalReader.open(gateway.journal)) as reader:
        return [row for row in reader.readings() if row["device"] == device]


def test_what_was_refused_becomes_history_and_tells_nobody(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert readings(gateway, "bin-0102") == []
    gateway.levels["bin-0102"] = 20.0
    gateway.at(at(24, 12, 20))
    sent, heard = len(gateway.channel.sent), readings(gateway, "bin-0102")
    assert "已重新处理" in again(lin)
    gateway.settle()
    taken = [row for row in readings(gateway, "bin-0102") if row not in heard]
    assert len(taken) == 2
    assert all(row["late"] for row in taken)
    assert {str(row["observed_at"])[:13] for row in taken} == {"2026-11-24T00"}, "when they were measured"
    assert len(gateway.channel.sent) == sent
    assert "over_two_thirds" not in gateway.open_rules().values(), "the past says nothing of now"
    page = lin.see("/quarantine").text
    assert "已补收" in page
    assert "重新处理：设备没登记" not in page, "nothing of it is left"
    assert "设备没登记：已补收 2" in lin.see("/audit").text


def test_again_and_again_changes_nothing(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    again(lin)
    gateway.settle()
    kept = readings(gateway, "bin-0102")
    assert "这一类已经没有要处理的了" in again(lin)
    assert readings(gateway, "bin-0102") == kept


def test_what_is_no_better_is_refused_again_and_stays(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    reasons = lin.see("/quarantine").text
    assert "设备没登记" in reasons
    gateway.send("bin-0101", b"{not json")
    gateway.settle()
    assert "还是不认得" in again(lin, "not_json")
    gateway.settle()
    page = lin.see("/quarantine?reason=not_json").text
    assert "仍被拒" in page
    assert "重新处理：不是 JSON" in page, "it may be asked for again"


def test_a_restart_remembers_the_same_as_a_gateway_that_went_on(visitor_at: EnterAt, tmp_path: Path) -> None:
    """The past must not be a sign of life, neither now nor after a restart."""
    refused_all_morning(tmp_path)
    with desk_gateway(tmp_path, at(24, 12)) as gateway:
        gateway.sent_before(1_000)
        gateway.levels["bin-0102"] = 20.0
        gateway.at(at(24, 12, 20))
        again(visitor_at(gateway, "lin"))
        gateway.settle()
        with gateway.desk.present.feed.present() as projection:
            before = projection.assets["meiling-02"]
        heard_ms = gateway.clock.now
        killed = tmp_path / "killed"  # the file as it is now: nothing was laid down in peace
        killed.mkdir()
        with closing(sqlite3.connect(gateway.journal)) as kept, closing(sqlite3.connect(killed / "journal.db")) as copy:
            kept.backup(copy)
    with desk_gateway(killed, at(24, 12, 21)) as later, later.desk.present.feed.present() as projection:
        assert projection.assets["meiling-02"] == before
        assert before.heard_ms == heard_ms
        assert before.level_pct == pytest.approx(20.0)


def test_only_a_dispatcher_of_the_whole_county_may(visitor: Enter) -> None:
    shi, gang, wu = visitor("shi"), visitor("gang"), visitor("wu")
    assert "这一页要看全县" in again(shi)
    assert "您的账号不能做这件事" in again(gang)
    assert "办事要留名" in again(wu)
    lin = visitor("lin")
    assert "认不得的内容" in again(lin, "x" * 100)
    assert "不能重新处理" in again(lin, "series_refused")
    lin.csrf = "forged"
    refused = lin.post("/quarantine/again", data={"csrf": lin.csrf, "reason": "not_json"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
