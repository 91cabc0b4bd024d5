"""The open alerts while one input is decided: what stage two reads, and where it enters what has changed and was said.

It lasts for one input and decides nothing; who keeps what it holds is ``county``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from alerts.alert import Alert
from alerts.conditions.state import AssetState, Memory
from alerts.episodes.silence import Hush
from alerts.notify.message_writer import Log
from alerts.topology import EXPLAINS
from telemetry.reading import Millis


@dataclass(slots=True)
class Docket:
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
        causes = {**self.causes, **{name: alert for name, alert in self.changed.items() if alert.rule in EXPLAINS}}
        return [alert for alert in causes.values() if not alert.closed_ms]

    def cause(self, rule: str, asset: str) -> Alert | None:
        """The standing episode of a rule that may explain others, on one asset, radio gateway or area."""
        return next((alert for alert in self.explaining() if alert.rule == rule and alert.asset == asset), None)
