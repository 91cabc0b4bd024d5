"""The shape of one asset in an inventory file: where it is, how a bin is built and emptied, how a plant is designed.

An asset is judged by itself; whether the ids in it exist is for ``checks``.
"""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from telemetry.inventory.fields import (
    Amount,
    Areas,
    Id,
    Landmark,
    Length,
    Moment,
    Name,
    Reference,
    Shape,
    ShortName,
    Span,
    Weekday,
    day_numbers,
    refusal,
)
from telemetry.inventory.rows import Asset, BinGeometry, Collection, Location, PlantDesign
from telemetry.terms import AssetKind, Container, DutyCycle

MARGIN_MM: Final = 50
"""By how much two thirds must lie beyond the blind zone (domain.md, commissioning check)."""


class LocationShape(Shape):
    """``location`` of an asset, WGS-84 degrees."""

    lat: Annotated[FiniteFloat, Field(ge=-90, le=90)]
    lon: Annotated[FiniteFloat, Field(ge=-180, le=180)]

    def build(self) -> Location:
        """Give the location."""
        return Location(self.lat, self.lon)


class LunarShape(Shape):
    """Lunar days by their last digit: 2, 5, 8 for the 2nd, 5th, 8th, 12th and so on."""

    lunar_ends: Annotated[frozenset[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1)]


def _form_of_days(value: object) -> str:
    if isinstance(value, dict | LunarShape):
        return "<lunar>"
    return "<weekdays>" if isinstance(value, list | tuple | frozenset) else "<daily>"


Days: TypeAlias = Annotated[
    Annotated[Literal["daily"], Tag("<daily>")]
    | Annotated[Annotated[frozenset[Weekday], Field(min_length=1)], Tag("<weekdays>")]
    | Annotated[LunarShape, Tag("<lunar>")],
    Discriminator(_form_of_days),
]


class CollectionShape(Shape):
    """``collection`` of a bin."""

    rounds: Annotated[tuple[Reference, ...], Field(min_length=1)]
    days: Days = "daily"

    def build(self) -> Collection:
        """Give the collection."""
        if isinstance(self.days, LunarShape):
            return Collection(self.rounds, lunar_ends=self.days.lunar_ends)
        if isinstance(self.days, frozenset):
            return Collection(self.rounds, weekdays=day_numbers(self.days))
        return Collection(self.rounds)


class BinShape(Shape):
    """``bin`` of an asset; the sensor has to see two thirds well outside its blind zone."""

    empty_mm: Length
    full_mm: Length
    blind_mm: Length
    container: Container = Container.POOL
    volume_m3: Amount | None = None
    counts_for_score: bool = True

    @model_validator(mode="after")
    def _can_be_commissioned(self) -> "BinShape":
        if self.empty_mm <= self.full_mm:
            raise refusal(
                f"full at {self.full_mm:g} mm is not nearer to the sensor than empty at {self.empty_mm:g} mm",
                "Both are distances from the sensor: empty_mm to the floor, full_mm to the full line.",
                "full_mm",
            )
        height = self.empty_mm - self.full_mm
        line = self.full_mm + height / 3
        needed = self.blind_mm + MARGIN_MM
        if line <= needed:
            raise refusal(
                f"two thirds would be hidden: full_mm {self.full_mm:g} + height {height:g} / 3 = {line:.0f} mm"
                f" does not exceed blind_mm {self.blind_mm:g} + {MARGIN_MM} = {needed:g} mm",
                f"Mount the sensor at least {int(needed - line) + 1} mm higher and measure empty_mm and full_mm again,"
                " or take one with a shorter blind zone.",
                "full_mm",
            )
        return self

    def build(self) -> BinGeometry:
        """Give the geometry."""
        return BinGeometry(
            self.empty_mm, self.full_mm, self.blind_mm, self.container, self.volume_m3, self.counts_for_score
        )


class PlantShape(Shape):
    """``plant`` of an asset."""

    design_m3d: Amount
    duty: DutyCycle = DutyCycle.INTERMITTENT
    low_cutoff_m3h: Annotated[FiniteFloat, Field(ge=0, le=100_000)] | None = None
    rated_current_a: Annotated[FiniteFloat, Field(gt=0, le=10_000)] | None = None
    start_level_mm: Length | None = None
    alarm_level_mm: Length | None = None
    households: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    feeder: Reference | None = None
    duty_windows: tuple[Span, ...] = ()
    rest_days: frozenset[Weekday] = frozenset()

    def build(self) -> PlantDesign:
        """Give the design."""
        return PlantDesign(
            design_m3d=self.design_m3d,
            duty=self.duty,
            low_cutoff_m3h=self.low_cutoff_m3h,
            rated_current_a=self.rated_current_a,
            start_level_mm=self.start_level_mm,
            alarm_level_mm=self.alarm_level_mm,
            households=self.households,
            feeder=self.feeder,
            duty_windows=self.duty_windows,
            rest_days=day_numbers(self.rest_days),
        )


class AssetShape(Shape):
    """A row of ``assets``."""

    id: Id
    kind: AssetKind
    name: Name
    short: ShortName
    area: Areas
    landmark: Landmark | None = None
    location: LocationShape | None = None
    roadside: bool = False
    priority: bool = False
    collection: CollectionShape | None = None
    trial_until: Moment | None = None
    bin: BinShape | None = None
    plant: PlantShape | None = None
    renamed_from: Id | None = None
    retired: bool = False

    def build(self) -> Asset:
        """Give the asset."""
        return Asset(
            id=self.id,
            kind=self.kind,
            name=self.name,
            short=self.short,
            areas=self.area,
            landmark=self.landmark,
            location=self.location.build() if self.location else None,
            roadside=self.roadside,
            priority=self.priority,
            collection=self.collection.build() if self.collection else None,
            trial_until=self.trial_until,
            bin=self.bin.build() if self.bin else None,
            plant=self.plant.build() if self.plant else None,
            renamed_from=self.renamed_from,
        )
