"""A device has fallen silent, or never spoke. Only time raises it; it never says anything about what was measured."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.devices import DeviceMemory
from alerts.conditions.machine import CLEAR, Verdict
from alerts.conditions.rule import Count, Scene, Seconds, SilenceRule
from alerts.model import Detail, Severity
from telemetry.inventory import Asset, Device
from telemetry.reading import Millis, Values
from telemetry.terms import AssetKind, Power


class Offline(SilenceRule):
    """Silent for ``intervals`` report intervals or the least time, whichever is longer; cleared by two messages."""

    kind: Literal["offline"] = "offline"
    called: ClassVar[str] = "失联"
    explained_by: ClassVar[frozenset[str]] = frozenset({"area_outage", "gateway_offline", "no_power"})
    quiet_at_work: ClassVar[frozenset[AssetKind]] = frozenset(AssetKind)
    severity: Severity = Severity.P4
    plant_severity: Severity = Severity.P3
    off_count: Count = 2
    battery_intervals: float = Field(default=3.0, gt=0)
    battery_least_s: Seconds = 7200
    mains_intervals: float = Field(default=2.5, gt=0)
    mains_least_s: Seconds = 300

    def stale_after_ms(self, device: Device) -> Millis:
        """See ``SilenceRule.stale_after_ms``."""
        if device.power is Power.BATTERY:
            return round(max(self.battery_intervals * device.interval_s, self.battery_least_s) * 1000)
        return round(max(self.mains_intervals * device.interval_s, self.mains_least_s) * 1000)

    def severity_of(self, asset: Asset, detail: Detail) -> Severity:  # noqa: ARG002 - the kind of asset decides
        """A plant's silence matters more: nobody sees whether it runs."""
        return self.plant_severity if asset.kind is AssetKind.PLANT else self.severity

    def judge(self, sight: Values, scene: Scene) -> Verdict:  # noqa: ARG002 - any message is a sign of life
        """See ``DeviceRule.judge``."""
        return CLEAR

    def evidence(self, memory: DeviceMemory) -> Detail:
        """See ``DeviceRule.evidence``."""
        reason = "silent" if memory.seen_ms else "never_seen"
        return {"reason": reason, "seen_ms": memory.seen_ms or memory.known_ms}


RULE = Offline
