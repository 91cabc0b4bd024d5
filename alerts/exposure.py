"""What a visit of the county's inspectors may cost a town: so many points a site that is over the line.

The county's own figure (domain.md §1 row 4, source S1-1). It estimates; the official score is never derived from it.
"""

from typing import Final

from alerts.plan import Plan
from alerts.rules.over_two_thirds import OverTwoThirds

POINTS_A_SITE: Final = 0.5
"""一經發現,每次直扣鄉鎮季度成績的0.5分 (S1-1): what one site found over the line costs the town's quarter."""


def line_pct(plan: Plan) -> float:
    """The level above which a bin is over the line: the figure of its own rule, which a file may change for it."""
    rule = plan.slots[plan.place["over_two_thirds"]].rule
    if not isinstance(rule, OverTwoThirds):
        raise TypeError(f"{plan.asset.id} is no bin: nothing draws a line for it")
    return rule.raise_pct
