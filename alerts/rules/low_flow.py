"""A plant gets far less water than it is used to: a pipe cut or blocked on the way, while the machines are well.

Whole days are compared with the same day of the week. A day on which it is called stopped says nothing of the pipes.
"""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import Count, PlantRule, Scene
from alerts.model import Detail, Severity


class LowFlow(PlantRule):
    """Raised by on_count days below low_share of what that weekday brings, cleared by a day from clear_share on."""

    kind: Literal["low_flow"] = "low_flow"
    called: ClassVar[str] = "水量偏低"
    timer_promotes: ClassVar[bool] = False
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("low_share", "clear_share"),)
    severity: Severity = Severity.P3
    on_count: Count = 2
    low_share: float = Field(default=0.3, gt=0, lt=1)
    clear_share: float = Field(default=0.5, gt=0, le=1)

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``."""
        day = sight.ended
        if day is None or day.usual_m3 is None or scene.stands("stopped") or scene.stands("meter_fault"):
            return NONE
        if day.volume_m3 < self.low_share * day.usual_m3:
            return RAISE
        return CLEAR if day.volume_m3 >= self.clear_share * day.usual_m3 else BETWEEN

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:  # noqa: ARG002 - the memory has it
        """See ``PlantRule.evidence``."""
        day = memory.days.last
        usual = None if day is None else day.usual_m3
        if day is None or not usual:
            return {}
        return {
            "volume_m3": round(day.volume_m3, 1),
            "usual_m3": round(usual, 1),
            "share": round(day.volume_m3 / usual, 2),
        }


RULE = LowFlow
