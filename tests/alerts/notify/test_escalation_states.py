"""What an episode becomes when it begins, is told, seen to, explained, relapses or ends: value in, value out."""

import dataclasses
from collections.abc import Mapping
from datetime import time
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert, WaitingStep
from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.conditions.bins import BinMemory
from alerts.model import Event, Log, MessageKind, Owed, Severity
from alerts.notify.escalation import RECOVERING_AFRESH, Escalation
from alerts.notify.schedule import Roster, Schedule
from telemetry.inventory import Duty, Inventory
from telemetry.reading import Millis
from telemetry.terms import Hours, Role
from tests.alerts.notify.builders import CAN, COUNTY, NOON, PLANT, ROAD, alert, clock, rows, with_person
from tests.alerts.notify.builders import ESCALATION as HOUSE

FULL: Final = BinMemory(fill_pct=90.0, temperature_c=80.0)


def texts(log: Log) -> list[tuple[MessageKind, int, str, str]]:
    return [(each.kind, each.step, each.to, each.template) for each in log if isinstance(each, Owed)]


def escalation(inventory: Inventory) -> Escalation:
    """The same rules in another county."""
    holds = dataclasses.replace(HOUSE.holds, inventory=inventory)
    writer = dataclasses.replace(HOUSE.message_writer, inventory=inventory)
    return Escalation(inventory, holds, Schedule(holds), writer, Roster(holds))


def test_what_begins_by_day_is_due_at_once_and_by_night_in_the_morning_with_a_row() -> None:
    log: Log = []
    assert HOUSE.begin(alert(), NOON, log) == replace(alert(), due_ms=NOON)
    assert log == []
    night = HOUSE.begin(alert(), clock(23), log)
    assert (night.due_ms, night.reason) == (clock(6, 30, 10), "quiet")
    assert rows(log) == [("held", {"reason": "quiet", "step": 0, "until_ms": clock(6, 30, 10)})]


@pytest.mark.parametrize(
    ("rule", "state", "row", "reason"),
    [
        ("battery_low", {}, "dropped", "weekly_list"),
        ("overflow", {"owes": False}, "held", "late"),
        ("overflow", {"acked_ms": NOON}, "dropped", "acknowledged"),
        ("overflow", {"parent": "fire/it/1"}, "dropped", "inhibited"),
    ],
)
def test_what_nobody_is_told_of_begins_with_a_row_and_stays_as_it_is(
    rule: str, state: Mapping[str, int | str | bool], row: str, reason: str
) -> None:
    begun, log = replace(alert(rule), **state), list[Event | Owed]()
    assert HOUSE.begin(begun, NOON, log) is begun
    assert rows(log) == [(row, {"reason": reason, "step": 0})]


def test_two_thirds_of_a_bin_with_rounds_wait_for_the_round_and_beside_a_road_only_while_it_is_near() -> None:
    collection = COUNTY.assets[CAN].collection
    assert collection is not None
    afternoons = dataclasses.replace(collection, rounds=("pm",))
    elsewhere = COUNTY.assets[CAN]
    beside = dataclasses.replace(elsewhere, roadside=True, collection=afternoons)
    for asset, at_ms, due_ms, until_ms in (
        (elsewhere, NOON, 0, clock(17)),
        (elsewhere, clock(17), 0, clock(11, 30, 10)),
        (beside, NOON, NOON, None),
        (beside, clock(14), 0, clock(17)),
        (beside, clock(17, 30), clock(6, 30, 10), clock(6, 30, 10)),
    ):
        house = escalation(dataclasses.replace(COUNTY, assets={**COUNTY.assets, CAN: asset}))
        log: Log = []
        begun = house.begin(replace(alert("over_two_thirds", CAN, Severity.P3), raised_ms=at_ms), at_ms, log)
        assert (begun.due_ms, begun.reason) == (due_ms, "round_pending")
        assert begun.round_ms == house.holds.round_due(asset, at_ms)
        held = [("held", {"reason": "round_pending", "step": 0, "until_ms": until_ms})]
        assert rows(log) == ([] if until_ms is None else held)


