"""The map: what its script reads, what of it somebody sees, and from where else a browser may take pictures."""

from collections.abc import Callable
from html import unescape
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from gateway.imports import profiles
from gateway.settings import Tiles
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from tests.desk_gateway import COUNTY, DeskGateway, at, desk_gateway
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
EnterAt = Callable[[DeskGateway, str], Visitor]
TILES = Tiles("http://tiles.example:8081/land/{z}/{x}/{y}.png?k=1", "© <b>某某</b> 图")


def county(*changes: tuple[str, str]) -> Inventory:
    """The county of the desk's tests, a little different."""
    text = COUNTY.read_text("utf-8")
    for was, becomes in changes:
        assert was in text
        text = text.replace(was, becomes)
    found = parse(text, COUNTY.name, profiles())
    assert found.inventory is not None, found.faults
    return found.inventory


def told(visitor: Visitor) -> dict[str, Any]:
    answer = visitor.get("/map/sites")
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    said: dict[str, Any] = answer.json()
    return said


def images(visitor: Visitor, path: str) -> str:
    (found,) = [
        part.strip()
        for part in visitor.see(path).headers["content-security-policy"].split(";")
        if part.strip().startswith("img-src")
    ]
    return found


def test_each_site_is_told_with_its_look_its_place_and_the_words_for_it(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    sites = {site["id"]: site for site in told(visitor("lin"))["sites"]}
    assert sites["meiling-01"] == {
        "id": "meiling-01",
        "place": [27.731, 112.612],
        "look": "over",
        "shape": "triangle",
        "level": 72.0,
        "said": "梅岭1号 过三分之二 七成",
        "above": sites["meiling-01"]["above"],
    }
    assert (sites["meiling-02"]["look"], sites["meiling-02"]["shape"]) == ("fine", "round")
    assert (sites["meiling-plant"]["shape"], sites["meiling-plant"]["level"]) == ("waves", None)
    assert sites["meiling-01"]["above"] > sites["meiling-02"]["above"], "the worst lies on top"
    assert list(sites)[-1] == "meiling-01"


def test_a_level_that_nobody_has_seen_is_not_empty(tmp_path: Path, visitor_at: EnterAt) -> None:
    with desk_gateway(tmp_path, at(24, 8)) as gateway:  # nothing has said anything yet
        (site,) = [site for site in told(visitor_at(gateway, "lin"))["sites"] if site["id"] == "meiling-01"]
    assert (site["look"], site["shape"], site["level"]) == ("unheard", "point", None)
    assert site["said"] == "梅岭1号 还没数据"


def test_outlines_are_told_towns_first_and_by_name(visitor: Enter) -> None:
    outlines = told(visitor("lin"))["outlines"]
    assert [(area["name"], area["level"]) for area in outlines] == [
        ("石桥镇", "town"),
        ("白沙镇", "town"),
        ("梅岭村", "village"),
        ("竹园村", "village"),
    ]
    lats, lons = zip(*outlines[2]["ring"], strict=True)
    assert min(lats) < 27.728
    assert max(lats) > 27.735
    assert min(lons) < 112.612
    assert max(lons) > 112.618


def test_what_is_out_of_somebodys_sight_is_not_in_it(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0201", 72)
    shi = visitor("shi")
    seen = told(shi)
    assert {site["id"] for site in seen["sites"]} == {"meiling-01", "meiling-02", "meiling-plant"}
    assert {area["name"] for area in seen["outlines"]} == {"石桥镇", "梅岭村"}
    assert "过三分之二" not in shi.see("/map/legend").text
    assert "过三分之二" in visitor("lin").see("/map/legend").text


@pytest.mark.parametrize("path", ["/map/sites", "/map/legend"])
def test_nobody_reads_it_without_logging_in(visitor: Enter, path: str) -> None:
    answer = visitor("").get(path)
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert "梅岭" not in answer.text


def test_a_name_with_markup_and_a_site_without_a_place(tmp_path: Path, visitor_at: EnterAt) -> None:
    changed = county(("梅岭2号", "<b>2号"), ("location: {lat: 27.66, lon: 112.70}, ", ""))
    with desk_gateway(tmp_path, at(24, 8), county=changed) as gateway:
        lin = visitor_at(gateway, "lin")
        said = {site["id"]: site["said"] for site in told(lin)["sites"]}
        page = lin.see("/map").text
    assert said["meiling-02"].startswith("<b>2号 "), "as it is; the script puts it in as text"
    assert "zhuyuan-01" not in said
    assert "<b>2号" not in page
    assert "另有 1 处没有坐标" in page


def test_the_legend_counts_what_the_map_shows(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    legend = visitor("lin").see("/map/legend").text
    assert 'hx-get="/map/legend"' in legend
    assert legend.index("过三分之二</span> <b>1</b>") < legend.index("正常</span> <b>2</b>"), "the worst first"


def test_without_scripts_and_on_paper_the_drawings_stand(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    page = visitor("lin").see("/map").text
    assert 'aria-label="梅岭1号 过三分之二"' in page
    assert 'class="dot look-over" data-site="meiling-01"' in page
    assert '<div id="atlas" hidden' in page
    assert "data-tiles" not in page


def test_without_tiles_a_browser_may_ask_nobody_else(visitor: Enter) -> None:
    for path in ("/", "/map"):
        assert images(visitor("lin"), path) == "img-src 'self' data:"


def test_with_tiles_the_map_alone_may_show_pictures_of_that_origin(tmp_path: Path, visitor_at: EnterAt) -> None:
    with desk_gateway(tmp_path, at(24, 8), tiles=TILES) as gateway:
        lin = visitor_at(gateway, "lin")
        assert images(lin, "/map") == "img-src 'self' data: http://tiles.example:8081"
        assert images(lin, "/") == "img-src 'self' data:"
        page = lin.see("/map").text
    assert f'data-tiles="{TILES.url}"' in unescape(page)
    assert "<b>某某" not in page
    assert f'data-credit="{TILES.credit}"' in unescape(page)


def test_tiles_of_the_desks_own_address_need_no_exception(tmp_path: Path, visitor_at: EnterAt) -> None:
    with desk_gateway(tmp_path, at(24, 8), tiles=Tiles("/tiles/{z}/{x}/{y}.png", "自己的图")) as gateway:
        assert images(visitor_at(gateway, "lin"), "/map") == "img-src 'self' data:"


def test_leaflet_comes_out_of_its_wheel_and_is_loaded_on_the_map_alone(visitor: Enter) -> None:
    lin = visitor("lin")
    script = lin.get("/static/leaflet.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert f"Leaflet {version('XStatic-Leaflet').rpartition('.')[0]}," in script.text
    assert ".leaflet-container" in lin.get("/static/leaflet.css").text
    for name in ("atlas.js", "atlas.css"):
        assert lin.get(f"/static/{name}").status_code == HTTPStatus.OK
    assert "/static/leaflet.js" in lin.see("/map").text
    assert "leaflet" not in lin.see("/").text
