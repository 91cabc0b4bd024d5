"""A county and who answers for what in it: areas, people, routes, radio gateways, feeders, a row of a file each.

The type of a field says what a file may write there and what that becomes; pydantic asks it where a file is read, and a
row that code makes is taken as it is. A row is judged by itself: whether the ids in it exist is for ``checks``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidateAs

from telemetry.inventory.faults import refusal, shown
from telemetry.inventory.fields import (
    BY_VOICE,
    Id,
    Moment,
    Name,
    OfficePhone,
    PersonName,
    PersonPhone,
    Reach,
    Reference,
    Signature,
    Span,
    Zone,
    file_row,
    relay_of,
)
from telemetry.terms import Hours, Level, Role


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


@file_row
@dataclass(frozen=True, slots=True)
class CountySettings:
    """The whole: identity, local time, the signature its texts carry, and the named collection rounds."""

    id: Id
    name: Name
    timezone: Zone
    signature: Signature
    office_phone: OfficePhone | None = None
    rounds: Annotated[Mapping[str, Hours], ValidateAs(dict[Name, Span], _rounds_in_order)] = field(default_factory=dict)


@file_row
@dataclass(frozen=True, slots=True)
class Area:
    """A node of the area tree; without a parent it hangs below the county."""

    id: Id
    name: Name
    level: Level
    parent: Reference | None = None
    trial_until: Moment | None = None


@file_row
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


@file_row
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


@file_row
@dataclass(frozen=True, slots=True)
class Route:
    """A collection truck's stops, in order."""

    id: Id
    name: Name
    stops: tuple[Reference, ...]


@file_row
@dataclass(frozen=True, slots=True)
class RadioGateway:
    """A radio gateway that carries the uplinks of battery devices."""

    id: Id
    name: Name
    area: Reference


@file_row
@dataclass(frozen=True, slots=True)
class Feeder:
    """A power line that feeds plants."""

    id: Id
    name: Name
    area: Reference
