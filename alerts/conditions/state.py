"""What watches one asset, and all that is remembered of it. States are frozen values.

Nothing here moves: transitions are ``machine``, one input at a time is ``engine``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import Calendar
from alerts.conditions.bins import BinMemory
from alerts.conditions.devices import DeviceMemory
from alerts.conditions.filling import Filling
from alerts.conditions.machine import IDLE, Machine, Timing, Verdict
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import BinRule, DeviceRule, PlantRule, Rule, Scene, SilenceRule, TrafficRule
from alerts.conditions.traffic import Share
from alerts.windows import Window
from telemetry.inventory import Asset, Device
from telemetry.reading import Millis
from telemetry.terms import AssetKind

Memory: TypeAlias = BinMemory | PlantMemory


NOTHING_LEARNED: Final = Filling()


class AssetState(Struct, frozen=True, gc=False, array_like=True):
    """All that is remembered of an asset: its memory, its devices, and one machine for each slot of its plan."""

    memory: Memory
    devices: tuple[DeviceMemory, ...]
    machines: tuple[Machine, ...]
    run: str = ""
    windows: tuple[Window, ...] = ()
    """Declared work on it that is not over."""
    filling: Filling = NOTHING_LEARNED
    """Of a bin, what its hours have taught."""


class Slot(Struct, frozen=True):
    """One machine's place: its rule, its timing, and the device it belongs to (-1: the asset itself)."""

    rule: Rule
    timing: Timing
    device: int = -1


Placed: TypeAlias = tuple[int, Slot]
"""A slot and its place among the slots of its layout."""


Asked: TypeAlias = tuple[int, Slot, Callable[[Any, Scene], Verdict], bool]
"""A placed slot with its rule's ``judge``, laid open since every sample asks each of them; and whether that is given
what the sample means for the asset, or what the device said of itself."""


class Layout(Struct, frozen=True):
    """The slots of an asset in their order, and where to find them.

    Assets alike share one, so that what every sample touches stays in the processor's cache.
    """

    slots: tuple[Slot, ...]
    place: Mapping[str, int]
    """The slot of a rule about the asset, by kind."""
    silence: tuple[int, ...]
    """For each device, the slot of its offline machine."""
    heard: tuple[tuple[Asked, ...], ...]
    """For each device, the slots that a sample of it speaks to: the asset's and its own."""
    sign_of_life: tuple[tuple[Asked, ...], ...]
    """The same for a message whose values no longer count: its offline slot alone."""
    traffic: tuple[tuple[Placed, ...], ...]
    """For each device, the slots that look at how much it says, and at nothing else."""


@lru_cache(maxsize=1_024)
def _layout(rules: tuple[Rule, ...], kind: AssetKind, devices: int) -> Layout:
    own = (rule for rule in rules if isinstance(rule, BinRule | PlantRule) and rule.applies(kind))
    watched = tuple(rule for rule in rules if isinstance(rule, DeviceRule | TrafficRule))
    slots = (
        *(Slot(rule, rule.timing) for rule in own),
        *(Slot(rule, rule.timing, index) for rule in watched for index in range(devices)),
    )
    placed = tuple(enumerate(slots))
    asked = tuple((place, slot, slot.rule.judge, slot.device < 0) for place, slot in placed)
    spoken = tuple(each for each in placed if isinstance(each[1].rule, TrafficRule))
    silence = {slot.device: place for place, slot in placed if isinstance(slot.rule, SilenceRule)}
    return Layout(
        slots,
        {slot.rule.kind: place for place, slot in placed if slot.device < 0},
        tuple(silence[index] for index in range(devices)),
        tuple(
            tuple(asked[place] for place, slot in placed if slot.device in {-1, index} and (place, slot) not in spoken)
            for index in range(devices)
        ),
        tuple((asked[silence[index]],) for index in range(devices)),
        tuple(tuple(each for each in spoken if each[1].device == index) for index in range(devices)),
    )


@lru_cache(maxsize=1_024)
def _share(rules: tuple[Rule, ...], interval_s: int) -> Share:
    """What no rule thinks too much."""
    shares = [rule.share(interval_s) for rule in rules if isinstance(rule, TrafficRule)]
    return Share(min(each.messages for each in shares), min(each.size for each in shares))


