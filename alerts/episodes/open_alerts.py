"""The open alerts and the silent devices while one input is decided: what stage two reads and writes.

It lasts for one input and decides nothing; who keeps what it holds is ``county``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from alerts.alert import Alert
from alerts.conditions.engine import SILENT
from alerts.conditions.finding import Finding, Found
from alerts.conditions.state import AssetState, Memory, Plan
from alerts.model import Log
from alerts.rules import explains
from alerts.undo import Undoable, UndoDict, UndoLog, UndoSet
from telemetry.reading import Millis


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


@dataclass(slots=True)
class OpenAlerts:
    """The open alerts while one input is decided: those known, those changed, and what was said about them in order."""

    known: Mapping[str, Alert]
    causes: Mapping[str, Alert]
    """Those of the known that may explain others: few, where the known may be thousands."""
    silent: Hush
    """Devices past their own offline deadline, the findings at hand included."""
    state_of: Callable[[str], AssetState | None]
    seen_ms: Callable[[str], Millis]
    """When a device spoke last; 0 is never."""
    listening_ms: Millis = 0
    """Since when we hear the devices."""
    not_before_ms: Millis = 0
    """The end of the grace after a start: nothing that was kept quiet or fell due meanwhile is told before."""
    queued: bool = False
    """What is decided was measured before we could hear it: the news of the present may still be in the queue."""
    changed: dict[str, Alert] = field(default_factory=dict)
    log: Log = field(default_factory=list)

    def get(self, episode: str) -> Alert | None:
        """The alert as it stands now."""
        return self.changed.get(episode) or self.known.get(episode)

    def memory(self, asset: str) -> Memory | None:
        """What is remembered of an asset, if it is one."""
        state = self.state_of(asset)
        return None if state is None else state.memory

    def is_held(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether what is due of it fell due while we could not hear, and waits for the grace."""
        return alert.wake_ms < self.listening_ms and at_ms < self.not_before_ms

    def enter(self, alert: Alert) -> None:
        """Enters the next state of an alert."""
        self.changed[alert.episode] = alert

    def standing(self) -> Iterable[Alert]:
        """Every episode that is not over, as it stands now, oldest first."""
        return [alert for alert in {**self.known, **self.changed}.values() if not alert.closed_ms]

    def on(self, asset: str) -> list[Alert]:
        """Those of them that stand on one asset; asked for each asset of a village, so nothing is copied."""
        known = (alert for alert in self.known.values() if alert.asset == asset and alert.episode not in self.changed)
        changed = (alert for alert in self.changed.values() if alert.asset == asset)
        return [alert for alert in (*known, *changed) if not alert.closed_ms]

    def explaining(self) -> list[Alert]:
        """The same of those that may explain others, without a look at the rest."""
        causes = {**self.causes, **{name: alert for name, alert in self.changed.items() if alert.rule in explains()}}
        return [alert for alert in causes.values() if not alert.closed_ms]

    def cause(self, rule: str, asset: str) -> Alert | None:
        """The standing episode of a rule that may explain others, on one asset, radio gateway or area."""
        return next((alert for alert in self.explaining() if alert.rule == rule and alert.asset == asset), None)