def test_a_p2_does_not_wait_for_its_cause_into_the_night_nor_past_the_duty_of_everybody() -> None:
    for at_ms, due_ms in ((NOON, clock(12, 5)), (clock(20, 58), clock(20, 59)), (clock(20, 53), clock(20, 58))):
        assert HOUSE.begin(alert("stopped", PLANT), at_ms, []).due_ms == due_ms
    morning = Duty(Role.CREW, area="wushi", hours=Hours(time(8), time(12)))
    house = escalation(with_person("crew-chen", duties=(morning,)))
    for severity, at_ms, due_ms in (
        (Severity.P2, clock(11), clock(11, 28)),
        (Severity.P2, clock(11, 50), clock(11, 59)),
        (Severity.P2, clock(11, 59), clock(11, 59)),
        (Severity.P2, NOON, clock(12, 28)),
        (Severity.P3, clock(11, 50), clock(12, 18)),
    ):
        assert house.begin(alert("no_power", PLANT, severity), at_ms, []).due_ms == due_ms
    assert house.begin(alert("stopped", PLANT), clock(11, 58), []).due_ms == clock(12, 3), "others have duty still"


KEPT: Final = (WaitingStep("sec-yang", 1, clock(14)),)


def test_an_acknowledgement_stops_all_that_was_due() -> None:
    told = replace(alert(), due_ms=1, repeat_ms=2, round_ms=3, fresh_ms=4, reason="quiet", step=2, kept=KEPT)
    log: Log = []
    seen = HOUSE.acknowledge(told, "cleaner-li", NOON, log)
    assert seen == replace(alert(), acked_ms=NOON, acked_by="cleaner-li", step=2)
    assert rows(log) == [("superseded", {"reason": "acknowledged", "step": 1, "person": "sec-yang"})]


def test_what_is_explained_is_quiet_and_a_row_names_the_cause() -> None:
    told = replace(alert("stopped", PLANT), due_ms=1, repeat_ms=2, fresh_ms=4, round_ms=3, kept=KEPT)
    log: Log = []
    quiet = HOUSE.explain(told, "no_power/it/1", NOON, log)
    assert quiet == replace(alert("stopped", PLANT), parent="no_power/it/1", reason="inhibited", round_ms=3)
    assert rows(log) == [
        ("inhibited", {"reason": "no_power/it/1", "step": 0}),
        ("superseded", {"reason": "inhibited", "step": 1, "person": "sec-yang"}),
    ]


def test_what_is_unexplained_is_told_in_a_while_if_it_still_stands() -> None:
    quiet = replace(alert("stopped", PLANT), parent="no_power/it/1", reason="inhibited")
    free = replace(quiet, parent="", reason="")
    log: Log = []
    assert HOUSE.unexplain(quiet, None, clock(12, 15), clock(12, 10), log) == replace(free, fresh_ms=clock(12, 15))
    assert rows(log) == [("released", {"reason": "no_power/it/1", "step": 0})]
    soon = HOUSE.unexplain(quiet, None, clock(12, 1), clock(12, 1), log)
    assert soon.fresh_ms == clock(12, 5), "its own lead is not shortened"
    for state in ({"acked_ms": 1}, {"shelved_until_ms": 1}, {"severity": Severity.P4}, {"owes": False}):
        assert HOUSE.unexplain(replace(quiet, **state), None, NOON, NOON, log) == replace(free, **state)


def test_what_was_told_in_the_words_of_its_cause_goes_on_and_begins_where_that_never_was() -> None:
    quiet = replace(alert("over_two_thirds", ROAD, Severity.P3), parent="overflow/it/1", told=("cleaner-li",))
    cause = replace(alert(), left_ms=NOON, told=("cleaner-li", "sec-yang"))
    on = HOUSE.unexplain(quiet, cause, 0, clock(13), [])
    assert (on.step, on.left_ms, on.told) == (1, NOON, ("cleaner-li", "sec-yang"))
    assert on.due_ms == clock(16), "four hours after it was raised"
    later = HOUSE.unexplain(replace(quiet, step=2, left_ms=clock(11)), cause, 0, clock(13), [])
    assert (later.step, later.left_ms, later.due_ms) == (2, clock(11), clock(8, day=10))
    told_itself = HOUSE.unexplain(
        replace(quiet, left_ms=clock(11), step=1), replace(cause, left_ms=0), 0, clock(13), []
    )
    assert (told_itself.step, told_itself.due_ms) == (1, clock(15))
    never = HOUSE.unexplain(quiet, replace(cause, left_ms=0), 0, clock(13), [])
    assert (never.step, never.left_ms, never.due_ms) == (0, 0, clock(13))


