"""The shape of each row of an inventory file: its keys, which of them it needs, and what it becomes.

A row is judged by itself; whether the ids in it exist is for ``checks``.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from telemetry.inventory.asset_shapes import (
    AssetShape,
    BinShape,
    CollectionShape,
    LocationShape,
    LunarShape,
    PlantShape,
)
from telemetry.inventory.faults import shown
from telemetry.inventory.fields import (
    BY_VOICE,
    WEEK_S,
    DevEui,
    Id,
    Moment,
    Name,
    OfficePhone,
    PersonName,
    PersonPhone,
    Reach,
    Reference,
    Shape,
    Signature,
    Span,
    Zone,
    refusal,
    relay_of,
)
from telemetry.inventory.rows import Area, CountySettings, Device, Duty, Feeder, Person, RadioGateway, Route
from telemetry.terms import Hours, Level, Power, Role

APPLICATION_PORTS: Final = 223
"""The highest LoRaWAN port that is an application's own; those above are the standard's."""


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


class CountyShape(Shape):
    """``county``: the one mapping that is not a list."""

    id: Id
    name: Name
    timezone: Zone
    signature: Signature
    office_phone: OfficePhone | None = None
    rounds: Annotated[dict[Name, Span], AfterValidator(_rounds_in_order)] = Field(default_factory=dict)

    def build(self) -> CountySettings:
        """Give the county."""
        return CountySettings(self.id, self.name, self.timezone, self.signature, self.office_phone, self.rounds)


class AreaShape(Shape):
    """A row of ``areas``."""

    id: Id
    name: Name
    level: Level
    parent: Reference | None = None
    trial_until: Moment | None = None

    def build(self) -> Area:
        """Give the area."""
        return Area(self.id, self.name, self.level, self.parent, self.trial_until)


class DutyShape(Shape):
    """One of a person's ``duties``."""

    role: Role
    area: Reference | None = None
    route: Reference | None = None
    hours: Span | None = None

    @model_validator(mode="after")
    def _belongs(self) -> "DutyShape":
        needed, other = ("route", "area") if self.role is Role.COLLECTOR else ("area", "route")
        if getattr(self, other) is not None:
            raise refusal(f"a {self.role} has no {other}", f"Give a {needed} instead.", other)
        if getattr(self, needed) is None:
            raise refusal(f"a {self.role} needs one", f"Add the {needed} the duty is for.", needed)
        return self

    def build(self) -> Duty:
        """Give the duty."""
        return Duty(self.role, self.area, self.route, self.hours)


class PersonShape(Shape):
    """A row of ``people``."""

    id: Id
    name: PersonName
    phone: PersonPhone
    duties: tuple[DutyShape, ...]
    stand_in: Reference | None = None
    reach: Reach = "sms"

    def build(self) -> Person:
        """Give the person."""
        return Person(
            self.id,
            self.name,
            self.phone,
            tuple(duty.build() for duty in self.duties),
            self.stand_in,
            by_voice=self.reach == BY_VOICE,
            relay=relay_of(self.reach),
        )


class RouteShape(Shape):
    """A row of ``routes``."""

    id: Id
    name: Name
    stops: tuple[Reference, ...]

    def build(self) -> Route:
        """Give the route."""
        return Route(self.id, self.name, self.stops)


class RadioGatewayShape(Shape):
    """A row of ``radio_gateways``."""

    id: Id
    name: Name
    area: Reference

    def build(self) -> RadioGateway:
        """Give the radio gateway."""
        return RadioGateway(self.id, self.name, self.area)


class FeederShape(Shape):
    """A row of ``feeders``."""

    id: Id
    name: Name
    area: Reference

    def build(self) -> Feeder:
        """Give the feeder."""
        return Feeder(self.id, self.name, self.area)


class SettingsShape(Shape):
    """``settings`` of a device: what was changed in it and decides what its bytes mean."""

    f_port: Annotated[int, Field(ge=1, le=APPLICATION_PORTS)] | None = None

    def build(self) -> dict[str, float]:
        """Give those that are set."""
        return self.model_dump(exclude_none=True)


class DeviceShape(Shape):
    """A row of ``devices``."""

    id: Id
    asset: Reference
    profile: Reference
    power: Power
    interval_s: Annotated[int, Field(ge=1, le=WEEK_S)]
    installed_at: Moment
    dev_eui: DevEui | None = None
    radio_gateway: Reference | None = None
    trial_until: Moment | None = None
    settings: SettingsShape = SettingsShape()

    def build(self) -> Device:
        """Give the device."""
        return Device(
            id=self.id,
            asset=self.asset,
            profile=self.profile,
            power=self.power,
            interval_s=self.interval_s,
            installed_at=self.installed_at,
            dev_eui=self.dev_eui,
            radio_gateway=self.radio_gateway,
            trial_until=self.trial_until,
            settings=self.settings.build(),
        )


LISTS: Final[Mapping[str, type[Shape]]] = {
    "areas": AreaShape,
    "people": PersonShape,
    "routes": RouteShape,
    "radio_gateways": RadioGatewayShape,
    "feeders": FeederShape,
    "assets": AssetShape,
    "devices": DeviceShape,
}
"""The shape of a row, by the list it stands in; all lists are optional."""

PARTS: Final[Mapping[str, type[Shape]]] = {
    "duties": DutyShape,
    "location": LocationShape,
    "collection": CollectionShape,
    "days": LunarShape,
    "bin": BinShape,
    "plant": PlantShape,
    "settings": SettingsShape,
}
"""The shape of each mapping inside a row, by the key it stands under."""
