"""The shape of the time series: measurements, tags, fields, instants, and how a point is written as line protocol.

One table for whoever writes points and whoever asks for them. Every field but a text is a float, also on the wire
(law L8). What a value is worth, and which bucket a point goes to, is decided elsewhere.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Level

TAGS: Final = ("asset", "county", "device", "town", "village")
"""Every point carries all of them, in this order: a tag that is left out would make another identity of it."""

NONE: Final = "_"
"""The value of a tag that does not apply. No id can be it."""


class Measurement(StrEnum):
    """What points are about. The first four hold what was measured and decided, ``ASSET`` what the ids are called."""

    BIN = "bin"
    PLANT = "plant"
    DEVICE = "device"
    ALERT = "alert"
    ASSET = "asset"
    BIN_HOUR = "bin_1h"
    PLANT_HOUR = "plant_1h"
    DEVICE_HOUR = "device_1h"
    TOWN_HOUR = "town_1h"
    BIN_DAY = "bin_1d"
    PLANT_DAY = "plant_1d"
    DEVICE_DAY = "device_1d"
    TOWN_DAY = "town_1d"


ABOUT_DEVICE: Final = ("battery_pct", "battery_v", "rssi_dbm", "snr_db")
"""Quantities that a device says of itself; all others are about its asset."""


def instant_us(at_ms: Millis, number: int) -> int:
    """When a point stands, in µs: two of one millisecond are told apart by their number (a reading's is its seq)."""
    return at_ms * 1_000 + number % 1_000


def tags(inventory: Inventory, asset: str = NONE, device: str = NONE, area: str = "") -> str:
    """The tags of a point, each with a comma before it; the area is the asset's own where none is given."""
    found = inventory.assets.get(asset)
    area = area or (found.area if found is not None else "")
    above = {node.level: node.id for node in inventory.lineage(area)} if area in inventory.areas else {}
    values = (asset, inventory.county.id, device, above.get(Level.TOWN, NONE), above.get(Level.VILLAGE, NONE))
    return "".join(f",{name}={value}" for name, value in zip(TAGS, values, strict=True))


def line(
    measurement: str, tagged: str, at_us: int, floats: Mapping[str, float], texts: Mapping[str, str] | None = None
) -> bytes:
    """A point with at least one field. A float is finite and never written as an integer."""
    fields = [f"{name}={float(value)}" for name, value in floats.items()]
    if texts:
        fields += [f"{name}={quoted(text)}" for name, text in texts.items()]
    return f"{measurement}{tagged} {','.join(fields)} {at_us}".encode()


def quoted(text: str) -> str:
    """A text as a field's value; what would break the line is escaped, other control characters are left out."""
    printable = "".join(letter for letter in text if letter.isprintable())
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