def test_what_waited_for_a_recovery_leaves_when_it_relapses() -> None:
    for reason, state in (
        ("recovering", {"due_ms": NOON, "reason": ""}),
        (RECOVERING_AFRESH, {"fresh_ms": NOON, "reason": ""}),
        ("quiet", {"reason": "quiet"}),
    ):
        better = replace(alert(), recovering=True, reason=reason)
        assert HOUSE.relapse(better, NOON) == replace(alert(), **state)
    log: Log = []
    held = HOUSE.await_recovery(replace(alert(), fresh_ms=1), NOON, log)
    assert held == replace(alert(), reason=RECOVERING_AFRESH)
    assert rows(log) == [("held", {"reason": "recovering", "step": 0})]


def test_what_flared_up_is_not_seen_to_any_more_and_told_from_the_first_step() -> None:
    seen = replace(
        alert("fire", severity=Severity.P1),
        latched=True,
        recovering=True,
        acked_ms=1,
        acked_by="x",
        ack_until_ms=2,
        shelved_until_ms=3,
        due_ms=4,
        repeat_ms=5,
        again_ms=6,
    )
    past = HOUSE.rekindle(seen, 9)
    assert past == replace(alert("fire", severity=Severity.P1), again_ms=9, owes=False, due_ms=4, repeat_ms=5)
    again = HOUSE.reignite(seen, NOON, {"by": "heat"})
    assert again == replace(alert("fire", severity=Severity.P1), again_ms=6, detail={"by": "heat"}, fresh_ms=NOON)


def test_what_late_samples_had_said_is_told_once_it_is_true_unless_somebody_has_seen_to_it() -> None:
    late = replace(alert(), owes=False, recovering=True)
    true = replace(alert(), detail={"a": 1})
    assert HOUSE.confirm(late, NOON, {"a": 1}, []) == replace(true, due_ms=NOON)
    for state in ({"acked_ms": 1}, {"parent": "fire/it/1"}, {"shelved_until_ms": 1}):
        for left_ms in (0, 1):
            log: Log = []
            seen = HOUSE.confirm(replace(late, left_ms=left_ms, **state), NOON, {"a": 1}, log)
            assert (seen, log) == (replace(true, left_ms=left_ms, **state), [])
    told = HOUSE.confirm(replace(late, left_ms=1), NOON, {"a": 1}, [])
    assert told == replace(true, left_ms=1, fresh_ms=NOON)


def test_an_episode_of_before_a_start_has_the_people_and_the_steps_of_now() -> None:
    due = {"due_ms": 1, "repeat_ms": 2, "round_ms": 3, "fresh_ms": 4, "kept": KEPT}
    old = replace(alert(), told=("cleaner-li", "gone"), **due)
    assert HOUSE.adopt(replace(old, step=2)) == replace(old, step=2, told=("cleaner-li",))
    assert HOUSE.adopt(replace(old, step=3)) == replace(old, step=3, told=("cleaner-li",), due_ms=0)
    over = replace(old, step=3, closed_ms=1, told=())
    assert HOUSE.adopt(over) == over
    mute = HOUSE.adopt(replace(old, rule="tilted"))
    assert mute == replace(alert(), rule="tilted", told=("cleaner-li",))


OVER: Final = {"closed_ms": NOON, "ended": "recovered"}


def test_who_was_told_of_a_p2_hears_that_it_is_over_but_not_who_has_ended_it() -> None:
    told = replace(
        alert(),
        told=("cleaner-li", "sec-yang"),
        kept=KEPT,
        repeat_ms=1,
        round_ms=2,
        fresh_ms=3,
        recovering=True,
        latched=True,
        ack_until_ms=4,
        due_ms=5,
    )
    over = replace(alert(), told=told.told, **OVER)
    assert HOUSE.close(told, NOON, "recovered") == replace(over, due_ms=NOON)
    assert HOUSE.close(told, clock(23), "recovered") == replace(over, closed_ms=clock(23), due_ms=clock(6, 30, 10))
    never = HOUSE.close(replace(told, unreached=("sec-yang",)), NOON, "recovered")
    assert never.told == ("cleaner-li",), "who never got a word needs no last one"
    emptied = HOUSE.close(told, NOON, "emptied")
    assert (emptied.told, emptied.due_ms) == (("sec-yang",), NOON)
    assert HOUSE.close(replace(told, told=("cleaner-li",)), NOON, "emptied").due_ms == 0
    for quiet in (
        replace(told, shelved_until_ms=clock(13)),
        replace(told, told=()),
        replace(told, severity=Severity.P3),
        replace(told, rule="offline"),
    ):
        assert HOUSE.close(quiet, NOON, "recovered").due_ms == 0
    assert HOUSE.close(replace(told, shelved_until_ms=clock(13)), NOON, "recovered").told == told.told


