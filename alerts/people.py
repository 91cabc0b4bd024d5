"""Who answers for an asset: roles by area and route. It knows duty lists, not hours, texts or alerts."""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.inventory import Area, Asset, Duty, Inventory, Person
from telemetry.terms import AssetKind, Role

EMPTIER = "emptier"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a role for an asset, and the duties by which: mornings and evenings may be two."""

    person: Person
    duties: tuple[Duty, ...]


def holders(inventory: Inventory, role: str, areas: Iterable[str], asset: Asset | None) -> tuple[Holder, ...]:
    """Those who hold a role: at each area, else at the nearest above; nobody twice."""
    if role == EMPTIER:
        return _emptiers(inventory, areas, asset)
    return _at(inventory, Role(role), areas)


def anywhere(inventory: Inventory, role: str) -> tuple[Holder, ...]:
    """Those who hold a role in any area of the county; nobody twice."""
    return _once(
        Holder(person, (duty,))
        for person in inventory.people.values()
        for duty in person.duties
        if duty.role == role and duty.area is not None
    )


def within(inventory: Inventory, role: str, area: str) -> tuple[Holder, ...]:
    """Those who hold a role somewhere below an area; nobody twice."""
    return tuple(
        holder
        for holder in anywhere(inventory, role)
        if any(node.id == area for duty in holder.person.duties for node in _above(inventory, duty))
    )


def _above(inventory: Inventory, duty: Duty) -> Iterable[Area]:
    return () if duty.area is None else inventory.lineage(duty.area)


def _emptiers(inventory: Inventory, areas: Iterable[str], asset: Asset | None) -> tuple[Holder, ...]:
    """A bin on a route needs its truck; any other is emptied by its cleaner; plants have a crew."""
    if asset is not None and asset.kind is AssetKind.PLANT:
        return _at(inventory, Role.CREW, areas)
    route = None if asset is None else inventory.route_of.get(asset.id)
    if route is not None:
        return _once(Holder(person, (duty,)) for person, duty in inventory.collectors(route.id))
    return _at(inventory, Role.CLEANER, areas)


def _at(inventory: Inventory, role: Role, areas: Iterable[str]) -> tuple[Holder, ...]:
    return _once(Holder(person, (duty,)) for area in areas for person, duty in inventory.holders(role, area))


def _once(found: Iterable[Holder]) -> tuple[Holder, ...]:
    once: dict[str, Holder] = {}
    for holder in found:
        known = once.get(holder.person.id)
        duties = holder.duties if known is None else (*known.duties, *holder.duties)
        once[holder.person.id] = Holder(holder.person, duties)
    return tuple(once.values())
