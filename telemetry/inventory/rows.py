"""Who and what there is in a county: areas, people, assets, devices, one row of an inventory each.

The type of a field says what a file may write there and what that becomes; pydantic asks it where a file is read, and a
row that code makes is taken as it is. A row is judged by itself: whether the ids in it exist is for ``checks``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    ValidateAs,
    with_config,
)

from telemetry.inventory.faults import Vocabulary, refusal, shown
from telemetry.inventory.fields import (
    BY_VOICE,
    WEEK_S,
    Amount,
    Areas,
    DevEui,
    Id,
    Landmark,
    Length,
    Moment,
    Name,
    OfficePhone,
    PersonName,
    PersonPhone,
    Reach,
    Reference,
    ShortName,
    Signature,
    Span,
    Weekday,
    Zone,
    day_numbers,
    relay_of,
)
from telemetry.terms import AssetKind, Container, DutyCycle, Hours, Level, Power, Role

APPLICATION_PORTS: Final = 223
"""The highest LoRaWAN port that is an application's own; those above are the standard's."""

MARGIN_MM: Final = 50
"""By how much two thirds must lie beyond the blind zone (domain.md, commissioning check)."""

_row = with_config(ConfigDict(extra="forbid"))
"""A mapping of the file: keys that it does not know are refused."""


def _rounds_in_order(rounds: dict[str, Hours]) -> dict[str, Hours]:
    """Refuse rounds that run over midnight or into each other."""
    for name, hours in rounds.items():
        if hours.end < hours.start:
            raise refusal("ends before it starts", "A round starts and ends on the same day.", name)
    ordered = sorted(rounds.items(), key=lambda item: (item[1].start, item[1].end))
    for (earlier, first), (later, second) in pairwise(ordered):
        if second.start < first.end:
            raise refusal(f"overlaps round {shown(earlier)}", "Let one end before the next starts.", later)
    return rounds


@_row
@dataclass(frozen=True, slots=True)
class CountySettings:
    """The whole: identity, local time, the signature its texts carry, and the named collection rounds."""

    id: Id
    name: Name
    timezone: Zone
    signature: Signature
    office_phone: OfficePhone | None = None
    rounds: Annotated[Mapping[str, Hours], ValidateAs(dict[Name, Span], _rounds_in_order)] = field(default_factory=dict)


@_row
@dataclass(frozen=True, slots=True)
class Area:
    """A node of the area tree; without a parent it hangs below the county."""

    id: Id
    name: Name
    level: Level
    parent: Reference | None = None
    trial_until: Moment | None = None


@_row
@dataclass(frozen=True, slots=True)
class Duty:
    """One role of a person, in an area or (collectors) on a route; without hours always on duty."""

    role: Role
    area: Reference | None = None
    route: Reference | None = None
    hours: Span | None = None


def _belongs(duty: Duty) -> Duty:
    """Refuse a collector without a route, and anybody else without an area."""
    needed, other = ("route", "area") if duty.role is Role.COLLECTOR else ("area", "route")
    if getattr(duty, other) is not None:
        raise refusal(f"a {duty.role} has no {other}", f"Give a {needed} instead.", other)
    if getattr(duty, needed) is None:
        raise refusal(f"a {duty.role} needs one", f"Add the {needed} the duty is for.", needed)
    return duty


_REACH: Final = "reach"
"""The one key of the file from which two fields of a person are read."""


def _relay(reach: object) -> str | None:
    return relay_of(reach) if isinstance(reach, str) else None  # what is no text is refused once, by the other field


@_row
@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. ``phone`` has been checked to be one.

    Texts to somebody with a ``relay`` go to that person's phone; who cannot read them (``by_voice``) is called.
    """

    id: Id
    name: PersonName
    phone: PersonPhone
    duties: tuple[Annotated[Duty, AfterValidator(_belongs)], ...]
    stand_in: Reference | None = None
    by_voice: Annotated[bool, Field(validation_alias=_REACH), ValidateAs(Reach, lambda reach: reach == BY_VOICE)] = (
        False
    )
    relay: Annotated[str | None, Field(validation_alias=_REACH), BeforeValidator(_relay)] = None