def test_of_what_is_retired_whoever_was_told_within_a_day_hears() -> None:
    told = replace(alert(), told=("cleaner-li", "sec-yang", "gone"), left_ms=NOON - DAY_MS + 1, kept=KEPT, parent="x")
    log: Log = []
    over = HOUSE.retire(told, "retired", NOON, log)
    assert (over.told, over.due_ms, over.parent, over.ended, over.kept) == (
        ("cleaner-li", "sec-yang"),
        NOON,
        "",
        "retired",
        (),
    )
    assert rows(log) == [("superseded", {"reason": "retired", "step": 1, "person": "sec-yang"})]
    later = HOUSE.retire(replace(told, told_ms={"sec-yang": NOON - DAY_MS}), "retired", NOON, [])
    assert later.told == ("cleaner-li",)
    assert HOUSE.retire(replace(told, left_ms=NOON - DAY_MS), "retired", NOON, []).due_ms == 0
    assert HOUSE.retire(replace(told, asset="xiang"), "retired", NOON, []).due_ms == 0


def run(told: Alert, at_ms: Millis, house: Escalation = HOUSE) -> tuple[Alert, Log]:
    log: Log = []
    return house.run(told, FULL, at_ms, log), log


def test_steps_follow_each_other_and_the_last_ends_the_chain() -> None:
    first, log = run(replace(alert(), due_ms=NOON), NOON)
    assert texts(log) == [(MessageKind.FIRST, 0, "cleaner-li", "overflow")]
    assert (first.step, first.left_ms, first.due_ms, first.held) == (1, NOON, clock(14), ("cleaner-li",))
    assert (first.told, first.told_ms) == (("cleaner-li",), {"cleaner-li": NOON})
    assert run(first, clock(14) - 1) == (first, [])
    reached, _ = run(replace(alert(), due_ms=NOON, unreached=("cleaner-li", "sec-yang")), NOON)
    assert reached.unreached == ("sec-yang",)
    second, log = run(first, clock(14))
    assert texts(log) == [(MessageKind.ESCALATION, 1, "sec-yang", "overflow_village")]
    assert (second.step, second.due_ms, second.held) == (2, clock(10, day=11), ("cleaner-li",))
    third, log = run(second, clock(10, day=11))
    assert texts(log) == [(MessageKind.ESCALATION, 2, "town-he", "overflow_town")]
    assert (third.step, third.due_ms, third.told) == (3, 0, ("cleaner-li", "sec-yang", "town-he"))


def test_what_was_due_at_the_first_instant_of_all_is_told_and_what_is_not_due_is_not() -> None:
    assert len(texts(run(replace(alert(), due_ms=1), NOON)[1])) == 1
    assert run(alert(), NOON) == (alert(), [])


def test_what_falls_due_while_it_gets_better_waits_for_that() -> None:
    better = replace(alert(), due_ms=NOON, recovering=True)
    for waits in (better, replace(better, round_ms=clock(17))):
        held, log = run(waits, NOON)
        assert held == replace(waits, due_ms=0, reason="recovering")
        assert rows(log) == [("held", {"reason": "recovering", "step": 0})], "no hour ends it"
    notice, log = run(replace(alert("flapping"), due_ms=NOON), NOON)
    assert texts(log) == [(MessageKind.NOTICE, 0, "crew-chen", "flapping")]
    assert notice.due_ms == 0


