"""Whether a county that normally speaks has fallen silent as a whole: a pure judgement of gaps between messages.

Instants are real monotonic seconds, so that a clock that is set says nothing. It knows no device, only that one spoke.
"""

from dataclasses import dataclass
from typing import Final

LEARNING_S: Final = 3_600.0
"""So long, and one whole interval, must have been heard before the gaps of the past say what is usual."""
WINDOW_S: Final = 86_400.0
_TIMES: Final = 2.0
"""A silence twice as long as any usual one is none of them."""


@dataclass(slots=True)
class Ear:
    """``shortest_s`` is the shortest interval of any device (0 without any), ``deaf_s`` the least that is borne."""

    shortest_s: float
    deaf_s: float
    started_s: float
    _last_s: float = 0.0
    _learned_s: float = 0.0
    _listening: bool = False
    _gap_s: float = 0.0
    _gap_before_s: float = 0.0
    _window_s: float = 0.0

    def __post_init__(self) -> None:
        self._last_s = self._window_s = self.started_s

    def listens(self, at_s: float, *, live: bool) -> None:
        """We are subscribed, or not any more; while we are not, nothing can be heard."""
        if live and not self._listening:
            self._last_s = at_s
        self._listening = live

    def heard(self, at_s: float) -> None:
        """A device spoke."""
        gap_s = at_s - self._last_s
        if gap_s <= self.bound_s:
            self._learn(gap_s, at_s)
        self._last_s = at_s

    def silent_s(self, at_s: float) -> float:
        """How long nothing was heard; from the beginning of our own listening at most."""
        return at_s - self._last_s

    def is_deaf(self, at_s: float) -> bool:
        """Whether the silence is longer than any that is usual. Without devices nobody is missed."""
        return self.shortest_s > 0 and self.silent_s(at_s) >= self.bound_s

    @property
    def listening(self) -> bool:
        """Whether we are subscribed."""
        return self._listening

    @property
    def bound_s(self) -> float:
        """From when on a silence is not usual: by the devices' intervals, or sooner by the gaps of the last days."""
        if not self._listening:
            return self.deaf_s
        by_interval_s = _TIMES * self.shortest_s
        learned = self._learned_s >= max(LEARNING_S, self.shortest_s)
        by_gaps_s = _TIMES * max(self._gap_s, self._gap_before_s) if learned else by_interval_s
        return max(self.deaf_s, min(by_interval_s, by_gaps_s))

    def _learn(self, gap_s: float, at_s: float) -> None:
        if at_s - self._window_s >= WINDOW_S:
            self._gap_before_s, self._gap_s, self._window_s = self._gap_s, 0.0, at_s
        self._gap_s = max(self._gap_s, gap_s)
        self._learned_s += gap_s
