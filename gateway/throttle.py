"""Who says more than their share of the hour: everybody else is heard first, and their junk is counted, not kept.

A device's hour is the county's to count; here is which topics are above it, and the same for strangers. What does
not stand here is what a message means: a good sample is never dropped, however many come (ADR 0041).
"""

from typing import Final

import msgspec

from alerts.calendars import HOUR_MS
from alerts.conditions.traffic import SILENT, HourlyTraffic, Share, add
from alerts.episodes.county import Changes, County
from alerts.undo import Undoable, UndoDict, UndoList, UndoLog
from gateway.journal.entry import AnomalyKind, Entry
from telemetry.reading import Millis
from telemetry.wire import Rejected, Uplink

STRANGERS: Final = "strangers_junk"
"""The small mark that sums up what strangers sent above their share: messages and bytes since ever."""
STRANGERS_SHARE: Final = Share(600, 1_048_576)
"""Of one topic that leads to no device, in an hour: some of it is kept, so that somebody can see whose it is."""
_MOST: Final = 1_024
"""So many topics of strangers are told apart; further ones share one hour."""
_ABOVE: Final = 4_096


class Throttle(Undoable):
    """The shares of one line."""

    def __init__(self, county: County, undo: UndoLog) -> None:
        super().__init__(undo)
        self._county = county
        self._above: dict[str, Millis] = UndoDict(undo)
        """Topics above their share, and until when at most."""
        self._strangers: dict[str, HourlyTraffic] = UndoDict(undo)
        self._sum = (0, 0)
        self._is_summed = False
        self._news: list[str] = UndoList(undo)

    def restore(self, summed: str | None) -> None:
        """Goes on from what ``write`` wrote."""
        self._sum = msgspec.json.decode(summed or "[0, 0]", type=tuple[int, int])

    def count(self, uplink: Uplink, device: str, changes: Changes, observed_ms: Millis | None = None) -> None:
        """One message of a device, before what it says is heard; ``observed_ms`` if it brings something new."""
        above = self._county.count(device, len(uplink.payload), uplink.received_ms, changes, observed_ms)
        if above or self._above:
            self._mark(uplink, device, above=above)

    def count_stranger(self, uplink: Uplink) -> None:
        """One message that leads to no device."""
        topic, at_ms = uplink.topic, uplink.received_ms
        name = topic if topic in self._strangers or len(self._strangers) < _MOST else ""
        traffic = add(self._strangers.get(name, SILENT), at_ms, len(uplink.payload))
        self._strangers[name] = traffic
        self._mark(uplink, topic, above=traffic.exceeds(STRANGERS_SHARE, at_ms))

    @property
    def holds_back(self) -> bool:
        """Whether there is anybody whose messages may have to wait."""
        return bool(self._above)

    def waits(self, uplink: Uplink) -> bool:
        """Whether everybody else's messages are heard before this one."""
        return uplink.received_ms < self._above.get(uplink.topic, 0)

    def sum_up(self, uplink: Uplink, rejected: Rejected, device: str, entry: Entry) -> None:
        """Junk above the share: that it was there is durable, what it was is not kept (laws L2, L10)."""
        size = len(uplink.payload)
        if device:
            entry.note(device, AnomalyKind.FLOODED, uplink.received_ms, f"{rejected.reason}, {size} bytes")
            return
        self._sum = (self._sum[0] + 1, self._sum[1] + size)
        self._is_summed = True

    def write(self, entry: Entry) -> tuple[str, ...]:
        """What is summed up, into the entry; answers who has come above their share."""
        if self._is_summed:
            entry.meta[STRANGERS] = msgspec.json.encode(self._sum).decode()
            self._is_summed = False
        if not self._news:
            return ()
        news, self._news = tuple(self._news), UndoList(self._undo)
        return news

    def _mark(self, uplink: Uplink, name: str, *, above: bool) -> None:
        until_ms, at_ms = self._above.get(uplink.topic), uplink.received_ms
        if not above:
            if until_ms is not None and at_ms < until_ms:
                self._above[uplink.topic] = at_ms  # its next hour has begun, or its parameters were changed
            return
        if until_ms is None or until_ms + HOUR_MS <= at_ms:  # as long as it goes on it is said once
            self._news.append(name)
        if until_ms is None and len(self._above) >= _ABOVE:
            self._above = UndoDict(self._undo)  # they rise again with their next message
        self._above[uplink.topic] = at_ms + HOUR_MS
