"""Who waits to be called back: people who answered 0 and that nobody has called yet. Values, and the list of them.

Pure. What is kept over a restart, and who says that they have called, is the rim's; nobody is told anything here.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.undo import Undoable, UndoDict, UndoLog
from telemetry.reading import Millis

CALL_WITHIN_MS: Final[Millis] = 30 * 60_000
"""By when somebody who asks for a call expects it."""
MOST_STRANGERS: Final = 100
"""So many numbers that are in no inventory wait at once (law L10); people of the inventory always do."""


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody who asked to be called, since the first time that they did. ``id`` names the answer that asked.

    ``person`` is empty for a number that is in no inventory, ``episode`` where they answered nothing that stands.
    """

    id: str
    phone: str
    since_ms: Millis
    person: str = ""
    episode: str = ""
    times: int = 1

    @property
    def due_ms(self) -> Millis:
        """By when they expect the call."""
        return self.since_ms + CALL_WITHIN_MS


class Callers(Undoable):
    """Those of one county, one a number: whoever asks again waits since the first time."""

    def __init__(self, undo: UndoLog | None = None) -> None:
        super().__init__(UndoLog() if undo is None else undo)
        self._waiting: dict[str, Caller] = UndoDict(self._undo)

    def restore(self, kept: Iterable[Caller]) -> None:
        """Takes over those who were kept."""
        self._waiting = UndoDict(self._undo, {caller.phone: caller for caller in kept})

    def list_waiting(self) -> tuple[Caller, ...]:
        """All who wait."""
        return tuple(sorted(self._waiting.values(), key=lambda caller: (caller.since_ms, caller.id)))

    def ask(self, caller: Caller) -> bool:
        """Somebody asks to be called; false when too many strangers wait already."""
        known = self._waiting.get(caller.phone)
        if known is not None:
            about = caller.episode or known.episode
            self._waiting[caller.phone] = replace(known, episode=about, times=known.times + 1)
            return True
        strangers = sum(not each.person for each in self._waiting.values())
        if not caller.person and strangers >= MOST_STRANGERS:
            return False
        self._waiting[caller.phone] = caller
        return True

    def call(self, name: str) -> Caller | None:
        """Somebody has called them; ``None`` when nobody of that id waits (any more)."""
        found = next((caller for caller in self._waiting.values() if caller.id == name), None)
        if found is not None:
            del self._waiting[found.phone]
        return found
