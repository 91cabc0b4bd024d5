"""On whose phone, as a text or a call, and opened by whose name."""

from typing import Any

from msgspec.structs import replace

from alerts.model import MessageKind, Owed
from alerts.notify import texts
from alerts.notify.pending import addressed
from gateway import shipped
from telemetry.inventory import CountySettings, Inventory, Person

TEXTS = texts.load(shipped.policy_files().texts, "texts.zh-CN.yaml", "湘阳环卫")
FACTS = {"day": "22日", "short": "柳潭3号", "container": "池"}
PEOPLE = {
    "li": Person("li", "李大姐", "13900000001", ()),
    "zhou": Person("zhou", "周师傅", "13900000002", (), by_voice=True),
    "wu": Person("wu", "吴大爷", "13900000003", (), relay="li"),
    "he": Person("he", "何工", "13900000004", ()),
}
COUNTY = Inventory(CountySettings("xiang", "湘阳县", "Asia/Shanghai", "湘阳环卫"), {}, PEOPLE, {}, {}, {}, {}, {})
CASE = Owed(
    at_ms=1_795_334_400_000,
    rule="overflow",
    asset="ytan-03",
    episode="overflow/ytan-03/1",
    severity="P2",
    kind=MessageKind.FIRST,
    step=0,
    repeat=0,
    to="he",
    phone="13900000004",
    channel="sms",
    text=TEXTS.compose("emptied_meanwhile", FACTS),
    template="emptied_meanwhile",
    variables=FACTS,
)


def reached(to: str, *, calls: bool = True, **changed: Any) -> tuple[Owed, ...]:  # noqa: ANN401 -- fields of any kind
    return addressed(replace(CASE, to=to, phone=PEOPLE[to].phone, **changed), COUNTY, TEXTS, calls=calls)


def test_whoever_has_a_phone_of_their_own_gets_the_text_as_it_is() -> None:
    assert reached("he") == (CASE,)


def test_what_is_passed_on_goes_to_the_other_phone_and_opens_with_the_name() -> None:
    (passed_on,) = reached("wu")
    assert (passed_on.to, passed_on.phone) == ("wu", "13900000001")
    assert passed_on.text.startswith("【湘阳环卫】吴大爷：22日柳潭3号池")


def test_whoever_shares_a_phone_is_named_too() -> None:
    (own,) = reached("li")
    assert own.text.startswith("【湘阳环卫】李大姐：")


def test_who_cannot_read_is_called_where_calls_can_be_made() -> None:
    assert [owed.channel for owed in reached("zhou")] == ["voice"]
    assert [owed.channel for owed in reached("zhou", calls=False)] == ["sms"]


def test_a_fire_is_called_out_at_once_after_two_and_after_five_minutes_beside_its_text() -> None:
    found = reached("he", severity="P1")
    assert [(owed.channel, owed.call, owed.not_before_ms) for owed in found] == [
        ("sms", 0, 0),
        ("voice", 1, CASE.at_ms),
        ("voice", 2, CASE.at_ms + 120_000),
        ("voice", 3, CASE.at_ms + 300_000),
    ]
    assert len({owed.key for owed in found}) == 4
    assert [owed.call for owed in reached("zhou", severity="P1")] == [0, 2, 3]
    assert len(reached("he", severity="P1", kind=MessageKind.REPEAT)) == 1
    assert len(reached("he", severity="P1", calls=False)) == 1


def test_whom_the_inventory_does_not_know_and_what_has_its_way_already_is_left_as_it_is() -> None:
    for owed in (replace(CASE, to="gone", phone="1"), replace(CASE, to="wu", channel="voice")):
        assert addressed(owed, COUNTY, TEXTS, calls=True) == (owed,)


def test_a_text_that_the_catalogue_does_not_have_any_more_opens_as_it_was_written() -> None:
    (passed_on,) = reached("wu", template="of_an_older_program")
    assert (passed_on.phone, passed_on.text) == ("13900000001", CASE.text)


def test_a_text_that_says_more_by_now_than_it_said_then_opens_as_it_was_written() -> None:
    (passed_on,) = reached("wu", variables={})
    assert (passed_on.phone, passed_on.text) == ("13900000001", CASE.text)
