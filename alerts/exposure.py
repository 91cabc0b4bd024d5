"""What an inspector would find: sites over the line, and the points each costs its town (domain.md §1, rows 1 and 4).

Never the official score. Figures only; who is over and for how long is measured elsewhere.
"""

from collections.abc import Mapping
from typing import Final

from alerts.plan import Plan
from alerts.rules.over_two_thirds import OverTwoThirds

POINTS_A_SITE: Final = 0.5
"""What each finding of an inspector costs the town."""


def lines_pct(plans: Mapping[str, Plan]) -> dict[str, float]:
    """The level above which each site that counts for the score is over the line, by asset."""
    return {
        asset: slot.rule.raise_pct
        for asset, plan in plans.items()
        if plan.asset.bin is not None and plan.asset.bin.counts_for_score
        for slot in plan.slots
        if isinstance(slot.rule, OverTwoThirds)
    }
