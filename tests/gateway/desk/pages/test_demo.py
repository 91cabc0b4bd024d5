"""The demo's telephone: what is answered on it goes the way of a real reply, and a production gateway has none."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from gateway.desk.pages.demo import ACTOR, written
from tests.desk_gateway import DeskGateway, at, desk_gateway
from tests.gateway.desk.conftest import MORNING, Visitor

WELCOME = "come-in"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING, WELCOME) as running:
        yield running


@pytest.fixture
def guest(demo: DeskGateway) -> Iterator[Visitor]:
    with Visitor(base_url=demo.url, trust_env=False) as visitor:
        assert visitor.see(f"/welcome/{WELCOME}").status_code == HTTPStatus.SEE_OTHER
        visitor.see("/telephone")
        yield visitor


def missed(demo: DeskGateway) -> str:
    """A bin that the round has missed, and that its cleaner was told of; its episode."""
    demo.filled("bin-0101", 72)
    demo.at(at(24, 11, 31))
    demo.at(at(24, 11, 40))
    (episode,) = demo.open_rules()
    return episode


def press(guest: Visitor, of: str, text: str) -> httpx.Response:
    return guest.post("/telephone", data={"csrf": guest.csrf, "of": of, "text": text})


def events(demo: DeskGateway, episode: str) -> list[str]:
    with demo.desk.journal() as journal:
        return [event.event for event in journal.events_about([episode])]


def test_a_digit_is_a_reply_like_any_other_and_stands_in_the_thread(demo: DeskGateway, guest: Visitor) -> None:
    episode = missed(demo)
    assert press(guest, "mei", "2").headers["location"] == "/telephone?of=mei"
    demo.settle()
    assert events(demo, episode)[-3:].count("declined") == 1
    told = {message.to: message.text for message in demo.channel.sent}
    assert "梅大姐回复去不了" in told["lin"], "the dispatcher hears it, as of every 2"
    assert "您不用去了" in told["mei"]
    page = guest.see("/telephone?of=mei").text
    assert '<span class="sr">回复：</span>2</p>' in page
    assert page.index("已装七成") < page.index("回复：") < page.index("您不用去了"), "in the order in which it went"
    assert "自己回的" not in page


def test_what_nobody_understands_is_answered_as_on_any_phone(demo: DeskGateway, guest: Visitor) -> None:
    missed(demo)
    press(guest, "mei", "啥？")
    demo.settle()
    assert "没看懂您的回复" in demo.channel.sent[-1].text
    assert "啥？" in guest.see("/telephone?of=mei").text


def test_a_reply_by_a_part_of_the_demo_is_marked_as_one(demo: DeskGateway, guest: Visitor) -> None:
    episode = missed(demo)
    demo.desk.inbox.post(written("13900001001", "2", demo.clock.now, ACTOR))
    demo.settle()
    assert "declined" in events(demo, episode)
    assert "没人替他按，演示里的他自己回的" in guest.see("/telephone?of=mei").text


def test_phones_with_texts_come_first_and_every_other_can_be_picked(demo: DeskGateway, guest: Visitor) -> None:
    missed(demo)
    page = guest.see("/telephone").text
    assert "<h2>梅大姐 <small>保洁员</small></h2>" in page, "whose phone rang last is shown"
    assert page.index('of=mei"') < page.index("还没有短信的") < page.index('of=he"')
    assert "<h2>何工 <small>运维队</small></h2>" in guest.see("/telephone?of=he").text


@pytest.mark.parametrize(("of", "text"), [("nobody", "2"), ("mei", ""), ("mei", "  "), ("mei", "长" * 71), ("", "2")])
def test_what_no_phone_would_send_is_refused(demo: DeskGateway, guest: Visitor, of: str, text: str) -> None:
    missed(demo)
    assert press(guest, of, text).status_code == HTTPStatus.BAD_REQUEST
    with demo.desk.journal() as journal:
        assert journal.said_from("13900001001", 9) == []


def test_a_form_from_elsewhere_answers_for_nobody(demo: DeskGateway, guest: Visitor) -> None:
    missed(demo)
    guest.csrf = "guessed"
    assert press(guest, "mei", "2").status_code == HTTPStatus.FORBIDDEN
    with demo.desk.journal() as journal:
        assert journal.said_from("13900001001", 9) == []


def test_a_script_in_an_answer_is_shown_as_text(demo: DeskGateway, guest: Visitor) -> None:
    missed(demo)
    press(guest, "mei", "<script>alert(1)</script>")
    page = guest.see("/telephone?of=mei").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_the_phone_that_rang_last_lies_beside_every_page_and_answers(demo: DeskGateway, guest: Visitor) -> None:
    assert "还没有短信" in guest.see("/pocket").text
    missed(demo)
    small = guest.see("/pocket").text
    assert "梅大姐" in small
    assert "已装七成" in small
    found = re.search(r'hx-get="(/pocket[?]shown=[^"]+)"', small)
    assert found
    assert guest.see(found[1]).status_code == HTTPStatus.NO_CONTENT, "it is there already"
    pressed = guest.post("/telephone", data={"csrf": guest.csrf, "of": "mei", "text": "2", "at": "pocket"})
    assert pressed.status_code == HTTPStatus.OK
    assert '<span class="sr">回复：</span>2</p>' in pressed.text
    demo.settle()
    small = guest.see("/pocket").text
    assert "您不用去了" in small
    assert "林调度" not in small, "the office's own phone is not one that anybody works with"
    assert 'id="pocket"' in guest.see("/").text
    assert 'class="pocket"' not in guest.see("/telephone").text


def test_production_has_no_telephone(gateway: DeskGateway, visitor: object) -> None:
    """Neither the page nor the way to answer in somebody's name, whoever asks."""
    assert callable(visitor)
    lin = visitor("lin")
    assert lin.see("/telephone").status_code == HTTPStatus.NOT_FOUND
    assert lin.see("/pocket").status_code == HTTPStatus.NOT_FOUND
    assert "pocket" not in lin.see("/").text
    missed(gateway)
    assert press(lin, "mei", "2").status_code == HTTPStatus.NOT_FOUND
    with gateway.desk.journal() as journal:
        assert journal.said_from("13900001001", 9) == []
