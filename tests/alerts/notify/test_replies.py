"""What an answer leads to: who hears a 2, in which words and under which key; and what becomes of a claim."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert, Doubt
from alerts.answers import Asked, Meaning
from alerts.conditions.bins import BinMemory
from alerts.model import Event, Log, MessageKind, Owed, Severity
from alerts.notify import texts
from alerts.notify.replies import HOUSE_TEXTS, KEPT_MS, SAMPLES, Claim, Replies, is_due, sampled, standing
from alerts.notify.schedule import Schedule
from alerts.operations.absences import Absence, Absences
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.segments import parts
from tests.alerts.notify.builders import (
    CAN,
    CATALOGUE,
    COUNTY,
    ESCALATION,
    NOON,
    PLANT,
    ROAD,
    alert,
    clock,
    rows,
    with_person,
)

FULL: Final = BinMemory(fill_pct=90.0)
LATE: Final[Millis] = clock(13)
ZHOU: Final = 224_895_611_428_000
"""What follows from an answer of 周师傅 is numbered from here on, in every version: a key outlasts an upgrade."""


def house(inventory: Inventory = COUNTY, away: Mapping[str, str] | None = None) -> Replies:
    """Who hears of answers in this county while these are away and others stand in for them."""
    absences = Absences(inventory)
    for person, stand_in in (away or {}).items():
        wish = Absence(id="", person=person, stand_in=stand_in, from_ms=NOON, until_ms=clock(20))
        assert isinstance(absences.add(wish, NOON), Absence)
    writer = dataclasses.replace(ESCALATION.message_writer, inventory=inventory)
    schedule = Schedule(dataclasses.replace(ESCALATION.holds, inventory=inventory))
    return Replies(writer, schedule, absences)


REPLIES: Final = house()


def asked(told: Alert, person: str = "cleaner-zhou", template: str = "overflow") -> Asked:
    """The text of that name about an episode, as somebody got it at noon."""
    step = next(each for each in ESCALATION.schedule.steps(told) if each.text == template)
    said = ESCALATION.message_writer.step_text(told, step, FULL, NOON, clock(14), person)
    return Asked(told.episode, person, said.template, "first", NOON, variables=said.variables)


def said(log: Iterable[Event | Owed]) -> list[tuple[str, str]]:
    """To whom, and what, without the signature."""
    return [(each.to, each.text.removeprefix("【湘阳环卫】")) for each in log if isinstance(each, Owed)]


def declined(told: Alert, by: Asked, replies: Replies = REPLIES, at_ms: Millis = LATE) -> Log:
    return replies.hear_answer(told, by, Meaning.DECLINED, FULL, at_ms)


LI: Final = "急：柳潭3号池（村部东侧）可能满出来了。请9日15点前先收拢地上的，去不了回2，没满回3。"
OFFICE: Final = "9日周师傅回复去不了：柳潭3号池，九成。请改派，可找李大姐。"
TAKEN, PASSED, NOTED = (
    f"收到，9日柳潭3号池{words}"
    for words in ("已另外派人，您不用去了。", "已告诉值班室，您不用去了。", "您去不了，已记下。")
)


def test_a_two_goes_to_who_stands_in_and_to_the_dispatcher_and_is_thanked() -> None:
    told = replace(alert(), step=2, repeat=100)
    log = declined(told, asked(told))
    assert said(log) == [("cleaner-li", LI), ("dispatch-wu", OFFICE), ("cleaner-zhou", TAKEN)]
    assert rows(log) == [("declined", {"by": "cleaner-zhou", "channel": "sms", "text": "overflow"})]
    (row, *notices) = log
    assert (row.at_ms, row.episode) == (LATE, told.episode)
    for each in notices:
        assert isinstance(each, Owed)
        assert (each.at_ms, each.kind, each.step, each.repeat) == (LATE, MessageKind.NOTICE, 1, 100 + ZHOU)
        assert (each.episode, each.phone) == (told.episode, COUNTY.people[each.to].phone)


def test_before_a_step_left_what_follows_is_numbered_with_the_first() -> None:
    steps = [
        {each.step for each in declined(replace(alert(), step=step), asked(alert())) if isinstance(each, Owed)}
        for step in (0, 1)
    ]
    assert steps == [{0}, {0}]


@pytest.mark.parametrize("meaning", [Meaning.DONE, Meaning.DOUBTED, Meaning.CALLBACK])
def test_any_other_answer_is_a_row_alone(meaning: Meaning) -> None:
    log = REPLIES.hear_answer(alert(), asked(alert()), meaning, FULL, LATE)
    assert said(log) == []
    assert rows(log) == [(str(meaning), {"by": "cleaner-zhou", "channel": "sms", "text": "overflow"})]


def test_of_somebody_who_left_nobody_hears() -> None:
    gone = dataclasses.replace(asked(alert()), person="gone")
    assert rows(declined(alert(), gone)) == [("declined", {"by": "gone", "channel": "sms", "text": "overflow"})]
    assert said(declined(alert(), gone)) == []
    all_of_it = REPLIES.declined_all([alert(), alert(asset=CAN)], gone, LATE)
    assert (said(all_of_it), len(rows(all_of_it))) == ([], 2)


def test_where_nobody_stands_in_the_office_hears_it_and_where_there_is_no_office_it_is_noted() -> None:
    told = alert()
    bare = house(with_person("cleaner-zhou", stand_in=None))
    assert said(declined(told, asked(told), bare)) == [
        ("dispatch-wu", OFFICE.replace("，可找李大姐", "")),
        ("cleaner-zhou", PASSED),
    ]
    none = house(with_person("dispatch-wu", duties=()))
    assert said(declined(told, asked(told), none)) == [("cleaner-li", LI), ("cleaner-zhou", TAKEN)]
    people = {**with_person("dispatch-wu", duties=()).people}
    people["cleaner-zhou"] = dataclasses.replace(people["cleaner-zhou"], stand_in=None)
    alone = house(dataclasses.replace(COUNTY, people=people))
    assert said(declined(told, asked(told), alone)) == [("cleaner-zhou", NOTED)]


def test_a_text_whose_words_are_not_known_any_more_sends_nobody() -> None:
    old = dataclasses.replace(asked(alert()), template="of_an_older_program")
    assert said(declined(alert(), old)) == [("dispatch-wu", OFFICE), ("cleaner-zhou", PASSED)]
    in_line = house(with_person("cleaner-zhou", stand_in="dispatch-wu"))
    heard = said(declined(alert(), old, in_line))
    assert [to for to, _ in heard] == ["dispatch-wu", "cleaner-zhou"], "the office hears it although it stands in"
    assert heard[-1][1] == PASSED
    several_old = several(template="of_an_older_program")
    heard = said(in_line.declined_all(TWO, several_old, LATE))
    assert [to for to, _ in heard] == ["dispatch-wu", "cleaner-zhou"]
    assert heard[-1][1] == "收到，9日2处已告诉值班室，您不用去了。"


def test_a_text_that_says_more_by_now_than_it_said_then_sends_nobody() -> None:
    """The office changed its catalogue while the text was out; the answer counts all the same."""
    told = asked(alert())
    lacking = dataclasses.replace(
        told, variables={name: said for name, said in told.variables.items() if name != "place"}
    )
    assert said(declined(alert(), lacking)) == [("dispatch-wu", OFFICE), ("cleaner-zhou", PASSED)]
    fewer = {name: fact for name, fact in SEVERAL.items() if name != "names"}
    heard = said(REPLIES.declined_all(TWO, dataclasses.replace(several(), variables=fewer), LATE))
    assert [to for to, _ in heard] == ["dispatch-wu", "cleaner-zhou"]
    assert heard[-1][1] == "收到，9日2处已告诉值班室，您不用去了。"
    undated = {name: fact for name, fact in SEVERAL.items() if name != "deadline"}
    assert (
        said(REPLIES.declined_all(TWO, dataclasses.replace(several(), variables=undated), LATE))[0][0] == "dispatch-wu"
    )


def test_nobody_is_told_of_their_own_answer_nor_twice() -> None:
    told = alert()
    office = dataclasses.replace(asked(told), person="dispatch-wu")
    assert said(declined(told, office)) == [("dispatch-wu", NOTED)]
    in_line = house(with_person("cleaner-zhou", stand_in="dispatch-wu"))
    to = [person for person, _ in said(declined(told, asked(told), in_line))]
    assert to == ["dispatch-wu", "cleaner-zhou"], "who stands in has it from the text"
    away = house(away={"dispatch-wu": "cleaner-zhou"})
    assert [person for person, _ in said(declined(told, asked(told), away))] == ["cleaner-li", "cleaner-zhou"]
    theirs = house(away={"cleaner-li": "cleaner-zhou"})
    assert said(declined(told, asked(told), theirs)) == [
        ("dispatch-wu", OFFICE.replace("，可找李大姐", "")),
        ("cleaner-zhou", PASSED),
    ]


def test_who_goes_instead_and_the_office_hear_what_another_says_of_it() -> None:
    told = replace(alert(), doubts=(Doubt("sec-yang", "没满"),))
    heard = dict(said(declined(told, asked(told))))
    assert "柳书记说没满" in heard["cleaner-li"]
    assert "柳书记说没满" in heard["dispatch-wu"]
    own = replace(alert(), doubts=(Doubt("dispatch-wu", "没满"),))
    heard = dict(said(declined(own, asked(own))))
    assert "吴调度说没满" in heard["cleaner-li"]
    assert "说没满" not in heard["dispatch-wu"]


def test_who_goes_instead_has_as_long_as_if_that_step_left_now() -> None:
    for step, template, until in (
        (1, "overflow", "9日15点"),
        (2, "overflow_village", "11日11点"),
        (3, "overflow", "9日15点"),
    ):
        told = replace(alert(), step=step, left_ms=clock(8))
        heard = dict(said(declined(told, asked(told, template=template))))
        assert f"请{until}" in heard["cleaner-li"], (step, heard)


def test_of_what_has_no_asset_the_dispatchers_of_the_county_hear() -> None:
    """A plant is its crew's; of the dispatchers those answer who have its area, or one above."""
    office = dataclasses.replace(COUNTY.people["dispatch-wu"], id="other", name="别处", phone="13911111111")
    (duty,) = office.duties
    there = dataclasses.replace(office, duties=(dataclasses.replace(duty, area="chetian"),))
    county = dataclasses.replace(COUNTY, people={**COUNTY.people, "other": there})
    step = ESCALATION.schedule.steps(alert("gateway_offline", "g07"))[0]
    for told, offices in (
        (alert("gateway_offline", "g07"), ["dispatch-wu", "other"]),
        (alert("stopped", PLANT), ["other"]),
        (alert(), ["dispatch-wu"]),
    ):
        by = Asked(told.episode, "crew-chen", step.text, "first", NOON)
        heard = [to for to, _ in said(declined(told, by, house(county)))]
        assert heard == [*offices, "crew-chen"]


