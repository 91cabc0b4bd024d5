"""The words of which texts are made, from both sides of each bound, and how a text gives way where it is too long."""

import dataclasses
from datetime import date, time
from typing import Final

import pytest
from pydantic import ValidationError

from alerts.calendars import HOUR_MS, RoundSlot
from alerts.notify import texts
from alerts.notify.texts import SHORTENED, Template, Texts
from alerts.policy import PolicyFault
from telemetry.reading import Millis
from telemetry.segments import SEGMENT, parts, units
from tests.alerts.notify.builders import CALENDAR, CAN, CATALOGUE, COUNTY, PLANT, ROAD, clock

SIGNED: Final = "【湘阳环卫】"


def made(written: str) -> Texts:
    """A catalogue of what is written, one text a line."""
    return texts.load(written, "texts.yaml", "湘阳环卫")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1秒"),
        (1.501, "2秒"),
        (60, "1分钟"),
        (61, "61秒"),
        (90, "90秒"),
        (91, "2分钟"),
        (3_600, "1小时"),
        (5_400, "90分钟"),
        (5_401, "2小时"),
        (-7_200, "2小时"),
        (86_400, "1天"),
        (129_600, "36小时"),
        (129_601, "2天"),
    ],
)
def test_how_long_is_said_in_the_largest_unit_of_which_there_are_two_or_which_it_just_fills(
    seconds: float, words: str
) -> None:
    assert texts.span(round(seconds * 1_000)) == words


def test_as_many_as_a_reader_keeps_in_mind_are_named_and_how_many_they_are_in_all() -> None:
    bins = [f"{number}号" for number in range(1, 10)]
    assert texts.listed(bins[:8]) == "1号、2号、3号、4号、5号、6号、7号、8号"
    assert texts.listed(bins) == "1号、2号、3号、4号、5号、6号、7号、8号等9处"
    assert texts.listed(bins, "件").endswith("8号等9件")


def test_an_asset_is_called_by_what_it_is_and_where_and_many_by_their_short_names() -> None:
    road, can, plant = (COUNTY.assets[each] for each in (ROAD, CAN, PLANT))
    bare = dataclasses.replace(road, landmark=None)
    assert [texts.place(each) for each in (road, can, plant, bare)] == [
        "柳潭3号池（村部东侧）",
        "柳潭4号桶（小学门口）",
        "禾田站（河边桥头）",
        "柳潭3号池",
    ]
    assert [texts.called(each) for each in (road, bare)] == ["柳潭3号池（村部东侧）", "柳潭3号"]
    assert [texts.container(each) for each in (road, can, plant)] == ["池", "桶", ""]
    assert texts.names(can) == {"place": "柳潭4号桶（小学门口）", "short": "柳潭4号", "container": "桶"}
    assert texts.named([road, can, plant]) == "柳潭3号池（村部东侧）、柳潭4号桶（小学门口）、禾田站（河边桥头）"
    assert texts.named([road, can, plant, bare]) == "柳潭3号、柳潭4号、禾田站、柳潭3号"


def test_numbers_levels_and_lines_are_said_as_people_say_them() -> None:
    assert [texts.counted(each) for each in (0, 1, 2, 3, 10, 11)] == ["零", "一", "两", "三", "十", "11"]
    assert [texts.line(each) for each in (66.4, 66.7, 67.4, 67.6)] == ["线", "三分之二", "三分之二", "线"]
    assert [texts.tenths(each) for each in (4.9, 5.0, 94.9, 95.0)] == ["零成", "一成", "九成", "十成"]


def test_an_hour_is_said_with_its_day_where_that_is_another() -> None:
    assert texts.clock(CALENDAR, clock(6, 5)) == "6:05"
    assert texts.day(CALENDAR, clock(6, 5)) == "9日"
    for at_ms, words in ((clock(18, 59), "18:30"), (clock(0, day=10), "10日0:00"), (clock(0, day=10) - 1, "23:30")):
        assert texts.deadline_time(CALENDAR, at_ms, clock(12)) == words
    assert texts.deadline(CALENDAR, clock(12, 30)) == "9日12点半"
    assert [texts.deadline_part(CALENDAR, at_ms) for at_ms in (clock(12) - 1, clock(12))] == ["9日上午", "9日下午"]


def test_a_round_is_called_by_when_it_begins_and_one_that_was_ordered_by_that() -> None:
    def called(begins_ms: Millis, *, extra: bool = False) -> str:
        return CATALOGUE.round(CALENDAR, RoundSlot(begins_ms, begins_ms + HOUR_MS, extra=extra))

    noon = CALENDAR.instant(date(2026, 12, 9), time(12))
    assert [called(noon - 1), called(noon), called(noon - 1, extra=True)] == ["早班", "下午班", "加收"]


