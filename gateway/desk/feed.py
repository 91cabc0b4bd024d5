"""From the loop's commits to the desk's projection: a bounded queue, a thread of its own, and what has changed since.

``take`` is called by the loop's thread after each commit and only puts; nothing here can slow the loop or break it. A
queue that overflowed is made good from the journal.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Final, NamedTuple

from alerts.alert import Alert
from gateway.desk.projection import Projection, Topic
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import Entry
from gateway.logs import logger
from gateway.worker import Worker

_log = logger(__name__)

ENTRIES: Final = 512
"""So many commits wait at most; a desk that is further behind reads the journal instead."""
BURST: Final = 100
"""A commit with so many readings is part of a burst: more will come."""
PORTION_S: Final = 0.5
"""So long a burst gathers before it is shown: the loop needs the one interpreter more, and one portion costs it less
than each commit by itself."""
_LOOK_S: Final = 0.5


class OpenEpisodes(NamedTuple):
    """What the journal says stands: open episodes and small marks."""

    alerts: Sequence[Alert]
    marks: Mapping[str, str]


class Feed(Worker):
    """Keeps a projection. ``reload`` reads what stands from the journal.

    ``follow`` is told each commit's small marks and answers whether pages look different by them.
    """

    def __init__(
        self, projection: Projection, follow: Callable[[Mapping[str, str]], bool], reload: Callable[[], OpenEpisodes]
    ) -> None:
        super().__init__("desk-feed")
        self._projection = projection
        self._follow = follow
        self._reload = reload
        self._entries: Queue[Entry] = Queue(ENTRIES)
        self._lost = threading.Event()
        self._lock = threading.Lock()
        self._versions: Counter[Topic] = Counter()

    def stop(self, within_s: float | None = None) -> None:
        """The thread is gone; streams that look at ``ended`` end themselves."""
        self._stopping.set()
        self.take(Entry())  # wakes it
        super().stop(within_s)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self._stopping.is_set()

    def take(self, entry: Entry) -> None:
        """One commit of the loop; the entry is never changed after it."""
        try:
            self._entries.put_nowait(entry)
        except Full:
            self._lost.set()

    @property
    def waiting(self) -> int:
        """How many commits are not yet to be seen."""
        return self._entries.unfinished_tasks

    @property
    def seen(self) -> str:
        """The versions as a word that a page carries: ``cases.3-levels.12``."""
        return "-".join(f"{topic}.{version}" for topic, version in self.versions().items())

    def versions(self) -> dict[Topic, int]:
        """How often each topic has changed so far."""
        return dict(self._versions)

    @contextmanager
    def present(self) -> Iterator[Projection]:
        """The projection, standing still while the context lasts."""
        with self._lock:
            yield self._projection

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._lost.is_set() and self._entries.empty():
                self._make_good()
            try:
                entry = self._entries.get(timeout=_LOOK_S)
            except Empty:
                continue
            if len(entry.readings) >= BURST:
                self._stopping.wait(PORTION_S)
            self._apply(entry)
            self._entries.task_done()
            for _ in range(self._entries.qsize()):  # only this thread takes out
                self._apply(self._entries.get_nowait())
                self._entries.task_done()

    def _apply(self, entry: Entry) -> None:
        try:
            with self._lock:
                changed = self._projection.apply(entry)
                arranged = self._follow(entry.meta)
        except Exception:  # noqa: BLE001 -- the barrier around one entry: the desk's mistake must not leave it blind
            _log.exception("entry_not_shown_by_our_mistake")
            self._lost.set()
            return
        self._versions.update(Topic if arranged else changed)

    def _make_good(self) -> None:
        self._lost.clear()
        try:
            standing = self._reload()
        except JournalUnavailable as trouble:
            _log.warning("desk_could_not_catch_up", remedy=str(trouble))
            self._lost.set()
            self._stopping.wait(_LOOK_S)
            return
        with self._lock:
            self._projection.take(standing.alerts)
            self._follow(standing.marks)
        self._versions.update(Topic)
