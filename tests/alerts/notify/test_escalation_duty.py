"""Whom a step finds while people are off duty, away or new, and what a round that is near does to it."""

import dataclasses
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert, WaitingStep
from alerts.conditions.bins import BinMemory
from alerts.model import Log, MessageKind, Severity
from alerts.notify.escalation import Escalation
from alerts.notify.holds import Trials
from alerts.notify.schedule import Roster, Schedule
from alerts.operations.absences import Absence, Absences
from telemetry.inventory import Duty, Inventory
from telemetry.reading import Millis
from telemetry.terms import Hours, Role
from tests.alerts.notify.builders import CALENDAR, CAN, COUNTY, NOON, PLANT, ROAD, alert, clock, rows, with_person
from tests.alerts.notify.builders import ESCALATION as HOUSE
from tests.alerts.notify.test_escalation_states import escalation, run, texts

CREW: Final = Duty(Role.CREW, area="wushi")


def on_duty(person: str, role: Role, start: int, end: int, county: Inventory = COUNTY) -> Inventory:
    """The county where somebody has this duty alone."""
    hours = Hours(CALENDAR.local(clock(start)).time(), CALENDAR.local(clock(end)).time())
    area = "ytan" if role in (Role.CLEANER, Role.VILLAGE_HEAD) else "wushi"
    other = dataclasses.replace(county.people[person], duties=(Duty(role, area=area, hours=hours),))
    return dataclasses.replace(county, people={**county.people, person: other})


def away(person: str, from_ms: Millis, until_ms: Millis, stand_in: str) -> Escalation:
    """The house while somebody is away."""
    absences = Absences(COUNTY)
    wish = Absence(id="", person=person, stand_in=stand_in, from_ms=from_ms, until_ms=until_ms)
    assert isinstance(absences.add(wish, from_ms), Absence)
    holds = dataclasses.replace(HOUSE.holds, absences=absences)
    return dataclasses.replace(HOUSE, holds=holds, schedule=Schedule(holds), roster=Roster(holds))


def test_where_nobody_has_duty_at_all_whoever_comes_first_hears_it_and_its_own_when_they_come() -> None:
    county = on_duty("crew-chen", Role.CREW, 16, 18)
    county = on_duty("dispatch-wu", Role.DISPATCHER, 14, 18, county)
    county = on_duty("town-he", Role.TOWN_LEADER, 15, 18, county)
    told, log = run(replace(alert("stopped", PLANT), due_ms=NOON), NOON, escalation(county))
    assert texts(log) == []
    assert set(told.kept) == {WaitingStep("crew-chen", 0, clock(16)), WaitingStep("dispatch-wu", 0, clock(14))}
    assert [detail["person"] for event, detail in rows(log) if event == "kept"] == [each.person for each in told.kept]
    first = on_duty("crew-chen", Role.CREW, 13, 18, county)
    told, _ = run(replace(alert("stopped", PLANT), due_ms=NOON), NOON, escalation(first))
    assert told.kept == (WaitingStep("crew-chen", 0, clock(13)),)


def test_what_is_kept_for_somebody_waits_for_their_duty_and_for_the_hours_of_its_step() -> None:
    """Of a bin beside no road nobody is told after seven in the evening, nor a village head after six."""
    elsewhere = dataclasses.replace(COUNTY.assets[ROAD], roadside=False)
    county = dataclasses.replace(COUNTY, assets={**COUNTY.assets, ROAD: elsewhere})
    night = on_duty("cleaner-li", Role.CLEANER, 20, 10, county)
    told, _ = run(replace(alert(), due_ms=NOON), NOON, escalation(night))
    assert told.kept == (WaitingStep("cleaner-li", 0, clock(6, 30, 10)),)
    beside = on_duty("cleaner-li", Role.CLEANER, 20, 10)
    told, _ = run(replace(alert(), due_ms=NOON), NOON, escalation(beside))
    assert told.kept == (WaitingStep("cleaner-li", 0, clock(20)),)
    evening = on_duty("sec-yang", Role.VILLAGE_HEAD, 19, 10)
    third = replace(alert("over_two_thirds"), step=2, left_ms=clock(8), due_ms=NOON)
    told, _ = run(third, NOON, escalation(evening))
    assert told.kept == (WaitingStep("sec-yang", 2, clock(8, day=10)),)


def test_the_first_later_step_that_has_somebody_on_duty_hears_it_however_late_it_is() -> None:
    county = on_duty("cleaner-li", Role.CLEANER, 14, 18)
    county = on_duty("sec-yang", Role.VILLAGE_HEAD, 13, 18, county)
    told, log = run(replace(alert(), due_ms=NOON), NOON, escalation(county))
    assert texts(log) == [(MessageKind.FIRST, 0, "town-he", "overflow")]
    assert told.kept == (WaitingStep("cleaner-li", 0, clock(14)),)


