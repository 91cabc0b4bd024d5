"""What a device does: it wakes at its interval, looks at the world with an imperfect sensor, and counts its samples.

How a sample travels is ``radio``; nothing is encoded here, and a device knows nothing of the plan it is part of.
"""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from firmware_sim.diary import BinDiary, Lie, LieKind, PlantDiary
from firmware_sim.fleet import BinSite, Geometry, PlantSite
from firmware_sim.physics import Air, Plant, Waste, heat_c, now_in, surface_mm
from firmware_sim.scenario import DAY_MS, Happening, Scenario
from firmware_sim.story import FOREVER, MINUTE_MS, Span, Story
from telemetry.reading import Millis, Values

NOISE_MM: Final = 3.0
NOISE_SHARE: Final = 0.007
OUTLIERS: Final = 0.02
"""Share of samples spoilt by a bag, an open lid or a lost echo; never two in a row."""

NO_ECHO_MM: Final = (8190, 65535, 0)
UNCORRECTED: Final = 0.3
"""Share of sensors that take sound to be as fast as at 20 °C."""

SOUND_PER_C: Final = 0.0018
TILT_FLAG_DEG: Final = 30.0
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


def _wakings(scenario: Scenario, interval_s: int, story: Story, rng: Random) -> Iterator[_Waking]:
    """When a device takes a sample, in time order: at its interval, and out of turn on fire and around a power cut."""
    start_ms, end_ms, interval_ms = scenario.start_ms, scenario.end_ms, interval_s * 1000
    cuts = story.of(Happening.POWER_CUT)
    silent = sorted(
        (*story.of(Happening.DEAD_SENSOR), *(Span(cut.start_ms + LAST_GASP_MS + 1, cut.end_ms, 0) for cut in cuts))
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
    scenario: Scenario, site: BinSite, story: Story, rng: Random, diary: BinDiary | None = None
) -> Iterator[Measured]:
    """Everything a bin's sensor measures in a run, in time order. A device never installed measures nothing.

    Into a ``diary`` the bin's life is written down, through the silence of its device too and for a week beyond the
    run, which is as far as anybody asks when it would have been full.
    """
    air, waste = Air(scenario.weather), Waste(site, story, scenario.start_ms, rng, scenario.crowd, diary)
    if not story.of(Happening.NEVER_INSTALLED):
        sensor = _BinSensor(scenario, site, story, rng)
        hot = bool(story.of(Happening.HOT_ASH) or story.of(Happening.FIRE))
        if diary is not None:
            diary.lies += [Lie(LieKind.STUCK, span.start_ms, span.end_ms) for span in story.of(Happening.STUCK)]
        for at_ms, boot, seq, up_s in _wakings(scenario, site.interval_s, story, rng):
            waste.advance(at_ms)
            air_c = air.at(at_ms)
            heat = heat_c(story, at_ms, air_c) if hot else 0.0
            true_mm = surface_mm(site.geometry, waste.pct)
            values = sensor.look(at_ms, true_mm, air_c, heat)
            if diary is not None and diary.lies:
                convict(diary.lies, at_ms, said_pct(site.geometry, values.distance_mm) - waste.pct)
            yield Measured(at_ms, boot, seq, up_s, values)
    if diary is not None:
        waste.advance(scenario.end_ms + BEYOND_MS)


def said_pct(geometry: Geometry, distance_mm: float | None) -> float:
    """How full a bin of that geometry would be if that distance were so, in %."""
    return 100 * (geometry.empty_mm - (distance_mm or 0)) / (geometry.empty_mm - geometry.full_mm)


def convict(lies: list[Lie], at_ms: Millis, off_points: float) -> None:
    """Write down the first sample of each lie that runs at which it is too far from the truth."""
    if abs(off_points) > WRONG_POINTS:
        for lie in lies:
            if lie.wrong_ms is None and lie.start_ms <= at_ms < lie.end_ms:
                lie.wrong_ms = at_ms


