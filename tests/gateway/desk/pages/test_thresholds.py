"""改指标 from a site's page: what a parameter is and who says so, another value that counts at once, and refusals."""

from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from tests.desk_gateway import DeskGateway
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
LINE = "over_two_thirds.raise_pct"


def change(visitor: Visitor, asset: str = "meiling-01", **form: str) -> httpx.Response:
    wish = {"figure": LINE, "place": asset, "value": "60", "reason": "赶<b>集", **form}
    return visitor.post(f"/assets/{asset}/figures", data={"csrf": visitor.csrf, **wish})


def sheet(visitor: Visitor, asset: str = "meiling-01") -> str:
    return visitor.see(f"/assets/{asset}/figures").text


def test_a_line_is_changed_counts_at_once_says_whose_it_is_and_is_undone(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    gateway.filled("bin-0101", 62)
    assert gateway.open_rules() == {}
    assert "改指标</a>" in lin.see("/assets/meiling-01").text
    assert "超过多少算过三分之二：<b>66.7 %</b> <small>（可改 20 到 95）规则文件，全县一样" in sheet(lin)
    assert "已改，从现在起按新数判断" in change(lin).text
    gateway.filled("bin-0101", 62)
    assert set(gateway.open_rules().values()) == {"over_two_thirds"}
    assert "<b>60 %</b> <small>（可改 20 到 95）梅岭1号，林调度 08:40 改的：赶&lt;b&gt;集" in sheet(lin)
    assert "66.7 %" in sheet(lin, "meiling-02")
    assert "本来就是这个数" in change(lin).text
    assert "已改" in change(lin, undo="yes", value="").text
    assert "<b>66.7 %</b> <small>（可改 20 到 95）规则文件，全县一样" in sheet(lin)
    audit = lin.see("/audit").text
    assert "超过多少算过三分之二 梅岭1号：已改" in audit
    assert "66.7 → 60.0，赶&lt;b&gt;集" in audit


def test_a_village_has_its_own_and_a_site_wins_over_it(visitor: Enter) -> None:
    lin = visitor("lin")
    assert "已改" in change(lin, place="meiling", value="62").text
    assert "<b>62 %</b> <small>（可改 20 到 95）梅岭村，林调度" in sheet(lin, "meiling-02")
    assert "已改" in change(lin, value="70").text
    assert "<b>70 %</b> <small>（可改 20 到 95）梅岭1号" in sheet(lin)
    assert "没有可恢复的" in change(lin, "meiling-02", undo="yes").text, (
        "what the village says is not undone for one site"
    )
    assert "66.7 %" in sheet(lin, "zhuyuan-01")


def test_a_plant_has_parameters_of_its_own(visitor: Enter) -> None:
    lin = visitor("lin")
    assert "白天有水不出水，多久算停机：<b>2 小时</b>" in sheet(lin, "meiling-plant")
    assert "三分之二" not in sheet(lin, "meiling-plant").split("<main", 1)[1]
    assert "已改" in change(lin, "meiling-plant", figure="stopped.day_h", value="1.5").text
    assert "<b>1.5 小时</b> <small>（可改 0.5 到 48）梅岭站，林调度" in sheet(lin, "meiling-plant")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"value": ""}, "数要写数字"),
        ({"value": "许多"}, "数要写数字"),
        ({"value": "nan"}, "数要写数字"),
        ({"value": "1e999"}, "数要写数字"),
        ({"value": "96"}, "超出范围"),
        ({"value": "-1"}, "超出范围"),
        ({"value": "55"}, "报警的数要比解除的数大"),
        ({"figure": "over_two_thirds.clear_pct", "value": "66.7"}, "报警的数要比解除的数大"),
        ({"reason": ""}, "要写事由"),
        ({"reason": "集" * 61}, "事由最多六十个字"),
        ({"undo": "yes"}, "没有可恢复的"),
    ],
)
def test_what_is_typed_wrong_is_said_and_kept(visitor: Enter, typed: dict[str, str], says: str) -> None:
    lin = visitor("lin")
    refused = change(lin, **{"reason": "赶<i>集", **typed})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in refused.text
    for name, value in ({"reason": "赶&lt;i&gt;集", "value": "60"} | typed).items():
        assert name in ("figure", "undo") or f'name="{name}" value="{value}"' in refused.text
    assert "<b>66.7 %</b>" in sheet(lin)


def test_only_a_dispatcher_of_the_place_and_only_what_is_offered(gateway: DeskGateway, visitor: Enter) -> None:
    guest, gang, shi, lin = visitor("guest"), visitor("gang"), visitor("shi"), visitor("lin")
    for low in (guest, gang):
        assert "改指标" not in low.see("/assets/meiling-01").text
        assert low.see("/assets/meiling-01/figures").status_code == HTTPStatus.FORBIDDEN
        assert change(low).status_code == HTTPStatus.FORBIDDEN
    assert shi.see("/assets/zhuyuan-01/figures").status_code == HTTPStatus.NOT_FOUND
    assert change(shi, "zhuyuan-01").status_code == HTTPStatus.NOT_FOUND
    assert "这里不归您调度" in change(lin, "zhuyuan-01").text
    assert "办事要留名" in change(visitor("wu")).text
    for wrong in ({"figure": "fire.raise_c"}, {"figure": "stopped.day_h"}, {"figure": "x"}, {"place": "zhuyuan"}):
        assert change(lin, **wrong).status_code == HTTPStatus.BAD_REQUEST
    shi.csrf = "forged"
    assert "不是从值班台发来的" in change(shi).text
    assert gateway.desk.present.arrangements.thresholds.list_tuned() == []
