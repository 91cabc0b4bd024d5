"""Whether most of a village or a town has fallen silent at once (alerting.md §4, area outage). Counting only.

One radio gateway that takes its devices along is no outage, and sensors that died one by one are none either. What an
outage keeps quiet is ``topology``; whom it is told, ``escalation``; how it leaves, ``mailbox`` and ``digest``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import stamp
from alerts.conditions.finding import Finding, Found
from alerts.episodes.silence import Hush
from alerts.model import Detail, Severity
from alerts.notify.holds import Holds
from alerts.policy import Telling
from alerts.topology import OUTAGE
from telemetry.inventory import Device, Inventory
from telemetry.reading import Millis


@dataclass(frozen=True)
class Outages:
    """The counting of one county. A witness is a device that speaks at least once in a window."""

    inventory: Inventory
    telling: Telling

    @cached_property
    def places(self) -> Mapping[str, tuple[str, ...]]:
        """The areas of each witness and all above them, the nearest first."""
        devices = self.inventory.devices.values()
        return {device.id: self._areas(device) for device in devices if self._is_witness(device)}

    def touched(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """The areas in which a witness fell silent or spoke again, each after those above it."""
        moved = (each.device for each in findings if each.kind in (Found.STALE, Found.FRESH))
        return tuple(dict.fromkeys(area for device in moved for area in reversed(self.places.get(device, ()))))

    def right_below(self, area: str) -> tuple[str, ...]:
        """The areas that an area is made of."""
        return tuple(each.id for each in self.inventory.areas.values() if each.parent == area)

    def dark(self, area: str, silent: Hush, seen_ms: Callable[[str], Millis]) -> Detail | None:
        """The evidence, if most of those who spoke until then had their last word within one window; else nothing.

        Devices speak in turn, so what goes dark in one second falls stale over an interval, and a mains device hours
        before a bin: the last words are compared, not the deadlines.
        """
        telling, members = self.telling, self._members.get(area, ())
        if silent.in_area(area) < max(telling.outage_least, telling.outage_share * len(members)):
            return None  # asked whenever a device falls silent: what is counted already comes first
        quiet = {device: seen_ms(device) for device in members if device in silent}
        last_ms = max(quiet.values())
        together = [device for device, seen in quiet.items() if seen > 0 and last_ms - seen <= telling.outage_window]
        before = len(quiet) - len(together)
        if len(together) < max(telling.outage_least, telling.outage_share * (len(members) - before)):
            return None
        if self._share_a_gateway(together):
            return None
        return {"stale": len(together), "devices": len(members), "before": before, "seen_ms": last_ms}

    @staticmethod
    def stale(outage: Alert, silent: Hush) -> int:
        """How many of its devices are silent now, without those that were before it."""
        return max(0, silent.in_area(outage.asset) - _count(outage, "before"))

    def wider(self, outage: Alert, silent: Hush, at_ms: Millis, holds: Holds) -> Alert:
        """The outage with so many devices by now; those who were told of it hear so once in a window."""
        stale = self.stale(outage, silent)
        if stale <= _count(outage, "stale"):
            return outage
        wider = replace(outage, detail={**outage.detail, "stale": stale})
        is_quiet = outage.parent or outage.acked_ms or outage.shelved_until_ms
        if is_quiet or outage.repeat_ms or not outage.told:
            return wider
        return replace(wider, repeat_ms=holds.release(wider, at_ms + self.telling.storm_window, None).at_ms)

    def is_back(self, outage: Alert, silent: Hush) -> bool:
        """Whether enough of it speaks again."""
        spoke = _count(outage, "devices") - _count(outage, "before")
        return spoke - self.stale(outage, silent) >= self.telling.outage_fresh * spoke

    def _is_witness(self, device: Device) -> bool:
        return device.interval_s * 1000 <= self.telling.outage_window

    def _areas(self, device: Device) -> tuple[str, ...]:
        return self.inventory.around(self.inventory.assets[device.asset].areas)

    def _share_a_gateway(self, devices: Iterable[str]) -> bool:
        """Whether one radio gateway carries them all, and says it better."""
        ways = {self.inventory.devices[device].radio_gateway for device in devices}
        return len(ways) == 1 and None not in ways

    @cached_property
    def _members(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for device, areas in self.places.items():
            for area in areas:
                found.setdefault(area, []).append(device)
        return {area: tuple(devices) for area, devices in found.items()}


def _count(outage: Alert, name: str) -> int:
    number = outage.detail.get(name)
    return number if isinstance(number, int) else 0


def outage(area: str, evidence: Detail, at_ms: Millis) -> Alert:
    """The episode that an outage begins, on the area itself."""
    return Alert(
        episode=f"{OUTAGE}/{area}/{stamp(at_ms)}",
        rule=OUTAGE,
        asset=area,
        device="",
        severity=Severity.P3,
        raised_ms=at_ms,
        since_ms=at_ms,
        detail=evidence,
    )
