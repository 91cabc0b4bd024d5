"""What is posted, overtaken, handed on and let go: which box it comes into, and the row of what never leaves."""

import dataclasses
from collections.abc import Sequence
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert, Doubt
from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.model import Detail, Event, MessageKind, Owed
from alerts.notify.digest import Digest
from alerts.notify.lists import LIST
from alerts.notify.mailbox import Left, Mailbox, Question
from alerts.notify.pending import MailboxRules, Pending
from alerts.operations.absences import Absence, Absences
from alerts.topology import OUTAGE
from telemetry.inventory import Duty, Inventory
from telemetry.reading import Millis
from telemetry.terms import Role
from tests.alerts.notify.builders import (
    CALENDAR,
    CAN,
    CATALOGUE,
    COUNTY,
    ESCALATION,
    NOON,
    PLANT,
    ROAD,
    alert_of,
    clock,
    owed,
    rows,
    with_person,
)

FIRST, STEP, OVER = MessageKind.FIRST, MessageKind.ESCALATION, MessageKind.CLEARED
CREW, OFFICE, CLEANER = (COUNTY.people[each].phone for each in ("crew-chen", "dispatch-wu", "cleaner-li"))


def house(inventory: Inventory = COUNTY, **away: str) -> Pending:
    """What posts in a county, while these are away all day and others stand in for them."""
    absences = Absences(inventory)
    for person, stand_in in away.items():
        name = person.replace("_", "-")
        wish = Absence(id="", person=name, stand_in=stand_in, from_ms=clock(12, 30), until_ms=clock(20))
        assert isinstance(absences.add(wish, NOON), Absence)
    holds = dataclasses.replace(ESCALATION.holds, inventory=inventory, absences=absences)
    digest = Digest(inventory, CALENDAR, ESCALATION.schedule, CATALOGUE, {ROAD: 66.7, CAN: 66.7})
    return Pending(inventory, MailboxRules(holds), digest, absences)


PENDING: Final = house()


def told(
    number: int = 1,
    asset: str = PLANT,
    kind: MessageKind = FIRST,
    *,
    rule: str = "stopped",
    to: str = "crew-chen",
    at_ms: Millis = NOON,
) -> Owed:
    """In words of the catalogue, as escalation owes it."""
    facts = {"day": "9日", "short": "禾田站", "since_day": "9日", "time": "12:00", "deadline_time": "16:00"}
    said = CATALOGUE.word("level_high", facts)
    message = replace(owed(rule, asset, kind, to, number), at_ms=at_ms, template=said.template)
    return replace(message, text=said.text, variables=said.variables)


def box(*pending: Owed, **state: object) -> Mailbox:
    """What waits for the number of the first of these."""
    made = Mailbox(pending[0].phone, pending=pending, due_ms=NOON)
    return replace(made, **state)


def alerts(*messages: Owed) -> dict[str, Alert]:
    return {each.episode: alert_of(each) for each in messages}


def sent(log: Sequence[Event | Owed]) -> list[Owed]:
    return [each for each in log if isinstance(each, Owed)]


def row(message: Owed, reason: str, **more: Detail | str | int) -> dict[str, object]:
    return {"reason": reason, "person": message.to, "step": message.step, **more}


def test_a_fire_passes_every_box_and_an_event_is_passed_on() -> None:
    fire = replace(told(), severity="P1")
    event = Event(at_ms=NOON, event="raised", rule="tilted", asset=ROAD, episode="tilted/it/1")
    assert PENDING.post([fire, event], {}) == ([], [fire, event])


def test_what_has_to_wait_has_a_row_that_says_until_when_and_what_need_not_has_none() -> None:
    first, second = told(), told(2)
    (made,), log = PENDING.post([first], {})
    assert (made.pending, log) == ((first,), [])
    left = replace(made, pending=(), left=(Left(NOON, (PLANT,)),), left_ms=(NOON,))
    (made,), log = PENDING.post([second], {CREW: left})
    assert made.pending == (second,)
    assert rows(log) == [("held", row(second, "grouped", until_ms=NOON + 2 * MINUTE_MS))]
    (said,) = log
    assert isinstance(said, Event)
    assert (said.at_ms, said.rule, said.asset, said.episode, said.severity) == (
        second.at_ms,
        "stopped",
        PLANT,
        second.episode,
        "P2",
    )