def test_a_fire_is_repeated_three_times_and_calls_the_next_step_where_too_few_are_told() -> None:
    burns = replace(alert("fire", severity=Severity.P1), due_ms=NOON)
    told, log = run(burns, NOON)
    assert texts(log) == [
        (MessageKind.FIRST, 0, "cleaner-li", "fire"),
        (MessageKind.FIRST, 0, "sec-yang", "fire"),
        (MessageKind.FIRST, 0, "dispatch-wu", "fire"),
    ]
    assert (told.step, told.due_ms, told.repeat_ms) == (1, clock(12, 10), clock(12, 10))
    times = []
    for _ in range(3):
        times.append(told.repeat_ms)
        told, log = run(replace(told, due_ms=0, unreached=("cleaner-li",)), told.repeat_ms)
        assert [(kind, step, said) for kind, step, _, said in texts(log)] == [(MessageKind.REPEAT, 0, "fire")] * 3
        assert set(told.told_ms.values()) == {times[-1]}
        assert told.unreached == ()
    assert times == [clock(12, 10), clock(12, 30), clock(13, 30)]
    assert (told.repeat, told.repeat_ms) == (3, 0)
    early, _ = run(replace(told, repeat=0, repeat_ms=clock(12, 5)), clock(12, 5))
    assert early.repeat_ms == clock(12, 30), "what came early hurries nothing"
    anew, _ = run(replace(told, repeat=100, repeat_ms=clock(14)), clock(14))
    assert (anew.repeat, anew.repeat_ms) == (101, clock(14, 20)), "never sooner than its gap"
    few = {each: COUNTY.people[each] for each in ("cleaner-li", "town-he")}
    _, log = run(burns, NOON, escalation(dataclasses.replace(COUNTY, people=few)))
    assert [(kind, to) for kind, _, to, _ in texts(log)] == [
        (MessageKind.FIRST, "cleaner-li"),
        (MessageKind.ESCALATION, "town-he"),
    ]
    two = {**few, "sec-yang": COUNTY.people["sec-yang"]}
    _, log = run(burns, NOON, escalation(dataclasses.replace(COUNTY, people=two)))
    assert [to for _, _, to, _ in texts(log)] == ["cleaner-li", "sec-yang"], "two are not alone"
    alone = escalation(dataclasses.replace(COUNTY, people={"town-he": COUNTY.people["town-he"]}))
    told, log = run(burns, NOON, alone)
    assert texts(log) == [(MessageKind.ESCALATION, 1, "town-he", "fire_unanswered")]
    missing = [detail["person"] for event, detail in rows(log) if event == "notice"]
    assert missing == ["cleaner", "village_head", "dispatcher"]


def test_what_is_told_afresh_begins_a_chain_of_its_own() -> None:
    told = replace(alert(), fresh_ms=NOON, step=2, left_ms=clock(8), due_ms=clock(15), repeat=3, told=("sec-yang",))
    fresh, log = run(told, NOON)
    assert texts(log) == [(MessageKind.FRESH, 0, "cleaner-li", "overflow")]
    assert (fresh.step, fresh.left_ms, fresh.repeat, fresh.fresh_ms, fresh.due_ms) == (1, NOON, 100, 0, clock(14))
    assert fresh.told == ("sec-yang", "cleaner-li")
    night, log = run(replace(told, fresh_ms=clock(23), due_ms=0), clock(23))
    assert (night.fresh_ms, night.step) == (clock(6, 30, 10), 2)
    assert rows(log) == [("held", {"reason": "quiet", "step": 2, "until_ms": clock(6, 30, 10)})]
    better, log = run(replace(told, recovering=True, due_ms=0), NOON)
    assert (better.fresh_ms, better.reason) == (0, RECOVERING_AFRESH)


def test_a_round_that_was_missed_is_counted_and_one_that_emptied_the_bin_is_not() -> None:
    waits = replace(
        alert("over_two_thirds", CAN, Severity.P3), since_ms=clock(8), raised_ms=clock(8), round_ms=clock(11, 30)
    )
    for state, emptied_ms, missed in (
        ({}, 0, 1),
        ({}, clock(7) - 1, 1),
        ({}, clock(7), 0),
        ({"since_ms": clock(11)}, 0, 1),
        ({"since_ms": clock(11) + 1}, 0, 0),
    ):
        log: Log = []
        memory = BinMemory(fill_pct=90.0, emptied_ms=emptied_ms)
        after = HOUSE.run(replace(waits, **state), memory, clock(11, 30), log)
        assert (after.missed, after.round_ms) == (missed, clock(17))
        assert texts(log) == [(MessageKind.FIRST, 0, "driver-tang", "over_two_thirds")] * missed
        missed_rows = [detail["reason"] for event, detail in rows(log) if event == "round_missed"]
        assert missed_rows == ["1"] * missed
    told, log = run(replace(waits, parent="overflow/it/1"), clock(11, 30))
    assert (told.missed, told.due_ms, texts(log)) == (1, 0, [])
    late, _ = run(waits, clock(17, 10))
    assert (late.missed, late.round_ms) == (1, clock(11, 30, 10)), "what went by while nobody could act is one"


def test_what_falls_due_while_its_own_round_runs_waits_for_the_end_of_that() -> None:
    waits = replace(alert("over_two_thirds", CAN, Severity.P3), due_ms=clock(15), round_ms=clock(17))
    held, log = run(waits, clock(15))
    assert held == replace(waits, due_ms=0, reason="round_pending")
    assert rows(log) == [("held", {"reason": "round_pending", "step": 0, "until_ms": clock(17)})]


