"""A bin runs over: full to the rim, or its own full switch says so. Told apart from the two-thirds line on purpose."""

from datetime import time
from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Call, Machine, Verdict
from alerts.conditions.rule import MINUTE, BinRule, Count, DaytimeBound, Scene
from alerts.conditions.state import Plan
from alerts.model import Detail, Severity
from telemetry.terms import AssetKind, Hours

EMPTIED = Verdict(Call.END, reason="emptied")


class Overflow(BinRule):
    """Raised at ``raise_pct`` or by the full flag on two samples in a row, cleared below ``clear_pct``, or emptied."""

    kind: Literal["overflow"] = "overflow"
    called: ClassVar[str] = "满溢"
    quiet_at_work: ClassVar[frozenset[AssetKind]] = frozenset()
    bound: ClassVar[DaytimeBound | None] = DaytimeBound(15 * MINUTE, Hours(time(6), time(19)), time(6, 45))
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_pct", "raise_pct"),)
    severity: Severity = Severity.P2
    on_count: Count = 2
    off_count: Count = 2
    raise_pct: float = Field(default=95.0, gt=0, le=100)
    clear_pct: float = Field(default=85.0, gt=0, lt=100)

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:  # noqa: ARG002 - level and flag decide
        """See ``BinRule.judge``."""
        if sight.full:
            return RAISE
        if sight.fill_pct is None:
            return NONE
        if sight.emptying is not None and sight.emptying.wholly:
            return EMPTIED
        if sight.fill_pct >= self.raise_pct:
            return RAISE
        return CLEAR if sight.fill_pct < self.clear_pct else BETWEEN

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:  # noqa: ARG002 - nor the machine
        """See ``BinRule.evidence``."""
        level = {"fill_pct": memory.fill_pct} if memory.fill_pct >= 0 else {}
        return {**level, "full_flag": memory.full_flag}


def brim_pct(plan: Plan) -> float:
    """The level from which a bin runs over: the parameter of its own rule, which a file may change for it."""
    rule = plan.slots[plan.place["overflow"]].rule
    if not isinstance(rule, Overflow):
        raise TypeError(f"{plan.asset.id} is no bin: it has no brim")
    return rule.raise_pct


RULE = Overflow
