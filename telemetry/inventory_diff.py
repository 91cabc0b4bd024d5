"""What became different between two inventories, in sentences for the log of an import.

Only says what differs; whether a change may be taken is not decided here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Final

from telemetry.inventory import Duty, Inventory
from telemetry.terms import Hours

_LISTS: Final = {
    "areas": "area",
    "people": "person",
    "routes": "route",
    "radio_gateways": "radio gateway",
    "feeders": "feeder",
    "assets": "asset",
    "devices": "device",
}


def differences(old: Inventory, new: Inventory) -> tuple[str, ...]:
    """What was added, removed and changed on the way from ``old`` to ``new``, list by list; equal gives nothing."""
    said = list(_changed("county", old.county, new.county))
    for list_name, noun in _LISTS.items():
        said += _in_list(noun, getattr(old, list_name), getattr(new, list_name))
    return tuple(said)


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
