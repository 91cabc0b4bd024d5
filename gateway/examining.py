"""The thread that looks through the whole journal beside the running gateway and says whether it is sound (case H9).

A journal that is found damaged goes on taking what comes: a fire must be told. But it is not ready, and says so.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol

from gateway.barrier import WORLD
from gateway.health import Health, Part
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.worker import Worker

_log = logger(__name__)

PART: Final = "soundness"
EVERY_S: Final = 86_400.0
RETRY_S: Final = 60.0
_LEAST: Final = 19
"""As nice as can be: the loop goes first."""
_REMEDY: Final = (
    "keep a copy of it; stop the gateway, then restore a backup or move it away with its -wal to start anew"
)
NOT_YET: Final = Part(ready=True, state="the quick look of the start found nothing; the whole is being looked through")


class Reader(Protocol):
    """A look at the journal that can be broken off from another thread."""

    def damage(self) -> list[str]:
        """See ``JournalReader.damage``."""

    def break_off(self) -> None:
        """See ``JournalReader.break_off``."""

    def close(self) -> None:
        """Lets go of the file."""


class Examiner(Worker):
    """It can be ended in the middle of a look, too."""

    def __init__(
        self,
        path: Path,
        health: Health,
        metrics: Metrics,
        *,
        every_s: float = EVERY_S,
        opened: Callable[[Path], Reader] = JournalReader.open,
    ) -> None:
        super().__init__("examiner")
        self._path = path
        self._opened = opened
        self._health = health
        self._metrics = metrics
        self._every_s = every_s
        self._reader: Reader | None = None
        """The one that looks now; under the lock, so that none is broken off that is being closed."""
        self._lock = threading.Lock()
        health.report(PART, NOT_YET)

    def stop(self, within_s: float | None = None) -> None:
        """Breaks off a look in hand."""
        self._stopping.set()
        with self._lock:
            if self._reader is not None:
                self._reader.break_off()
        super().stop(within_s)

    def examine(self) -> bool:
        """Looks through all of it once and says what was found; ``False`` when it has to be tried again."""
        try:
            with closing(self._opened(self._path)) as reader, self._in_hand(reader):
                found = reader.damage()
        except JournalUnavailable as trouble:
            if trouble.problem is not Problem.DAMAGED:
                return self._put_off(trouble)
            found = [str(trouble)]
        except WORLD as trouble:
            return self._put_off(trouble)
        self._say(found)
        return True

    @contextmanager
    def _in_hand(self, reader: Reader) -> Iterator[None]:
        with self._lock:
            self._reader = reader
        try:
            yield
        finally:
            with self._lock:
                self._reader = None

    def _put_off(self, trouble: Exception) -> bool:
        if not self._stopping.is_set():
            _log.warning("not_examined", reason=str(trouble))
        return False

    def _say(self, found: list[str]) -> None:
        self._metrics.journal_damaged.set(bool(found))
        if not found:
            self._health.report(PART, Part(ready=True, state="the whole journal was looked through and is sound"))
            return
        _log.error("journal_damaged", found=found, remedy=_REMEDY)
        part = Part(ready=False, state=f"{self._path} is damaged: {found[0]}", remedy=_REMEDY, notes=tuple(found[1:]))
        self._health.report(PART, part)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST)
        while not self._stopping.is_set():
            self._stopping.wait(self._every_s if self.examine() else RETRY_S)
