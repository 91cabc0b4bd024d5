"""Whether nobody listened between two turns of the loop: the clock was set, or a turn took too long (law L13).

A pure judgement of what the clocks showed at both. What it excuses is the county's, what is said of it the watchman's.
"""

from typing import Final, NamedTuple

from gateway.clock import Face
from telemetry.reading import Millis

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
