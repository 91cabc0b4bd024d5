"""What every rule has in common: its delays in the units of its file, what a file may say, and whom it watches."""

from types import MappingProxyType
from typing import Any, ClassVar, Final

import pytest
from pydantic import ValidationError

from alerts.calendars import HOUR_MS, MINUTE_MS, Calendar
from alerts.conditions import rule
from alerts.conditions.bins import BinMemory
from alerts.conditions.machine import CLEAR, IDLE, RAISE, Machine, Timing
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import BinRule, DeviceRule, PlantRule, Rule, RuleScope, Scene, SilenceRule, TrafficRule
from alerts.conditions.traffic import HourlyTraffic, Share
from alerts.model import Condition, Severity
from alerts.rules import rules
from telemetry.reading import Values
from telemetry.terms import AssetKind
from tests.telling_county import COUNTY

POOL: Final = COUNTY.assets["pool"]
SCENE: Final = Scene(POOL, Calendar.of(COUNTY.county), (), {}, neighbours=None)  # type: ignore[arg-type] # unasked


def plain(**parameters: object) -> Rule:
    return Rule.model_validate({"kind": "plain", "severity": "P3", **parameters})


class Between(Rule):
    """A rule of which two pairs of parameters have an order."""

    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_pct", "raise_pct"), ("plan_pct", "clear_pct"))
    kind: str = "between"
    severity: Severity = Severity.P3
    raise_pct: float = 60
    clear_pct: float = 50
    plan_pct: float = 40


class Chatter(TrafficRule):
    """A device may say ten messages in its interval's hour, and a hundred bytes."""

    kind: str = "chatter"
    severity: Severity = Severity.P4

    def share(self, interval_s: int) -> Share:
        return Share(36_000 // interval_s, 100)


def test_without_parameters_one_sample_raises_and_clears_and_flapping_is_as_in_t15() -> None:
    assert plain().timing == Timing(
        on_count=1,
        on_delay_ms=0,
        off_count=1,
        off_delay_ms=0,
        timer_promotes=True,
        latching=False,
        raises=3,
        raises_within_ms=HOUR_MS,
        flaps=6,
        calm_ms=30 * MINUTE_MS,
        calm_most_ms=24 * HOUR_MS,
        more_raises=4,
        more_within_ms=6 * HOUR_MS,
        slow_raises=6,
        slow_within_ms=48 * HOUR_MS,
        left_ms=6 * HOUR_MS,
    )


def test_a_file_speaks_of_seconds_and_hours_and_the_life_cycle_of_milliseconds() -> None:
    assert (rule.SECOND, rule.MINUTE, rule.HOUR, rule.DAY) == (1_000, MINUTE_MS, HOUR_MS, 24 * HOUR_MS)
    assert plain(
        on_count=2,
        on_delay_s=1.5,
        off_count=3,
        off_delay_s=0.25,
        flapping_raises=4,
        flapping_within_h=0.5,
        flapping_relapses=5,
        flapping_calm_h=0.75,
        flapping_calm_most_h=1.5,
        flapping_more_raises=7,
        flapping_more_within_h=2.5,
        flapping_slow_raises=8,
        flapping_slow_within_h=3.5,
        flapping_left_h=4.5,
    ).timing == Timing(
        on_count=2,
        on_delay_ms=1_500,
        off_count=3,
        off_delay_ms=250,
        timer_promotes=True,
        latching=False,
        raises=4,
        raises_within_ms=30 * MINUTE_MS,
        flaps=5,
        calm_ms=45 * MINUTE_MS,
        calm_most_ms=90 * MINUTE_MS,
        more_raises=7,
        more_within_ms=150 * MINUTE_MS,
        slow_raises=8,
        slow_within_ms=210 * MINUTE_MS,
        left_ms=270 * MINUTE_MS,
    )


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        ("on_count", (1,), (0,)),
        ("on_delay_s", (0,), (-0.5,)),
        ("off_count", (1,), (0,)),
        ("off_delay_s", (0,), (-0.5,)),
        ("flapping_raises", (2,), (1,)),
        ("flapping_within_h", (0.5,), (0,)),
        ("flapping_relapses", (2,), (1,)),
        ("flapping_calm_h", (0.5,), (0,)),
        ("flapping_calm_most_h", (0.5, 24), (0, 24.5)),
        ("flapping_more_raises", (2,), (1,)),
        ("flapping_more_within_h", (0.5,), (0,)),
        ("flapping_slow_raises", (2,), (1,)),
        ("flapping_slow_within_h", (0.5,), (0,)),
        ("flapping_left_h", (0.5,), (0,)),
    ],
)
def test_a_parameter_with_which_no_alert_could_come_or_go_is_refused(
    parameter: str, accepted: tuple[float, ...], refused: tuple[float, ...]
) -> None:
    for value in accepted:
        assert getattr(plain(**{parameter: value}), parameter) == value
    for value in refused:
        with pytest.raises(ValidationError, match=parameter):
            plain(**{parameter: value})


