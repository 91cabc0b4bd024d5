"""Embers in a bin: a quick rise that the village around it does not share. A bucket of water, not a fire brigade."""

from datetime import time
from statistics import median
from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.rule import BY_DAY, MINUTE, BinRule, Celsius, Count, DaytimeBound, Scene
from alerts.model import Detail, Severity

WITNESSES = 2
"""So many neighbours at least must have been read for their warmth to count: one may burn as well."""


class HotAsh(BinRule):
    """Raised by a rise of ``rise_c`` to ``raise_c`` within ``rise_within_s``, unless the neighbours are as warm."""

    kind: Literal["hot_ash"] = "hot_ash"
    called: ClassVar[str] = "热灰"
    explained_by: ClassVar[frozenset[str]] = frozenset({"fire"})
    bound: ClassVar[DaytimeBound | None] = DaytimeBound(15 * MINUTE, BY_DAY, time(6, 45))
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_c", "raise_c"),)
    severity: Severity = Severity.P2
    off_count: Count = 2
    raise_c: Celsius = 50.0
    rise_c: float = Field(default=10.0, gt=0)
    rise_within_s: float = Field(default=1800, gt=0)
    clear_c: Celsius = 45.0

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:
        """See ``BinRule.judge``."""
        now, before = sight.temperature_c, sight.before_c
        if now is None:
            return NONE
        if now < self.clear_c:
            return CLEAR
        if now < self.raise_c or before is None or now - before < self.rise_c:
            return BETWEEN
        if sight.observed_ms - sight.before_ms > self.rise_within_s * 1000:
            return BETWEEN
        return BETWEEN if self._sun(now, scene, sight) else RAISE

    def _sun(self, now_c: float, scene: Scene, sight: BinSight) -> bool:
        around = scene.neighbours.temperatures_c(scene.asset, sight.observed_ms, 30 * MINUTE)
        return len(around) >= WITNESSES and median(around) > now_c - self.rise_c

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:  # noqa: ARG002 - the memory has it
        """See ``BinRule.evidence``."""
        return {"temperature_c": memory.temperature_c}


RULE = HotAsh
