"""The desk as people use it: a real browser on a real gateway in this process, from the door to a case in hand."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import DESK, PHONE, Window, window
from tests.desk_gateway import PASSWORD, DeskGateway, at
from tests.e2e.conftest import WELCOME
from tests.photographs import PNG

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PAGES = (
    "/",
    "/map",
    "/register",
    "/cases",
    "/cases/20261124-shiqiao-001",
    "/assets",
    "/assets/meiling-01",
    "/texts",
    "/duty",
    "/trial",
    "/quarantine",
    "/audit",
    "/telephone",
)


def log_in(page: Page, gateway: DeskGateway, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{gateway.url}/")
    page.get_by_label("名字").fill(name)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()


def test_a_bin_crosses_and_is_confirmed_without_a_reload(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    expect(page.get_by_text("现在没有要拿主意的")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    gateway.filled("bin-0101", 72)
    fold = page.locator("#fold-meiling")
    expect(fold).to_contain_text("等清运 1 处")
    fold.locator("summary").click()
    gateway.filled("bin-0102", 71)
    expect(fold).to_contain_text("等清运 2 处")
    expect(fold.get_by_text("梅岭1号")).to_be_visible()  # what somebody has opened stays open
    gateway.at(at(24, 11, 31))
    case = page.locator(".case", has_text="梅岭1号")
    expect(case).to_contain_text("这班漏清")
    expect(case).to_contain_text("告诉 梅大姐")
    expect(case).to_contain_text("已交给通道")
    case.get_by_role("button", name="确认").click()
    expect(page.get_by_role("status")).to_contain_text("已确认，不再往上报")
    expect(page.locator(".slim .case")).to_contain_text("林调度")
    gateway.at(at(24, 17, 31))
    to = [message.to for message in gateway.channel.sent]
    assert to.count("mei-head") == 1, "only for the bin that nobody confirmed"
    assert page.evaluate("window.neverReloaded") is True
    assert desk.errors == []


def test_a_dialog_asks_whom_to_send_and_says_what_the_gateway_answered(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    page.locator(".case", has_text="梅岭1号").get_by_role("link", name="改派").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("派给").select_option(label="梅大姐（保洁员）")
    dialog.get_by_role("button", name="派单").click()
    expect(dialog.locator("#outcome")).to_be_visible()
    dialog.get_by_role("link", name="好").click()
    expect(dialog).to_be_hidden()
    assert desk.errors == []


def test_the_door_opens_for_the_right_word_alone(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin", "not the word")
    expect(page.get_by_role("alert")).to_contain_text("名字或密码不对")
    log_in(page, gateway, "guest")
    expect(page.get_by_role("navigation")).to_be_visible()
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    expect(page.locator(".case")).to_contain_text("这班漏清")
    expect(page.get_by_role("button", name="确认")).to_have_count(0)
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("button", name="登录")).to_be_visible()


def test_the_other_town_is_not_there(gateway: DeskGateway, desk: Window) -> None:
    gateway.filled("bin-0201", 72)
    log_in(desk.page, gateway, "shi")
    gateway.filled("bin-0101", 72)
    expect(desk.page.locator("#fold-meiling")).to_be_visible()
    expect(desk.page.get_by_text("竹园")).to_have_count(0)
    desk.page.goto(f"{gateway.url}/assets/zhuyuan-01")
    expect(desk.page.get_by_text("地址不对，或者不归您管")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_fits_and_can_be_used_by_people_with_poor_eyes(
    gateway: DeskGateway, browser: Browser, size: tuple[int, int]
) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 9, 20))
    gateway.levels["bin-0101"] = 3
    gateway.filled("bin-0102", 97)
    gateway.send("nobody", b"{}")
    gateway.at(at(24, 11, 31))
    with window(browser, size) as opened:
        opened.page.goto(f"{gateway.url}/login")
        assert _serious(opened.page) == []
        opened.page.goto(f"{gateway.url}/welcome/{WELCOME}")
        for path in PAGES:
            opened.page.goto(f"{gateway.url}{path}")
            expect(opened.page.get_by_role("heading", level=1).first).to_be_attached()
            assert opened.overflow <= 0, path
            assert _serious(opened.page) == [], path
        assert opened.errors == []


def test_the_demos_telephone_shows_a_text_as_it_comes(gateway: DeskGateway, desk: Window) -> None:
    desk.page.goto(f"{gateway.url}/welcome/{WELCOME}")
    desk.page.get_by_role("link", name="手机").click()
    expect(desk.page.locator(".handset")).to_contain_text("还没有短信")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    expect(desk.page.locator(".handset")).to_contain_text("梅岭1号池（祠堂对面）已装七成")
    assert desk.errors == []


def _serious(page: Page) -> list[str]:
    """What axe-core calls serious or worse, each with the first place where it is so."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found if fault["impact"] in ("serious", "critical")
    ]