def test_where_nobody_holds_the_last_step_the_chain_ends_with_a_notice() -> None:
    people = {name: person for name, person in COUNTY.people.items() if name != "town-he"}
    last = replace(alert(), step=2, left_ms=clock(8), due_ms=NOON)
    told, log = run(last, NOON, escalation(dataclasses.replace(COUNTY, people=people)))
    assert (told.step, told.due_ms, texts(log)) == (3, 0, [])
    assert rows(log) == [("notice", {"reason": "nobody_holds_role", "step": 2, "person": "town_leader"})]


def test_whose_text_goes_to_who_stands_in_is_not_kept_as_well() -> None:
    """The head of the village stands in for the cleaner, and hears it at once in the place of whose step it is."""
    county = on_duty("sec-yang", Role.CLEANER, 14, 18)
    told, log = run(replace(alert(), due_ms=NOON), NOON, escalation(county))
    assert texts(log) == [(MessageKind.FIRST, 0, "cleaner-li", "overflow")]
    assert told.kept == ()
    assert ("dropped", {"reason": "off_duty", "step": 0, "person": "sec-yang"}) not in rows(log)
    superseded = [detail for event, detail in rows(log) if event == "superseded"]
    assert superseded == [{"reason": "off_duty", "step": 0, "person": "sec-yang"}]


def test_who_is_away_hears_nothing_and_who_stands_in_hears_it_for_them() -> None:
    house = away("cleaner-li", NOON, clock(12, day=10), "cleaner-zhou")
    told, log = run(replace(alert(), due_ms=NOON), NOON, house)
    assert texts(log) == [(MessageKind.FIRST, 0, "cleaner-zhou", "overflow")]
    assert (told.told, told.held) == (("cleaner-zhou",), ("cleaner-zhou",))
    assert rows(log) == [
        ("absent", {"reason": "absent", "step": 0, "person": "cleaner-li", "to": "cleaner-zhou"}),
    ]


def test_who_has_seen_to_it_and_is_away_since_then_does_not_keep_it_quiet() -> None:
    told = replace(alert(), step=1, left_ms=NOON, told=("cleaner-li",), held=("cleaner-li",))
    for acked_ms, by, asked in (
        (clock(12, 30), "cleaner-li", True),
        (clock(13), "cleaner-li", False),  # away already, and has seen to it all the same
        (clock(12, 30), "sec-yang", False),
    ):
        house = away("cleaner-li", clock(13), clock(20), "cleaner-zhou")
        seen = replace(told, acked_ms=acked_ms, acked_by=by)
        log: Log = []
        after = house.hand_over(seen, (), clock(14), clock(14), log)
        assert (after.acked_ms == 0) is asked
        assert [event for event, _ in rows(log)] == (["ack_expired", "kept"] if asked else [])
        assert [each.person for each in after.kept] == (["cleaner-zhou"] if asked else [])


def test_somebody_new_hears_of_it_when_they_have_duty() -> None:
    house = escalation(on_duty("cleaner-li", Role.CLEANER, 14, 18))
    told = replace(alert(), step=1, left_ms=NOON, told=("sec-yang",), held=("sec-yang",))
    after = house.hand_over(told, (), clock(13), clock(13), [])
    assert after.kept == (WaitingStep("cleaner-li", 0, clock(14), fresh=True),)
    assert house.hand_over(told, (), clock(19), clock(19), []).kept[0].at_ms == clock(14, day=10)
    mute = escalation(with_person("cleaner-li", phone=""))
    assert mute.hand_over(told, (), clock(13), clock(13), []) == told


def test_what_was_kept_for_a_step_that_is_no_more_is_nobody_elses() -> None:
    told = replace(alert(), step=3, left_ms=NOON, told=("cleaner-li",), held=("cleaner-li",))
    kept = replace(told, kept=(WaitingStep("gone", 3, clock(14)),))
    assert HOUSE.hand_over(kept, (), clock(13), clock(13), []) == told
    there = replace(told, kept=(WaitingStep("sec-yang", 1, clock(14)),))
    assert HOUSE.hand_over(there, (), clock(13), clock(13), []) is there
    old = replace(told, held=(), kept=(WaitingStep("gone", 0, clock(14)), WaitingStep("gone", 1, clock(14))))
    assert [each.step for each in HOUSE.hand_over(old, (), clock(13), clock(13), []).kept] == [1]


