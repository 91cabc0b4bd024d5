"""What somebody may see: the whole county, or one area with all that is below it. Pure look-ups in the inventory.

Everything that a page shows has passed through here; nothing else knows about areas of users.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from alerts.people import EMPTIER, holders
from telemetry.inventory import Area, Asset, Inventory, Person


@dataclass(frozen=True)
class UserScope:
    """One user's part of a county; without an area it is all of it."""

    inventory: Inventory
    area: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return not self.area

    def sees_area(self, area: str) -> bool:
        """Whether an area lies within it."""
        return self.is_whole or any(node.id == self.area for node in self.inventory.lineage(area))

    def sees(self, subject: str) -> bool:
        """Whether an asset, radio gateway or area lies within it; what is about the whole county needs it all."""
        if self.is_whole:
            return True
        asset = self.inventory.assets.get(subject)
        if asset is not None:
            return asset.id in self._own
        former = self.inventory.former.get(subject)
        if former is not None:
            return any(area in self.inventory.areas and self.sees_area(area) for area in former.areas)
        gateway = self.inventory.radio_gateways.get(subject)
        area = subject if gateway is None else gateway.area
        return area in self.inventory.areas and self.sees_area(area)

    def sees_within(self, within: Collection[str]) -> bool:
        """Whether something that is counted in these areas, all above them named, lies within it."""
        return self.is_whole or self.area in within

    @cached_property
    def assets(self) -> tuple[Asset, ...]:
        """Its assets, in the inventory's order."""
        return tuple(self.inventory.assets[asset] for asset in self._own)

    @cached_property
    def former(self) -> tuple[Asset, ...]:
        """What there once was within it and is retired, by name."""
        seen = (asset for asset in self.inventory.former.values() if self.sees(asset.id))
        return tuple(sorted(seen, key=lambda asset: asset.name))

    @cached_property
    def villages(self) -> tuple[Area, ...]:
        """The areas in which its assets are counted, in the inventory's order."""
        counted = {asset.area for asset in self.assets}
        return tuple(area for area in self.inventory.areas.values() if area.id in counted)

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Those with a duty that touches it: in it, above it, or on a route through it."""
        return tuple(person for person in self.inventory.people.values() if self.is_whole or self._touches(person))

    @cached_property
    def own_people(self) -> tuple[Person, ...]:
        """Those all of whose duties lie within it: what is written of them concerns nobody else."""
        return tuple(person for person in self.inventory.people.values() if self.is_whole or self._holds(person))

    @cached_property
    def uncovered(self) -> tuple[str, ...]:
        """Areas, by id, with a bin that nobody empties."""
        found = {
            asset.area: None
            for asset in self.assets
            if asset.bin is not None and not holders(self.inventory, EMPTIER, asset.areas, asset)
        }
        return tuple(found)

    def town_of(self, area: str) -> str:
        """The name of the town that an area belongs to; empty where there is none."""
        town = self.inventory.town_of(area)
        return self.inventory.areas[town].name if town else ""

    @cached_property
    def _own(self) -> dict[str, None]:
        return {
            asset.id: None
            for asset in self.inventory.assets.values()
            if any(self.sees_area(area) for area in asset.areas)
        }

    def _holds(self, person: Person) -> bool:
        stops = [stop for duty in person.duties if duty.route for stop in self.inventory.routes[duty.route].stops]
        return bool(person.duties) and all(map(self.sees_area, self._areas(person))) and self._own.keys() >= set(stops)

    def _touches(self, person: Person) -> bool:
        return any(self.sees_area(area) or area in self._above for area in self._areas(person)) or any(
            duty.route is not None and any(stop in self._own for stop in self.inventory.routes[duty.route].stops)
            for duty in person.duties
        )

    def _areas(self, person: Person) -> Iterator[str]:
        return (duty.area for duty in person.duties if duty.area is not None)

    @cached_property
    def _above(self) -> frozenset[str]:
        return frozenset(node.id for node in self.inventory.lineage(self.area))
