"""The simulated county as the office would write it down: its inventory file, with invented people for every duty.

What stands where comes from ``fleet``; the simulator itself needs nobody's name.
"""

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from random import Random
from typing import Any, Final

from firmware_sim.fleet import AnySite, BinSite, Fleet, PlantSite, Village, feeder_id, fleet, gateway_id
from firmware_sim.logger import SENSED
from firmware_sim.names import CLEANERS, called
from firmware_sim.scenario import Scenario
from telemetry.terms import AssetKind

FIRST_PHONE: Final = 13_900_000_001
"""Numbers are counted on from here; none of them is anybody's."""

SHORTEST: Final = 2
SIGNATURE: Final = 4

WEST: Final = 112.4
SOUTH: Final = 27.5
EM400: Final = "milesight-em400"


def inventory_yaml(scenario: Scenario) -> str:
    """The inventory file of the scenario's county (contracts/inventory.example.yaml), one row a line.

    Rows are written in YAML's flow style, which JSON is. Raises ``ScenarioError`` if the fleet cannot be built.
    """
    lines = []
    for key, value in inventory(scenario).items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {json.dumps(one, ensure_ascii=False)}" for name, one in value.items())]
        else:
            lines += [f"{key}:", *(f"  - {json.dumps(row, ensure_ascii=False)}" for row in value)] if value else []
    return "\n".join(lines) + "\n"


def inventory(scenario: Scenario) -> dict[str, Any]:
    """The same as plain values, in the contract's keys and order."""
    stands = fleet(scenario)
    installed_at = scenario.start.astimezone(UTC) - timedelta(days=scenario.fleet.installed_days_ago)
    installed = installed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "county": {
            "id": scenario.county,
            "name": scenario.names.county,
            "timezone": "Asia/Shanghai",
            "signature": _signature(scenario.names.county),
            "office_phone": "55661234",
            "rounds": {"am": "07:00-11:00", "pm": "14:30-16:30"},
        },
        "areas": list(_areas(stands)),
        "people": _numbered(_people(stands, Random(f"{scenario.seed}/people"))),
        "routes": list(_routes(stands)),
        "radio_gateways": [
            {"id": gateway_id(grid), "name": f"{first.place.name}村部网关", "area": _grid_id(first)}
            for grid, first in stands.grids.items()
        ],
        "feeders": list(_feeders(stands)),
        "assets": [*map(_bin, stands.bins), *map(_plant, stands.plants)],
        "devices": [
            {**row, "installed_at": installed} for row in (*map(_sensor, stands.bins), *map(_logger, stands.plants))
        ],
    }


def _signature(county: str) -> str:
    """Who signs the texts, in the four characters that a signature may have: 湘阳环卫."""
    stem = county[:-1] if len(county) > SHORTEST and county[-1] in "县市区旗" else county
    return f"{stem}环卫" if len(stem) == SHORTEST else stem[:SIGNATURE]


def _grid_id(village: Village) -> str:
    return f"grid-{village.grid + 1}"


def _areas(stands: Fleet) -> Iterator[dict[str, Any]]:
    """Towns first, then grids, then villages: every parent stands before its children."""
    for town in stands.towns:
        yield {"id": town.latin, "name": town.name, "level": "town"}
    for first in stands.grids.values():
        parent = stands.towns[first.town].latin
        yield {"id": _grid_id(first), "name": f"{first.place.name}片", "level": "grid", "parent": parent}
    for village in stands.villages:
        name = f"{village.place.name}村"
        yield {"id": village.place.latin, "name": name, "level": "village", "parent": _grid_id(village)}


def _people(stands: Fleet, rng: Random) -> Iterator[dict[str, Any]]:
    """A cleaner and a head in each village, a driver in each grid, crew, dispatcher and leader in each town."""
    for village in stands.villages:
        area = village.place.latin
        yield _person(f"cleaner-{area}", called(rng.choice(CLEANERS), rng), role="cleaner", area=area)
        yield _person(f"head-{area}", called("书记", rng), role="village_head", area=area)
    for grid, stops in _stops(stands).items():
        if stops:
            yield _person(f"driver-{grid + 1}", called("师傅", rng), role="collector", route=_route_id(grid))
    for town in stands.towns:
        area = town.latin
        yield _person(f"crew-{area}", called("工", rng), role="crew", area=area)
        yield _person(f"dispatcher-{area}", called("调度", rng), role="dispatcher", area=area, hours="07:00-21:00")
        yield _person(f"leader-{area}", called("镇长", rng), role="town_leader", area=area)


