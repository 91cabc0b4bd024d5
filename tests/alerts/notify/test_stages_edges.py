"""Each stage alone at its very edges: whom it lets pass, and the first millisecond at which it does not."""

import dataclasses
from datetime import time
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.model import MessageKind, Severity
from alerts.notify import stages
from alerts.notify.holds import Holds
from alerts.notify.mailbox import Mailbox
from alerts.notify.stages import DueStep, Release, WaitingMessage, walk
from alerts.notify.texts import ANSWERED_OVER, EMPTIERS
from alerts.operations.absences import ABSENCE
from alerts.people import Holder
from alerts.timers import NEVER
from gateway.imports import profiles
from telemetry.inventory import Duty
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.terms import Hours, Role
from tests.alerts.notify.test_stages import CREW, HOLDS, NIGHT, NOON, ROOT, alert, due, on_trial, owed, waits

HOUR_MS: Final = 60 * MINUTE_MS
WITHOUT_ROUNDS: Final = "ytan-03"
"""Beside a road, with priority, and no round comes."""
TWO_THIRDS: Final = alert("over_two_thirds", Severity.P3)


def beside(word: str) -> Holds:
    """The county with its bin that has rounds beside a road, or with priority."""
    text = (ROOT / "tests" / "golden" / "inventory" / "county.yaml").read_text("utf-8")
    place = "    collection: {rounds: [am, pm]"
    parsed = parse(text.replace(place, f"    {word}: true\n{place}"), "county.yaml", profiles())
    assert parsed.inventory is not None
    return dataclasses.replace(HOLDS, inventory=parsed.inventory)


def pending(kind: MessageKind = MessageKind.FIRST, severity: Severity = Severity.P2, **other: object) -> WaitingMessage:
    """A message that waits alone in a mailbox that looks so otherwise."""
    message = replace(owed(kind), severity=severity)
    return WaitingMessage(message, NOON, replace(Mailbox(CREW.phone, pending=(message,)), **other))


def test_nothing_is_said_that_was_not_given() -> None:
    assert Release(NOON) == Release(NOON, "", "")
    assert DueStep(alert(), NOON) == DueStep(alert(), NOON, None, 0, None)
    assert WaitingMessage(owed(), NOON) == WaitingMessage(owed(), NOON, Mailbox(""), {}, Release(0), 0, wakes=False)


def test_what_nothing_holds_passes_every_stage() -> None:
    told = DueStep(alert(), NOON)
    parts = (stages.BEGUN_FOR, stages.HOLDS, stages.DUE, stages.AFRESH, stages.AGAIN)
    assert [walk(part, on_trial(0), told, Release(NOON)) for part in parts] == [Release(NOON)] * 5


def test_only_what_gets_better_and_burns_nobody_waits_for_that() -> None:
    for told, reason in (
        (alert(), ""),
        (replace(alert(), recovering=True), "recovering"),
        (replace(alert("fire", Severity.P1), recovering=True), ""),
        (alert("fire", Severity.P1), ""),
    ):
        assert due(stages.await_recovery, DueStep(told, NOON)).reason == reason


@pytest.mark.parametrize("word", ["roadside", "priority"])
def test_beside_a_road_two_thirds_are_told_between_rounds_and_by_day(word: str) -> None:
    holds = beside(word)
    for at_ms, waits_for_it in ((NOON, False), (NOON + 89 * MINUTE_MS, False), (NOON + 90 * MINUTE_MS, True)):
        found = stages.await_own_round(holds, DueStep(TWO_THIRDS, at_ms), Release(at_ms))
        assert found == (Release(NEVER, "round_pending") if waits_for_it else Release(at_ms))
    assert stages.await_own_round(holds, DueStep(TWO_THIRDS, NIGHT), Release(NIGHT)).reason == "round_pending"