SEVERAL: Final = {"day": "9日", "line": "三分之二", "names": "柳潭3号、柳潭4号", "deadline": "9日14点", "count": "2"}


def several(person: str = "cleaner-zhou", template: str = "fill_several") -> Asked:
    return Asked("digest/1", person, template, "first", NOON, variables=SEVERAL)


TWO: Final = (alert("over_two_thirds", severity=Severity.P3), alert("over_two_thirds", CAN, Severity.P3))


def test_a_two_to_a_text_about_several_is_one_word_to_each() -> None:
    log = REPLIES.declined_all(TWO, several(), LATE)
    assert said(log) == [
        ("cleaner-li", "9日有2处过三分之二了：柳潭3号、柳潭4号。请9日16点半前清，去不了回2。"),
        (
            "dispatch-wu",
            "9日周师傅回复去不了，共2处：柳潭3号池（村部东侧）、柳潭4号桶（小学门口）。请改派，可找李大姐。",
        ),
        ("cleaner-zhou", "收到，9日2处已另外派人，您不用去了。"),
    ]
    detail = {"by": "cleaner-zhou", "channel": "sms", "text": "fill_several"}
    assert rows(log) == [("declined", detail)] * 2
    assert [each.episode for each in log][:2] == [each.episode for each in TWO]
    for each in log[2:]:
        assert isinstance(each, Owed)
        assert (each.episode, each.covers) == ("digest/1", tuple(one.episode for one in TWO))
        assert (each.step, each.repeat, each.kind) == (0, ZHOU, MessageKind.NOTICE)
        assert (each.at_ms, each.rule, each.asset) == (LATE, "over_two_thirds", ROAD)


