"""The order of telling is the one that docs/telling.md gives, and every stage in it answers with its own reason.

Where two stages beside each other may both answer, which of them is named is held here: turned round, a test is red.
"""

import dataclasses
import re
from collections.abc import Callable
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args

import pytest
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.build import assemble_whole
from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.model import MessageKind, Owed, Severity
from alerts.notify import stages
from alerts.notify.holds import Holds, Trials
from alerts.notify.mailbox import Left, Mailbox
from alerts.notify.stages import STAGES, DueStep, Reason, Release, WaitingMessage, walk
from alerts.notify.texts import EMPTIERS
from alerts.operations.absences import ABSENCE, Absence
from alerts.people import Holder
from alerts.timers import NEVER
from gateway import imports, shipped
from telemetry.inventory import Duty
from telemetry.reading import Millis
from telemetry.terms import Hours, Role
from tests.scenario_file import read
from tests.scenario_run import Play

ROOT: Final = Path(__file__).parents[3]
COUNTY: Final = imports.checked(ROOT / "tests" / "golden" / "inventory" / "county.yaml")
NOON: Final[Millis] = 1_795_320_000_000  # 2026-11-22T04:00:00Z, which is noon there
NIGHT: Final[Millis] = NOON + 11 * 60 * MINUTE_MS
MADE: Final = assemble_whole(COUNTY, shipped.policy_files())
HOLDS: Final[Holds] = MADE.county.decider.escalation.holds
POOL: Final = next(asset.id for asset in COUNTY.assets.values() if asset.collection and asset.collection.rounds)
CREW: Final = next(each for each in COUNTY.people.values() if any(duty.role == "crew" for duty in each.duties))
OTHER: Final = next(each.id for each in COUNTY.people.values() if each.id != CREW.id)
ROWS: Final = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (ROOT / "docs" / "telling.md").read_text("utf-8").splitlines()
    if line.startswith("| `")
]
SHOWN: Final = {row[0].strip("`"): row[3].strip("`*") for row in ROWS}


def alert(rule: str = "overflow", severity: Severity = Severity.P2) -> Alert:
    return Alert(
        episode=f"{rule}/{POOL}/1",
        rule=rule,
        asset=POOL,
        device="",
        severity=severity,
        raised_ms=NOON,
        since_ms=NOON,
        detail={},
    )


def owed(kind: MessageKind = MessageKind.FIRST, at_ms: Millis = NOON, number: int = 1) -> Owed:
    return Owed(
        at_ms=at_ms,
        rule="overflow",
        asset=POOL,
        episode=f"overflow/{POOL}/{number}",
        severity="P2",
        kind=kind,
        step=0,
        repeat=0,
        to=CREW.id,
        phone=CREW.phone,
        channel="sms",
        text="一条短信",
    )


def due(asked: Callable[[Holds, DueStep, Release], Release], told: DueStep) -> Release:
    return asked(HOLDS, told, Release(told.at_ms))


def waits(asked: Callable[[Holds, WaitingMessage, Release], Release], told: WaitingMessage) -> Release:
    return asked(HOLDS, told, Release(told.now_ms))


def test_the_order_is_the_one_of_the_page() -> None:
    assert [stage.__name__ for stage in STAGES] == list(SHOWN)


def test_every_reason_is_a_stages_and_every_stage_has_one() -> None:
    named = [re.findall(r"`(\w+)`", row[1]) for row in ROWS]
    assert {reason for reasons in named for reason in reasons} == set(get_args(Reason))
    assert all(named)


@pytest.mark.parametrize("part", ["BEGUN_FOR", "HOLDS", "DUE", "AFRESH", "AGAIN", "WANTED", "TOGETHER", "APART"])
def test_whoever_asks_a_part_asks_it_in_that_order(part: str) -> None:
    order = [stage.__name__ for stage in STAGES]
    first = {"hold": order.index("await_duty")}
    places = [first.get(stage.__name__) or order.index(stage.__name__) for stage in getattr(stages, part)]
    assert places == sorted(places)


def test_every_stage_is_asked_by_some_part_or_by_name() -> None:
    parts = (stages.BEGUN_FOR, stages.HOLDS, stages.DUE, stages.WANTED, stages.TOGETHER, stages.APART)
    asked = {stage.__name__ for part in parts for stage in part} | {"hand_to_stand_in", "drop_known"}
    assert asked - {"hold"} == {stage.__name__ for stage in STAGES}


