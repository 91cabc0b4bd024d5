"""The one place that reads a clock: wall time in epoch milliseconds, and monotonic seconds for the rim's own waits.

Everyone else is given instants. Only the demo's clock runs faster than the world's; production never scales. Whether
nobody listened between two looks at it is judged here, too (law L13); what that excuses is the county's, what is said
of it the self-check's.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from telemetry.reading import Millis


class Face(NamedTuple):
    """What the clocks show at one moment: the gateway's own, the machine's monotonic one, and the one that is set."""

    at_ms: Millis
    monotonic_s: float
    wall_s: float


STEP_S: Final = 5.0
"""The machine's clock was set if it moved by more than this against the monotonic one."""
APART_S: Final = 60.0
"""Two turns so far apart, by either clock: the machine stood still, or what the world refused took so long."""


class Deafness(NamedTuple):
    """From when to when by the gateway's clock, and by how much the machine's was set (0: it was not).

    ``moved_ms`` is how far the gateway's clock went on without time passing.
    """

    since_ms: Millis
    at_ms: Millis
    step_ms: int = 0
    moved_ms: Millis = 0


def between(before: Face, now: Face) -> Deafness | None:
    """The deafness that ends with ``now``; ``None`` where one turn followed the other."""
    gone_s, shown_s = now.monotonic_s - before.monotonic_s, now.wall_s - before.wall_s
    step_s = shown_s - gone_s
    is_step = abs(step_s) > STEP_S
    if not is_step and max(gone_s, abs(shown_s)) <= APART_S:
        return None
    if not is_step:
        return Deafness(before.at_ms, now.at_ms)
    moved_ms = now.at_ms - before.at_ms - round(gone_s * 1_000)
    return Deafness(before.at_ms, now.at_ms, round(step_s * 1_000), max(0, moved_ms))


class Clock(Protocol):
    """What the rim knows about time. ``now_ms`` never goes backwards, whatever is done to the machine's clock."""

    def now_ms(self) -> Millis:
        """The instant by this clock."""

    def wait_s(self, until_ms: Millis) -> float:
        """How many real seconds are left until ``until_ms``; zero when it has passed."""


class SettableClock(Clock, Protocol):
    """One that hangs on a machine's clock, which may be set; whoever has to see that sees more of it (law L13)."""

    def face(self) -> Face:
        """All clocks at once."""

    def behind_s(self) -> float:
        """By how much the machine's clock shows less than this one, because it was set back."""

    def go_on_from(self, at_ms: Millis) -> None:
        """It has told this instant before, in another process: it shows no earlier one."""


_AT_ONCE_NS: Final = 100_000_000


def monotonic_s() -> float:
    """Real seconds from an arbitrary origin; for time-outs and ages, never for what is stored."""
    return time.monotonic()


def instant_in(seconds: float) -> datetime:
    """The machine's own instant so many real seconds from now; for the alarm clock alone."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


class WallClock:
    """The machine's clock; set back, it goes on from the highest instant that it has told, at real pace (law L13)."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._reading = threading.Lock()
        at_ns, shown_ns = self._look()
        self._ahead_ns = self._set_ns = shown_ns - at_ns
        """By how much this clock is ahead of the monotonic one, and by how much the machine's is."""

    def now_ms(self) -> Millis:
        """Epoch milliseconds, never less than the last answer."""
        return self.face().at_ms

    def face(self) -> Face:
        """See ``SettableClock``."""
        with self._reading:
            monotonic_ns, wall_ns = self._look()
            self._set_ns = wall_ns - monotonic_ns
            self._ahead_ns = max(self._ahead_ns, self._set_ns)
            return Face((monotonic_ns + self._ahead_ns) // 1_000_000, monotonic_ns / 1e9, wall_ns / 1e9)

    def behind_s(self) -> float:
        """See ``SettableClock``."""
        return (self._ahead_ns - self._set_ns) / 1e9

    def go_on_from(self, at_ms: Millis) -> None:
        """See ``SettableClock``."""
        with self._reading:
            self._ahead_ns = max(self._ahead_ns, at_ms * 1_000_000 - self._monotonic_ns())

    def wait_s(self, until_ms: Millis) -> float:
        """Real seconds until it shows ``until_ms``."""
        return max(0.0, (until_ms - self.now_ms()) / 1_000)

    def _look(self) -> tuple[int, int]:
        """The monotonic clock and the machine's at one moment. Interrupted between the two, it looks again."""
        while True:
            before_ns, wall_ns, monotonic_ns = self._monotonic_ns(), self._wall_ns(), self._monotonic_ns()
            if monotonic_ns - before_ns < _AT_ONCE_NS:
                return monotonic_ns, wall_ns


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

    def face(self) -> Face:
        """See ``SettableClock``; that the machine's clock is set is nothing to it."""
        now_s = time.monotonic()
        return Face(self.now_ms(), now_s, now_s)

    def behind_s(self) -> float:
        """See ``SettableClock``: never."""
        return 0.0

    def go_on_from(self, at_ms: Millis) -> None:
        """See ``SettableClock``; where it stands before it is started."""
        self._origin_ms = max(self._origin_ms, at_ms)

    def wait_s(self, until_ms: Millis) -> float:
        """Real seconds until this clock shows ``until_ms``."""
        return max(0.0, (until_ms - self.now_ms()) / 1_000 / self._speed)


class StandingClock:
    """Stands where it was put: what has long been is gone through by it, and nobody is deaf between two instants."""

    def __init__(self, at_ms: Millis) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> Millis:
        """Where it stands."""
        return self.at_ms

    def face(self) -> Face:
        """See ``SettableClock``."""
        return Face(self.at_ms, 0.0, 0.0)

    def behind_s(self) -> float:
        """See ``SettableClock``: never."""
        return 0.0

    def go_on_from(self, at_ms: Millis) -> None:
        """See ``SettableClock``."""
        self.at_ms = max(self.at_ms, at_ms)

    def wait_s(self, until_ms: Millis) -> float:
        """As long as it would take if it ran."""
        return max(0.0, (until_ms - self.at_ms) / 1_000)
