"""Where the unsettled cases stand: found by id, episode and asset, each with its next instant, and what was written.

It keeps and finds; what a case becomes is decided by who enters it.
"""

import heapq
from dataclasses import dataclass, field

from alerts.ledger.case import Case, Deed, State
from telemetry.reading import Millis


@dataclass(slots=True)
class Written:
    """What some inputs have written: cases as they stand now, and the lines of their histories in order."""

    cases: dict[str, Case] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)


class Shelf:
    """The cases of one county. A settled one is let go: the journal has it."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self._written = Written()
        self._of_episode: dict[str, str] = {}
        self._of_key: dict[str, str] = {}
        self._of_asset: dict[str, dict[str, None]] = {}
        self._timers: list[tuple[Millis, str]] = []
        self._filed: dict[str, Millis] = {}

    def enter(self, case: Case, *lines: Deed) -> None:
        """The next state of a case, with what its history says of it."""
        self.seat(case)
        self._written.cases[case.id] = case
        self._written.deeds.extend(lines)

    def seat(self, case: Case) -> None:
        """Puts a case where it is found, and files its next instant."""
        if case.settled:
            self._let_go(case)
            return
        self.cases[case.id] = case
        if case.episode:
            self._of_episode[case.episode] = case.id
        if case.key:
            self._of_key[case.key] = case.id
        if case.asset:
            self._of_asset.setdefault(case.asset, {})[case.id] = None
        if case.wake_ms and self._filed.get(case.id) != case.wake_ms:
            self._filed[case.id] = case.wake_ms
            heapq.heappush(self._timers, (case.wake_ms, case.id))

    def take(self) -> Written:
        """What was written since the last call."""
        written, self._written = self._written, Written()
        return written

    def next_ms(self) -> Millis | None:
        """When the next case may be due; early is harmless."""
        return self._timers[0][0] if self._timers else None

    def due(self, now_ms: Millis) -> Case | None:
        """The case that is due first, if one is by now; it is not due again until it is entered anew."""
        while self._timers and self._timers[0][0] <= now_ms:
            due_ms, name = heapq.heappop(self._timers)
            if self._filed.get(name) == due_ms:
                del self._filed[name]
                case = self.cases[name]
                if case.wake_ms == due_ms:
                    return case
        return None

    def of_episode(self, episode: str) -> Case | None:
        """The case of an episode."""
        return self.cases.get(self._of_episode.get(episode, ""))

    def of_key(self, key: str) -> Case | None:
        """The case that was registered with this key; nothing was with an empty one."""
        return self.cases.get(self._of_key.get(key, "")) if key else None

    def about(self, asset: str) -> tuple[Case, ...]:
        """Every case about an asset, oldest first."""
        return tuple(self.cases[name] for name in self._of_asset.get(asset, ()))

    def _let_go(self, case: Case) -> None:
        self.cases.pop(case.id, None)
        self._filed.pop(case.id, None)
        self._of_episode.pop(case.episode, None)
        self._of_key.pop(case.key, None)
        self._of_asset.get(case.asset, {}).pop(case.id, None)


def line(case: Case, deed: str, at_ms: Millis, was: str, reason: str) -> Deed:
    """What the house itself did, as the history says it."""
    return Deed(case=case.id, at_ms=at_ms, deed=deed, was=str(was), now=case.state, reason=reason)


def closing(case: Case, at_ms: Millis, reason: str) -> Deed:
    """That a case closed by itself, and why."""
    return Deed(case=case.id, at_ms=at_ms, deed="closed", was=case.state, now=State.CLOSED, reason=reason)