@dataclass(frozen=True)
class Plan:
    """What watches one asset: its slots in a fixed order. Built from inventory and rule set, never changed."""

    asset: Asset
    devices: tuple[Device, ...]
    index: Mapping[str, int]
    """A device's place by its id."""
    layout: Layout
    calendar: Calendar

    @classmethod
    def of(cls, asset: Asset, devices: tuple[Device, ...], rules: Mapping[str, Rule], calendar: Calendar) -> "Plan":
        """The plan of an asset under a rule set; parents stand before children."""
        index = {device.id: place for place, device in enumerate(devices)}
        return cls(asset, devices, index, _layout(tuple(rules.values()), asset.kind, len(devices)), calendar)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """See ``Layout``."""
        return self.layout.slots

    @property
    def place(self) -> Mapping[str, int]:
        """See ``Layout``."""
        return self.layout.place

    @property
    def silence(self) -> tuple[int, ...]:
        """See ``Layout``."""
        return self.layout.silence

    @cached_property
    def stale_after_ms(self) -> tuple[Millis, ...]:
        """For each device, how long it may be silent."""
        rules = (self.slots[place].rule for place in self.silence)
        return tuple(
            rule.stale_after_ms(device)
            for rule, device in zip(rules, self.devices, strict=True)
            if isinstance(rule, SilenceRule)
        )

    @cached_property
    def fresh_ms(self) -> Millis:
        """How old a signal may be and still speak for the asset."""
        return max(self.stale_after_ms, default=0)

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """For each device, what it may say in an hour."""
        devices = zip(self.layout.traffic, self.devices, strict=True)
        return tuple(_share(tuple(slot.rule for _, slot in slots), device.interval_s) for slots, device in devices)

    def subject(self, slot: Slot) -> str:
        """What an episode of this slot is named after."""
        return self.asset.id if slot.device < 0 else self.devices[slot.device].id

    def watches(self, rule: str, subject: str) -> bool:
        """Whether a device of it feeds an episode of this rule about this subject."""
        return bool(self.devices) and any(
            slot.rule.kind == rule and self.subject(slot) == subject for slot in self.slots
        )

    def born(self, known_ms: Mapping[str, Millis]) -> AssetState:
        """The state of an asset of which nothing was heard yet."""
        memory = BinMemory() if self.asset.bin is not None else PlantMemory()
        devices = tuple(DeviceMemory(known_ms[device.id]) for device in self.devices)
        return AssetState(memory, devices, (IDLE,) * len(self.slots))


class _Kept(Struct, frozen=True, array_like=True):
    """An asset's state with names instead of places, so that another rule set can read it."""

    memory: msgspec.Raw
    devices: dict[str, DeviceMemory]
    machines: dict[str, Machine]
    run: str = ""
    windows: tuple[Window, ...] = ()
    filling: Filling = NOTHING_LEARNED


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_KEPT: Final = msgspec.msgpack.Decoder(_Kept)
_BIN: Final = msgspec.msgpack.Decoder(BinMemory)
_PLANT: Final = msgspec.msgpack.Decoder(PlantMemory)


def pack(plan: Plan, state: AssetState) -> bytes:
    """An asset's state as bytes; machines at rest are left out."""
    devices = {device.id: memory for device, memory in zip(plan.devices, state.devices, strict=True)}
    machines = {
        _name(plan, slot): machine
        for slot, machine in zip(plan.slots, state.machines, strict=True)
        if machine is not IDLE and machine != IDLE
    }
    return _ENCODE(
        _Kept(msgspec.Raw(_ENCODE(state.memory)), devices, machines, state.run, state.windows, state.filling)
    )


def unpack(plan: Plan, kept: bytes | None, known_ms: Mapping[str, Millis]) -> AssetState:
    """A state from bytes under the present plan; what the bytes do not name starts anew."""
    born = plan.born(known_ms)
    if kept is None:
        return born
    found = _KEPT.decode(kept)
    memory = _BIN.decode(found.memory) if isinstance(born.memory, BinMemory) else _PLANT.decode(found.memory)
    devices = tuple(
        found.devices.get(device.id, fresh) for device, fresh in zip(plan.devices, born.devices, strict=True)
    )
    last = len(devices) - 1
    machines = tuple(_seated(found.machines.get(_name(plan, slot), IDLE), last) for slot in plan.slots)
    return AssetState(memory, devices, machines, found.run, found.windows, found.filling)


def _seated(machine: Machine, last: int) -> Machine:
    """A machine under a plan with so many devices; without any, nothing can move it and it rests."""
    if last < 0:
        return IDLE
    return machine if machine.feeder <= last else replace(machine, feeder=last)


def _name(plan: Plan, slot: Slot) -> str:
    return slot.rule.kind if slot.device < 0 else f"{slot.rule.kind}@{plan.devices[slot.device].id}"