@_row
@dataclass(frozen=True, slots=True)
class Route:
    """A collection truck's stops, in order."""

    id: Id
    name: Name
    stops: tuple[Reference, ...]


@_row
@dataclass(frozen=True, slots=True)
class RadioGateway:
    """A radio gateway that carries the uplinks of battery devices."""

    id: Id
    name: Name
    area: Reference


@_row
@dataclass(frozen=True, slots=True)
class Feeder:
    """A power line that feeds plants."""

    id: Id
    name: Name
    area: Reference


@_row
@dataclass(frozen=True, slots=True)
class Location:
    """WGS-84 degrees."""

    lat: Annotated[FiniteFloat, Field(ge=-90, le=90)]
    lon: Annotated[FiniteFloat, Field(ge=-180, le=180)]


@dataclass(frozen=True, slots=True)
class Collection:
    """When a bin is emptied: which county rounds, daily or on some weekdays (Monday 0) or lunar days by last digit."""

    rounds: tuple[str, ...]
    weekdays: frozenset[int] | None = None
    lunar_ends: frozenset[int] | None = None


@_row
@dataclass(frozen=True, slots=True)
class _LunarDays:
    """Lunar days by their last digit: 2, 5, 8 for the 2nd, 5th, 8th, 12th and so on."""

    lunar_ends: Annotated[frozenset[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1)]


def _form_of_days(value: object) -> str:
    if isinstance(value, dict):
        return "<lunar>"
    return "<weekdays>" if isinstance(value, list) else "<daily>"


@_row
@dataclass(frozen=True, slots=True)
class _CollectionForm:
    """``collection`` as the file has it: one key for days of either kind."""

    rounds: Annotated[tuple[Reference, ...], Field(min_length=1)]
    days: Annotated[
        Annotated[Literal["daily"], Tag("<daily>")]
        | Annotated[Annotated[frozenset[Weekday], Field(min_length=1)], Tag("<weekdays>")]
        | Annotated[_LunarDays, Tag("<lunar>")],
        Discriminator(_form_of_days),
    ] = "daily"

    def collection(self) -> Collection:
        """Give the collection."""
        if isinstance(self.days, _LunarDays):
            return Collection(self.rounds, lunar_ends=self.days.lunar_ends)
        return Collection(self.rounds, None if self.days == "daily" else day_numbers(self.days))


@_row
@dataclass(frozen=True, slots=True)
class BinGeometry:
    """Distances along the sensor's axis in mm: to the empty floor, to the full line, and the sensor's blind zone."""

    empty_mm: Length
    full_mm: Length
    blind_mm: Length
    container: Container = Container.POOL
    volume_m3: Amount | None = None
    counts_for_score: bool = True

    @property
    def height_mm(self) -> float:
        """From full to empty."""
        return self.empty_mm - self.full_mm


def _can_be_commissioned(made: BinGeometry) -> BinGeometry:
    """Refuse a bin whose sensor does not see two thirds well outside its blind zone."""
    if made.empty_mm <= made.full_mm:
        raise refusal(
            f"full at {made.full_mm:g} mm is not nearer to the sensor than empty at {made.empty_mm:g} mm",
            "Both are distances from the sensor: empty_mm to the floor, full_mm to the full line.",
            "full_mm",
        )
    line = made.full_mm + made.height_mm / 3
    needed = made.blind_mm + MARGIN_MM
    if line <= needed:
        raise refusal(
            f"two thirds would be hidden: full_mm {made.full_mm:g} + height {made.height_mm:g} / 3 = {line:.0f} mm"
            f" does not exceed blind_mm {made.blind_mm:g} + {MARGIN_MM} = {needed:g} mm",
            f"Mount the sensor at least {int(needed - line) + 1} mm higher and measure empty_mm and full_mm again,"
            " or take one with a shorter blind zone.",
            "full_mm",
        )
    return made


