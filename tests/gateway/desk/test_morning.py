"""What needs a decision and what only waits; rounds; exposure; and that every word the desk may need is there."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from alerts.alert import Alert
from alerts.calendars import HOUR_MS, Calendar
from alerts.model import Severity
from alerts.policy import load
from gateway import shipped
from gateway.desk import sentences, words
from gateway.desk.drawing import PlotArea, area, path, spark
from gateway.desk.morning import DecisionReason, TodaySection, exposure, placed
from gateway.desk.projection import Projection
from gateway.desk.rounds import RoundPhase, Rounds
from gateway.desk.scope import UserScope
from gateway.desk.words import clock, masked, span
from telemetry.terms import Role
from telemetry.wire import Reason
from tests.desk_gateway import MINUTE_MS, at, inventory

NOW = at(24, 9)
COUNTY = inventory()
BIN, PLANT = COUNTY.assets["meiling-01"], COUNTY.assets["meiling-plant"]


def alert(rule: str, asset: str = "meiling-01", age_ms: int = 0) -> Alert:
    return Alert(
        episode=f"{rule}/{asset}/1",
        rule=rule,
        asset=asset,
        device="bin-0101",
        severity=Severity.P3,
        raised_ms=NOW - age_ms,
        since_ms=NOW - age_ms,
        detail={},
    )


OVER = alert("over_two_thirds")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (alert("fire"), (TodaySection.DECIDE, DecisionReason.FIRE)),
        (changed(alert("fire"), acked_ms=NOW), (TodaySection.DECIDE, DecisionReason.FIRE)),
        (changed(alert("fire"), shelved_until_ms=NOW + HOUR_MS), (TodaySection.DECIDE, DecisionReason.FIRE)),
        (changed(alert("fire"), acked_ms=NOW, latched=True), (TodaySection.DECIDE, DecisionReason.COOLED)),
        (alert("hot_ash"), (TodaySection.DECIDE, DecisionReason.HOT_ASH)),
        (alert("overflow", age_ms=HOUR_MS), (TodaySection.WAITING, None)),
        (alert("overflow", age_ms=HOUR_MS + 1), (TodaySection.DECIDE, DecisionReason.OVERFLOW)),
        (OVER, (TodaySection.WAITING, None)),
        (changed(OVER, missed=1), (TodaySection.DECIDE, DecisionReason.MISSED)),
        (changed(OVER, missed=1, acked_ms=NOW), (TodaySection.IN_HAND, DecisionReason.MISSED)),
        (changed(OVER, missed=1, parent="overflow/meiling-01/1"), (TodaySection.WAITING, None)),
        (changed(OVER, step=2), (TodaySection.DECIDE, DecisionReason.LATE)),
        (alert("offline"), (TodaySection.DOUBTFUL, None)),
        (alert("series_paused", "hewan"), (TodaySection.DECIDE, DecisionReason.HOUSE)),
    ],
)
def test_where_an_episode_stands(case: Alert, expected: tuple[TodaySection, DecisionReason | None]) -> None:
    assert placed(case, COUNTY.assets.get(case.asset), NOW) == expected


def test_a_plant_needs_a_decision_and_its_silence_too_but_not_its_meter() -> None:
    assert placed(alert("stopped", PLANT.id), PLANT, NOW) == (TodaySection.DECIDE, DecisionReason.PLANT)
    assert placed(alert("offline", PLANT.id), PLANT, NOW) == (TodaySection.DECIDE, DecisionReason.PLANT)
    assert placed(alert("meter_fault", PLANT.id), PLANT, NOW) == (TodaySection.DOUBTFUL, None)


def test_whoever_cannot_be_told_makes_it_a_decision() -> None:
    assert placed(OVER, BIN, NOW, unreached=[OVER.episode]) == (TodaySection.DECIDE, DecisionReason.UNREACHABLE)
    assert placed(OVER, BIN, NOW, nobodys=[OVER.episode]) == (TodaySection.DECIDE, DecisionReason.NOBODY)


def test_silence_is_neither_over_nor_under_the_line() -> None:
    shown = Projection.of(COUNTY, {}, [alert("offline", "zhuyuan-01")])
    for asset, level in (("meiling-01", 66.7), ("meiling-02", 66.8), ("zhuyuan-01", 90.0)):
        shown.assets[asset].level_pct = level
    lines = dict.fromkeys(("meiling-01", "meiling-02", "zhuyuan-01"), 66.7)
    found = exposure(UserScope(COUNTY), shown, lines)
    assert (found.over, found.unknown, found.sites, found.points) == (1, 1, 3, 0.5)
    assert exposure(UserScope(COUNTY, "baisha"), shown, lines).over == 0


def test_a_round_is_what_was_emptied_in_it_and_what_has_nothing_to_fetch() -> None:
    shown, rounds = Projection.of(COUNTY, {}, ()), Rounds(Calendar.of(COUNTY.county))
    shown.assets["meiling-01"].emptied_ms = at(24, 8)
    shown.assets["meiling-01"].level_pct = 2.0
    shown.assets["meiling-02"].level_pct = 14.9
    shown.assets["zhuyuan-01"].level_pct = 40.0
    running = rounds.of(COUNTY.assets.values(), shown, NOW)
    assert running is not None
    assert (running.phase, running.sites, running.emptied, running.spared) == (RoundPhase.RUNNING, 3, 1, 1)
    assert (running.left, running.untouched, running.last) == (("zhuyuan-01",), ("zhuyuan",), "meiling-01")
    ended = rounds.of(COUNTY.assets.values(), shown, at(24, 11, 29))
    coming = rounds.of(COUNTY.assets.values(), shown, at(24, 11, 30))
    assert ended is not None
    assert coming is not None
    assert (ended.phase, coming.phase, coming.slot.start_ms) == (RoundPhase.ENDED, RoundPhase.COMING, at(24, 14, 30))
    bare = [replace(asset, collection=None) for asset in COUNTY.assets.values()]
    assert rounds.of(bare, shown, NOW) is None


def test_what_is_due_next_is_said_with_its_time() -> None:
    written = clock(Calendar.of(COUNTY.county), NOW)
    held = changed(OVER, round_ms=at(24, 11, 30), reason="round_pending")
    assert sentences.of_wait(held, written) == "等这班来清，先不发（到 11:30）"
    assert sentences.of_wait(changed(OVER, due_ms=at(25, 9), step=1), written) == "明天09:00 还没好就往上报"
    assert sentences.of_wait(changed(OVER, repeat_ms=NOW, step=1), written) == "09:00 再发一遍"
    assert sentences.of_wait(OVER, written) == ""
    assert sentences.of_wait(changed(OVER, parent="planned_cut/north/x"), written) == "计划停电期间不发短信"


def test_times_and_numbers_are_written_for_people() -> None:
    written = clock(Calendar.of(COUNTY.county), NOW)
    assert [written(at(24, 8)), written(at(23, 8)), written(at(20, 8))] == ["08:00", "昨天08:00", "11月20日08:00"]
    assert [span(5 * MINUTE_MS), span(HOUR_MS), span(200 * MINUTE_MS), span(52 * HOUR_MS)] == [
        "5分钟",
        "1小时",
        "3小时20分",
        "2天4小时",
    ]
    assert [masked("13900001001"), masked("110")] == ["139****1001", "****"]


def test_a_line_breaks_where_nothing_was_heard() -> None:
    frame = PlotArea(100, 10, 0, 100)
    points = [(0, 0.0), (50, 100.0), (51, None), (80, 50.0), (100, 50.0)]
    assert path(frame, points) == "M0.0 10.0L50.0 0.0M80.0 5.0L100.0 5.0"
    assert area(frame, points).count("Z") == 2
    assert spark([(0, 1.0), (1, None)], 66.7, 0, 1) is None


def test_somebody_sees_their_area_and_all_below_it() -> None:
    town = UserScope(COUNTY, "shiqiao")
    assert [asset.id for asset in town.assets] == ["meiling-01", "meiling-02", "meiling-plant"]
    assert {person.id for person in town.people} == {"mei", "he", "lin", "mei-head", "leader"}
    assert town.sees("meiling-01")
    assert not town.sees("zhuyuan-01")
    assert not town.sees("hewan"), "what is about the county as a whole needs the whole"
    assert UserScope(COUNTY).sees("hewan")


def test_every_name_that_the_desk_may_show_has_a_word() -> None:
    known = words.catalogue()
    policy_files = shipped.policy_files()
    roles = {
        role
        for policy in load(policy_files.escalation, "").rules.values()
        for step in policy.steps
        for role in step.roles
    }
    assert {str(role) for role in Role} <= known["duties"].keys()
    assert roles <= known["duties"].keys() | {"emptier"}
    assert {str(why) for why in DecisionReason} <= known["whys"].keys()
    assert {str(reason) for reason in Reason} <= known["quarantine"].keys()
    assert words.quantity("mains_on", 1.0) == "市电 有"
    assert words.word("events", "something_new") == "something_new"