def test_a_missed_bin_is_answered_sent_on_emptied_verified_and_closed(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    case = page.locator(".case", has_text="梅岭1号")
    expect(case).to_contain_text("这班漏清")
    expect(case).to_contain_text("告诉 梅大姐")
    gateway.answered("mei", "2")
    expect(case).to_contain_text("回复去不了")
    case.get_by_role("link", name="改派").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("派给").select_option(label="梅书记（村负责人）")
    dialog.get_by_role("button", name="派单").click()
    expect(dialog.locator("#outcome")).to_contain_text("已派出")
    dialog.get_by_role("link", name="好").click()
    expect(case).to_contain_text("告诉 梅书记")
    gateway.filled("bin-0101", 3)
    expect(case).to_have_count(0)
    page.get_by_role("link", name="台账").click()
    page.get_by_label("状态").select_option("已核实")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("link", name="20261124-shiqiao-001").click()
    expect(page.get_by_text("仪器已核实")).to_be_visible()
    page.get_by_role("link", name="销号").click()
    page.get_by_role("dialog").get_by_role("button", name="销号").click()
    expect(page.get_by_role("dialog").locator("#outcome")).to_contain_text("已销号")
    page.get_by_role("dialog").get_by_role("link", name="好").click()
    expect(page.locator("h1 + .mark")).to_contain_text("已销号")
    assert desk.errors == []


def _stands_missed(gateway: DeskGateway, desk: Window) -> Locator:
    """A bin that its round has missed: its card on today's page."""
    log_in(desk.page, gateway, "lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    card = desk.page.locator(".case", has_text="梅岭1号")
    expect(card).to_contain_text("告诉 梅大姐")
    return card


def test_a_press_counts_although_news_comes_before_the_finger_is_up(gateway: DeskGateway, desk: Window) -> None:
    page, card = desk.page, _stands_missed(gateway, desk)
    card.get_by_role("link", name="改派").hover()
    with page.expect_event("requestfinished", lambda request: request.url == f"{gateway.url}/"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('desk-cases'))")  # asked for before the press
        page.mouse.down()
    gateway.answered("mei", "2")
    page.mouse.up()
    expect(page.get_by_role("dialog").get_by_label("派给")).to_be_visible()
    expect(card).to_contain_text("回复去不了")  # and what came meanwhile stands there now
    assert desk.errors == []


def test_half_a_word_outlives_news_which_stands_there_once_it_is_written(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    page.goto(f"{gateway.url}/welcome/{WELCOME}")
    page.goto(f"{gateway.url}/telephone?of=mei")
    typed = page.get_by_label("写短信")
    with page.expect_event("requestfinished", lambda request: "/telephone" in request.url):
        typed.evaluate(  # what was asked for before the first letter is answered after it
            """(input) => {
              document.body.dispatchEvent(new CustomEvent("desk-texts"));
              input.focus();
              input.value = "去不";
            }"""
        )
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    expect(typed).to_have_value("去不")
    typed.blur()
    expect(page.locator(".handset")).to_contain_text("梅岭1号池（祠堂对面）已装七成")
    assert desk.errors == []


def test_a_link_that_has_just_come_opens_its_dialog(gateway: DeskGateway, desk: Window) -> None:
    page, card = desk.page, _stands_missed(gateway, desk)
    page.evaluate(
        """new MutationObserver((_, watch) => {
          const link = document.querySelector("#live .case a[hx-get*=dispatch]");
          if (document.querySelector("#live").textContent.includes("回复去不了")) { watch.disconnect(); link.click(); }
        }).observe(document.body, { childList: true, subtree: true })"""
    )
    gateway.answered("mei", "2")
    expect(page.get_by_role("dialog").get_by_label("派给")).to_be_visible()
    expect(card).to_contain_text("回复去不了")
    assert desk.errors == []


def test_a_shelved_case_comes_back_by_itself(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    page.locator(".case", has_text="梅岭1号").get_by_role("link", name="搁置").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("多久").select_option("2 小时")
    dialog.get_by_label("事由").fill("村里修路")
    dialog.get_by_role("button", name="搁置").click()
    expect(dialog.locator("#outcome")).to_contain_text("已搁置")
    dialog.get_by_role("link", name="好").click()
    expect(page.locator(".slim .case")).to_contain_text("村里修路")
    gateway.at(at(24, 13, 45))
    expect(page.locator(".slim .case")).to_have_count(0)
    expect(page.locator(".case", has_text="梅岭1号")).to_contain_text("时间到")
    assert desk.errors == []


def test_a_call_is_registered_with_a_photograph_and_closed(gateway: DeskGateway, desk: Window, tmp_path: Path) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    page.get_by_role("link", name="登记", exact=True).click()
    page.get_by_label("在哪里").press_sequentially("祠堂")
    expect(page.locator("#places option")).to_have_count(1)
    page.get_by_label("在哪里").fill("垃圾池")
    page.get_by_label("路边有垃圾").check()
    page.get_by_text("具体位置、谁打来的、照片").click()
    page.get_by_label("来电人").fill("王大爷")
    wrong, right = tmp_path / "wrong.jpg", tmp_path / "right.png"
    wrong.write_bytes(b"MZ this is a program")
    right.write_bytes(PNG)
    page.get_by_label("照片").set_input_files(wrong)
    expect(page.locator("#photo")).to_contain_text("这个文件不是照片")
    expect(page.get_by_label("来电人")).to_have_value("王大爷")
    page.get_by_label("照片").set_input_files(right)
    expect(page.locator("#photo")).to_contain_text("照片已收到")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("有几处对得上")
    page.get_by_label("梅岭村2号").check()
    expect(page.get_by_label("来电人")).to_have_value("王大爷")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("已登记")
    photo = page.get_by_alt_text("登记时的照片")
    assert photo.evaluate("image => image.decode().then(() => image.naturalWidth)") == 48
    for verb, field, words in (
        ("派", "", ""),
        ("开始办", "", ""),
        ("办好了", "怎么办好的", "拉走了"),
        ("核实", "凭什么说办好了", "村书记到场看过"),
        ("销号", "", ""),
    ):
        page.get_by_role("main").get_by_role("link", name=verb, exact=True).click()
        dialog = page.get_by_role("dialog")
        if field:
            dialog.get_by_label(field).fill(words)
        dialog.get_by_role("button", name=verb).click()
        expect(dialog.locator("#outcome.good")).to_be_visible()
        dialog.get_by_role("link", name="好").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(".log").last).to_contain_text({"办好了": "报办好", "核实": "人工核实"}.get(verb, verb))
    expect(page.locator("h1 + .mark")).to_contain_text("已销号")
    assert [error for error in desk.errors if "422" not in error] == []  # the two refusals of above


def test_a_form_that_another_page_sent_does_nothing(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway, "lin")
    page.goto(f"{gateway.url}/register")
    page.evaluate("for (const token of document.querySelectorAll('[name=csrf]')) token.value = 'guessed'")
    page.get_by_label("在哪里").fill("梅岭1号")
    page.get_by_label("有人烧垃圾").check()
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("这张表不是从值班台发来的")).to_be_visible()
    page.goto(f"{gateway.url}/cases?show=all")
    expect(page.get_by_text("没有这样的事项")).to_be_visible()


def test_a_script_that_somebody_wrote_is_text_on_every_page(gateway: DeskGateway, desk: Window) -> None:
    page, script = desk.page, "<script>window.ran = true</script>"
    log_in(page, gateway, "lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    case = page.locator(".case", has_text="梅岭1号")
    case.get_by_role("link", name="备注").click()
    page.get_by_role("dialog").get_by_label("备注").fill(script)
    page.get_by_role("dialog").get_by_role("button", name="备注").click()
    expect(page.get_by_role("dialog").locator("#outcome")).to_contain_text("已记下备注")
    for path in ("/", "/assets/meiling-01", "/cases/20261124-shiqiao-001", "/audit"):
        page.goto(f"{gateway.url}{path}")
        expect(page.get_by_text(script).first).to_be_visible()
        assert page.evaluate("window.ran") is None
    assert desk.errors == []
