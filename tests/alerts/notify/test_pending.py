"""What waits for a number: nothing is lost, no budget is overrun, and the numbers of the papers hold."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts import policy
from alerts.alert import Alert
from alerts.build import assemble
from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.model import Event, MessageKind, Owed, Severity
from alerts.notify.mailbox import Mailbox
from alerts.notify.pending import Pending
from gateway import imports, shipped
from telemetry.reading import Millis

COUNTY = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
NOON = 1_795_320_000_000  # 2026-11-22T04:00:00Z, which is noon there
HOUR_MS = 60 * MINUTE_MS
POLICIES = policy.load(shipped.policy_files().escalation, "escalation.yaml")
TELLING: Pending = assemble(COUNTY, shipped.policy_files())[0]._pending
CREW = next(person for person in COUNTY.people.values() if any(duty.role == "crew" for duty in person.duties))
CLEANER = next(person for person in COUNTY.people.values() if any(duty.role == "cleaner" for duty in person.duties))
ASSET = next(iter(COUNTY.assets))


def owed(
    number: int, at_ms: Millis, severity: str = "P2", to: str = CREW.id, kind: MessageKind = MessageKind.FIRST
) -> Owed:
    rule = "overflow" if severity == "P2" else "over_two_thirds"
    return Owed(
        at_ms=at_ms,
        rule=rule,
        asset=ASSET,
        episode=f"{rule}/{ASSET}/{number}",
        severity=severity,
        kind=kind,
        step=0,
        repeat=0,
        to=to,
        phone=COUNTY.people[to].phone,
        channel="sms",
        text="一条短信",
    )


def alert(message: Owed) -> Alert:
    return Alert(
        episode=message.episode,
        rule=message.rule,
        asset=message.asset,
        device="",
        severity=Severity(message.severity),
        raised_ms=message.at_ms,
        since_ms=message.at_ms,
        detail={},
    )


def left(messages: list[Owed], until_ms: Millis) -> tuple[list[Owed], list[Event], Mailbox]:
    """Everything that leaves when these are posted in their order and the box is opened whenever it is due."""
    box, texts, said = Mailbox(messages[0].phone), list[Owed](), list[Event]()
    alerts = {each.episode: alert(each) for each in messages}

    def run(box: Mailbox, until_ms: Millis) -> Mailbox:
        while 0 < box.due_ms <= until_ms:
            box, log = TELLING.release(box, alerts, box.due_ms)
            texts.extend(each for each in log if isinstance(each, Owed))
            said.extend(each for each in log if isinstance(each, Event))
        return box

    for message in messages:
        box = run(box, message.at_ms - 1)
        (box,), log = TELLING.post([message], {box.phone: box})
        said.extend(each for each in log if isinstance(each, Event))
    return texts, said, run(box, until_ms)


def spoken(texts: list[Owed]) -> Counter[str]:
    return Counter(episode for text in texts for episode in text.covers or (text.episode,))


GAPS = st.lists(st.tuples(st.integers(0, 40 * MINUTE_MS), st.sampled_from(["P2", "P3"])), min_size=1, max_size=60)


@given(GAPS, st.sampled_from([CREW.id, CLEANER.id]))
def test_every_message_leaves_once_alone_or_in_a_text_for_several(gaps: list[tuple[int, str]], to: str) -> None:
    at_ms, messages = NOON, []
    for number, (gap_ms, severity) in enumerate(gaps):
        at_ms += gap_ms
        messages.append(owed(number, at_ms, severity, to))
    texts, _, box = left(messages, at_ms + 40 * DAY_MS)
    assert box.pending == ()
    assert spoken(texts) == Counter(each.episode for each in messages)


@given(GAPS, st.sampled_from([CREW.id, CLEANER.id]))
def test_no_budget_is_overrun_whatever_comes(gaps: list[tuple[int, str]], to: str) -> None:
    at_ms, messages = NOON, []
    for number, (gap_ms, severity) in enumerate(gaps):
        at_ms += gap_ms
        messages.append(owed(number, at_ms, severity, to))
    texts, _, _ = left(messages, at_ms + 40 * DAY_MS)
    instants = [each.at_ms for each in texts]
    assert instants == sorted(instants)
    for span, most in POLICIES.telling.budget.items():
        assert all(sum(at <= other < at + span for other in instants) <= most for at in instants)
    assert all(other - at >= POLICIES.telling.fold_p2 for at, other in pairwise(instants))
    if to == CLEANER.id:
        days = Counter((at + 8 * HOUR_MS) // DAY_MS for at in instants)
        assert max(days.values()) <= POLICIES.telling.cap_a_day


def disputed(number: int, at_ms: Millis, kind: MessageKind) -> Owed:
    """What somebody who was there says is not so."""
    return replace(owed(number, at_ms, kind=kind), variables={"doubt": "李大姐说没满"})


@pytest.mark.parametrize("kind", [MessageKind.ESCALATION, MessageKind.FIRST])
@pytest.mark.parametrize("others", [1, 3, 5, 8])
def test_what_somebody_disputes_is_said_in_a_text_for_several(kind: MessageKind, others: int) -> None:
    messages = [owed(0, NOON, kind=kind), *(owed(n, NOON + 10_000, kind=kind) for n in range(1, others + 1))]
    texts, _, _ = left([*messages, disputed(99, NOON + 20_000, kind)], NOON + HOUR_MS)
    (together,) = (each for each in texts if each.covers)
    assert together.text.count("（李大姐说没满）") == 1
    assert (f"等{others + 1}" in together.text) == (others + 1 > 8)


def test_a_storm_names_what_somebody_disputes() -> None:
    messages = [owed(n, NOON + n * 1_000) for n in range(15)]
    texts, _, _ = left([*messages, disputed(99, NOON + 20_000, MessageKind.ESCALATION)], NOON + HOUR_MS)
    (storm,) = (each for each in texts if "火警照发" in each.text)
    assert f"满溢{len(storm.covers)}，{COUNTY.assets[ASSET].short}（李大姐说没满）。" in storm.text


def test_the_first_leaves_at_once_and_later_ones_together() -> None:
    texts, said, _ = left([owed(n, NOON + n * 10_000) for n in range(4)], NOON + HOUR_MS)
    assert [(each.at_ms - NOON, len(each.covers)) for each in texts] == [(0, 0), (2 * MINUTE_MS, 3)]
    assert [event.event for event in said if event.event == "folded"] == ["folded"] * 2
    assert "3处" in texts[1].text


def test_a_p3_waits_a_quarter_of_an_hour_and_a_p2_takes_it_along() -> None:
    texts, _, _ = left([owed(1, NOON), owed(2, NOON + 1, "P3")], NOON + HOUR_MS)
    assert [each.at_ms - NOON for each in texts] == [0, 15 * MINUTE_MS]
    texts, _, _ = left([owed(1, NOON), owed(2, NOON + 1, "P3"), owed(3, NOON + 2)], NOON + HOUR_MS)
    assert [each.at_ms - NOON for each in texts] == [0, 2 * MINUTE_MS]


def test_a_closing_word_meets_a_first_word_that_never_left() -> None:
    messages = [owed(1, NOON), owed(2, NOON + 1), owed(2, NOON + 2, kind=MessageKind.CLEARED)]
    texts, _, box = left(messages, NOON + HOUR_MS)
    assert [each.episode for each in texts] == [messages[0].episode]
    assert box.pending == ()


RECEDED = {"overflow_receded": (f"over_two_thirds/{ASSET}/0",), "overflow_over": ()}


def closing(template: str, to: str = CREW.id) -> Owed:
    """The word of an overflow that fell by itself, which waits for a number."""
    return replace(owed(1, NOON, to=to, kind=MessageKind.CLEARED), template=template, covers=RECEDED[template])


def outrun(event: Event, waiting: Owed) -> tuple[Mailbox, list[Event]]:
    """What becomes of a mailbox with one closing word when something happens."""
    box = Mailbox(waiting.phone, pending=(waiting,), due_ms=NOON + HOUR_MS)
    boxes, log = TELLING.post([event], {box.phone: box})
    return (boxes or [box])[0], [each for each in log if isinstance(each, Event) and each is not event]


@pytest.mark.parametrize("template", RECEDED)
def test_a_closing_word_that_waits_is_outrun_by_a_new_overflow(template: str) -> None:
    again = Event(at_ms=NOON + MINUTE_MS, event="raised", rule="overflow", asset=ASSET, episode=f"overflow/{ASSET}/2")
    box, rows = outrun(again, closing(template))
    assert not box.pending
    assert box.due_ms == 0
    assert [(row.event, (row.detail or {})["person"]) for row in rows] == [("superseded", CREW.id)]
    assert outrun(replace(again, asset="elsewhere"), closing(template))[0].pending


@pytest.mark.parametrize("template", RECEDED)
def test_one_that_an_emptying_outruns_says_so_but_not_to_who_empties(template: str) -> None:
    emptied = Event(at_ms=NOON + MINUTE_MS, event="emptied", asset=ASSET)
    box, rows = outrun(emptied, closing(template))
    assert [each.template for each in box.pending] == ["emptied_meanwhile"]
    assert "已有人清了" in box.pending[0].text
    assert [row.event for row in rows] == ["superseded"]
    box, rows = outrun(emptied, closing(template, to=CLEANER.id))
    assert not box.pending
    assert [row.event for row in rows] == ["superseded"]


def test_one_that_asks_to_go_is_outrun_by_the_end_of_what_it_asks_for() -> None:
    over = Event(at_ms=NOON, event="cleared", rule="over_two_thirds", episode=f"over_two_thirds/{ASSET}/0", asset=ASSET)
    box, rows = outrun(over, closing("overflow_receded"))
    assert [each.template for each in box.pending] == ["answered_over"]
    assert [row.event for row in rows] == ["superseded"]
    assert outrun(over, closing("overflow_over"))[1] == []


def test_one_that_is_outrun_at_night_wakes_nobody_if_it_was_owed_by_day() -> None:
    night_ms = NOON + 12 * HOUR_MS
    gone = f"over_two_thirds/{ASSET}/0"
    over = Event(at_ms=night_ms, event="cleared", rule="over_two_thirds", episode=gone, asset=ASSET)
    box, _ = outrun(over, closing("overflow_receded"))
    assert [each.template for each in box.pending] == ["answered_over"]
    assert box.due_ms == NOON + 18 * HOUR_MS + 30 * MINUTE_MS


def test_one_that_asks_to_go_leaves_in_the_place_of_the_first_word() -> None:
    first, last = owed(1, NOON), closing("overflow_receded")
    box = Mailbox(first.phone, pending=(first,), due_ms=NOON + HOUR_MS)
    (box,), log = TELLING.post([last], {box.phone: box})
    assert box.pending == (last,)
    assert [each.event for each in log if isinstance(each, Event)] == ["superseded", "held"][: len(log)]


def test_closing_words_wait_for_each_other_a_quarter_of_an_hour() -> None:
    """Nobody acts on them: after a power cut they would come one by one."""
    messages = [owed(1, NOON), *(owed(n, NOON + n * 5 * MINUTE_MS, kind=MessageKind.CLEARED) for n in (2, 3))]
    texts, _, _ = left(messages, NOON + HOUR_MS)
    assert [((each.at_ms - NOON) // MINUTE_MS, each.covers) for each in texts] == [
        (0, ()),
        (15, (messages[1].episode, messages[2].episode)),
    ]


BINS = [asset.id for asset in COUNTY.assets.values() if asset.bin is not None]


def about(number: int, asset: str, at_ms: Millis, kind: MessageKind = MessageKind.FIRST, to: str = CREW.id) -> Owed:
    """A P2 about one of several assets."""
    message = owed(number, at_ms, to=to, kind=kind)
    return replace(message, asset=asset, episode=f"overflow/{asset}/{number}")


def opened(
    box: Mailbox, alerts: dict[str, Alert], instants: list[tuple[Millis, int]]
) -> tuple[Mailbox, list[tuple[Millis, int]]]:
    """The box after it was opened when it is due, and the instants of texts with how many things each tells."""
    due_ms = box.due_ms
    box, log = TELLING.release(box, alerts, due_ms)
    return box, [*instants, *((due_ms, max(1, len(each.covers))) for each in log if isinstance(each, Owed))]


def minutes(texts: list[Owed], asset: str) -> list[int]:
    """When texts about an asset alone leave, in minutes."""
    return [(each.at_ms - NOON) // MINUTE_MS for each in texts if each.asset == asset and not each.covers]


def test_one_asset_takes_half_of_a_budget_at_most_and_another_finds_room() -> None:
    """Five in a quarter of an hour: two for each asset; what is above that folds into one text."""
    noisy, other = BINS[:2]
    messages = [about(n, noisy, NOON + n * 2 * MINUTE_MS) for n in range(5)]
    messages += [about(9, other, NOON + 11 * MINUTE_MS)]
    texts, said, _ = left(messages, NOON + HOUR_MS)
    assert minutes(texts, noisy) == [0, 2]
    assert minutes(texts, other) == [11], "what one asset has used up is not the other's"
    (folded,) = [each for each in texts if each.covers]
    assert ((folded.at_ms - NOON) // MINUTE_MS, len(folded.covers)) == (15, 3)
    assert {(each.detail or {})["reason"] for each in said if each.event == "held"} >= {"budget"}


@pytest.mark.parametrize("kind", [MessageKind.ESCALATION, MessageKind.NOTICE])
def test_the_steps_of_a_told_alert_do_not_count_for_the_share_of_its_asset(kind: MessageKind) -> None:
    noisy = BINS[0]
    kinds = [MessageKind.FIRST, kind, kind, MessageKind.FIRST]
    messages = [about(n, noisy, NOON + n * 2 * MINUTE_MS, each) for n, each in enumerate(kinds)]
    texts, _, _ = left(messages, NOON + HOUR_MS)
    assert minutes(texts, noisy) == [0, 2, 4, 6]


def test_a_p2_of_an_asset_that_was_not_told_today_leaves_above_the_cap() -> None:
    """Four a day for who empties; three more at once, and what comes then together within half an hour."""
    cap, over = POLICIES.telling.cap_a_day, POLICIES.telling.over_a_day
    assets = [*COUNTY.assets, *(f"another-{n}" for n in range(cap + over + 2))]
    hours = [NOON + n * 20 * MINUTE_MS for n in range(cap + over + 1)]
    messages = [about(n, assets[n], at_ms, to=CLEANER.id) for n, at_ms in enumerate(hours)]
    messages.append(about(99, assets[len(hours)], hours[-1] + 5 * MINUTE_MS, to=CLEANER.id))
    wait = Mailbox(CLEANER.phone)
    alerts = {each.episode: alert(each) for each in messages}
    instants: list[tuple[Millis, int]] = []
    for message in messages:
        while 0 < wait.due_ms < message.at_ms:
            wait, instants = opened(wait, alerts, instants)
        (wait,), _ = TELLING.post([message], {wait.phone: wait})
    while wait.pending:
        wait, instants = opened(wait, alerts, instants)
    assert instants == [*((at_ms, 1) for at_ms in hours[:-1]), (hours[-1] + 30 * MINUTE_MS, 2)]


def test_an_asset_that_was_told_today_waits_above_the_cap_for_the_morning() -> None:
    messages = [about(n, BINS[n % 2], NOON + n * 20 * MINUTE_MS, to=CLEANER.id) for n in range(6)]
    texts, said, _ = left(messages, NOON + DAY_MS)
    assert len([each for each in texts if each.at_ms < NOON + 12 * HOUR_MS]) == POLICIES.telling.cap_a_day
    assert "daily_cap" in {(each.detail or {})["reason"] for each in said if each.event == "held"}
    assert spoken(texts) == Counter(each.episode for each in messages)


@pytest.mark.parametrize("kind", [MessageKind.CLEARED, MessageKind.DIGEST])
def test_who_heard_today_only_that_it_was_over_or_stands_in_a_list_is_told_above_the_cap(kind: MessageKind) -> None:
    """Neither is a word of the new matter: it is told within half an hour, not the morning after (storm 5088)."""
    cap, rule = POLICIES.telling.cap_a_day, "list" if kind is MessageKind.DIGEST else "overflow"
    before = replace(about(0, BINS[0], NOON, kind, to=CLEANER.id), rule=rule)
    others = [about(n, f"another-{n}", NOON + n * 20 * MINUTE_MS, to=CLEANER.id) for n in range(1, cap)]
    late_ms = NOON + 2 * HOUR_MS
    texts, _, _ = left([before, *others, about(99, BINS[0], late_ms, to=CLEANER.id)], NOON + DAY_MS)
    assert len(texts) == cap + 1
    assert texts[-1].at_ms - late_ms <= 30 * MINUTE_MS


@pytest.mark.parametrize(("severity", "row"), [("P2", "superseded"), ("P3", "dropped")])
def test_what_a_number_was_told_does_not_come_to_it_again_for_who_is_away(severity: str, row: str) -> None:
    """Both were told the same; whose text comes back to who stands in costs no budget, and a row says so (5116)."""
    message = owed(1, NOON, severity)
    _, _, box = left([message], NOON + HOUR_MS)
    boxes, log = TELLING.post([replace(message, at_ms=NOON + 2 * HOUR_MS)], {box.phone: box})
    assert boxes == []
    (said,) = log
    assert isinstance(said, Event)
    assert (said.event, (said.detail or {})["reason"]) == (row, "told_already")


def emptiers_list(*episodes: str) -> Owed:
    """The list of a morning that had to wait."""
    return replace(
        owed(0, NOON, "P3", CLEANER.id, MessageKind.DIGEST),
        rule="list",
        episode=f"list/{CLEANER.id}/1",
        text="22日请先清：柳潭3号、柳潭4号，共2处已过线。",
        template="list_emptier",
        variables={"day": "22日", "names": "柳潭3号、柳潭4号", "count": "2"},
        covers=episodes,
    )


def two_bins() -> dict[str, Alert]:
    first, other = [asset.id for asset in COUNTY.assets.values() if asset.bin is not None][:2]
    standing = (
        replace(owed(1, NOON, "P3"), asset=each, episode=f"over_two_thirds/{each}/1") for each in (first, other)
    )
    return {each.episode: alert(each) for each in standing}


def test_a_list_that_had_to_wait_leaves_out_what_is_done_by_then() -> None:
    alerts = two_bins()
    done, standing = alerts
    alerts[done] = replace(alerts[done], closed_ms=NOON)
    (box,), _ = TELLING.post([emptiers_list(done, standing)], {})
    (text,) = TELLING.release(box, alerts, box.due_ms)[1]
    assert isinstance(text, Owed)
    assert (text.covers, text.variables["count"]) == ((standing,), "1")
    short = COUNTY.assets[alerts[standing].asset].short
    assert f"请先清：{short}" in text.text


def test_a_list_of_yesterday_sends_nobody_anywhere() -> None:
    alerts = two_bins()
    (box,), _ = TELLING.post([emptiers_list(*alerts)], {})
    said = TELLING.release(box, alerts, NOON + DAY_MS)[1]
    assert [(each.event, (each.detail or {})["reason"]) for each in said if isinstance(each, Event)] == [
        ("dropped", "outdated")
    ]
    assert len(said) == 1


def test_texts_for_several_that_leave_at_one_instant_have_keys_of_their_own() -> None:
    """One for each power line and one for the rest: of two with one key the journal would keep only the first."""
    plant = next(asset.id for asset in COUNTY.assets.values() if asset.plant is not None and asset.plant.feeder)
    kinds = (MessageKind.FIRST, MessageKind.ESCALATION)
    rest = [owed(number, NOON, kind=kind) for number, kind in enumerate(kinds)]
    line = [replace(each, rule="no_power", asset=plant, episode=f"no_power/{each.asset}/{each.kind}") for each in rest]
    alerts = {each.episode: alert(each) for each in (*rest, *line)}
    texts = list(TELLING.digest.together([*rest, *line], alerts, NOON))
    assert sorted(len(text.covers) for text in texts) == [2, 2]
    assert len({text.key for text in texts}) == len(texts)


def test_many_at_once_are_a_storm_of_few_texts_and_it_ends() -> None:
    """More than ten in ten minutes: one text within two minutes of the first, three in half an hour, then silence."""
    messages = [owed(n, NOON + n * 20_000) for n in range(120)]
    texts, said, _ = left(messages, NOON + 3 * HOUR_MS)
    instants = [each.at_ms - NOON for each in texts]
    assert sum(at < 2 * MINUTE_MS for at in instants) == 1
    assert all(sum(at <= other < at + 30 * MINUTE_MS for other in instants) <= 3 for at in instants)
    assert spoken(texts) == Counter(each.episode for each in messages)
    assert any("件告警" in each.text for each in texts)
    assert any(event.detail and event.detail["reason"] == "storm" for event in said)
    later = owed(999, NOON + 4 * HOUR_MS)
    texts, _, box = left([*messages, later], later.at_ms)
    assert (texts[-1].at_ms, texts[-1].episode, box.storm_ms) == (later.at_ms, later.episode, 0)


def test_what_waits_at_night_leaves_in_the_morning() -> None:
    late = NOON + 9 * HOUR_MS - MINUTE_MS  # 20:59
    texts, _, _ = left([owed(1, late), owed(2, late + 10_000, "P3")], late + DAY_MS)
    assert [(each.at_ms - late) // MINUTE_MS for each in texts] == [0, 9 * 60 + 31]


def test_a_p2_that_was_owed_by_day_does_not_wait_into_the_night() -> None:
    """Two minutes of folding would have been nine hours of nobody knowing (law L9)."""
    late = NOON + 9 * HOUR_MS - 90_000  # 20:58:30
    texts, _, _ = left([owed(1, late), owed(2, late + 10_000)], late + DAY_MS)
    assert [each.at_ms - late for each in texts] == [0, 30_000]


def test_what_may_wake_people_leaves_what_may_not_for_the_morning() -> None:
    late = NOON + 9 * HOUR_MS - MINUTE_MS  # 20:59
    messages = [owed(1, late), owed(2, late + 10_000, "P3"), owed(3, late + HOUR_MS)]
    texts, _, _ = left(messages, late + DAY_MS)
    assert [((each.at_ms - late) // MINUTE_MS, each.episode) for each in texts] == [
        (0, messages[0].episode),
        (60, messages[2].episode),
        (9 * 60 + 31, messages[1].episode),
    ]


@pytest.mark.parametrize(
    ("what", "event", "reason"),
    [({"closed_ms": 1}, "dropped", "cleared"), ({"acked_ms": 1}, "superseded", "acknowledged")],
)
def test_what_was_seen_to_meanwhile_is_not_told(what: dict[str, int], event: str, reason: str) -> None:
    first, second = owed(1, NOON), owed(2, NOON + 1)
    (box,), _ = TELLING.post([first], {})
    box, _ = TELLING.release(box, {first.episode: alert(first)}, NOON)
    (box,), _ = TELLING.post([second], {box.phone: box})
    done = replace(alert(second), **what)
    box, log = TELLING.release(box, {second.episode: done}, box.due_ms)
    assert [(each.event, each.detail and each.detail["reason"]) for each in log if isinstance(each, Event)] == [
        (event, reason)
    ]
    assert (box.pending, box.due_ms) == ((), 0)


def outage(at_ms: Millis, episode: str = "area_outage/qingshi/1", kind: MessageKind = MessageKind.FIRST) -> Owed:
    area = next(iter(COUNTY.areas))
    said = replace(owed(0, at_ms, "P3", kind=kind), rule="area_outage", asset=area, episode=episode)
    return replace(said, template="area_outage", variables={})


def dark(at_ms: Millis, episode: str = "area_outage/qingshi/1") -> Alert:
    message = outage(at_ms, episode)
    return replace(alert(message), detail={"stale": 128, "seen_ms": at_ms})


def test_the_word_of_an_outage_leaves_alone_and_first_and_what_waits_beside_it_leaves_with_the_next() -> None:
    alerts = {each.episode: each for each in (alert(owed(number, NOON)) for number in range(4))}
    alerts |= {"area_outage/qingshi/1": dark(NOON)}
    (box,), _ = TELLING.post([*(owed(number, NOON) for number in range(4)), outage(NOON)], {})
    assert (box.due_ms - NOON, box.outages) == (MINUTE_MS, ("area_outage/qingshi/1",))
    box, log = TELLING.release(box, alerts, box.due_ms)
    first = [each for each in log if isinstance(each, Owed)]
    assert [(each.rule, "128个设备失联" in each.text) for each in first] == [("area_outage", True)]
    assert len(box.pending) == 4
    assert box.due_ms - NOON == 11 * MINUTE_MS
    waits = [each for each in log if isinstance(each, Event) and each.event == "held"]
    assert [(each.detail or {})["reason"] for each in waits] == ["storm"] * 4
    box, log = TELLING.release(box, alerts, box.due_ms)
    assert [len(each.covers) for each in log if isinstance(each, Owed)] == [4]
    assert box.storm_ms, "the outage lasts, and so does the storm"
    over = Event(at_ms=NOON + HOUR_MS, event="cleared", rule="area_outage", episode="area_outage/qingshi/1")
    (box,), _ = TELLING.post([over], {box.phone: box})
    assert (box.storm_ms, box.outages) == (0, ())


def test_nothing_is_folded_into_a_list_that_does_not_leave_with_it() -> None:
    """An outage goes first, and what the list waits for, its places wait for as well."""
    alerts = two_bins()
    one, other = alerts
    told = [
        replace(owed(n, NOON, "P3", CLEANER.id), asset=alerts[each].asset, episode=each)
        for n, each in enumerate((one, other))
    ]
    dark_now = replace(outage(NOON), to=CLEANER.id, phone=CLEANER.phone)
    alerts |= {dark_now.episode: dark(NOON)}
    (box,), _ = TELLING.post([emptiers_list(one, other), *told, dark_now], {})
    box, log = TELLING.release(box, alerts, box.due_ms)
    keys = {each.key for each in log if isinstance(each, Owed)}
    folded = {str((each.detail or {})["reason"]) for each in log if isinstance(each, Event) and each.event == "folded"}
    assert folded <= keys
    assert len(box.pending) == 3


def test_two_towns_dark_at_once_are_one_text() -> None:
    names = [f"area_outage/{area}/1" for area in list(COUNTY.areas)[:2]]
    alerts = {name: dark(NOON, name) for name in names}
    (box,), _ = TELLING.post([outage(NOON, name) for name in names], {})
    _, log = TELLING.release(box, alerts, box.due_ms)
    (text,) = [each for each in log if isinstance(each, Owed)]
    assert text.covers == tuple(names)
    assert "起256个设备失联" in text.text


def test_two_spellings_of_a_number_have_one_mailbox_and_one_budget() -> None:
    first = replace(owed(0, NOON), phone=f"+86 {CREW.phone}")
    second = replace(owed(1, NOON), phone=f"0086{CREW.phone}")
    (box,), _ = TELLING.post([first, second], {})
    assert box.pending == (first, second)
    (again,), _ = TELLING.post([owed(2, NOON)], {box.phone: box})
    assert again.pending == (first, second, owed(2, NOON))


def test_a_closing_word_that_waits_goes_with_the_raise_that_makes_it_untrue() -> None:
    over = replace(owed(1, NOON, kind=MessageKind.CLEARED), rule="stopped", episode="stopped/site/1", asset="site")
    burnt = replace(over, rule="hot_ash", episode="hot_ash/site/1")
    other = replace(over, asset="mill", episode="stopped/mill/1")
    box = replace(Mailbox(over.phone), pending=(over, burnt, other), due_ms=NOON + MINUTE_MS)
    again = Event(
        at_ms=NOON, event="raised", rule="stopped", asset="site", episode="stopped/site/2", severity=Severity.P2
    )
    (changed,), _ = TELLING.post([again], {box.phone: box})
    assert changed.pending == (burnt, other)
    (changed,), log = TELLING.post([replace(again, rule="fire", severity=Severity.P1)], {box.phone: box})
    assert changed.pending == (over, other)
    assert sorted(each.event for each in log if isinstance(each, Event)) == ["raised", "superseded"]
