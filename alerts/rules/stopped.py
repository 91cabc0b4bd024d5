"""A plant stands still although it should run. Silence is not a stop, and a plant without work is idle, not stopped."""

from datetime import time
from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.calendars import Calendar
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import HOUR, Count, PlantRule, Scene, Seconds
from alerts.model import Detail, Severity
from telemetry.inventory import Asset, PlantDesign
from telemetry.reading import Millis
from telemetry.terms import Hours

BY_DAY: Final = Hours(time(6), time(22))
BY_FLOW_ALONE: Final = "flow_alone"
BY_PUMP: Final = "pump"
BY_DEMAND: Final = "demand"
CYCLES = Verdict(Call.END, reason="cycles")


class Stopped(PlantRule):
    """Raised (a) by no flow under demand, (b) by a pump at rest under a high level, (c) by a meter alone."""

    kind: Literal["stopped"] = "stopped"
    called: ClassVar[str] = "停机"
    rank: ClassVar[int] = 20
    severity: Severity = Severity.P2
    flow_alone_severity: Severity = Severity.P3
    on_count: Count = 2
    off_delay_s: Seconds = 900
    day_h: float = Field(
        default=2.0, gt=0, description="without flow although there is water, where that ends between 06:00 and 22:00"
    )
    night_h: float = Field(default=6.0, gt=0, description="where it does not")
    pump_h: float = Field(default=1.0, gt=0, description="the well is high and the pump rests")
    flow_alone_h: tuple[float, float, float] = Field(
        default=(24.0, 12.0, 4.0), description="nothing but a flow meter: designs below 20 m³/d, below 100, from 100 on"
    )

    def severity_of(self, asset: Asset, detail: Detail) -> Severity:  # noqa: ARG002 - the evidence decides
        """A meter alone is a weaker witness."""
        return self.flow_alone_severity if detail.get("by") == BY_FLOW_ALONE else self.severity

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``."""
        memory = sight.memory
        if sight.flowing:
            stop = scene.machine(self.kind)
            cycled = stop.is_open and memory.starts_ms[0] > stop.since_ms
            return CYCLES if cycled else CLEAR
        if sight.flowing is None and not memory.sensed:
            return NONE
        design = scene.asset.plant
        ways = () if design is None else self._ways(design, memory, scene.calendar, demand=sight.demand)
        if not ways:
            return BETWEEN
        since, due, by = min(ways, key=lambda way: way[1])
        return Verdict(Call.RAISE, since, due, by)

    def _ways(
        self, design: PlantDesign, memory: PlantMemory, calendar: Calendar, *, demand: bool
    ) -> tuple[tuple[Millis, Millis, str], ...]:
        """Every reason to call it stopped: since when, when it counts, and on which evidence."""
        ways: list[tuple[Millis, Millis, str]] = []
        quiet = memory.last_flow_ms or memory.first_ms
        if memory.metered and demand:
            ways.append((quiet, self._due_with_demand(quiet, calendar), BY_DEMAND))
        if memory.stalled_ms and not memory.flowing:
            ways.append((memory.stalled_ms, memory.stalled_ms + round(self.pump_h * HOUR), BY_PUMP))
        if memory.metered and not memory.sensed and not demand and not design.rest_days:
            ways.append((quiet, quiet + round(self._flow_alone_h(design) * HOUR), BY_FLOW_ALONE))
        return tuple(ways)

    def _due_with_demand(self, quiet_ms: Millis, calendar: Calendar) -> Millis:
        """Two hours where they end by day, else the first morning or six hours, whichever comes first."""
        by_day = calendar.opening(quiet_ms + round(self.day_h * HOUR), BY_DAY)
        return min(by_day, quiet_ms + round(self.night_h * HOUR))

    def _flow_alone_h(self, design: PlantDesign) -> float:
        small, middle, large = self.flow_alone_h
        if design.design_m3d < 20:  # noqa: PLR2004 - m³/d, alerting.md §3 stopped (c)
            return small
        return middle if design.design_m3d < 100 else large  # noqa: PLR2004 - the same

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:
        """See ``PlantRule.evidence``."""
        by = machine.reason
        return {
            "by": by,
            "since_ms": machine.since_ms,
            "mains_on": memory.mains_on,
            "pump_current_a": memory.pump_current_a,
            "pump_on": memory.pump_on,
            "level_mm": memory.level_mm,
            "float_high": memory.float_high,
        }


RULE = Stopped