def test_several_of_one_log_come_into_one_box_and_others_into_others() -> None:
    messages = [told(), told(2), told(3, to="dispatch-wu")]
    made, _ = PENDING.post([*messages], {OFFICE: Mailbox(OFFICE, storm_ms=NOON, cried_ms=(NOON,) * 11)})
    assert [(each.phone, len(each.pending), each.storm_ms) for each in made] == [(CREW, 2, 0), (OFFICE, 1, NOON)]


def test_what_is_over_before_it_was_told_has_one_row_and_a_word_that_asks_takes_its_place_with_another() -> None:
    first, over = told(), told(kind=OVER, at_ms=NOON + 1)
    (made,), log = PENDING.post([over], {CREW: box(first)})
    assert (made.pending, rows(log)) == ((), [("dropped", row(over, "never_told"))])
    asks = replace(over, covers=("over_two_thirds/it/1",))
    other = told(2)
    (made,), log = PENDING.post([asks], {CREW: box(other, first)})
    assert made.pending == (other, asks)
    assert rows(log) == [("superseded", row(first, asks.key))]
    assert [each.episode for each in log] == [first.episode]


def test_a_message_that_is_on_its_way_already_comes_into_no_box() -> None:
    for severity, event in (("P2", "superseded"), ("P3", "dropped")):
        message = replace(told(), severity=severity)
        boxes, log = PENDING.post([message], {CREW: box(told())})
        assert (boxes, rows(log)) == ([], [(event, row(message, "told_already"))])


@pytest.mark.parametrize(("event", "calms"), [("cleared", True), ("retired", True), ("raised", False)])
def test_the_end_of_an_outage_calms_the_boxes_that_it_keeps_in_a_storm(event: str, calms: bool) -> None:  # noqa: FBT001 -- drawn
    dark = "area_outage/wushi/1"
    storm = Mailbox(CREW, storm_ms=NOON, outages=(dark,))
    other = Mailbox(OFFICE, storm_ms=NOON, outages=("area_outage/ytp/1",))
    over = Event(at_ms=NOON, event=event, rule=OUTAGE, asset="wushi", episode=dark)
    boxes, log = PENDING.post([over], {CREW: storm, OFFICE: other})
    assert boxes == ([replace(storm, storm_ms=0, outages=())] if calms else [])
    assert log == [over]
    assert PENDING.post([replace(over, rule="offline")], {CREW: storm})[0] == []
    message = told()
    (made,), _ = PENDING.post([message, over], {CREW: storm})
    assert (made.pending, made.outages) == ((message,), () if calms else (dark,)), "as it stands by then"


def closing(rule: str = "stopped", asset: str = PLANT, *, template: str = "", to: str = "crew-chen") -> Owed:
    return replace(told(rule=rule, asset=asset, kind=OVER, to=to), template=template or "level_back")


def raised(rule: str, asset: str = PLANT) -> Event:
    return Event(at_ms=NOON + 5, event="raised", rule=rule, asset=asset, episode=f"{rule}/{asset}/9")


def test_what_stands_again_outruns_the_word_that_it_was_over_and_no_other() -> None:
    word, other = closing(), closing("level_high")
    (made,), log = PENDING.post([raised("stopped")], {CREW: box(word, other), OFFICE: Mailbox(OFFICE)})
    assert made.pending == (other,)
    assert rows(log) == [("raised", {}), ("superseded", row(word, "raised"))]
    assert log[1].at_ms == NOON + 5
    for event in (raised("stopped", ROAD), raised("dry_run"), raised("tilted")):
        assert PENDING.post([event], {CREW: box(word, other)}) == ([], [event])
    step = told(kind=STEP)
    assert PENDING.post([raised("stopped")], {CREW: box(step)}) == ([], [raised("stopped")])
    gone = closing("offline", template="retired")  # nobody hears of the end of that rule by itself
    assert PENDING.post([raised("offline")], {CREW: box(gone)}) == ([], [raised("offline")])
    ash = closing("hot_ash", ROAD)
    assert PENDING.post([raised("fire", ROAD)], {CREW: box(ash)})[0][0].pending == ()
    (made,), _ = PENDING.post([told(3), raised("stopped")], {CREW: box(word)})
    assert made.pending == (told(3),), "as it stands by then"


EMPTIED: Final = Event(at_ms=clock(13), event="emptied", asset=ROAD)


