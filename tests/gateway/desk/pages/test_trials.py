"""试运行: 转正式 on a real loop and journal: told from then on, remembered, audited, and not for everybody."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from telemetry.inventory import Inventory
from tests.desk_gateway import DeskGateway, at, desk_gateway, on_demand
from tests.gateway.desk.conftest import MORNING, Visitor

Enter = Callable[[str], Visitor]
UNTIL = datetime(2026, 12, 24, tzinfo=UTC)


def on_trial() -> Inventory:
    """Everything of the one village is new; the other village has a date."""
    county = on_demand()
    new = {"bin-0101", "bin-0102", "plant-0101"}
    devices = {
        name: replace(device, installed_at=datetime(2026, 11, 23, tzinfo=UTC)) if name in new else device
        for name, device in county.devices.items()
    }
    areas = {
        name: replace(area, trial_until=UNTIL) if name == "zhuyuan" else area for name, area in county.areas.items()
    }
    return replace(county, devices=devices, areas=areas)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING, county=on_trial()) as running:
        yield running


def end(visitor: Visitor, kind: str, name: str) -> str:
    return visitor.post("/trial/end", data={"csrf": visitor.csrf, "kind": kind, "name": name}).text


def about(gateway: DeskGateway) -> set[str]:
    """The sites that somebody was texted about."""
    return {message.episode.split("/")[1] for message in gateway.channel.sent}


def test_what_a_trial_kept_back_is_told_once_it_is_ended(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    gateway.filled("bin-0201", 97)
    assert "竹园集市" in lin.see("/trial").text
    assert gateway.channel.sent == []
    assert "转了就不能退回" in lin.see("/trial/end?kind=area&name=zhuyuan").text
    assert "已转正式" in end(lin, "area", "zhuyuan")
    gateway.settle()
    assert [message.to for message in gateway.channel.sent] == ["zhu"]
    assert "它已经不在试运行了" in end(lin, "area", "zhuyuan"), "a second click finds nothing to end"
    audit = lin.see("/audit").text
    assert "转正式" in audit
    assert "地方 竹园村：已转正式，告警照规矩发" in audit


def test_an_area_takes_all_that_is_new_with_it_and_an_asset_only_itself(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "新装 3 处" in lin.see("/trial").text
    assert "已转正式" in end(lin, "asset", "meiling-01")
    assert "新装 2 处" in lin.see("/trial").text
    gateway.levels |= {"bin-0101": 97, "bin-0102": 97}
    gateway.at(at(24, 9))
    assert about(gateway) == {"meiling-01"}
    assert "已转正式" in end(lin, "area", "meiling")
    gateway.at(at(24, 9, 10))
    assert about(gateway) == {"meiling-01", "meiling-02"}
    assert "新装</small>" not in lin.see("/trial").text


def test_the_same_is_asked_over_http(gateway: DeskGateway) -> None:
    wish = {"kind": "area", "name": "zhuyuan", "by": "lin"}
    with httpx.Client(base_url=gateway.url, trust_env=False, headers={"Authorization": "Bearer hush"}) as http:
        assert http.post("/api/v1/trials/end", json={**wish, "by": "x"}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert http.post("/api/v1/trials/end", json=wish).json()["name"] == "zhuyuan"
        again = http.post("/api/v1/trials/end", json=wish)
        assert again.status_code == HTTPStatus.CONFLICT
        assert "is not on trial by itself" in again.json()["detail"]
        wish = {"reason": "not_json", "by": "lin"}
        assert "nothing is in quarantine" in http.post("/api/v1/quarantine/again", json=wish).json()["detail"]
        http.headers.pop("Authorization")
        assert http.post("/api/v1/quarantine/again", json=wish).status_code == HTTPStatus.UNAUTHORIZED


def test_only_a_dispatcher_ends_what_is_in_sight(visitor: Enter) -> None:
    gang, shi, guest = visitor("gang"), visitor("shi"), visitor("guest")
    assert "转正式</a>" not in gang.see("/trial").text
    assert guest.see("/trial/end?kind=area&name=zhuyuan").status_code == HTTPStatus.FORBIDDEN
    assert "您的账号不能做这件事" in end(gang, "asset", "meiling-01")
    assert "不归您管" in end(shi, "area", "zhuyuan")
    assert "竹园" not in shi.see("/trial").text
    assert "认不得的内容" in end(shi, "village", "meiling")
    shi.csrf = "forged"
    assert "不是从值班台发来的" in end(shi, "asset", "meiling-01")
