"""Reads an inventory file: a text becomes an ``Inventory`` or faults that a person can put right.

All faults of a file are found at once, and no text makes it raise. Where the text comes from is for the caller.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from telemetry.inventory.asset_shapes import AssetShape
from telemetry.inventory.checks import check
from telemetry.inventory.document import Table, read
from telemetry.inventory.faults import Fault, FaultSeverity, SheetRow, shown
from telemetry.inventory.fields import Shape
from telemetry.inventory.keepers import check_keepers, check_tree
from telemetry.inventory.model import Inventory
from telemetry.inventory.refusals import refusals
from telemetry.inventory.shapes import (
    AreaShape,
    CountyShape,
    DeviceShape,
    FeederShape,
    PersonShape,
    RadioGatewayShape,
    RouteShape,
)
from telemetry.inventory.sheet import lay_out

_AnyShape = TypeVar("_AnyShape", bound=Shape)


class Parsed(NamedTuple):
    """What a file came to: an inventory unless one of the faults is an error; faults in the order of their lines."""

    inventory: Inventory | None
    faults: tuple[Fault, ...]


def parse(text: str, name: str, profiles: frozenset[str]) -> Parsed:
    """Read an inventory file's text; ``name`` is how faults call the file, ``profiles`` the codecs there are."""
    root, troubles = read(text)
    faults = [Fault(name, trouble.line, "", "", trouble.problem, trouble.remedy) for trouble in troubles]
    if not isinstance(root, Table):
        if not faults:
            faults.append(
                Fault(name, 1, "", "", f"{shown(root)} is not an inventory", "Begin it with 'county:', without indent.")
            )
        return Parsed(None, tuple(faults))
    sheet = lay_out(root, name)
    county = _shaped(CountyShape, [sheet.county] if sheet.county else [], faults)
    areas = _shaped(AreaShape, sheet.lists["areas"], faults)
    people = _shaped(PersonShape, sheet.lists["people"], faults)
    routes = _shaped(RouteShape, sheet.lists["routes"], faults)
    radio_gateways = _shaped(RadioGatewayShape, sheet.lists["radio_gateways"], faults)
    feeders = _shaped(FeederShape, sheet.lists["feeders"], faults)
    assets = _shaped(AssetShape, sheet.lists["assets"], faults)
    devices = _shaped(DeviceShape, sheet.lists["devices"], faults)
    faults += (*sheet.faults, *check(sheet, profiles), *check_tree(sheet), *check_keepers(sheet))
    faults.sort(key=lambda fault: fault.line)
    if any(fault.severity is FaultSeverity.ERROR for fault in faults):
        return Parsed(None, tuple(faults))
    inventory = Inventory(
        county=county[0].build(),
        areas={shape.id: shape.build() for shape in areas},
        people={shape.id: shape.build() for shape in people},
        routes={shape.id: shape.build() for shape in routes},
        radio_gateways={shape.id: shape.build() for shape in radio_gateways},
        feeders={shape.id: shape.build() for shape in feeders},
        assets={shape.id: shape.build() for shape in assets if not shape.retired},
        former={shape.id: shape.build() for shape in assets if shape.retired},
        devices={shape.id: shape.build() for shape in devices},
    )
    return Parsed(inventory, tuple(faults))


def _shaped(shape: type[_AnyShape], rows: Sequence[SheetRow], faults: list[Fault]) -> list[_AnyShape]:
    """Give the rows that have the shape; what is wrong with the others joins the faults."""
    found: list[_AnyShape] = []
    for row in rows:
        try:
            found.append(shape.model_validate(row.table))
        except ValidationError as error:
            faults += refusals(error, shape, row)
    return found