def test_a_rule_never_changes_and_another_parameter_makes_another_of_the_same_hash() -> None:
    one, same, other = plain(), plain(), plain(on_count=2)
    with pytest.raises(ValidationError):
        one.on_count = 2  # type: ignore[misc] # that is the point
    assert (one.on_count, one == same, one == other) == (1, True, False)
    assert hash(one) == hash(same) == hash(other)


@pytest.mark.parametrize(
    ("watching", "bins", "plants"),
    [(BinRule, True, False), (PlantRule, False, True), (DeviceRule, True, True), (TrafficRule, True, True)],
)
def test_a_rule_watches_the_assets_of_its_scope_and_one_about_devices_watches_all(
    watching: type[Rule],
    bins: bool,  # noqa: FBT001 -- of the table
    plants: bool,  # noqa: FBT001 -- of the table
) -> None:
    one = watching(kind="x", severity=Severity.P3)
    assert (one.applies(AssetKind.BIN), one.applies(AssetKind.PLANT)) == (bins, plants)


def test_what_stage_two_sees_over_many_watches_no_asset() -> None:
    class OverMany(Rule):
        scope: ClassVar[RuleScope] = RuleScope.RADIO_GATEWAY

    one = OverMany(kind="x", severity=Severity.P3)
    assert not any(one.applies(kind) for kind in AssetKind)


def test_most_rules_have_one_severity_and_wait_for_nobody() -> None:
    assert plain().severity_of(POOL, {"fill_pct": 99.0}) is Severity.P3
    assert [plain().is_gone(memory) for memory in (BinMemory(), PlantMemory())] == [True, True]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, ""),
        ({"raise_pct": 50.1}, ""),
        ({"raise_pct": 50}, "clear_pct must be below raise_pct; change one of them"),
        ({"raise_pct": 49.9}, "clear_pct must be below raise_pct; change one of them"),
        ({"plan_pct": 49.9}, ""),
        ({"plan_pct": 50}, "plan_pct must be below clear_pct; change one of them"),
        ({"plan_pct": 70, "raise_pct": 45}, "clear_pct must be below raise_pct; change one of them"),
    ],
)
def test_the_first_pair_that_leaves_no_room_between_is_told(parameters: dict[str, float], told: str) -> None:
    assert Between(**parameters).contradiction() == told


def test_a_device_is_raised_above_its_share_of_the_hour_and_cleared_at_it() -> None:
    at_ms = 100 * HOUR_MS
    for messages, size, verdict in ((30, 100, CLEAR), (31, 0, RAISE), (0, 101, RAISE)):
        assert Chatter().weigh(HourlyTraffic(at_ms, messages, size), 1_200, at_ms) == verdict
    much = HourlyTraffic(at_ms, 31)
    assert Chatter().weigh(much, 1_200, at_ms + HOUR_MS - 1) == RAISE
    assert Chatter().weigh(much, 1_200, at_ms + HOUR_MS) == CLEAR, "of another hour"
    assert Chatter().weigh(much, 600, at_ms) == CLEAR, "who is to report twice as often may say twice as much"


def test_a_rule_may_look_where_another_of_the_asset_stands() -> None:
    hot = Machine(Condition.ACTIVE)
    place = MappingProxyType({"fire": 0, "hot_ash": 1})
    scene = Scene(POOL, SCENE.calendar, (IDLE, hot), place, SCENE.neighbours)
    assert (scene.machine("fire"), scene.machine("hot_ash")) == (IDLE, hot)


@pytest.mark.parametrize(
    ("base", "asked", "given"),
    [
        (Rule, "judge", (None, SCENE)),
        (BinRule, "judge", (None, SCENE)),
        (BinRule, "evidence", (BinMemory(), IDLE)),
        (PlantRule, "judge", (None, SCENE)),
        (PlantRule, "evidence", (PlantMemory(), IDLE)),
        (DeviceRule, "judge", (Values(), SCENE)),
        (DeviceRule, "evidence", (None,)),
        (SilenceRule, "stale_after_ms", (None,)),
        (TrafficRule, "share", (1_200,)),
        (TrafficRule, "evidence", (HourlyTraffic(), 1_200)),
    ],
)
def test_a_rule_that_leaves_out_what_it_must_say_is_our_own_mistake(
    base: type[Rule], asked: str, given: tuple[Any, ...]
) -> None:
    with pytest.raises(NotImplementedError):
        getattr(base(kind="x", severity=Severity.P3), asked)(*given)


@pytest.mark.parametrize("kind", sorted(rules()))
def test_every_parameter_of_every_rule_has_a_bound_also_where_it_has_a_default_of_its_own(kind: str) -> None:
    """``on_count: 0`` in a rules file, or a delay below zero, is refused by whichever rule it is said of."""
    rule = rules()[kind]
    numbers = {name: field for name, field in rule.model_fields.items() if field.annotation in (int, float)}
    assert numbers
    assert [name for name, field in numbers.items() if not field.metadata] == []
    for name, wrong in (("on_count", 0), ("off_count", -3), ("on_delay_s", -1), ("off_delay_s", -0.5)):
        with pytest.raises(ValidationError, match=name):
            rule.model_validate({"kind": kind, name: wrong})
