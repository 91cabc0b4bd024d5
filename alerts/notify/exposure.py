"""What an inspector would find: sites over the line, and the points each costs its town (domain.md §1, rows 1 and 4).

It estimates; the official score is never derived from it. Who is over and for how long is measured elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.conditions.state import Plan
from alerts.rules.over_two_thirds import OverTwoThirds

POINTS_A_SITE: Final = 0.5
"""一經發現,每次直扣鄉鎮季度成績的0.5分 (S1-1): what one site found over the line costs the town's quarter."""


def line_pct(plan: Plan) -> float:
    """The level above which a bin is over the line: the figure of its own rule, which a file may change for it."""
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
    """The line of each site that counts for the score, by asset; it follows ``plans`` when a figure is changed."""
    scored = (plan for plan in plans.values() if plan.asset.bin is not None and plan.asset.bin.counts_for_score)
    return _Lines(plans, dict.fromkeys(plan.asset.id for plan in scored))


def drawn_pct(plans: Mapping[str, Plan]) -> Mapping[str, float]:
    """The same of every bin, whether it counts for the score or not: what texts call the line."""
    return _Lines(plans, dict.fromkeys(plan.asset.id for plan in plans.values() if plan.asset.bin is not None))