def test_a_deadline_that_a_text_about_several_did_not_name_is_not_put_in() -> None:
    none = {name: fact for name, fact in SEVERAL.items() if name != "deadline"}
    by = dataclasses.replace(several(template="several"), variables={**none, "items": "柳潭3号满溢"})
    heard = dict(said(REPLIES.declined_all(TWO, by, LATE)))
    assert heard["cleaner-li"] == "9日有2件事：柳潭3号满溢。请看一下，去不了回2。"


def test_several_of_one_place_and_of_what_is_gone_are_counted_once_and_named_where_they_are_known() -> None:
    both = (alert(), TWO[0], alert(asset="gone"))
    heard = dict(said(REPLIES.declined_all(both, several(), LATE)))
    assert heard["dispatch-wu"] == "9日周师傅回复去不了，共2处：柳潭3号池（村部东侧）。请改派，可找李大姐。"


def test_a_word_about_many_takes_two_sms_where_it_needs_them_and_never_three() -> None:
    for name, least in (("柳潭{}号", "柳潭8号等9处"), ("柳潭村东头第{}号大垃圾池", "等9处")):
        bins = [
            dataclasses.replace(COUNTY.assets[ROAD], id=f"bin-{number}", short=name.format(number))
            for number in range(1, 10)
        ]
        county = dataclasses.replace(COUNTY, assets={**COUNTY.assets, **{each.id: each for each in bins}})
        words = {**SEVERAL, "names": texts.named(bins), "count": "9"}
        by = dataclasses.replace(several(), variables=words)
        standing = [alert("over_two_thirds", each.id, Severity.P3) for each in bins]
        for each in house(county).declined_all(standing, by, LATE):
            if isinstance(each, Owed) and each.to != "cleaner-zhou":
                assert (len(parts(each.text)), least in each.text) == (2, True), each.text