@_row
@dataclass(frozen=True, slots=True)
class PlantDesign:
    """What a plant was built for and what its signals mean."""

    design_m3d: Amount
    duty: DutyCycle = DutyCycle.INTERMITTENT
    low_cutoff_m3h: Annotated[FiniteFloat, Field(ge=0, le=100_000)] | None = None
    rated_current_a: Annotated[FiniteFloat, Field(gt=0, le=10_000)] | None = None
    start_level_mm: Length | None = None
    alarm_level_mm: Length | None = None
    households: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    feeder: Reference | None = None
    duty_windows: tuple[Span, ...] = ()
    rest_days: Annotated[frozenset[int], ValidateAs(frozenset[Weekday], day_numbers)] = frozenset()


@_row
@dataclass(frozen=True, slots=True)
class Asset:
    """A bin or a plant: one of ``bin`` and ``plant`` is set. A border asset names a second area."""

    id: Id
    kind: AssetKind
    name: Name
    short: ShortName
    areas: Annotated[Areas, Field(validation_alias="area")]
    landmark: Landmark | None = None
    location: Location | None = None
    roadside: bool = False
    priority: bool = False
    collection: Annotated[Collection, ValidateAs(_CollectionForm, _CollectionForm.collection)] | None = None
    trial_until: Moment | None = None
    bin: Annotated[BinGeometry, AfterValidator(_can_be_commissioned)] | None = None
    plant: PlantDesign | None = None
    renamed_from: Id | None = None
    """The id that it had before: what is known under that one is of this asset."""

    @property
    def area(self) -> str:
        """The first of its areas: where it is counted."""
        return self.areas[0]


@_row
@dataclass(frozen=True, slots=True)
class AssetRow(Asset):
    """An asset as the file has it: one that is retired is still written there."""

    retired: bool = False

    def asset(self) -> Asset:
        """Give the asset."""
        return Asset(*(getattr(self, each.name) for each in fields(Asset)))


@_row
@dataclass(frozen=True, slots=True)
class _SettingsForm:
    """``settings`` of a device as the file has them: what was changed in it and decides what its bytes mean."""

    f_port: Annotated[int, Field(ge=1, le=APPLICATION_PORTS)] | None = None

    def settings(self) -> dict[str, float]:
        """Give those that are set."""
        return {} if self.f_port is None else {"f_port": self.f_port}


@_row
@dataclass(frozen=True, slots=True)
class Device:
    """A sensor on an asset. ``profile`` names its codec, ``native`` speaks our own JSON.

    ``settings`` are those of its codec that were changed in the device, by name.
    """

    id: Id
    asset: Reference
    profile: Reference
    power: Power
    interval_s: Annotated[int, Field(ge=1, le=WEEK_S)]
    installed_at: Moment
    dev_eui: DevEui | None = None
    radio_gateway: Reference | None = None
    trial_until: Moment | None = None
    settings: Annotated[Mapping[str, float], ValidateAs(_SettingsForm, _SettingsForm.settings)] = field(
        default_factory=dict, hash=False
    )


LISTS: Final[Mapping[str, type]] = {
    "areas": Area,
    "people": Person,
    "routes": Route,
    "radio_gateways": RadioGateway,
    "feeders": Feeder,
    "assets": AssetRow,
    "devices": Device,
}
"""What a row is, by the list it stands in; all lists are optional."""

_PARTS: Final[Mapping[str, type]] = {
    "duties": Duty,
    "location": Location,
    "collection": _CollectionForm,
    "days": _LunarDays,
    "bin": BinGeometry,
    "plant": PlantDesign,
    "settings": _SettingsForm,
}
"""What each mapping inside a row is, by the key it stands under."""

_WRITTEN: Final = {"areas": "area", "by_voice": _REACH, "relay": _REACH}
"""The key under which a field stands in a file, where it has another name there."""


def keys_at(path: tuple[str | int, ...], row: type) -> Vocabulary:
    """The keys of the mapping that a path leads to: that under the last key on it, else the row itself."""
    keys = [step for step in path if isinstance(step, str)]
    part = _PARTS[keys[-1]] if keys else row
    return Vocabulary(_WRITTEN.get(each.name, each.name) for each in fields(part))