def receded(template: str = "overflow_receded", to: str = "sec-yang") -> Owed:
    word = closing("overflow", ROAD, template=template, to=to)
    return replace(word, covers=(f"over_two_thirds/{ROAD}/1",))


def test_who_waits_for_the_word_of_a_level_hears_of_the_emptying_instead() -> None:
    word = receded()
    (made,), log = PENDING.post([EMPTIED], {word.phone: box(word)})
    (said,) = made.pending
    assert said.text == "【湘阳环卫】9日柳潭3号池已有人清了，您不用去了，辛苦了。"
    assert (said.template, said.variables) == (
        "emptied_meanwhile",
        {"container": "池", "day": "9日", "short": "柳潭3号"},
    )
    assert (said.at_ms, said.covers, said.key) == (clock(13), (), word.key)
    assert (made.due_ms, rows(log)[1]) == (clock(13), ("superseded", row(word, "emptied")))
    for same in (
        replace(word, kind=STEP),
        replace(word, rule="hot_ash"),
        replace(word, rule="fire"),
        receded("emptied_meanwhile"),
        replace(word, asset=CAN),
    ):
        assert PENDING.post([EMPTIED], {word.phone: box(same)}) == ([], [EMPTIED])
    (made,), log = PENDING.post([EMPTIED], {CLEANER: box(receded(to="cleaner-li"))})
    assert (made.pending, len(rows(log))) == ((), 2), "who empties bins knows it"


def test_where_what_it_asks_for_is_over_by_itself_it_says_so_to_everybody() -> None:
    over = Event(at_ms=clock(13), event="cleared", rule="over_two_thirds", asset=ROAD)
    over = replace(over, episode=f"over_two_thirds/{ROAD}/1")
    for to in ("sec-yang", "cleaner-li"):
        word, other = receded(to=to), replace(receded(to=to), covers=("over_two_thirds/it/2",), episode="overflow/it/2")
        (made,), log = PENDING.post([over], {word.phone: box(word, other)})
        kept, said = made.pending
        assert (kept, said.text) == (other, "【湘阳环卫】柳潭3号池9日13:00已恢复，不用去了。")
        assert rows(log)[1:] == [("superseded", row(word, "cleared"))]
    assert PENDING.post([replace(over, rule="overflow")], {word.phone: box(word)})[0] == []


def test_what_is_owed_to_somebody_away_is_owed_to_who_stands_in_and_once() -> None:
    away = house(driver_tang="cleaner-zhou", cleaner_li="cleaner-zhou")
    lone = told(to="driver-tang", at_ms=clock(13))
    (made,), log = away.post([lone], {})
    there = replace(lone, to="cleaner-zhou", phone=COUNTY.people["cleaner-zhou"].phone)
    assert (made.phone, made.pending) == (there.phone, (there,))
    assert rows(log) == [("absent", row(lone, "absent", to="cleaner-zhou"))]
    both = [lone, replace(lone, to="cleaner-li")]
    (made,), log = away.post([*both], {})
    assert made.pending == (there,)
    assert [event for event, _ in rows(log)] == ["absent", "absent"]
    (made,), log = away.post([lone, there], {})
    assert made.pending == (there,)
    assert [event for event, _ in rows(log)] == ["absent"]
    (made,), log = away.post([told(to="driver-tang", at_ms=NOON)], {})
    assert (made.phone, log) == (COUNTY.people["driver-tang"].phone, []), "not away yet"


def test_what_waits_for_somebody_who_went_away_moves_on_when_its_box_is_opened() -> None:
    away = house(crew_chen="dispatch-wu")
    one, other = told(), told(2, to="town-he")
    shared = {CREW: box(one, replace(other, phone=CREW))}
    boxes, log = away.ring(CREW, shared, alerts(one, other), clock(13))
    moved, opened = boxes
    assert (moved.phone, [each.to for each in moved.pending]) == (OFFICE, ["dispatch-wu"])
    assert (moved.due_ms, moved.pending[0].at_ms) == (clock(13), clock(13))
    assert (opened.phone, opened.pending, [each.to for each in sent(log)]) == (CREW, (), ["town-he"])
    assert rows(log) == [("absent", row(one, "absent", to="dispatch-wu"))]
    opened, said = PENDING.release(shared[CREW], alerts(one, other), clock(13))
    assert [each.to for each in sent(said)] == ["crew-chen", "town-he"]
    assert PENDING.ring(CREW, shared, alerts(one, other), clock(13)) == ([opened], said), "who is there waits as before"
    waiting = {**shared, OFFICE: Mailbox(OFFICE, left=(Left(clock(13), ("x",)),), left_ms=(clock(13),))}
    (moved, _), log = away.ring(CREW, waiting, alerts(one, other), clock(13))
    assert moved.due_ms == clock(13, 2)
    assert [event for event, _ in rows(log)] == ["absent", "held"]


