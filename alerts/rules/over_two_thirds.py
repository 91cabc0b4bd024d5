"""A bin is more than two thirds full: the county's line. It knows the level alone, not the rounds that may empty it."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Call, Machine, Verdict
from alerts.conditions.rule import BinRule, Scene
from alerts.model import Detail, Severity

EMPTIED = Verdict(Call.END, reason="emptied")


class OverTwoThirds(BinRule):
    """Raised above ``raise_pct`` on two samples in a row, cleared below ``clear_pct`` on two, or by an emptying."""

    kind: Literal["over_two_thirds"] = "over_two_thirds"
    called: ClassVar[str] = "过三分之二"
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_pct", "raise_pct"),)
    severity: Severity = Severity.P3
    on_count: int = 2
    off_count: int = 2
    raise_pct: float = Field(default=66.7, gt=0, lt=100)
    clear_pct: float = Field(default=55.0, gt=0, lt=100)

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:  # noqa: ARG002 - the level alone decides
        """See ``BinRule.judge``."""
        if sight.fill_pct is None:
            return NONE
        if sight.emptying is not None and sight.emptying.wholly:
            return EMPTIED
        if sight.fill_pct > self.raise_pct:
            return RAISE
        return CLEAR if sight.fill_pct < self.clear_pct else BETWEEN

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:  # noqa: ARG002 - nor the machine
        """See ``BinRule.evidence``."""
        return {"fill_pct": memory.fill_pct}


RULE = OverTwoThirds
