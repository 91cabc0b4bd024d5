"""Receipts that do not come, channels in order, caps: decided from a table and the time, done by the courier."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from alerts.channels import Accepted, Caps, Failed, SendRefused
from alerts.delivery.courier import Courier
from alerts.delivery.delivery import Due, DueState, Limited, Routes, Taken, TryVerdict, lapse, next_step, over_cap, shut
from alerts.model import MessageKind, Owed
from tests.fakes import ListPort, RecordingChannel

NOW_MS = 1_795_334_400_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000
BOTH = ("gammu", "aliyun")


def due(severity: str, waited_ms: int = 0, via: str = "gammu", reason: str = "", template: str = "") -> Due:
    owed = Owed(
        at_ms=NOW_MS,
        rule="fire",
        asset="ytan-03",
        episode="fire/ytan-03/1",
        severity=severity,
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text="【湘阳环卫】火警。",
        template=template,
    )
    return Due(1, owed, DueState.ACCEPTED, 1, via=via, accepted_ms=NOW_MS - waited_ms, reason=reason)


@pytest.mark.parametrize(("severity", "minutes"), [("P1", 2), ("P2", 15), ("P3", 24 * 60), ("P4", 24 * 60)])
def test_a_receipt_is_waited_for_as_long_as_the_matter_allows(severity: str, minutes: int) -> None:
    assert next_step(Accepted("r"), 1, severity, NOW_MS).receipt_due_ms == NOW_MS + minutes * MINUTE_MS
    assert next_step(Accepted("r", delivered=True), 1, severity, NOW_MS).receipt_due_ms is None
    assert next_step(Accepted("r", receipted=False), 1, severity, NOW_MS).receipt_due_ms is None


def test_a_fire_without_a_receipt_goes_another_way_and_to_the_next_person() -> None:
    decided = lapse(due("P1", 2 * MINUTE_MS), BOTH, NOW_MS)
    assert (decided.via, decided.hurry, [event.event for event in decided.events]) == ("aliyun", True, ["unreceipted"])
    last = lapse(due("P1", 2 * MINUTE_MS, "aliyun"), BOTH, NOW_MS)
    assert (last.via, last.hurry, last.receipt_due_ms) == ("", True, NOW_MS - 2 * MINUTE_MS + DAY_MS)


def test_p2_goes_another_way_and_p3_only_opens_a_ticket_after_a_day() -> None:
    decided = lapse(due("P2", 15 * MINUTE_MS), BOTH, NOW_MS)
    assert (decided.via, decided.hurry) == ("aliyun", False)
    ticket = lapse(due("P3", DAY_MS), BOTH, NOW_MS)
    assert (ticket.via, ticket.receipt_due_ms, ticket.events[0].event) == ("", None, "data_ticket")
    assert ticket.events[0].detail is not None
    assert ticket.events[0].detail["reason"] == "no_receipt"


def test_a_bad_receipt_waits_for_nothing() -> None:
    assert lapse(due("P3", 1, reason="delivery_failed"), BOTH, NOW_MS).via == "aliyun"
    ticket = lapse(due("P2", 1, "aliyun", reason="dead_number"), BOTH, NOW_MS)
    assert (ticket.via, ticket.events[0].event) == ("", "data_ticket")


def test_a_channel_that_fails_gives_way_at_once_and_one_that_refuses_is_not_asked_again() -> None:
    port = ListPort()
    port.add(Due(1, due("P2").owed, DueState.OWED, 0))
    first, second = (
        RecordingChannel(lambda _: SendRefused("no_template")),
        RecordingChannel(lambda _: Failed("timeout")),
    )
    runner = Courier(port, {"gammu": first, "aliyun": second}, lambda: NOW_MS)
    while runner.run_once(NOW_MS):
        pass
    assert (len(first.sent), port.ways) == (1, ["gammu", "aliyun"])
    second.answer = lambda _: Accepted("r")
    assert runner.run_once(NOW_MS + 10 * MINUTE_MS)
    assert (len(first.sent), port.ways, port.rows) == (1, ["gammu", "aliyun", "aliyun"], {})


def test_what_every_channel_refuses_is_given_up_and_said() -> None:
    port = ListPort()
    port.add(Due(1, due("P1").owed, DueState.OWED, 0))
    refusing = {name: RecordingChannel(lambda _: SendRefused("no_number")) for name in BOTH}
    runner = Courier(port, refusing, lambda: NOW_MS)
    while runner.run_once(NOW_MS):
        pass
    assert [event.event for event in port.events] == ["undelivered"]
    assert [len(channel.sent) for channel in refusing.values()] == [1, 1]


def test_a_lapsed_text_is_sent_by_the_next_channel_under_the_same_key() -> None:
    port = ListPort(awaits_receipts=True)
    port.add(Due(1, due("P2").owed, DueState.OWED, 0))
    channels = {name: RecordingChannel() for name in BOTH}
    clock = [NOW_MS]
    runner = Courier(port, channels, lambda: clock[0])
    runner.run_once(NOW_MS)
    assert not runner.run_once(NOW_MS + 15 * MINUTE_MS - 1)
    clock[0] += 15 * MINUTE_MS
    while runner.run_once(clock[0]):
        pass
    keys = [message.key for channel in channels.values() for message in channel.sent]
    assert keys == [due("P2").owed.key] * 2
    assert [found.via for found in port.lapses] == ["aliyun"]


def test_a_try_that_timed_out_is_asked_for_before_it_is_sent_again() -> None:
    port = ListPort()
    port.add(Due(1, due("P1").owed, DueState.OWED, 0))
    channel = RecordingChannel(lambda _: Failed("timeout"))
    runner = Courier(port, {"aliyun": channel}, lambda: NOW_MS)
    runner.run_once(NOW_MS)
    channel.accepted[due("P1").owed.key] = Accepted("it-had-it", delivered=True)
    runner.run_once(NOW_MS + MINUTE_MS)
    assert (len(channel.sent), port.outcomes[-1][1]) == (1, Accepted("it-had-it", delivered=True))


def test_a_providers_cap_is_seen_before_the_provider_is_asked() -> None:
    taken = tuple(Taken("aliyun", "fire", NOW_MS - hours * 3_600_000) for hours in (0, 2, 3))
    asked = Due(1, due("P1", template="fire").owed, DueState.OWED, 0, taken=taken)
    for caps, reason in (
        (Caps(), None),
        (Caps(number_hour=1), "cap_number_hour"),
        (Caps(number_hour=2, number_day=3), "cap_number_day"),
        (Caps(template_day=3), "cap_template_day"),
        (Caps(template_day=4), None),
    ):
        found = over_cap(caps, asked, "aliyun", NOW_MS)
        assert (found and found.reason) == reason
        assert over_cap(caps, asked, "gammu", NOW_MS) is None


def test_a_call_that_cannot_be_made_becomes_a_text_unless_it_stands_beside_one() -> None:
    routes = Routes(("gammu",), ("aliyun_voice",))
    spoken = due("P1")
    assert routes.of(spoken) == ("gammu",)
    for call, route in ((0, ("aliyun_voice", "gammu")), (2, ("aliyun_voice",))):
        voiced = Due(1, replace(spoken.owed, channel="voice", call=call), DueState.OWED, 0)
        assert routes.of(voiced) == route


def test_every_way_is_paced_as_one_channel_alone_would_be() -> None:
    step = next_step(Failed("timeout"), 1, "P1", NOW_MS, BOTH)
    assert (step.verdict, step.next_attempt_ms, step.via) == (TryVerdict.AGAIN, NOW_MS, "aliyun")
    step = next_step(Failed("timeout"), 2, "P1", NOW_MS, ("aliyun", "gammu"))
    assert (step.next_attempt_ms, step.via) == (NOW_MS + 5_000, "gammu")


DAY_IN_CHINA_MS = 1_795_363_200_000  # 2026-11-23 00:00 there


@pytest.mark.parametrize(
    ("reason", "opens_ms"),
    [
        ("limit_minute", NOW_MS + MINUTE_MS),
        ("limit_hour", NOW_MS + 60 * MINUTE_MS),
        ("limit_day", DAY_IN_CHINA_MS),
        ("limit_month", DAY_IN_CHINA_MS + 8 * DAY_MS),
    ],
)
def test_a_limit_is_tried_again_when_it_opens_and_not_before(reason: str, opens_ms: int) -> None:
    assert Limited("gammu", "", reason, NOW_MS).opens_ms == opens_ms
    port = ListPort()
    port.add(Due(1, due("P2").owed, DueState.OWED, 0))
    channel = RecordingChannel(lambda _: Failed(reason))
    runner = Courier(port, {"gammu": channel}, lambda: NOW_MS)
    runner.run_once(NOW_MS)
    if reason == "limit_month":
        assert [(event.event, port.rows) for event in port.events] == [("undelivered", {})], "news of another week"
        return
    assert not runner.run_once(opens_ms - 1)
    assert [event.event for event in port.events] == (["limited"] if opens_ms > NOW_MS + 15 * MINUTE_MS else [])
    channel.answer = lambda _: Accepted("r")
    assert runner.run_once(opens_ms)
    assert (len(channel.sent), port.rows) == (2, {})


def test_a_limit_is_the_numbers_own_and_another_channel_is_no_worse_for_it() -> None:
    known = (Limited("gammu", "fire", "limit_day", NOW_MS - 1),)
    asked = Due(1, due("P1", template="fire").owed, DueState.OWED, 0, limited=known)
    cases: tuple[tuple[dict[str, Any], bool], ...] = (
        ({}, True),
        ({"taken": (Taken("gammu", "fire", NOW_MS),)}, False),
        ({"taken": (Taken("aliyun", "fire", NOW_MS),)}, True),
        ({"limited": (Limited("gammu", "stopped", "limit_day", NOW_MS),)}, False),
        ({"limited": (Limited("gammu", "fire", "limit_minute", NOW_MS - 2 * MINUTE_MS),)}, False),
    )
    for more, shut_now in cases:
        assert bool(shut(dataclasses.replace(asked, **more), "gammu", NOW_MS)) is shut_now, more
    port = ListPort()
    port.add(asked)
    channels = {name: RecordingChannel() for name in BOTH}
    runner = Courier(port, channels, lambda: NOW_MS)
    while runner.run_once(NOW_MS):
        pass
    assert [len(channel.sent) for channel in channels.values()] == [0, 1], "it is not even asked"


def test_a_text_that_will_not_arrive_any_more_hurries_the_next_person_of_what_is_urgent() -> None:
    for severity, hurries in (("P1", True), ("P2", True), ("P3", False)):
        assert lapse(due(severity, 1, "aliyun", reason="MOBILE_IN_BLACK"), BOTH, NOW_MS).hurry is hurries
    assert not lapse(due("P2", 1, reason="delivery_failed"), BOTH, NOW_MS).hurry, "another channel has it next"
