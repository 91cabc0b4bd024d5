"""How long and how often a rule's predicate must hold before it counts, and before what flapped is believed again.

Figures and arithmetic alone: what a machine does with them is ``machine``.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from telemetry.reading import Millis

_ENOUGH: Final = 20
"""Doublings after which any delay is past its limit."""


class Timing(Struct, frozen=True, gc=False):
    """How long and how often a predicate must hold before it counts."""

    on_count: int = 1
    on_delay_ms: Millis = 0
    off_count: int = 1
    off_delay_ms: Millis = 0
    timer_promotes: bool = True
    latching: bool = False
    raises: int = 3
    """So many raises within ``raises_within_ms`` are flapping (T15), as are so many ``flaps`` in one episode."""
    raises_within_ms: Millis = 3_600_000
    flaps: int = 6
    calm_ms: Millis = 1_800_000
    """What is doubled while it flaps, where the off-delay is shorter than this."""
    calm_most_ms: Millis = 86_400_000
    more_raises: int = 4
    """So many within a longer window are flapping too."""
    more_within_ms: Millis = 21_600_000
    slow_raises: int = 6
    """And so many within the longest; what flaps so slowly is watched as long before it is believed."""
    slow_within_ms: Millis = 172_800_000
    left_ms: Millis = 21_600_000
    """After so long without a raise or a relapse it flaps no more."""

    def flaps_by(self, raised_ms: Sequence[Millis]) -> bool:
        """Whether these raises, the last of them now, are too many."""
        windows = ((self.raises, self.raises_within_ms), (self.more_raises, self.more_within_ms))
        return self.is_slow(raised_ms) or any(_are_within(raised_ms, most, within) for most, within in windows)

    def is_slow(self, raised_ms: Sequence[Millis]) -> bool:
        """Whether they are too many for the longest window."""
        return _are_within(raised_ms, self.slow_raises, self.slow_within_ms)

    @property
    def longest_ms(self) -> Millis:
        """How long a raise is remembered."""
        return max(self.raises_within_ms, self.more_within_ms, self.slow_within_ms)

    @property
    def most_raises(self) -> int:
        """How many raises are remembered."""
        return max(self.raises, self.more_raises, self.slow_raises)

    def calm_span_ms(self, *, slow: bool) -> Millis:
        """How long nothing may move before it flaps no more, and before its off-delay is halved again."""
        return self.slow_within_ms if slow else self.left_ms

    def recovery_ms(self, doublings: int) -> Millis:
        """The off-delay, doubled so often."""
        if not doublings:
            return self.off_delay_ms
        doubled = max(self.off_delay_ms, self.calm_ms) << min(doublings, _ENOUGH)
        return max(self.off_delay_ms, min(doubled, self.calm_most_ms))


def _are_within(raised_ms: Sequence[Millis], most: int, within_ms: Millis) -> bool:
    return len(raised_ms) >= most and raised_ms[-1] - raised_ms[-most] <= within_ms