def test_the_second_missed_round_is_reported_at_half_past_five() -> None:
    told = replace(
        alert("over_two_thirds", CAN, Severity.P3),
        raised_ms=clock(8),
        since_ms=clock(8),
        round_ms=clock(17),
        step=1,
        missed=1,
        left_ms=clock(11, 30),
        due_ms=clock(11, 30, 10),
    )
    after, _ = run(told, clock(17))
    assert (after.missed, after.due_ms) == (2, clock(17, 30))
    after, log = run(after, clock(17, 30))
    assert texts(log) == [(MessageKind.ESCALATION, 1, "sec-yang", "rounds_missed_village")]
    assert (after.step, after.due_ms) == (2, clock(11, 30, 10))
    overtaken, log = run(replace(told, round_ms=0), clock(11, 30, 10))
    assert texts(log) == [(MessageKind.ESCALATION, 2, "town-he", "over_two_thirds_town")]
    assert rows(log) == [("dropped", {"reason": "rounds_not_missed", "step": 1})]
    assert overtaken.step == 3
    quiet, _ = run(replace(told, due_ms=0), clock(17))
    assert (quiet.missed, quiet.due_ms) == (2, 0), "what was not due before is not due now"


def test_a_chain_whose_rest_waits_for_missed_rounds_alone_is_not_due_until_they_are_missed() -> None:
    policies = HOUSE.holds.policies
    rule = policies.rules["over_two_thirds"]
    short = rule.model_copy(update={"rounds": rule.rounds[:2]})
    rules = {**policies.rules, "over_two_thirds": short}
    holds = dataclasses.replace(HOUSE.holds, policies=policies.model_copy(update={"rules": rules}))
    house = dataclasses.replace(HOUSE, holds=holds, schedule=Schedule(holds), roster=Roster(holds))
    once = replace(alert("over_two_thirds", CAN, Severity.P3), missed=1, due_ms=clock(11, 30))
    told, log = run(once, clock(11, 30), house)
    assert [template for _, _, _, template in texts(log)] == ["over_two_thirds"]
    assert (told.step, told.due_ms) == (1, 0)


EVENING: Final = Duty(Role.CLEANER, area="ytan", hours=Hours(time(14), time(18)))


def test_where_nobody_of_a_step_has_duty_the_next_that_has_hears_it_and_its_own_when_they_come() -> None:
    house = escalation(with_person("cleaner-li", duties=(EVENING,)))
    told, log = run(replace(alert(), due_ms=NOON), NOON, house)
    assert texts(log) == [(MessageKind.FIRST, 0, "sec-yang", "overflow")]
    assert told.kept == (WaitingStep("cleaner-li", 0, clock(14)),)
    assert told.held == ("cleaner-li",)
    assert rows(log) == [
        ("kept", {"reason": "off_duty", "step": 0, "person": "cleaner-li", "until_ms": clock(14)}),
    ]
    after, log = run(replace(told, due_ms=0), clock(14), house)
    assert texts(log) == [(MessageKind.FIRST, 0, "cleaner-li", "overflow")]
    assert (after.kept, after.told) == ((), ("sec-yang", "cleaner-li"))
    mine, other = WaitingStep("cleaner-li", 0, clock(14)), WaitingStep("cleaner-li", 1, clock(15))
    for waits, kept in ((mine, (mine,)), (other, (other, mine))):
        afresh, _ = run(replace(alert(), fresh_ms=NOON, kept=(waits,)), NOON, house)
        assert afresh.kept == kept, "one text of a step is kept for each"
    small = replace(alert("over_two_thirds", severity=Severity.P3), due_ms=NOON)
    left, log = run(small, NOON, house)
    assert texts(log) == []
    assert rows(log) == [("dropped", {"reason": "off_duty", "step": 0, "person": "cleaner-li"})]
    assert (left.step, left.kept) == (1, ())


