"""The courier against a list-backed port and channels that keep what they were given."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import time
from typing import Any

import pytest
from msgspec import structs

from alerts.calendars import Calendar
from alerts.channels import Accepted, Failed, Message, Outcome, SendRefused
from alerts.delivery.courier import Courier, PortUnavailable
from alerts.delivery.delivery import PACES, Due, DueState, Nights, TryVerdict, next_step, resume
from alerts.model import MessageKind, Owed, Severity
from telemetry.inventory import CountySettings
from telemetry.terms import Hours
from tests.fakes import Crash, ListPort, RecordingChannel

NOW_MS = 1_795_334_400_000


def due(number: int, severity: str = "P3", standing: DueState = DueState.OWED, attempts: int = 0) -> Due:
    owed = Owed(
        at_ms=NOW_MS,
        rule="overflow",
        asset="ytan-03",
        episode=f"overflow/ytan-03/{number}",
        severity=severity,
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text="【湘阳环卫】柳潭3号池满了。",
    )
    return Due(number, owed, standing, attempts)


def courier(port: ListPort, channel: RecordingChannel) -> Courier:
    return Courier(port, {"sms": channel}, lambda: NOW_MS)


def answers(outcome: Outcome) -> Callable[[Message], Outcome]:
    return lambda _message: outcome


def announcing(arrived: threading.Event) -> Callable[[Message], Outcome]:
    def answer(_message: Message) -> Outcome:
        arrived.set()
        return Accepted("ref")

    return answer


def test_the_attempt_is_durable_before_the_provider_hears_of_it() -> None:
    port, channel = ListPort(), RecordingChannel()
    port.add(due(1))
    port.dies_at = "before started"
    with pytest.raises(Crash):
        courier(port, channel).run_once(NOW_MS)
    assert channel.sent == []
    assert courier(port, channel).run_once(NOW_MS)
    assert port.calls == [("started", 1), ("ended", 1)]
    assert [message.key for message in channel.sent] == [due(1).owed.key]


def test_p1_goes_before_everything_and_then_the_oldest() -> None:
    port, channel = ListPort(), RecordingChannel()
    for number, severity in enumerate(("P3", "P2", "P1", "P3", "P1")):
        port.add(due(number, severity))
    runner = courier(port, channel)
    while runner.run_once(NOW_MS):
        pass
    assert [number for call, number in port.calls if call == "started"] == [2, 4, 1, 0, 3]


def test_a_p1_that_comes_in_between_does_not_wait_for_the_rest() -> None:
    port = ListPort()
    channel = RecordingChannel(lambda _message: (port.rows.setdefault(9, due(9, "P1")), Accepted("ref"))[1])
    port.add(due(1))
    port.add(due(2))
    runner = courier(port, channel)
    for _ in range(2):
        runner.run_once(NOW_MS)
    assert [number for call, number in port.calls if call == "started"] == [1, 9]


@pytest.mark.parametrize("point", ["due", "before started", "after started", "before ended", "after ended"])
def test_a_crash_anywhere_leaves_one_text_with_a_provider_that_can_be_asked(point: str) -> None:
    port, channel = ListPort(dies_at=point), RecordingChannel()
    port.add(due(1))
    with pytest.raises(Crash):
        courier(port, channel).run_once(NOW_MS)
    restarted = courier(port, channel)
    while restarted.run_once(NOW_MS):
        pass
    assert len(channel.sent) == 1
    assert port.rows == {}
    assert port.outcomes[-1][1] == Accepted("ref")


def test_a_try_that_the_provider_got_is_not_sent_again() -> None:
    port, channel = ListPort(), RecordingChannel()
    port.add(due(1, standing=DueState.SENDING, attempts=1))
    channel.accepted[due(1).owed.key] = Accepted("ref-7", delivered=True)
    assert courier(port, channel).run_once(NOW_MS)
    assert channel.sent == []
    assert port.outcomes == [(1, Accepted("ref-7", delivered=True), None)]


@pytest.mark.parametrize("severity", list(Severity))
def test_a_try_that_the_provider_never_got_is_sent_again_at_once(severity: str) -> None:
    port, channel = ListPort(), RecordingChannel()
    port.add(due(1, severity, DueState.SENDING, attempts=1))
    runner = courier(port, channel)
    while runner.run_once(NOW_MS):
        pass
    assert len(channel.sent) == 1
    assert port.outcomes == [(1, Failed("unconfirmed"), NOW_MS), (1, Accepted("ref"), None)]


def test_a_text_that_kills_the_process_each_time_is_given_up_in_the_end() -> None:
    port = ListPort()
    port.add(due(1, standing=DueState.SENDING, attempts=PACES["P3"].tries))
    assert courier(port, RecordingChannel()).run_once(NOW_MS)
    assert port.rows == {}
    assert [event.event for event in port.events] == ["undelivered"]


def test_what_was_acknowledged_meanwhile_is_not_sent() -> None:
    port, channel = ListPort(withdrawn={1}), RecordingChannel()
    port.add(due(1))
    assert courier(port, channel).run_once(NOW_MS)
    assert channel.sent == []
    assert port.calls == [("started", 1)]


def test_a_failure_is_tried_again_when_the_table_says_and_not_before() -> None:
    port, channel = ListPort(), RecordingChannel(answers(Failed("timeout")))
    port.add(due(1, "P1"))
    runner = courier(port, channel)
    assert runner.run_once(NOW_MS)
    assert not runner.run_once(NOW_MS + 4_999)
    assert runner.run_once(NOW_MS + 5_000)
    assert len(channel.sent) == 2
    assert len({message.key for message in channel.sent}) == 1


def test_a_refusal_is_final_and_visible() -> None:
    port, channel = ListPort(), RecordingChannel(answers(SendRefused("no_number")))
    port.add(due(1))
    runner = courier(port, channel)
    assert runner.run_once(NOW_MS)
    assert not runner.run_once(NOW_MS * 2)
    (event,) = port.events
    assert (event.event, event.episode, event.asset) == ("undelivered", "overflow/ytan-03/1", "ytan-03")
    assert event.detail is not None
    assert event.detail["reason"] == "no_number"
    assert event.detail["to"] == "cleaner-li"


def test_a_channels_own_mistake_stops_nobody_else_and_is_not_tried_for_ever() -> None:
    def stumble(message: Message) -> Outcome:
        if message.key == due(1).owed.key:
            raise KeyError(message.key)
        return Accepted("ref")

    port, channel = ListPort(), RecordingChannel(stumble)
    port.add(due(1))
    port.add(due(2))
    runner = courier(port, channel)
    now_ms = NOW_MS
    while port.rows:
        runner.run_once(now_ms)
        now_ms += 3_600_000
    assert [outcome for number, outcome, _ in port.outcomes if number == 2] == [Accepted("ref")]
    assert [outcome for number, outcome, _ in port.outcomes if number == 1] == [Failed("bug")] * 3
    assert [event.event for event in port.events] == ["undelivered"]


def test_what_is_urgent_is_tried_on_although_its_channel_stumbles_and_the_next_person_is_called() -> None:
    """A provider's answer may lead to our mistake: once it answers as ever, a fire is told (storm 5069)."""
    begun_ms, heals_ms = NOW_MS, NOW_MS + 6 * 3_600_000
    now_ms = begun_ms

    def stumble(message: Message) -> Outcome:
        if now_ms < heals_ms:
            raise KeyError(message.key)
        return Accepted("ref")

    port = ListPort()
    port.add(due(1, "P1"))
    runner = Courier(port, {"sms": RecordingChannel(stumble)}, lambda: now_ms)
    while port.rows and now_ms < heals_ms + 3_600_000:
        runner.run_once(now_ms)
        now_ms += 60_000 if now_ms < begun_ms + 600_000 else 300_000
    assert port.outcomes[-1][1] == Accepted("ref")
    assert [event.event for event in port.events] == ["delayed"]
    assert port.events[0].at_ms <= begun_ms + 2 * 60_000


