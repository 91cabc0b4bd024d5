"""加收 from a bin's page: ordered, seen, cancelled; and not by everybody, everywhere, at any time."""

from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from gateway.desk.users import User, UserRole, hash_password
from tests.desk_gateway import PASSWORD, DeskGateway
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
FROM, UNTIL = "2026-11-24T12:00", "2026-11-24T13:30"


def order(visitor: Visitor, asset: str = "meiling-01", **form: str) -> httpx.Response:
    wish = {"place": asset, "since": FROM, "until": UNTIL, "reason": "赶<b>集", **form}
    return visitor.post(f"/assets/{asset}/extra", data={"csrf": visitor.csrf, **wish})


def cancel(visitor: Visitor, extra: str, asset: str = "meiling-01") -> httpx.Response:
    return visitor.post(f"/assets/{asset}/extra/end", data={"csrf": visitor.csrf, "extra": extra})


def extras(gateway: DeskGateway) -> list[str]:
    """The ids of those that there are."""
    said = httpx.get(
        f"{gateway.url}/api/v1/extra-rounds", headers={"Authorization": "Bearer hush"}, trust_env=False
    ).json()
    return [each["extra"] for each in said["extras"]]


def test_an_extra_round_is_ordered_seen_and_cancelled(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "加收</a>" in lin.see("/assets/meiling-01").text
    assert "加收</a>" not in lin.see("/assets/meiling-plant").text
    assert "已加收" in order(lin).text
    assert "从这个时候起已经加收过了" in order(lin).text, "a double click orders once"
    assert "<b>梅岭1号</b> 12:00 到 13:30：赶&lt;b&gt;集" in lin.see("/assets/meiling-01/extra").text
    assert "12:00 到 13:30" not in lin.see("/assets/meiling-02/extra").text
    (extra,) = extras(gateway)
    assert "它已经结束" in cancel(lin, extra, "meiling-02").text, "it is not of that bin"
    assert "已取消加收" in cancel(lin, extra).text
    assert extras(gateway) == []
    audit = lin.see("/audit").text
    assert "加收 梅岭1号：已加收" in audit
    assert "取消加收 梅岭1号：已取消" in audit


def test_a_village_is_ordered_as_a_whole_and_holds_its_texts(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "已加收" in order(lin, place="meiling").text
    assert "<b>梅岭村</b> 12:00 到 13:30" in lin.see("/assets/meiling-02/extra").text
    assert "12:00 到 13:30" not in lin.see("/assets/zhuyuan-01/extra").text
    assert len(extras(gateway)) == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"until": ""}, "要写到什么时候为止"),
        ({"until": "晚上"}, "结束时间看不懂"),
        ({"until": "2026-11-24T11:00"}, "结束要晚于开始"),
        ({"until": "2026-11-26T11:00"}, "加收一次最多一天"),
        ({"since": "2026-11-24T07:00"}, "开始时间已经过去了"),
        ({"since": "2027-03-24T07:00", "until": "2027-03-24T09:00"}, "加收最多提前六十天"),
        ({"reason": "集" * 61}, "事由最多六十个字"),
    ],
)
def test_what_is_typed_wrong_is_said_and_kept(
    gateway: DeskGateway, visitor: Enter, typed: dict[str, str], says: str
) -> None:
    refused = order(visitor("lin"), **typed)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in refused.text
    for name, value in ({"since": FROM, "until": UNTIL, "reason": "赶&lt;b&gt;集"} | typed).items():
        assert f'name="{name}" value="{value}"' in refused.text
    assert extras(gateway) == []


def test_whoever_sees_a_village_does_not_cancel_for_the_town(gateway: DeskGateway, visitor: Enter) -> None:
    wish = {"place": "shiqiao", "ends": "2026-11-24T12:00:00+08:00", "by": "lin"}
    permit = {"Authorization": "Bearer hush"}
    httpx.post(f"{gateway.url}/api/v1/extra-rounds", json=wish, headers=permit, trust_env=False).raise_for_status()
    gateway.desk.users.keep(User("mo", UserRole.DISPATCHER, area="meiling", person="lin"), hash_password(PASSWORD), 0)
    mo, (extra,) = visitor("mo"), extras(gateway)
    assert "含别处，您取消不了" in mo.see("/assets/meiling-01/extra").text
    assert cancel(mo, extra).status_code == HTTPStatus.NOT_FOUND
    assert "已取消加收" in cancel(visitor("shi"), extra).text


def test_only_a_dispatcher_and_only_what_is_in_sight(gateway: DeskGateway, visitor: Enter) -> None:
    guest, gang, shi, lin = visitor("guest"), visitor("gang"), visitor("shi"), visitor("lin")
    for low in (guest, gang):
        assert "加收" not in low.see("/assets/meiling-01").text
        assert low.see("/assets/meiling-01/extra").status_code == HTTPStatus.FORBIDDEN
        assert order(low).status_code == HTTPStatus.FORBIDDEN
        assert cancel(low, "x").status_code == HTTPStatus.FORBIDDEN
    assert "办事要留名" in order(visitor("wu")).text
    for asset in ("zhuyuan-01", "meiling-plant", "nowhere"):
        assert order(shi, asset).status_code == HTTPStatus.NOT_FOUND
    assert order(lin, place="zhuyuan").status_code == HTTPStatus.BAD_REQUEST
    shi.csrf = "forged"
    assert "不是从值班台发来的" in order(shi).text
    assert "不是从值班台发来的" in cancel(shi, "x").text
    assert extras(gateway) == []
