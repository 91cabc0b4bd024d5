"""The rules file: what is shipped is what is built in, and what a file changes reaches the right assets."""

from pathlib import Path

import pytest

from alerts.build import KINDS
from alerts.conditions import rule_set
from alerts.policy import PolicyFault
from alerts.rules.over_two_thirds import OverTwoThirds
from telemetry.inventory import Asset, Inventory
from telemetry.inventory.file import parse
from tests import shipped_rules

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    text = (ROOT / "config" / "inventory.example.yaml").read_text("utf-8")
    parsed = parse(text, "inventory.example.yaml", frozenset({"native", "milesight-em400"}))
    assert parsed.inventory is not None
    return parsed.inventory


def raise_pct(rules: rule_set.RuleSet, inventory: Inventory, asset: str) -> float:
    rule = rules.of(inventory.assets[asset])["over_two_thirds"]
    assert isinstance(rule, OverTwoThirds)
    return rule.raise_pct


def test_the_shipped_file_says_what_is_built_in(inventory: Inventory) -> None:
    shipped = rule_set.load((ROOT / "config" / "rules.yaml").read_text("utf-8"), "rules.yaml", inventory, KINDS)
    assert shipped.common == rule_set.load("", "nothing", inventory, KINDS).common


def test_the_shipped_file_names_every_rule() -> None:
    text = shipped_rules.FILE.read_text("utf-8")
    assert [kind for kind in KINDS if f"\n  {kind}:" not in text] == []
    assert text == shipped_rules.made(), "run `python -m tests.shipped_rules`"


def test_an_asset_wins_over_its_area_and_an_area_over_the_county(inventory: Inventory) -> None:
    bins = [asset for asset in inventory.assets.values() if asset.bin is not None]
    first, same_area = bins[0], next(asset for asset in bins[1:] if asset.area == bins[0].area)
    elsewhere = next(asset for asset in bins if asset.area != first.area)
    text = f"""
rules: {{over_two_thirds: {{raise_pct: 70}}}}
areas: {{{first.area}: {{over_two_thirds: {{raise_pct: 60}}}}}}
assets: {{{first.id}: {{over_two_thirds: {{raise_pct: 56}}}}}}
"""
    rules = rule_set.load(text, "rules.yaml", inventory, KINDS)
    assert [raise_pct(rules, inventory, asset.id) for asset in (first, same_area, elsewhere)] == [56, 60, 70]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("rules: {over_two_thirds: {raise_pct: 55}}", "rules.over_two_thirds: clear_pct must be below raise_pct"),
        ("rules: {battery_low: {plan_pct: 40}}", "rules.battery_low: plan_pct must be below clear_pct"),
        ("areas: {AREA: {overflow: {clear_pct: 95}}}", "areas.AREA.overflow: clear_pct must be below raise_pct"),
        (
            "{areas: {AREA: {over_two_thirds: {clear_pct: 60}}}, assets: {BIN: {over_two_thirds: {raise_pct: 58}}}}",
            "assets.BIN.over_two_thirds: clear_pct must be below raise_pct",
        ),
    ],
)
def test_what_raises_is_above_what_clears_wherever_it_was_said(text: str, where: str, inventory: Inventory) -> None:
    first = next(asset for asset in inventory.assets.values() if asset.bin is not None)
    with pytest.raises(PolicyFault) as fault:
        rule_set.load(_of(text, first), "rules.yaml", inventory, KINDS)
    assert str(fault.value) == f"rules.yaml: {_of(where, first)}; change one of them"


def _of(text: str, asset: Asset) -> str:
    return text.replace("AREA", asset.area).replace("BIN", asset.id)


def test_any_figure_changes_the_version(inventory: Inventory) -> None:
    versions = {
        rule_set.load(text, "rules.yaml", inventory, KINDS).version
        for text in ("", "rules: {fire: {raise_c: 71}}", "rules: {fire: {raise_c: 72}}")
    }
    assert len(versions) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: {fyre: {}}", "rules.fyre: no such rule"),
        ("rules: {fire: {raise: 70}}", "rules.fire: raise: no such key"),
        ("rules: {fire: {raise_c: hot}}", "rules.fire: raise_c: input should be a valid number"),
        ("areas: {nowhere: {fire: {raise_c: 70}}}", "areas.nowhere: the inventory has no such area"),
        ("assets: {nothing: {fire: {raise_c: 70}}}", "assets.nothing: the inventory has no such asset"),
        ("areas: {shiqiao: {gateway_offline: {least: 4}}}", "it counts for the whole county; write it under rules"),
        ("assets: {meiling-03: {no_power: {off_delay_s: 60}}}", "it watches no bin; remove it"),
        ("[]", "must be a mapping"),
        ("rules: {", "not YAML"),
    ],
)
def test_a_fault_is_named_with_its_place(inventory: Inventory, text: str, told: str) -> None:
    with pytest.raises(PolicyFault) as fault:
        rule_set.load(text, "rules.yaml", inventory, KINDS)
    assert "rules.yaml: " in str(fault.value)
    assert told in str(fault.value).replace("Input", "input")
