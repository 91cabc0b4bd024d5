"""One asset followed from hour to hour: its own row, a row for each of its devices, and what the next hour starts from.

An asset is followed from the first thing that is known of it: since when its devices are, or an earlier reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from alerts.conditions.state import Plan, pack, unpack
from alerts.rollups import days, plants
from alerts.rollups.days import Hour
from alerts.rollups.hours import BinCarry, BinScale, fold_bin, fold_device
from alerts.rollups.plants import Hold, PlantCarry
from alerts.rollups.rows import DAY_OF, Period, Rollup, Row, in_order
from alerts.rules.over_two_thirds import line_pct
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

Carry: TypeAlias = BinCarry | PlantCarry


class Folded(NamedTuple):
    """What an hour of an asset came to, and what it leaves; without a carry, nothing is known of the asset yet."""

    rows: tuple[Rollup, ...]
    carry: bytes | None


class _Kept(Struct, frozen=True, array_like=True):
    """A carry as bytes, with the devices that the asset had then."""

    devices: tuple[str, ...]
    blob: msgspec.Raw
    hold: Hold = Hold()


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_KEPT: Final = msgspec.msgpack.Decoder(_Kept)
_BIN: Final = msgspec.msgpack.Decoder(BinCarry)


def devices_in(carry: bytes) -> tuple[str, ...]:
    """The devices that the asset had when the carry was made."""
    return _KEPT.decode(carry).devices


@dataclass(frozen=True)
class Followed:
    """An asset with its plan, and since when each of its devices is known."""

    plan: Plan
    known_ms: Mapping[str, Millis]

    def fold(self, carry: bytes | None, readings: Sequence[Reading], window: Period) -> Folded:
        """An hour, from the readings observed in it, in any order and as often as they like."""
        ordered = in_order(reading for reading in readings if reading.device in self.plan.index)
        if carry is None and not ordered and self._known_ms >= window.end_ms:
            return Folded((), None)
        asset, kept = self._of_asset(carry, ordered, window)
        rows = [asset]
        for device in self.plan.devices:
            own = [reading for reading in ordered if reading.device == device.id]
            if (row := fold_device(device, self.known_ms[device.id], own, window)) is not None:
                rows.append(Rollup(Measurement.DEVICE_HOUR, device.id, window.start_ms, row))
        return Folded(tuple(rows), kept)

    def day(self, start_ms: Millis, hours: Mapping[tuple[Measurement, str], Sequence[Hour]]) -> list[Rollup]:
        """The asset's day and its devices', from the rows of their hours, each in order."""
        (kind, name), *own = self.subjects
        of_asset, design = hours.get((kind, name), ()), self.plan.asset.plant
        row = days.of_bin(of_asset, self.plan.calendar) if design is None else days.of_plant(of_asset, design)
        made: list[tuple[Measurement, str, Row | None]] = [(kind, name, row)]
        made += [(each, device, days.of_device(hours.get((each, device), ()))) for each, device in own]
        return [Rollup(DAY_OF[hourly], subject, start_ms, row) for hourly, subject, row in made if row is not None]

    @property
    def subjects(self) -> tuple[tuple[Measurement, str], ...]:
        """Whose hours there are: the asset's, then its devices'."""
        kind = Measurement.BIN_HOUR if self.plan.asset.bin is not None else Measurement.PLANT_HOUR
        return ((kind, self.plan.asset.id), *((Measurement.DEVICE_HOUR, device.id) for device in self.plan.devices))

    @cached_property
    def _known_ms(self) -> Millis:
        return min(self.known_ms[device.id] for device in self.plan.devices)

    @cached_property
    def _devices(self) -> tuple[str, ...]:
        return tuple(device.id for device in self.plan.devices)

    @cached_property
    def _scale(self) -> BinScale:
        geometry = self.plan.asset.bin
        if geometry is None:
            raise TypeError(f"{self.plan.asset.id} is no bin")
        stale_after_ms = dict(zip(self._devices, self.plan.stale_after_ms, strict=True))
        return BinScale(geometry, line_pct(self.plan), stale_after_ms)

    def _of_asset(self, carry: bytes | None, ordered: list[Reading], window: Period) -> tuple[Rollup, bytes]:
        found = None if carry is None else _KEPT.decode(carry)
        if self.plan.asset.bin is not None:
            return self._of_bin(found, ordered, window)
        return self._of_plant(found, ordered, window)

    def _of_bin(self, found: _Kept | None, ordered: list[Reading], window: Period) -> tuple[Rollup, bytes]:
        carry = BinCarry() if found is None else _BIN.decode(found.blob)
        row, left = fold_bin(self._scale, carry, ordered, window)
        rolled = Rollup(Measurement.BIN_HOUR, self.plan.asset.id, window.start_ms, row)
        return rolled, _ENCODE(_Kept(self._devices, msgspec.Raw(_ENCODE(left))))

    def _of_plant(self, found: _Kept | None, ordered: list[Reading], window: Period) -> tuple[Rollup, bytes]:
        """Its time counts from the window's beginning, or from the first thing that is known of it."""
        if found is None:
            carry = PlantCarry(self.plan.born(self.known_ms))
            since_ms = max(window.start_ms, min([self._known_ms, *(first.observed_ms for first in ordered[:1])]))
        else:
            carry = PlantCarry(unpack(self.plan, bytes(found.blob), self.known_ms), found.hold)
            since_ms = window.start_ms
        row, left = plants.fold(self.plan, carry, ordered, window, since_ms)
        rolled = Rollup(Measurement.PLANT_HOUR, self.plan.asset.id, window.start_ms, row)
        return rolled, _ENCODE(_Kept(self._devices, msgspec.Raw(pack(self.plan, left.state)), left.hold))
