"""The last word about an episode, by how it ended: that somebody emptied a bin is said only where that was seen.

Pure: what stands on the asset and what its samples left behind in, the name of a text out. Nobody is told here.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from alerts.alert import Alert
from alerts.conditions.bins import BinMemory, emptied_ms
from alerts.conditions.state import Memory
from alerts.policy import Policy
from alerts.topology import CONTINUES, EXPLAINS, burns_over

ANSWERED_OVER: Final = "answered_over"
"""That something is over, whoever ended it and however (text C21)."""
EMPTIED: Final = "emptied"
RAISED_AGAIN: Final = "raised_again"
FIGURES_CHANGED: Final = "figures_changed"
INHIBITED: Final = "inhibited"
RETIRED: Final = "retired"
"""Text C23: what it is about is there no more."""
UNWATCHED: Final = "unwatched"
"""What it is about is there, but no rule or sensor watches it any more: nobody knows how it stands."""


class Closing(NamedTuple):
    """Which text closes an episode, and the episode that goes on after it; else why there is nothing to say."""

    text: str
    goes_on: str = ""
    unsaid: str = ""
    by_emptying: bool = False
    """Whether an emptying ended it: who empties the bin need not hear so."""


def is_emptied(alert: Alert, memory: Memory | None) -> bool:
    """Whether the bin was seen to be emptied, at its end or since it began."""
    return alert.ended == EMPTIED or emptied_ms(memory) >= alert.since_ms > 0


def choose(
    alert: Alert, policy: Policy, memory: Memory | None, line_pct: float | None, others: Iterable[Alert]
) -> Closing:
    """What to say of an episode that is over while these ``others`` stand on its asset; levels in percent."""
    if alert.ended in (RETIRED, UNWATCHED):
        return Closing(alert.ended)
    standing = {other.rule: other for other in others}
    if alert.rule in standing:
        return Closing("", unsaid=RAISED_AGAIN)
    if any(burns_over(rule, alert.rule) for rule in standing):
        return Closing("", unsaid=INHIBITED)
    by_level = isinstance(memory, BinMemory) and not CONTINUES.isdisjoint(EXPLAINS.get(alert.rule, ()))
    if by_level and is_emptied(alert, memory):
        return Closing(policy.cleared_text, by_emptying=True)
    if alert.ended == FIGURES_CHANGED:
        return Closing("", unsaid=FIGURES_CHANGED)
    if not isinstance(memory, BinMemory) or not by_level:
        return Closing(policy.cleared_text)
    goes_on = next((standing[rule].episode for rule in sorted(CONTINUES) if rule in standing), "")
    if goes_on or line_pct is None or memory.fill_pct > line_pct:
        return Closing(policy.receded_text, goes_on)
    return Closing(policy.below_text)