def test_where_who_stands_in_has_the_same_telephone_it_leaves_there() -> None:
    county = with_person("dispatch-wu", phone=CREW)
    message = told()
    boxes, log = house(county, crew_chen="dispatch-wu").ring(CREW, {CREW: box(message)}, alerts(message), clock(13))
    assert [(each.phone, each.pending) for each in boxes] == [(CREW, ())]
    assert [each.to for each in sent(log)] == ["dispatch-wu"]


def test_after_a_start_what_waits_follows_a_new_number() -> None:
    county = with_person("crew-chen", phone="13911111111")
    one, other = told(), replace(told(2, to="town-he"), phone=CREW)
    old = box(one, other, due_ms=clock(10))
    same = Mailbox(OFFICE, pending=(told(3, to="dispatch-wu"),), due_ms=clock(10))
    there = dataclasses.replace(county, people={**county.people, "town-he": COUNTY.people["town-he"]})
    boxes, log = house(there).readdress([old, same], lambda *_: ("nobody",), clock(13))
    assert {each.phone: [one.to for one in each.pending] for each in boxes} == {
        CREW: [],
        OFFICE: ["dispatch-wu"],
        "13911111111": ["crew-chen"],
        COUNTY.people["town-he"].phone: ["town-he"],
    }
    assert [each.due_ms for each in boxes][:2] == [0, clock(10)]
    assert boxes[2].pending[0].phone == "13911111111"
    assert rows(log) == []


def test_after_a_start_what_waits_on_a_number_for_somebody_who_still_has_it_stays() -> None:
    moved = with_person("crew-chen", phone="13911111111")
    there = dataclasses.replace(COUNTY.people["dispatch-wu"], phone=CREW)
    county = dataclasses.replace(moved, people={**moved.people, "dispatch-wu": there})
    one, other = told(), replace(told(2, to="dispatch-wu"), phone=CREW)
    boxes, _ = house(county).readdress([box(one, other)], lambda *_: (), clock(13))
    assert [(each.phone, [said.to for said in each.pending]) for each in boxes] == [
        (CREW, ["dispatch-wu"]),
        ("13911111111", ["crew-chen"]),
    ]


@pytest.mark.parametrize(("severity", "event"), [("P2", "superseded"), ("P3", "dropped"), ("P1", "superseded")])
def test_what_waits_for_who_left_goes_to_their_successors_who_do_not_hear_it_twice(severity: str, event: str) -> None:
    people = {name: person for name, person in COUNTY.people.items() if name != "crew-chen"}
    small = house(dataclasses.replace(COUNTY, people=people))
    message, stays = replace(told(), severity=severity), told(2, to="town-he")
    asked = list[tuple[Owed, Millis]]()

    def successors(gone: Owed, at_ms: Millis) -> Sequence[str]:
        asked.append((gone, at_ms))
        return ("dispatch-wu", "town-he", "sec-yang")

    known = told(1, to="dispatch-wu", kind=STEP)
    of_another = told(2, to="sec-yang")
    beside = told(3, to="dispatch-wu")
    waiting = [
        box(message),
        box(known, beside),
        box(of_another),
        box(replace(stays, phone=COUNTY.people["town-he"].phone)),
    ]
    boxes, log = small.readdress(waiting, successors, clock(13))
    assert asked == [(message, clock(13))]
    found = {each.phone: [(one.episode, one.to) for one in each.pending] for each in boxes}
    assert found[CREW] == []
    assert [episode for episode, _ in found[OFFICE]] == [known.episode, beside.episode], "it is on its way to them"
    assert [each.to for each in sent(log)] == (["town-he", "sec-yang"] if severity == "P1" else [])
    if severity != "P1":
        assert found[COUNTY.people["town-he"].phone][-1] == (message.episode, "town-he")
        assert found[of_another.phone][-1] == (message.episode, "sec-yang")
    assert rows(log)[0] == (event, row(message, "person_left", to="town-he,sec-yang"))
    assert log[0].at_ms == clock(13)
    boxes, log = small.readdress([box(message)], lambda *_: (), clock(13))
    assert ([each.pending for each in boxes], len(log)) == ([()], 1)


