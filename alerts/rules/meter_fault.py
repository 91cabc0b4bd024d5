"""A plant's flow meter is broken: it sees no water while the pump moves some, or repeats itself.

It says nothing of the plant, and ``stopped`` no longer believes the meter. Only water that it sees again, or a
frozen rate that moves, clears it: a pump at rest proves nothing of a meter.
"""

from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.conditions.machine import CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import SECOND, PlantRule, Scene, Seconds
from alerts.model import Detail, Severity
from telemetry.inventory import Asset

BLIND: Final = "blind"
FROZEN: Final = "frozen"
UNCOUNTED: Final = "uncounted"


class MeterFault(PlantRule):
    """Raised by a pump that ran run_s under load, or a rate that stood so long or came to uncounted_m3, uncounted."""

    kind: Literal["meter_fault"] = "meter_fault"
    called: ClassVar[str] = "仪表故障"
    of_instrument: ClassVar[bool] = True
    timer_promotes: ClassVar[bool] = False
    severity: Severity = Severity.P4
    priority_severity: Severity = Severity.P3
    run_s: Seconds = Field(default=1800, gt=0)
    off_delay_s: Seconds = 1800
    uncounted_m3: float = Field(
        default=3.0, gt=0, description="so much by the rate, and a totaliser in whole cubic metres has risen"
    )

    def severity_of(self, asset: Asset, detail: Detail) -> Severity:  # noqa: ARG002 - the asset decides
        """Where it blinds a plant with priority, it is told at once."""
        return self.priority_severity if asset.priority else self.severity

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``."""
        if sight.flowing is None:
            return NONE
        memory, limit = sight.memory, round(self.run_s * SECOND)
        if memory.barren_ms >= limit:
            return Verdict(Call.RAISE, memory.last_flow_ms or memory.first_ms, reason=BLIND)
        if memory.frozen_ms and sight.observed_ms - memory.frozen_ms >= limit:
            return Verdict(Call.RAISE, memory.frozen_ms, reason=FROZEN)
        if memory.uncounted_m3 > self.uncounted_m3:
            return Verdict(Call.RAISE, memory.last_flow_ms or memory.first_ms, reason=UNCOUNTED)
        has_thawed = scene.machine(self.kind).reason == FROZEN and not memory.frozen_ms
        return CLEAR if sight.flowing or has_thawed else NONE

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:
        """See ``PlantRule.evidence``."""
        return {
            "by": machine.reason,
            "since_ms": machine.since_ms,
            "pump_current_a": memory.pump_current_a,
            "flow_m3h": memory.rate_m3h,
            "volume_m3": memory.volume_m3,
        }


RULE = MeterFault
