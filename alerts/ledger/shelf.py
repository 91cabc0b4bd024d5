"""Where the unsettled cases stand: found by id, episode and asset, each with its next instant, and what was written.

It keeps and finds; what a case becomes is decided by who enters it.
"""

from typing import Final, NamedTuple

from alerts.ledger.case import Case, Deed, State
from alerts.timers import Timers
from alerts.undo import Undoable, UndoDict, UndoList, UndoLog
from telemetry.reading import Millis

_CASE: Final = "c"
"""The kind of timers that cases have."""


class Written(NamedTuple):
    """What some inputs have written: cases as they stand now, and the lines of their histories in order."""

    cases: dict[str, Case]
    deeds: list[Deed]


NOTHING: Final = Written({}, [])


class Shelf(Undoable):
    """The cases of one county. A settled one is let go: the journal has it."""

    def __init__(self, undo: UndoLog) -> None:
        super().__init__(undo)
        self.cases: dict[str, Case] = UndoDict(undo)
        self._moved: UndoDict[str, Case] = UndoDict(undo)
        self._deeds: UndoList[Deed] = UndoList(undo)
        self._of_episode: dict[str, str] = UndoDict(undo)
        self._of_key: dict[str, str] = UndoDict(undo)
        self._of_asset: dict[str, tuple[str, ...]] = UndoDict(undo)
        self.timers = Timers(undo)

    def enter(self, case: Case, *lines: Deed) -> None:
        """The next state of a case, with what its history says of it."""
        self.seat(case)
        self._moved[case.id] = case
        self._deeds.extend(lines)

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
        if case.asset and case.id not in self._of_asset.get(case.asset, ()):
            self._of_asset[case.asset] = (*self._of_asset.get(case.asset, ()), case.id)
        if case.wake_ms:
            self.timers.file(_CASE, case.id, case.wake_ms)

    def take(self) -> Written:
        """What was written since the last call."""
        if not (self._moved or self._deeds):  # as after nearly every uplink
            return NOTHING
        return Written(self._moved.take(), self._deeds.take())

    def due(self, now_ms: Millis) -> Case | None:
        """The case that is due first, if one is by now; it is not due again until it is entered anew."""
        while (rung := self.timers.ring(now_ms)) is not None:
            due_ms, _, name = rung
            case = self.cases.get(name)
            if case is not None and case.wake_ms == due_ms:
                return case
            if case is not None and case.wake_ms:
                self.timers.file(_CASE, name, case.wake_ms)
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
        self.timers.forget(_CASE, case.id)
        self._of_episode.pop(case.episode, None)
        self._of_key.pop(case.key, None)
        if case.asset in self._of_asset:
            self._of_asset[case.asset] = tuple(each for each in self._of_asset[case.asset] if each != case.id)


def line(case: Case, deed: str, at_ms: Millis, was: str, reason: str) -> Deed:
    """What the house itself did, as the history says it."""
    return Deed(case=case.id, at_ms=at_ms, deed=deed, was=str(was), now=case.state, reason=reason)


def closing(case: Case, at_ms: Millis, reason: str) -> Deed:
    """That a case closed by itself, and why."""
    return Deed(case=case.id, at_ms=at_ms, deed="closed", was=case.state, now=State.CLOSED, reason=reason)
