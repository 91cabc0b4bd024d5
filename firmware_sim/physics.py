"""The world before it is measured: how households fill a bin, what the air does, how well and pump take turns.

Time is an argument and chance a generator that is handed in; nothing here knows a device, a frame or a scenario file.
"""

from collections.abc import Sequence
from math import cos, log, pi, sin, sqrt
from random import Random
from typing import Final, NamedTuple

from firmware_sim.diary import BinDiary, PlantDiary, PumpState
from firmware_sim.fleet import BinSite, Geometry, PlantSite
from firmware_sim.scenario import DAY_MS, HOUR_MS, LOCAL_OFFSET_MS, Crowd, Happening, Weather
from firmware_sim.story import FOREVER, Span, Story
from telemetry.reading import Millis

WASTE_CURVE: Final = (1, 1, 0.5, 0.5, 1, 3, 10, 11, 9, 4, 3, 4, 5, 4, 3, 3, 4, 8, 9, 8, 4, 2, 1.5, 1)
"""What comes in each hour of the local day, any unit: peaks 06–09 and 17–20, little at night."""

INFLOW_CURVE: Final = (2, 1.5, 1.3, 1.3, 1.5, 3, 6, 8, 7, 5, 4, 5, 7, 6, 4, 3.5, 4, 5, 7, 8, 7, 5, 3.5, 2.5)
"""The same for sewage: morning, noon and evening, peak to valley about 6."""

DAY_TO_DAY_CV: Final = 0.45
INFLOW_CV: Final = 0.15
BRIM_PCT: Final = 108.0
"""More than this does not stay on a bin."""

WELL_BRIM_MM: Final = 2_500.0
USUAL: Final = Crowd()


def _of_a_day(curve: Sequence[float]) -> tuple[float, ...]:
    total = sum(curve)
    return tuple(24 * weight / total for weight in curve)


_WASTE: Final = _of_a_day(WASTE_CURVE)
_INFLOW: Final = _of_a_day(INFLOW_CURVE)


def lognormal_day(cv: float, rng: Random) -> float:
    """How much of a day this day is: mean 1, coefficient of variation ``cv``."""
    variance = log(1 + cv * cv)
    return rng.lognormvariate(-variance / 2, sqrt(variance))


def now_in(spans: Sequence[Span], at_ms: Millis) -> Span | None:
    """The span that runs at ``at_ms``, the earliest begun first; most sites have none."""
    for span in spans:
        if span.start_ms <= at_ms < span.end_ms:
            return span
    return None


class Air:
    """Air temperature over a county: the season, the day, and fronts that pass every few days."""

    __slots__ = ("_amplitude", "_mean", "_swing")

    def __init__(self, weather: Weather) -> None:
        self._mean = (weather.winter_c + weather.summer_c) / 2
        self._amplitude = (weather.summer_c - weather.winter_c) / 2
        self._swing = weather.swing_c

    def at(self, at_ms: Millis) -> float:
        """Degrees Celsius at an instant: coldest in mid-January and before dawn, warmest in July and at 15:00."""
        days = (at_ms + LOCAL_OFFSET_MS) / DAY_MS
        season = -self._amplitude * cos(2 * pi * (days - 15) / 365.25)
        return self._mean + season + self._swing * cos(2 * pi * (days - 0.625)) + 2.0 * sin(2 * pi * days / 5.3)


