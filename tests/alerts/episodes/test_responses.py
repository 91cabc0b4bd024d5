"""What people do about an episode, value in and value out: seen, kept quiet, doubted, told now, out of reach."""

import dataclasses
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert, Doubt, WaitingStep
from alerts.calendars import HOUR_MS, MINUTE_MS
from alerts.episodes.responses import LONGEST_GRACE_MS, UNREACHED, Responses, grace_ms
from alerts.model import Actor, Event, Log, MessageKind, Owed, Refused, Severity
from alerts.notify.message_writer import RESTART
from alerts.notify.stages import TRIAL
from telemetry.inventory import Duty
from telemetry.terms import Role
from tests.alerts.notify.builders import CAN, COUNTY, ESCALATION, NOON, alert, clock, rows, with_person
from tests.alerts.notify.test_escalation_duty import away
from tests.alerts.notify.test_escalation_states import texts

DO: Final = Responses(COUNTY, ESCALATION)
OFFICE: Final = Actor("dispatch-wu", "desk", "10.0.0.9")
CLEANER: Final = Actor("cleaner-li", "sms")
SAID: Final = {"by": "dispatch-wu", "channel": "desk", "origin": "10.0.0.9"}
TOLD: Final = replace(
    alert(), told=("cleaner-li", "sec-yang"), step=1, left_ms=NOON, due_ms=clock(13), repeat_ms=clock(14)
)
"""An overflow of which two people have been told, and a third will be at one."""