def test_whose_text_was_kept_and_who_is_gone_or_not_there_yet_does_not_hear_it_then() -> None:
    house = escalation(with_person("cleaner-li", duties=(EVENING,)))
    told = replace(alert(), left_ms=NOON, step=1, told=("sec-yang",))
    late, log = run(replace(told, kept=(WaitingStep("cleaner-li", 0, clock(17)),)), clock(18, 30), house)
    assert late.kept == (WaitingStep("cleaner-li", 0, clock(14, day=10)),)
    row = {"reason": "off_duty", "step": 0, "person": "cleaner-li", "until_ms": clock(14, day=10)}
    assert (texts(log), rows(log)) == ([], [("kept", row)])
    gone, log = run(replace(told, kept=(WaitingStep("gone", 0, NOON), WaitingStep("cleaner-li", 3, NOON))), NOON, house)
    assert gone.kept == ()
    assert rows(log) == [
        ("superseded", {"reason": "person_left", "step": 0, "person": "gone"}),
        ("superseded", {"reason": "person_left", "step": 3, "person": "cleaner-li"}),
    ]
    _, log = run(replace(told, kept=(WaitingStep("crew-chen", 0, NOON),)), NOON, house)
    assert texts(log) == [(MessageKind.FIRST, 0, "crew-chen", "overflow")], "who holds no role of it any more is there"
    night, log = run(replace(told, kept=(WaitingStep("crew-chen", 0, NOON),)), clock(23), house)
    assert night.kept == (WaitingStep("crew-chen", 0, clock(6, 30, 10)),)
    fresh, log = run(replace(told, kept=(WaitingStep("cleaner-li", 0, clock(15), fresh=True),)), clock(15), house)
    assert texts(log) == [(MessageKind.FRESH, 0, "cleaner-li", "overflow")]
    later, log = run(replace(told, kept=(WaitingStep("cleaner-li", 1, clock(15)),)), clock(15), house)
    assert texts(log) == [(MessageKind.ESCALATION, 1, "cleaner-li", "overflow_village")]
    assert (fresh.told, later.told) == (("sec-yang", "cleaner-li"),) * 2


def test_by_hand_those_of_step_0_are_told_whatever_holds_it_and_the_chain_goes_on() -> None:
    house = escalation(with_person("cleaner-li", duties=(EVENING,)))
    log: Log = []
    first = house.tell_first(alert(), MessageKind.FIRST, FULL, clock(23), log, by_hand=True)
    assert texts(log) == [(MessageKind.FIRST, 0, "cleaner-li", "overflow")]
    assert (first.step, first.left_ms) == (1, clock(23))
    log = []
    told = replace(alert(), step=2, left_ms=clock(10))
    again = house.tell_first(told, MessageKind.FRESH, FULL, NOON, log)
    assert texts(log) == [(MessageKind.FRESH, 0, "sec-yang", "overflow")]
    assert (again.step, again.left_ms, again.due_ms) == (2, clock(10), clock(8, day=11))


def test_one_person_is_told_what_step_0_says_and_the_chain_goes_on_or_begins() -> None:
    log: Log = []
    begun = HOUSE.tell_person(replace(alert(), reason="x"), "crew-chen", FULL, NOON, log)
    assert texts(log) == [(MessageKind.FRESH, 0, "crew-chen", "overflow")]
    assert (begun.step, begun.left_ms, begun.told, begun.due_ms, begun.reason) == (
        1,
        NOON,
        ("crew-chen",),
        clock(14),
        "",
    )
    log = []
    on = HOUSE.tell_person(replace(alert(), step=2, left_ms=clock(10)), "crew-chen", FULL, NOON, log)
    assert (on.step, on.left_ms) == (2, clock(10))
    (said,) = log
    assert isinstance(said, Owed)
    assert "请9日14点前" in said.text, "as if the first step left now"


def test_who_came_into_a_role_since_its_step_left_hears_of_it_once() -> None:
    told = replace(alert(), step=1, left_ms=NOON, told=("cleaner-zhou",), held=("cleaner-zhou",))
    log: Log = []
    after = HOUSE.hand_over(told, (), clock(13), clock(13), log)
    new = WaitingStep("cleaner-li", 0, clock(13), fresh=True)
    assert (after.kept, after.held) == ((new,), ("cleaner-zhou", "cleaner-li"))
    assert rows(log) == [
        ("kept", {"reason": "new_holder", "step": 0, "person": "cleaner-li", "until_ms": clock(13)}),
    ]
    assert HOUSE.hand_over(after, (), clock(13), clock(13), []) is after
    for same in (
        replace(told, severity=Severity.P3),
        replace(told, closed_ms=1),
        replace(told, parent="x"),
        replace(told, shelved_until_ms=1),
        replace(told, latched=True),
        replace(told, left_ms=0),
        replace(told, rule="tilted"),
        replace(told, held=()),
        replace(told, held=("cleaner-li",)),
        replace(told, told=("cleaner-li",)),
        replace(told, acked_ms=NOON, acked_by="sec-yang"),
    ):
        assert HOUSE.hand_over(same, (), clock(13), clock(13), []) is same
    assert HOUSE.hand_over(told, ("cleaner-li",), clock(13), clock(13), []) is told