@pytest.mark.parametrize("asset", [WITHOUT_ROUNDS, "gone"])
def test_what_no_round_comes_for_is_not_left_to_one(asset: str) -> None:
    told = DueStep(replace(TWO_THIRDS, asset=asset), NIGHT)
    assert due(stages.await_own_round, told) == Release(NIGHT)
    near = DueStep(replace(alert(), asset=asset), NOON + 2 * HOUR_MS)
    assert due(stages.await_near_round, near) == Release(near.at_ms)


def test_the_hours_of_a_step_open_with_the_morning_or_later() -> None:
    for opens, expected in ((time(5), time(6, 30)), (time(8), time(8))):
        release = due(stages.await_hours, DueStep(alert(), NIGHT, Hours(opens, time(19))))
        assert (release.reason, HOLDS.calendar.local(release.at_ms).time()) == ("hours", expected)
    for told in (
        DueStep(alert(), NIGHT),
        DueStep(alert(), NOON, Hours(time(5), time(19))),
        DueStep(alert("fire", Severity.P1), NIGHT, Hours(time(5), time(19))),
    ):
        assert due(stages.await_hours, told) == Release(told.at_ms)


def test_the_night_holds_what_may_wait_and_nothing_by_day() -> None:
    for told in (DueStep(alert(), NOON), DueStep(alert("fire", Severity.P1), NIGHT)):
        assert due(stages.await_day, told) == Release(told.at_ms)
    assert due(stages.await_day, DueStep(alert(), NIGHT)).reason == "quiet"


def test_who_has_several_duties_is_told_when_the_first_begins() -> None:
    spans = [Hours(time(14), time(16)), Hours(time(13), time(15))]
    duties = tuple(Duty(Role.CREW, hours=hours) for hours in spans)
    assert stages.on_duty_ms(HOLDS.calendar, Holder(CREW, duties), NOON) == NOON + HOUR_MS
    always = (*duties, Duty(Role.CREW))
    assert stages.on_duty_ms(HOLDS.calendar, Holder(CREW, always), NOON) == NOON
    assert due(stages.await_duty, DueStep(alert(), NOON)) == Release(NOON)
    on_duty = DueStep(alert(), NOON, holder=Holder(CREW, always))
    assert due(stages.await_duty, on_duty) == Release(NOON)


def test_what_a_trial_holds_beyond_somebodys_duty_waits_for_their_next() -> None:
    afternoon = Holder(CREW, (Duty(Role.CREW, hours=Hours(time(14), time(16))),))
    release = stages.find_release(on_trial(NOON + 5 * 60 * MINUTE_MS), DueStep(alert(), NOON, holder=afternoon))
    assert release == Release(NOON + 2 * 60 * MINUTE_MS + DAY_MS, "off_duty")


def test_where_duty_by_night_and_texts_by_day_never_meet_it_leaves_on_the_first_day() -> None:
    watchman = Holder(CREW, (Duty(Role.CREW, hours=Hours(time(22), time(5))),))
    release = stages.find_release(on_trial(0), DueStep(alert(), NOON, holder=watchman))
    morning = HOLDS.calendar.next_time(NOON, time(6, 30))
    assert release == Release(morning, "quiet")


@pytest.mark.parametrize(
    ("at_ms", "emptied_ms", "left_to_it"),
    [
        (NOON + 89 * MINUTE_MS, 0, False),
        (NOON + 90 * MINUTE_MS, 0, True),
        (NOON + 3 * HOUR_MS, 0, True),
        (NOON + 3 * HOUR_MS, NOON + 150 * MINUTE_MS - 1, True),
        (NOON + 3 * HOUR_MS, NOON + 150 * MINUTE_MS, False),
    ],
)
def test_a_round_is_near_from_an_hour_before_it_until_it_has_emptied_the_bin(
    at_ms: Millis,
    emptied_ms: Millis,
    left_to_it: bool,  # noqa: FBT001 -- of the table
) -> None:
    release = due(stages.await_near_round, DueStep(alert(), at_ms, emptied_ms=emptied_ms))
    assert release == (Release(NOON + 5 * HOUR_MS, "round_pending") if left_to_it else Release(at_ms))