def test_who_declines_several_is_thanked_by_what_becomes_of_it() -> None:
    people = {**with_person("dispatch-wu", duties=()).people}
    people["cleaner-zhou"] = dataclasses.replace(people["cleaner-zhou"], stand_in=None)
    alone = dataclasses.replace(COUNTY, people=people)
    for replies, by, heard in (
        (house(with_person("cleaner-zhou", stand_in=None)), several(), ["dispatch-wu", "cleaner-zhou"]),
        (REPLIES, several(template="of_an_older_program"), ["dispatch-wu", "cleaner-zhou"]),
        (house(alone), several(), ["cleaner-zhou"]),
        (house(with_person("cleaner-zhou", stand_in="dispatch-wu")), several(), ["dispatch-wu", "cleaner-zhou"]),
        (house(away={"dispatch-wu": "cleaner-zhou"}), several(), ["cleaner-li", "cleaner-zhou"]),
    ):
        log = said(replies.declined_all(TWO, by, LATE))
        assert [to for to, _ in log] == heard
    words = [
        said(replies.declined_all(TWO, several(), LATE))[-1][1]
        for replies in (house(with_person("cleaner-zhou", stand_in=None)), house(alone), REPLIES)
    ]
    assert words == [
        "收到，9日2处已告诉值班室，您不用去了。",
        "收到，9日2处您去不了，已记下。",
        "收到，9日2处已另外派人，您不用去了。",
    ]


