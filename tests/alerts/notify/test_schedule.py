"""When a step is due and by when its text asks, from both sides; whom a role finds, and who stands in for them."""

import dataclasses
from collections.abc import Mapping
from datetime import time
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.model import Detail, Event, Log, Severity
from alerts.notify.holds import Holds
from alerts.notify.schedule import Manned, Roster, Schedule, soon
from alerts.operations.absences import Absence, Absences
from telemetry.inventory import Duty, Inventory
from telemetry.reading import Millis
from telemetry.terms import Hours, Role
from tests.alerts.notify import builders
from tests.alerts.notify.builders import CAN, COUNTY, ESCALATION, NOON, PLANT, ROAD, clock, with_person

HOLDS: Final[Holds] = ESCALATION.holds
SCHEDULE: Final = Schedule(HOLDS)


def alert(rule: str = "overflow", asset: str = CAN, severity: Severity = Severity.P2, **state: Detail) -> Alert:
    return replace(builders.alert(rule, asset, severity), detail=state.get("detail", {}), left_ms=NOON)


def roster(inventory: Inventory = COUNTY, away: Mapping[str, str] | None = None) -> Roster:
    """Who is asked for in this county while these people are away, each with who stands in."""
    absences = Absences(inventory)
    for person, stand_in in (away or {}).items():
        wish = Absence(id="", person=person, stand_in=stand_in, from_ms=NOON, until_ms=NOON + DAY_MS)
        assert isinstance(absences.add(wish, NOON), Absence)
    return Roster(dataclasses.replace(HOLDS, inventory=inventory, absences=absences))


@pytest.mark.parametrize(
    ("told", "role", "people"),
    [
        (alert(asset=CAN), "emptier", ["driver-tang"]),
        (alert(asset=ROAD), "emptier", ["cleaner-li"]),
        (alert("stopped", PLANT), "emptier", ["crew-chen"]),
        (alert(asset=ROAD, detail={"area": "chetian"}), "cleaner", ["cleaner-li"]),
        (alert("stopped", PLANT), "village_head", []),
        (alert("gateway_offline", "g07"), "crew", ["crew-chen"]),
        (alert("series_paused", "xiang"), "cleaner", ["cleaner-li", "cleaner-zhou"]),
        (alert("series_paused", "xiang", detail={"area": "ytan"}), "cleaner", ["cleaner-li"]),
        (alert("series_paused", "xiang", detail={"area": "chetian"}), "village_head", []),
        (alert("area_outage", "wushi"), "crew", ["crew-chen"]),
        (alert("area_outage", "wushi"), "village_head", ["sec-yang"]),
        (alert("area_outage", "ytp"), "cleaner", ["cleaner-li", "cleaner-zhou"]),
        (alert("gateway_offline", "wushi"), "village_head", []),
    ],
)
def test_a_role_is_held_where_it_is_or_above_and_of_a_dark_area_below_it(
    told: Alert, role: str, people: list[str]
) -> None:
    """The house's own word finds whoever holds it in the county, or in the area that it speaks of."""
    assert [each.person.id for each in roster().holders(told, role)] == people


def test_who_has_no_telephone_answers_for_nothing() -> None:
    mute = roster(with_person("cleaner-li", phone=""))
    assert mute.holders(alert(asset=ROAD), "cleaner") == ()
    assert [each.person.id for each in mute.holders(alert("series_paused", "xiang"), "cleaner")] == ["cleaner-zhou"]


def test_who_empties_a_bin_is_who_holds_that_and_who_stands_in_for_them() -> None:
    told = alert(asset=ROAD)
    assert roster().emptiers(told, NOON) == {"cleaner-li"}
    away = roster(away={"cleaner-li": "cleaner-zhou"})
    assert away.emptiers(told, NOON) == {"cleaner-li", "cleaner-zhou"}
    assert away.emptiers(told, NOON + DAY_MS) == {"cleaner-li"}


def _named(manned: Manned) -> tuple[list[str], list[str], tuple[str, ...]]:
    return [each.person.id for each in manned.present], [each.person.id for each in manned.off_duty], manned.unheld


