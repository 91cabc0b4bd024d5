"""请假 on 值班: written down, seen, ended; and not by everybody, for everybody, at any time."""

from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from tests.desk_gateway import DeskGateway, at
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
UNTIL = "2026-11-26T00:00"


def write(visitor: Visitor, **form: str) -> httpx.Response:
    wish = {"person": "mei", "since": "", "until": UNTIL, "stand_in": "zhu", "reason": "回<b>家", **form}
    return visitor.post("/duty/away", data={"csrf": visitor.csrf, **wish})


def end(visitor: Visitor, absence: str) -> httpx.Response:
    return visitor.post("/duty/away/end", data={"csrf": visitor.csrf, "absence": absence})


def absences(gateway: DeskGateway) -> list[str]:
    """The ids of those that are not over."""
    said = httpx.get(f"{gateway.url}/api/v1/absences", headers={"Authorization": "Bearer hush"}, trust_env=False).json()
    return [each["absence"] for each in said["absences"]]


def test_who_is_away_stands_on_the_roster_and_is_back_when_it_is_ended(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "请假</a>" in lin.see("/duty").text
    assert 'value="2026-11-25T00:00" required' in lin.see("/duty/away").text
    assert "已记下请假" in write(lin).text
    gateway.settle()
    page = lin.see("/duty").text
    assert "<b>梅大姐</b> 08:00 到 11月26日00:00，竹师傅代班：回&lt;b&gt;家" in page
    assert "✕ 请假" in page
    assert "梅大姐 到 11月26日00:00，竹师傅代班" in lin.see("/").text
    assert [message.to for message in gateway.channel.sent] == ["zhu"], "who stands in is asked"
    assert "这段时间已经请了假" in write(lin).text, "a double click writes once"
    (absence,) = absences(gateway)
    assert "已销假" in end(lin, absence).text
    assert "✕ 请假" not in lin.see("/duty").text
    assert "梅大姐 到" not in lin.see("/").text
    assert "这次请假已经结束" in end(lin, absence).text
    audit = lin.see("/audit").text
    assert "请假 梅大姐：已记下请假" in audit
    assert "销假 梅大姐：已销假" in audit


def test_a_village_whose_cleaner_is_away_with_nobody_instead_has_nobody(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "没人管的村" not in lin.see("/duty").text
    assert "已记下" in write(lin).text
    assert "代班人这段时间自己也请假" in write(lin, person="zhu", stand_in="mei").text
    assert "已记下" in write(lin, person="zhu", stand_in="he").text
    assert "没人管的村" not in lin.see("/duty").text
    assert "已记下" in write(lin, person="he", stand_in="mei").text
    page = lin.see("/duty").text
    assert "没人管的村" in page
    assert "梅岭村、竹园村" in page
    assert "梅岭村、竹园村：资产册里没有人" in lin.see("/").text
    assert "竹园村" not in visitor("shi").see("/duty").text.split("没人管的村", 1)[1].split("</section>", 1)[0]
    gateway.settle()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"person": ""}, "要选谁请假"),
        ({"stand_in": ""}, "资产册里没写代班人"),
        ({"stand_in": "mei"}, "代班人不能是本人"),
        ({"until": ""}, "要写到什么时候为止"),
        ({"until": "后天"}, "结束时间看不懂"),
        ({"until": "2026-11-24T07:00"}, "结束要晚于开始"),
        ({"until": "2027-11-24T07:00"}, "最多请一百九十天"),
        ({"since": "2026-11-23T07:00"}, "开始时间已经过去了"),
        ({"reason": "家" * 61}, "事由最多六十个字"),
    ],
)
def test_what_is_typed_wrong_is_said_and_kept(
    gateway: DeskGateway, visitor: Enter, typed: dict[str, str], says: str
) -> None:
    refused = write(visitor("lin"), **typed)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in refused.text
    for name, value in ({"until": UNTIL, "reason": "回&lt;b&gt;家"} | typed).items():
        kept = f'name="{name}" value="{value}"' if name not in ("person", "stand_in") else f'<option value="{value}"'
        assert kept in refused.text
    assert absences(gateway) == []


def test_only_a_dispatcher_writes_and_only_of_people_wholly_in_sight(gateway: DeskGateway, visitor: Enter) -> None:
    guest, gang, shi = visitor("guest"), visitor("gang"), visitor("shi")
    for low in (guest, gang):
        assert "/duty/away" not in low.see("/duty").text
        assert low.see("/duty/away").status_code == HTTPStatus.FORBIDDEN
        assert write(low).status_code == HTTPStatus.FORBIDDEN
        assert end(low, "x").status_code == HTTPStatus.FORBIDDEN
    assert "办事要留名" in write(visitor("wu")).text
    sheet = shi.see("/duty/away").text
    assert '<option value="mei">' in sheet
    assert '<option value="zhu">' not in sheet
    for person in ("zhu", "leader", "nobody"):
        assert write(shi, person=person, stand_in="he").status_code == HTTPStatus.BAD_REQUEST
    assert write(shi, stand_in="zhu").status_code == HTTPStatus.BAD_REQUEST
    assert "已记下" in write(visitor("lin"), person="leader", stand_in="lin").text
    assert "石镇长" in shi.see("/duty").text
    assert end(shi, absences(gateway)[0]).status_code == HTTPStatus.NOT_FOUND, (
        "half of what the leader does is elsewhere"
    )
    shi.csrf = "forged"
    assert "不是从值班台发来的" in write(shi).text
    assert "不是从值班台发来的" in end(shi, absences(gateway)[0]).text
    gateway.at(at(26, 0, 10))
    assert absences(gateway) == [], "it ends by itself"
