"""How the gateway is, part by part: written by the threads that know, read by ``/healthz``, ``/readyz`` and ``doctor``.

A part's state is one frozen value that is replaced whole, so a reader never sees half of it. Nothing is measured here.
"""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

STALLED_AFTER_S: Final = 30.0
"""A loop that has not turned for so long is not alive, whatever its sockets say."""


class Part(Struct, frozen=True):
    """One part: ``state`` says how it is, ``remedy`` what to do, ``notes`` what is merely worth knowing."""

    ready: bool
    state: str
    remedy: str = ""
    notes: tuple[str, ...] = ()


class Health:
    """The parts by name, and when the loop last turned and last committed (real monotonic seconds).

    Those named at the start must be ready for the whole to be; any other part that is reported is only shown.
    """

    def __init__(self, parts: tuple[str, ...], monotonic: Callable[[], float]) -> None:
        self._needed = parts
        self._monotonic = monotonic
        self._parts: Mapping[str, Part] = MappingProxyType(dict.fromkeys(parts, Part(ready=False, state="starting")))
        self._replacing = threading.Lock()
        self._turned_s = self._committed_s = self._couriered_s = monotonic()

    @property
    def needed(self) -> tuple[str, ...]:
        """The parts that must be ready."""
        return self._needed

    def report(self, name: str, part: Part) -> None:
        """Replaces the state of one part; cheap enough for every turn of the loop when nothing changed."""
        if self._parts.get(name) != part:
            with self._replacing:
                self._parts = MappingProxyType({**self._parts, name: part})

    def turned(self) -> None:
        """The loop has turned; called once a turn, busy or idle."""
        self._turned_s = self._monotonic()

    def committed(self) -> None:
        """A batch became durable."""
        self._committed_s = self._monotonic()

    def couriered(self) -> None:
        """The courier has looked whether anything is owed; called once a look, busy or idle."""
        self._couriered_s = self._monotonic()

    @property
    def parts(self) -> Mapping[str, Part]:
        """Every part as last reported."""
        return self._parts

    @property
    def loop_age_s(self) -> float:
        """Real seconds since the loop last turned."""
        return self._monotonic() - self._turned_s

    @property
    def commit_age_s(self) -> float:
        """Real seconds since the last commit; large on a quiet night, which is no fault."""
        return self._monotonic() - self._committed_s

    @property
    def courier_age_s(self) -> float:
        """Real seconds since the courier last looked; as long as a slow provider takes for one text."""
        return self._monotonic() - self._couriered_s

    @property
    def live(self) -> bool:
        """Whether the loop turns (never whether a socket believes to be connected, trap P2)."""
        return self.loop_age_s < STALLED_AFTER_S

    @property
    def ready(self) -> bool:
        """Whether every part that is needed is ready, and the loop turns."""
        return self.live and all(self._parts[name].ready for name in self._needed)