def test_roles_are_manned_by_who_has_duty_and_of_a_p1_by_everybody() -> None:
    roles = ("emptier", "dispatcher", "village_head")
    for at_ms, present, off_duty in (
        (clock(7), ["driver-tang", "dispatch-wu", "sec-yang"], []),
        (clock(7) - 1, ["driver-tang", "sec-yang"], ["dispatch-wu"]),
        (clock(21) - 1, ["driver-tang", "dispatch-wu", "sec-yang"], []),
        (clock(21), ["driver-tang", "sec-yang"], ["dispatch-wu"]),
    ):
        assert _named(roster().manned(alert(), roles, at_ms)) == (present, off_duty, ())
        burns = roster().manned(alert("fire", severity=Severity.P1), roles, at_ms)
        assert _named(burns) == (["driver-tang", "dispatch-wu", "sec-yang"], [], ())


def test_a_role_that_nobody_holds_is_named_and_whoever_holds_another_can_be_reached() -> None:
    found = roster().manned(alert("stopped", PLANT), ("village_head", "dispatcher", "crew"), clock(22))
    assert _named(found) == (["crew-chen"], ["dispatch-wu"], ("village_head",))
    for roles, held in ((("village_head",), False), (("dispatcher",), True), (("crew",), True)):
        assert roster().manned(alert("stopped", PLANT), roles, clock(22)).is_held is held


def test_who_holds_several_roles_is_named_once_and_has_duty_by_any_of_them() -> None:
    head = Duty(Role.VILLAGE_HEAD, area="ytan", hours=Hours(time(8), time(12)))
    office = Duty(Role.DISPATCHER, area="wushi", hours=Hours(time(13), time(18)))
    both = roster(with_person("sec-yang", duties=(head, office)))
    for roles, at_ms, present in (
        (("village_head", "dispatcher"), clock(8), True),
        (("village_head", "dispatcher"), clock(12), False),
        (("village_head", "dispatcher"), clock(13), True),
        (("village_head",), clock(13), False),
    ):
        found = both.manned(alert(), roles, at_ms)
        assert [each.person.id for each in found.present].count("sec-yang") == present
        assert [each.person.id for each in found.off_duty].count("sec-yang") == (not present)
    found = both.manned(alert(), ("village_head", "dispatcher"), clock(8))
    assert {each.person.id: each.duties for each in found.present}["sec-yang"] == (head, office)


def test_who_is_away_is_told_by_who_stands_in_once_and_a_row_says_so() -> None:
    away = roster(away={"cleaner-li": "cleaner-zhou", "crew-chen": "cleaner-zhou"})
    told = replace(alert(), step=1)
    people = [each for role in ("cleaner", "crew", "village_head") for each in away.holders(alert(asset=ROAD), role)]
    log: Log = []
    assert away.instead(told, people, NOON, log) == ["cleaner-zhou", "sec-yang"]
    rows = [each.detail for each in log if isinstance(each, Event) and (each.event, each.at_ms) == ("absent", NOON)]
    assert rows == [
        {"reason": "absent", "step": 1, "person": person, "to": "cleaner-zhou"}
        for person in ("cleaner-li", "crew-chen")
    ]
    assert away.answering(["crew-chen", "sec-yang", "cleaner-li"], NOON) == ("cleaner-zhou", "sec-yang")
    assert away.answering(["crew-chen"], NOON + DAY_MS) == ("crew-chen",)


@pytest.mark.parametrize(
    ("at_ms", "due_ms", "printed_ms"),
    [
        (clock(12, day=8), clock(12, day=10), clock(12, day=10)),
        (clock(12, day=8), clock(12, day=10) + 1, clock(12, day=9)),
        (clock(12, day=8), clock(9, day=9), clock(9, day=9)),
        (clock(12, day=13), clock(0, day=14) - 1, clock(0, day=14) - 1),
        (clock(12, day=13), clock(9, day=14), clock(9, day=14)),
        (clock(12, day=13), clock(12, 1, day=14), clock(12, day=14)),
        (clock(9, day=12), clock(8, day=14), clock(9, day=13)),
    ],
)
def test_what_hurries_names_no_day_of_another_week_and_none_two_days_away(
    at_ms: Millis, due_ms: Millis, printed_ms: Millis
) -> None:
    assert soon(HOLDS.calendar, at_ms, due_ms) == printed_ms


def test_a_bin_with_rounds_has_other_steps_where_its_rule_has_some() -> None:
    rules = HOLDS.policies.rules
    for rule, asset, steps in (
        ("over_two_thirds", CAN, rules["over_two_thirds"].rounds),
        ("over_two_thirds", ROAD, rules["over_two_thirds"].steps),
        ("overflow", CAN, rules["overflow"].steps),
    ):
        assert SCHEDULE.steps(alert(rule, asset)) == steps
        assert SCHEDULE.policy(alert(rule, asset)) == rules[rule]


