"""The thread that rolls up: it has a reader of its own, gives way to the loop, and tries again after trouble.

It decides nothing about a value. What it has written goes through the inbox, since only the loop writes the journal.
"""

from contextlib import closing
from pathlib import Path
from typing import Final

from gateway.clock import Clock
from gateway.commands.command import NotDurable
from gateway.inbox import Inbox, Unanswered
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import Rolled
from gateway.journal.rollups import RollupReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.requests import KeepRollups
from gateway.rollups.closing import RollupBarrier
from gateway.rollups.roller import Roller
from gateway.rollups.scope import RollupScope
from gateway.worker import Worker

_log = logger(__name__)

RETRY_S: Final = 5.0
LONGEST_WAIT_S: Final = 10.0
SHORTEST_WAIT_S: Final = 0.05
ROOM_WITHIN_S: Final = 30.0
ASK_AGAIN_S: Final = 0.25
BREATH: Final = 256
"""Readings, or as much other work, after which the loop may have the interpreter: two or three milliseconds."""
BREATH_S: Final = 0.002


class _NotDurable(Exception):  # noqa: N818 -- a state of the world, not an error of ours
    """The loop did not say that it is written; it may be, or not."""


class RollupThread(Worker):
    """The thread around the roller; it ends between two posts."""

    def __init__(
        self, path: Path, inbox: Inbox, clock: Clock, scope: RollupScope, metrics: Metrics, *, retry_s: float = RETRY_S
    ) -> None:
        super().__init__("rollups")
        self._path = path
        self._inbox = inbox
        self._clock = clock
        self._scope = scope
        self._metrics = metrics
        self._retry_s = retry_s
        self._worked = 0

    def _run(self) -> None:
        barrier = RollupBarrier(self._metrics)
        while not self._stopping.is_set():
            barrier.attempt("the county", self._roll)
            self._stopping.wait(self._retry_s)

    def _roll(self) -> None:
        """Turns until it is told to stop or the world is in trouble; what it remembers ends with it."""
        try:
            with closing(RollupReader.open(self._path)) as reader:
                roller = Roller(self._scope, reader, self._keep, self._metrics, breathe=self._breathe)
                while not self._stopping.is_set():
                    now_ms = self._clock.now_ms()
                    if not roller.turn(now_ms):
                        wait_s = self._clock.wait_s(roller.due_ms(now_ms))
                        self._stopping.wait(min(max(wait_s, SHORTEST_WAIT_S), LONGEST_WAIT_S))
        except JournalUnavailable as trouble:
            _log.warning("journal_unavailable", problem=str(trouble.problem), remedy=str(trouble))
        except _NotDurable as trouble:
            _log.info("rollups_interrupted", reason=str(trouble))

    def _keep(self, rolled: Rolled) -> None:
        """Returns only when it is durable, however long that takes: nothing is posted a second time meanwhile."""
        answer = self._inbox.post(KeepRollups(rolled), ROOM_WITHIN_S)
        if isinstance(answer, Unanswered):
            raise _NotDurable("the loop has no room for it")
        while isinstance(value := answer.wait(ASK_AGAIN_S), Unanswered):
            if self._stopping.is_set():
                raise _NotDurable("the gateway ends")
        if isinstance(value, NotDurable):
            raise _NotDurable(value.reason)

    def _breathe(self, work: int) -> None:
        """Gives way for a moment each time that enough was done; a thread that computes would hold the loop up."""
        self._worked += work
        if self._worked >= BREATH:
            self._worked = 0
            self._stopping.wait(BREATH_S)
