"""Which assets are on trial and until when, and which trials a person has ended (转正式). What that holds is ``holds``.

The inventory says until when; what was ended here stays ended until the inventory gives that same thing another date.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from alerts.alert import Alert
from alerts.model import Detail, Event
from alerts.topology import areas_of
from alerts.undo import Undoable, UndoDict, UndoLog
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis


class Kind(StrEnum):
    """What may be on trial."""

    AREA = "area"
    ASSET = "asset"
    DEVICE = "device"


class Ended(Struct, frozen=True):
    """A trial that was ended at ``at_ms``, before the date that it had."""

    kind: Kind
    name: str
    at_ms: Millis
    until_ms: Millis


class Trial(NamedTuple):
    """Something on trial, and until when; ``usual`` is what is new without anybody having said so."""

    kind: Kind
    name: str
    until_ms: Millis
    usual: bool = False


class Trials(Undoable):
    """The trials of one county. ``usual_ms`` is how long what is new is on trial where nobody says otherwise."""

    def __init__(self, inventory: Inventory, usual_ms: Millis, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self._inventory = inventory
        self._usual_ms = usual_ms
        self._ended: dict[tuple[Kind, str], Ended] = UndoDict(self._undo)

    def anew(self) -> "Trials":
        """The same trials with none of them ended."""
        return Trials(self._inventory, self._usual_ms)

    def restore(self, ended: Iterable[Ended]) -> None:
        """Takes over what was ended before a start."""
        self._ended = UndoDict(self._undo, {(each.kind, each.name): each for each in ended})

    def kept(self) -> list[Ended]:
        """What is to be remembered: everything ended of what is still there."""
        inventory = self._inventory
        there = {Kind.AREA: inventory.areas, Kind.ASSET: inventory.assets, Kind.DEVICE: inventory.devices}
        return [each for each in self._ended.values() if each.name in there[each.kind]]

    def of_alert(self, alert: Alert) -> Millis:
        """Until when an episode tells nobody but the desk; 0 if it may."""
        asset = self._inventory.assets.get(alert.asset)
        if asset is not None:
            return self.of_asset(asset, alert.device)
        return max((self.of_area(area) for area in areas_of(alert, self._inventory)), default=0)

    def of_asset(self, asset: Asset, device: str = "") -> Millis:
        """Until when an asset's alerts, fed by one of its devices, tell nobody but the desk; 0 if they may."""
        devices = self._inventory.devices_of.get(asset.id, ())
        given = max(
            self._until_ms(Kind.ASSET, asset.id, _ms(asset.trial_until)),
            *(self._until_ms(Kind.DEVICE, own.id, _ms(own.trial_until)) for own in devices if own.id == device),
            *(self.of_area(area) for area in asset.areas),
        )
        is_given = asset.trial_until is not None or any(
            own.trial_until is not None for own in devices if own.id == device
        )
        if is_given or any(self._is_dated(area) for area in asset.areas) or not devices:
            return given
        return self._until_ms(Kind.ASSET, asset.id, self._usual_end_ms(asset))

    def of_area(self, area: str) -> Millis:
        """Until when an area or one above it is on trial."""
        lineage = self._inventory.lineage(area)
        return max(self._until_ms(Kind.AREA, node.id, _ms(node.trial_until)) for node in lineage)

    def running(self, at_ms: Millis) -> Iterator[Trial]:
        """Everything that is on trial then: areas, assets, devices, each in the inventory's order."""
        inventory = self._inventory
        for kind, things in (
            (Kind.AREA, inventory.areas.values()),
            (Kind.ASSET, inventory.assets.values()),
            (Kind.DEVICE, inventory.devices.values()),
        ):
            for thing in things:
                until_ms = self._until_ms(kind, thing.id, _ms(thing.trial_until))
                if until_ms > at_ms:
                    yield Trial(kind, thing.id, until_ms)
                elif kind is Kind.ASSET and isinstance(thing, Asset) and self._is_new(thing, at_ms):
                    yield Trial(kind, thing.id, self.of_asset(thing), usual=True)

    def end(self, kind: Kind, name: str, at_ms: Millis) -> list[Trial]:
        """Ends what runs of it, of an area that of everything new within it, too. Answers with what was ended."""
        ended = [trial for trial in self.running(at_ms) if self._is_meant(trial, kind, name)]
        for trial in ended:
            self._ended[trial.kind, trial.name] = Ended(trial.kind, trial.name, at_ms, trial.until_ms)
        return ended

    def _is_meant(self, trial: Trial, kind: Kind, name: str) -> bool:
        if (trial.kind, trial.name) == (kind, name):
            return True
        if kind is not Kind.AREA or not trial.usual:
            return False
        return name in self._inventory.around(self._inventory.assets[trial.name].areas)

    def _is_new(self, asset: Asset, at_ms: Millis) -> bool:
        devices = self._inventory.devices_of.get(asset.id, ())
        dated = asset.trial_until is not None or any(self._is_dated(area) for area in asset.areas)
        return bool(devices) and not dated and self._until_ms(Kind.ASSET, asset.id, self._usual_end_ms(asset)) > at_ms

    def _is_dated(self, area: str) -> bool:
        return any(node.trial_until is not None for node in self._inventory.lineage(area))

    def _usual_end_ms(self, asset: Asset) -> Millis:
        return min(_ms(device.installed_at) for device in self._inventory.devices_of[asset.id]) + self._usual_ms

    def _until_ms(self, kind: Kind, name: str, given_ms: Millis) -> Millis:
        ended = self._ended.get((kind, name))
        return ended.at_ms if ended is not None and ended.until_ms == given_ms else given_ms


def trial_ended(
    inventory: Inventory, kind: Kind, name: str, ended: Iterable[Trial], asked: Mapping[str, str], at_ms: Millis
) -> Event:
    """The row that says who ended which trials (law L9)."""
    device = inventory.devices.get(name)
    asset = device.asset if kind is Kind.DEVICE and device is not None else name if kind is Kind.ASSET else ""
    detail: Detail = {**asked, "kind": str(kind), "name": name, "ended": [trial.name for trial in ended]}
    return Event(at_ms=at_ms, event="trial_ended", rule="", asset=asset, detail=detail)


def _ms(at: datetime | None) -> Millis:
    return 0 if at is None else round(at.timestamp() * 1000)
