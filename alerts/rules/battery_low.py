"""A device's battery runs down: a line in the weekly list. A voltage alone is not judged: its chemistry is unknown."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.devices import DeviceMemory
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Verdict
from alerts.conditions.rule import DeviceRule, Scene
from alerts.model import Detail, Severity
from telemetry.reading import Values


class BatteryLow(DeviceRule):
    """Raised at ``plan_pct`` (urgent at ``urgent_pct``), cleared at ``clear_pct``."""

    kind: Literal["battery_low"] = "battery_low"
    called: ClassVar[str] = "电量低"
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("plan_pct", "clear_pct"),)
    severity: Severity = Severity.P4
    plan_pct: float = Field(default=20.0, ge=0, le=100)
    urgent_pct: float = Field(default=10.0, ge=0, le=100)
    clear_pct: float = Field(default=30.0, ge=0, le=100)

    def judge(self, sight: Values, scene: Scene) -> Verdict:  # noqa: ARG002 - the charge alone decides
        """See ``DeviceRule.judge``."""
        if sight.battery_pct is None:
            return NONE
        if sight.battery_pct <= self.plan_pct:
            return RAISE
        return CLEAR if sight.battery_pct >= self.clear_pct else BETWEEN

    def evidence(self, memory: DeviceMemory) -> Detail:
        """See ``DeviceRule.evidence``."""
        urgent = memory.battery_pct is not None and memory.battery_pct <= self.urgent_pct
        return {"battery_pct": memory.battery_pct, "urgent": urgent}


RULE = BatteryLow