class Waste:
    """A bin's content in % of its full line, moved on in steps of at most an hour."""

    __slots__ = ("_crowd", "_day", "_diary", "_factor", "_fills", "_rate", "_rng", "_visits", "at_ms", "pct")

    def __init__(
        self,
        site: BinSite,
        story: Story,
        start_ms: Millis,
        rng: Random,
        crowd: Crowd = USUAL,
        diary: BinDiary | None = None,
    ) -> None:
        self.pct = site.fill_pct
        self.at_ms = start_ms
        self._rate = site.per_day_pct / DAY_MS
        self._visits = list(reversed(story.visits))
        self._fills = story.of(Happening.FAST_FILL)
        self._crowd = crowd
        self._rng = rng
        self._day = -1
        self._factor = 1.0
        self._diary = diary
        if diary is not None:
            diary.note(start_ms, self.pct, 0.0)

    def advance(self, to_ms: Millis) -> None:
        """Move on to an instant: households bring, visits take in between."""
        visits = self._visits
        while visits and visits[-1].at_ms <= to_ms:
            visit = visits.pop()
            self._fill(visit.at_ms)
            found_pct = self.pct
            self.pct *= 1 - visit.takes_pct / 100
            if self._diary is not None and visit.takes_pct:
                self._diary.note_visit(visit.at_ms, found_pct, self.pct)
        self._fill(to_ms)

    def _fill(self, to_ms: Millis) -> None:
        while self.at_ms < to_ms:
            step_to = min(to_ms, self.at_ms + HOUR_MS)
            for fast in self._fills:
                if self.at_ms < fast.start_ms < step_to:
                    step_to = fast.start_ms
            day, in_day = divmod(self.at_ms + LOCAL_OFFSET_MS, DAY_MS)
            if day != self._day:
                self._day = day
                self._factor = lognormal_day(DAY_TO_DAY_CV, self._rng)
                self._factor *= self._crowd.waste_on(self.at_ms + LOCAL_OFFSET_MS)
            # Bags come one by one: a step brings between half and one and a half of what it brings on average.
            lumps = 0.5 + self._rng.random()
            brought = self._rate * self._factor * _WASTE[in_day // HOUR_MS] * lumps * (step_to - self.at_ms)
            crowd = now_in(self._fills, self.at_ms) if self._fills else None
            if crowd is not None and self.pct < crowd.size:
                brought = (crowd.size - self.pct) * min(1.0, (step_to - self.at_ms) / (crowd.end_ms - self.at_ms))
            self.pct = min(self.pct + brought, BRIM_PCT)
            self.at_ms = step_to
            if self._diary is not None:
                self._diary.note(step_to, self.pct, brought)


def surface_mm(geometry: Geometry, fill_pct: float) -> float:
    """How far below the sensor the surface is, in mm; it never reaches the sensor."""
    return max(20.0, geometry.empty_mm - fill_pct / 100 * (geometry.empty_mm - geometry.full_mm))


def heat_c(story: Story, at_ms: Millis, air_c: float) -> float:
    """What ash or fire in a bin adds to the air's temperature at its sensor.

    Ash is hottest the moment it is poured in and cools from then on; fire takes minutes to reach its full heat.
    """
    ash = now_in(story.of(Happening.HOT_ASH), at_ms)
    fire = now_in(story.of(Happening.FIRE), at_ms)
    heat = 0.0
    if ash is not None:
        heat = (ash.size - air_c) * 2 ** (-(at_ms - ash.start_ms) / HOUR_MS)
    if fire is not None:
        burning = (at_ms - fire.start_ms) / (fire.end_ms - fire.start_ms)
        heat = max(heat, (fire.size - air_c) * min(1.0, 8 * burning) * min(1.0, 4 * (1 - burning)))
    return heat


class Well(NamedTuple):
    """What a plant shows at an instant: level in mm, flow in m³/h, total in m³."""

    level_mm: float
    pumping: bool
    flow_m3h: float
    volume_m3: float


class Plant:
    """A wet well between its two float levels, its pump and its totaliser, moved from one event to the next."""

    __slots__ = (
        "_cannot_pump",
        "_cuts",
        "_day",
        "_diary",
        "_factor",
        "_inflow",
        "_rng",
        "_site",
        "at_ms",
        "level_mm",
        "pumping",
        "volume_m3",
    )

    def __init__(
        self,
        site: PlantSite,
        story: Story,
        start_ms: Millis,
        rng: Random,
        crowd: Crowd = USUAL,
        diary: PlantDiary | None = None,
    ) -> None:
        self._site = site
        self._diary = diary
        self._cuts = story.of(Happening.POWER_CUT)
        self._cannot_pump = sorted((*story.of(Happening.PLANT_STOP), *story.of(Happening.POWER_CUT)))
        self._inflow = site.design_m3d * site.load * crowd.inflow / 24
        self._rng = rng
        self._day = -1
        self._factor = 1.0
        self.at_ms = start_ms
        self.level_mm = rng.uniform(site.stop_level_mm, site.start_level_mm)
        self.pumping = False
        self.volume_m3 = rng.uniform(500, 40_000)

    def advance(self, to_ms: Millis) -> Well:
        """Move on to an instant and look."""
        while self.at_ms < to_ms:
            self._step(to_ms)
        if now_in(self._cannot_pump, to_ms) is not None:
            self.pumping = False
        return Well(self.level_mm, self.pumping, self._site.pump_m3h if self.pumping else 0.0, self.volume_m3)

    def _step(self, to_ms: Millis) -> None:
        """One stretch in which nothing changes: to the hour's end, a switch of the pump, or a fault's edge."""
        site = self._site
        day, in_day = divmod(self.at_ms + LOCAL_OFFSET_MS, DAY_MS)
        if day != self._day:
            self._day = day
            self._factor = lognormal_day(INFLOW_CV, self._rng)
        inflow = self._inflow * self._factor * _INFLOW[in_day // HOUR_MS]
        until = min(to_ms, self.at_ms + HOUR_MS - in_day % HOUR_MS, self._next_edge())
        if now_in(self._cannot_pump, self.at_ms) is not None:
            self.pumping = False
        elif self.level_mm >= site.start_level_mm:
            self.pumping = True
        elif self.level_mm <= site.stop_level_mm:
            self.pumping = False
        if self._diary is not None:
            flow = site.pump_m3h if self.pumping else 0.0
            self._diary.note(self.at_ms, self.level_mm, flow, self._state())
        rise_mm_ms = (inflow - (site.pump_m3h if self.pumping else 0.0)) / site.well_m2 * 1000 / HOUR_MS
        target = site.stop_level_mm if self.pumping else site.start_level_mm
        if (target - self.level_mm) * rise_mm_ms > 0:
            until = min(until, self.at_ms + 1 + int((target - self.level_mm) / rise_mm_ms))
        passed = until - self.at_ms
        self.level_mm = min(self.level_mm + rise_mm_ms * passed, WELL_BRIM_MM)
        if self.pumping:
            self.volume_m3 += site.pump_m3h * passed / HOUR_MS
        self.at_ms = until

    def _state(self) -> PumpState:
        if now_in(self._cuts, self.at_ms) is not None:
            return PumpState.NO_POWER
        if now_in(self._cannot_pump, self.at_ms) is not None:
            return PumpState.STOPPED
        return PumpState.RUNNING if self.pumping else PumpState.IDLE

    def _next_edge(self) -> Millis:
        edges = (edge for span in self._cannot_pump for edge in (span.start_ms, span.end_ms) if edge > self.at_ms)
        return min(edges, default=FOREVER)
