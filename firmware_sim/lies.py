"""What a bin's sensor will say that is not so, planned before anything is measured: which lie, from when until when.

How often and how long stands in one table, with its source; how each sounds is ``real_sensor``'s. The plan is a
site's own, of a chance of its own, so that it changes nothing of what really happens there.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import exp, log
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from firmware_sim.diary import LieKind
from firmware_sim.fleet import BinSite
from firmware_sim.scenario import DAY_MS, HOUR_MS, LOCAL_OFFSET_MS, Scenario
from firmware_sim.story import FOREVER, MINUTE_MS, Span, Story, TruckVisit
from telemetry.reading import Millis


class Odds(NamedTuple):
    """How often something happens to a bin in 30 days, how many hours it lasts, and how large it is."""

    a_month: float
    hours: tuple[float, float]
    size: tuple[float, float]
    by_day: bool = False


PASSING: Final[Mapping[LieKind, Odds]] = MappingProxyType(
    {
        LieKind.PLATEAU: Odds(3.0, (4, 15), (120, 330)),  # mm; four real bins: 4-15 h, three times a bin and month
        LieKind.GAP: Odds(0.7, (16, 34), (0, 0)),  # four real bins: gaps of a day
        LieKind.LOST: Odds(1.0, (2, 12), (0.5, 0.95)),  # share of frames [A]
        LieKind.LID: Odds(4.0, (0.2, 6), (0, 1), by_day=True),  # which sort of open lid [A]
        LieKind.BAG: Odds(9.0, (0.15, 1.5), (0.1, 0.75), by_day=True),  # how far down it hangs [A]
        LieKind.BOX: Odds(0.7, (3, 14), (190, 430), by_day=True),  # mm [A]
        LieKind.RESET: Odds(0.5, (0, 0), (0, 3)),  # which of its three values [A]
    }
)
"""What comes and goes by itself. Hours are drawn evenly over their logarithm: short ones are the rule."""

LASTING: Final[Mapping[LieKind, tuple[float, float]]] = MappingProxyType(
    {
        LieKind.STUCK: (0, 3),  # mm by which a frozen echo still trembles
        LieKind.COVERED: (90, 240),  # mm
        LieKind.MOVED: (0.12, 0.30),  # of its height, either way
        LieKind.FOULED: (8, 20),  # points a week
    }
)
"""What needs somebody with tools, and how large it is."""

LYING_FROM: Final = (0.05, 0.7)
"""When in the run a sensor begins to lie, as shares of it."""

REPAIRED: Final = 0.3
REPAIRED_AFTER_DAYS: Final = (4.0, 14.0)
CLEARS_BOXES_PCT: Final = 70.0
"""Who takes so much takes the carton too."""

DAYLIGHT_MS: Final = (6 * HOUR_MS, 20 * HOUR_MS)
SUNNY_MS: Final = (9 * HOUR_MS, 17 * HOUR_MS)
SUNNY_DAYS: Final = 0.6

Plan: TypeAlias = Mapping[LieKind, tuple[Span, ...]]
TRUTHFUL: Final[Plan] = MappingProxyType({})
"""The plan of a sensor in a plain world."""


def plan_lies(scenario: Scenario, site: BinSite, story: Story) -> Plan:
    """Every lie of a bin's sensor in a real world, each kind in time order; facets and figures lie all the time."""
    rng = Random(f"{scenario.seed}/{site.device}/lies")
    months = (scenario.end_ms - scenario.start_ms) / (30 * DAY_MS) * scenario.reality.mishaps
    found: dict[LieKind, tuple[Span, ...]] = {}
    for kind, odds in PASSING.items():
        spans = _apart(_pass(scenario, odds, months, rng))
        if kind is LieKind.BOX:
            spans = (_cleared(span, story.visits) for span in spans)
        found[kind] = tuple(spans)
    if rng.random() < scenario.reality.lying:
        kind = rng.choice(tuple(LASTING))
        found[kind] = (_last(scenario, kind, rng),)
    always = Span(scenario.start_ms, FOREVER, 0)
    found[LieKind.FACETS] = (always,)
    if site.claimed_mm != site.geometry.empty_mm:
        found[LieKind.FLOOR] = (always,)
    return {kind: spans for kind, spans in found.items() if spans}


def _pass(scenario: Scenario, odds: Odds, months: float, rng: Random) -> Iterator[Span]:
    """Spells at random instants, by day where people make them."""
    length = scenario.end_ms - scenario.start_ms
    for _ in range(_poisson(odds.a_month * months, rng)):
        at = scenario.start_ms + int(length * rng.random())
        if odds.by_day:
            day = (at + LOCAL_OFFSET_MS) // DAY_MS * DAY_MS - LOCAL_OFFSET_MS
            at = max(scenario.start_ms, day + int(rng.uniform(*DAYLIGHT_MS)))
        low, high = odds.hours
        hours = exp(rng.uniform(log(low), log(high))) if low else 0.0
        yield Span(at, at + round(hours * HOUR_MS), rng.uniform(*odds.size))


def _poisson(mean: float, rng: Random) -> int:
    count, left = 0, rng.expovariate(1)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1)
    return count


def _apart(spans: Iterator[Span]) -> Iterator[Span]:
    """In time order, without those that begin before the one before is over."""
    over = -1
    for span in sorted(spans):
        if span.start_ms > over:
            yield span
            over = span.end_ms


def _cleared(box: Span, visits: tuple[TruckVisit, ...]) -> Span:
    """A carton goes with the next emptying."""
    taken = (visit.at_ms for visit in visits if visit.at_ms > box.start_ms and visit.takes_pct > CLEARS_BOXES_PCT)
    return box._replace(end_ms=min(box.end_ms, min(taken, default=FOREVER)))


def _last(scenario: Scenario, kind: LieKind, rng: Random) -> Span:
    length = scenario.end_ms - scenario.start_ms
    at = scenario.start_ms + int(length * rng.uniform(*LYING_FROM))
    size = rng.uniform(*LASTING[kind])
    if kind is LieKind.MOVED and rng.random() < 0.5:  # noqa: PLR2004 - nearer as often as farther
        size = -size
    repaired = rng.random() < REPAIRED
    days = rng.uniform(*REPAIRED_AFTER_DAYS)
    return Span(at, at + round(days * DAY_MS) if repaired else FOREVER, size)


@lru_cache(maxsize=512)
def sunshine(seed: int | str, village: str, start_ms: Millis, end_ms: Millis) -> tuple[Span, ...]:
    """When the sun is out over a village, and so over each of its bins, between clouds; ``size`` is how bright."""
    rng = Random(f"{seed}/{village}/sun")
    spans = []
    midnight = (start_ms + LOCAL_OFFSET_MS) // DAY_MS * DAY_MS - LOCAL_OFFSET_MS
    while midnight < end_ms:
        fine = rng.random() < SUNNY_DAYS
        at, sets = midnight + SUNNY_MS[0], midnight + SUNNY_MS[1]
        at += int(rng.random() * 3 * HOUR_MS)
        while at < sets:
            out = at + int(rng.expovariate(1 / (100 * MINUTE_MS)))
            if fine:
                spans.append(Span(at, min(out, sets), rng.uniform(0.6, 1.0)))
            at = out + int(rng.expovariate(1 / (35 * MINUTE_MS)))
        midnight += DAY_MS
    return tuple(spans)