def refused(answer: Alert | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.why


def done(answer: Alert | Refused) -> Alert:
    assert isinstance(answer, Alert)
    return answer


# --- how long it is waited


def test_the_grace_is_one_interval_of_the_device_and_ten_minutes_at_most() -> None:
    (device, *_) = COUNTY.devices.values()
    for interval_s, least_ms in ((300, 300_000), (600, 600_000), (3_600, 600_000)):
        other = dataclasses.replace(device, interval_s=interval_s)
        county = dataclasses.replace(COUNTY, devices={device.id: other})
        assert grace_ms(replace(alert(), device=device.id), county) == least_ms
    assert grace_ms(alert(), COUNTY) == LONGEST_GRACE_MS == 600_000


# --- somebody has seen it, transitions T9 and T10


@pytest.mark.parametrize(
    ("severity", "lasts_ms"),
    [(Severity.P1, 30 * MINUTE_MS), (Severity.P2, 4 * HOUR_MS), (Severity.P3, 24 * HOUR_MS), (Severity.P4, 0)],
)
def test_an_acknowledgement_stops_the_chain_for_as_long_as_its_severity_lets_it(
    severity: Severity, lasts_ms: int
) -> None:
    log: Log = []
    seen = DO.acknowledge(replace(TOLD, severity=severity), OFFICE, NOON, log)
    assert (seen.acked_ms, seen.acked_by, seen.due_ms, seen.repeat_ms) == (NOON, "dispatch-wu", 0, 0)
    assert seen.ack_until_ms == (NOON + lasts_ms if lasts_ms else 0)
    assert rows(log) == [("acked", SAID)]


def test_a_deferral_keeps_an_acknowledgement_longer_and_never_shorter() -> None:
    later = DO.acknowledge(TOLD, OFFICE, NOON, [], clock(12, day=11))
    assert later.ack_until_ms == clock(12, day=11)
    assert DO.acknowledge(TOLD, OFFICE, NOON, [], clock(13)).ack_until_ms == clock(16)


def test_an_acknowledgement_that_is_over_tells_it_again_from_the_first_step() -> None:
    seen, said = DO.acknowledge(TOLD, OFFICE, NOON, []), list[Event | Owed]()
    again = DO.lapse(seen, None, clock(16), said)
    assert (again.acked_ms, again.acked_by, again.ack_until_ms, again.lapsed_ms) == (0, "", 0, clock(16))
    assert again.repeat == RESTART
    assert rows(said)[0] == ("ack_expired", {"by": "dispatch-wu"})
    assert {(kind, step) for kind, step, *_ in texts(said)} == {(MessageKind.FRESH, 0)}


@pytest.mark.parametrize(
    "state", [{"latched": True}, {"parent": "fire/x/1"}, {"shelved_until_ms": clock(20)}, {"owes": False}]
)
def test_what_is_kept_quiet_for_another_reason_is_told_to_nobody_when_an_acknowledgement_ends(
    state: dict[str, str | int | bool],
) -> None:
    log: Log = []
    seen = replace(DO.acknowledge(TOLD, OFFICE, NOON, []), **state)
    after = DO.lapse(seen, None, clock(16), log)
    assert (after.acked_ms, after.lapsed_ms) == (0, clock(16))
    assert texts(log) == []


def test_what_gets_better_is_not_told_again_before_it_is_known_what_comes_of_it_but_a_fire_is() -> None:
    for severity, waits in ((Severity.P2, True), (Severity.P1, False)):
        log: Log = []
        seen = replace(DO.acknowledge(TOLD, OFFICE, NOON, []), recovering=True, severity=severity)
        DO.lapse(seen, None, clock(16), log)
        assert (texts(log) == []) is waits


def test_an_acknowledgement_that_ends_by_night_lasts_until_the_morning() -> None:
    log: Log = []
    seen = DO.acknowledge(TOLD, OFFICE, clock(18), [])
    assert seen.ack_until_ms == clock(22)
    kept = DO.lapse(seen, None, clock(22), log)
    assert (kept.acked_ms, kept.ack_until_ms, kept.reason) == (clock(18), clock(6, 30, 10), "quiet")
    assert rows(log) == [("held", {"reason": "quiet", "step": 1, "until_ms": clock(6, 30, 10)})]


# --- kept quiet for a while, transitions T13 and T14


def test_who_shelves_says_why_and_until_when() -> None:
    log: Log = []
    quiet = done(DO.shelve(TOLD, OFFICE, "换泵", clock(18), NOON, log))
    assert (quiet.shelved_until_ms, quiet.reason) == (clock(18), "shelved")
    assert (quiet.due_ms, quiet.repeat_ms, quiet.fresh_ms, quiet.round_ms) == (0, 0, 0, 0)
    assert rows(log) == [("shelved", {**SAID, "reason": "换泵", "until_ms": clock(18)})]
    seen = done(DO.shelve(DO.acknowledge(TOLD, OFFICE, NOON, []), OFFICE, "换泵", 0, NOON, []))
    assert seen.ack_until_ms == clock(16), "an acknowledgement runs on meanwhile"


@pytest.mark.parametrize(("asked", "hours"), [(OFFICE, 24), (CLEANER, 8), (Actor("sec-yang", "sms"), 8)])
def test_a_shelf_is_as_long_as_the_role_allows(asked: Actor, hours: int) -> None:
    longest_ms = NOON + hours * HOUR_MS
    assert done(DO.shelve(TOLD, asked, "y", 0, NOON, [])).shelved_until_ms == longest_ms
    assert done(DO.shelve(TOLD, asked, "y", longest_ms, NOON, [])).shelved_until_ms == longest_ms
    said: Log = []
    answer = DO.shelve(TOLD, asked, "y", longest_ms + 1, NOON, said)
    assert refused(answer) == "shelf_long"
    assert isinstance(answer, Refused)
    assert f"at most {hours} h" in answer.sentence
    assert said == []


def test_who_has_several_roles_shelves_as_long_as_the_best_of_them_and_who_has_none_as_a_cleaner() -> None:
    both = (Duty(Role.CLEANER, area="ytan"), Duty(Role.DISPATCHER, area="wushi"))
    for duties, hours in ((both, 24), ((), 8)):
        house = Responses(with_person("cleaner-li", duties=duties), ESCALATION)
        assert done(house.shelve(TOLD, CLEANER, "y", 0, NOON, [])).shelved_until_ms == NOON + hours * HOUR_MS


def test_a_shelf_needs_a_reason_and_an_end_to_come() -> None:
    assert refused(DO.shelve(TOLD, OFFICE, "", clock(18), NOON, [])) == "shelf_reason"
    assert refused(DO.shelve(TOLD, OFFICE, "y", NOON, NOON, [])) == "shelf_long"
    assert done(DO.shelve(TOLD, OFFICE, "y", NOON + 1, NOON, [])).shelved_until_ms == NOON + 1


def test_what_waited_for_somebodys_duty_is_not_told_from_the_shelf() -> None:
    log: Log = []
    waits = replace(TOLD, kept=(WaitingStep("crew-chen", 1, clock(14)),))
    assert done(DO.shelve(waits, OFFICE, "y", 0, NOON, log)).kept == ()
    assert [detail["reason"] for _, detail in rows(log)] == ["y", "shelved"], "and a row says so"


def test_from_the_shelf_it_is_told_after_a_grace_if_it_still_stands() -> None:
    shelved, said = done(DO.shelve(TOLD, OFFICE, "y", clock(18), NOON, [])), list[Event | Owed]()
    back = done(DO.unshelve(shelved, OFFICE, clock(13), said))
    assert (back.shelved_until_ms, back.reason, back.fresh_ms) == (0, "", clock(13, 10))
    assert rows(said) == [("unshelved", SAID)]
    by_time: Log = []
    assert DO.lapse(shelved, None, clock(18), by_time).fresh_ms == clock(18, 10)
    assert rows(by_time) == [("unshelved", {"reason": "time"})]


@pytest.mark.parametrize(
    "state",
    [{"acked_ms": NOON}, {"parent": "fire/x/1"}, {"closed_ms": NOON}, {"rule": "battery_low"}],
    ids=["seen to", "explained", "over", "nobody's"],
)
def test_from_the_shelf_nobody_is_told_of_what_needs_no_word(state: dict[str, str | int]) -> None:
    shelved = replace(done(DO.shelve(TOLD, OFFICE, "y", clock(18), NOON, [])), **state)
    back = done(DO.unshelve(shelved, OFFICE, clock(13), []))
    assert (back.shelved_until_ms, back.reason, back.fresh_ms) == (0, "", 0)


def test_what_is_not_on_the_shelf_cannot_be_taken_from_it() -> None:
    log: Log = []
    assert refused(DO.unshelve(TOLD, OFFICE, NOON, log)) == "not_shelved"
    assert log == []


# --- said of it


def test_a_note_is_a_line_and_nothing_else() -> None:
    log: Log = []
    assert DO.note(TOLD, OFFICE, "门锁着", NOON, log) is TOLD
    assert rows(log) == [("noted", {**SAID, "reason": "门锁着"})]
    assert refused(DO.note(TOLD, OFFICE, "", NOON, log)) == "note_missing"
    assert len(log) == 1


def test_a_doubt_stops_the_chain_and_ends_nothing() -> None:
    log: Log = []
    doubted = done(DO.doubt(TOLD, OFFICE, "是阴影", NOON, log))
    assert (doubted.acked_by, doubted.closed_ms, doubted.due_ms) == ("dispatch-wu", 0, 0)
    assert [event for event, _ in rows(log)] == ["doubted", "acked"]
    assert rows(log)[0][1] == {**SAID, "reason": "是阴影"}
    again: Log = []
    assert done(DO.doubt(doubted, CLEANER, "看过", clock(13), again)) is doubted
    assert [event for event, _ in rows(again)] == ["doubted"], "whoever has seen to it stays so"
    assert refused(DO.doubt(TOLD, OFFICE, "", NOON, [])) == "doubt_reason"


def test_a_fire_is_called_false_only_when_it_has_cooled() -> None:
    fire = replace(TOLD, severity=Severity.P1)
    assert refused(DO.doubt(fire, OFFICE, "没有火", NOON, [])) == "still_burns"
    assert done(DO.doubt(replace(fire, latched=True), OFFICE, "没有火", NOON, [])).acked_ms == NOON


def test_who_says_otherwise_last_stands_last_and_may_take_it_back() -> None:
    one = DO.contradict(TOLD, "cleaner-li", "没满")
    both = DO.contradict(one, "sec-yang", "空的")
    assert both.doubts == (Doubt("cleaner-li", "没满"), Doubt("sec-yang", "空的"))
    anew = DO.contradict(both, "cleaner-li", "刚倒过")
    assert anew.doubts == (Doubt("sec-yang", "空的"), Doubt("cleaner-li", "刚倒过"))
    assert DO.contradict(anew, "sec-yang", "").doubts == (Doubt("cleaner-li", "刚倒过"),)


# --- a trial that ends


def test_what_a_trial_kept_back_is_looked_at_when_it_ends() -> None:
    waits = replace(alert(), due_ms=clock(18), fresh_ms=clock(19), repeat_ms=clock(17, 59), reason=TRIAL)
    after = DO.unhold(waits, clock(18), NOON)
    assert (after.due_ms, after.fresh_ms, after.repeat_ms, after.reason) == (NOON, NOON, clock(17, 59), "")


def test_a_chain_that_had_begun_and_waits_for_something_else_goes_on_as_it_was() -> None:
    told = replace(TOLD, due_ms=clock(18), reason="quiet")
    assert DO.unhold(told, clock(13), NOON) is told
    never = replace(told, left_ms=0)
    assert DO.unhold(never, clock(13), NOON).due_ms == NOON
    assert DO.unhold(replace(told, reason=TRIAL), clock(13), NOON).due_ms == NOON


# --- told now


def test_what_somebody_sends_leaves_at_once_whatever_kept_it_quiet() -> None:
    log: Log = []
    quiet = replace(
        DO.acknowledge(TOLD, OFFICE, NOON, []), shelved_until_ms=clock(20), recovering=True, fresh_ms=clock(15)
    )
    sent = done(DO.dispatch(quiet, OFFICE, "", None, clock(13), log))
    assert (sent.acked_ms, sent.acked_by, sent.ack_until_ms, sent.shelved_until_ms) == (0, "", 0, 0)
    assert (sent.recovering, sent.fresh_ms, sent.repeat) == (False, 0, RESTART)
    assert rows(log)[0] == ("dispatched", SAID)
    assert {(kind, step) for kind, step, *_ in texts(log)} == {(MessageKind.FRESH, 0)}


def test_of_what_nobody_has_heard_the_first_word_is_sent() -> None:
    log: Log = []
    done(DO.dispatch(alert(), OFFICE, "", None, NOON, log))
    assert {kind for kind, *_ in texts(log)} == {MessageKind.FIRST}


def test_it_may_be_sent_to_one_person_alone() -> None:
    log: Log = []
    sent = done(DO.dispatch(TOLD, OFFICE, "crew-chen", None, NOON, log))
    assert rows(log)[0] == ("dispatched", {**SAID, "to": "crew-chen"})
    assert [(kind, to) for kind, _, to, _ in texts(log)] == [(MessageKind.FRESH, "crew-chen")]
    assert "crew-chen" in sent.told


def test_of_what_no_text_speaks_nothing_can_be_sent() -> None:
    log: Log = []
    assert refused(DO.dispatch(alert("battery_low"), OFFICE, "", None, NOON, log)) == "no_text"
    assert log == []


# --- out of reach


def test_whom_no_text_reaches_hurries_the_next_step() -> None:
    log: Log = []
    hurried = DO.hurry(TOLD, "refused", NOON, log, "cleaner-li")
    assert (hurried.due_ms, hurried.unreached) == (NOON, ("cleaner-li",))
    assert rows(log) == [("hurried", {"reason": "refused", "step": 1})]
    assert DO.hurry(TOLD, "no_receipt", NOON, []).due_ms == NOON, "whoever it was"


@pytest.mark.parametrize("state", [{"severity": Severity.P3}, {"acked_ms": NOON}], ids=["no haste", "seen to"])
def test_nobody_hurries_what_can_wait(state: dict[str, Severity | int]) -> None:
    log: Log = []
    calm = replace(TOLD, **state)
    assert DO.hurry(calm, "refused", NOON, log, "cleaner-li") is calm
    assert log == []


def test_somebody_who_was_not_told_hurries_nothing() -> None:
    log: Log = []
    assert DO.hurry(TOLD, "refused", NOON, log, "crew-chen") is TOLD
    assert log == []


def test_who_stands_in_for_somebody_who_was_told_counts_as_they_do() -> None:
    house = Responses(COUNTY, away("cleaner-li", clock(6), clock(18), "cleaner-zhou"))
    hurried = house.hurry(TOLD, "refused", NOON, [], "cleaner-zhou")
    assert (hurried.due_ms, hurried.unreached) == (NOON, ("cleaner-li",))


LAST: Final = replace(TOLD, due_ms=0, repeat_ms=0, unreached=("sec-yang",))
"""The end of its chain, of which one of the two who were told is known to be out of reach."""


@pytest.mark.parametrize("latched", [False, True], ids=["it stands", "it has cooled, and nobody has looked"])
def test_where_nobody_was_reached_it_is_told_afresh_after_an_hour(*, latched: bool) -> None:
    log: Log = []
    lost = DO.hurry(replace(LAST, latched=latched), "refused", NOON, log, "cleaner-li")
    assert (lost.fresh_ms, set(lost.unreached)) == (clock(13), {"cleaner-li", "sec-yang"})
    assert rows(log) == [("held", {"reason": UNREACHED, "step": 1, "until_ms": clock(13)})]
    twice = DO.hurry(replace(lost, fresh_ms=0), "refused", clock(14), [], "cleaner-li")
    assert sorted(twice.unreached) == ["cleaner-li", "sec-yang"], "each of them once"


@pytest.mark.parametrize(
    "state",
    [
        {"unreached": ()},
        {"parent": "fire/x/1"},
        {"shelved_until_ms": clock(20)},
        {"due_ms": NOON},
        {"repeat_ms": clock(14)},
        {"fresh_ms": clock(14)},
    ],
    ids=["somebody was reached", "explained", "shelved", "due", "repeats", "is told anyway"],
)
def test_it_is_not_told_afresh_where_somebody_knows_it_or_will(state: dict[str, object]) -> None:
    log: Log = []
    before = replace(LAST, **state)
    after = DO.hurry(before, "refused", NOON, log, "cleaner-li")
    assert "cleaner-li" in after.unreached
    assert (after.fresh_ms, after.due_ms) == (before.fresh_ms, before.due_ms)
    assert log == []


def test_a_text_without_a_receipt_alone_tells_nobody_afresh() -> None:
    """Nobody's provider has refused it."""
    log: Log = []
    after = DO.hurry(LAST, "no_receipt", NOON, log)
    assert after.fresh_ms == 0
    assert log == []


def test_the_bin_that_nobody_was_told_of_has_nobody_out_of_reach() -> None:
    log: Log = []
    assert DO.hurry(alert(asset=CAN), "refused", NOON, log).unreached == ()
    assert log == []
