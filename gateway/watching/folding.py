"""Whether somebody who reads the journal keeps its log from being folded back into it, since when, and who (case J10).

A log that is never folded back grows until the disk is full, and every read takes longer. Who reads is not ours to end.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alerts.calendars import iso
from alerts.undo import Undoable, UndoLog
from gateway.health import Health, Part
from gateway.journal.retention import Log
from gateway.logs import logger
from gateway.metrics import Metrics
from telemetry.reading import Millis

_log = logger(__name__)

PART: Final = "journal_log"
"""What it is called on ``/readyz``; it is shown, and the gateway is ready all the same."""
MEGABYTE: Final = 1 << 20
MOST_BYTES: Final = 32 * MEGABYTE
"""Twice of what is folded back by itself."""
MOST_LOOKS: Final = 5
"""Minutes. No read of ours lasts so long."""
_REMEDY: Final = (
    "end whatever reads the journal for so long (a sqlite3 that was left open, a backup tool, an export); "
    "it is folded back by itself then"
)


class Folding(Undoable):
    """One look a minute; for the loop's thread alone."""

    def __init__(
        self, health: Health, metrics: Metrics, openers: Callable[[Path], list[str]], undo: UndoLog | None = None
    ) -> None:
        super().__init__(undo)
        self._health = health
        self._metrics = metrics
        self._openers = openers
        self._since_ms: Millis | None = None
        self._looks = 0
        self._is_said = False

    def look(self, log: Log, now_ms: Millis) -> None:
        """How the log stands after it was folded back as far as it could be."""
        self._looks = self._looks + 1 if log.unfolded_bytes else 0
        self._since_ms = (self._since_ms or now_ms) if log.unfolded_bytes else None
        unfolded_s = 0.0 if self._since_ms is None else (now_ms - self._since_ms) / 1_000
        self._metrics.journal_log_bytes.set(log.bytes)
        self._metrics.journal_log_unfolded_seconds.set(unfolded_s)
        starved = self._looks > 1 and (log.bytes > MOST_BYTES or self._looks > MOST_LOOKS)
        if starved:
            self._say(log, unfolded_s)
        elif not log.unfolded_bytes:
            self._end(log)

    def _say(self, log: Log, unfolded_s: float) -> None:
        who = ", ".join(self._openers(log.path)) or "nobody that may be seen from here"
        state = (
            f"a reader has kept {log.path.name}-wal, {log.bytes // MEGABYTE} MB now, from being folded back since"
            f" {iso(self._since_ms or 0)}; the journal is open in {who}"
        )
        self._health.report(PART, Part(ready=False, state=state, remedy=_REMEDY))
        if not self._is_said:
            _log.warning("log_not_folded", bytes=log.bytes, seconds=round(unfolded_s), open_in=who, remedy=_REMEDY)
        self._is_said = True

    def _end(self, log: Log) -> None:
        self._health.report(PART, Part(ready=True, state="it is folded back as it grows"))
        if self._is_said:
            _log.info("log_folded", bytes=log.bytes)
        self._is_said = False
