"""What watches one asset, and all that is remembered of it. States are frozen values.

Nothing here moves: transitions are ``lifecycle``, one input at a time is ``engine``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from alerts.bins import BinMemory
from alerts.calendars import Calendar
from alerts.devices import DeviceMemory
from alerts.lifecycle import IDLE, Machine, Timing
from alerts.plants import PlantMemory
from alerts.rule import BinRule, DeviceRule, PlantRule, Rule
from alerts.rules.offline import Offline
from telemetry.inventory import Asset, Device
from telemetry.reading import Millis

Memory: TypeAlias = BinMemory | PlantMemory


class AssetState(Struct, frozen=True, gc=False, array_like=True):
    """All that is remembered of an asset: its memory, its devices, and one machine for each slot of its plan."""

    memory: Memory
    devices: tuple[DeviceMemory, ...]
    machines: tuple[Machine, ...]
    run: str = ""


class Slot(Struct, frozen=True):
    """One machine's place: its rule, its timing, and the device it belongs to (-1: the asset itself)."""

    rule: Rule
    timing: Timing
    device: int = -1


@dataclass(frozen=True)
class Plan:
    """What watches one asset: its slots in a fixed order. Built from inventory and rule set, never changed."""

    asset: Asset
    devices: tuple[Device, ...]
    slots: tuple[Slot, ...]
    calendar: Calendar

    @classmethod
    def of(cls, asset: Asset, devices: tuple[Device, ...], rules: Mapping[str, Rule], calendar: Calendar) -> "Plan":
        """The plan of an asset under a rule set; parents stand before children."""
        own = [
            Slot(rule, rule.timing)
            for rule in rules.values()
            if isinstance(rule, BinRule | PlantRule) and rule.applies(asset)
        ]
        watched = [
            Slot(rule, rule.timing, index)
            for rule in rules.values()
            if isinstance(rule, DeviceRule)
            for index in range(len(devices))
        ]
        return cls(asset, devices, tuple(own + watched), calendar)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """A device's place by its id."""
        return {device.id: place for place, device in enumerate(self.devices)}

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The slot of a rule about the asset, by kind."""
        return {slot.rule.kind: place for place, slot in enumerate(self.slots) if slot.device < 0}

    @cached_property
    def silence(self) -> tuple[int, ...]:
        """For each device, the slot of its offline machine."""
        found = {slot.device: place for place, slot in enumerate(self.slots) if isinstance(slot.rule, Offline)}
        return tuple(found[index] for index in range(len(self.devices)))

    @cached_property
    def heard(self) -> tuple[tuple[tuple[int, Slot], ...], ...]:
        """For each device, the slots that a sample of it speaks to, with their places: the asset's and its own."""
        slots = tuple(enumerate(self.slots))
        return tuple(
            tuple((place, slot) for place, slot in slots if slot.device in {-1, index})
            for index in range(len(self.devices))
        )

    @cached_property
    def sign_of_life(self) -> tuple[tuple[tuple[int, Slot], ...], ...]:
        """The same for a message whose values no longer count: its offline slot alone."""
        return tuple(((place, self.slots[place]),) for place in self.silence)

    @cached_property
    def stale_after_ms(self) -> tuple[Millis, ...]:
        """For each device, how long it may be silent."""
        rules = (self.slots[place].rule for place in self.silence)
        return tuple(
            rule.stale_after_ms(device)
            for rule, device in zip(rules, self.devices, strict=True)
            if isinstance(rule, Offline)
        )

    @cached_property
    def fresh_ms(self) -> Millis:
        """How old a signal may be and still speak for the asset."""
        return max(self.stale_after_ms, default=0)

    def subject(self, slot: Slot) -> str:
        """What an episode of this slot is named after."""
        return self.asset.id if slot.device < 0 else self.devices[slot.device].id

    def born(self, known_ms: Mapping[str, Millis]) -> AssetState:
        """The state of an asset of which nothing was heard yet."""
        memory = BinMemory() if self.asset.bin is not None else PlantMemory()
        devices = tuple(DeviceMemory(known_ms[device.id]) for device in self.devices)
        return AssetState(memory, devices, (IDLE,) * len(self.slots))