@pytest.mark.parametrize("name", [name for name, scenario in SHOWN.items() if scenario != "unit"])
def test_a_scenario_is_told_the_reason_of_its_stage(name: str) -> None:
    reasons = next(re.findall(r"`(\w+)`", row[1]) for row in ROWS if row[0] == f"`{name}`")
    said = {(event.detail or {}).get("reason") for event in Play(read(SHOWN[name])).run().events()}
    assert said & set(reasons)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"closed_ms": NOON}, "cleared"),
        ({"shelved_until_ms": NIGHT}, "shelved"),
        ({"acked_ms": NOON}, "acknowledged"),
        ({"parent": "fire/x/1"}, "inhibited"),
        ({"acked_ms": NOON, "reason": "quiet"}, ""),
        ({}, ""),
    ],
)
def test_what_is_over_or_quiet_is_not_told_nor_left_in_a_mailbox(state: dict[str, int | str], reason: str) -> None:
    quiet = replace(alert(), **state)
    assert due(stages.suppress, DueStep(quiet, NOON)).reason == reason
    message = WaitingMessage(owed(), NOON, alerts={quiet.episode: quiet})
    assert waits(stages.drop_unwanted, message).reason == reason
    assert waits(stages.drop_unwanted, WaitingMessage(owed(MessageKind.CLEARED), NOON)).reason == ""
    assert waits(stages.drop_unwanted, WaitingMessage(owed(), NOON)).reason == "cleared"


def test_two_thirds_are_left_to_their_own_round_until_it_was_missed() -> None:
    two_thirds = alert("over_two_thirds", Severity.P3)
    assert due(stages.await_own_round, DueStep(two_thirds, NOON)) == Release(NEVER, "round_pending")
    for told in (replace(two_thirds, missed=1), replace(two_thirds, step=1), alert()):
        assert due(stages.await_own_round, DueStep(told, NOON)) == Release(NOON)


def test_what_recovers_waits_for_that_and_not_for_its_round() -> None:
    """The first that waits for no clock ends the walk: who came after it would say until when."""
    two_thirds = replace(alert("over_two_thirds", Severity.P3), recovering=True)
    at_night = DueStep(two_thirds, NIGHT)
    assert walk(stages.DUE, HOLDS, at_night, Release(NIGHT)) == Release(NEVER, "recovering")
    at_night = DueStep(replace(two_thirds, recovering=False), NIGHT)
    assert walk(stages.DUE, HOLDS, at_night, Release(NIGHT)) == Release(NEVER, "round_pending")


class Until(Trials):
    """Everything is on trial until then."""

    until_ms: Millis = 0

    def of_alert(self, alert: Alert) -> Millis:  # noqa: ARG002 -- the same of all
        return self.until_ms


def on_trial(until_ms: Millis) -> Holds:
    trials = Until(COUNTY, 0)
    trials.until_ms = until_ms
    return dataclasses.replace(HOLDS, trials=trials)


def held(until_ms: Millis, told: DueStep) -> tuple[str, time]:
    """Why something waits, and the time of day until which."""
    release = stages.find_release(on_trial(until_ms), told)
    return release.reason, HOLDS.calendar.local(release.at_ms).time()


def test_one_hold_may_lead_into_another_and_the_last_is_named() -> None:
    by_day, late = Hours(time(6), time(19)), Hours(time(8), time(18))
    assert held(0, DueStep(alert(), NOON)) == ("", time(12))
    assert held(0, DueStep(alert(), NIGHT, by_day)) == ("quiet", time(6, 30))
    assert held(0, DueStep(alert(), NIGHT, late)) == ("hours", time(8))
    assert held(NIGHT, DueStep(alert(), NOON)) == ("quiet", time(6, 30))
    dawn = NIGHT + (7 * 60 + 10) * MINUTE_MS
    assert held(dawn, DueStep(alert(), NIGHT)) == ("trial", time(6, 10))
    duty = Duty(Role.CREW, hours=Hours(time(6, 10), time(18)))
    assert held(0, DueStep(alert(), NIGHT, holder=Holder(CREW, (duty,)))) == ("off_duty", time(6, 10))
    assert held(dawn, DueStep(alert(), NIGHT, holder=Holder(CREW, (duty,)))) == ("off_duty", time(6, 10))
    assert held(dawn, DueStep(alert("fire", Severity.P1), NOON)) == ("", time(12))


def test_a_fire_asks_nobody_for_duty_nor_who_came_into_the_role_since() -> None:
    off_duty = Holder(CREW, (Duty(Role.CREW, hours=Hours(time(6, 10), time(18))),))
    assert held(0, DueStep(alert("fire", Severity.P1), NIGHT, holder=off_duty)) == ("", time(23))


@pytest.mark.parametrize("part", [stages.DUE, stages.AGAIN])
def test_only_what_could_leave_now_is_left_to_a_round(part: tuple[stages.Stage[DueStep], ...]) -> None:
    before_the_round = NOON + 2 * 60 * MINUTE_MS
    told = DueStep(alert(), before_the_round)
    near = walk(part, on_trial(0), told, Release(before_the_round))
    assert (near.reason, HOLDS.calendar.local(near.at_ms).time()) == ("round_pending", time(17))
    on = walk(part, on_trial(before_the_round + 1), told, Release(before_the_round))
    assert on == Release(before_the_round + 1, "trial")


def test_what_is_never_told_is_not_late_and_what_is_late_is_not_put_aside() -> None:
    small = replace(alert("battery_low", Severity.P4), owes=False, shelved_until_ms=NIGHT)
    late = replace(alert(), owes=False, shelved_until_ms=NIGHT)
    found = [walk(stages.BEGUN_FOR, HOLDS, DueStep(each, NOON), Release(NOON)).reason for each in (small, late)]
    assert found == ["weekly_list", "late"]


