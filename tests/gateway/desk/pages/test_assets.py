"""已停用: what is retired keeps a page with all that stood on it, and nothing links to nowhere (T4, T16)."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from alerts.conditions.filling import Forecast, LevelForecast
from gateway.desk.scope import UserScope
from telemetry.inventory import Inventory
from tests.desk_gateway import DeskGateway, desk_gateway, on_demand
from tests.gateway.desk.conftest import MORNING, Visitor

GONE = "meiling-01"


def without_pool() -> Inventory:
    """The same county after the office took a pool out of the file."""
    county = on_demand()
    return replace(
        county,
        assets={name: asset for name, asset in county.assets.items() if name != GONE},
        devices={name: device for name, device in county.devices.items() if device.asset != GONE},
        routes={
            name: replace(route, stops=tuple(stop for stop in route.stops if stop != GONE))
            for name, route in county.routes.items()
        },
        former={GONE: county.assets[GONE]},
    )


def test_what_is_retired_keeps_its_page_and_its_history(
    tmp_path: Path, visitor_at: Callable[[DeskGateway, str], Visitor]
) -> None:
    with desk_gateway(tmp_path, MORNING, county=on_demand()) as gateway:
        gateway.filled("bin-0101", 97.0)
        gateway.at(gateway.clock.now + 30 * 60_000)
        now_ms = gateway.clock.now
        name = gateway.desk.present.inventory.assets[GONE].name
    with desk_gateway(tmp_path, now_ms + 60_000, county=without_pool()) as gateway:
        gateway.at(now_ms + 20 * 60_000)
        lin = visitor_at(gateway, "lin")
        listed = lin.see("/assets").text
        assert "已停用" in listed
        assert f'href="/assets/{GONE}"' in listed
        page = lin.see(f"/assets/{GONE}")
        assert page.status_code == httpx.codes.OK
        for said in (name, "已停用", "满溢", "不用去了", "不再监测"):
            assert said in page.text
        cases = set(re.findall(r'href="(/cases/[0-9]{8}-[^"?]+)"', lin.see(f"/cases?show=all&asset={GONE}").text))
        assert any("设施已停用" in lin.see(case).text for case in cases), cases
        assert lin.see("/assets/never-was").status_code == httpx.codes.NOT_FOUND


def test_another_town_sees_nothing_of_it() -> None:
    assert UserScope(without_pool(), "shiqiao").sees(GONE)
    assert not UserScope(without_pool(), "baisha").sees(GONE)
    assert UserScope(without_pool(), "baisha").former == ()


def test_a_plants_page_says_what_its_signals_cannot_show(
    tmp_path: Path, visitor_at: Callable[[DeskGateway, str], Visitor]
) -> None:
    with desk_gateway(tmp_path, MORNING) as gateway:
        lin = visitor_at(gateway, "lin")
        assert "看不出" not in lin.see("/assets/meiling-plant").text, "it was not heard yet"
        gateway.send("plant-0101", {"v": 1, "boot": 1, "seq": 1, "readings": {"flow_m3h": 3.0, "mains_on": 1}})
        gateway.settle()
        page = lin.see("/assets/meiling-plant").text
        assert "这座站看不出卡泵和空转：没有电流；分不清停机和歇着：没有水位。" in page


HOUR_MS = 3_600_000


def test_a_bin_says_when_it_would_be_over_if_nobody_came(
    gateway: DeskGateway, visitor: Callable[[str], Visitor]
) -> None:
    lin = visitor("lin")
    now_ms = gateway.clock.now
    line, brim = (Forecast(*(now_ms + hours * HOUR_MS for hours in each)) for each in ((5, 3, 9), (20, 12, 30)))

    def shown(found: LevelForecast) -> str:
        with gateway.desk.present.feed.present() as projection:
            projection.assets[GONE].forecast = found
        return lin.see(f"/assets/{GONE}").text

    page = shown(LevelForecast(line, brim))
    assert "没人清的话" in page
    assert "到线" in page
    assert "满出来" in page
    assert "到线" not in shown(LevelForecast(None, brim)), "it is over the line already"
    assert "没人清的话" not in shown(LevelForecast(None, None))
    past = line._replace(at_ms=now_ms - 1)
    assert "没人清的话" not in shown(LevelForecast(past, None)), "what has not come true is not said any more"
