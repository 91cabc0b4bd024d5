"""The desk's pages over a real socket, on a real loop and journal: who gets in, what they see, what they may do."""

from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from alerts.notify.lists import LIST
from gateway.desk.login import TRIES
from tests.desk_gateway import DeskGateway, at
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
PAGES = ("/", "/map", "/assets", "/assets/meiling-01", "/assets/meiling-plant?days=1", "/texts", "/duty", "/trial")
ALL_PAGES = (*PAGES, "/register", "/cases", "/quarantine", "/audit")


def only_episode(gateway: DeskGateway) -> str:
    (episode,) = gateway.open_rules()
    return episode


@pytest.mark.parametrize("path", [*ALL_PAGES, "/live", "/act?verb=ack&episode=x"])
def test_nobody_gets_past_the_door_without_logging_in(visitor: Enter, path: str) -> None:
    page = visitor("").see(path)
    assert page.status_code == HTTPStatus.SEE_OTHER
    assert page.headers["location"].startswith("/login")


def test_a_wrong_password_is_told_and_lets_nobody_in(gateway: DeskGateway, visitor: Enter) -> None:
    stranger = visitor("")
    assert "名字或密码不对" in stranger.log_in("lin", "not the word").text
    assert "名字或密码不对" in stranger.log_in("nobody").text
    assert stranger.see("/").status_code == HTTPStatus.SEE_OTHER
    found = gateway.desk.users.failures(9)
    assert {(one.user, one.what) for one in found} == {("lin", "refused"), ("nobody", "refused")}


def test_too_many_wrong_ones_have_to_wait_even_with_the_right_one(visitor: Enter) -> None:
    stranger = visitor("")
    for _ in range(TRIES):
        stranger.log_in("lin", "guess")
    barred = stranger.log_in("lin")
    assert barred.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "试得太多了" in barred.text


def test_the_form_of_the_door_must_be_ours(visitor: Enter) -> None:
    stranger = visitor("")
    stranger.get("/login")
    refused = stranger.post("/login", data={"name": "lin", "password": "x", "knock": "guessed"})
    assert refused.status_code == HTTPStatus.FORBIDDEN


def test_nobody_is_sent_elsewhere_after_the_door(visitor: Enter) -> None:
    for back in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        assert 'name="back" value=""' in visitor("").get("/login", params={"back": back}).text


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_page_comes_up_and_lets_a_browser_do_nothing_else(visitor: Enter, path: str) -> None:
    page = visitor("lin").see(path)
    assert page.status_code == HTTPStatus.OK
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert "style=" not in page.text
    assert "onclick" not in page.text


