"""What stands in a simulated county: places, bins, plants and the device on each, as its scenario and seed decide.

Only facts that stay for the whole run; what happens to them is ``story``, and who answers for them is ``county``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from random import Random
from typing import Final, NamedTuple, TypeAlias

from firmware_sim.names import LANDMARKS, PlaceName, places
from firmware_sim.scenario import Scenario, ScenarioError, ScriptedSite, SignalSet

GRID_VILLAGES: Final = 4
"""Villages of one grid (片); a grid has one radio gateway."""

PERSONS_PER_HOUSEHOLD: Final = 3.73
BULK_KG_M3: Final = 263.0
WASTE_KG: Final = 0.52
"""Waste a person and day, the median; a site's own habit spreads around it (simulator.md)."""

HABIT_SIGMA: Final = 0.45
ONE_ROUND_PCT: Final = 40.0
"""A site that fills faster than this in a day has a second round."""

FLOOR_OFF: Final = 0.20
"""By how much of itself a floor may be wrong in an inventory (issue F)."""

DESIGN_OFF: Final = (0.5, 0.7, 1.5, 2.0)
CURRENT_OFF: Final = (0.7, 0.8, 1.25, 1.5)
START_OFF: Final = (0.75, 0.85, 1.15, 1.3)
"""How many times too much a plant's figures may say [A]."""

TOWNS: Final = ("街道", "镇", "乡")
"""What a town's name ends in."""

POOL_HOUSEHOLDS: Final = 100
BIN_HOUSEHOLDS: Final = 10


class Geometry(NamedTuple):
    """Distances of a sensor in mm and the volume in m³ of what it looks into."""

    empty_mm: int
    full_mm: int
    blind_mm: int
    volume_m3: float


POOLS: Final = (Geometry(1200, 200, 250, 3.0), Geometry(1400, 250, 250, 3.0), Geometry(1100, 200, 250, 3.0))
BINS: Final = (Geometry(1000, 150, 250, 0.24), Geometry(950, 150, 250, 0.24))


class Town(NamedTuple):
    """A town as it is called (石桥镇), and its id."""

    name: str
    latin: str

    @property
    def stem(self) -> str:
        """What its lines are named after: 石桥."""
        for kind in TOWNS:
            if self.name.endswith(kind):
                return self.name.removesuffix(kind)
        return self.name


@dataclass(frozen=True, slots=True)
class Village:
    """A village, with the numbers of its town and its grid."""

    place: PlaceName
    town: int
    grid: int


@dataclass(frozen=True, slots=True)
class BinSite:
    """A pool or a bin with its sensor, and its mean filling in % a day; without ``rounds`` it is emptied on demand.

    ``claimed_mm`` is how far its floor is by the inventory; ``geometry`` is what is so.
    """

    device: str
    number: int
    asset: str
    name: str
    short: str
    landmark: str
    village: Village
    radio_gateway: str
    pool: bool
    geometry: Geometry
    rounds: tuple[str, ...]
    roadside: bool
    priority: bool
    native: bool
    dev_eui: str
    interval_s: int
    fill_pct: float
    per_day_pct: float
    claimed_mm: int


class PlantClaim(NamedTuple):
    """The figures of a plant in the inventory: m³ a day, A and mm."""

    design_m3d: int
    rated_current_a: float
    start_level_mm: int


@dataclass(frozen=True, slots=True)
class PlantSite:
    """A sewage plant with its logger: what it was built for (m³ a day, A, mm, m², m³/h) and the share of it it gets.

    What is ``claimed`` stands in the inventory, whatever is so.
    """

    device: str
    number: int
    asset: str
    name: str
    short: str
    landmark: str
    village: Village
    feeder: str
    interval_s: int
    design_m3d: int
    load: float
    rated_current_a: float
    start_level_mm: int
    stop_level_mm: int
    alarm_level_mm: int | None
    well_m2: float
    pump_m3h: float
    signals: SignalSet
    claimed: PlantClaim

    @property
    def meter_only(self) -> bool:
        """Whether nothing but a flow meter tells of it."""
        return self.signals is SignalSet.FLOW