def test_a_round_is_waited_for_once_by_rules_that_do_and_by_what_nothing_else_holds() -> None:
    at_ms = NOON + 2 * HOUR_MS
    for told in (alert("stopped"), replace(alert(), reason="round_pending")):
        assert due(stages.await_near_round, DueStep(told, at_ms)) == Release(at_ms)
    assert due(stages.await_near_round, DueStep(replace(alert(), reason="quiet"), at_ms)).reason == "round_pending"
    held = Release(at_ms, "trial")
    assert stages.await_near_round(HOLDS, DueStep(alert(), at_ms), held) is held


@pytest.mark.parametrize("word", ["roadside", "priority"])
def test_beside_a_road_it_is_told_while_the_truck_is_still_out(word: str) -> None:
    holds = beside(word)
    at_ms = NOON + 2 * HOUR_MS
    assert stages.await_near_round(holds, DueStep(alert(), at_ms), Release(at_ms)).at_ms == NOON + 4 * HOUR_MS
    late_ms = NOON + 4 * HOUR_MS
    assert stages.await_near_round(holds, DueStep(alert(), late_ms), Release(late_ms)) == Release(late_ms)


def test_what_says_that_it_is_over_or_is_about_no_episode_is_always_wanted() -> None:
    for message in (
        owed(MessageKind.CLEARED),
        replace(owed(), template=ANSWERED_OVER),
        replace(owed(), episode=""),
        replace(owed(), rule=ABSENCE),
        owed(MessageKind.DIGEST),
    ):
        assert waits(stages.drop_unwanted, WaitingMessage(message, NOON)) == Release(NOON)
    of_several = replace(owed(MessageKind.DIGEST), covers=("overflow/gone/1",))
    assert waits(stages.drop_unwanted, WaitingMessage(of_several, NOON)) == Release(NEVER, "cleared")


def test_a_notice_is_wanted_as_long_as_what_it_is_about_stands() -> None:
    seen_to = replace(alert(), acked_ms=NOON)
    notice, first = owed(MessageKind.NOTICE), owed()
    alerts = {seen_to.episode: seen_to}
    assert waits(stages.drop_unwanted, WaitingMessage(notice, NOON, alerts=alerts)) == Release(NOON)
    assert waits(stages.drop_unwanted, WaitingMessage(first, NOON, alerts=alerts)).reason == "acknowledged"
    assert waits(stages.drop_unwanted, WaitingMessage(notice, NOON)).reason == "cleared"


def test_a_text_about_several_is_wanted_while_one_of_them_is_and_the_first_says_why_not() -> None:
    seen_to = replace(alert(), acked_ms=NOON)
    several = replace(owed(MessageKind.DIGEST), covers=(seen_to.episode, "overflow/gone/1"))
    alerts = {seen_to.episode: seen_to}
    assert waits(stages.drop_unwanted, WaitingMessage(several, NOON, alerts=alerts)).reason == "acknowledged"
    alerts = {seen_to.episode: alert()}
    for covers in (several.covers, several.covers[::-1]):
        one_stands = WaitingMessage(replace(several, covers=covers), NOON, alerts=alerts)
        assert waits(stages.drop_unwanted, one_stands) == Release(NOON)


def _outdated_ms(template: str, made: time, holds: Holds = HOLDS) -> Millis | None:
    """From when on a list that was made at an hour of the day of ``NOON`` is of no use; nothing within two days."""
    made_ms = HOLDS.calendar.next_time(HOLDS.calendar.midnight(NOON), made)
    told = replace(owed(MessageKind.DIGEST, made_ms), template=template)
    for now_ms in range(made_ms, made_ms + 2 * DAY_MS, 15 * MINUTE_MS):
        if stages.drop_outdated(holds, WaitingMessage(told, now_ms), Release(now_ms)).reason:
            return now_ms
    return None


