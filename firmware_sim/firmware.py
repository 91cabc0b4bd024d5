"""What a device does: it wakes at its interval, looks at the world with an imperfect sensor, and counts its samples.

How a sample travels is ``radio``; nothing is encoded here, and a device knows nothing of the plan it is part of.
"""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from firmware_sim.diary import BinDiary, Lie, LieKind, PlantDiary
from firmware_sim.fleet import BinSite, Geometry, PlantSite
from firmware_sim.lies import TRUTHFUL, Plan
from firmware_sim.logger import PlantLogger
from firmware_sim.physics import Air, Plant, SettlingWaste, Waste, heat_c, now_in, surface_mm
from firmware_sim.real_sensor import RealBinSensor
from firmware_sim.scenario import DAY_MS, Happening, Scenario
from firmware_sim.sensor import BinSensor
from firmware_sim.story import FOREVER, MINUTE_MS, Span, Story
from telemetry.reading import Millis, Values

FIRE_ALARM_MS: Final = 5 * MINUTE_MS
"""So long after a fire breaks out the device reports it out of turn."""

WRONG_POINTS: Final = 8.0
"""From how many points of fill a sensor is wrong and no longer just noisy."""

BEYOND_MS: Final = 7 * DAY_MS
LAST_GASP_MS: Final = 2_000
POWER_ON_MS: Final = 20_000
JITTER_MS: Final = 4_000


class Measured(NamedTuple):
    """One sample at the true instant at which it was taken; ``up_s`` is the device's uptime."""

    at_ms: Millis
    boot: int
    seq: int
    up_s: int
    values: Values


class _Waking(NamedTuple):
    at_ms: Millis
    boot: int
    seq: int
    up_s: int


