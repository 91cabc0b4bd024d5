"""The tree of areas and who answers for what hangs in it (domain.md, rows 20, 22 and 40).

An asset without a keeper is an error, without a village head or town leader a warning, one for each area.
Where the tree is broken above an asset, only the break is reported.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from telemetry.inventory.checks import duties_of
from telemetry.inventory.faults import Fault, FaultSeverity, shown
from telemetry.inventory.sheet import EACH, InventorySheet, SheetRow, texts_at
from telemetry.terms import AssetKind, Level, Role

_HEIGHT: Final = {level.value: height for height, level in enumerate(reversed(Level))}


def check_tree(sheet: InventorySheet) -> Iterator[Fault]:
    """Areas above themselves, and parents that are not higher than their children."""
    rows = _by_id(sheet, "areas")
    parents = {area: row.text("parent") for area, row in rows.items()}
    in_cycle: set[str] = set()
    for cycle in _cycles(parents):
        in_cycle.update(cycle)
        chain = " > ".join((*cycle[:10], "…") if len(cycle) > 10 else (*cycle, cycle[0]))  # noqa: PLR2004  # fits a line
        yield rows[cycle[0]].fault(
            ("parent",),
            f"the tree runs in a circle: {chain}",
            "Let one of them hang below the county or a higher area.",
        )
    for area, row in rows.items():
        parent = parents[area]
        above = rows.get(parent) if parent is not None else None
        if above is None or area in in_cycle:
            continue
        mine, theirs = row.text("level"), above.text("level")
        if mine in _HEIGHT and theirs in _HEIGHT and _HEIGHT[theirs] <= _HEIGHT[mine]:
            yield row.fault(
                ("parent",), f"{shown(parent)} is a {theirs}, not above a {mine}", "Levels are town > grid > village."
            )


def check_keepers(sheet: InventorySheet) -> Iterator[Fault]:
    """Assets nobody answers for, areas without village head or town leader, routes nobody drives."""
    roster = _Roster.of(sheet)
    headless: dict[str, None] = {}
    leaderless: dict[str, None] = {}
    for row in sheet.lists["assets"]:
        lines = [roster.lineage(area) for _, area in texts_at(row.table, ("area", EACH))]
        if not lines or not all(line.whole for line in lines):
            continue
        yield from roster.unkept(row, [area for line in lines for area in line.areas])
        for line in lines:
            if not roster.has(Role.VILLAGE_HEAD, line.areas):
                headless.setdefault(line.areas[0])
            if not roster.has(Role.TOWN_LEADER, line.areas):
                leaderless.setdefault(line.areas[-1])
    for role, areas in ((Role.VILLAGE_HEAD, headless), (Role.TOWN_LEADER, leaderless)):
        for area in areas:
            yield roster.areas[area].fault(
                (),
                f"its assets have no {role.replace('_', ' ')}, here or above",
                f"Give a person the duty {{role: {role}, area: {area}}}.",
                FaultSeverity.WARNING,
            )
    for row in sheet.lists["routes"]:
        if row.id is not None and (Role.COLLECTOR, row.id) not in roster.held:
            remedy = f"Give a person the duty {{role: collector, route: {row.id}}}."
            yield row.fault((), "nobody drives it", remedy, FaultSeverity.WARNING)


class _Lineage(NamedTuple):
    """An area and those above it; ``whole`` if it ends below the county and not at a break."""

    areas: tuple[str, ...]
    whole: bool


class _Roster(NamedTuple):
    """Who holds what, where."""

    areas: Mapping[str, SheetRow]
    held: frozenset[tuple[Role, str]]
    route_of: Mapping[str, str]

    @classmethod
    def of(cls, sheet: InventorySheet) -> "_Roster":
        """Read it off the rows, faulty ones included: a wrong phone does not make the asset's row wrong too."""
        held = frozenset(duty for row in sheet.lists["people"] for duty in duties_of(row))
        routes = {
            stop: route.id
            for route in sheet.lists["routes"]
            if route.id is not None
            for _, stop in texts_at(route.table, ("stops", EACH))
        }
        return cls(_by_id(sheet, "areas"), held, routes)

    def has(self, role: Role, areas: tuple[str, ...] | list[str]) -> bool:
        """Whether somebody holds the role in one of the areas."""
        return any((role, area) in self.held for area in areas)

    def lineage(self, area: str) -> _Lineage:
        """The area and those above it, no higher than there are levels."""
        found: list[str] = []
        at: str | None = area
        while at is not None and at in self.areas and len(found) < len(Level):
            found.append(at)
            at = self.areas[at].text("parent")
        return _Lineage(tuple(found), whole=at is None)

    def unkept(self, asset: SheetRow, areas: list[str]) -> Iterator[Fault]:
        """The fault of an asset whose emptier (a bin's) or crew (a plant's) is nobody."""
        kind = asset.text("kind")
        role = {AssetKind.BIN.value: Role.CLEANER, AssetKind.PLANT.value: Role.CREW}.get(kind or "")
        if role is None or self.has(role, areas):
            return
        route = self.route_of.get(asset.id or "") if role is Role.CLEANER else None
        if route is not None and (Role.COLLECTOR, route) in self.held:
            return
        driver = "" if route is None else f" and nobody drives route {shown(route)}"
        yield asset.fault(
            ("area",),
            f"nobody answers for it: no {role} at {shown(areas[0])} or above{driver}",
            f"Give a person with a phone the duty {{role: {role}, area: {areas[0]}}}.",
        )


def _by_id(sheet: InventorySheet, list_name: str) -> dict[str, SheetRow]:
    """Rows by id; of two with the same id the first."""
    found: dict[str, SheetRow] = {}
    for row in sheet.lists[list_name]:
        if row.id is not None:
            found.setdefault(row.id, row)
    return found


def _cycles(parents: Mapping[str, str | None]) -> Iterator[tuple[str, ...]]:
    """Each cycle once, from the child that stands first upwards."""
    settled: set[str] = set()
    for start in parents:
        trail: dict[str, int] = {}
        at: str | None = start
        while at is not None and at in parents and at not in settled and at not in trail:
            trail[at] = len(trail)
            at = parents[at]
        if at is not None and at in trail:
            yield tuple(list(trail)[trail[at] :])
        settled.update(trail)
