"""The whole inventory of a county, and how to find one thing in it from another.

Only look-ups live here; reading a file is ``file``, and what a fact means for an alert is ``alerts``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from telemetry.inventory.assets import Asset, Device
from telemetry.inventory.county import Area, CountySettings, Duty, Feeder, Person, RadioGateway, Route
from telemetry.phone import dialled
from telemetry.terms import AssetKind, Level, Role


@dataclass(frozen=True)
class Inventory:
    """A county's whole inventory. Built only from parts that were checked against each other."""

    county: CountySettings
    areas: Mapping[str, Area]
    people: Mapping[str, Person]
    routes: Mapping[str, Route]
    radio_gateways: Mapping[str, RadioGateway]
    feeders: Mapping[str, Feeder]
    assets: Mapping[str, Asset]
    devices: Mapping[str, Device]
    former: Mapping[str, Asset] = field(default_factory=dict)
    """What there once was and nothing watches any more, by the id that it had: its history is still read."""

    def known_asset(self, asset: str) -> Asset | None:
        """The asset of an id, also one that is retired."""
        return self.assets.get(asset) or self.former.get(asset)

    def knows(self, subject: str) -> bool:
        """Whether there is still such an asset, radio gateway or area, or it is the county itself."""
        places = (self.assets, self.radio_gateways, self.areas)
        return subject == self.county.id or any(subject in known for known in places)

    def lineage(self, area: str) -> Iterator[Area]:
        """The area itself, then each area above it."""
        at: str | None = area
        while at is not None:
            node = self.areas[at]
            yield node
            at = node.parent

    def town_of(self, area: str) -> str:
        """The id of the town that an area is or lies in; empty where there is none."""
        return next((node.id for node in self.lineage(area) if node.level is Level.TOWN), "")

    def around(self, areas: Iterable[str]) -> tuple[str, ...]:
        """The ids of some areas and of all above them, each once, the nearest first."""
        return tuple(dict.fromkeys(node.id for area in areas for node in self.lineage(area)))

    @cached_property
    def by_dev_eui(self) -> Mapping[str, Device]:
        """Devices by LoRaWAN identity, lower case."""
        return {device.dev_eui: device for device in self.devices.values() if device.dev_eui is not None}

    @cached_property
    def devices_of(self) -> Mapping[str, tuple[Device, ...]]:
        """Devices by asset, in inventory order; an asset without a device is not in it."""
        found: dict[str, list[Device]] = {}
        for device in self.devices.values():
            found.setdefault(device.asset, []).append(device)
        return {asset: tuple(devices) for asset, devices in found.items()}

    @cached_property
    def behind(self) -> Mapping[str, tuple[Device, ...]]:
        """Devices by the radio gateway that carries them."""
        found: dict[str, list[Device]] = {}
        for device in self.devices.values():
            if device.radio_gateway is not None:
                found.setdefault(device.radio_gateway, []).append(device)
        return {gateway: tuple(devices) for gateway, devices in found.items()}

    @cached_property
    def bins_in(self) -> Mapping[str, tuple[Asset, ...]]:
        """Bins by village."""
        found: dict[str, list[Asset]] = {}
        for asset in self.assets.values():
            if asset.kind is AssetKind.BIN:
                found.setdefault(asset.area, []).append(asset)
        return {area: tuple(assets) for area, assets in found.items()}

    @cached_property
    def route_of(self) -> Mapping[str, Route]:
        """The route that empties a bin, by asset."""
        return {stop: route for route in self.routes.values() for stop in route.stops}

    @cached_property
    def phone_of(self) -> Mapping[str, str]:
        """The number at which a person is reached, by id: their own, or that of who passes it on."""
        return {
            person.id: self.people[person.relay].phone if person.relay is not None else person.phone
            for person in self.people.values()
        }

    @cached_property
    def people_at(self) -> Mapping[str, tuple[Person, ...]]:
        """Who is reached at a number, as it is dialled, in inventory order."""
        found: dict[str, list[Person]] = {}
        for person in self.people.values():
            found.setdefault(dialled(self.phone_of[person.id]), []).append(person)
        return {phone: tuple(people) for phone, people in found.items()}

    def reached_at(self, phone: str) -> tuple[Person, ...]:
        """Who is reached at a number, however it is written."""
        return self.people_at.get(dialled(phone), ())

    def holders(self, role: Role, area: str) -> tuple[tuple[Person, Duty], ...]:
        """Who holds a role at the area, else at the nearest area above; nobody gives an empty tuple."""
        for node in self.lineage(area):
            found = self._holders_at.get((role, node.id))
            if found:
                return found
        return ()

    def collectors(self, route: str) -> tuple[tuple[Person, Duty], ...]:
        """Who drives a route."""
        return tuple(
            (person, duty)
            for person in self.people.values()
            for duty in person.duties
            if duty.role is Role.COLLECTOR and duty.route == route
        )

    @cached_property
    def _holders_at(self) -> Mapping[tuple[Role, str], tuple[tuple[Person, Duty], ...]]:
        found: dict[tuple[Role, str], list[tuple[Person, Duty]]] = {}
        for person in self.people.values():
            for duty in person.duties:
                if duty.area is not None:
                    found.setdefault((duty.role, duty.area), []).append((person, duty))
        return {key: tuple(holders) for key, holders in found.items()}