def test_a_channel_that_is_not_configured_is_said_and_tried_later() -> None:
    port = ListPort()
    port.add(due(1))
    Courier(port, {}, lambda: NOW_MS).run_once(NOW_MS)
    assert port.outcomes == [(1, Failed("no_channel"), NOW_MS + 600_000)]


def test_nothing_is_sent_while_the_journal_is_in_trouble() -> None:
    port, channel = ListPort(is_unavailable=True), RecordingChannel()
    port.add(due(1))
    with pytest.raises(PortUnavailable):
        courier(port, channel).run_once(NOW_MS)
    assert channel.sent == []


NIGHTS = Nights(
    Calendar.of(CountySettings("xiang", "湘阳县", "Asia/Shanghai", "湘阳环卫")), Hours(time(21), time(6)), time(6, 30)
)
EVENING_MS = 1_795_352_400_000  # 2026-11-22T13:00:00Z, which is 21:00 there
MORNING_MS = EVENING_MS + 34_200_000  # 06:30


def owed_at(number: int, at_ms: int, severity: str = "P3", **more: Any) -> Due:  # noqa: ANN401 -- fields of any kind
    row = due(number, severity, **more)
    return replace(row, owed=structs.replace(row.owed, at_ms=at_ms))


def by_night(port: ListPort, channel: RecordingChannel, until_ms: int, from_ms: int) -> list[int]:
    """When something was sent, looked at each minute."""
    sent, clock = [], [from_ms]
    runner = Courier(port, {"sms": channel}, lambda: clock[0], nights=NIGHTS)
    while clock[0] <= until_ms:
        before = len(channel.sent)
        while runner.run_once(clock[0]):
            pass
        sent += [clock[0]] * (len(channel.sent) - before)
        clock[0] += 60_000
    return sent


