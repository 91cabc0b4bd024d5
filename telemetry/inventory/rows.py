"""Who and what there is in a county: areas, people, assets, devices, one row of an inventory each.

Only facts live here; how one is found from another is ``model``, and what a fact means for an alert is ``alerts``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from telemetry.terms import AssetKind, Container, DutyCycle, Hours, Level, Power, Role


@dataclass(frozen=True, slots=True)
class CountySettings:
    """The whole: identity, local time, the signature its texts carry, and the named collection rounds."""

    id: str
    name: str
    timezone: str
    signature: str
    office_phone: str | None = None
    rounds: Mapping[str, Hours] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """A node of the area tree; without a parent it hangs below the county."""

    id: str
    name: str
    level: Level
    parent: str | None = None
    trial_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One role of a person, in an area or (collectors) on a route; without hours always on duty."""

    role: Role
    area: str | None = None
    route: str | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. ``phone`` has been checked to be one.

    Texts to somebody with a ``relay`` go to that person's phone; who cannot read them (``by_voice``) is called.
    """

    id: str
    name: str
    phone: str
    duties: tuple[Duty, ...]
    stand_in: str | None = None
    by_voice: bool = False
    relay: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A collection truck's stops, in order."""

    id: str
    name: str
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RadioGateway:
    """A radio gateway that carries the uplinks of battery devices."""

    id: str
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class Feeder:
    """A power line that feeds plants."""

    id: str
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class Location:
    """WGS-84 degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Collection:
    """When a bin is emptied: which county rounds, daily or on some weekdays (Monday 0) or lunar days by last digit."""

    rounds: tuple[str, ...]
    weekdays: frozenset[int] | None = None
    lunar_ends: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class BinGeometry:
    """Distances along the sensor's axis in mm: to the empty floor, to the full line, and the sensor's blind zone."""

    empty_mm: float
    full_mm: float
    blind_mm: float
    container: Container = Container.POOL
    volume_m3: float | None = None
    counts_for_score: bool = True

    @property
    def height_mm(self) -> float:
        """From full to empty."""
        return self.empty_mm - self.full_mm


@dataclass(frozen=True, slots=True)
class PlantDesign:
    """What a plant was built for and what its signals mean."""

    design_m3d: float
    duty: DutyCycle = DutyCycle.INTERMITTENT
    low_cutoff_m3h: float | None = None
    rated_current_a: float | None = None
    start_level_mm: float | None = None
    alarm_level_mm: float | None = None
    households: int | None = None
    feeder: str | None = None
    duty_windows: tuple[Hours, ...] = ()
    rest_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Asset:
    """A bin or a plant: one of ``bin`` and ``plant`` is set. A border asset names a second area."""

    id: str
    kind: AssetKind
    name: str
    short: str
    areas: tuple[str, ...]
    landmark: str | None = None
    location: Location | None = None
    roadside: bool = False
    priority: bool = False
    collection: Collection | None = None
    trial_until: datetime | None = None
    bin: BinGeometry | None = None
    plant: PlantDesign | None = None
    renamed_from: str | None = None
    """The id that it had before: what is known under that one is of this asset."""

    @property
    def area(self) -> str:
        """The first of its areas: where it is counted."""
        return self.areas[0]


@dataclass(frozen=True, slots=True)
class Device:
    """A sensor on an asset. ``profile`` names its codec, ``native`` speaks our own JSON.

    ``settings`` are those of its codec that were changed in the device, by name.
    """

    id: str
    asset: str
    profile: str
    power: Power
    interval_s: int
    installed_at: datetime
    dev_eui: str | None = None
    radio_gateway: str | None = None
    trial_until: datetime | None = None
    settings: Mapping[str, float] = field(default_factory=dict, hash=False)
