"""A plant's well stands too high: sewage may run over. Off where neither float nor alarm level is known."""

from typing import ClassVar, Literal

from alerts.conditions.machine import CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import Count, PlantRule, Scene
from alerts.model import Detail, Severity
from telemetry.terms import AssetKind


class LevelHigh(PlantRule):
    """Raised by the float, or at the asset's own ``alarm_level_mm``, on two samples; cleared below on two."""

    kind: Literal["level_high"] = "level_high"
    called: ClassVar[str] = "水位超高"
    explained_by: ClassVar[frozenset[str]] = frozenset()
    quiet_at_work: ClassVar[frozenset[AssetKind]] = frozenset()
    rank: ClassVar[int] = 10
    severity: Severity = Severity.P2
    on_count: Count = 2
    off_count: Count = 2

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """See ``PlantRule.judge``."""
        floats, level = sight.values.float_high, sight.values.level_mm
        alarm = scene.asset.plant.alarm_level_mm if scene.asset.plant is not None else None
        if floats == 1.0 or (level is not None and alarm is not None and level >= alarm):
            return RAISE
        if floats is None and (level is None or alarm is None):
            return NONE
        return CLEAR

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:  # noqa: ARG002 - the memory has it
        """See ``PlantRule.evidence``."""
        return {"level_mm": memory.level_mm, "float_high": memory.float_high}


RULE = LevelHigh