class _BinSensor:
    """An ultrasonic sensor under a lid, with its noise, its blunders and its battery."""

    def __init__(self, scenario: Scenario, site: BinSite, story: Story, rng: Random) -> None:
        self._rng = rng
        self._site = site
        self._start_ms = scenario.start_ms
        self._sound = SOUND_PER_C if rng.random() < UNCORRECTED else 0.0
        self._tilt_deg = int(rng.random() * 4)
        self._drain_a_day = rng.uniform(0.06, 0.1)
        self._battery = 100 - rng.random() * 4 - self._drain_a_day * scenario.fleet.installed_days_ago
        self._blundered = False
        self._frozen_mm: int | None = None
        self._stuck = story.of(Happening.STUCK)
        self._tilted = story.of(Happening.TILTED)
        self._low = story.of(Happening.BATTERY_LOW)

    def look(self, at_ms: Millis, true_mm: float, air_c: float, heat: float) -> Values:
        """One sample; mm, °C, and tilt in degrees or as a flag, as the device has it."""
        tilt_deg: float = self._tilt_deg
        tilted = now_in(self._tilted, at_ms) if self._tilted else None
        distance_mm = self._distance_mm(true_mm, air_c)
        if tilted is not None:
            tilt_deg = tilted.size
            distance_mm = int(300 + self._rng.random() * 1_500)
        if self._stuck and now_in(self._stuck, at_ms) is not None:
            self._frozen_mm = distance_mm if self._frozen_mm is None else self._frozen_mm
            distance_mm = self._frozen_mm
        low = now_in(self._low, at_ms) if self._low else None
        battery = self._battery - self._drain_a_day * (at_ms - self._start_ms) / DAY_MS if low is None else low.size
        temperature_c = round(air_c + heat + (self._rng.random() - 0.5) * 0.6, 1)
        battery_pct = max(0, round(battery))
        if self._site.native:
            return Values(
                distance_mm=distance_mm, temperature_c=temperature_c, tilt_deg=tilt_deg, battery_pct=battery_pct
            )
        return Values(
            distance_mm=distance_mm,
            temperature_c=temperature_c,
            tilt_flag=1.0 if tilt_deg >= TILT_FLAG_DEG else 0.0,
            battery_pct=battery_pct,
        )

    def _distance_mm(self, true_mm: float, air_c: float) -> int:
        rng = self._rng
        self._blundered = not self._blundered and rng.random() < OUTLIERS
        if self._blundered:
            nearer = int(self._site.geometry.blind_mm + (true_mm - self._site.geometry.blind_mm) * rng.random())
            return rng.choice((*NO_ECHO_MM, nearer, nearer, nearer))
        heard_mm = true_mm * (1 + self._sound * (20 - air_c))
        return max(1, round(heard_mm + rng.gauss(0, max(NOISE_MM, NOISE_SHARE * true_mm))))


def plant_samples(
    scenario: Scenario, site: PlantSite, story: Story, rng: Random, diary: PlantDiary | None = None
) -> Iterator[Measured]:
    """Everything a plant's logger measures in a run, in time order; a plant with a flow meter alone tells only that.

    Into a ``diary`` the plant's life is written down to the end of the run, whoever has fallen silent.
    """
    plant = Plant(site, story, scenario.start_ms, rng, scenario.crowd, diary)
    if not story.of(Happening.NEVER_INSTALLED):
        yield from _logged(scenario, site, story, plant, rng)
    if diary is not None:
        plant.advance(scenario.end_ms)


def _logged(scenario: Scenario, site: PlantSite, story: Story, plant: Plant, rng: Random) -> Iterator[Measured]:
    cuts = story.of(Happening.POWER_CUT)
    running_a = site.rated_current_a * rng.uniform(0.82, 0.94)
    for at_ms, boot, seq, up_s in _wakings(scenario, site.interval_s, story, rng):
        well = plant.advance(at_ms)
        flow = round(well.flow_m3h * rng.uniform(0.97, 1.03), 2)
        volume = round(well.volume_m3, 2)
        if site.meter_only:
            values = Values(flow_m3h=flow, volume_m3=volume)
        else:
            current = running_a * rng.uniform(0.98, 1.02) if well.pumping else rng.random() * 0.04
            values = Values(
                level_mm=max(0, round(well.level_mm + rng.gauss(0, NOISE_MM))),
                flow_m3h=flow,
                volume_m3=volume,
                pump_current_a=round(current, 2),
                mains_on=0.0 if cuts and now_in(cuts, at_ms) is not None else 1.0,
            )
        yield Measured(at_ms, boot, seq, up_s, values)
