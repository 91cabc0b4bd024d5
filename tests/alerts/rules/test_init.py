"""What the rules say of themselves, folded: who explains whom, what is quiet at work, what is said of which first.

The tables are those of alerting.md §4; a rule that is added takes its place in them by what its own file says.
"""

import pytest

from alerts.conditions.rule import PlantRule
from alerts.rules import burns_over, doubted, explains, is_quiet_at_work, of_plants, plant_troubles, rules
from telemetry.terms import AssetKind

EXPLAINS = {
    "area_outage": {"area_outage", "gateway_offline", "offline"},
    "gateway_offline": {"offline", "stopped", "no_power"},
    "no_power": {"stopped", "offline"},
    "overflow": {"over_two_thirds"},
    "fire": {"hot_ash"},
}


@pytest.mark.parametrize("cause", sorted(EXPLAINS))
def test_a_cause_keeps_quiet_what_it_explains(cause: str) -> None:
    assert explains()[cause] >= EXPLAINS[cause]


def test_nothing_else_keeps_anything_quiet_and_nothing_keeps_quiet_what_must_be_told() -> None:
    assert explains().keys() == EXPLAINS.keys()
    quiet = frozenset().union(*explains().values())
    assert quiet.isdisjoint({"fire", "level_high", "overflow"})


def test_only_a_fire_burns_over_hot_ash() -> None:
    assert [rule for rule in rules() if burns_over(rule, "hot_ash")] == ["fire"]
    assert not any(burns_over(rule, "overflow") for rule in rules())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (AssetKind.BIN, {"fire", "overflow"}),
        (AssetKind.PLANT, {"fire", "overflow", "level_high", "battery_low", "flooded_device"}),
    ],
)
def test_work_keeps_quiet_what_it_does_by_itself_and_nothing_that_harms(kind: AssetKind, told: set[str]) -> None:
    at_all = {rule for rule, each in rules().items() if each.model_fields["severity"].default and _watches(rule, kind)}
    assert {rule for rule in at_all if not is_quiet_at_work(kind, rule)} == told & at_all


def _watches(rule: str, kind: AssetKind) -> bool:
    scope = rules()[rule].scope.value
    return scope in {kind.value, "device"}


def test_a_notice_of_the_house_at_a_bin_is_quiet_while_it_is_worked_on_as_ever() -> None:
    assert is_quiet_at_work(AssetKind.BIN, "unknown")
    assert not is_quiet_at_work(AssetKind.PLANT, "unknown")


def test_what_is_wrong_with_an_instrument_is_no_trouble_of_its_plant() -> None:
    assert {"offline", "gateway_offline", "area_outage", "tilted", "battery_low", "flooded_device"} <= doubted()
    assert doubted().isdisjoint(plant_troubles())
    assert {"stopped", "no_power", "level_high", "offline"} <= of_plants()


def test_the_troubles_of_plants_are_named_the_worst_first() -> None:
    assert [rule for rule in plant_troubles() if rule in {"level_high", "stopped", "no_power"}] == [
        "level_high",
        "stopped",
        "no_power",
    ]


def test_every_urgent_rule_of_a_plant_has_a_bound() -> None:
    assert [rule for rule in plant_troubles() if rules()[rule].bound is None] == []
    assert all(issubclass(rules()[rule], PlantRule) for rule in plant_troubles())
