"""The one place that reads a clock: wall time in epoch milliseconds, and monotonic seconds for the rim's own waits.

Everyone else is given instants. Only the demo's clock runs faster than the world's; production never scales.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from telemetry.reading import Millis


class Clock(Protocol):
    """What the rim knows about time. ``now_ms`` never goes backwards, whatever is done to the machine's clock."""

    def now_ms(self) -> Millis:
        """The instant by this clock."""

    def wait_s(self, until_ms: Millis) -> float:
        """How many real seconds are left until ``until_ms``; zero when it has passed."""


def monotonic_s() -> float:
    """Real seconds from an arbitrary origin; for time-outs and ages, never for what is stored."""
    return time.monotonic()


def instant_in(seconds: float) -> datetime:
    """The machine's own instant so many real seconds from now; for the alarm clock alone."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


class WallClock:
    """The machine's clock, held still while it is set back, until it has caught up."""

    def __init__(self) -> None:
        self._latest_ms: Millis = 0
        self._reading = threading.Lock()

    def now_ms(self) -> Millis:
        """Epoch milliseconds, never less than the last answer."""
        with self._reading:
            self._latest_ms = max(self._latest_ms, time.time_ns() // 1_000_000)
            return self._latest_ms

    def wait_s(self, until_ms: Millis) -> float:
        """Real seconds until the wall clock shows ``until_ms``."""
        return max(0.0, (until_ms - self.now_ms()) / 1_000)


class ScaledClock:
    """A clock that shows ``origin_ms`` when it is started and then runs ``speed`` times as fast as the world."""

    def __init__(self, origin_ms: Millis, speed: float) -> None:
        self._origin_ms = origin_ms
        self._speed = speed
        self._started_ns: int | None = None

    def start(self) -> None:
        """Lets it run; until then it stands at its origin. A second start changes nothing."""
        if self._started_ns is None:
            self._started_ns = time.monotonic_ns()

    def now_ms(self) -> Millis:
        """The scaled instant; monotonic because what it is derived from is."""
        if self._started_ns is None:
            return self._origin_ms
        return self._origin_ms + int((time.monotonic_ns() - self._started_ns) * self._speed / 1_000_000)

    def wait_s(self, until_ms: Millis) -> float:
        """Real seconds until this clock shows ``until_ms``."""
        return max(0.0, (until_ms - self.now_ms()) / 1_000 / self._speed)