def near_round(rule: str = "overflow") -> Alert:
    return replace(alert(rule, CAN), raised_ms=clock(13), since_ms=clock(13))


def test_a_step_is_left_to_a_round_that_is_near_and_told_half_an_hour_after_it() -> None:
    due = replace(near_round(), due_ms=clock(13, 30))
    waits, log = run(due, clock(13, 30))
    assert (waits.due_ms, waits.reason) == (clock(17), "round_pending")
    assert rows(log) == [("held", {"reason": "round_pending", "step": 0, "until_ms": clock(17)})]
    told, log = run(waits, clock(17))
    assert texts(log) == [(MessageKind.FIRST, 0, "driver-tang", "overflow")]
    assert told.reason == ""
    early, log = run(replace(due, due_ms=clock(13, 29)), clock(13, 29))
    assert (early.step, len(texts(log))) == (1, 1)


def test_what_was_kept_is_left_to_a_round_that_is_near_as_well() -> None:
    kept = (WaitingStep("driver-tang", 0, clock(14)), WaitingStep("town-he", 2, clock(20)))
    told = replace(near_round(), step=1, left_ms=clock(13), kept=kept)
    waits, log = run(told, clock(14))
    assert waits.kept == (kept[1], replace(kept[0], at_ms=clock(17)))
    assert rows(log) == [("held", {"reason": "round_pending", "step": 1, "until_ms": clock(17)})]
    emptied = BinMemory(fill_pct=90.0, emptied_ms=clock(14, 30))
    log = []
    after = HOUSE.run(replace(told, kept=(replace(kept[0], at_ms=clock(15)),)), emptied, clock(15), log)
    assert (after.kept, [to for _, _, to, _ in texts(log)]) == ((), ["driver-tang"])


def test_what_fell_due_by_day_and_is_looked_at_by_night_waits_for_the_morning() -> None:
    waits, log = run(replace(alert(), due_ms=clock(20)), clock(23))
    assert (waits.due_ms, waits.reason, texts(log)) == (clock(6, 30, 10), "quiet", [])
    assert rows(log) == [("held", {"reason": "quiet", "step": 0, "until_ms": clock(6, 30, 10)})]


def test_what_its_trial_and_then_its_hours_hold_has_one_row_that_says_until_when() -> None:
    """Accepted at half past eight, when a bin beside no road is told of no more until the morning."""
    ends = CALENDAR.local(clock(20, 30))
    new = dataclasses.replace(COUNTY.assets[ROAD], roadside=False, trial_until=ends)
    county = dataclasses.replace(COUNTY, assets={**COUNTY.assets, ROAD: new})
    trials = Trials(county, HOUSE.holds.policies.trial)
    holds = dataclasses.replace(HOUSE.holds, inventory=county, trials=trials)
    house = dataclasses.replace(escalation(county), holds=holds, schedule=Schedule(holds), roster=Roster(holds))
    waits, log = run(replace(alert(), due_ms=NOON), NOON, house)
    assert (waits.due_ms, waits.reason) == (clock(6, 30, 10), "hours")
    assert rows(log) == [("held", {"reason": "hours", "step": 0, "until_ms": clock(6, 30, 10)})]


def test_of_one_instant_a_repeat_goes_before_a_step_that_tells_somebody_new() -> None:
    told = replace(
        alert("fire", severity=Severity.P1),
        step=1,
        left_ms=NOON,
        told=("cleaner-li",),
        due_ms=clock(12, 10),
        repeat_ms=clock(12, 10),
    )
    after, log = run(told, clock(12, 10))
    assert [(kind, to) for kind, _, to, _ in texts(log)] == [
        (MessageKind.REPEAT, "cleaner-li"),
        (MessageKind.ESCALATION, "town-he"),
    ]
    assert (after.due_ms, after.repeat_ms) == (0, clock(12, 30))
    late, log = run(told, clock(12, 30))
    assert [kind for kind, *_ in texts(log)] == [MessageKind.REPEAT, MessageKind.ESCALATION]
    assert (late.repeat, late.repeat_ms) == (1, clock(12, 50)), "the gap counts from when it was told"


def test_a_closing_word_about_nothing_with_a_sensor_of_its_own_waits_for_no_sample() -> None:
    over = replace(alert(), device="gone", told=("cleaner-li",), due_ms=NOON, closed_ms=NOON, ended="recovered")
    rest = replace(alert("over_two_thirds"), recovering=True)
    assert HOUSE.tell_over(over, (rest,), BinMemory(fill_pct=70.0), NOON, []).due_ms == 0