def test_a_claim_is_due_after_two_samples_that_were_measured_after_it() -> None:
    claim = Claim(ROAD, alert().episode, "cleaner-li", NOON)
    assert claim.seen == 0
    assert sampled(claim, NOON) is claim
    once = sampled(claim, NOON + 1)
    assert (once.seen, is_due(once), is_due(sampled(once, NOON + 2)), SAMPLES) == (1, False, True, 2)
    assert standing((claim,), NOON + KEPT_MS - 1) == (claim,)
    assert standing((claim,), NOON + KEPT_MS) == ()
    assert clock(12, day=10) - NOON == KEPT_MS


def test_what_was_said_to_be_done_and_is_not_seen_is_asked_again() -> None:
    told = replace(alert(), step=1)
    claim = Claim(ROAD, told.episode, "cleaner-li", clock(12, 30))
    log = REPLIES.unseen(claim, told, FULL, LATE)
    assert rows(log) == [("claim_unseen", {"by": "cleaner-li", "claimed_ms": clock(12, 30)})]
    assert said(log) == [
        ("cleaner-li", "9日柳潭3号池您说清了，仪器还显示九成。请再看一眼：确实清了回3，没清完请补清。"),
    ]
    assert isinstance(log[1], Owed)
    assert (log[1].step, log[1].repeat, log[1].kind) == (0, clock(12, 30), MessageKind.NOTICE)
    gone = REPLIES.unseen(replace(claim, person="gone"), told, FULL, LATE)
    assert [event for event, _ in rows(gone)] == ["claim_unseen"]
    assert said(gone) == []


def test_who_answers_something_over_hears_when_it_was_and_of_several_how_many() -> None:
    by = asked(alert())
    (one,) = REPLIES.over(by, {ROAD: clock(12, 10)}, LATE)
    (more,) = REPLIES.over(by, {ROAD: clock(12, 10), CAN: clock(12, 20)}, LATE)
    assert said([one, more]) == [
        ("cleaner-zhou", "柳潭3号池9日12:10已恢复，不用去了。"),
        ("cleaner-zhou", "柳潭3号池等2处9日12:20已恢复，不用去了。"),
    ]
    assert isinstance(one, Owed)
    assert (one.asset, one.episode, one.step, one.repeat, one.rule) == (ROAD, by.episode, 0, 99, "")
    assert (one.at_ms, one.phone) == (LATE, COUNTY.people["cleaner-zhou"].phone)


def test_what_was_not_understood_is_said_to_the_number_of_somebody_or_of_a_stranger() -> None:
    known = REPLIES.unclear("cleaner-li", "13900000001", LATE)
    strange = REPLIES.unclear("", "13955555555", LATE)
    assert (known.to, strange.to, strange.phone) == ("cleaner-li", "13955555555", "13955555555")
    assert "没看懂您的回复" in known.text
    assert (known.severity, known.kind, known.step, known.repeat) == ("P3", MessageKind.NOTICE, 0, LATE)
    assert (known.rule, known.asset, known.episode, known.channel, known.at_ms) == ("", "", "", "sms", LATE)


def test_two_texts_about_no_case_at_one_instant_have_keys_of_their_own() -> None:
    """The place in the list of the house's texts is in the key, which outlasts an upgrade: it only grows."""
    facts = {"person": "李大姐", "day": "9日", "time": "12:00"}
    told = [
        REPLIES.to_person("cleaner-li", "13900000001", CATALOGUE.word(name, facts), NOON).step
        for name in ("welcome", "sms_test", "heartbeat")
    ]
    assert told == [6, 7, 10]
    of_a_rule = CATALOGUE.word("emptied_meanwhile", {"day": "9日", "short": "柳潭3号", "container": "池"})
    assert REPLIES.to_person("cleaner-li", "13900000001", of_a_rule, NOON).step == 0
    assert HOUSE_TEXTS == (
        "not_understood",
        "declined_thanks",
        "declined_dispatcher",
        "declined_list_thanks",
        "declined_list",
        "claim_unseen",
        "welcome",
        "sms_test",
        "stand_in",
        "stand_in_refused",
        "heartbeat",
        "answered_over",
    )
