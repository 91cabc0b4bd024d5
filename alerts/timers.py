"""Instants at which something is to be looked at again, one a name; the earliest first. A heap and nothing else.

What is due is written in the states; a timer that rings too early is filed again by whoever asks.
"""

import heapq
from dataclasses import dataclass, field

from telemetry.reading import Millis


@dataclass(slots=True)
class Timers:
    """``kind`` orders what falls due at one instant, ``name`` tells two of a kind apart."""

    _heap: list[tuple[Millis, str, str]] = field(default_factory=list)
    _filed: dict[tuple[str, str], Millis] = field(default_factory=dict)

    def file(self, kind: str, name: str, due_ms: Millis) -> None:
        """One entry a name: of two instants the earlier counts, a later one is found when that rings."""
        filed_ms = self._filed.get((kind, name))
        if filed_ms is None or due_ms < filed_ms:
            self._filed[kind, name] = due_ms
            heapq.heappush(self._heap, (due_ms, kind, name))

    def forget(self, kind: str, name: str) -> None:
        """It is not to ring any more."""
        self._filed.pop((kind, name), None)

    def clear(self) -> None:
        """Nothing is to ring any more."""
        self._heap.clear()
        self._filed.clear()

    def next_ms(self) -> Millis | None:
        """When something may be due; early is harmless."""
        return self._heap[0][0] if self._heap else None

    def ring(self, now_ms: Millis) -> tuple[Millis, str, str] | None:
        """The first that is due by ``now_ms``, taken out; ``None`` when nothing is."""
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, kind, name = heapq.heappop(self._heap)
            if self._filed.get((kind, name)) == due_ms:
                del self._filed[kind, name]
                return due_ms, kind, name
        return None
