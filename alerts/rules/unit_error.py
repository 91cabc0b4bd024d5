"""A meter's rate and its totaliser do not speak of the same water, as where litres a second pass for m³ an hour."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import Count, PlantRule, Scene
from alerts.model import Detail, Severity


class UnitError(PlantRule):
    """Raised by a day's length in which rate and totaliser differ times over, cleared by one within clear_times."""

    kind: Literal["unit_error"] = "unit_error"
    called: ClassVar[str] = "流量单位不符"
    of_instrument: ClassVar[bool] = True
    timer_promotes: ClassVar[bool] = False
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_times", "times"),)
    severity: Severity = Severity.P4
    times: float = Field(default=3.0, gt=1)
    clear_times: float = Field(default=1.3, gt=1)
    least_seen: Count = Field(default=12, description="so many samples of a day have to give a rate")

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``. A meter that is broken has no unit."""
        day = sight.compared
        if (
            day is None
            or sight.memory.volume_m3 is None
            or sight.memory.rate_m3h is None
            or scene.stands("meter_fault")
        ):
            return NONE
        if day.seen_flowing < self.least_seen:  # short runs fall between the samples
            return NONE
        low, high = sorted((day.volume_m3, day.by_rate_m3))
        if high > self.times * low:
            return RAISE
        return CLEAR if high <= self.clear_times * low else BETWEEN

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:  # noqa: ARG002 - the memory has it
        """See ``PlantRule.evidence``."""
        day = memory.sums.last
        return {} if day is None else {"volume_m3": round(day.volume_m3, 1), "by_rate_m3": round(day.by_rate_m3, 1)}


RULE = UnitError
