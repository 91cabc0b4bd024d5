"""今天 as the one list of all work: episodes, cases, people who wait for a call, by deadline, fires first (T9, T10)."""

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.desk_gateway import HOUR_MS, MINUTE_MS, DeskGateway, at, desk_gateway
from tests.gateway.desk.conftest import MORNING, Visitor
from tests.gateway.desk.pages.test_cases import CASE, register, step

Enter = Callable[[str], Visitor]
EnterAt = Callable[[DeskGateway, str], Visitor]
CALM = "现在没有要拿主意的"
HOT = 78.0


def work(visitor: Visitor) -> list[tuple[str, str]]:
    """What stands under 要拿主意的, in its order: the id of each row, and why it is there."""
    page = visitor.see("/").text
    listed = page.partition('aria-labelledby="decide"')[2].partition("</section>")[0]
    return re.findall(r'<li class="case[^"]*" id="([^"]+)">.*?<span class="why">([^<]+)</span>', listed, re.DOTALL)


def whys(visitor: Visitor) -> list[str]:
    return [why for _, why in work(visitor)]


def burn(gateway: DeskGateway, celsius: float, minutes: int = 20, device: str = "bin-0101") -> None:
    """One sample of that warmth, so much later."""
    gateway.clock.now += minutes * MINUTE_MS
    gateway.plant()
    gateway.bin(device, 30.0, celsius)
    gateway.settle()


def the_fire(gateway: DeskGateway) -> str:
    (fire,) = [episode for episode, rule in gateway.open_rules().items() if rule == "fire"]
    return fire


def called(visitor: Visitor, caller: str) -> httpx.Response:
    return visitor.post("/called", data={"csrf": visitor.csrf, "caller": caller})


def test_a_telephoned_case_of_an_hour_is_in_the_list_and_the_dispatcher_is_texted_before_it_is_late(
    gateway: DeskGateway, visitor: Enter
) -> None:
    lin = visitor("lin")
    assert CALM in lin.see("/").text
    register(lin, rule="burning", caller_name="王大爷")
    page = lin.see("/").text
    assert work(lin) == [(f"matter-{CASE}", "还没派人")]
    assert CALM not in page
    assert "有人烧垃圾" in page
    assert "王大爷" in page
    assert "限 09:00" in page
    gateway.at(at(24, 8, 29))
    assert gateway.channel.sent == []
    gateway.at(at(24, 8, 30))
    (asked,) = gateway.channel.sent
    assert (asked.to, asked.template) == ("lin", "case_unassigned")
    assert "还没派人" in asked.text
    gateway.at(at(24, 9, 10))
    assert whys(lin) == ["超期没办完"]
    assert "超期 10分钟" in lin.see("/").text


def test_a_case_is_in_the_list_from_its_registration_to_its_proof_but_not_while_somebody_has_time_for_it(
    gateway: DeskGateway, visitor: Enter
) -> None:
    lin = visitor("lin")
    register(lin)
    assert whys(lin) == ["还没派人"]
    step(lin, "assign", to="mei")
    gateway.settle()
    page = lin.see("/").text
    assert work(lin) == []
    assert f'id="matter-{CASE}"' in page.partition('aria-labelledby="inhand"')[2], "somebody is at it"
    step(lin, "defer", reason="等车", until="2026-11-25T09:00")
    gateway.settle()
    page = lin.see("/").text
    assert work(lin) == []
    assert "等车" in page.partition('aria-labelledby="deferred"')[2]
    gateway.at(at(25, 9))
    assert whys(lin) == ["备案到期，还没办完"], "deferred and back"
    step(lin, "fix")
    gateway.settle()
    assert whys(lin) == ["报办好了，等人核实"]
    step(lin, "reopen", reason="还有一半")
    gateway.settle()
    assert whys(lin) == ["退回重办"]
    step(lin, "fix")
    step(lin, "verify", proof="看过了")
    gateway.settle()
    assert CALM in lin.see("/").text


def test_an_overdue_case_of_an_episode_is_in_the_list_whoever_has_confirmed_it(
    gateway: DeskGateway, visitor: Enter
) -> None:
    gateway.filled("bin-0101", 72)
    lin = visitor("lin")
    (episode,) = gateway.open_rules()
    lin.act(verb="ack", episode=episode)
    gateway.settle()
    assert work(lin) == []
    gateway.at(at(25, 9))
    (row,) = work(lin)
    assert row[0].startswith("case-over_two_thirds")
    assert "超期" in lin.see("/").text


