"""The demo as its visitor sees it: a real one with its own broker, in a real browser that nobody touches."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from gateway.embedded_broker import SWITCH, find_mosquitto
from tests.browser import window
from tests.desk_gateway import at, desk_gateway
from tests.pictures import demo

pytestmark = pytest.mark.e2e

SPEED = 720
"""The day in fifty seconds; a visitor's takes two minutes."""
STORY = (
    ("list", r"会查到 [5-9] 处、扣 [\d.]+ 分。六点半的清单早已在.+手机上"),
    ("round", r"圆点一个个变绿：还有 [1-7] 处过线"),
    ("missed", r"东塘4号这班漏了。只给.+一个人发了短信"),
    ("answered", r"回了：去不了，要改派（东塘4号）。没人替他按，演示里的他自己回的"),
    ("dispatched", r"东塘4号改派给了.+，短信到了。您没按，演示替您按了改派"),
    ("verified", r"东塘4号清空了。不用谁来报，仪器已核实"),
    ("dark_told", r"3 座站停电，.+只收到一条短信，不是 3 条"),
    ("silent", r"柳潭5号的仪器没声音了，变成灰色。失联不等于空"),
    ("held", r"过了三分之二，一条短信也没发：下一班车会来清"),
)


@pytest.mark.browser
def test_a_day_tells_its_story_and_every_part_of_it_is_true(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path, SPEED) as link, window(browser) as opened:
        page = opened.page
        page.goto(link)
        page.evaluate("window.neverReloaded = true")
        caption = page.locator("#caption-now")
        for kind, sentence in STORY:
            expect(caption).to_have_class(f"caption-{kind}", timeout=240_000)
            expect(caption).to_contain_text(re.compile(sentence))
            if kind == "missed":
                expect(page.locator(".case", has_text="东塘4号")).to_contain_text("这班漏清")
            if kind == "silent":
                expect(page.locator("#doubt-offline")).to_contain_text("1 个")
                expect(page.locator(".hero")).to_contain_text("1 处看不见")
        assert page.evaluate("window.neverReloaded") is True
        why = caption.get_by_role("link", name="为什么没发")
        why.click()
        expect(page.get_by_role("heading", name="为什么", exact=True)).to_be_in_viewport()
        expect(page.get_by_text("等这班来清，先不发").first).to_be_visible()
        page.goto(f"{link.partition('/welcome')[0]}/telephone?of=crew-baitian")
        told = page.locator(".thread")
        expect(told).to_contain_text("白田线3座站")
        assert told.inner_text().count("停电") == 1, "one text for three plants"
        assert opened.errors == []


@pytest.mark.browser
def test_a_visitor_plays_every_part_himself(browser: Browser, tmp_path: Path) -> None:
    with desk_gateway(tmp_path, at(24, 8), "come-in") as gateway, window(browser) as opened:
        page = opened.page
        page.goto(f"{gateway.url}/welcome/come-in")
        caption, phone = page.locator("#caption-now"), page.locator("#pocket")
        gateway.filled("bin-0101", 72)
        gateway.at(at(24, 11, 31))
        expect(phone).to_contain_text("梅岭1号池（祠堂对面）已装七成")
        expect(caption).to_contain_text("梅岭1号这班漏了。只给梅大姐一个人发了短信")
        gateway.at(at(24, 11, 40))
        phone.get_by_role("button", name="去不了").click()
        expect(phone.locator(".mine")).to_contain_text("2")
        expect(caption).to_contain_text("梅大姐回了：去不了，要改派（梅岭1号）")
        expect(caption).not_to_contain_text("演示里的")
        case = page.locator(".case", has_text="梅岭1号")
        expect(case).to_contain_text("回复去不了")
        gateway.at(at(24, 11, 50))
        case.get_by_role("link", name="改派").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("派给").select_option(label="竹师傅（保洁员）")
        dialog.get_by_role("button", name="派单").click()
        dialog.get_by_role("link", name="好").click()
        expect(caption).to_contain_text("梅岭1号改派给了竹师傅，短信到了")
        expect(caption).not_to_contain_text("演示替您")
        expect(phone).to_contain_text("竹师傅")
        gateway.levels["bin-0101"] = 4
        gateway.at(at(24, 12, 30))
        expect(caption).to_contain_text("梅岭1号清空了。不用谁来报，仪器已核实")
        expect(page.get_by_text("现在没有要拿主意的")).to_be_visible()
        assert opened.errors == []


@pytest.mark.parametrize("broker", ["mosquitto", "none"])
def test_it_begins_with_the_list_and_ends_with_a_line_of_what_happened(tmp_path: Path, broker: str) -> None:
    if broker == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not here; install the Debian package mosquitto")
    hidden = {SWITCH: "none"} if broker == "none" else {}
    options = ["--seconds", "2", "--data", str(tmp_path / "data"), "--port", "0", "--no-browser"]
    ran = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "demo", *options, "--county", "青溪县", "--towns", "石桥,竹园乡"],
        env={**os.environ, **hidden},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        umask=0,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert any(re.match(r"06:30 短信 → .+【青溪环卫】.+共5处已过线", line) for line in lines)
    assert lines[-1].startswith("演示结束（08:00—08:")
    assert "收到0条读数" not in lines[-1]
    left = list((tmp_path / "data").rglob("*"))
    assert {"journal.db", "outbox", "control.token"} <= {found.name for found in left}
    others = [str(found) for found in (tmp_path / "data", *left) if stat.S_IMODE(found.lstat().st_mode) & 0o077]
    assert others == [], "what a demo writes is its owner's alone (case H14)"