def test_a_bin_that_crosses_is_seen_held_missed_and_told(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    assert "现在没有要拿主意的" in lin.see("/").text
    gateway.filled("bin-0101", 72)
    waiting = lin.see("/").text
    assert "等清运 1 处" in waiting
    assert "此刻来查 <b>1</b> 处" in waiting
    gateway.at(at(24, 11, 31))
    missed = lin.see("/").text
    assert "这班漏清" in missed
    assert "梅岭1号" in missed
    assert "告诉 梅大姐" in missed
    assert [message.to for message in gateway.channel.sent] == ["mei"]
    assert "梅岭1号" in lin.see("/texts").text
    why = lin.see("/assets/meiling-01").text
    assert "等这班来清，先不发" in why
    assert "装满 72 %，距离 530 毫米" in why


def test_confirming_stops_the_chain_and_is_in_the_audit(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    for device in ("bin-0101", "bin-0201"):
        gateway.filled(device, 72)
    gateway.at(at(24, 11, 31))
    (mine,) = [episode for episode in gateway.open_rules() if "meiling" in episode]
    said = lin.act(verb="ack", episode=mine)
    assert "已确认，不再往上报" in said.text
    assert "有人在办" in lin.see("/").text
    gateway.at(at(24, 17, 31))
    told = [message.to for message in gateway.channel.sent if not message.episode.startswith(LIST)]
    escalated = told[2:]
    assert escalated == ["zhu-head"], "the chain that nobody confirmed went on, the other did not"
    audit = lin.see("/audit").text
    assert "林调度" in audit
    assert "确认 过三分之二 梅岭1号：已确认，不再往上报" in audit


def test_a_viewer_looks_and_cannot_act(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    guest, episode = visitor("guest"), only_episode(gateway)
    assert ">确认<" not in guest.see("/").text
    refused = guest.act(verb="ack", episode=episode)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "您的账号不能做这件事" in refused.text
    assert guest.see("/audit").status_code == HTTPStatus.FORBIDDEN
    assert "139****1001" in guest.see("/duty").text
    assert "13900001001" not in guest.see("/duty").text


def test_a_crew_cannot_send_people_about(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gang = visitor("gang")
    assert gang.act(verb="dispatch", episode=only_episode(gateway)).status_code == HTTPStatus.FORBIDDEN


def test_an_admin_without_a_person_of_the_inventory_cannot_sign(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    assert "办事要留名" in visitor("wu").act(verb="ack", episode=only_episode(gateway)).text


def test_another_town_is_not_to_be_seen_anywhere(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0201", 72)
    gateway.at(at(24, 11, 31))
    shi = visitor("shi")
    for path in PAGES:
        page = shi.see(path).text
        assert "竹园" not in page, path
        assert "竹师傅" not in page, path
    assert shi.see("/assets/zhuyuan-01").status_code == HTTPStatus.NOT_FOUND
    assert shi.act(verb="ack", episode=only_episode(gateway)).status_code == HTTPStatus.NOT_FOUND
    assert shi.see("/quarantine").status_code == HTTPStatus.FORBIDDEN
    assert "竹园" in visitor("lin").see("/").text


def test_a_form_without_our_token_or_from_elsewhere_does_nothing(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    lin, form = visitor("lin"), {"verb": "ack", "episode": only_episode(gateway)}
    assert lin.post("/act", data=form).status_code == HTTPStatus.FORBIDDEN
    assert lin.post("/act", data={**form, "csrf": "guessed"}).status_code == HTTPStatus.FORBIDDEN
    elsewhere = {"origin": "http://elsewhere.example"}
    assert lin.post("/act", data={**form, "csrf": lin.csrf}, headers=elsewhere).status_code == HTTPStatus.FORBIDDEN
    assert lin.post("/logout", data={}).status_code == HTTPStatus.FORBIDDEN
    with gateway.desk.present.feed.present() as projection:
        assert [alert.acked_ms for alert in projection.open.values()] == [0]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"verb": "shout"}, HTTPStatus.BAD_REQUEST),
        ({"verb": "ack", "episode": "over_two_thirds/nowhere/1"}, HTTPStatus.NOT_FOUND),
        ({"verb": "dispatch", "to": "stranger"}, HTTPStatus.BAD_REQUEST),
        ({"verb": "shelve", "hours": "4", "reason": ""}, HTTPStatus.BAD_REQUEST),
        ({"verb": "shelve", "hours": "25", "reason": "修路"}, HTTPStatus.BAD_REQUEST),
        ({"verb": "shelve", "hours": "4", "reason": "路" * 61}, HTTPStatus.BAD_REQUEST),
        ({"verb": "shelve", "hours": "4", "reason": "a\nb"}, HTTPStatus.BAD_REQUEST),
        ({"verb": "ack", "reason": "长" * 20_000}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ({str(number): "" for number in range(50)}, HTTPStatus.BAD_REQUEST),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(
    gateway: DeskGateway, visitor: Enter, form: dict[str, str], status: HTTPStatus
) -> None:
    gateway.filled("bin-0101", 72)
    assert visitor("lin").act(**{"episode": only_episode(gateway), **form}).status_code == status


def test_what_the_gateway_says_to_a_verb_is_what_the_page_says(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    lin, episode = visitor("lin"), only_episode(gateway)
    dialog = lin.see(f"/act?verb=dispatch&episode={episode}").text
    assert "梅大姐（保洁员）" in dialog
    said = lin.act(verb="reset", episode=episode).text
    assert "现在不能这样办" in said
    assert "还没降下来，或者不用复位" in said
    lin.act(verb="ack", episode=episode)
    assert "早已确认或已解除" in lin.act(verb="ack", episode=episode).text


def test_a_script_in_what_devices_and_people_say_is_text(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.send("<script>alert(1)</script>", b"<script>alert(2)</script>")
    gateway.settle()
    lin = visitor("lin")
    page = lin.see("/quarantine").text
    assert "设备没登记" in page or "主题不认识" in page or "不是 JSON" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(2)" in page
    lin.log_in("<script>alert(3)</script>", "x")
    assert "<script>alert" not in visitor("lin").see("/audit").text


def test_an_unknown_page_is_friendly_to_people_and_a_problem_to_machines(visitor: Enter) -> None:
    lin = visitor("lin")
    assert "地址不对" in lin.see("/nowhere").text
    assert lin.get("/nowhere").headers["content-type"] == "application/problem+json"
    machine = lin.get("/api/v1/nowhere", headers={"accept": "text/html"})
    assert machine.headers["content-type"] == "application/problem+json"


def test_logging_out_ends_the_session_itself(visitor: Enter) -> None:
    lin = visitor("lin")
    cookies = dict(lin.cookies)
    lin.post("/logout", data={"csrf": lin.csrf})
    again = visitor("")
    again.cookies.update(cookies)
    assert again.see("/").status_code == HTTPStatus.SEE_OTHER


def test_what_has_changed_comes_over_the_stream(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    with lin.stream("GET", "/live") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        gateway.filled("bin-0101", 72)
        heard = set()
        for line in lines:
            heard |= {line} & {"event: cases", "event: levels"}
            if "event: cases" in heard:
                break
    assert "event: cases" in heard


def test_the_demos_link_opens_nothing_in_production(visitor: Enter) -> None:
    assert visitor("").see("/welcome/").status_code == HTTPStatus.NOT_FOUND
    assert visitor("").see("/welcome/x").status_code == HTTPStatus.NOT_FOUND
    assert visitor("lin").see("/telephone").status_code == HTTPStatus.NOT_FOUND


def test_a_page_says_so_while_the_gateway_is_starting(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    gateway.desk._present = None
    page = lin.see("/")
    assert page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "正在启动" in page.text


def test_static_files_are_the_known_ones(visitor: Enter) -> None:
    stranger = visitor("")
    assert "htmx" in stranger.get("/static/htmx.js").text
    for name in ("users.py", "..%2fusers.py", "desk.db"):
        assert stranger.get(f"/static/{name}").status_code == httpx.codes.NOT_FOUND


def test_a_note_is_kept_with_who_and_when_in_the_episodes_story_and_in_its_case(
    gateway: DeskGateway, visitor: Enter
) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    lin, episode = visitor("lin"), only_episode(gateway)
    assert "已记下备注" in lin.act(verb="note", episode=episode, reason="已打电话，\n下午去").text
    gateway.settle()
    for path in ("/", "/cases/20261124-shiqiao-001", "/audit", "/assets/meiling-01"):
        assert "已打电话， 下午去" in lin.see(path).text, path
        assert "备注" in lin.see(path).text, path
    assert lin.act(verb="note", episode=episode).status_code == HTTPStatus.BAD_REQUEST
    assert lin.act(verb="note", episode=episode, reason="x" * 10_000).status_code == HTTPStatus.BAD_REQUEST


def test_done_waits_for_the_sensor_and_stops_the_chain(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    lin, episode = visitor("lin"), only_episode(gateway)
    said = lin.act(verb="finish", episode=episode, reason="看过，清了").text
    assert "已记“办好”，等核实" in said, "the sensor decides"
    gateway.at(at(24, 17, 31))
    assert "mei-head" not in [message.to for message in gateway.channel.sent]
    gateway.filled("bin-0101", 3)
    assert "仪器看到已清运" in lin.see("/cases/20261124-shiqiao-001").text
    assert "已核实" in lin.see("/cases/20261124-shiqiao-001").text
    assert "它已经解除" in lin.act(verb="finish", episode=episode).text


def test_done_is_closed_at_once_where_no_sensor_speaks_and_somebody_knows(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    del gateway.levels["bin-0101"]
    gateway.at(at(24, 15))  # it fell silent: only a person can know
    lin = visitor("lin")
    (episode,) = [episode for episode, rule in gateway.open_rules().items() if rule == "over_two_thirds"]
    assert "已记“办好”，等核实" in lin.act(verb="finish", episode=episode).text, "nobody says how they know"
    assert "已销号" in lin.act(verb="finish", episode=episode, reason="村书记看过").text
    assert "村书记看过" in lin.see("/cases/20261124-shiqiao-001").text


def test_a_false_alarm_stops_the_chain_and_opens_a_check_of_its_sensor(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    lin, episode = visitor("lin"), only_episode(gateway)
    assert lin.act(verb="doubt", episode=episode).status_code == HTTPStatus.BAD_REQUEST, "not without a reason"
    assert "已记为误报" in lin.act(verb="doubt", episode=episode, reason="池子是空的").text
    lin.act(verb="doubt", episode=episode, reason="真的是空的")
    gateway.settle()
    page = lin.see("/").text
    assert "说没这回事，要核对" in page
    assert "池子是空的" in page
    assert gateway.open_rules(), "nothing is resolved by a word (law L5)"
    checks = lin.see("/cases?rule=sensor_check").text
    assert "20261124-shiqiao-002" in checks
    assert "20261124-shiqiao-003" not in checks, "one check a sensor"
    gateway.at(at(24, 17, 31))
    assert "mei-head" not in [message.to for message in gateway.channel.sent]


def test_a_crew_may_note_but_not_settle(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    gang, episode = visitor("gang"), only_episode(gateway)
    assert gang.act(verb="note", episode=episode, reason="在路上").status_code == HTTPStatus.OK
    for verb in ("finish", "doubt"):
        assert gang.act(verb=verb, episode=episode, reason="x").status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("looked", "seen_by"), [({"looked": "梅大姐"}, "梅大姐"), ({}, "林调度")])
def test_who_looked_and_reset_a_fire_and_from_where_is_in_the_audit(
    gateway: DeskGateway, visitor: Enter, looked: dict[str, str], seen_by: str
) -> None:
    gateway.levels.pop("bin-0101")
    gateway.bin("bin-0101", 30.0, 90.0)
    gateway.settle()
    for minutes in (20, 40, 60):
        gateway.clock.now = at(24, 8) + minutes * 60_000
        gateway.bin("bin-0101", 30.0, 20.0)
        gateway.settle()
    lin = visitor("lin")
    (fire,) = [episode for episode, rule in gateway.open_rules().items() if rule == "fire"]
    nobody = lin.act(verb="reset", episode=fire, looked=" ")
    assert (nobody.status_code, "写清是谁看过的" in nobody.text) == (HTTPStatus.BAD_REQUEST, True)
    assert 'name="looked" required' in lin.see(f"/act?verb=reset&episode={fire}").text
    assert "已复位" in lin.act(verb="reset", episode=fire, **looked).text
    assert f"{seen_by}看过" in lin.see(f"/assets/{fire.split('/')[1]}").text
    audit = lin.see("/audit").text
    assert "<td>复位</td>" in audit
    assert "值班台 lin@127.0.0.1" in audit
