"""Where trouble is met, and only here: the world's is waited for and tried again, ours is logged and costs one input.

In both, whatever the input had changed in memory is taken back first (law L12). What an input is, and what becomes of
one that fails by our own mistake, is its owner's to say.
"""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, TypeVar, TypeVarTuple

from alerts.undo import UndoLog
from gateway.journal.database import JournalUnavailable
from gateway.logs import logger

_log = logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Item = TypeVar("Item")

WORLD: Final = (JournalUnavailable, OSError, MemoryError)
"""What ends by itself or by somebody's hand: journal, descriptors, disk, memory. Nothing of it is a message's fault."""
MOST_TRIES: Final = 300
"""About one a second. What one input alone meets for so long is no trouble of the world but a mistake of ours; for the
journal there is no such end, since without it nothing can be put aside either."""


class Uncommitted(Exception):  # noqa: N818 -- a named end of one commit, not an error of its own
    """A commit failed by our own mistake; its cause says how."""


def give_up(trouble: Exception) -> NoReturn:
    """Nobody waits: the trouble is the caller's."""
    raise trouble


def patiently(act: Callable[[], T], wait: Callable[[Exception], None]) -> T:
    """Tries until the world lets it; for what has nothing to take back, as a start."""
    while True:
        try:
            return act()
        except WORLD as trouble:
            wait(trouble)


class Barrier:
    """The one around the inputs of one loop. ``wait`` is told of the trouble and returns when it is worth a next try.

    Whatever ``wait`` raises ends the input, which has changed nothing.
    """

    def __init__(self, undo: UndoLog, wait: Callable[[Exception], None] = give_up) -> None:
        self._undo = undo
        self._wait = wait

    def attempt(self, act: Callable[[*Ts], T], failed: Callable[[*Ts, Exception], T], about: str, *given: *Ts) -> T:
        """Does ``act(*given)`` as a whole or not at all.

        ``failed``, which is given the same and the mistake, says what becomes of it after one of ours.
        """
        savepoint, tries = self._undo.savepoint(), 0
        try:
            while True:
                try:
                    return act(*given)
                except WORLD as trouble:
                    self._undo.rollback(savepoint)
                    tries += 1
                    ours: Exception | None = trouble if self._is_ours(trouble, tries) else None
                    if ours is None:
                        self._wait(trouble)
                        continue
                except Exception as bug:  # noqa: BLE001 -- the one barrier: our mistake must not stop the stream
                    self._undo.rollback(savepoint)
                    ours = bug
                _log.error("failed_by_our_mistake", about=about, exc_info=ours)
                return failed(*given, ours)
        finally:
            self._undo.release()

    def commit(
        self,
        items: Sequence[Item],
        do: Callable[[Item], object],
        failed: Callable[[Item, Exception], object],
        make_durable: Callable[[], T],
        announce: Callable[[T], None],
    ) -> list[object]:
        """Does the items and makes them durable together; the answers to each.

        When that fails by our own mistake, they are done again in two halves, until the one is found that it was; only
        that one has ``failed``. The journal's commit is the last thing that ``make_durable`` does: whatever comes after
        it can be taken back no more, and is ``announce``'s.
        """
        savepoint = self._undo.savepoint()
        try:
            answers = self.attempt(lambda: [do(item) for item in items], _uncommitted, "a turn")
            durable = self.attempt(make_durable, _uncommitted, "a commit")
        except Uncommitted as end:
            self._undo.rollback(savepoint)
            bug = end.__cause__
            if not items or not isinstance(bug, Exception):
                raise
            if len(items) == 1:
                answers = [failed(items[0], bug)]
                self._announce(announce, self.attempt(make_durable, _uncommitted, "a commit"))
            else:
                half = len(items) // 2
                answers = [
                    *self.commit(items[:half], do, failed, make_durable, announce),
                    *self.commit(items[half:], do, failed, make_durable, announce),
                ]
        else:
            self._announce(announce, durable)
        finally:
            self._undo.release()
        return answers

    def _announce(self, announce: Callable[[T], None], durable: T) -> None:
        """A commit that nobody hears of is a commit all the same."""
        self.attempt(lambda: announce(durable), lambda _: None, "what became durable")

    @staticmethod
    def _is_ours(trouble: Exception, tries: int) -> bool:
        return tries >= MOST_TRIES and not isinstance(trouble, JournalUnavailable)


def _uncommitted(bug: Exception) -> NoReturn:
    raise Uncommitted from bug
