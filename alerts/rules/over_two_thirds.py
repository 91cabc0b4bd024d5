"""A bin is more than two thirds full: the county's line, and what a site over it costs (domain.md §1, rows 1 and 4).

It knows the level alone, not the rounds that may empty it. It estimates: the official score is never derived from it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from pydantic import Field

from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.machine import BETWEEN, CLEAR, NONE, RAISE, Call, Machine, Verdict
from alerts.conditions.rule import BinRule, Count, Scene
from alerts.conditions.state import Plan
from alerts.model import Detail, Severity

EMPTIED = Verdict(Call.END, reason="emptied")


class OverTwoThirds(BinRule):
    """Raised above ``raise_pct`` on two samples in a row, cleared below ``clear_pct`` on two, or by an emptying."""

    kind: Literal["over_two_thirds"] = "over_two_thirds"
    called: ClassVar[str] = "过三分之二"
    explained_by: ClassVar[frozenset[str]] = frozenset({"overflow"})
    apart: ClassVar[tuple[tuple[str, str], ...]] = (("clear_pct", "raise_pct"),)
    severity: Severity = Severity.P3
    on_count: Count = 2
    off_count: Count = 2
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


POINTS_A_SITE: Final = 0.5
"""一經發現,每次直扣鄉鎮季度成績的0.5分 (S1-1): what one site found over the line costs the town's quarter."""


def line_pct(plan: Plan) -> float:
    """The level above which a bin is over the line: the parameter of its own rule, which a file may change for it."""
    rule = plan.slots[plan.place["over_two_thirds"]].rule
    if not isinstance(rule, OverTwoThirds):
        raise TypeError(f"{plan.asset.id} is no bin: nothing draws a line for it")
    return rule.raise_pct


@dataclass(frozen=True)
class _Lines(Mapping[str, float]):
    """The lines as the plans draw them whenever they are looked at; which sites count never changes."""

    plans: Mapping[str, Plan]
    sites: Collection[str]

    def __getitem__(self, asset: str) -> float:
        if asset not in self.sites:
            raise KeyError(asset)
        return line_pct(self.plans[asset])

    def __iter__(self) -> Iterator[str]:
        return iter(self.sites)

    def __len__(self) -> int:
        return len(self.sites)


def lines_pct(plans: Mapping[str, Plan]) -> Mapping[str, float]:
    """The line of each site that counts for the score, by asset; it follows ``plans`` when a parameter is changed."""
    scored = (plan for plan in plans.values() if plan.asset.bin is not None and plan.asset.bin.counts_for_score)
    return _Lines(plans, dict.fromkeys(plan.asset.id for plan in scored))


def drawn_pct(plans: Mapping[str, Plan]) -> Mapping[str, float]:
    """The same of every bin, whether it counts for the score or not: what texts call the line."""
    return _Lines(plans, dict.fromkeys(plan.asset.id for plan in plans.values() if plan.asset.bin is not None))


RULE = OverTwoThirds