def test_a_word_of_the_catalogue_stands_for_its_name_and_what_it_does_not_have_for_itself() -> None:
    own = made("{t: {text: '{day}'}, words: {overflow: 满出来}}")
    assert (CATALOGUE.term("overflow"), own.term("overflow")) == ("满溢", "满出来")
    assert (CATALOGUE.term("tilted"), own.term("tilted")) == ("歪", "歪倒"), "what a rule is called by itself"
    assert [own.term("storm"), own.term("storm", "风暴")] == ["storm", "风暴"]


def test_which_texts_ask_for_a_digit_and_which_hurry() -> None:
    assert [CATALOGUE.asks(each) for each in ("overflow", "no_power", "running_again", "unknown")] == [
        True,
        False,
        False,
        False,
    ]
    parted = made("{a: {text: '{day}{b}', optional: {b: '{time}，回2。'}}, c: {text: '{day}回24。'}}")
    assert (parted.asks("a"), parted.asks("c")) == (True, False), "two digits are a code"
    assert [CATALOGUE.hurries(each) for each in ("overflow", "overflow_town", "fire", "unknown")] == [
        True,
        False,
        False,
        False,
    ]
    assert ["fire" in CATALOGUE, "unknown" in CATALOGUE] == [True, False]


def test_a_provider_hears_what_the_text_speaks_of_and_nothing_else() -> None:
    facts = {
        "day": "9日",
        "short": "柳潭3号",
        "container": "池",
        "sent": "是",
        "office": "",
        "nobody": "",
        "level": "七成",
    }
    said = CATALOGUE.word("declined_thanks", facts)
    assert said.template == "declined_thanks"
    assert said.text == f"{SIGNED}收到，9日柳潭3号池已另外派人，您不用去了。"
    assert said.variables == {name: facts[name] for name in sorted(facts) if name != "level"}
    assert list(said.variables) == sorted(said.variables)
    long = made("t: {text: '{place}'}").word("t", {"place": "柳潭小学北池（村部东侧的大路口）"})
    assert long.text == f"{SIGNED}柳潭小学北池（村部东侧的大路口）"
    assert long.variables["place"] == "柳潭小学北池（村部东侧的大路…"
    assert units(long.variables["place"]) == 15


def test_who_shares_a_telephone_is_named_first_and_a_code_stands_behind_each_digit() -> None:
    said = made("t: {text: '{day}。去回1，去不了回2。'}")
    assert said.compose("t", {"day": "9日"}, "李大姐") == f"{SIGNED}李大姐：9日。去回1，去不了回2。"
    assert said.compose("t", {"day": "9日", "code": "07"}) == f"{SIGNED}9日。去回107，去不了回207。"


def test_what_somebody_says_otherwise_ends_a_text_where_it_fits_and_is_part_of_one_that_names_it() -> None:
    facts = {"day": "9日", "doubt": "李大姐说没满", "names": "柳潭3号"}
    said = made("{t: {text: '{day}。'}, named: {text: '{day}（{doubt}）。'}}")
    assert said.word("t", facts) == (f"{SIGNED}9日。李大姐说没满。", "t", {"day": "9日", "doubt": "李大姐说没满"})
    assert said.compose("named", facts) == f"{SIGNED}9日（李大姐说没满）。"
    assert said.word("t", {"day": "9日", "doubt": ""}) == (f"{SIGNED}9日。", "t", {"day": "9日"})
    for filler, ending in ((54, "李大姐说没满。"), (55, "")):
        full = made(f"t: {{text: '{{day}}{'字' * filler}。'}}")
        assert full.compose("t", facts) == f"{SIGNED}9日{'字' * filler}。{ending}"


def test_before_a_list_gives_way_to_what_somebody_says_otherwise_that_is_left_out() -> None:
    names = "、".join(f"柳潭{number}号" for number in range(1, 8))
    said = made(f"t: {{text: '{'字' * 25}{{names}}。'}}")
    assert said.compose("t", {"names": names}) == f"{SIGNED}{'字' * 25}{names}。"
    doubted = said.compose("t", {"names": names, "doubt": "诸葛师傅说没这回事"})
    assert doubted == f"{SIGNED}{'字' * 25}柳潭1号、柳潭2号、柳潭3号、柳潭4号、柳潭5号等7处。诸葛师傅说没这回事。"
    longer = made(f"t: {{text: '{'字' * 29}{{names}}。'}}").compose("t", {"names": names, "doubt": "字" * 30})
    assert longer == f"{SIGNED}{'字' * 29}{names}。", "and names as many as it would without"


