"""Who would be told, and when, if something stood now: by the county's own telling, and nothing of it is kept.

That every urgent rule is told within its bound all week long is the sweep of tests/laws/test_bounds.py.
"""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from alerts.episodes.rehearsal import AHEAD_MS, Foreseen, bound, supposed
from alerts.model import Actor, MessageKind, Owed, Refused, Severity
from gateway import start
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.bounds import bound_ms
from tests.scenario_run import policy_files
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, START_MS

MONDAY: Millis = START_MS - 7 * HOUR - 30 * MINUTE
"""00:00 in the county."""
EIGHT = MONDAY + 8 * HOUR
QUIET = policy_files()
"""Without lists."""


def opened(at_ms: Millis = MONDAY, *, lists: bool = False) -> Pipeline:
    pipeline = start.anew(COUNTY, POLICY_FILES if lists else QUIET, Memory(), at_ms)
    pipeline.county.listen(at_ms, None, pipeline.changes, started=True)
    pipeline.finish()
    return pipeline


@cache
def standing(*, lists: bool = False) -> Pipeline:
    """A county of which nothing is known; foreseeing changes nothing in it."""
    return opened(lists=lists)


def foresee(
    rule: str, asset: str = "pool", at_ms: Millis = EIGHT, *, lists: bool = False, first: bool = False
) -> Foreseen:
    said = standing(lists=lists).foresee(rule, asset, at_ms, first=first)
    assert isinstance(said, Foreseen)
    return said


