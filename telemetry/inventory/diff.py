"""What became different between two inventories, in sentences for the log of an import, and what has to be asked first.

Pure: two inventories in, sentences out. Where they come from, and what a refusal stops, is ``gateway.imports``'.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Final

from telemetry.inventory.assets import Asset, Location
from telemetry.inventory.county import Duty
from telemetry.inventory.model import Inventory
from telemetry.terms import Hours

_LISTS: Final = {
    "areas": "area",
    "people": "person",
    "routes": "route",
    "radio_gateways": "radio gateway",
    "feeders": "feeder",
    "assets": "asset",
    "former": "retired asset",
    "devices": "device",
}


_NEAR_DEG: Final = 0.0001
"""About ten metres: two bins do not stand nearer to each other."""


def differences(old: Inventory, new: Inventory) -> tuple[str, ...]:
    """What was added, removed and changed on the way from ``old`` to ``new``, list by list; equal gives nothing."""
    said = list(_changed("county", old.county, new.county))
    for list_name, noun in _LISTS.items():
        said += _in_list(noun, getattr(old, list_name), getattr(new, list_name))
    return tuple(said)


def unexplained(old: Inventory, new: Inventory) -> tuple[str, ...]:
    """Ask whether an asset that came with the place or sensor of one that vanished is the same one (T16), in sentences.

    Nothing is asked of one that another says it was (``renamed_from``), or that stands there as ``retired``.
    """
    renamed = {asset.renamed_from for asset in new.assets.values()}
    gone = [asset for name, asset in old.assets.items() if new.known_asset(name) is None and name not in renamed]
    came = [asset for name, asset in new.assets.items() if name not in old.assets and asset.renamed_from is None]
    found = ((each, other, _shared(old, each, new, other)) for each in gone for other in came)
    return tuple(
        f"asset {each.id} is gone, and {other.id} has {shared}; write `renamed_from: {each.id}` at {other.id} if it is"
        f" the same one, or leave the row {each.id} with `retired: true`"
        for each, other, shared in found
        if shared
    )


def _shared(old: Inventory, gone: Asset, new: Inventory, came: Asset) -> str:
    """What an asset that came has of one that is gone: a sensor of it, or its place."""
    sensors = {device.dev_eui or device.id for device in old.devices_of.get(gone.id, ())}
    taken = [device.id for device in new.devices_of.get(came.id, ()) if (device.dev_eui or device.id) in sensors]
    if taken:
        return f"its sensor {taken[0]}"
    if gone.kind is not came.kind:
        return ""
    if gone.location is not None and came.location is not None and _is_near(gone.location, came.location):
        return "its place on the map"
    if gone.area != came.area:
        return ""
    if came.short == gone.short or came.name == gone.name:
        return "its name"
    return "its landmark" if gone.landmark is not None and came.landmark == gone.landmark else ""


def _is_near(one: Location, other: Location) -> bool:
    return abs(one.lat - other.lat) < _NEAR_DEG and abs(one.lon - other.lon) < _NEAR_DEG


def _in_list(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key, item in old.items():
        if key not in new:
            yield f"{noun} {key} removed"
        else:
            yield from _changed(f"{noun} {key}", item, new[key])
    for key in new:
        if key not in old:
            yield f"{noun} {key} added"


def _changed(name: str, old: Any, new: Any) -> Iterator[str]:  # noqa: ANN401  # any two parts of the same kind
    if old == new:
        return
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        if is_dataclass(before) and type(before) is type(after):
            yield from _changed(f"{name} {field.name}", before, after)
        else:
            yield f"{name} {field.name}: {_said(before)} → {_said(after)}"


def _said(value: object) -> str:
    form = _FORMS.get(type(value))
    if form is not None:
        return form(value)
    if is_dataclass(value):
        return ", ".join(f"{field.name} {_said(getattr(value, field.name))}" for field in fields(value))
    return str(value)


def _duty(duty: Duty) -> str:
    parts = (duty.role, duty.area, duty.route, _hours(duty.hours) if duty.hours else None)
    return " ".join(part for part in parts if part)


def _hours(hours: Hours) -> str:
    return f"{hours.start:%H:%M}-{hours.end:%H:%M}"


_FORMS: Final[Mapping[type, Callable[[Any], str]]] = {
    NoneType: lambda _: "nothing",
    bool: lambda flag: "yes" if flag else "no",
    float: lambda number: f"{number:g}",
    datetime: datetime.isoformat,
    Hours: _hours,
    Duty: _duty,
    tuple: lambda items: ", ".join(map(_said, items)) or "none",
    frozenset: lambda items: ", ".join(sorted(map(_said, items))) or "none",
    dict: lambda items: ", ".join(f"{key} {_said(item)}" for key, item in items.items()) or "none",
}
"""How a value is said, by its type; whatever is not here says itself."""
