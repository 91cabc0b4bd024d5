"""How long and how often a rule's predicate must hold before it counts, and before what flapped is believed again.

Figures and arithmetic alone: what a machine does with them is ``lifecycle``.
"""

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

    def recovery_ms(self, doublings: int) -> Millis:
        """The off-delay, doubled so often."""
        if not doublings:
            return self.off_delay_ms
        doubled = max(self.off_delay_ms, self.calm_ms) << min(doublings, _ENOUGH)
        return max(self.off_delay_ms, min(doubled, self.calm_most_ms))