AnySite: TypeAlias = BinSite | PlantSite


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that stands in the county. Towns, grids and feeders are named by index; a town has ``feeders``."""

    feeders: int
    towns: tuple[Town, ...]
    villages: tuple[Village, ...]
    bins: tuple[BinSite, ...]
    plants: tuple[PlantSite, ...]

    @property
    def sites(self) -> tuple[AnySite, ...]:
        """Bins, then plants: everything that has a device."""
        return (*self.bins, *self.plants)

    @property
    def grids(self) -> dict[int, Village]:
        """The first village of each grid, which lends the grid its name."""
        first: dict[int, Village] = {}
        for village in self.villages:
            first.setdefault(village.grid, village)
        return first


@lru_cache(maxsize=4)
def fleet(scenario: Scenario) -> Fleet:
    """What a scenario's county consists of. A site's particulars depend on the seed and its own device id alone.

    Raises ``ScenarioError`` if ``sites`` describes a bin that the fleet does not have, or names run out.
    """
    order = scenario.fleet
    try:
        named = places(order.towns * (order.villages + 1), Random(f"{scenario.seed}/places"))
    except ValueError as fault:
        raise ScenarioError(f"fleet: {fault}") from fault
    called = scenario.names.towns or tuple(f"{place.name}镇" for place in named[: order.towns])
    towns = tuple(Town(name, place.latin) for name, place in zip(called, named, strict=False))
    grids_a_town = ceil(order.villages / GRID_VILLAGES)
    villages = tuple(
        Village(place, i // order.villages, i // order.villages * grids_a_town + i % order.villages // GRID_VILLAGES)
        for i, place in enumerate(named[order.towns :])
    )
    said = {site.device: site for site in scenario.sites}
    bins = tuple(_bin(scenario, villages, i, said.pop(_bin_id(i), None)) for i in range(order.bins))
    if said:
        raise ScenarioError(f"sites: there is no bin {', '.join(sorted(said))}; the last is {_bin_id(order.bins - 1)}")
    return Fleet(order.feeders, towns, villages, bins, tuple(_plants(scenario, villages)))


def gateway_id(grid: int) -> str:
    """The radio gateway of a grid."""
    return f"g{grid + 1:02d}"


def feeder_id(number: int) -> str:
    """A feeder; those of the first town come first."""
    return f"f{number + 1:02d}"


def _bin_id(index: int) -> str:
    return f"bin-{index + 1:04d}"


def _bin(scenario: Scenario, villages: tuple[Village, ...], index: int, said: ScriptedSite | None) -> BinSite:
    order = scenario.fleet
    device = _bin_id(index)
    rng = Random(f"{scenario.seed}/{device}/site")
    village = villages[index % len(villages)]
    nth = index // len(villages) + 1
    pool = rng.random() < order.pools
    on_demand = rng.random() < order.no_rounds
    afternoon = rng.random() < order.afternoon
    roadside = rng.random() < order.roadside
    priority = rng.random() < order.priority
    native = rng.random() >= order.chirpstack
    geometry = rng.choice(POOLS if pool else BINS)
    fill_pct = rng.uniform(*order.fill_pct)
    households = (POOL_HOUSEHOLDS if pool else BIN_HOUSEHOLDS) * rng.lognormvariate(0, 0.2)
    kg = households * PERSONS_PER_HOUSEHOLD * WASTE_KG * rng.lognormvariate(0, HABIT_SIGMA)
    per_day_pct = min(100 * kg / BULK_KG_M3 / geometry.volume_m3, 120.0)
    rounds: tuple[str, ...] = ("am", "pm") if afternoon or per_day_pct > ONE_ROUND_PCT else ("am",)
    if pool and on_demand:
        rounds = ()
    site = BinSite(
        device=device,
        number=index,
        asset=f"{village.place.latin}-{nth:02d}",
        name=f"{village.place.name}村{nth}号垃圾{'池' if pool else '桶'}",
        short=f"{village.place.name}{nth}号",
        landmark=rng.choice(LANDMARKS),
        village=village,
        radio_gateway=gateway_id(village.grid),
        pool=pool,
        geometry=geometry,
        rounds=rounds,
        roadside=roadside,
        priority=priority,
        native=native,
        dev_eui=f"24e124{index + 1:010x}",
        interval_s=order.bin_interval_s,
        fill_pct=fill_pct,
        per_day_pct=per_day_pct,
        claimed_mm=_claimed_floor_mm(scenario, device, geometry),
    )
    return site if said is None else replace(site, **said.model_dump(exclude_none=True))


def _claimed_floor_mm(scenario: Scenario, device: str, geometry: Geometry) -> int:
    """What whoever put the sensor up wrote down: in a real county some were never measured."""
    rng = Random(f"{scenario.seed}/{device}/figures")
    if not scenario.is_real or rng.random() >= scenario.reality.wrong_figures:
        return geometry.empty_mm
    off = rng.choice((-1, 1)) * rng.uniform(0.04, FLOOR_OFF)
    return round(geometry.empty_mm * (1 + off) / 10) * 10


def _plants(scenario: Scenario, villages: tuple[Village, ...]) -> Iterator[PlantSite]:
    """Spread over the villages where nothing else is said; a village that has one already gets a second one."""
    order, standing = scenario.fleet, Counter[int]()
    evenly = order.plants <= len(villages)
    for index in range(order.plants):
        number = index * len(villages) // order.plants if evenly else index
        if index < len(order.plant_villages):
            number = order.plant_villages[index]
        number %= len(villages)
        standing[number] += 1
        yield _plant(scenario, villages[number], index, standing[number])


def _plant(scenario: Scenario, village: Village, index: int, number: int) -> PlantSite:
    order = scenario.fleet
    device = f"plant-{index + 1:04d}"
    rng = Random(f"{scenario.seed}/{device}/site")
    nth = "" if number == 1 else str(number)
    design = round(rng.lognormvariate(3.7, 0.6) / 5) * 5
    design = max(10, min(300, design))
    load = rng.uniform(0.35, 0.9)
    mean_m3h = design * load / 24
    stroke_m3 = mean_m3h * rng.uniform(0.6, 1.2)  # a stroke's worth of water comes in about an hour
    start, stop = rng.choice(((900, 300), (1000, 400), (800, 250)))
    landmark = rng.choice(LANDMARKS)
    rated_current_a = round(rng.uniform(2.5, 12.0), 1)
    pump_m3h = stroke_m3 / rng.uniform(0.12, 0.3) + mean_m3h
    # The first plant always has every signal, so that a scenario can count on it.
    meter_only = index > 0 and rng.random() < order.meter_only
    usual = SignalSet.FLOW if meter_only else SignalSet.FLOW_LEVEL_CURRENT_MAINS
    return PlantSite(
        device=device,
        number=index,
        asset=f"{village.place.latin}-plant{nth}",
        name=f"{village.place.name}{nth}污水站",
        short=f"{village.place.name}{nth}站",
        landmark=landmark,
        village=village,
        feeder=feeder_id(village.town * order.feeders + index % order.feeders),
        interval_s=order.plant_interval_s,
        design_m3d=design,
        load=load,
        rated_current_a=rated_current_a,
        start_level_mm=start,
        stop_level_mm=stop,
        alarm_level_mm=start + 500 if index % 2 else None,
        well_m2=stroke_m3 / ((start - stop) / 1000),
        pump_m3h=pump_m3h,
        signals=_signals_in_turn(scenario, index, usual),
        claimed=_claimed(scenario, device, PlantClaim(design, rated_current_a, start)),
    )


def _signals_in_turn(scenario: Scenario, index: int, usual: SignalSet) -> SignalSet:
    """The set that is this plant's turn; a real county, where nothing is ordered, has all of them in its own order."""
    sets = scenario.fleet.signal_sets
    if not sets and scenario.is_real:
        sets = tuple(Random(f"{scenario.seed}/signals").sample(list(SignalSet), len(SignalSet)))
    return sets[index % len(sets)] if sets else usual


def _claimed(scenario: Scenario, device: str, true: PlantClaim) -> PlantClaim:
    """What the office wrote down of a plant: in a real county some figures are of another pump, or another plan."""
    rng = Random(f"{scenario.seed}/{device}/figures")
    said = true
    if not scenario.is_real:
        return true
    if rng.random() < scenario.reality.wrong_figures:
        said = said._replace(design_m3d=max(5, round(true.design_m3d * rng.choice(DESIGN_OFF) / 5) * 5))
    if rng.random() < scenario.reality.wrong_figures:
        said = said._replace(rated_current_a=round(true.rated_current_a * rng.choice(CURRENT_OFF), 1))
    if rng.random() < scenario.reality.wrong_figures:
        said = said._replace(start_level_mm=round(true.start_level_mm * rng.choice(START_OFF) / 10) * 10)
    return said