def _wakings(
    scenario: Scenario, interval_s: int, story: Story, rng: Random, gaps: tuple[Span, ...] = ()
) -> Iterator[_Waking]:
    """When a device takes a sample, in time order: at its interval, and out of turn on fire and around a power cut."""
    start_ms, end_ms, interval_ms = scenario.start_ms, scenario.end_ms, interval_s * 1000
    cuts = story.of(Happening.POWER_CUT)
    silent = sorted(
        (
            *gaps,
            *story.of(Happening.DEAD_SENSOR),
            *(Span(cut.start_ms + LAST_GASP_MS + 1, cut.end_ms, 0) for cut in cuts),
        )
    )
    boots = deque(sorted([span.start_ms for span in story.of(Happening.REBOOT)] + [cut.end_ms for cut in cuts]))
    urgent = deque(
        sorted(
            [fire.start_ms + FIRE_ALARM_MS for fire in story.of(Happening.FIRE)]
            + [cut.start_ms + LAST_GASP_MS for cut in cuts]
            + [cut.end_ms + POWER_ON_MS for cut in cuts]
        )
    )
    boot = 1 + int(rng.random() * 5)
    booted_ms = start_ms - int(rng.random() * scenario.fleet.installed_days_ago * DAY_MS)
    seq = (start_ms - booted_ms) // interval_ms
    regular_ms = start_ms + int(rng.random() * interval_ms)
    while True:
        at_ms = urgent.popleft() if urgent and urgent[0] < regular_ms else regular_ms
        if at_ms >= end_ms:
            return
        if at_ms == regular_ms:
            regular_ms += interval_ms + int((rng.random() - 0.5) * JITTER_MS)
        while boots and boots[0] <= at_ms:
            boot, seq, booted_ms = boot + 1, 0, boots.popleft()
        quiet = now_in(silent, at_ms) if silent else None
        if quiet is None:
            yield _Waking(at_ms, boot, seq, (at_ms - booted_ms) // 1000)
            seq += 1
        elif quiet.end_ms >= FOREVER:
            return


def bin_samples(
    scenario: Scenario, site: BinSite, story: Story, rng: Random, plan: Plan = TRUTHFUL, diary: BinDiary | None = None
) -> Iterator[Measured]:
    """Everything a bin's sensor measures in a run, in time order. A device never installed measures nothing.

    In a real world the sensor lies by its ``plan``, and what happens in the bin comes of a chance of its own. Into a
    ``diary`` the bin's life is written down, through the silence of its device too and for a week beyond the run,
    which is as far as anybody asks when it would have been full.
    """
    chance = Random(f"{scenario.seed}/{site.device}/waste") if scenario.is_real else rng
    heap = SettlingWaste if scenario.is_real else Waste
    waste = heap(site, story, scenario.start_ms, chance, scenario.crowd, diary)
    if not story.of(Happening.NEVER_INSTALLED):
        yield from _sensed(scenario, site, story, waste, plan, rng, diary)
    if diary is not None:
        waste.advance(scenario.end_ms + BEYOND_MS)


def _sensed(
    scenario: Scenario, site: BinSite, story: Story, waste: Waste, plan: Plan, rng: Random, diary: BinDiary | None
) -> Iterator[Measured]:
    air = Air(scenario.weather)
    if scenario.is_real:
        seen = Random(f"{scenario.seed}/{site.device}/sensor")
        sensor: BinSensor = RealBinSensor(scenario, site, story, plan, seen)
    else:
        sensor = BinSensor(scenario, site, story, rng)
    if diary is not None:
        diary.lies = sensor.lies
    hot = bool(story.of(Happening.HOT_ASH) or story.of(Happening.FIRE))
    for at_ms, boot, seq, up_s in _wakings(scenario, site.interval_s, story, rng, plan.get(LieKind.GAP, ())):
        waste.advance(at_ms)
        air_c = air.at(at_ms)
        heat = heat_c(story, at_ms, air_c) if hot else 0.0
        true_mm = surface_mm(site.geometry, waste.pct)
        values = sensor.look(at_ms, true_mm, air_c, heat)
        if diary is not None and sensor.lies:
            _convict(sensor.lies, at_ms, sensor.told, _said_pct(site.geometry, values.distance_mm) - waste.pct)
            claimed = site.geometry._replace(empty_mm=site.claimed_mm)
            _convict(sensor.lies, at_ms, LieKind.FLOOR, _said_pct(claimed, true_mm) - waste.pct)
        yield Measured(at_ms, boot, seq, up_s, values)


def _said_pct(geometry: Geometry, distance_mm: float | None) -> float:
    """How full a bin of that geometry would be if that distance were so, in %."""
    return 100 * (geometry.empty_mm - (distance_mm or 0)) / (geometry.empty_mm - geometry.full_mm)


def _convict(lies: list[Lie], at_ms: Millis, told: LieKind | None, off_points: float) -> None:
    """Write down the first sample of a lie that is too far from the truth."""
    if told is not None and abs(off_points) > WRONG_POINTS:
        for lie in lies:
            if lie.kind is told and lie.wrong_ms is None and lie.start_ms <= at_ms < lie.end_ms:
                lie.wrong_ms = at_ms


def plant_samples(
    scenario: Scenario, site: PlantSite, story: Story, rng: Random, diary: PlantDiary | None = None
) -> Iterator[Measured]:
    """Everything a plant's logger measures in a run, in time order, of what it is wired to.

    Into a ``diary`` the plant's life is written down to the end of the run, whoever has fallen silent.
    """
    plant = Plant(site, story, scenario.start_ms, rng, scenario.crowd, diary)
    if not story.of(Happening.NEVER_INSTALLED):
        logger = PlantLogger(scenario, site, story, rng)
        for at_ms, boot, seq, up_s in _wakings(scenario, site.interval_s, story, rng):
            yield Measured(at_ms, boot, seq, up_s, logger.look(at_ms, plant.advance(at_ms)))
    if diary is not None:
        plant.advance(scenario.end_ms)
