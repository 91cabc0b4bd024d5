"""The inventory file as rows that know their list, index and line, before their fields are judged.

What cannot even be taken apart into rows is a fault here; what a row holds is for ``county``, ``assets``, ``checks``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Final, NamedTuple

from telemetry.inventory.assets import (
    AssetRow,
    BinGeometry,
    CollectionForm,
    Device,
    Location,
    LunarDays,
    PlantDesign,
    settings_form,
)
from telemetry.inventory.county import Area, Duty, Feeder, Person, RadioGateway, Route
from telemetry.inventory.document import Items, Table, line_of
from telemetry.inventory.faults import Fault, FaultSeverity, Vocabulary, dotted, plain, shown

EACH: Final = "*"
"""In a path: every item of the list that stands there; a single text counts as a list of one."""

SETTINGS: Final = "settings"

Path = tuple[str | int, ...]


LISTS: Final[Mapping[str, type]] = {
    "areas": Area,
    "people": Person,
    "routes": Route,
    "radio_gateways": RadioGateway,
    "feeders": Feeder,
    "assets": AssetRow,
    "devices": Device,
}
"""What a row is, by the list it stands in; all lists are optional."""

_PARTS: Final[Mapping[str, type]] = {
    "duties": Duty,
    "location": Location,
    "collection": CollectionForm,
    "days": LunarDays,
    "bin": BinGeometry,
    "plant": PlantDesign,
    SETTINGS: settings_form(),
}
"""What each mapping inside a row is, by the key it stands under."""

_WRITTEN: Final = {"areas": "area", "by_voice": "reach", "relay": "reach"}
"""The key under which a field stands in a file, where it has another name there."""


class SheetRow(NamedTuple):
    """One row of the file as it was read, before anybody knows whether it is right."""

    file: str
    place: str
    table: Table

    @property
    def id(self) -> str | None:
        """The row's id, if it has one that is a text."""
        return self.text("id")

    @property
    def label(self) -> str:
        """How messages call the row."""
        return self.place if self.id is None or self.place == "county" else f"{self.place} ({plain(self.id)})"

    def text(self, key: str) -> str | None:
        """The text under a key, or ``None`` where there is no text."""
        value = self.table.get(key)
        return value if isinstance(value, str) else None

    def fault(
        self, path: tuple[str | int, ...], problem: str, remedy: str, severity: FaultSeverity = FaultSeverity.ERROR
    ) -> Fault:
        """A fault in this row at the path of keys and indexes, e.g. ``("duties", 0, "area")``."""
        return Fault(self.file, line_of(self.table, path), self.label, dotted(path), problem, remedy, severity)


class InventorySheet(NamedTuple):
    """All rows of a file, and the faults of taking it apart. A list that is missing has no rows."""

    file: str
    county: SheetRow | None
    lists: Mapping[str, tuple[SheetRow, ...]]
    faults: tuple[Fault, ...]

    def ids(self, list_name: str) -> Vocabulary:
        """The ids of a list, those of faulty rows included, so that one slip is not reported twice."""
        return Vocabulary(row.id for row in self.lists[list_name] if row.id is not None)


def lay_out(root: Table, file: str) -> InventorySheet:
    """Take a file's mapping apart into rows."""
    faults: list[Fault] = []

    def fault(key: str, problem: str, remedy: str, index: int | None = None) -> None:
        path: Path = (key,) if index is None else (key, index)
        row = "" if index is None else f"{key}[{index}]"
        faults.append(Fault(file, line_of(root, path), row, "" if row else key, problem, remedy))

    known = Vocabulary(("county", *LISTS))
    for key in root:
        if key not in known:
            field = key if key.isprintable() else shown(key)
            remedy = f"Remove it; known here: {known}."
            faults.append(Fault(file, root.lines[key], "", field[:60], f"unknown key{known.hint(key)}", remedy))
    county = root.get("county")
    if not isinstance(county, Table):
        problem = f"{shown(county)} is not a mapping" if "county" in root else "is missing"
        fault("county", problem, "Write county: with id, name, timezone and signature.")
    lists: dict[str, tuple[SheetRow, ...]] = {}
    for name in LISTS:
        items = root.get(name)
        if items is not None and not isinstance(items, Items):
            fault(name, f"{shown(items)} is not a list", "Begin each of its rows with '- '.")
        rows = list(enumerate(items)) if isinstance(items, Items) else []
        for index, row in rows:
            if not isinstance(row, Table):
                fault(name, f"{shown(row)} is not a mapping", "Write the row as {id: …, …}.", index)
        lists[name] = tuple(SheetRow(file, f"{name}[{at}]", row) for at, row in rows if isinstance(row, Table))
    county_row = SheetRow(file, "county", county) if isinstance(county, Table) else None
    return InventorySheet(file, county_row, lists, tuple(faults))


def texts_at(table: Table, path: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Every text that a path with ``EACH`` leads to, with the path that leads to just that one."""
    found: list[tuple[Path, object]] = [((), table)]
    for step in path:
        found = [deeper for so_far, value in found for deeper in _deeper(so_far, value, step)]
    for so_far, value in found:
        if isinstance(value, str):
            yield so_far, value


def _deeper(so_far: Path, value: object, step: str) -> Iterator[tuple[Path, object]]:
    if step != EACH:
        if isinstance(value, Table) and step in value:
            yield (*so_far, step), value[step]
    elif isinstance(value, Items):
        for index, item in enumerate(value):
            yield (*so_far, index), item
    else:
        yield so_far, value


def keys_at(path: tuple[str | int, ...], row: type, own: tuple[str, ...] = ()) -> Vocabulary:
    """The keys of the mapping that a path leads to: that under the last key on it, else the row itself.

    ``own`` are what the row's codec asks for among ``settings``.
    """
    keys = [step for step in path if isinstance(step, str)]
    part = _PARTS[keys[-1]] if keys else row
    if keys and keys[-1] == SETTINGS:
        part = settings_form(own)
    return Vocabulary(_WRITTEN.get(each.name, each.name) for each in fields(part))
