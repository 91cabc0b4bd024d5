"""A plant stands still although it should run. Silence is not a stop, and a plant without work is idle, not stopped.

A sign more never means an alarm less: only a sign that says that there is no work lifts (c), and a meter that is known
to be broken counts as none, so that the pump alone is asked.
"""

from datetime import time
from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.calendars import Calendar
from alerts.conditions.habits import quarter, usual_pause_ms
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import HOUR, Count, PlantRule, Scene, Seconds
from alerts.model import Detail, Severity
from telemetry.inventory import Asset, PlantDesign
from telemetry.reading import Millis
from telemetry.terms import Hours

BY_DAY: Final = Hours(time(6), time(22))
BY_FLOW_ALONE: Final = "flow_alone"
BY_PUMP_ALONE: Final = "pump_alone"
BY_PUMP: Final = "pump"
BY_DEMAND: Final = "demand"
WEAK: Final = frozenset({BY_FLOW_ALONE, BY_PUMP_ALONE})
"""Evidence by which a stop cannot be told from a rest."""
BY_METER: Final = frozenset({BY_FLOW_ALONE, BY_DEMAND})
"""Evidence that falls with the meter."""
METER_FAULT: Final = "meter_fault"
CYCLES: Final = Verdict(Call.END, reason="cycles")
REFUTED: Final = Verdict(Call.END, reason=METER_FAULT)
"""The pump runs, and the meter by which it was called stopped is known to be broken."""


class Stopped(PlantRule):
    """Raised (a) by no flow under demand, (b) by a pump at rest under a high level, (c) where nothing tells rest."""

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
        default=(24.0, 12.0, 4.0),
        description="no sign tells rest from stop: designs below 20 m³/d, below 100, from 100 on",
    )

    gaps_least: int = Field(
        default=30,
        ge=2,
        description="so many pauses that began in a quarter of the day, and they give the time instead",
    )
    gap_times: float = Field(default=1.5, gt=1, description="so often what 98 % of them do not pass")

    def severity_of(self, asset: Asset, detail: Detail) -> Severity:  # noqa: ARG002 - the evidence decides
        """What cannot be told from a rest is a weaker witness."""
        return self.flow_alone_severity if detail.get("by") in WEAK else self.severity

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``."""
        stop, is_broken = scene.machine(self.kind), scene.stands(METER_FAULT)
        flow = None if is_broken else sight.flow
        if flow or (flow is None and sight.drive):
            return self._running(sight, stop, by_meter=flow is not None, is_broken=is_broken)
        design = scene.asset.plant
        if not sight.speaks or design is None:
            return NONE
        ways = self._ways(design, sight, scene.calendar, flow=flow)
        if not ways:
            return BETWEEN
        since, due, by = min(ways, key=lambda way: way[1])
        return Verdict(Call.RAISE, since, due, by)

    def _running(self, sight: PlantSight, stop: Machine, *, by_meter: bool, is_broken: bool) -> Verdict:
        """What runs is not stopped, as far as this sample speaks of it."""
        if sight.flowing is None if by_meter else not sight.speaks_of_drive:
            return NONE
        if is_broken and stop.is_open and stop.reason in BY_METER:
            return REFUTED
        starts = sight.memory.starts_ms if by_meter else sight.memory.runs_ms
        return CYCLES if stop.is_open and starts[0] > stop.since_ms else CLEAR

    def _ways(
        self, design: PlantDesign, sight: PlantSight, calendar: Calendar, *, flow: bool | None
    ) -> tuple[tuple[Millis, Millis, str], ...]:
        """Every reason to call it stopped: since when, when it counts, and on which evidence."""
        ways: list[tuple[Millis, Millis, str]] = []
        memory = sight.memory
        if memory.stalled_ms:
            ways.append((memory.stalled_ms, memory.stalled_ms + round(self.pump_h * HOUR), BY_PUMP))
        if flow is None and sight.drive is None:  # neither water nor pump is known
            return tuple(ways)
        quiet = sight.undriven_ms if flow is None else sight.quiet_ms
        if sight.by_duty or (sight.demand and flow is not None):
            ways.append((quiet, self._due_with_demand(quiet, calendar), BY_DEMAND))
        if not (sight.is_rest_told or design.duty_windows):
            ways.append(self._alone(design, sight, calendar, quiet, by_meter=flow is not None))
        return tuple(ways)

    def _alone(
        self, design: PlantDesign, sight: PlantSight, calendar: Calendar, quiet: Millis, *, by_meter: bool
    ) -> tuple[Millis, Millis, str]:
        """(c): nothing says that it may rest, so that it may as long as it is used to, or as its size allows.

        A pump's short runs are missed between two samples, so that where there is no meter what it is used to can
        only lengthen that.
        """
        begun = sight.metered_quiet_ms if by_meter else quiet  # what it is used to was learned in the same way
        if by_meter and sight.memory.barren_ms:  # the pump ran, and it is the meter that is doubted
            begun = quiet = max(begun, sight.memory.last_run_ms)
        usual = 0 if sight.demand else usual_pause_ms(sight.memory.gaps, quarter(calendar, begun), self.gaps_least)
        limit = round(self.gap_times * usual)
        if not (by_meter and usual):
            begun, limit = quiet, max(limit, self._by_size_ms(design))
        since = begun if sight.demand else max(begun, sight.memory.rest_ms)
        if sight.memory.stalled_ms:
            return since, since + limit, BY_PUMP
        weak = BY_FLOW_ALONE if by_meter else BY_PUMP_ALONE
        return since, since + limit, BY_DEMAND if sight.demand and by_meter else weak

    def _due_with_demand(self, quiet_ms: Millis, calendar: Calendar) -> Millis:
        """Two hours where they end by day, else the first morning or six hours, whichever comes first."""
        by_day = calendar.opening(quiet_ms + round(self.day_h * HOUR), BY_DAY)
        return min(by_day, quiet_ms + round(self.night_h * HOUR))

    def _by_size_ms(self, design: PlantDesign) -> Millis:
        small, middle, large = self.flow_alone_h
        if design.design_m3d < 20:  # noqa: PLR2004 - m³/d, alerting.md §3 stopped (c)
            return round(small * HOUR)
        return round((middle if design.design_m3d < 100 else large) * HOUR)  # noqa: PLR2004 - the same

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
