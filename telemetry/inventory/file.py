"""Reads an inventory file: a text becomes an ``Inventory`` or faults that a person can put right.

All faults of a file are found at once, and no text makes it raise. Where the text comes from is for the caller.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from telemetry.inventory.assets import AssetRow, CodecSettings, Device, own_settings
from telemetry.inventory.checks import check
from telemetry.inventory.county import Area, CountySettings, Feeder, Person, RadioGateway, Route
from telemetry.inventory.document import Table, read
from telemetry.inventory.faults import REFUSED, Fault, FaultSeverity, Vocabulary, shown
from telemetry.inventory.keepers import check_keepers, check_tree
from telemetry.inventory.model import Inventory
from telemetry.inventory.sheet import SheetRow, keys_at, lay_out

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class _Identified(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str: ...


_Row = TypeVar("_Row", bound=_Identified)

_NUMBER: Final = ("{value} is not a number", "Write a plain number, with a point for decimals.")
_WHOLE: Final = ("{value} is not a whole number", "Write digits only.")
_TRUTH: Final = ("{value} is neither true nor false", "Write true or false.")
_LIST: Final = ("{value} is not a list", "Write it as [a, b].")
_MAPPING: Final = ("{value} is not a mapping", "Write it as {{key: value}}.")
_CHOICE: Final = ("{value} is not one of those known here{hint}", "Use {expected}.")

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is missing", "Add it."),
    "string_type": ("{value} is not a text", "Write one text."),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "greater_than": ("{value} is not more than {gt}", "Give more than {gt}."),
    "greater_than_equal": ("{value} is less than {ge}", "Give {ge} or more."),
    "less_than_equal": ("{value} is more than {le}", "Give {le} or less."),
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "dataclass_type": _MAPPING,
    "dict_type": _MAPPING,
    "too_short": ("the list is empty", "Name at least {min_length}, or leave the key out."),
    "too_long": ("the list is too long", "Name at most {max_length}."),
}
_EMPTY: Final = ("is empty", "Write it, or leave the key out if it is optional.")
_OTHER: Final = ("{value} is refused: {message}", "Compare config/inventory.example.yaml.")

_NOT_IN_THE_FILE: Final = frozenset({"<daily>", "<weekdays>", "<lunar>", "[key]"})
"""Steps pydantic puts into a path that are no keys of the file: tags of a choice, the key of a mapping."""


class Parsed(NamedTuple):
    """What a file came to: an inventory unless one of the faults is an error; faults in the order of their lines."""

    inventory: Inventory | None
    faults: tuple[Fault, ...]


def parse(text: str, name: str, profiles: frozenset[str], settings: CodecSettings = MappingProxyType({})) -> Parsed:
    """Read an inventory file's text; ``name`` is how faults call the file, ``profiles`` the codecs there are.

    ``settings`` are what those ask for beside their port, by profile.
    """
    root, faults = read(text, name)
    if not isinstance(root, Table):
        if not faults:
            faults.append(
                Fault(name, 1, "", "", f"{shown(root)} is not an inventory", "Begin it with 'county:', without indent.")
            )
        return Parsed(None, tuple(faults))
    sheet = lay_out(root, name)
    county = _by_id(CountySettings, [sheet.county] if sheet.county else [], faults)
    areas = _by_id(Area, sheet.lists["areas"], faults)
    people = _by_id(Person, sheet.lists["people"], faults)
    routes = _by_id(Route, sheet.lists["routes"], faults)
    radio_gateways = _by_id(RadioGateway, sheet.lists["radio_gateways"], faults)
    feeders = _by_id(Feeder, sheet.lists["feeders"], faults)
    assets = _by_id(AssetRow, sheet.lists["assets"], faults)
    devices = _by_id(Device, sheet.lists["devices"], faults, settings)
    faults += (*sheet.faults, *check(sheet, profiles), *check_tree(sheet), *check_keepers(sheet))
    faults.sort(key=lambda fault: fault.line)
    if any(fault.severity is FaultSeverity.ERROR for fault in faults):
        return Parsed(None, tuple(faults))
    standing = {key: row.asset() for key, row in assets.items() if not row.retired}
    former = {key: row.asset() for key, row in assets.items() if row.retired}
    (of_county,) = county.values()
    inventory = Inventory(of_county, areas, people, routes, radio_gateways, feeders, standing, devices, former)
    return Parsed(inventory, tuple(faults))


def _by_id(
    kind: type[_Row], rows: Sequence[SheetRow], faults: list[Fault], settings: CodecSettings | None = None
) -> dict[str, _Row]:
    """Give the rows that are of the kind, by id; what is wrong with the others joins the faults."""
    found: dict[str, _Row] = {}
    for row in rows:
        try:
            made = _reader(kind).validate_python(row.table, context=settings)
        except ValidationError as error:
            faults += _refusals(error, kind, row, own_settings(row.text("profile"), settings))
        else:
            found[made.id] = made
    return found


@cache
def _reader(kind: type[_Row]) -> TypeAdapter[_Row]:
    return TypeAdapter(kind)


def _refusals(error: ValidationError, kind: type, row: SheetRow, own: tuple[str, ...]) -> Iterator[Fault]:
    """A fault for each thing that pydantic refused in the row: which field, what is wrong, how to put it right."""
    for detail in error.errors(include_url=False):
        path = tuple(step for step in detail["loc"] if step not in _NOT_IN_THE_FILE)
        if detail["type"] == REFUSED:
            context = detail["ctx"]
            field = (*path, context["field"]) if context["field"] else path
            yield row.fault(field, context["problem"], context["remedy"])
        elif detail["type"] == "unexpected_keyword_argument":
            known = keys_at(path[:-1], kind, own)
            yield row.fault(path, f"unknown key{known.hint(str(path[-1]))}", f"Remove it; known here: {known}.")
        else:
            yield row.fault(path, *_sentence(detail))


def _sentence(detail: "ErrorDetails") -> tuple[str, str]:
    if detail["input"] is None:
        return _EMPTY
    problem, remedy = _SENTENCES.get(detail["type"], _OTHER)
    context = {key: _whole(value) for key, value in detail.get("ctx", {}).items()}
    choices = Vocabulary(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    value = detail["input"]
    words = {
        **context,
        "value": shown(value),
        "hint": choices.hint(value) if isinstance(value, str) else "",
        "message": detail["msg"],
    }
    return problem.format(**words), remedy.format(**words)


def _whole(value: object) -> object:
    """90 for 90.0, so that a limit reads as it is written."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
