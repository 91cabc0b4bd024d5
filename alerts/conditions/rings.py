"""The rings of packed readings that a bin keeps, and what they come to: the level it fell from, its noise, its floor.

Bytes in, figures out; of fixed length, so that a bin's memory is small however long it lives. What an emptying is
stands in ``bins``. Nothing here confirms a figure: that is a person's, and until then the line of two thirds keeps the
one that was written down.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from struct import unpack
from typing import Final

from telemetry.reading import Millis

APART_POINTS: Final = 8.0
"""Readings that differ by as much do not agree: it would be a fall that counts."""
BEFORE: Final = 6
"""So many readings before a fall say from which level it fell."""
LEAST_STEP_SHARE: Final = 0.3
"""What goes down by less of the whole fall with each reading settles, and nobody took it."""
MOST_NOISE_POINTS: Final = 12.0
"""How much one stray reading at most says about the noise."""
LEAST_LOOK: Final = 8
"""So many readings at least tell something of the noise."""
NOISES_KEPT: Final = 4
"""So many looks at the ring make the noise, and none before them: what a late reading changed is over in a day."""
LOOK_MS: Final[Millis] = 6 * 3_600_000
"""How often the noise is learned."""

RING: Final = 32
"""Bytes of a full ring of levels: sixteen readings of two bytes."""
AFTER: Final = 4
"""What stays of one after an emptying."""
PACKED: Final = {tenths / 10: tenths.to_bytes(2, "big") for tenths in range(1_001)}
"""A level, which is rounded to tenths of a percent, as it lies in the ring."""

LEAST_EMPTYINGS: Final = 5
"""So many must have shown the floor before it is believed."""
MOST_EMPTYINGS: Final = 12
PERCENTILE: Final = 0.95
"""What a truck leaves lies on the floor; the deepest of many emptyings is the floor itself (domain.md §2)."""
USUAL: Final = 0.75
OPEN_LID: Final = 1.06
"""A distance so many times the third quartile looked past the bin, and is left out."""
TOLERANCE_SHARE: Final = 0.03
TOLERANCE_MM: Final = 50.0
"""A floor within the larger of both is as it was written down: sound is slower in the cold."""
WRONG: Final = (0.7, 1.5)
"""Between these shares of the written figure it may be wrong; beyond them it was no floor that was seen."""


def levels(ring: bytes) -> tuple[float, ...]:
    """Percent, the oldest first."""
    return tuple(tenths / 10 for tenths in unpack(f">{len(ring) // 2}H", ring))


def held(ring: bytes, votes: int) -> float:
    """The level before a fall: the highest on which so many readings in a row agreed lately; -1 of none.

    Those that lie so far apart that it would be a fall stand for the lowest of them: one stray echo among others does
    not say how full a bin was.
    """
    last = unpack(f">{min(len(ring) // 2, BEFORE)}H", ring[-2 * BEFORE :])
    votes = min(votes, len(last), max(2, len(last) - 1))
    if not votes:
        return -1.0
    apart, most = round(APART_POINTS * 10), 0
    for at in range(len(last) - votes + 1):
        run = last[at : at + votes]
        low, high = min(run), max(run)
        most = max(most, low if high - low >= apart else high)
    return most / 10


def settles(ring: bytes, fill: float, start: float) -> bool:
    """Whether it went down a little with each reading: no one of them took a fair share of the fall."""
    last = (*levels(ring[-2 * BEFORE :]), fill)
    return max(above - below for above, below in pairwise(last)) < LEAST_STEP_SHARE * (start - fill)


def note_noise(noises: bytes, ring: bytes) -> bytes:
    """One more look: the mean square of how far readings stick out among those two before and after, in tenths."""
    last = unpack(f">{len(ring) // 2}H", ring)
    if len(last) < LEAST_LOOK:
        return noises
    most, off = round(MOST_NOISE_POINTS * 10), 0
    for earlier, level, later in zip(last, last[2:], last[4:], strict=False):
        if earlier < level > later:
            out = level - max(earlier, later)
        elif earlier > level < later:
            out = min(earlier, later) - level
        else:
            continue
        off += min(out, most) ** 2
    return (noises + bytes((round(sqrt(off / (len(last) - 4))),)))[-NOISES_KEPT:]


def noise_pct(noises: bytes) -> float:
    """The noise of a site in points, by the last looks; those that are still to come count as calm."""
    return sqrt(sum(each * each for each in noises) / NOISES_KEPT) / 10


def tolerance_mm(floor_mm: float) -> float:
    """By how much less than this an echo may come from beyond a floor and still be the floor's."""
    return max(TOLERANCE_SHARE * floor_mm, TOLERANCE_MM)


def note_floor(seen: bytes, distance_mm: float) -> bytes:
    """The ring with one more distance just after an emptying, in whole mm of two bytes each."""
    return (seen + round(distance_mm).to_bytes(2, "big"))[-2 * MOST_EMPTYINGS :]


def learned_mm(seen: bytes, written_mm: float) -> float:
    """The floor that the ring shows, in mm to the next 10; 0 where it shows none, or the one that was written down."""
    distances = sorted(unpack(f">{len(seen) // 2}H", seen))
    if len(distances) < LEAST_EMPTYINGS:
        return 0.0
    usual = [each for each in distances if each <= OPEN_LID * _at(distances, USUAL)]
    floor_mm = float(_at(usual, PERCENTILE))
    least, most = WRONG
    if abs(floor_mm - written_mm) < tolerance_mm(written_mm) or not least <= floor_mm / written_mm <= most:
        return 0.0
    return round(floor_mm, -1)


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[round(share * (len(ordered) - 1))]