def test_who_is_away_is_told_by_who_stands_in_and_nobody_twice() -> None:
    made = assemble_whole(COUNTY, shipped.policy_files())
    absent = Absence(id="", person=CREW.id, stand_in=OTHER, from_ms=NOON, until_ms=NOON + DAY_MS)
    assert isinstance(made.absences.add(absent, NOON), Absence)
    holds = made.county.decider.escalation.holds
    moved = stages.hand_to_stand_in(holds, WaitingMessage(owed(), NOON), Release(NOON))
    assert moved == Release(NOON, "absent", OTHER)
    assert waits(stages.hand_to_stand_in, WaitingMessage(owed(), NOON)) == Release(NOON)


def test_nobody_is_asked_to_stand_in_for_who_is_back() -> None:
    made = assemble_whole(COUNTY, shipped.policy_files())
    absent = Absence(id="", person=CREW.id, stand_in=OTHER, from_ms=NOON, until_ms=NOON + DAY_MS)
    absence = made.absences.add(absent, NOON)
    assert isinstance(absence, Absence)
    asks = replace(owed(), rule=ABSENCE, episode=absence.id)
    holds = made.county.decider.escalation.holds
    for at_ms, reason in ((NOON, ""), (NOON + DAY_MS - 1, ""), (NOON + DAY_MS, "cleared")):
        release = stages.drop_unwanted(holds, WaitingMessage(asks, at_ms), Release(at_ms))
        assert release.reason == reason
    thanks = replace(asks, kind=MessageKind.CLEARED)
    over = WaitingMessage(thanks, NOON + DAY_MS)
    assert stages.drop_unwanted(holds, over, Release(over.now_ms)) == Release(over.now_ms)
    for box in (
        Mailbox(CREW.phone, pending=(owed(),)),
        Mailbox(CREW.phone, left=(Left(NOON, (POOL,), key=owed().key),)),
    ):
        assert waits(stages.drop_known, WaitingMessage(owed(), NOON, box)).reason == "told_already"
        assert waits(stages.drop_known, WaitingMessage(owed(number=2), NOON, box)).reason == ""


def test_a_list_of_places_to_go_to_is_of_one_day() -> None:
    places = replace(owed(MessageKind.DIGEST), template=EMPTIERS)
    assert waits(stages.drop_outdated, WaitingMessage(places, NOON + DAY_MS)) == Release(NEVER, "outdated")
    assert waits(stages.drop_outdated, WaitingMessage(places, NIGHT)) == Release(NIGHT)
    gone = WaitingMessage(replace(places, covers=("overflow/gone/1",)), NOON + DAY_MS)
    assert walk(stages.WANTED, HOLDS, gone, Release(gone.now_ms)).reason == "cleared"


def test_the_latest_that_holds_a_message_says_why() -> None:
    """Of two that end at one instant the first in the order is named."""
    box = Mailbox(CREW.phone, pending=(owed(),), left_ms=(NOON - 1,), storm_ms=NOON)
    message = WaitingMessage(owed(), NOON, box, room=Release(NOON + DAY_MS, "budget"))
    folded, stormy, rationed = (waits(asked, message) for asked in (stages.fold, stages.slow_storm, stages.ration))
    assert [each.reason for each in (folded, stormy, rationed)] == ["grouped", "storm", "budget"]
    assert walk(stages.TOGETHER, HOLDS, message, Release(NOON)) == folded
    telling = HOLDS.policies.telling
    at_once = replace(box, left_ms=(NOON,), storm_ms=NOON + telling.fold_p2 - telling.storm_first)
    together = walk(stages.TOGETHER, HOLDS, replace(message, box=at_once), Release(NOON))
    assert together == Release(NOON + telling.fold_p2, "grouped")


def test_a_budget_that_opens_at_night_opens_in_the_morning() -> None:
    """Asked the other way round the message would leave by night: the last stage sees what the budget has said."""
    box = Mailbox(CREW.phone, pending=(owed(MessageKind.ESCALATION),))
    message = WaitingMessage(owed(MessageKind.ESCALATION), NOON, box, room=Release(NIGHT, "budget"))
    release = walk(stages.APART, HOLDS, message, Release(NOON))
    assert (release.reason, HOLDS.calendar.local(release.at_ms).time()) == ("quiet", HOLDS.policies.morning)
    turned = walk(stages.APART[::-1], HOLDS, message, Release(NOON))
    assert (turned.reason, turned.at_ms) == ("budget", NIGHT)


def test_no_stage_answers_with_an_earlier_instant_but_the_evening_before_a_night() -> None:
    urgent = WaitingMessage(owed(), NOON, Mailbox(CREW.phone, pending=(owed(),)), room=Release(NIGHT, "budget"))
    release = walk(stages.APART, HOLDS, urgent, Release(NOON))
    assert (release.reason, release.at_ms) == ("budget", NIGHT - (2 * 60 + 1) * MINUTE_MS)
    assert all(one is not other for one, other in pairwise(STAGES))