@pytest.mark.parametrize("severity", ["P3", "P4"])
@pytest.mark.parametrize("outcome", [Failed("unreachable"), Failed("timeout"), Failed("limit_minute")])
def test_what_was_owed_by_day_is_not_retried_by_night(severity: str, outcome: Outcome) -> None:
    port, channel = ListPort(), RecordingChannel(answers(outcome))
    port.add(owed_at(1, EVENING_MS - 120_000, severity))
    sent = by_night(port, channel, MORNING_MS - 60_000, EVENING_MS - 120_000)
    assert 1 <= len(sent) <= 2
    assert max(sent) < EVENING_MS
    (held,) = port.events
    assert held.event == "held"
    assert held.detail is not None
    assert (held.detail["reason"], held.detail["until_ms"]) == ("quiet", MORNING_MS)
    channel.answer = answers(Accepted("ref"))
    assert by_night(port, channel, MORNING_MS + 60_000, MORNING_MS) == [MORNING_MS]


def test_what_was_owed_by_day_and_comes_first_to_its_turn_by_night_waits_too() -> None:
    port, channel = ListPort(), RecordingChannel()
    port.add(owed_at(1, EVENING_MS - 1))
    port.add(owed_at(2, EVENING_MS - 1, standing=DueState.SENDING, attempts=1))
    assert by_night(port, channel, MORNING_MS, EVENING_MS) == [MORNING_MS] * 2
    assert [event.event for event in port.events] == ["held", "held"]


def test_who_may_have_it_is_asked_in_the_morning_before_it_is_sent_again() -> None:
    port, channel = ListPort(), RecordingChannel()
    row = replace(owed_at(1, EVENING_MS - 60_000), unsure="sms", attempts=1)
    port.add(row)
    assert by_night(port, channel, EVENING_MS, EVENING_MS) == []
    assert port.rows[1].unsure == "sms"
    channel.accepted[row.owed.key] = Accepted("ref")
    assert by_night(port, channel, MORNING_MS, MORNING_MS) == []
    assert port.rows == {}


@pytest.mark.parametrize("severity", ["P1", "P2"])
def test_what_is_urgent_goes_on_by_night(severity: str) -> None:
    port, channel = ListPort(), RecordingChannel(answers(Failed("unreachable")))
    port.add(owed_at(1, EVENING_MS - 60_000, severity))
    assert by_night(port, channel, EVENING_MS + 1_800_000, EVENING_MS - 60_000)[-1] > EVENING_MS


def test_who_has_just_written_by_night_is_answered_and_not_woken_later() -> None:
    port, channel = ListPort(), RecordingChannel(answers(Failed("unreachable")))
    port.add(owed_at(1, EVENING_MS + 3_600_000))
    sent = by_night(port, channel, MORNING_MS, EVENING_MS + 3_600_000)
    assert sent[0] == EVENING_MS + 3_600_000
    assert all(at_ms < EVENING_MS + 3_600_000 + 900_000 for at_ms in sent[:-1])
    assert sent[-1] == MORNING_MS


def test_the_thread_sends_when_woken_and_ends_when_stopped() -> None:
    arrived = threading.Event()
    channel = RecordingChannel(announcing(arrived))
    port = ListPort()
    runner = courier(port, channel)
    runner.start()
    port.add(due(1))
    runner.wake()
    assert arrived.wait(120)
    runner.stop()
    assert not runner.is_alive
    assert port.rows == {}


def test_the_thread_outlives_trouble_of_the_journal() -> None:
    arrived = threading.Event()
    channel = RecordingChannel(announcing(arrived))
    port = ListPort(is_unavailable=True)
    port.add(due(1))
    runner = courier(port, channel)
    runner.start()
    port.is_unavailable = False
    runner.wake()
    assert arrived.wait(120)
    runner.stop()
    assert len(channel.sent) == 1


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_is_tried_a_bounded_number_of_times(severity: Severity) -> None:
    step = next_step(Failed("timeout"), 1, severity, NOW_MS)
    tries, waits_ms = 1, []
    at_ms = NOW_MS
    while step.verdict is TryVerdict.AGAIN:
        assert step.next_attempt_ms is not None
        waits_ms.append(step.next_attempt_ms - at_ms)
        at_ms, tries = step.next_attempt_ms, tries + 1
        step = next_step(Failed("timeout"), tries, severity, at_ms)
    assert tries == PACES[severity].tries
    assert waits_ms == sorted(waits_ms)
    assert 23 <= (at_ms - NOW_MS) / 3_600_000 <= 73


def test_p1_is_tried_at_least_as_soon_as_anything_else() -> None:
    for tries in range(1, 20):
        waits = [next_step(Failed("timeout"), tries, severity, 0).next_attempt_ms or 0 for severity in Severity]
        assert waits == sorted(waits)


def test_the_providers_own_wish_is_respected_up_to_a_day() -> None:
    assert next_step(Failed("rate_limited", 900), 1, "P1", 0).next_attempt_ms == 900_000
    assert next_step(Failed("rate_limited"), 1, "P1", 0).next_attempt_ms == 60_000
    assert next_step(Failed("rate_limited", 1e12), 1, "P1", 0).next_attempt_ms == 86_400_000


def test_accepted_is_settled_and_an_unseen_end_resumes_at_once() -> None:
    assert next_step(Accepted("x"), 1, "P1", 0).verdict is TryVerdict.SETTLED
    assert resume(1, "P4", NOW_MS).next_attempt_ms == NOW_MS