@pytest.mark.parametrize(
    ("fact", "written", "most", "cut"),
    [
        ("names", "柳潭3号、小学门口、花桥2号", 14, "柳潭3号、小学门口、花桥2号"),
        ("names", "柳潭3号、小学门口、花桥2号", 13, "柳潭3号、小学门口等3处"),
        ("names", "柳潭3号、小学门口、花桥2号", 12, "柳潭3号、小学门口等3处"),
        ("names", "柳潭3号、小学门口、花桥2号", 11, "柳潭3号等3处"),
        ("names", "柳潭3号、小学门口等9处", 11, "柳潭3号等9处"),
        ("names", "一号、二号、三号、四号", 9, "一号、二号等4处"),
        ("names", "柳潭3号池（村部东侧）、柳潭4号桶（小学门口）", 15, "柳潭3号池（村部东侧）等2处"),
        ("names", "柳潭3号池（村部东侧）、柳潭4号桶（小学门口）", 13, "柳潭3号池等2处"),
        ("names", "柳潭小学北池（村部东侧）、小学", 8, "柳潭小学…等2处"),
        ("names", "柳潭小学北池（村部东侧）", 10, "柳潭小学北池（村部…"),
        ("names", "柳潭小学北池（村部东侧）等9处", 12, "柳潭小学北池等9处"),
        ("items", "柳潭3号满溢、禾田站停机、北池热灰", 10, "柳潭3号满溢等3件"),
        ("items", "停机2，过线12，满溢3", 9, "停机2等3项"),
        ("troubles", "水位超高1，停机1，空转1等", 10, "水位超高1，停机1等"),
        ("troubles", "水位超高、停机、空转", 8, "水位超高等3项"),
        ("troubles", "水位超高、停机、空转等9", 8, "水位超高等9"),
        ("told", "欧阳大姐、诸葛师傅", 8, "欧阳大姐等2人"),
        ("area", "青石镇、车田镇", 6, "青石镇等2处"),
        ("feeder", "柳潭北支线", 4, "柳潭北…"),
        ("feeder", "柳潭、北支线", 4, "柳潭、…"),
    ],
)
def test_a_list_that_is_too_long_names_fewer_and_how_many_there_are(
    fact: str, written: str, most: int, cut: str
) -> None:
    assert texts.shortened(written, most, fact) == cut
    assert units(cut) <= most


def test_where_nothing_fits_each_fact_keeps_what_people_need_of_it() -> None:
    facts = dict.fromkeys(SHORTENED, "甲" * 40)
    shown = made(f"t: {{text: '{'字' * 70}{''.join(f'{{{fact}}}' for fact in SHORTENED)}'}}").word("t", facts).variables
    assert {fact: units(words) for fact, words in shown.items()} == {
        **dict.fromkeys(("names", "items", "troubles"), 12),
        "told": 9,
        **dict.fromkeys(("feeder", "gateway", "area", "matter", "excuse", "short"), 6),
        "place": 15,
    }
    assert all(words == "甲" * (units(words) - 1) + "…" for words in shown.values())


ORDER: Final = ("names", "items", "troubles", "told", "feeder", "gateway", "area", "matter", "excuse", "place", "short")


@pytest.mark.parametrize("number", range(len(ORDER) - 1))
def test_what_can_be_found_elsewhere_gives_way_first(number: int) -> None:
    first, second = ORDER[number : number + 2]
    facts = {first: "甲" * 20, second: "乙" * 20}
    said = made(f"t: {{text: '{'字' * 28}{{{second}}}{{{first}}}'}}").word("t", facts)
    assert said.text == f"{SIGNED}{'字' * 28}{'乙' * 20}{'甲' * 15}…"
    assert units(said.text) == SEGMENT


def test_a_list_keeps_two_dozen_signs_before_something_optional_goes() -> None:
    said = made(f"t: {{text: '{'字' * 30}{{names}}{{more}}', optional: {{more: '{{day}}'}}}}")
    facts = {"names": "甲" * 40, "day": "9日" * 6}
    assert said.compose("t", facts) == f"{SIGNED}{'字' * 30}{'甲' * 23}…"
    short = {**facts, "day": "9日" * 3}
    assert said.compose("t", short) == f"{SIGNED}{'字' * 30}{'甲' * 27}…{short['day']}"