def test_work_is_in_the_order_of_its_deadlines_and_fires_before_all(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    register(lin, rule="broken")
    register(lin, rule="burning")
    register(lin, rule="litter")
    gateway.answered("mei", "0")
    gateway.levels.pop("bin-0101")
    burn(gateway, HOT, 5)
    assert [row.partition("-")[0] for row, _ in work(lin)] == ["case", "call", "matter", "matter", "matter"]
    assert [why for _, why in work(lin)] == ["火警", "请回电", "还没派人", "还没派人", "还没派人"]
    listed = [row.removeprefix("matter-") for row, _ in work(lin)[2:]]
    assert listed == [f"20261124-shiqiao-00{number}" for number in (2, 3, 1)], "an hour, a day, three days"


def test_whoever_answers_0_waits_in_the_list_until_somebody_says_that_they_called(
    gateway: DeskGateway, visitor: Enter
) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    gateway.answered("mei", "0")
    gateway.at(at(24, 11, 51))
    lin, guest = visitor("lin"), visitor("guest")
    ((row, why), *_) = [each for each in work(lin) if each[0].startswith("call-")]
    assert why == "请回电"
    page = lin.see("/").text
    assert "梅大姐" in page
    assert "13900001001" in page
    assert "等了 20分钟" in page
    assert "问的是" in page
    assert "过三分之二 梅岭1号" in page
    masked = guest.see("/").text
    assert "13900001001" not in masked
    assert "139****1001" in masked
    assert "已回电</button>" not in masked
    name = re.findall(r'name="caller" value="([^"]+)"', page)[0]
    assert called(guest, name).status_code == HTTPStatus.FORBIDDEN
    gateway.answered("mei", "０")
    assert "回了 2 次" in lin.see("/").text
    assert "已记下，回过电话了" in called(lin, name).text
    gateway.settle()
    assert not [each for each in work(lin) if each[0].startswith("call-")]
    assert called(lin, name).status_code == HTTPStatus.NOT_FOUND, "somebody has called already"
    audit = lin.see("/audit").text
    assert "已回电" in audit
    assert "梅大姐" in audit
    assert row


def test_a_stranger_who_wants_a_call_is_shown_to_who_sees_the_whole_county(
    gateway: DeskGateway, visitor: Enter
) -> None:
    gateway.says("13911112222", "0")
    gateway.says("+86 139 1111 2222", "0")
    assert whys(visitor("lin")) == ["请回电"]
    assert "不认识的号码" in visitor("lin").see("/").text
    assert CALM in visitor("shi").see("/").text, "nobody of their town"


def test_who_waits_for_a_call_still_does_after_a_restart(visitor_at: EnterAt, tmp_path: Path) -> None:
    with desk_gateway(tmp_path, MORNING) as gateway:
        gateway.answered("mei", "0")
    with desk_gateway(tmp_path, MORNING + HOUR_MS) as gateway:
        lin = visitor_at(gateway, "lin")
        assert "等了 1小时" in lin.see("/").text
        (name,) = re.findall(r'name="caller" value="([^"]+)"', lin.see("/").text)
        called(lin, name)
    with desk_gateway(tmp_path, MORNING + 2 * HOUR_MS) as gateway:
        assert "请回电" not in whys(visitor_at(gateway, "lin"))


@pytest.mark.parametrize("verb", ["ack", "shelve", "finish", "doubt"])
def test_a_fire_stays_on_top_whatever_somebody_presses(gateway: DeskGateway, visitor: Enter, verb: str) -> None:
    lin = visitor("lin")
    gateway.levels.pop("bin-0101")
    burn(gateway, HOT)
    register(lin, rule="burning")
    lin.act(verb=verb, episode=the_fire(gateway), reason="看过了", hours="4", looked="梅大姐")
    gateway.settle()
    page = lin.see("/").text
    assert work(lin)[0] == (f"case-{the_fire(gateway)}", "火警")
    assert 'class="case why-fire"' in page
    assert "现在 <b>78</b> 度" in page


def test_a_fire_is_settled_only_when_it_has_cooled_and_somebody_has_looked(
    gateway: DeskGateway, visitor: Enter
) -> None:
    lin = visitor("lin")
    gateway.levels.pop("bin-0101")
    burn(gateway, HOT)
    fire = the_fire(gateway)
    sheet = lin.see(f"/act?verb=finish&episode={fire}").text
    assert "谁到现场看过" in sheet
    assert "还没降下来" in lin.act(verb="finish", episode=fire, looked="梅大姐", reason="灭了").text
    assert "还没降下来" in step(lin, "fix", proof="灭了").text, "nor by its case in the ledger"
    burn(gateway, 30.0)
    burn(gateway, 30.0)
    assert whys(lin) == ["火已降温，等人看过后复位"]
    assert "写清是谁看过的" in lin.act(verb="finish", episode=fire, reason="灭了").text
    assert "写清到场看到了什么" in lin.act(verb="finish", episode=fire, looked="梅大姐").text
    burn(gateway, 55.0)
    assert "还没降下来" in lin.act(verb="finish", episode=fire, looked="梅大姐", reason="灭了").text, "warm again"
    assert "还没降下来" in lin.act(verb="reset", episode=fire).text
    burn(gateway, 30.0)
    assert "已复位" in lin.act(verb="finish", episode=fire, looked="梅大姐", reason="明火已灭").text
    gateway.settle()
    assert "fire" not in gateway.open_rules().values()
    assert "梅大姐看过：明火已灭" in lin.see(f"/cases/{CASE}").text
    assert "已核实" in lin.see(f"/cases/{CASE}").text
    assert "梅大姐看过" in lin.see("/audit").text


def test_a_fire_that_burns_again_says_so_on_its_card_and_its_case_is_open_again(
    gateway: DeskGateway, visitor: Enter
) -> None:
    lin = visitor("lin")
    gateway.levels.pop("bin-0101")
    burn(gateway, HOT)
    burn(gateway, 30.0)
    burn(gateway, 30.0)
    assert "已记“办好”" in step(lin, "fix", proof="灭了").text
    gateway.settle()
    burn(gateway, 80.0)
    assert "又着火 09:20" in lin.see("/").text
    assert whys(lin) == ["火警"]
    page = lin.see(f"/cases/{CASE}").text
    assert "<b>又着火</b>" in page
    assert "已退回" in page
