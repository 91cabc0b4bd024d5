"""What stands in a county and measures there: bins, plants and the devices on them, a row of a file each.

A row is judged by itself: whether the ids in it exist is for ``checks``, where it is looked up for ``model``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    FiniteFloat,
    PlainValidator,
    Tag,
    TypeAdapter,
    ValidateAs,
    ValidationInfo,
)

from telemetry.inventory.faults import refusal
from telemetry.inventory.fields import (
    WEEK_S,
    Amount,
    Areas,
    DevEui,
    Id,
    Landmark,
    Length,
    Moment,
    Name,
    Reference,
    ShortName,
    Span,
    Weekday,
    day_numbers,
    file_row,
)
from telemetry.terms import AssetKind, Container, DutyCycle, Power

APPLICATION_PORTS: Final = 223
"""The highest LoRaWAN port that is an application's own; those above are the standard's."""

CodecSettings: TypeAlias = Mapping[str, tuple[str, ...]]
"""The names of what may be set in a device, by its profile."""

MARGIN_MM: Final = 50
"""By how much two thirds must lie beyond the blind zone (domain.md, commissioning check)."""


@file_row
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


@file_row
@dataclass(frozen=True, slots=True)
class LunarDays:
    """Lunar days by their last digit: 2, 5, 8 for the 2nd, 5th, 8th, 12th and so on."""

    lunar_ends: Annotated[frozenset[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1)]


def _form_of_days(value: object) -> str:
    if isinstance(value, dict):
        return "<lunar>"
    return "<weekdays>" if isinstance(value, list) else "<daily>"


@file_row
@dataclass(frozen=True, slots=True)
class CollectionForm:
    """``collection`` as the file has it: one key for days of either kind."""

    rounds: Annotated[tuple[Reference, ...], Field(min_length=1)]
    days: Annotated[
        Annotated[Literal["daily"], Tag("<daily>")]
        | Annotated[Annotated[frozenset[Weekday], Field(min_length=1)], Tag("<weekdays>")]
        | Annotated[LunarDays, Tag("<lunar>")],
        Discriminator(_form_of_days),
    ] = "daily"

    def collection(self) -> Collection:
        """Give the collection."""
        if isinstance(self.days, LunarDays):
            return Collection(self.rounds, lunar_ends=self.days.lunar_ends)
        return Collection(self.rounds, None if self.days == "daily" else day_numbers(self.days))


@file_row
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


@file_row
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


@file_row
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
    collection: Annotated[Collection, ValidateAs(CollectionForm, CollectionForm.collection)] | None = None
    trial_until: Moment | None = None
    bin: Annotated[BinGeometry, AfterValidator(_can_be_commissioned)] | None = None
    plant: PlantDesign | None = None
    renamed_from: Id | None = None
    """The id that it had before: what is known under that one is of this asset."""

    @property
    def area(self) -> str:
        """The first of its areas: where it is counted."""
        return self.areas[0]


@file_row
@dataclass(frozen=True, slots=True)
class AssetRow(Asset):
    """An asset as the file has it: one that is retired is still written there."""

    retired: bool = False

    def asset(self) -> Asset:
        """Give the asset."""
        return Asset(*(getattr(self, each.name) for each in fields(Asset)))


@cache
def settings_form(own: tuple[str, ...] = ()) -> type:
    """``settings`` of a device as the file has them: what was changed in it and decides what its bytes mean.

    Each has its port; ``own`` are the names of what else its codec asks for, each any number.
    """
    port = ("f_port", Annotated[int, Field(ge=1, le=APPLICATION_PORTS)] | None, None)
    others = [(name, FiniteFloat | None, None) for name in own if name != port[0]]
    return file_row(make_dataclass("SettingsForm", [port, *others], frozen=True))


def own_settings(profile: object, known: CodecSettings | None) -> tuple[str, ...]:
    """What the codec of a profile asks for; nothing where there is none by this name."""
    return (known or {}).get(profile, ()) if isinstance(profile, str) else ()


@cache
def _settings_reader(own: tuple[str, ...]) -> TypeAdapter[Any]:
    return TypeAdapter(settings_form(own))


def _settings(said: object, row: ValidationInfo) -> dict[str, float]:
    """Those that are set, read by the form of the row's own profile."""
    form = _settings_reader(own_settings(row.data.get("profile"), row.context)).validate_python(said)
    return {name: value for name, value in vars(form).items() if value is not None}


@file_row
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
    settings: Annotated[Mapping[str, float], PlainValidator(_settings)] = field(default_factory=dict, hash=False)
