"""登记 and 台账 on a real loop and journal: registered, moved, verified, closed, refused."""

import re
import zipfile
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from gateway.desk.photos import LARGEST
from tests.desk_gateway import DeskGateway, at, desk_gateway
from tests.gateway.desk.conftest import MORNING, Visitor
from tests.photographs import JPEG, PNG, WEBP

Enter = Callable[[str], Visitor]
EnterAt = Callable[[DeskGateway, str], Visitor]
CASE = "20261124-shiqiao-001"


def form(visitor: Visitor, **given: str) -> dict[str, str]:
    """What a browser would send of the form of 登记."""
    page = visitor.see("/register").text
    (key,) = re.findall(r'name="key" value="([^"]+)"', page)
    typed = {"where": "梅岭1号", "rule": "litter", "what": "", "reported": "telephone", "key": key, **given}
    return {"csrf": visitor.csrf, **typed}


def register(visitor: Visitor, **given: str) -> httpx.Response:
    return visitor.post("/register", data=form(visitor, **given))


def step(visitor: Visitor, verb: str, case: str = CASE, **given: str) -> httpx.Response:
    return visitor.post(f"/cases/{case}/{verb}", data={"csrf": visitor.csrf, **given})


def send(visitor: Visitor, photo: bytes) -> httpx.Response:
    visitor.see("/register")
    return visitor.post("/register/photo", content=photo, headers={"x-csrf": visitor.csrf})