def told(said: Foreseen) -> list[tuple[int, str, str]]:
    """Minutes after eight, to whom, in which words' name."""
    return [((each.at_ms - EIGHT) // MINUTE, each.to, each.template) for each in said.told]


def reasons(said: Foreseen) -> list[tuple[str, object, object]]:
    return [(row.event, (row.detail or {}).get("reason"), (row.detail or {}).get("step")) for row in said.reasons]


# --- what follows


def test_a_fire_is_told_to_everybody_at_once_and_goes_on_until_its_last_repeat() -> None:
    said = foresee("fire")
    assert [(minute, to) for minute, to, _ in told(said)[:3]] == [(0, "cleaner"), (0, "head"), (0, "office")]
    assert {minute for minute, *_ in told(said)} == {0, 10, 30, 90}
    assert [each.to for each in said.told if each.kind is MessageKind.ESCALATION] == ["leader"]
    assert said.bound_ms == EIGHT + 2 * MINUTE
    assert said.is_in_time
    assert said.reasons == ()
    assert said.episode == "fire/pool/20261123T000000Z-supposed"


def test_the_first_that_leave_together_are_all_that_is_asked_for_where_they_are_enough() -> None:
    assert told(foresee("fire", first=True)) == told(foresee("fire"))[:3]
    assert told(foresee("overflow", first=True)) == [(0, "cleaner", "overflow")]


def test_steps_leave_each_at_its_time_for_two_days_ahead() -> None:
    said = foresee("overflow")
    assert told(said) == [
        (0, "cleaner", "overflow"),
        (120, "head", "overflow_village"),
        (35 * 60, "leader", "overflow_town"),
    ]
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(said.told))
    assert max(each.at_ms for each in said.told) <= EIGHT + AHEAD_MS


def test_a_list_that_speaks_of_it_is_a_text_about_it_and_no_other_list_is() -> None:
    said = foresee("overflow", lists=True)
    lists = [each for each in said.told if each.rule == "list"]
    assert [(each.to, each.template, (each.at_ms - MONDAY) / HOUR) for each in lists] == [
        ("cleaner", "list_emptier", 30.5),
        ("cleaner", "list_emptier", 54.5),
    ]
    assert {said.episode in each.covers for each in lists} == {True}


def test_what_is_kept_back_says_why_and_until_when() -> None:
    night = foresee("overflow", at_ms=MONDAY + 2 * HOUR)
    assert reasons(night) == [("held", "quiet", 0)]
    assert night.told[0].at_ms == MONDAY + 6 * HOUR + 30 * MINUTE
    weekly = foresee("battery_low")
    assert (weekly.told, reasons(weekly)) == ((), [("dropped", "weekly_list", 0)])


def test_what_nothing_watches_cannot_stand() -> None:
    for rule, asset, why in (("stopped", "pool", "unwatched"), ("fire", "nowhere", "unknown_asset")):
        said = standing().foresee(rule, asset, EIGHT)
        assert isinstance(said, Refused)
        assert said.why == why
    assert isinstance(unwatched := standing().foresee("stopped", "pool", EIGHT), Refused)
    assert "overflow" in unwatched.sentence


# --- nothing of it is kept, and what stands counts


def say(pipeline: Pipeline, at_ms: Millis, device: str, seq: int, values: Values) -> None:
    payload = wire_bytes(wire_form(Sample(1, seq, values, at_ms)))
    pipeline.take(Uplink(at_ms, f"cunjing/v1/xia/{device}/telemetry", payload))


def full(pipeline: Pipeline, at_ms: Millis, device: str = "s-pool") -> None:
    for seq in (1, 2):
        say(pipeline, at_ms - (2 - seq) * MINUTE, device, seq, Values(distance_mm=230.0))
    pipeline.advance(at_ms)


def test_foreseeing_changes_nothing() -> None:
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    pipeline.finish()
    alerts, boxes = dict(pipeline.county.alerts), dict(pipeline.county.boxes)
    due_ms = pipeline.next_deadline()
    for rule in ("fire", "overflow", "hot_ash"):
        pipeline.foresee(rule, "road", EIGHT + MINUTE)
    assert (pipeline.county.alerts, pipeline.county.boxes, pipeline.next_deadline()) == (alerts, boxes, due_ms)
    assert pipeline.finish()[0].is_empty


def test_what_a_number_has_been_told_just_now_lets_the_next_text_wait() -> None:
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    said = pipeline.foresee("overflow", "road", EIGHT + MINUTE, first=True)
    assert isinstance(said, Foreseen)
    (text,) = said.told
    assert (text.to, text.episode) == ("cleaner", said.episode)
    assert EIGHT + MINUTE < text.at_ms <= EIGHT + 3 * MINUTE
    assert said.is_in_time


def test_what_stands_explains_it() -> None:
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    overflow = next(name for name in pipeline.county.alerts if name.startswith("overflow/"))
    said = pipeline.foresee("over_two_thirds", "pool", EIGHT + MINUTE)
    assert isinstance(said, Foreseen)
    assert said.told == ()
    assert reasons(said) == [("inhibited", overflow, 0)]
    assert (said.bound_ms, said.is_in_time) == (0, True)


def test_what_others_have_open_does_not_fall_due_meanwhile() -> None:
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    said = pipeline.foresee("overflow", "far", EIGHT + HOUR)
    assert isinstance(said, Foreseen)
    assert {each.asset for each in said.told} == {"far"}


def test_a_case_that_somebody_has_seen_to_is_another_one() -> None:
    """The same rule stands already, and is acknowledged: what is supposed is told all the same."""
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    episode = next(name for name in pipeline.county.alerts if name.startswith("overflow/"))
    seen = Actor("office", "desk")
    pipeline.respond(episode, lambda rules, alert, _memory, log: rules.acknowledge(alert, seen, EIGHT, log), EIGHT)
    said = pipeline.foresee("overflow", "pool", EIGHT + HOUR, first=True)
    assert isinstance(said, Foreseen)
    assert said.told != ()


# --- by when


def owed(at_ms: Millis) -> Owed:
    return replace_owed(foresee("fire").told[0], at_ms)


def replace_owed(one: Owed, at_ms: Millis) -> Owed:
    return Owed(**{name: getattr(one, name) for name in one.__struct_fields__} | {"at_ms": at_ms})


@pytest.mark.parametrize(
    ("told_ms", "bound_at_ms", "in_time"),
    [
        ((5,), 5, True),
        ((6,), 5, False),
        ((9, 5), 5, True),
        ((), 5, False),
        ((), 0, True),
        ((6,), 0, True),
    ],
)
def test_in_time_is_whoever_is_told_by_the_bound_where_there_is_one(
    told_ms: tuple[Millis, ...], bound_at_ms: Millis, *, in_time: bool
) -> None:
    assert Foreseen("x", tuple(owed(at_ms) for at_ms in told_ms), (), bound_at_ms).is_in_time is in_time


def test_a_round_that_is_waited_for_moves_the_bound_and_what_a_later_step_waits_for_does_not() -> None:
    """The round of the morning ends at eleven; half an hour later somebody must have been told."""
    first, all_of_it = foresee("overflow", "round", first=True), foresee("overflow", "round")
    assert reasons(first) == [("held", "round_pending", 0)]
    assert reasons(all_of_it) == [("held", "round_pending", 0), ("held", "round_pending", 1)]
    for said in (first, all_of_it):
        assert said.bound_ms == MONDAY + 11 * HOUR + 30 * MINUTE == bound_ms("overflow", COUNTY.assets["round"], EIGHT)
        assert said.is_in_time


def test_what_is_not_urgent_or_on_trial_has_no_bound() -> None:
    assert foresee("over_two_thirds").bound_ms == 0
    trial = foresee("overflow", "new")
    assert trial.bound_ms == 0
    assert reasons(trial)[0] == ("held", "trial", 0)
    over = foresee("overflow", "new", at_ms=MONDAY + DAY + 8 * HOUR)
    assert over.bound_ms == MONDAY + DAY + 8 * HOUR + 15 * MINUTE, "its trial ended at eight"


CALENDAR = standing().calendar
HOURS = {"fire": 2, "overflow": 15, "hot_ash": 15, "level_high": 45, "stopped": 45, "dry_run": 45, "no_power": 45}
MORNINGS = {"overflow": (6, 45), "hot_ash": (6, 45)}


def by_when(rule: str, asset: str, at_ms: Millis) -> Millis:
    return bound(rule, COUNTY.assets.get(asset), at_ms, CALENDAR.is_within, CALENDAR.next_time)


@pytest.mark.parametrize("rule", [*HOURS, "not_restarted"])
def test_by_day_the_bound_is_so_many_minutes_later_and_by_night_a_time_of_the_morning(rule: str) -> None:
    minutes = HOURS.get(rule, 45)
    ends = 19 if rule == "overflow" else 21
    first, last = MONDAY + 6 * HOUR, MONDAY + ends * HOUR
    for at_ms in (first, EIGHT, last - 1):
        assert by_when(rule, "far", at_ms) == at_ms + minutes * MINUTE
    hour, minute = MORNINGS.get(rule, (7, 15))
    if rule == "fire":
        assert by_when(rule, "far", last) == last + 2 * MINUTE
    else:
        assert by_when(rule, "far", first - 1) == MONDAY + hour * HOUR + minute * MINUTE
        assert by_when(rule, "far", last) == MONDAY + DAY + hour * HOUR + minute * MINUTE


def test_a_bin_beside_a_road_is_told_of_in_the_evening_as_well() -> None:
    evening = MONDAY + 20 * HOUR
    assert by_when("overflow", "road", evening) == evening + 15 * MINUTE
    assert by_when("overflow", "road", MONDAY + 21 * HOUR) == MONDAY + DAY + 6 * HOUR + 45 * MINUTE
    assert by_when("overflow", "nowhere", evening) == MONDAY + DAY + 6 * HOUR + 45 * MINUTE


def test_a_large_plant_that_spills_is_told_of_at_any_hour() -> None:
    night = MONDAY + 2 * HOUR
    assert by_when("level_high", "works", night) == night + 15 * MINUTE
    assert by_when("level_high", "plant", night) == MONDAY + 7 * HOUR + 15 * MINUTE
    assert by_when("stopped", "works", night) == MONDAY + 7 * HOUR + 15 * MINUTE
    works = COUNTY.assets["works"]
    assert works.plant is not None
    for size, within in ((100.0, night + 15 * MINUTE), (99.9, MONDAY + 7 * HOUR + 15 * MINUTE)):
        asset = replace(works, plant=replace(works.plant, design_m3d=size))
        assert bound("level_high", asset, night, CALENDAR.is_within, CALENDAR.next_time) == within


def test_other_rules_have_no_bound() -> None:
    assert by_when("over_two_thirds", "pool", EIGHT) == 0
    assert by_when("offline", "plant", EIGHT) == 0


# --- what is supposed


def test_a_case_that_is_supposed_has_the_evidence_that_its_rule_would_give_at_the_least() -> None:
    county = standing().county
    for asset, rule, severity, detail in (
        ("pool", "overflow", Severity.P2, {"fill_pct": 97.0}),
        ("pool", "over_two_thirds", Severity.P3, {"fill_pct": 70.0}),
        ("pool", "fire", Severity.P1, {"temperature_c": 75.0}),
        ("pool", "hot_ash", Severity.P2, {"temperature_c": 55.0}),
        ("plant", "stopped", Severity.P2, {"by": "demand"}),
        ("plant", "level_high", Severity.P2, {}),
    ):
        plan = county.plans[asset]
        (slot, *_) = (slot for slot in plan.slots if slot.rule.kind == rule)
        found = supposed(slot.rule, plan.asset, "a-device", EIGHT)
        assert (found.kind, found.rule, found.asset, found.device) == ("raised", rule, asset, "a-device")
        assert (found.at_ms, found.since_ms, found.late) == (EIGHT, EIGHT, False)
        assert (found.severity, found.detail) == (severity, detail)
        assert found.episode == f"{rule}/{asset}/20261123T000000Z-supposed"


def test_no_case_that_is_supposed_is_one_that_stands() -> None:
    pipeline = opened(EIGHT - 10 * MINUTE)
    full(pipeline, EIGHT)
    known = next(alert for alert in pipeline.county.alerts.values() if alert.rule == "overflow")
    said = pipeline.foresee("overflow", "pool", known.raised_ms)
    assert isinstance(said, Foreseen)
    assert said.episode != known.episode
