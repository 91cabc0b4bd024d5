"""A bin burns. No delay, no veto by neighbours, and it stays open until a person has looked and reset it."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import BinRule, Celsius, Count, Scene
from alerts.model import Condition, Detail, Severity


class Fire(BinRule):
    """Raised by the fire flag, by ``raise_c`` on one sample, or when hot ash is ``flare_c`` hotter on the next."""

    kind: Literal["fire"] = "fire"
    called: ClassVar[str] = "火警"
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_c", "raise_c"),)
    latching: ClassVar[bool] = True
    severity: Severity = Severity.P1
    off_count: Count = 2
    raise_c: Celsius = 70.0
    flare_c: float = Field(default=8.0, gt=0)
    """The sun warms a bin that it has warmed by a degree or two more; embers that flare up by more than that."""
    clear_c: Celsius = 45.0

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:
        """See ``BinRule.judge``."""
        if sight.fire:
            return RAISE
        if sight.temperature_c is None:
            return NONE
        if sight.temperature_c >= self.raise_c or self._ash_flares(sight, scene):
            return RAISE
        return CLEAR if sight.temperature_c < self.clear_c else BETWEEN

    def _ash_flares(self, sight: BinSight, scene: Scene) -> bool:
        if sight.temperature_c is None or sight.before_c is None:
            return False
        if sight.temperature_c - sight.before_c < self.flare_c:
            return False
        ash = scene.machine("hot_ash")
        return ash.condition is Condition.ACTIVE and ash.since_ms == sight.before_ms

    def is_gone(self, memory: BinMemory | PlantMemory) -> bool:
        """See ``Rule.is_gone``: what has warmed up again is not reset, though it does not burn yet."""
        assert isinstance(memory, BinMemory)  # noqa: S101 - a rule of bins
        return not memory.fire_flag and (memory.temperature_c is None or memory.temperature_c < self.clear_c)

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:  # noqa: ARG002 - the memory has it
        """See ``BinRule.evidence``."""
        return {"temperature_c": memory.temperature_c, "fire_flag": memory.fire_flag}


RULE = Fire
