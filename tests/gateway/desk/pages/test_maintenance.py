"""检修 and 计划停电 from a site's page: declared, shown, ended; and not for everybody, everywhere, at any time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from gateway.desk.users import User, UserRole, hash_password
from telemetry.inventory import Feeder, Inventory
from tests.desk_gateway import PASSWORD, DeskGateway, at, desk_gateway, inventory
from tests.gateway.desk.conftest import MORNING, Visitor

Enter = Callable[[str], Visitor]
UNTIL = "2026-11-24T12:00"


def on_feeders() -> Inventory:
    """The plant of the one town hangs on a feeder with one of the other; and on its own there is a third."""
    county = inventory()
    plant = county.assets["meiling-plant"]
    assert plant.plant is not None
    own, shared = replace(plant.plant, feeder="east"), replace(plant.plant, feeder="west")
    more = {
        "meiling-plant": replace(plant, plant=own),
        "meiling-mill": replace(plant, id="meiling-mill", name="梅岭二站", short="梅岭二站", plant=own),
        "pond-plant": replace(plant, id="pond-plant", name="塘边站", short="塘边站", plant=shared),
        "zhuyuan-plant": replace(
            plant, id="zhuyuan-plant", name="竹园站", short="竹园站", areas=("zhuyuan",), plant=shared
        ),
    }
    feeders = {"east": Feeder("east", "东线", "shiqiao"), "west": Feeder("west", "西线", "baisha")}
    return replace(county, assets={**county.assets, **more}, feeders=feeders)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING, county=on_feeders()) as running:
        yield running


def declare(visitor: Visitor, asset: str, **form: str) -> httpx.Response:
    wish = {"work": "maintenance", "since": "", "until": UNTIL, "reason": "换泵", **form}
    return visitor.post(f"/assets/{asset}/work", data={"csrf": visitor.csrf, **wish})


def end(visitor: Visitor, asset: str, window: str) -> httpx.Response:
    return visitor.post(f"/assets/{asset}/work/end", data={"csrf": visitor.csrf, "window": window})


def windows(gateway: DeskGateway) -> list[str]:
    """The ids of those that stand."""
    said = httpx.get(
        f"{gateway.url}/api/v1/maintenance", headers={"Authorization": "Bearer hush"}, trust_env=False
    ).json()
    return [each["window"] for each in said["windows"]]


def test_what_is_declared_stands_on_the_page_in_the_audit_and_can_be_ended(
    gateway: DeskGateway, visitor: Enter
) -> None:
    lin = visitor("lin")
    assert "报检修、停电</a>" in lin.see("/assets/meiling-plant").text
    assert 'value="2026-11-24T12:00" required' in lin.see("/assets/meiling-plant/work").text, "four hours from now"
    assert "已报上" in declare(lin, "meiling-plant", reason="换<b>泵").text
    gateway.settle()
    page = lin.see("/assets/meiling-plant").text
    assert "<b>检修</b> 到 12:00：换&lt;b&gt;泵" in page
    assert "提前结束</a>" in page
    sheet = lin.see("/assets/meiling-plant/work").text
    assert "08:00 到 12:00：换&lt;b&gt;泵" in sheet
    assert "已经报过" in declare(lin, "meiling-plant", reason="换<b>泵").text, "a double click declares once"
    (window,) = windows(gateway)
    assert "已结束" in end(lin, "meiling-plant", window).text
    gateway.settle()
    assert "<b>检修</b> 到" not in lin.see("/assets/meiling-plant").text
    assert windows(gateway) == []
    assert "它已经结束" in end(lin, "meiling-plant", window).text, "a second click finds nothing to end"
    audit = lin.see("/audit").text
    assert "检修 梅岭站：已报上" in audit
    assert "检修 梅岭站：已结束" in audit
    assert "lin@127.0.0.1" in audit


def test_one_that_comes_later_is_seen_in_the_sheet_and_taken_back(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "已报上" in declare(lin, "meiling-01", since="2026-11-24T10:00").text
    gateway.settle()
    assert "<b>检修</b> 到" not in lin.see("/assets/meiling-01").text
    sheet = lin.see("/assets/meiling-01/work").text
    assert "10:00 到 12:00：换泵" in sheet
    assert "撤回" in sheet
    (window,) = windows(gateway)
    assert "已结束" in end(lin, "meiling-01", window).text
    assert windows(gateway) == []


def test_a_planned_cut_is_for_every_plant_on_the_feeder(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "计划停电，东线上 2 座站" in lin.see("/assets/meiling-plant/work").text
    assert "已报上" in declare(lin, "meiling-plant", work="planned_cut", reason="电力检修").text
    gateway.settle()
    for asset in ("meiling-plant", "meiling-mill"):
        assert "<b>计划停电</b> 到 12:00：电力检修" in lin.see(f"/assets/{asset}").text
        assert "东线（2 处）" in lin.see(f"/assets/{asset}/work").text
    assert "<b>计划停电</b>" not in lin.see("/assets/pond-plant").text
    assert "计划停电 东线：已报上" in lin.see("/audit").text


def test_a_feeder_that_reaches_into_another_town_is_nobodys_of_one_town(gateway: DeskGateway, visitor: Enter) -> None:
    leading = User("head", UserRole.DISPATCHER, area="shiqiao", person="leader")  # may declare in both towns, sees one
    gateway.desk.users.keep(leading, hash_password(PASSWORD), 0)
    shi, lin, head = visitor("shi"), visitor("lin"), visitor("head")
    sheet = shi.see("/assets/pond-plant/work").text
    assert "西线还连着别处的站" in sheet
    assert "计划停电，" not in sheet
    refused = declare(head, "pond-plant", work="planned_cut")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "还连着别处的站，整条停电请管全县的人来报" in refused.text
    assert "这里不归您调度" in declare(lin, "pond-plant", work="planned_cut").text, "sees it, answers for half of it"
    assert windows(gateway) == []


def test_whoever_sees_half_of_what_is_covered_does_not_end_it(gateway: DeskGateway, visitor: Enter) -> None:
    wish = {
        "work": "planned_cut",
        "subject": "west",
        "until": "2026-11-24T12:00:00+08:00",
        "reason": "停",
        "by": "leader",
    }
    httpx.post(
        f"{gateway.url}/api/v1/maintenance", json=wish, headers={"Authorization": "Bearer hush"}, trust_env=False
    )
    shi, (window,) = visitor("shi"), windows(gateway)
    assert "含别处，您结束不了" in shi.see("/assets/pond-plant/work").text
    assert end(shi, "pond-plant", window).status_code == HTTPStatus.NOT_FOUND
    assert windows(gateway) == [window]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"until": ""}, "要写到什么时候为止"),
        ({"until": "明天"}, "结束时间看不懂"),
        ({"until": "2026-11-24T07:59"}, "结束要晚于开始，也要晚于现在"),
        ({"since": "2026-11-24T12:00"}, "结束要晚于开始，也要晚于现在"),
        ({"since": "2026-11-24T07:00"}, "开始时间已经过去了"),
        ({"since": "soon"}, "开始时间看不懂"),
        ({"until": "2027-11-24T12:00"}, "时间太长了"),
        ({"until": "9999-12-31T23:59"}, "时间太长了"),
        ({"until": "0001-01-01T00:00"}, "结束要晚于开始，也要晚于现在"),
        ({"reason": " "}, "要写事由"),
        ({"reason": "换" * 61}, "事由最多六十个字"),
        ({"reason": "换\x07泵"}, "事由最多六十个字"),
    ],
)
def test_what_is_typed_wrong_is_said_and_kept(
    gateway: DeskGateway, visitor: Enter, typed: dict[str, str], says: str
) -> None:
    refused = declare(visitor("lin"), "meiling-plant", **{"reason": "换<i>泵", **typed})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in refused.text
    for name, value in ({"reason": "换&lt;i&gt;泵", "until": UNTIL} | typed).items():
        assert f'name="{name}" value="{value.strip()}"' in refused.text
    assert windows(gateway) == []


def test_only_a_dispatcher_with_a_name_and_only_what_is_in_sight(gateway: DeskGateway, visitor: Enter) -> None:
    guest, gang, shi, wu = visitor("guest"), visitor("gang"), visitor("shi"), visitor("wu")
    for low in (guest, gang):
        assert "/work" not in low.see("/assets/meiling-01").text
        assert low.see("/assets/meiling-01/work").status_code == HTTPStatus.FORBIDDEN
        assert declare(low, "meiling-01").status_code == HTTPStatus.FORBIDDEN
        assert end(low, "meiling-01", "x").status_code == HTTPStatus.FORBIDDEN
    assert "办事要留名" in declare(wu, "meiling-01").text
    assert shi.see("/assets/zhuyuan-01/work").status_code == HTTPStatus.NOT_FOUND
    assert declare(shi, "zhuyuan-01").status_code == HTTPStatus.NOT_FOUND
    assert "这里不归您调度" in declare(visitor("lin"), "zhuyuan-01").text, "seen by all, and another dispatcher's"
    assert declare(shi, "meiling-01", work="holiday").status_code == HTTPStatus.BAD_REQUEST
    assert declare(shi, "meiling-01", work="planned_cut").status_code == HTTPStatus.BAD_REQUEST, "a bin has no feeder"
    shi.csrf = "forged"
    assert "不是从值班台发来的" in declare(shi, "meiling-01").text
    assert "不是从值班台发来的" in end(shi, "meiling-01", "x").text
    assert windows(gateway) == []


def test_the_form_says_when_the_gateway_knows_better(gateway: DeskGateway, visitor: Enter) -> None:
    """Its clock may have moved on between the page and the button: what was to come is past, and is said to be."""
    lin = visitor("lin")
    lin.see("/assets/meiling-01/work")
    gateway.at(at(24, 13))
    assert "结束要晚于开始，也要晚于现在" in declare(lin, "meiling-01").text