@pytest.mark.parametrize(
    ("template", "made", "ends"),
    [
        ("list_morning", time(7), time(11, 45)),
        ("list_noon", time(11, 45), time(15, 30)),
        ("list_noon_done", time(11, 45), time(15, 30)),
        ("list_afternoon", time(15, 30), time(17, 30)),
        ("list_evening", time(17, 30), time(0)),
        (EMPTIERS, time(6, 30), time(0)),
    ],
)
def test_a_list_is_of_no_use_once_the_next_of_its_kind_is_due(template: str, made: time, ends: time) -> None:
    calendar = HOLDS.calendar
    ends_ms = calendar.next_time(calendar.next_time(calendar.midnight(NOON), made), ends)
    assert _outdated_ms(template, made) == ends_ms


def test_the_next_list_makes_useless_what_was_made_before_it_and_not_what_is_made_with_it() -> None:
    noon_ms = HOLDS.calendar.next_time(HOLDS.calendar.midnight(NOON), time(11, 45))
    for made_ms, reason in ((noon_ms - 1, "outdated"), (noon_ms, "")):
        told = replace(owed(MessageKind.DIGEST, made_ms), template="list_morning")
        assert waits(stages.drop_outdated, WaitingMessage(told, noon_ms)).reason == reason


def test_without_a_next_one_a_list_is_of_its_day() -> None:
    alone = dataclasses.replace(HOLDS, policies=HOLDS.policies.model_copy(update={"lists": {}}))
    tomorrow_ms = HOLDS.calendar.midnight(NOON) + DAY_MS
    assert _outdated_ms("list_morning", time(7), alone) == tomorrow_ms
    assert _outdated_ms("list_week", time(7, 30)) is None  # what is told once a week has no next one soon


def test_only_a_list_grows_old() -> None:
    assert waits(stages.drop_outdated, WaitingMessage(owed(), NOON + DAY_MS)) == Release(NOON + DAY_MS)


def test_plants_on_one_line_wait_for_each_other_and_hold_nobody_up() -> None:
    power, cut = replace(owed(), rule="no_power"), pending()
    assert waits(stages.gather, cut) == Release(NOON)
    alone = WaitingMessage(power, NOON, replace(cut.box, pending=(power,)))
    assert waits(stages.gather, alone) == Release(NOON + 2 * MINUTE_MS, "grouped")
    beside_it = replace(cut.box, pending=(power, replace(owed(), at_ms=NOON + MINUTE_MS)))
    assert waits(stages.gather, replace(alone, box=beside_it)) == Release(NOON + MINUTE_MS, "grouped")
    again = replace(power, kind=MessageKind.REPEAT)
    assert waits(stages.gather, replace(alone, box=replace(cut.box, pending=(again,)))) == Release(NOON)
    later = replace(cut.box, pending=(replace(again, at_ms=NOON + MINUTE_MS),))
    assert waits(stages.gather, replace(alone, box=later)) == Release(NOON + MINUTE_MS, "grouped")


@pytest.mark.parametrize(
    ("message", "minutes"),
    [
        (pending(left_ms=(NOON - HOUR_MS, NOON)), 2),
        (pending(severity=Severity.P3, left_ms=(NOON - HOUR_MS, NOON)), 15),
        (pending(MessageKind.CLEARED, left_ms=(NOON - HOUR_MS, NOON)), 15),
        (pending(severity=Severity.P3, left_ms=(NOON - HOUR_MS, NOON), storm_ms=NOON), 2),
    ],
)
def test_after_a_text_the_next_waits_as_long_as_it_matters(message: WaitingMessage, minutes: int) -> None:
    assert waits(stages.fold, message) == Release(NOON + minutes * MINUTE_MS, "grouped")


def test_the_first_text_to_a_number_waits_for_none() -> None:
    assert waits(stages.fold, pending()) == Release(NOON)
    assert waits(stages.fold, pending(storm_ms=NOON)) == Release(NOON)