def with_policies(**changes: object) -> Schedule:
    return Schedule(dataclasses.replace(HOLDS, policies=HOLDS.policies.model_copy(update=changes)))


def test_step_0_waits_one_interval_for_its_cause_within_bounds() -> None:
    devices = {
        f"{seconds}": dataclasses.replace(COUNTY.devices["plant-0001"], id=f"{seconds}", interval_s=seconds)
        for seconds in (60, 301, 1799, 3600)
    }
    inventory = dataclasses.replace(COUNTY, devices=devices)
    schedule = Schedule(dataclasses.replace(HOLDS, inventory=inventory))
    for device, minutes in (("", 5), ("60", 5), ("301", 301 / 60), ("1799", 1799 / 60), ("3600", 30)):
        told = replace(alert("stopped", PLANT), device=device)
        assert schedule.lead_ms(told) == round(minutes * MINUTE_MS)
        assert schedule.lead_ms(replace(told, rule="offline")) == 6 * HOUR_MS
        assert schedule.lead_ms(replace(told, rule="no_power")) == 28 * MINUTE_MS
    assert with_policies(parent_least=0).lead_ms(alert("stopped", PLANT)) == 0, "what has no device waits for nothing"


def test_a_text_asks_until_the_next_step_the_last_until_what_it_allows() -> None:
    for told, at_ms, until_ms in (
        (alert(), NOON, clock(14)),
        (replace(alert(), left_ms=clock(18)), clock(18), clock(7, day=10)),  # its clock stands still by night
        (replace(alert(), step=1), NOON, clock(10, day=11)),
        (replace(alert(), step=2), NOON, clock(15)),
        (replace(alert(), step=2), clock(20), clock(6, 30, day=10)),
        (replace(alert(), step=3), NOON, NOON),
        (alert("fire", severity=Severity.P1), NOON, clock(12, 10)),
        (alert("over_two_thirds", ROAD, Severity.P3), NOON, clock(16)),
        (replace(alert("over_two_thirds", ROAD, Severity.P3), step=1), NOON, clock(8, day=10)),
        (alert("nobody_is_told", PLANT), NOON, NOON),
    ):
        assert SCHEDULE.deadline_ms(told, at_ms) == until_ms, told.episode


def test_of_a_bin_with_rounds_the_first_text_asks_until_the_next_of_them_is_over() -> None:
    told = alert("over_two_thirds", CAN, Severity.P3)
    for at_ms, until_ms in (
        (clock(6, 30), clock(11)),
        (clock(11) - 1, clock(11)),
        (clock(11), clock(16, 30)),
        (clock(16, 30), clock(11, day=10)),
    ):
        assert SCHEDULE.deadline_ms(replace(told, raised_ms=at_ms), at_ms) == until_ms
    assert SCHEDULE.deadline_ms(replace(told, step=1), NOON) == clock(12, day=10)
    assert SCHEDULE.deadline_ms(replace(told, step=2), NOON) == clock(15)


def test_a_step_that_waits_for_missed_rounds_is_overtaken_by_the_time_of_the_next() -> None:
    waits = replace(alert("over_two_thirds", CAN, Severity.P3), step=1)
    day_ms = NOON + DAY_MS
    for told, at_ms, overtaken in (
        (waits, day_ms - 1, False),
        (waits, day_ms, True),
        (waits, day_ms + 1, True),
        (replace(waits, missed=1), day_ms, True),
        (replace(waits, missed=2), day_ms, False),
        (replace(waits, left_ms=0), day_ms, False),
        (replace(waits, step=0), day_ms, False),
        (replace(waits, step=2), day_ms, False),
    ):
        assert SCHEDULE.is_overtaken(told, at_ms) is overtaken


def test_nothing_overtakes_the_last_step() -> None:
    rules = HOLDS.policies.rules
    rule = rules["over_two_thirds"]
    last = with_policies(rules={**rules, "over_two_thirds": rule.model_copy(update={"rounds": rule.rounds[:2]})})
    told = replace(alert("over_two_thirds", CAN, Severity.P3), step=1)
    assert last.is_overtaken(told, NOON + 9 * DAY_MS) is False
