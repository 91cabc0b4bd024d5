"""How much a device says: the messages and bytes of its hour, held against the share that its plan gives it.

Frozen values and instants only. What a message said, and what becomes of one above the share, is not known here.
"""

from typing import Final

from msgspec import Struct

from alerts.calendars import HOUR_MS
from telemetry.reading import Millis

LONGEST_GAP_MS: Final[Millis] = 7 * 24 * HOUR_MS
"""What a device kept for longer than this has no time of its own any more."""
LARGE: Final = 4_096
"""Bytes of smaller messages are not summed: there cannot be many of them without there being too many."""


class Share(Struct, frozen=True, gc=False):
    """What a device may say in an hour; ``size`` in bytes."""

    messages: int
    size: int


class HourlyTraffic(Struct, frozen=True, gc=False, array_like=True):
    """What a device has said in the hour that began at ``since_ms`` (receive time); ``size`` in bytes.

    An hour begins with a message that comes out of turn, and counts the one before it; as long as a device keeps to
    its plan there is none. ``missing`` counts what the plan lacks: it may have queued up somewhere and come at once.
    """

    since_ms: Millis = 0
    messages: int = 0
    size: int = 0
    missing: int = 0

    def exceeds(self, share: Share, at_ms: Millis) -> bool:
        """Whether it is above its share of the hour of then."""
        return at_ms < self.since_ms + HOUR_MS and (self.messages > share.messages or self.size > share.size)

    def stays(self, at_ms: Millis, size: int, seen_ms: Millis, spread_ms: Millis, interval_ms: Millis) -> bool:
        """Whether a message with a new sample changes nothing of it while no hour runs; for its terms see ``deliver``.

        That would answer the same traffic; this is asked first, since nearly every message is one of these.
        """
        gap_ms = at_ms - seen_ms
        if seen_ms and 2 * gap_ms < interval_ms:
            same = 2 * abs(spread_ms) >= interval_ms
        else:
            same = size < LARGE and (not seen_ms or gap_ms < 2 * interval_ms)
        return same and at_ms >= self.since_ms + HOUR_MS


SILENT: Final = HourlyTraffic()


def add(before: HourlyTraffic, at_ms: Millis, size: int, first: int = 1) -> HourlyTraffic:
    """The traffic after a message that brought nothing new; the first one after an hour begins the next."""
    size = size if size >= LARGE else 0
    if at_ms >= before.since_ms + HOUR_MS:
        return HourlyTraffic(at_ms, first, size, before.missing)
    return HourlyTraffic(before.since_ms, before.messages + 1, before.size + size, before.missing)


def deliver(
    before: HourlyTraffic, at_ms: Millis, size: int, seen_ms: Millis, spread_ms: Millis, interval_ms: Millis
) -> HourlyTraffic:
    """The traffic after a message with a new sample, ``spread_ms`` from the one before, which came ``seen_ms``.

    What was measured by plan and comes late, since we or a radio gateway were away, is not counted: neither what says
    so by its own time, nor as many as are missing.
    """
    gap_ms = at_ms - seen_ms
    if not seen_ms or 2 * gap_ms >= interval_ms:  # in its turn
        lacking = 0 if not seen_ms else min(gap_ms, LONGEST_GAP_MS) // interval_ms - 1
        if lacking > 0:
            missing = min(before.missing + lacking, LONGEST_GAP_MS // interval_ms)
            before = HourlyTraffic(before.since_ms, before.messages, before.size, missing)
        runs = at_ms < before.since_ms + HOUR_MS
        return add(before, at_ms, size) if runs or size >= LARGE else before
    if 2 * abs(spread_ms) >= interval_ms:
        return before
    if before.missing:
        return HourlyTraffic(before.since_ms, before.messages, before.size, before.missing - 1)
    return add(before, at_ms, size, first=2)
