"""A plant has no mains: the utility's affair, not a fault of the plant."""

from typing import ClassVar, Literal

from alerts.conditions.machine import CLEAR, NONE, RAISE, Machine, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.rule import PlantRule, Scene, Seconds
from alerts.model import Detail, Severity


class NoPower(PlantRule):
    """Raised by one sample with the mains input at 0 (a last gasp is one), cleared after two minutes of mains."""

    kind: Literal["no_power"] = "no_power"
    called: ClassVar[str] = "停电"
    explained_by: ClassVar[frozenset[str]] = frozenset({"gateway_offline"})
    rank: ClassVar[int] = 90
    severity: Severity = Severity.P2
    off_delay_s: Seconds = 120

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:  # noqa: ARG002 - the input alone decides
        """See ``PlantRule.judge``."""
        if sight.values.mains_on is None:
            return NONE
        return CLEAR if sight.values.mains_on == 1.0 else RAISE

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:  # noqa: ARG002 - there are no values
        """See ``PlantRule.evidence``."""
        return {"mains_on": memory.mains_on}


RULE = NoPower
