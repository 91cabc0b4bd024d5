"""Mains is back at a plant, there is work, and nothing runs: many wait for a hand on the switch (来电未自启)."""

from typing import ClassVar, Literal

from alerts.conditions.machine import BETWEEN, CLEAR, NONE, Call, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import Count, PlantRule, Scene, Seconds
from alerts.model import Detail, Severity


class NotRestarted(PlantRule):
    """Raised on_delay_s after mains came back if nothing has run since and there is work, cleared by a run."""

    kind: Literal["not_restarted"] = "not_restarted"
    called: ClassVar[str] = "来电未启"
    symptom: ClassVar[str] = "来电没启动"
    explained_by: ClassVar[frozenset[str]] = frozenset({"gateway_offline"})
    rank: ClassVar[int] = 40
    severity: Severity = Severity.P2
    on_count: Count = 2
    on_delay_s: Seconds = 1800

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:  # noqa: ARG002 - the memory has it
        """See ``PlantRule.judge``."""
        if not sight.speaks and sight.values.mains_on is None:
            return NONE
        if sight.flow or sight.drive:
            return CLEAR
        if not sight.memory.back_ms:  # without mains nothing can start, and what had not started has not
            return BETWEEN
        return Verdict(Call.RAISE, sight.memory.back_ms) if sight.demand else BETWEEN

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:
        """See ``PlantRule.evidence``."""
        return {
            "since_ms": machine.since_ms,
            "mains_on": memory.mains_on,
            "pump_current_a": memory.pump_current_a,
            "pump_on": memory.pump_on,
            "level_mm": memory.level_mm,
            "float_high": memory.float_high,
        }


RULE = NotRestarted
