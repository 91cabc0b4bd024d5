"""What goes wrong by itself in a real county, written as the orders that would make it happen.

How often, how long and how badly stands in two tables, with its source (simulator.md). What comes of an order is told
elsewhere: whatever is drawn here could have stood in the scenario's file.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import exp, log
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple

from firmware_sim.fleet import fleet, gateway_id
from firmware_sim.scenario import MANNERS, Happening, Scenario, ScriptedEvent


class Mishap(NamedTuple):
    """How often something happens in 30 days, for how many hours, and how large it is; without hours at one instant."""

    a_month: float
    hours: tuple[float, float] | None = None
    size: tuple[float, float] | None = None


AT_PLANTS: Final[Mapping[Happening, Mishap]] = MappingProxyType(
    {
        Happening.POWER_CUT: Mishap(0.4, (0.3, 6)),
        Happening.NOT_RESTARTED: Mishap(0.1, (5, 36), (0.3, 4)),  # with the line above 0.5 power cuts a month
        Happening.PLANT_STOP: Mishap(0.15, (3, 48)),
        Happening.METER_DEAD: Mishap(0.025, (24, 240)),
        Happening.METER_FROZEN: Mishap(0.025, (24, 240)),  # with the line above 0.05 stuck meters
        Happening.DEAD_SENSOR: Mishap(0.4, (1, 48)),  # DTU offline
        Happening.PIPE_CUT: Mishap(0.05, (48, 240), (0, 20)),  # low inflow
        Happening.DRY_RUN: Mishap(0.05, (2, 24), (0.2, 0.35)),  # from here on [A]
        Happening.JAM: Mishap(0.05, (1, 12), (1.3, 1.8)),
        Happening.SLOW_BLOCKAGE: Mishap(0.05, (336, 672), (20, 45)),
        Happening.SHORT_CYCLING: Mishap(0.05, (12, 96), (4, 12)),
        Happening.WRONG_UNIT: Mishap(0.03, (72, 480)),
        Happening.SLOW_CLOCK: Mishap(0.05, (72, 480), (5, 60)),
        Happening.RAIN_INFLOW: Mishap(0.5, (6, 48), (1, 3)),
        Happening.REST_DAY: Mishap(0.5, (20, 40), (0, 2)),
        Happening.TOTALISER_RESET: Mishap(0.05),
    }
)
"""By plant."""

OUTAGE: Final = Mishap(1.0, (1, 12))
"""By radio gateway."""

FIRE_HOURS: Final = (0.5, 2.0)
FIRE_C: Final = (110.0, 300.0)
EMBER_HOURS: Final = (3.0, 5.0)
EMBER_C: Final = (56.0, 69.0)
APART_H: Final = 12.0
"""Two things that go wrong with one site do so at least so far apart, so that each can be told from the other."""

LATEST: Final = 0.97
"""Nothing begins in the last hours of a run, where nobody could notice it any more."""


@lru_cache(maxsize=4)
def happenings(scenario: Scenario) -> tuple[ScriptedEvent, ...]:
    """What is ordered, and in a real world what is not."""
    return (*scenario.events, *_drawn(scenario)) if scenario.is_real else scenario.events


def _drawn(scenario: Scenario) -> Iterator[ScriptedEvent]:
    """Each target by a chance of its own; where something is ordered of a target, nothing happens to it by itself."""
    reality, ordered = scenario.reality, {event.target for event in scenario.events}
    fires = {
        Happening.FIRE: Mishap(reality.fires_per_month, FIRE_HOURS, FIRE_C),
        Happening.HOT_ASH: Mishap(reality.embers_per_month, EMBER_HOURS, EMBER_C),
    }
    stands = fleet(scenario)
    rows: list[tuple[str, Mapping[Happening, Mishap]]] = [(site.device, fires) for site in stands.bins]
    rows += [(plant.device, AT_PLANTS) for plant in stands.plants]
    rows += [(gateway_id(grid), {Happening.GATEWAY_OUTAGE: OUTAGE}) for grid in stands.grids]
    for target, mishaps in rows:
        if target not in ordered:
            yield from _of_one(scenario, target, mishaps)


def _of_one(scenario: Scenario, target: str, mishaps: Mapping[Happening, Mishap]) -> Iterator[ScriptedEvent]:
    rng = Random(f"{scenario.seed}/{target}/mishaps")
    often = scenario.hours / 720 * scenario.reality.mishaps
    found = []
    for kind, mishap in mishaps.items():
        at = rng.expovariate(1)
        while at < mishap.a_month * often:
            hours = exp(rng.uniform(*map(log, mishap.hours))) if mishap.hours else MANNERS[kind].hours
            size = rng.uniform(*mishap.size) if mishap.size else None
            found.append((rng.random() * LATEST * scenario.hours, kind, hours, size))
            at += rng.expovariate(1)
    free_from = 0.0
    for begins, kind, hours, size in sorted(found, key=lambda one: one[0]):
        if begins >= free_from:
            yield ScriptedEvent(at=begins, kind=kind, target=target, hours=hours, size=size)
            free_from = begins + (hours or 0.0) + APART_H
