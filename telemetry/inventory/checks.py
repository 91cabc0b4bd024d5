"""What rows say about each other: ids that are there once, references that lead somewhere, blocks that fit the kind.

Works on the rows as they were read, so that a slip in one field hides no fault in another. Who answers for what,
and the tree of areas, is ``keepers``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from telemetry.inventory.document import Items, Table
from telemetry.inventory.faults import Fault, Vocabulary, shown
from telemetry.inventory.fields import relay_of
from telemetry.inventory.sheet import EACH, InventorySheet, Path, SheetRow, texts_at
from telemetry.terms import AssetKind, Role

NATIVE: Final = "native"
"""The profile of devices that speak our own JSON and need no radio identity."""


class _Reference(NamedTuple):
    """Where rows of a list name something: the path to it, and the kind of thing it names."""

    list_name: str
    path: tuple[str, ...]
    names: str


_REFERENCES: Final = (
    _Reference("areas", ("parent",), "area"),
    _Reference("people", ("stand_in",), "person"),
    _Reference("people", ("duties", EACH, "area"), "area"),
    _Reference("people", ("duties", EACH, "route"), "route"),
    _Reference("routes", ("stops", EACH), "asset"),
    _Reference("radio_gateways", ("area",), "area"),
    _Reference("feeders", ("area",), "area"),
    _Reference("assets", ("area", EACH), "area"),
    _Reference("assets", ("collection", "rounds", EACH), "round"),
    _Reference("assets", ("plant", "feeder"), "feeder"),
    _Reference("devices", ("asset",), "asset"),
    _Reference("devices", ("radio_gateway",), "radio gateway"),
    _Reference("devices", ("profile",), "profile"),
)

_YES: Final = frozenset({"true", "t", "yes", "y", "on", "1"})
"""How a file says yes, as the shapes read it."""
_OWNERS: Final = {
    "area": "areas",
    "person": "people",
    "route": "routes",
    "asset": "assets",
    "feeder": "feeders",
    "radio gateway": "radio_gateways",
}
"""The list that owns what a reference names."""


def check(sheet: InventorySheet, profiles: frozenset[str]) -> Iterator[Fault]:
    """Every fault between rows, in no order that matters."""
    yield from _references(sheet, profiles)
    for rows in sheet.lists.values():
        yield from _repeated(rows, "id")
    yield from _repeated(sheet.lists["devices"], "dev_eui")
    for row in sheet.lists["people"]:
        yield from _person(row)
    yield from _relays(sheet)
    for row in sheet.lists["assets"]:
        yield from _asset(row)
    yield from _renamed(sheet)
    for row in sheet.lists["devices"]:
        yield from _device(row)
    yield from _stops(sheet)


def _references(sheet: InventorySheet, profiles: frozenset[str]) -> Iterator[Fault]:
    rounds = sheet.county.table.get("rounds") if sheet.county else None
    checked = _REFERENCES if sheet.county else [reference for reference in _REFERENCES if reference.names != "round"]
    known = {thing: (sheet.ids(owner), f"Use the id of a row in {owner}.") for thing, owner in _OWNERS.items()}
    known["round"] = (Vocabulary(rounds if isinstance(rounds, Table) else ()), "Use a name of county.rounds.")
    known["profile"] = (Vocabulary(sorted(profiles)), f"Use one of: {', '.join(sorted(profiles))}.")
    retired = {row.id for row in sheet.lists["assets"] if (row.text("retired") or "").lower() in _YES}
    for reference in checked:
        names, remedy = known[reference.names]
        for row in sheet.lists[reference.list_name]:
            for path, text in texts_at(row.table, reference.path):
                if reference.names == "asset" and text in retired:
                    yield row.fault(path, f"asset {shown(text)} is retired", "Remove it, or name another asset.")
                elif text not in names:
                    yield row.fault(path, f"no {reference.names} {shown(text)}{names.hint(text)}", remedy)


def _repeated(rows: tuple[SheetRow, ...], key: str) -> Iterator[Fault]:
    first: dict[str, SheetRow] = {}
    for row in rows:
        value = row.text(key)
        if value is None:
            continue
        owner = first.setdefault(value.lower(), row)
        if owner is not row:
            yield row.fault((key,), f"{shown(value)} is taken by {owner.label}", "Give each row its own.")


def _person(row: SheetRow) -> Iterator[Fault]:
    if row.id is not None and row.text("stand_in") == row.id:
        yield row.fault(("stand_in",), "nobody stands in for themselves", "Name somebody else, or leave it out.")
    duties = row.table.get("duties")
    seen: set[tuple[tuple[str, str], ...]] = set()
    for index, duty in enumerate(duties if isinstance(duties, Items) else ()):
        if not isinstance(duty, Table):
            continue
        said = tuple(sorted((key, str(value)) for key, value in duty.items()))
        if said in seen:
            yield row.fault(("duties", index), "the same duty stands here twice", "Keep one of them.")
        seen.add(said)


def _relays(sheet: InventorySheet) -> Iterator[Fault]:
    """Who passes texts on must be somebody who is reached."""
    relays = {row.id: relay_of(row.text("reach") or "") for row in sheet.lists["people"] if row.id is not None}
    names = Vocabulary(relays)
    for row in sheet.lists["people"]:
        relay = relays.get(row.id or "")
        if relay is None:
            continue
        if relay not in relays:
            yield row.fault(
                ("reach",), f"no person {shown(relay)}{names.hint(relay)}", "Use the id of a row in people."
            )
        elif relay == row.id or relays[relay] is not None:
            problem = f"{shown(relay)} is not reached by a phone of their own"
            yield row.fault(("reach",), problem, "Name somebody who is.")


def _asset(row: SheetRow) -> Iterator[Fault]:
    kind = row.text("kind")
    if kind in tuple(AssetKind):
        other = AssetKind.PLANT if kind == AssetKind.BIN else AssetKind.BIN
        if row.table.get(kind) is None:
            yield row.fault((kind,), f"is missing, but the kind is {kind}", f"Add {kind}: {{…}}.")
        if row.table.get(other) is not None:
            yield row.fault((other,), f"does not belong to a {kind}", "Remove it, or correct kind.")
    if kind == AssetKind.PLANT and row.table.get("collection") is not None:
        yield row.fault(("collection",), "does not belong to a plant", "Remove it: only bins are emptied by rounds.")
    for key in (("area", EACH), ("collection", "rounds", EACH)):
        seen: set[str] = set()
        for path, text in texts_at(row.table, key):
            if text in seen:
                yield row.fault(path, f"{shown(text)} stands here twice", "Name it once.")
            seen.add(text)


def _renamed(sheet: InventorySheet) -> Iterator[Fault]:
    """An asset that was renamed is not there under its former id as well."""
    standing = {row.id for row in sheet.lists["assets"]}
    first: dict[str, SheetRow] = {}
    for row in sheet.lists["assets"]:
        former = row.text("renamed_from")
        if former is None:
            continue
        if former in standing:
            problem = f"asset {shown(former)} still stands here"
            yield row.fault(("renamed_from",), problem, "Remove that row, or this field: an asset has one id.")
        owner = first.setdefault(former, row)
        if owner is not row:
            yield row.fault(("renamed_from",), f"{shown(former)} is taken by {owner.label}", "Only one can be it.")


def _device(row: SheetRow) -> Iterator[Fault]:
    profile = row.text("profile")
    if profile is not None and profile != NATIVE and row.table.get("dev_eui") is None:
        yield row.fault(
            ("dev_eui",),
            f"is missing, but profile {shown(profile)} is heard by it",
            "Copy the 16 hexadecimal digits from the device's label.",
        )
    if profile == NATIVE and row.table.get("settings") is not None:
        yield row.fault(("settings",), "does not belong to a native device", "Remove it: only codecs have settings.")


def _stops(sheet: InventorySheet) -> Iterator[Fault]:
    kinds = {row.id: row.text("kind") for row in sheet.lists["assets"]}
    taken: dict[str, tuple[SheetRow, Path]] = {}
    for row in sheet.lists["routes"]:
        for path, stop in texts_at(row.table, ("stops", EACH)):
            if kinds.get(stop) == AssetKind.PLANT:
                yield row.fault(path, f"{shown(stop)} is a plant", "A route stops only at bins: remove it.")
            if stop in taken:
                where = "this route" if taken[stop][0] is row else taken[stop][0].label
                yield row.fault(path, f"{shown(stop)} is a stop of {where} already", "Keep one of the two stops.")
            taken.setdefault(stop, (row, path))


def duties_of(row: SheetRow) -> Iterator[tuple[Role, str]]:
    """What a person answers for, as far as it can be read: the role and the id of its area or route."""
    duties = row.table.get("duties")
    for duty in duties if isinstance(duties, Items) else ():
        role = duty.get("role") if isinstance(duty, Table) else None
        if isinstance(duty, Table) and isinstance(role, str) and role in tuple(Role):
            place = duty.get("route" if role == Role.COLLECTOR else "area")
            if isinstance(place, str):
                yield Role(role), place