@pytest.mark.parametrize(
    ("begun_min", "left_min", "due_min"),
    [
        (-20, (), -19),
        (0, (), 1),
        (0, (-1,), 1),
        (0, (0,), 10),
        (-20, (-40, -3), 7),
        (-20, (-10, -3), 7),
        (-20, (-19, -18), -8),
        (-20, (-19, -18, -17), 11),
        (-30, (-29, -19, -18, -17), 11),
    ],
)
def test_a_storm_is_told_soon_then_once_a_window_and_three_times_in_half_an_hour(
    begun_min: int, left_min: tuple[int, ...], due_min: int
) -> None:
    left_ms = tuple(NOON + each * MINUTE_MS for each in left_min)
    found = waits(stages.slow_storm, pending(storm_ms=NOON + begun_min * MINUTE_MS, left_ms=left_ms))
    assert found == (Release(NOON + due_min * MINUTE_MS, "storm") if due_min > 0 else Release(NOON))


def test_where_there_is_no_storm_nothing_is_slowed() -> None:
    assert waits(stages.slow_storm, pending(left_ms=(NOON, NOON, NOON))) == Release(NOON)


@pytest.mark.parametrize(
    ("over_min", "room_min", "due_min"),
    [((), 90, 0), ((-3, -2), 90, 0), ((-3, -2, -1), 90, 25), ((-3, -2, -1), 20, 20), ((-13 * 60, -2, -1), 90, 0)],
)
def test_above_the_budget_three_a_day_leave_at_once_and_more_within_half_an_hour(
    over_min: tuple[int, ...], room_min: int, due_min: int
) -> None:
    over_ms = tuple(NOON + each * MINUTE_MS for each in over_min)
    room = Release(NOON + room_min * MINUTE_MS, "budget")
    message = replace(pending(over_ms=over_ms), room=room, oldest_ms=NOON - 5 * MINUTE_MS)
    found = waits(stages.ration, message)
    assert found == (Release(NOON + due_min * MINUTE_MS, "budget") if due_min else Release(NOON))


def test_the_first_of_a_day_leave_in_the_instant_in_which_the_oldest_is_owed() -> None:
    message = replace(pending(), room=Release(NOON + DAY_MS, "budget"))
    assert waits(stages.ration, replace(message, oldest_ms=NOON)) == Release(NOON)
    later_ms = NOON + MINUTE_MS
    assert waits(stages.ration, replace(message, oldest_ms=later_ms)) == Release(later_ms, "budget")


def test_what_is_not_above_the_budget_waits_for_room() -> None:
    assert waits(stages.ration, replace(pending(), room=Release(NOON + 1, "daily_cap"))) == Release(
        NOON + 1, "daily_cap"
    )
    assert waits(stages.ration, replace(pending(), room=Release(NOON, "budget"))) == Release(NOON)


def test_a_first_word_that_was_owed_by_day_leaves_before_the_night() -> None:
    at_night = Release(NIGHT, "budget")
    dusk = replace(pending(), now_ms=NOON + 9 * HOUR_MS - 30_000)
    assert stages.await_morning(HOLDS, dusk, at_night) == Release(dusk.now_ms, "budget")
    assert stages.await_morning(HOLDS, pending(), at_night).at_ms == NOON + 9 * HOUR_MS - MINUTE_MS
    for message in (
        pending(MessageKind.REPEAT),
        pending(severity=Severity.P3),
        replace(pending(), now_ms=NIGHT),
    ):
        release = stages.await_morning(HOLDS, message, at_night)
        assert (release.reason, HOLDS.calendar.local(release.at_ms).time()) == ("quiet", time(6, 30))


def test_whoever_is_woken_anyway_and_whatever_leaves_by_day_does_not_wait_for_the_morning() -> None:
    for message, release in ((replace(pending(), wakes=True), Release(NIGHT)), (pending(), Release(NOON))):
        assert stages.await_morning(HOLDS, message, release) is release


def test_nothing_is_urgent_but_a_first_word_of_a_p2() -> None:
    assert stages.begins_urgent(owed(MessageKind.FRESH))
    assert not stages.begins_urgent(owed(MessageKind.REPEAT))
    assert not stages.begins_urgent(replace(owed(), severity=Severity.P3))