def test_where_who_has_seen_to_it_is_gone_it_goes_on_and_what_was_kept_for_them_is_somebody_elses() -> None:
    told = replace(alert(), step=1, left_ms=NOON, told=("cleaner-li",), held=("cleaner-li",))
    log: Log = []
    seen = replace(told, acked_ms=clock(12, 30), acked_by="gone", ack_until_ms=clock(16), reason="x")
    after = HOUSE.hand_over(seen, (), clock(13), clock(13), log)
    assert after == replace(told, due_ms=clock(14))
    assert rows(log) == [("ack_expired", {"by": "gone", "reason": "person_left"})]
    log = []
    there = WaitingStep("town-he", 2, clock(15))
    kept = replace(told, step=2, kept=(WaitingStep("gone", 1, clock(14)), there))
    after = HOUSE.hand_over(kept, (), clock(13), clock(13), log)
    assert after.kept == (there, WaitingStep("sec-yang", 1, clock(13)))
    assert after.held == told.held, "it is not who holds the first step"
    assert [event for event, _ in rows(log)] == ["superseded", "kept"]


def test_who_answers_for_a_step_and_has_not_heard_of_it_follows_who_left() -> None:
    told = replace(alert(), step=2, told=("cleaner-li",))
    assert [HOUSE.successors(told, step, NOON) for step in range(4)] == [(), ("sec-yang",), ("town-he",), ()]


def test_the_word_that_it_is_over_goes_to_who_was_told_and_not_at_night() -> None:
    over = replace(alert("stopped", PLANT), told=("crew-chen", "dispatch-wu"), due_ms=NOON, **OVER)
    log: Log = []
    after = HOUSE.tell_over(over, (), None, NOON, log)
    assert texts(log) == [(MessageKind.CLEARED, 0, each, "running_again") for each in over.told]
    assert (after.due_ms, [each.covers for each in log if isinstance(each, Owed)]) == (0, [(), ()])
    log = []
    assert HOUSE.tell_over(over, (), None, clock(22), log).due_ms == clock(6, 30, 10)
    assert rows(log) == [("held", {"reason": "quiet", "step": 0, "until_ms": clock(6, 30, 10)})]
    log = []
    again = replace(alert("stopped", PLANT), episode="stopped/it/2")
    assert HOUSE.tell_over(over, (again,), None, NOON, log).due_ms == 0
    row = {"reason": "raised_again", "step": 0}
    assert rows(log) == [("superseded", row | {"person": each}) for each in over.told]


def test_what_goes_on_after_an_overflow_is_named_unless_it_may_be_over_with_the_next_sample() -> None:
    over = replace(alert(), device="bin-0003", told=("cleaner-li", "sec-yang"), due_ms=NOON, **OVER)
    rest = replace(alert("over_two_thirds"), recovering=True)
    settled_ms = NOON + 30 * MINUTE_MS  # one interval and a half
    for at_ms, others, due_ms in (
        (settled_ms - 1, (rest,), settled_ms),
        (settled_ms, (rest,), 0),
        (NOON, (replace(rest, recovering=False),), 0),
        (NOON, (replace(rest, recovering=False), replace(alert("tilted"), recovering=True)), 0),
    ):
        log: Log = []
        assert HOUSE.tell_over(over, iter(others), FULL, at_ms, log).due_ms == due_ms
        if due_ms:
            assert rows(log) == [("held", {"reason": "recovering", "step": 0, "until_ms": due_ms})]
        else:
            covers = [each.covers for each in log if isinstance(each, Owed)]
            assert covers == [(rest.episode,)] * 2
    emptied = BinMemory(fill_pct=5.0, emptied_ms=NOON)
    log = []
    HOUSE.tell_over(over, (), emptied, NOON, log)
    assert [to for _, _, to, _ in texts(log)] == ["sec-yang"], "who empties the bin knows that it is emptied"
    log = []
    HOUSE.tell_over(replace(over, ended="emptied"), (), emptied, NOON, log)
    assert [to for _, _, to, _ in texts(log)] == ["cleaner-li", "sec-yang"], "who ended it was left out before"
