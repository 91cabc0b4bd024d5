"""Which devices are past their own offline deadline, and how many of each area: kept as findings come.

A set and its counts, nothing else; what silence means is ``decide``'s, and most of an area at once is ``outages``'.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from alerts.conditions.engine import SILENT
from alerts.conditions.finding import Finding, Found
from alerts.conditions.state import AssetState, Plan
from alerts.undo import Undoable, UndoDict, UndoLog, UndoSet


@dataclass(frozen=True, slots=True)
class Hush:
    """The silence as the findings of one input leave it, a view that is true until they are kept.

    It costs what they are, not how many are silent.
    """

    before: AbstractSet[str]
    counted: Mapping[str, int]
    stale: AbstractSet[str]
    fresh: AbstractSet[str]
    moved: Mapping[str, int]

    def __contains__(self, device: str) -> bool:
        return device in self.stale or (device in self.before and device not in self.fresh)

    def in_area(self, area: str) -> int:
        """How many witnesses of an area are silent, those of the areas below it included."""
        return self.counted.get(area, 0) + self.moved.get(area, 0)


class Silence(Undoable):
    """The silent devices of one county. Not thread-safe: one loop owns it."""

    def __init__(self, places: Mapping[str, tuple[str, ...]], undo: UndoLog | None = None) -> None:
        """``places`` are the areas for which each device is a witness; one that is none is not counted."""
        super().__init__(undo)
        self._places = places
        self._devices: UndoSet[str] = UndoSet(self._undo)
        self._counted: UndoDict[str, int] = UndoDict(self._undo)

    def __contains__(self, device: str) -> bool:
        return device in self._devices

    def restore(self, plans: Mapping[str, Plan], states: Mapping[str, AssetState]) -> None:
        """Takes it from what was remembered."""
        silent = [
            device.id
            for asset, state in states.items()
            for device, place in zip(plans[asset].devices, plans[asset].silence, strict=True)
            if state.machines[place].condition is SILENT
        ]
        self._devices = UndoSet(self._undo, silent)
        self._counted = UndoDict(self._undo, self._count(silent))

    def after(self, findings: Iterable[Finding]) -> Hush:
        """What it will be once these findings are kept."""
        stale = {finding.device for finding in findings if finding.kind is Found.STALE} - self._devices
        fresh = {finding.device for finding in findings if finding.kind is Found.FRESH} & self._devices
        moved = self._count(stale)
        moved.subtract(self._count(fresh))
        return Hush(self._devices, self._counted, stale, fresh, moved)

    def keep(self, findings: Iterable[Finding]) -> None:
        """The findings hold."""
        hush = self.after(findings)
        for device in hush.stale:
            self._devices.add(device)
        for device in hush.fresh:
            self._devices.discard(device)
        for area, count in hush.moved.items():
            self._counted[area] = self._counted.get(area, 0) + count

    def _count(self, devices: Iterable[str]) -> Counter[str]:
        return Counter(area for device in devices for area in self._places.get(device, ()))
