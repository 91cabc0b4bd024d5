"""Which topic filters the broker's session knows, remembered so that a restart need not subscribe again."""

from typing import Final, NoReturn

import msgspec

from gateway.barrier import Barrier
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal

KEY: Final = "mqtt_filters"


class JournalFilters:
    """See ``sources.link.SubscriptionMemory``. Called on the loop's thread, which alone writes the journal."""

    def __init__(self, journal: Journal, remembered: str | None, barrier: Barrier) -> None:
        self._journal = journal
        self._barrier = barrier
        self._filters = frozenset(msgspec.json.decode(remembered, type=list[str])) if remembered else frozenset()

    def remembered_filters(self) -> frozenset[str]:
        """What the broker last granted."""
        return self._filters

    def remember_filters(self, filters: frozenset[str]) -> None:
        """Keeps them, durably; returns when the journal has taken them."""
        kept = Entry(meta={KEY: msgspec.json.encode(sorted(filters)).decode()})
        self._barrier.attempt(lambda: self._journal.commit(kept), _pass_on, "topic filters")
        self._filters = filters


def _pass_on(bug: Exception) -> NoReturn:
    raise bug
