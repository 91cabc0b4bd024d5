"""A pump is on and moves no water: it idles with too little current, or is held fast and draws too much."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.conditions.machine import CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import IDLING_SHARE, JAMMED_SHARE, NO_LOAD_SHARE, PlantMemory, PlantSight, is_as_ever
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
    symptom: ClassVar[str] = "泵空转或卡住"
    rank: ClassVar[int] = 30
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
        rated, usual = design.rated_current_a, sight.memory.usual_a
        if current < NO_LOAD_SHARE * rated or sight.memory.pump_on is False:
            return NONE
        is_normal = self.low_share * rated <= current <= self.high_share * rated
        if sight.flow or is_normal or is_as_ever(usual, current):
            return CLEAR
        if current > self.high_share * rated:
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