def _person(person: str, name: str, **duty: str) -> dict[str, Any]:
    return {"id": person, "name": name, "duties": [duty]}


def _numbered(people: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": person["id"], "name": person["name"], "phone": str(FIRST_PHONE + i), "duties": person["duties"]}
        for i, person in enumerate(people)
    ]


def _stops(stands: Fleet) -> dict[int, list[str]]:
    """The pools that the grid's truck empties on its rounds; every other site is its cleaner's."""
    stops: dict[int, list[str]] = {grid: [] for grid in stands.grids}
    for site in stands.bins:
        if site.pool and site.rounds:
            stops[site.village.grid].append(site.asset)
    return stops


def _route_id(grid: int) -> str:
    return f"r{grid + 1}"


def _routes(stands: Fleet) -> Iterator[dict[str, Any]]:
    for grid, stops in _stops(stands).items():
        if stops:
            yield {"id": _route_id(grid), "name": f"{grid + 1}号车", "stops": stops}


def _feeders(stands: Fleet) -> Iterator[dict[str, Any]]:
    """A town's only feeder has its name; where there are more they are counted."""
    for i, town in enumerate(stands.towns):
        for nth in range(stands.feeders):
            counted = "" if stands.feeders == 1 else "甲乙丙丁戊己庚辛壬"[nth]
            yield {"id": feeder_id(i * stands.feeders + nth), "name": f"{town.stem}{counted}线", "area": town.latin}


def _location(number: int, village: Village) -> dict[str, float]:
    """A place on a loose lattice of villages, sites some hundred metres apart; WGS-84 degrees."""
    lat = SOUTH + 0.03 * (village.grid % 12) + 0.0031 * (number % 7)
    lon = WEST + 0.03 * (village.town % 20) + 0.0029 * (number % 11)
    return {"lat": round(lat, 4), "lon": round(lon, 4)}


def _placed(site: AnySite, kind: AssetKind) -> dict[str, Any]:
    """What every asset's row begins with."""
    return {
        "id": site.asset,
        "kind": str(kind),
        "name": site.name,
        "short": site.short,
        "landmark": site.landmark,
        "area": site.village.place.latin,
        "location": _location(site.number, site.village),
    }


def _given(row: dict[str, Any]) -> dict[str, Any]:
    """The row without the keys of which the office would say nothing."""
    return {key: value for key, value in row.items() if value is not None and value is not False}


def _bin(site: BinSite) -> dict[str, Any]:
    return _given(
        {
            **_placed(site, AssetKind.BIN),
            "roadside": site.roadside,
            "priority": site.priority,
            "collection": {"rounds": list(site.rounds), "days": "daily"} if site.rounds else None,
            "bin": {
                "container": "pool" if site.pool else "bin",
                "empty_mm": site.claimed_mm,
                "full_mm": site.geometry.full_mm,
                "blind_mm": site.geometry.blind_mm,
                "volume_m3": site.geometry.volume_m3,
                "counts_for_score": site.pool,
            },
        }
    )


def _plant(site: PlantSite) -> dict[str, Any]:
    """A plant's row; of what nothing tells, the office has never written down a figure."""
    sensed, claimed = SENSED[site.signals], site.claimed
    plant = {
        "design_m3d": claimed.design_m3d,
        "duty": "intermittent",
        "low_cutoff_m3h": 0.1,
        "households": site.design_m3d * 3,
        "feeder": site.feeder,
        "rated_current_a": claimed.rated_current_a if "pump_current_a" in sensed else None,
        "start_level_mm": claimed.start_level_mm if "level_mm" in sensed else None,
        "alarm_level_mm": site.alarm_level_mm if "level_mm" in sensed else None,
    }
    return {**_placed(site, AssetKind.PLANT), "plant": _given(plant)}


def _sensor(site: BinSite) -> dict[str, Any]:
    return _given(
        {
            "id": site.device,
            "asset": site.asset,
            "profile": "native" if site.native else EM400,
            "dev_eui": None if site.native else site.dev_eui,
            "power": "battery",
            "interval_s": site.interval_s,
            "radio_gateway": site.radio_gateway,
        }
    )


def _logger(site: PlantSite) -> dict[str, Any]:
    return {
        "id": site.device,
        "asset": site.asset,
        "profile": "native",
        "power": "mains",
        "interval_s": site.interval_s,
    }
