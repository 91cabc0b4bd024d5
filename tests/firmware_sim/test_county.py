"""The county as the office would write it down: it must be an inventory, and invented."""

import re

import pytest

from firmware_sim.county import inventory, inventory_yaml
from firmware_sim.fleet import fleet
from firmware_sim.scenario import Scenario, ScenarioError, load
from telemetry.codecs import codecs
from telemetry.inventory.file import Parsed, parse
from telemetry.terms import Role

TEXT = """
seed: county
start: 2026-11-23T00:00:00Z
hours: 6
fleet: {towns: 3, villages: 6, bins: 120, plants: 20}
"""


def county(text: str = TEXT) -> Scenario:
    return load(text)


def parsed(scenario: Scenario) -> Parsed:
    return parse(inventory_yaml(scenario), "county.yaml", profiles=frozenset({"native", *codecs()}))


def test_the_county_is_an_inventory_without_a_fault() -> None:
    found = parsed(county())
    assert found.faults == ()
    assert found.inventory is not None
    assert len(found.inventory.devices) == 140
    assert len(found.inventory.assets) == 140


def test_a_province_with_two_plants_in_a_village_is_an_inventory_without_a_fault() -> None:
    found = parsed(
        county(
            "{seed: 1, start: 2026-11-23T00:00:00Z, hours: 1, "
            "fleet: {towns: 20, villages: 30, bins: 1500, plants: 700}}"
        )
    )
    assert found.faults == ()


def test_the_inventory_and_the_fleet_speak_of_the_same() -> None:
    scenario = county()
    found = parsed(scenario).inventory
    assert found is not None
    for site in fleet(scenario).bins:
        device, asset = found.devices[site.device], found.assets[site.asset]
        assert device.asset == site.asset
        assert (device.profile == "native") is site.native
        assert asset.bin is not None
        assert asset.bin.empty_mm == site.geometry.empty_mm
        assert (asset.collection.rounds if asset.collection else ()) == site.rounds
    for plant in fleet(scenario).plants:
        design = found.assets[plant.asset].plant
        assert design is not None
        assert (design.start_level_mm is None) is plant.meter_only


def test_a_real_county_claims_figures_that_can_be_and_are_not_so() -> None:
    scenario = county(TEXT + "world: real\n")
    found = parsed(scenario)
    assert found.faults == ()
    assert found.inventory is not None
    wrong = 0
    for site in fleet(scenario).bins:
        asset = found.inventory.assets[site.asset]
        assert asset.bin is not None
        assert asset.bin.empty_mm == site.claimed_mm
        wrong += site.claimed_mm != site.geometry.empty_mm
    assert 12 <= wrong <= 50


def test_everybody_who_must_be_told_is_there() -> None:
    found = parsed(county()).inventory
    assert found is not None
    for area in found.bins_in:
        for role in (Role.CLEANER, Role.VILLAGE_HEAD, Role.DISPATCHER, Role.TOWN_LEADER, Role.CREW):
            assert found.holders(role, area), (role, area)
    for route in found.routes:
        assert found.collectors(route)


def test_names_fit_a_text_and_phones_are_nobodys_and_differ() -> None:
    rows = inventory(county())
    assert all(len(asset["short"]) <= 6 and len(asset["landmark"]) <= 6 for asset in rows["assets"])
    assert all(len(person["name"]) <= 4 for person in rows["people"])
    phones = [person["phone"] for person in rows["people"]]
    assert all(re.fullmatch(r"139000\d{5}", phone) for phone in phones)
    assert len(set(phones)) == len(phones)


def test_another_seed_is_another_county() -> None:
    assert inventory_yaml(county()) == inventory_yaml(county())
    assert inventory_yaml(county()) != inventory_yaml(county(TEXT.replace("seed: county", "seed: other")))


def test_a_site_that_is_described_is_as_described() -> None:
    described = "sites: [{device: bin-0003, native: true, roadside: true, rounds: [], fill_pct: 61.5, per_day_pct: 12}]"
    site = fleet(county(TEXT + described)).bins[2]
    assert (site.native, site.roadside, site.rounds, site.fill_pct, site.per_day_pct) == (True, True, (), 61.5, 12)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("fleet: {bins: 120}\nsites: [{device: bin-0121}]", "there is no bin bin-0121; the last is bin-0120"),
        ("fleet: {towns: 40, villages: 60}", "names that can be made"),
    ],
)
def test_a_fleet_that_cannot_be_says_why(order: str, said: str) -> None:
    scenario = load(f"seed: 1\nstart: 2026-11-23T00:00:00Z\nhours: 6\n{order}\n")
    with pytest.raises(ScenarioError, match=said):
        fleet(scenario)