def release(opened: Mailbox, *known: Owed, at_ms: Millis = NOON) -> tuple[Mailbox, list[Event | Owed]]:
    return PENDING.release(opened, alerts(*known), at_ms)


def test_of_no_use_any_more_is_what_ended_or_was_seen_to_and_then_the_box_is_empty() -> None:
    first, small = told(), replace(told(2), severity="P3")
    storm = box(first, small, storm_ms=NOON - MINUTE_MS, reason="storm")
    after, log = release(storm)
    assert after == replace(storm, pending=(), due_ms=0, reason="", storm_ms=0)
    assert rows(log) == [("dropped", row(first, "cleared")), ("dropped", row(small, "cleared"))]
    seen = {name: replace(each, acked_ms=1) for name, each in alerts(first, small).items()}
    _, log = PENDING.release(storm, seen, clock(13))
    assert rows(log) == [("superseded", row(first, "acknowledged")), ("dropped", row(small, "acknowledged"))]
    assert log[0].at_ms == clock(13)
    assert PENDING.no_longer_owed(first, seen, NOON) == "acknowledged"
    assert PENDING.no_longer_owed(first, alerts(first), NOON) == ""


def test_a_box_that_is_opened_too_early_says_of_all_that_waits_why() -> None:
    first, second = told(), told(2)
    early = box(first, second, left=(Left(NOON, (ROAD,)),), left_ms=(NOON,))
    after, log = release(early, first, second, at_ms=NOON + 1)
    until_ms = NOON + 2 * MINUTE_MS
    assert (after.pending, after.due_ms, after.reason) == ((first, second), until_ms, "grouped")
    assert rows(log) == [("held", row(each, "grouped", until_ms=until_ms)) for each in (first, second)]
    after, log = release(early, first, second, at_ms=until_ms)
    assert (after.pending, len(sent(log))) == ((), 1)


def test_a_box_is_judged_by_what_holds_it_now_and_its_storm_lasts_while_something_waits() -> None:
    first, second = told(), told(2)
    after, log = release(box(first, due_ms=NOON + MINUTE_MS, reason="grouped"), first)
    assert ([each.key for each in sent(log)], after.pending) == ([first.key], ())
    storm = box(first, second, storm_ms=NOON)
    after, log = release(storm, first, second, at_ms=NOON + 1)
    assert (after.storm_ms, after.due_ms, after.reason) == (NOON, NOON + MINUTE_MS, "storm")
    assert sent(log) == []


def test_what_has_no_room_waits_while_what_has_leaves() -> None:
    urgent = replace(owed(number=1), at_ms=NOON)
    small = replace(owed("over_two_thirds", CAN, number=2), at_ms=NOON)
    lefts = tuple(Left(clock(7 + each), (f"{each}",)) for each in range(4))
    full = box(urgent, small, left=lefts, left_ms=tuple(each.at_ms for each in lefts))
    after, log = release(full, urgent, small)
    assert [each.key for each in sent(log)] == [urgent.key]
    assert (after.pending, after.due_ms, after.reason) == ((small,), clock(6, 30, 10), "daily_cap")
    assert rows(log) == [("held", row(small, "daily_cap", until_ms=clock(6, 30, 10)))]
    assert after.left[-1] == Left(NOON, (ROAD,), key=urgent.key)
    assert after.over_ms == (NOON,)


def test_of_a_text_for_several_each_that_it_stands_for_has_a_row_and_of_two_people_each_their_own() -> None:
    """Two people on one telephone are told the same; each text stands for what its own person would have got."""
    mine = [told(each, kind=kind) for each, kind in ((1, FIRST), (2, FIRST))]
    theirs = [replace(each, to="town-he") for each in mine]
    after, log = release(box(*mine, *theirs), *mine)
    assert [(each.to, len(each.covers)) for each in sent(log)] == [("crew-chen", 2), ("town-he", 2)]
    lead, other = sent(log)
    assert rows(log) == [("folded", row(mine[1], lead.key)), ("folded", row(theirs[1], other.key))]
    assert after.left == (
        Left(NOON, (PLANT,), key=lead.key),
        Left(NOON, (PLANT,), key=other.key),
    )