def test_one_sms_is_used_to_its_last_sign_and_two_as_well() -> None:
    said = made("t: {text: '{names}'}")
    names = {"names": "甲" * 200}
    assert said.compose("t", names) == f"{SIGNED}{'甲' * 63}…"
    assert said.word("t", names).text == f"{SIGNED}{'甲' * 63}…"
    two = said.compose("t", names, segments=2)
    assert (two, len(parts(two))) == (f"{SIGNED}{'甲' * 127}…", 2)


def test_a_sign_of_two_units_that_no_part_may_tear_costs_one_more() -> None:
    """Rare signs of names take two units, and a telephone carries them whole."""
    said = made("t: {text: '{names}'}").compose("t", {"names": f"{'甲' * 60}𠮷{'乙' * 66}"}, segments=2)
    assert said == f"{SIGNED}{'甲' * 60}𠮷{'乙' * 64}…"
    assert len(parts(said)) == 2


def test_a_text_that_is_too_long_is_cut_by_what_it_knows() -> None:
    """What it could speak of and what nobody knows takes no room."""
    said = made("t: {text: '{names}{second}', optional: {second: '，已告诉{told}'}, or: {second: 。}}")
    assert said.compose("t", {"names": "甲" * 80}) == f"{SIGNED}{'甲' * 62}…。"
    assert said.compose("t", {"names": "甲" * 80, "told": ""}) == f"{SIGNED}{'甲' * 62}…。"
    long = made(f"t: {{text: '{'字' * 80}{{names}}{{second}}', optional: {{second: '{{told}}'}}}}")
    assert long.compose("t", {"names": "一号"}) == f"{SIGNED}{'字' * 80}一号", "what cannot be cut leaves as it is"


def test_a_part_stands_where_all_of_which_it_speaks_is_known() -> None:
    said = made("t: {text: '{day}{more}', optional: {more: '，{told}和{owner}知道'}, or: {more: 。}}")
    for facts, words in (
        ({"told": "李大姐", "owner": "周师傅"}, "，李大姐和周师傅知道"),
        ({"told": "李大姐"}, "。"),
        ({"told": "李大姐", "owner": ""}, "。"),
        ({}, "。"),
    ):
        assert said.compose("t", {"day": "9日", **facts}) == f"{SIGNED}9日{words}"


def test_a_number_that_a_list_says_itself_is_not_said_again() -> None:
    said = made("t: {text: '{names}，共{count}处'}")
    for names, count, words in (
        ("一号等9处", "9", "一号等9处"),
        ("一号等9处", "8", "一号等9处，共8处"),
        ("一号", "1", "一号，共1处"),
    ):
        assert said.compose("t", {"names": names, "count": count}) == f"{SIGNED}{words}"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("t: {text: '{day}', when: {b: village, a: told}}", "t: when: there is no optional part a; name one of them"),
        ("t: {text: '{wind}{weather}'}", r"t: speaks of \{weather\}, which no case has; known are amps, area, blind"),
        ("t: {text: '{day}', texte: x}", "texts.yaml: t.texte: no such key; remove it or mend its spelling"),
        ("t: {text: '{day}{b}', optional: {b: '{rain}'}}", r"t: speaks of \{rain\}"),
        ("t: {text: '{day}', when: {b: village}, optional: {c: x}}", "t: when: there is no optional part b"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused_with_the_place(written: str, fault: str) -> None:
    with pytest.raises(PolicyFault, match=fault):
        made(written)


def test_a_template_is_what_it_was_read_as() -> None:
    """Of what it speaks is asked once, and again for each text."""
    read = Template.model_validate(
        {"text": "{day}{more}", "optional": {"more": "{told}。"}, "when": {"more": "village"}}
    )
    assert read.names == {"day", "more", "told", "village"}
    assert Template(text="", otherwise={"more": "。"}) == Template.model_validate({"text": "", "or": {"more": "。"}})
    with pytest.raises(ValidationError):
        read.text = ""  # type: ignore[misc] # that it cannot is what is tested


def test_a_text_can_be_written_of_facts_that_leave_out_only_what_may_be_left_out() -> None:
    said = made("t: {text: '{day}{place}{more}', optional: {more: '{told}知道'}, or: {more: '{level}'}}")
    whole = {"day": "9日", "place": "柳潭3号", "level": "九成"}
    assert said.compose("t", whole) == f"{SIGNED}9日柳潭3号九成"
    assert said.speaks("t", whole)
    assert not said.speaks("of_an_older_program", whole)
    for name in whole:
        assert not said.speaks("t", {each: fact for each, fact in whole.items() if each != name})
