"""The map as people use it: a real browser, Leaflet out of its wheel, and tiles from loopback where there are any."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from gateway.imports import profiles
from gateway.settings import Tiles
from telemetry.inventory.file import parse
from tests.browser import DESK, PHONE, Window, window
from tests.desk_gateway import COUNTY, DeskGateway, at, desk_gateway, until
from tests.e2e.conftest import WELCOME
from tests.photographs import PNG

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def look_at(page: Page, gateway: DeskGateway) -> None:
    """The map, as soon as it stands."""
    page.goto(f"{gateway.url}/welcome/{WELCOME}")
    page.goto(f"{gateway.url}/map")
    expect(page.locator("#atlas .site").first).to_be_visible()


def spot(page: Page, asset: str) -> tuple[float, float]:
    """Where a site is on the screen."""
    box = page.locator(f'#atlas .site[href="/assets/{asset}"]').bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def apart(page: Page) -> float:
    """How far two sites are from each other, which says how close the map has come."""
    (x, y), (to_x, to_y) = spot(page, "meiling-01"), spot(page, "meiling-02")
    return float(((x - to_x) ** 2 + (y - to_y) ** 2) ** 0.5)


def rests(page: Page) -> bool:
    """Whether the page scrolls no more: where something is on the screen holds only then."""
    was = page.evaluate("scrollY")
    page.wait_for_timeout(200)
    return bool(page.evaluate("scrollY") == was)


def come_closer(page: Page) -> float:
    """One press of the button, until the map has come to rest."""
    was = apart(page)
    page.get_by_role("button", name="放大").click()
    until(lambda: apart(page) > 1.5 * was)
    return apart(page)


def test_every_site_stands_with_its_shape_its_colour_and_its_words(gateway: DeskGateway, desk: Window) -> None:
    gateway.filled("bin-0101", 72)
    gateway.filled("bin-0102", 97)
    look_at(desk.page, gateway)
    atlas = desk.page.get_by_role("region", name="地图")
    over = atlas.get_by_role("link", name="梅岭1号 过三分之二 七成")
    expect(over).to_have_attribute("title", "梅岭1号 过三分之二 七成")
    expect(over.locator(".dot.look-over path")).to_have_css("fill", "rgb(201, 119, 42)")
    expect(atlas.get_by_role("link", name="梅岭2号 满溢").locator(".dot.look-full rect")).to_have_count(1)
    expect(atlas.get_by_role("link", name="梅岭站 运行").locator(".dot.look-running .hole")).to_have_count(1)
    expect(atlas.get_by_role("link")).to_have_count(4)
    expect(atlas.get_by_text("石桥镇")).to_be_visible()
    expect(desk.page.locator(".maps")).to_be_hidden()
    assert desk.errors == []


def test_one_turns_without_a_reload_and_the_visitor_stays_where_they_were(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    look_at(page, gateway)
    page.evaluate("window.neverReloaded = true")
    closer = come_closer(page)
    expect(page.get_by_text("梅岭村", exact=True).last).to_be_visible()
    gateway.filled("bin-0101", 72)
    expect(page.locator("#atlas").get_by_role("link", name="梅岭1号 过三分之二 七成")).to_be_attached()
    expect(page.locator("#atlas .look-over")).to_have_count(1)
    expect(page.locator(".legend")).to_contain_text("过三分之二 1")
    assert apart(page) == pytest.approx(closer, abs=1)
    assert page.evaluate("window.neverReloaded") is True
    page.emulate_media(media="print")
    expect(page.locator("#atlas")).to_be_hidden()
    expect(page.locator(".maps").get_by_role("link", name="梅岭1号 过三分之二 七成")).to_be_visible()
    assert desk.errors == []


def test_a_click_and_the_enter_key_open_the_site_and_a_drag_does_not(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    look_at(page, gateway)
    x, y = spot(page, "meiling-plant")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    expect(page).to_have_url(f"{gateway.url}/map")
    assert spot(page, "meiling-plant")[0] > x + 20, "the map went along"
    page.locator("#atlas").get_by_role("link", name="梅岭站").click()
    expect(page).to_have_url(f"{gateway.url}/assets/meiling-plant")
    look_at(page, gateway)
    page.locator("#atlas").get_by_role("link", name="竹园集市").press("Enter")
    expect(page).to_have_url(f"{gateway.url}/assets/zhuyuan-01")
    assert desk.errors == []


def test_the_wheel_moves_the_page_and_only_with_control_the_map(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    page.set_viewport_size({"width": 1000, "height": 500})
    look_at(page, gateway)
    was = apart(page)
    page.mouse.move(*spot(page, "meiling-01"))
    page.mouse.wheel(0, 120)
    until(lambda: page.evaluate("scrollY") > 0 and rests(page))
    assert apart(page) == pytest.approx(was, abs=1)
    page.evaluate("scrollTo(0, 0)")  # else the site may stand under the menu by now
    until(lambda: rests(page))
    page.mouse.move(*spot(page, "meiling-01"))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    until(lambda: apart(page) > 1.1 * was)  # the key is held until the wheel was heard
    page.keyboard.up("Control")
    assert desk.errors == []


def test_a_name_with_markup_is_text(tmp_path: Path, desk: Window) -> None:
    text = COUNTY.read_text("utf-8").replace("梅岭2号", "<b>2号").replace("梅岭村,", "<i>梅,")
    county = parse(text, COUNTY.name, profiles()).inventory
    assert county is not None
    with desk_gateway(tmp_path, at(24, 8), WELCOME, county) as gateway:
        look_at(desk.page, gateway)
        expect(desk.page.locator("#atlas").get_by_role("link", name="<b>2号")).to_be_visible()
        assert desk.page.locator("#atlas .place-name").all_inner_texts().count("<i>梅") == 1
        assert desk.page.locator("#atlas :is(.site b, .place-name i)").count() == 0
        assert desk.errors == []


def test_an_answer_that_does_not_come_is_said_and_asked_for_again(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    page.goto(f"{gateway.url}/welcome/{WELCOME}")
    page.route("**/map/sites", lambda route: route.abort())
    page.goto(f"{gateway.url}/map")
    expect(page.get_by_role("alert")).to_contain_text("连接断了")
    expect(page.locator(".maps").get_by_role("link").first).to_be_visible()  # the drawings stand meanwhile
    page.unroute("**/map/sites")
    expect(page.locator("#atlas .site")).to_have_count(4, timeout=240_000)
    expect(page.locator("#cut")).to_be_hidden()
    page.route("**/map/sites", lambda route: route.fulfill(status=503))
    gateway.filled("bin-0101", 72)
    expect(page.get_by_role("alert")).to_contain_text("连接断了")
    page.unroute("**/map/sites")
    expect(page.locator("#atlas .look-over")).to_have_count(1, timeout=240_000)
    expect(page.locator("#cut")).to_be_hidden()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_and_can_be_used_by_people_with_poor_eyes(
    gateway: DeskGateway, browser: Browser, size: tuple[int, int]
) -> None:
    gateway.filled("bin-0101", 72)
    with window(browser, size) as opened:
        look_at(opened.page, gateway)
        assert opened.overflow <= 0
        tall = opened.page.locator("#atlas").evaluate("(atlas) => atlas.offsetHeight")
        assert tall == pytest.approx(0.7 * size[1], abs=2)
        found = Axe().run(opened.page).response["violations"]
        assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []
        assert opened.errors == []


def test_without_scripts_the_drawings_stand(gateway: DeskGateway, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{gateway.url}/welcome/{WELCOME}")
        page.goto(f"{gateway.url}/map")
        expect(page.locator("#atlas")).to_be_hidden()
        expect(page.locator(".maps a").first).to_be_visible()
    finally:
        context.close()


@contextmanager
def land() -> Iterator[tuple[str, list[str]]]:
    """A server of tiles on loopback, and what was asked of it."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(PNG)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_tiles_lie_under_the_map_where_they_are_configured(tmp_path: Path, desk: Window) -> None:
    with land() as (origin, asked):
        tiles = Tiles(f"{origin}/{{z}}/{{x}}/{{y}}.png", "© <b>某某</b> 图")
        with desk_gateway(tmp_path, at(24, 8), WELCOME, tiles=tiles) as gateway:
            look_at(desk.page, gateway)
            expect(desk.page.locator("#atlas .leaflet-tile-loaded").first).to_be_attached()
            expect(desk.page.locator("#atlas .leaflet-control-attribution")).to_have_text("© <b>某某</b> 图")
            expect(desk.page.locator("#atlas .leaflet-control-attribution a")).to_have_count(0)
    assert asked
    assert all(path.endswith(".png") and path.count("/") == 3 for path in asked)
    assert desk.errors == []


def test_nothing_is_asked_of_anywhere_else_where_they_are_not(gateway: DeskGateway, desk: Window) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    look_at(desk.page, gateway)
    come_closer(desk.page)
    assert [url for url in asked if not url.startswith((f"{gateway.url}/", "data:"))] == []
    assert desk.errors == []