def test_in_a_storm_one_text_counts_all_since_the_oldest_but_one_alone_is_said_as_it_is() -> None:
    first, second = told(at_ms=NOON - 7 * MINUTE_MS), told(2, at_ms=NOON - 3 * MINUTE_MS)
    storm = box(second, first, storm_ms=NOON - 7 * MINUTE_MS, cried_ms=(NOON - 5 * MINUTE_MS,) * 11)
    after, log = release(storm, first, second)
    (said,) = sent(log)
    assert "9日11:53起来了2件告警" in said.text
    assert after.storm_ms == storm.storm_ms
    _, log = release(replace(storm, pending=(first,)), first)
    assert [each.template for each in sent(log)] == ["level_high"]


def listed(*covers: str, to: str = "cleaner-li") -> Owed:
    message = owed(LIST, ROAD, MessageKind.DIGEST, to)
    names = {"day": "9日", "count": "2", "names": "柳潭3号"}
    said = CATALOGUE.word("list_emptier", names, segments=2)
    return replace(message, at_ms=NOON, severity="P3", covers=covers, text=said.text, template=said.template)


def small(number: int, asset: str = ROAD, kind: MessageKind = FIRST, to: str = "cleaner-li") -> Owed:
    return replace(owed("over_two_thirds", asset, kind, to, number), at_ms=NOON)


def test_what_a_list_speaks_of_is_not_told_beside_it() -> None:
    one, other = small(1), small(2, CAN)
    both = listed(one.episode, other.episode)
    for beside, folded in (
        (one, True),
        (replace(one, kind=MessageKind.FRESH), True),
        (replace(one, kind=STEP), False),
        (small(3), False),
        (replace(one, to="cleaner-zhou"), False),
    ):
        _, log = release(box(beside, both), one, other, small(3))
        assert (beside.key in [each.key for each in sent(log)]) is not folded
        assert rows(log) == ([("folded", row(beside, both.key))] if folded else [])
    bare = replace(both, covers=())
    assert len(sent(release(box(one, bare), one)[1])) == 2


def test_what_leaves_by_itself_is_not_said_to_have_left_in_another_text_that_speaks_of_it() -> None:
    """The word that an overflow receded names two thirds, which goes on, and whose own step leaves beside it."""
    for kind in (STEP, FIRST):
        one = small(1, kind=kind, to="sec-yang")
        word = replace(receded(), covers=(one.episode,), at_ms=NOON)
        _, log = release(box(one, word), one, word)
        assert ([each.key for each in sent(log)], rows(log)) == ([one.key, word.key], [])


def test_in_a_storm_a_list_is_counted_with_the_rest() -> None:
    one, other = small(1), small(2, CAN)
    both = listed(one.episode, other.episode)
    storm = box(one, both, storm_ms=NOON - 2 * MINUTE_MS, cried_ms=(NOON,) * 11)
    (said,) = sent(release(storm, one, other)[1])
    assert "2件告警" in said.text


def dark(area: str = "wushi", kind: MessageKind = FIRST, number: int = 1) -> Owed:
    return told(number, area, kind, rule=OUTAGE)


def test_the_end_of_an_outage_takes_along_what_waits_and_its_beginning_does_not() -> None:
    beside = told(2)
    for words, alone in (
        ((dark(),), True),
        ((dark(kind=MessageKind.FRESH),), True),
        ((dark(), dark("ytp", OVER, 3)), True),
        ((dark(kind=OVER),), False),
        ((dark(kind=STEP),), False),
    ):
        opened = box(*words, beside, storm_ms=NOON - 2 * MINUTE_MS, outages=("x",))
        after, log = release(opened, *words, beside)
        assert after.pending == ((beside,) if alone else ())
        (said,) = sent(log)
        assert ("2件告警" in said.text) is not alone
        held = [detail for event, detail in rows(log) if event == "held"]
        assert held == ([row(beside, "storm", until_ms=NOON + 10 * MINUTE_MS)] if alone else [])


