"""The rules file: what is shipped is what is built in, and what a file changes reaches the right assets."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from alerts.build import KINDS
from alerts.conditions import rule_set
from alerts.policy import PolicyFault
from alerts.rules.over_two_thirds import OverTwoThirds
from telemetry.inventory import Asset, Inventory
from telemetry.inventory.file import parse
from tests import shipped_rules
from tests.telling_county import COUNTY

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
    for nothing in ("", " \n"):
        assert shipped.common == rule_set.load(nothing, "nothing", inventory, KINDS).common


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
    assert rules.of(elsewhere) is rules.common, "where nothing is said nothing is made anew"


NAMES: Final = ("pool", "road", "far")
"""Two bins of one village, one of the other."""


def nested(text: str) -> rule_set.RuleSet:
    """Of a county in which two villages lie in one town."""
    return rule_set.load(text, "rules.yaml", COUNTY, KINDS)


def lines(rules: rule_set.RuleSet) -> list[float]:
    """Where the line of each is drawn."""
    return [raise_pct(rules, COUNTY, name) for name in NAMES]


NESTED: Final = """
rules: {over_two_thirds: {raise_pct: 70, clear_pct: 50}}
areas:
  liutan: {over_two_thirds: {raise_pct: 60}}
  qingshi: {over_two_thirds: {raise_pct: 65, clear_pct: 45}, fire: {raise_c: 75}}
assets: {pool: {over_two_thirds: {clear_pct: 40}, overflow: {raise_pct: 90}}}
"""


def test_the_nearest_word_wins_parameter_by_parameter() -> None:
    rules = nested(NESTED)
    assert (lines(rules), rules.contradiction()) == ([60, 60, 65], "")
    cleared = [rules.of(COUNTY.assets[name])["over_two_thirds"].model_dump()["clear_pct"] for name in NAMES]
    assert cleared == [40, 45, 45]
    areas = [rules.at(area)["over_two_thirds"].model_dump()["raise_pct"] for area in ("liutan", "hetian", "qingshi")]
    assert areas == [60, 65, 65]
    assert rules.at("liutan", "pool") == rules.of(COUNTY.assets["pool"])


@pytest.mark.parametrize(
    ("asset", "rule", "parameter", "place"),
    [
        ("pool", "over_two_thirds", "clear_pct", "pool"),
        ("pool", "over_two_thirds", "raise_pct", "liutan"),
        ("road", "over_two_thirds", "clear_pct", "qingshi"),
        ("far", "over_two_thirds", "raise_pct", "qingshi"),
        ("pool", "fire", "raise_c", "qingshi"),
        ("road", "overflow", "raise_pct", ""),
        ("pool", "over_two_thirds", "on_count", ""),
        ("pool", "hot_ash", "raise_c", ""),
    ],
)
def test_a_parameter_is_said_at_the_asset_or_the_nearest_area_that_names_it(
    asset: str, rule: str, parameter: str, place: str
) -> None:
    assert nested(NESTED).place_of(COUNTY.assets[asset], rule, parameter) == place


def test_an_asset_that_is_called_as_its_area_keeps_what_is_said_of_it_alone() -> None:
    text = "areas: {liutan: {overflow: {clear_pct: 80}}}\nassets: {liutan: {overflow: {raise_pct: 90}}}"
    bin_of_that_name = replace(COUNTY.assets["pool"], id="liutan")
    inventory = replace(COUNTY, assets={**COUNTY.assets, "liutan": bin_of_that_name})
    rules = rule_set.load(text, "rules.yaml", inventory, KINDS)
    said = {
        parameter: rules.place_of(bin_of_that_name, "overflow", parameter) for parameter in ("raise_pct", "clear_pct")
    }
    assert said == {"raise_pct": "liutan", "clear_pct": "liutan"}


def test_what_is_laid_over_a_file_wins_place_by_place_and_the_rest_of_it_counts() -> None:
    rules = nested(NESTED)
    over = rules.over(
        "figure",
        {"liutan": {"over_two_thirds": {"raise_pct": 62}}, "hetian": {"fire": {"raise_c": 80}}},
        {"pool": {"overflow": {"clear_pct": 80}}, "far": {"over_two_thirds": {"raise_pct": 64}}},
    )
    assert (lines(over), lines(rules)) == ([62, 62, 64], [60, 60, 65])
    assert over.version != rules.version
    assert {len(each.version) for each in (over, rules)} == {16}
    pool = over.of(COUNTY.assets["pool"])
    assert pool["over_two_thirds"].model_dump()["clear_pct"] == 40
    assert {**pool["overflow"].model_dump(), "raise_pct": 90, "clear_pct": 80} == pool["overflow"].model_dump()
    hot = [over.of(COUNTY.assets[name])["fire"].model_dump()["raise_c"] for name in ("far", "road")]
    assert hot == [80, 75]
    assert over.common == rules.common
    same = rules.over("figure", {}, {})
    assert (lines(same), same.version) == (lines(rules), rules.version)
    with pytest.raises(PolicyFault, match=r"figure: assets\.pool\.over_two_thirds: clear_pct must be below raise_pct"):
        rules.over("figure", {}, {"pool": {"over_two_thirds": {"clear_pct": 60}}})


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


def test_any_parameter_changes_the_version(inventory: Inventory) -> None:
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
        ("rules: []", "rules: input should be a valid dictionary"),
        ("colours: {}", "colours: no such key"),
        ("[]", "must be a mapping"),
        ("rules: {", "not YAML"),
    ],
)
def test_a_fault_is_named_with_its_place(inventory: Inventory, text: str, told: str) -> None:
    with pytest.raises(PolicyFault) as fault:
        rule_set.load(text, "rules.yaml", inventory, KINDS)
    assert "rules.yaml: " in str(fault.value)
    assert told in str(fault.value).replace("Input", "input")
