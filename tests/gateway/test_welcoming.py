"""The first text: owed once, by day, through the ordinary way; and a 1 in answer says that somebody reads it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from alerts.answers import reply
from alerts.channels import Accepted, SendRefused
from gateway.commands.welcome import is_greeted, is_new
from gateway.journal.case_reader import NEVER, CaseReader, Contact
from gateway.requests import ReceiptsAndReplies
from telemetry.inventory import Duty, Person
from telemetry.terms import Role
from tests.desk_gateway import HOUR_MS, DeskGateway, at, desk_gateway

MEI = "13900001001"
MORNING = at(22, 8)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING) as made:
        yield made


def asked(gateway: DeskGateway, *people: str, bears: str = "hush") -> httpx.Response:
    headers = {"Authorization": f"Bearer {bears}"}
    url = f"{gateway.url}/api/v1/people/welcome"
    answer = httpx.post(url, json={"people": [*people]}, headers=headers, trust_env=False)
    gateway.settle()
    return answer


def contact(gateway: DeskGateway, person: str) -> Contact:
    with closing(CaseReader.open(gateway.journal)) as reader:
        return reader.contacts().get(person, NEVER).contact


def wrote(gateway: DeskGateway, text: str, number: str, phone: str = MEI) -> None:
    said = reply("sms", number, phone, text, gateway.clock.now)
    answer = gateway.desk.inbox.post(ReceiptsAndReplies(replies=(said,)))
    assert answer.wait(120) is None  # type: ignore[union-attr] # there is room
    gateway.settle()


def texts(gateway: DeskGateway) -> list[str]:
    return [message.text for message in gateway.channel.sent if message.template == "welcome"]


def test_who_is_welcomed_gets_one_text_and_their_answer_says_that_they_are_reached(gateway: DeskGateway) -> None:
    assert contact(gateway, "mei") is Contact.NEVER
    answer = asked(gateway, "mei", "mei", "nobody")
    assert answer.json() == {
        "told": ["mei"],
        "leaves_ms": MORNING,
        "skipped": {"nobody": "the inventory has no such person"},
    }
    assert texts(gateway) == ["【禾湾环卫】梅大姐您好，垃圾池快满时会发短信到这个手机。收到请回1。"]
    assert contact(gateway, "mei") is Contact.SENT
    wrote(gateway, "你好", "1")
    assert contact(gateway, "mei") is Contact.SENT, "what nobody understands proves nothing"
    gateway.clock.now += HOUR_MS
    wrote(gateway, "１", "2")
    assert contact(gateway, "mei") is Contact.REACHED
    assert contact(gateway, "zhu") is Contact.NEVER


def test_nobody_is_welcomed_twice_in_a_day(gateway: DeskGateway) -> None:
    asked(gateway, "mei")
    assert asked(gateway, "mei").json()["skipped"] == {"mei": "was welcomed within a day"}
    assert len(texts(gateway)) == 1
    for _ in range(25):
        gateway.clock.now += HOUR_MS
    gateway.settle()
    assert asked(gateway, "mei").json()["told"] == ["mei"]


def test_by_night_it_waits_for_the_morning(tmp_path: Path) -> None:
    with desk_gateway(tmp_path, at(22, 22)) as gateway:
        assert asked(gateway, "mei").json()["leaves_ms"] == at(23, 6, 30)
        gateway.clock.now = at(23, 6, 29)
        gateway.settle()
        assert texts(gateway) == []
        assert contact(gateway, "mei") is Contact.OWED
        gateway.clock.now = at(23, 6, 30)
        gateway.settle()
        assert len(texts(gateway)) == 1


def test_without_the_token_nobody_is_welcomed(gateway: DeskGateway) -> None:
    assert asked(gateway, "mei", bears="guessed").status_code == 401
    assert asked(gateway).status_code == 422
    assert asked(gateway, *["mei"] * 1_001).status_code == 422
    assert texts(gateway) == []


def test_a_welcome_that_was_lost_is_none(gateway: DeskGateway) -> None:
    gateway.channel.answer = lambda _message: SendRefused("no_such_number", dead_number=True)
    asked(gateway, "mei")
    assert contact(gateway, "mei") is Contact.LOST
    mei = Person("mei", "梅大姐", MEI, (Duty(Role.CLEANER, "meiling"),))
    with closing(CaseReader.open(gateway.journal)) as reader:
        assert is_new(mei, reader.contacts())
    gateway.channel.answer = lambda _message: Accepted("ref")
    gateway.clock.now += HOUR_MS
    asked(gateway, "mei")
    assert contact(gateway, "mei") is Contact.SENT


def test_all_who_are_new_are_those_who_empty_and_read() -> None:
    cleans, leads = Duty(Role.CLEANER, "meiling"), Duty(Role.VILLAGE_HEAD, "meiling")
    assert is_greeted(Person("a", "甲", MEI, (cleans,)))
    assert is_greeted(Person("b", "乙", MEI, (leads, Duty(Role.COLLECTOR, route="north"))))
    assert not is_greeted(Person("c", "丙", MEI, (leads,)))
    assert not is_greeted(Person("d", "丁", MEI, (cleans,), by_voice=True))
