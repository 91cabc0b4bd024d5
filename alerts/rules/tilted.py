"""A bin leans or lies. Collection tilts bins too, so only a lean that lasts counts, and only samples can say so."""

from typing import ClassVar, Literal

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.rule import BinRule, Count, Degrees, Scene, Seconds
from alerts.model import Detail, Severity


class Tilted(BinRule):
    """Raised at ``raise_deg`` on two samples at least ten minutes apart, cleared below ``clear_deg`` on two."""

    kind: Literal["tilted"] = "tilted"
    called: ClassVar[str] = "歪倒"
    of_instrument: ClassVar[bool] = True
    timer_promotes: ClassVar[bool] = False
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_deg", "raise_deg"),)
    severity: Severity = Severity.P4
    on_count: Count = 2
    on_delay_s: Seconds = 600
    off_count: Count = 2
    raise_deg: Degrees = 30.0
    clear_deg: Degrees = 20.0

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:  # noqa: ARG002 - the angle alone decides
        """See ``BinRule.judge``."""
        if sight.tilt_deg is None:
            return NONE
        if sight.tilt_deg >= self.raise_deg:
            return RAISE
        return CLEAR if sight.tilt_deg < self.clear_deg else BETWEEN

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:  # noqa: ARG002 - nor the machine
        """See ``BinRule.evidence``."""
        return {"tilt_deg": memory.tilt_deg}


RULE = Tilted