def test_a_crew_that_is_asked_of_two_plants_answers_with_a_code_and_nobody_else_does() -> None:
    one, other = told(), told(2, ROAD)
    before = (Question(41, NOON - HOUR_MS, (one.episode,)),)
    after, log = release(box(other, questions=before), one, other)
    (said,) = sent(log)
    assert said.variables["code"] == "42"
    assert after.questions == (*before, Question(42, NOON, (other.episode,)))
    for gone in (
        {},
        {one.episode: replace(alert_of(one), closed_ms=1)},
        {one.episode: replace(alert_of(one), acked_ms=1)},
    ):
        _, log = PENDING.release(box(other, questions=before), alerts(other) | gone, NOON)
        assert "code" not in sent(log)[0].variables
    office = replace(other, to="dispatch-wu", phone=OFFICE)
    after, log = release(box(office, questions=before), one, other)
    assert ("code" in sent(log)[0].variables, after.questions) == (False, before)


def test_only_a_number_of_nobody_but_crews_is_asked_with_codes() -> None:
    one, other = told(), told(2, ROAD)
    before = (Question(41, NOON - HOUR_MS, (one.episode,)),)
    crew, office = Duty(Role.CREW, area="wushi"), Duty(Role.DISPATCHER, area="wushi")
    for county, coded in (
        (COUNTY, True),
        (with_person("crew-chen", duties=(crew, crew)), True),
        (with_person("crew-chen", duties=(crew, office)), False),
        (with_person("crew-chen", duties=()), False),
        (with_person("dispatch-wu", phone=CREW), False),
    ):
        _, log = house(county).release(box(other, questions=before), alerts(one, other), NOON)
        assert ("code" in sent(log)[0].variables) is coded


@pytest.mark.parametrize("kind", [FIRST, MessageKind.FRESH, STEP, MessageKind.REPEAT])
def test_a_step_that_waited_says_what_somebody_answered_meanwhile(kind: MessageKind) -> None:
    word = CATALOGUE.word(
        "overflow_village", {"place": "柳潭3号池", "since_day": "9日", "hours": "2", "deadline": "10日10点"}
    )
    message = replace(owed(kind=kind, to="sec-yang"), at_ms=NOON, text=word.text, template=word.template)
    message = replace(message, variables=word.variables)
    doubted = {message.episode: replace(alert_of(message), doubts=(Doubt("cleaner-li", "没满"),))}
    (said,) = sent(PENDING.release(box(message), doubted, NOON)[1])
    assert "李大姐说没满" in said.text
    assert said.variables["doubt"] == "李大姐说没满"
    (again,) = sent(PENDING.release(box(said), doubted, NOON)[1])
    assert again == said
    own = {message.episode: replace(alert_of(message), doubts=(Doubt("sec-yang", "没满"),))}
    for quiet, known in (
        (message, own),
        (replace(message, kind=MessageKind.NOTICE), doubted),
        (replace(message, template="unknown"), doubted),
    ):
        (said,) = sent(PENDING.release(box(quiet), known, NOON)[1])
        assert said == quiet


def test_what_was_owed_by_day_waits_for_the_morning_although_something_else_is_told_by_night() -> None:
    day, night = told(at_ms=clock(20, 59)), told(2, at_ms=clock(22))
    step = replace(day, kind=STEP)
    after, log = PENDING.release(box(step, night), alerts(step, night), clock(22))
    assert [each.key for each in sent(log)] == [night.key]
    assert after.pending == (step,)
    assert rows(log) == [("held", row(step, "quiet", until_ms=clock(6, 30, 10)))]


def test_what_was_owed_by_day_and_has_no_room_either_waits_once() -> None:
    night_ms = clock(22)
    urgent = replace(owed(number=1), at_ms=night_ms)
    day = replace(owed("over_two_thirds", CAN, number=2), at_ms=clock(20, 59))
    lefts = tuple(Left(clock(7 + each), (f"{each}",)) for each in range(4))
    full = box(urgent, day, left=lefts, left_ms=tuple(each.at_ms for each in lefts))
    after, log = release(full, urgent, day, at_ms=night_ms)
    assert [each.key for each in sent(log)] == [urgent.key]
    assert after.pending == (day,)


def test_a_list_that_waited_until_another_day_is_of_no_use() -> None:
    one = small(1)
    old = listed(one.episode)
    _, log = release(box(old), one, at_ms=NOON + DAY_MS)
    assert rows(log) == [("dropped", row(old, "outdated"))]
