"""A pump is on and moves no water: it idles with too little current, or is held fast and draws too much."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.conditions.machine import CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import IDLING_SHARE, JAMMED_SHARE, NO_LOAD_SHARE, PlantMemory, PlantSight
from alerts.conditions.rule import Count, PlantRule, Scene, Seconds
from alerts.model import Detail, Severity

DRY: Final = "dry"
IDLE: Final = "idle"
"""The current is that of no load, and no meter says whether water comes."""
JAM: Final = "jam"


class DryRun(PlantRule):
    """Raised by a pump that is on below low_share of its rated current, or above high_share, and moves no water."""

    kind: Literal["dry_run"] = "dry_run"
    called: ClassVar[str] = "空转或卡住"
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("low_share", "high_share"),)
    severity: Severity = Severity.P2
    on_count: Count = 2
    on_delay_s: Seconds = 600
    off_count: Count = 2
    off_delay_s: Seconds = 600
    low_share: float = Field(default=IDLING_SHARE, gt=NO_LOAD_SHARE, lt=1)
    high_share: float = Field(default=JAMMED_SHARE, gt=1)

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``. A pump that is off says nothing of how it runs."""
        design, current = scene.asset.plant, sight.values.pump_current_a
        if design is None or design.rated_current_a is None or current is None:
            return NONE
        share = current / design.rated_current_a
        if share < NO_LOAD_SHARE or sight.memory.pump_on is False:
            return NONE
        if sight.flow or self.low_share <= share <= self.high_share:
            return CLEAR
        if share > self.high_share:
            return Verdict(Call.RAISE, reason=JAM)
        return Verdict(Call.RAISE, reason=IDLE if sight.flow is None else DRY)

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:
        """See ``PlantRule.evidence``."""
        return {
            "by": machine.reason,
            "pump_current_a": memory.pump_current_a,
            "flow_m3h": memory.rate_m3h,
            "level_mm": memory.level_mm,
        }


RULE = DryRun