def test_a_call_becomes_a_case_that_is_done_verified_and_closed(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    made = register(lin, caller_name="王大爷", caller_phone="139 0000 7777", what="路边倒了两车垃圾")
    assert made.headers["location"] == f"/cases/{CASE}?said=registered"
    page = lin.see(made.headers["location"]).text
    assert "已登记" in page
    assert "王大爷 139 0000 7777" in page
    assert "垃圾清运及时" in page, "the standard of its rule"
    assert "已派" in step(lin, "assign", to="mei").text
    gateway.settle()
    assert [message.to for message in gateway.channel.sent] == ["mei"]
    assert "已开始办" in step(lin, "start").text
    assert "已记“办好”，等核实" in step(lin, "fix").text
    assert "要写凭什么说办好了" in step(lin, "verify").text
    assert "已核实" in step(lin, "verify", proof="村书记看过").text
    assert "已销号" in step(lin, "close").text
    page = lin.see(f"/cases/{CASE}").text
    for word in ("登记", "派", "开始办", "报办好", "人工核实", "销号"):
        assert f"<b>{word}</b>" in page
    assert "给梅大姐" in page
    assert "林调度 · 值班台 lin@127.0.0.1" in page
    assert CASE not in lin.see("/cases").text
    assert CASE in lin.see("/cases?show=closed").text
    audit = lin.see("/audit").text
    assert f"/cases/{CASE}" in audit
    assert "人工核实" in audit


def test_a_double_click_is_one_case(visitor: Enter) -> None:
    lin = visitor("lin")
    sent = form(lin, rule="broken")
    first, second = (lin.post("/register", data=sent) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert register(lin, rule="broken").headers["location"] != first.headers["location"], "another form, another case"


def test_a_click_before_and_after_a_restart_is_one_case(visitor_at: EnterAt, tmp_path: Path) -> None:
    with desk_gateway(tmp_path, MORNING) as gateway:
        lin = visitor_at(gateway, "lin")
        sent = form(lin)
        first = lin.post("/register", data=sent)
    with desk_gateway(tmp_path, MORNING) as gateway:
        lin = visitor_at(gateway, "lin")
        second = lin.post("/register", data={**sent, "csrf": lin.csrf})
        assert second.headers["location"] == first.headers["location"]
        assert lin.see("/cases").text.count('href="/cases/2026') == 1


def test_an_answer_that_it_is_not_so_opens_a_check_of_the_sensor(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    gateway.answered("mei", "3")
    lin = visitor("lin")
    assert "说没这回事，要核对" in lin.see("/").text
    assert "仪器要核对" in lin.see("/cases/20261124-shiqiao-002").text
    step(lin, "fix", "20261124-shiqiao-002")
    assert "已核实" in step(lin, "verify", "20261124-shiqiao-002", proof="换了探头").text, "a person looks after it"


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(visitor: Enter) -> None:
    lin = visitor("lin")
    for given, said in (
        ({"where": "月球"}, "没有找到这个地方"),
        ({"where": ""}, "要写在哪里"),
        ({"rule": "reported"}, "要写是什么事"),
        ({"caller_phone": "call me"}, "电话只能是数字"),
        ({"what": "字" * 201}, "事情最多二百个字"),
        ({"what": "a\u202eb"}, "事情最多二百个字"),
        ({"photo": "../../etc/passwd"}, "照片放得太久"),
    ):
        page = register(lin, caller_name="王大爷", **given)
        assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert said in page.text
        assert 'value="王大爷"' in page.text
    assert CASE not in lin.see("/cases?show=all").text


def test_where_several_places_may_be_meant_the_page_asks_which(visitor: Enter) -> None:
    lin = visitor("lin")
    page = register(lin, where="垃圾池")
    assert "有几处对得上" in page.text
    assert 'value="asset:meiling-02"' in page.text
    made = register(lin, where="垃圾池", spots_of="垃圾池", spot="asset:meiling-02")
    assert "/assets/meiling-02" in lin.see(made.headers["location"]).text
    stale = register(lin, where="梅岭1号", spots_of="垃圾池", spot="asset:meiling-02")
    assert "/assets/meiling-01" in lin.see(stale.headers["location"]).text, "other words, another answer"
    village = register(lin, where="梅岭村", detail="老祠堂后面")
    assert "老祠堂后面" in lin.see(village.headers["location"]).text


def test_places_are_offered_as_one_types_and_only_those_in_sight(visitor: Enter) -> None:
    assert "梅岭村1号垃圾池（祠堂对面）" in visitor("lin").see("/register/places?where=祠堂").text
    assert "竹园" in visitor("lin").see("/register/places?where=竹园").text
    shi = visitor("shi")
    assert "竹园" not in shi.see("/register/places?where=竹园").text
    assert "没有找到这个地方" in register(shi, where="竹园集市").text
    assert "没有找到这个地方" in register(shi, where="x", spots_of="x", spot="asset:zhuyuan-01").text


@pytest.mark.parametrize("photo", [JPEG, PNG, WEBP], ids=["jpeg", "png", "webp"])
def test_a_photograph_goes_with_its_case_and_to_nobody_else(gateway: DeskGateway, visitor: Enter, photo: bytes) -> None:
    lin = visitor("lin")
    (name,) = re.findall(r'name="photo" value="([^"]+)"', send(lin, photo).text)
    case = register(lin, photo=name).headers["location"].partition("?")[0]
    kept = gateway.journal.parent / "photos" / name
    assert kept.stat().st_mode & 0o777 == 0o600
    shown = lin.get(f"{case}/photo")
    assert shown.content == photo
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-type"].startswith("image/")
    assert visitor("").see(f"{case}/photo").status_code == HTTPStatus.SEE_OTHER
    other = register(lin, where="竹园集市").headers["location"].partition("?")[0]
    assert visitor("shi").see(f"{case}/photo").status_code == HTTPStatus.OK
    assert visitor("shi").see(other).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (b"<script>alert(1)</script>", "不是照片"),
        (JPEG[:-30], "不是照片"),
        (PNG[:-1] + b"x", "不是照片"),
        (b"GIF89a" + bytes(40), "不是照片"),
        (b"", "不是照片"),
        (JPEG + bytes(LARGEST), "照片太大"),
    ],
    ids=["script", "cut", "changed", "gif", "empty", "large"],
)
def test_a_photograph_that_is_none_is_refused_in_a_sentence(
    gateway: DeskGateway, visitor: Enter, photo: bytes, said: str
) -> None:
    refused = send(visitor("lin"), photo)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in refused.text
    assert [path for path in (gateway.journal.parent / "photos").rglob("*") if path.is_file()] == []


def test_a_photograph_needs_the_token_and_a_role(visitor: Enter) -> None:
    lin = visitor("lin")
    assert lin.post("/register/photo", content=JPEG).status_code == HTTPStatus.FORBIDDEN
    assert send(visitor("guest"), JPEG).status_code == HTTPStatus.FORBIDDEN


def test_the_list_is_narrowed_and_goes_out_as_a_workbook(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    register(lin, rule="burning")
    register(lin, where="竹园集市", rule="broken")
    step(lin, "assign", to="mei")
    other = "20261124-baisha-001"
    everything = lin.see("/cases").text
    assert CASE in everything
    assert other in everything
    for query, shown, hidden in (
        ("area=shiqiao", CASE, other),
        ("rule=broken", other, CASE),
        ("owner=mei", CASE, other),
        ("show=open", other, CASE),
        ("q=baisha", other, CASE),
    ):
        page = lin.see(f"/cases?{query}").text
        assert f"/cases/{shown}" in page, query
        assert f"/cases/{hidden}" not in page, query
    gateway.at(at(24, 10))
    assert "超期" in lin.see("/cases?overdue=1").text
    assert f"/cases/{other}" not in lin.see("/cases?overdue=1").text
    book = lin.get("/cases.xlsx?area=shiqiao")
    assert book.headers["content-disposition"].startswith("attachment")
    strings = zipfile.ZipFile(BytesIO(book.content)).read("xl/sharedStrings.xml").decode()
    assert CASE in strings
    assert other not in strings
    shi = visitor("shi").see("/cases?area=zhuyuan").text
    assert CASE in shi
    assert other not in shi


def test_deferred_for_a_reason_it_is_quiet_and_then_overdue(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    register(lin)
    step(lin, "assign", to="mei")
    assert "要写清楚" in step(lin, "defer", until="2026-11-25T17:00").text
    assert "时间不对" in step(lin, "defer", until="2026-11-23T17:00", reason="等配件").text
    assert "已备案" in step(lin, "defer", until="2026-11-25T17:00", reason="等配件").text
    page = lin.see(f"/cases/{CASE}").text
    assert "到 明天17:00：等配件" in page
    gateway.at(at(25, 17, 1))
    assert "✕ 超期" in lin.see(f"/cases/{CASE}").text


def test_a_sensor_verifies_what_it_sees_and_nobody_clicks_for_it(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    assert "由仪器核实，不用人点" in lin.see(f"/cases/{CASE}").text
    step(lin, "fix")
    assert "这件事由仪器核实" in step(lin, "verify", proof="看过").text
    gateway.filled("bin-0101", 3)
    page = lin.see(f"/cases/{CASE}").text
    assert "仪器已核实" in page
    assert "已销号" in step(lin, "close").text


def test_who_may_not_is_refused_and_a_stranger_sees_nothing(visitor: Enter) -> None:
    lin = visitor("lin")
    register(lin)
    guest, gang = visitor("guest"), visitor("gang")
    assert register(visitor("wu")).status_code == HTTPStatus.FORBIDDEN, "nobody signs for it"
    assert guest.see("/register").status_code == HTTPStatus.FORBIDDEN
    guest.see("/cases")
    assert guest.post("/register", data={"csrf": guest.csrf}).status_code == HTTPStatus.FORBIDDEN
    assert guest.get("/cases.xlsx").status_code == HTTPStatus.FORBIDDEN
    assert step(guest, "note", reason="x").status_code == HTTPStatus.FORBIDDEN
    assert step(gang, "assign", to="he").status_code == HTTPStatus.FORBIDDEN
    assert step(gang, "note", reason="已联系").status_code == HTTPStatus.OK
    lin.csrf = "forged"
    assert step(lin, "note", reason="x").status_code == HTTPStatus.FORBIDDEN


def test_what_strangers_wrote_is_shown_as_text(visitor: Enter) -> None:
    lin = visitor("lin")
    script = "<script>alert(1)</script>"
    register(lin, what=script, caller_name="<b>x</b>", where="梅岭村", detail="<i>y</i>")
    assert "最多五百个字" in step(lin, "note", reason="x" * 10_000).text
    step(lin, "note", reason=f"第一行\r\n{script}")
    for page in (lin.see(f"/cases/{CASE}").text, lin.see("/cases").text, lin.see("/audit").text):
        assert "&lt;script&gt;" in page
        assert script not in page
        assert "<i>y</i>" not in page
