"""Instants at which something is to be looked at again, one a name; the earliest first. A heap and nothing else.

What is due is written in the states; a timer that rings too early is filed again by whoever asks.
"""

import heapq
from typing import Final

from alerts.undo import Undoable, UndoLog
from telemetry.reading import Millis

NEVER: Final[Millis] = 1 << 62
"""A deadline that does not come."""

_Entry = tuple[Millis, str, str]


class Timers(Undoable):
    """``kind`` orders what falls due at one instant, ``name`` tells two of a kind apart.

    An entry of the heap that is not the filed one is old and rings for nobody, so that a rollback needs no search.
    """

    def __init__(self, undo: UndoLog) -> None:
        super().__init__(undo)
        self._heap: list[_Entry] = []
        self._filed: dict[tuple[str, str], Millis] = {}
        self.earliest_ms: Millis = NEVER
        """When something may be due; early is harmless. An attribute, since it is asked before every message."""

    def file(self, kind: str, name: str, due_ms: Millis) -> None:
        """One entry a name: of two instants the earlier counts, a later one is found when that rings."""
        filed_ms = self._filed.get((kind, name))
        if filed_ms is None or due_ms < filed_ms:
            self._undo.note(self._put, kind, name, filed_ms)
            self._push(due_ms, kind, name)

    def forget(self, kind: str, name: str) -> None:
        """It is not to ring any more."""
        self._undo.note(self._put, kind, name, self._filed.get((kind, name)))
        self._filed.pop((kind, name), None)

    def clear(self) -> None:
        """Nothing is to ring any more."""
        self._heap, self._filed, self.earliest_ms = [], {}, NEVER

    def ring(self, now_ms: Millis) -> _Entry | None:
        """The first that is due by ``now_ms``, taken out; ``None`` when nothing is."""
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, kind, name = heapq.heappop(self._heap)
            self._look()
            if self._filed.get((kind, name)) == due_ms:
                self._undo.note(self._push, due_ms, kind, name)
                del self._filed[kind, name]
                return due_ms, kind, name
        return None

    def _push(self, due_ms: Millis, kind: str, name: str) -> None:
        self._filed[kind, name] = due_ms
        heapq.heappush(self._heap, (due_ms, kind, name))
        self._look()

    def _put(self, kind: str, name: str, filed_ms: Millis | None) -> None:
        if filed_ms is None:
            self._filed.pop((kind, name), None)
        else:
            self._filed[kind, name] = filed_ms

    def _look(self) -> None:
        self.earliest_ms = self._heap[0][0] if self._heap else NEVER
