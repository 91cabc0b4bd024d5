"""Every signal set against every fault of a plant: one scenario a fault, in which it befalls every plant once.

Only which plant has which fault when; everything else is as in any scenario of a county without bins.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Final

import yaml

from firmware_sim.scenario import (
    PLANT_FAULTS,
    FleetSize,
    Happening,
    Reality,
    Scenario,
    ScenarioError,
    ScriptedEvent,
    SignalSet,
    WorldKind,
)

START: Final = datetime(2026, 10, 4, 16, tzinfo=UTC)
"""Monday, midnight in Shanghai."""

DAYS: Final = 10
LEARNS_DAYS: Final = 42
LEARNS: Final = frozenset({Happening.PIPE_CUT, Happening.SLOW_BLOCKAGE, Happening.SHORT_CYCLING, Happening.REST_DAY})
"""Faults that are only told from what was usual, for which a rule has to learn first."""

WARM_UP_SHARE: Final = 0.3
LEARNING_SHARE: Final = 0.69
"""Before which share of the run nothing goes wrong: 3 of 10 days, 29 of 42."""

ENDS_BEFORE: Final = 0.25
"""Nothing begins in the last share of the run, so that a rule that takes days can still speak: 2.5 days, or 10."""

LASTS_H: Final[Mapping[Happening, float]] = MappingProxyType(
    {
        # Longer than the slowest rule needs where nothing but a flow meter tells of it.
        Happening.PLANT_STOP: 30.0,
        Happening.NOT_RESTARTED: 32.0,
        Happening.DRY_RUN: 30.0,
        Happening.JAM: 30.0,
        Happening.SLOW_BLOCKAGE: 240.0,  # so that it is a third of its flow before the run ends
        Happening.WRONG_UNIT: 72.0,  # a rule takes a day, and another to be sure that it is over
        Happening.SLOW_CLOCK: 72.0,
    }
)
"""Where a fault's own manner is without an end, or longer than there is time."""


def matrix(
    fault: Happening, seed: int | str, injections: int = 10, days: int | None = None, interval_s: int = 600
) -> Scenario:
    """The fourteen signal sets, ``injections`` plants of each, and the fault once at each plant at a random instant.

    In a real world whose only mishap it is. ``days`` are 10, or 42 for what has to be learned; every ``interval_s``
    seconds a plant says how it is. Raises ``ScenarioError`` for what does not happen to plants.
    """
    if fault not in PLANT_FAULTS:
        raise ScenarioError(f"{fault} is no fault of a plant; those are {', '.join(PLANT_FAULTS)}")
    learns = fault in LEARNS
    hours = 24 * ((LEARNS_DAYS if learns else DAYS) if days is None else days)
    rng = Random(f"{seed}/{fault}/matrix")
    first, last = hours * (LEARNING_SHARE if learns else WARM_UP_SHARE), hours * (1 - ENDS_BEFORE)
    plants = len(SignalSet) * injections
    events = tuple(
        ScriptedEvent(
            at=round(rng.uniform(first, last), 3), kind=fault, target=f"plant-{n + 1:04d}", hours=LASTS_H.get(fault)
        )
        for n in range(plants)
    )
    return Scenario(
        seed=seed,
        world=WorldKind.REAL,
        reality=Reality(mishaps=0),
        start=START,
        hours=hours,
        fleet=FleetSize(villages=60, bins=0, plants=plants, plant_interval_s=interval_s, signal_sets=tuple(SignalSet)),
        events=events,
    )


def written(scenario: Scenario) -> str:
    """A scenario as its file, without what is left open."""
    return yaml.safe_dump(scenario.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False)
