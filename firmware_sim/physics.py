"""The world before it is measured: how households fill a bin, what the air does, how well and pump take turns.

Time is an argument and chance a generator that is handed in; nothing here knows a device, a frame or a scenario file.
"""

from bisect import bisect_right
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

HEAP_PCT: Final = 115.0
"""More than this does not stay on a heap in the field, where people pile up what no longer goes in [A]."""

LOADS_SHARE: Final = 0.25
"""What part of the waste comes in big loads: a house is cleared, a stall packs up [A]."""

LOAD_PCT: Final = 12.0
SETTLES_BY: Final = (0.15, 0.5)
SETTLES_IN_MS: Final = 2 * HOUR_MS
"""A big load's mean, what share of it sinks away again and in what time half of that does [A]."""

WELL_BRIM_MM: Final = 2_500.0
USUAL_LOAD: Final = 0.88
"""A pump's usual current in times its rated one; a plant's own is near it."""

CLOGGED_LOAD: Final = 0.3
"""What share of its load a pump loses with all of its flow: water that stands still weighs nothing [A]."""

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

    __slots__ = (
        "_brim_pct",
        "_crowd",
        "_day",
        "_diary",
        "_factor",
        "_fills",
        "_rate",
        "_rng",
        "_visits",
        "at_ms",
        "pct",
    )

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
        self._brim_pct = BRIM_PCT
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
            self._take(visit.takes_pct / 100)
            if self._diary is not None and visit.takes_pct:
                self._diary.note_visit(visit.at_ms, found_pct, self.pct)
        self._fill(to_ms)

    def _take(self, share: float) -> None:
        self.pct *= 1 - share

    def _bring(self, passed_ms: Millis, busy: float) -> float:
        """What a step brings, in %; ``busy`` is how many times a mean hour's waste this hour has.

        Bags come one by one: a step brings between half and one and a half of what it brings on average.
        """
        lumps = 0.5 + self._rng.random()
        return self._rate * self._factor * busy * lumps * passed_ms

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
            brought = self._bring(step_to - self.at_ms, _WASTE[in_day // HOUR_MS])
            crowd = now_in(self._fills, self.at_ms) if self._fills else None
            if crowd is not None and self.pct < crowd.size:
                brought = (crowd.size - self.pct) * min(1.0, (step_to - self.at_ms) / (crowd.end_ms - self.at_ms))
            self.pct = min(self.pct + brought, self._brim_pct)
            self.at_ms = step_to
            if self._diary is not None:
                self._diary.note(step_to, self.pct, brought)


class SettlingWaste(Waste):
    """A bin as it is in the field: a part of its waste comes in big loads, which sink by themselves for some hours."""

    __slots__ = ("_a_load_ms", "_loose_pct")

    def __init__(
        self,
        site: BinSite,
        story: Story,
        start_ms: Millis,
        rng: Random,
        crowd: Crowd = USUAL,
        diary: BinDiary | None = None,
    ) -> None:
        super().__init__(site, story, start_ms, rng, crowd, diary)
        self._brim_pct = HEAP_PCT
        self._a_load_ms = self._rate * LOADS_SHARE / LOAD_PCT
        self._loose_pct = 0.0

    def _take(self, share: float) -> None:
        super()._take(share)
        self._loose_pct *= 1 - share

    def _bring(self, passed_ms: Millis, busy: float) -> float:
        rng = self._rng
        brought = super()._bring(passed_ms, busy) * (1 - LOADS_SHARE)
        sunk = self._loose_pct * (1 - 2 ** (-passed_ms / SETTLES_IN_MS))
        self._loose_pct -= sunk
        if rng.random() < self._a_load_ms * self._factor * passed_ms * busy:
            load = rng.gammavariate(2.0, LOAD_PCT / 2)
            self._loose_pct += load * rng.uniform(*SETTLES_BY)
            brought += load
        return brought - sunk


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
    """What is so at a plant: level in mm, flow in m³/h, total in m³, the motor's load in times its usual one."""

    level_mm: float
    pumping: bool
    flow_m3h: float
    volume_m3: float
    load: float


class Plant:
    """A wet well between its two float levels, its pump and its totaliser, moved from one event to the next.

    What goes wrong is the water's or the pump's. What meters and clocks get wrong is told elsewhere and not so here.
    """

    __slots__ = (
        "_cuts",
        "_day",
        "_diary",
        "_edges",
        "_factor",
        "_inflow",
        "_rng",
        "_site",
        "_still",
        "_story",
        "_troubled",
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
        self._story = story
        self._diary = diary
        self._cuts = story.of(Happening.POWER_CUT)
        still = (Happening.PLANT_STOP, Happening.POWER_CUT, Happening.NOT_RESTARTED)
        self._still = sorted(span for kind in still for span in story.of(kind))
        water = [span for kind in _TROUBLES for span in story.of(kind)]
        self._troubled = bool(water)
        self._edges = sorted({edge for span in (*self._still, *water) for edge in (span.start_ms, span.end_ms)})
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
        if now_in(self._still, to_ms) is not None:
            self.pumping = False
        flow, load = (self._moves_m3h(to_ms), self._load(to_ms)) if self.pumping else (0.0, 0.0)
        return Well(self.level_mm, self.pumping, flow, self.volume_m3, load)

    def _step(self, to_ms: Millis) -> None:
        """One stretch in which nothing changes: to the hour's end, a switch of the pump, or a fault's edge."""
        site = self._site
        day, in_day = divmod(self.at_ms + LOCAL_OFFSET_MS, DAY_MS)
        if day != self._day:
            self._day = day
            self._factor = lognormal_day(INFLOW_CV, self._rng)
        inflow = self._comes_m3h(self._inflow * self._factor * _INFLOW[in_day // HOUR_MS])
        until = min(to_ms, self.at_ms + HOUR_MS - in_day % HOUR_MS, self._next_edge())
        start_mm, pumped = self._start_mm(), self._moves_m3h(self.at_ms)
        if now_in(self._still, self.at_ms) is not None:
            self.pumping = False
        elif self.level_mm >= start_mm or self._runs_anyway():
            self.pumping = True
        elif self.level_mm <= site.stop_level_mm:
            self.pumping = False
        if self._diary is not None:
            self._diary.note(self.at_ms, self.level_mm, pumped if self.pumping else 0.0, self._state())
        rise_mm_ms = (inflow - (pumped if self.pumping else 0.0)) / site.well_m2 * 1000 / HOUR_MS
        target = site.stop_level_mm if self.pumping else start_mm
        if (target - self.level_mm) * rise_mm_ms > 0:
            until = min(until, self.at_ms + 1 + int((target - self.level_mm) / rise_mm_ms))
        passed = until - self.at_ms
        self.level_mm = min(self.level_mm + rise_mm_ms * passed, WELL_BRIM_MM)
        if self.pumping:
            self.volume_m3 += pumped * passed / HOUR_MS
        self.at_ms = until

    def _now(self, kind: Happening, at_ms: Millis) -> Span | None:
        return now_in(self._story.of(kind), at_ms) if self._troubled else None

    def _comes_m3h(self, usual_m3h: float) -> float:
        """What runs into the well: less after a cut sewer or on a rest day, more when it rains."""
        for kind in (Happening.PIPE_CUT, Happening.REST_DAY):
            less = self._now(kind, self.at_ms)
            if less is not None:
                usual_m3h *= less.size / 100
        rain = self._now(Happening.RAIN_INFLOW, self.at_ms)
        return usual_m3h if rain is None else usual_m3h + rain.size * self._inflow

    def _moves_m3h(self, at_ms: Millis) -> float:
        """What the pump moves while it runs: nothing dry or jammed, ever less as it clogs."""
        if self._now(Happening.DRY_RUN, at_ms) is not None or self._now(Happening.JAM, at_ms) is not None:
            return 0.0
        return self._site.pump_m3h * (1 - self._clogged(at_ms))

    def _clogged(self, at_ms: Millis) -> float:
        """Which share of its flow a pump has lost."""
        clogs = self._now(Happening.SLOW_BLOCKAGE, at_ms)
        if clogs is None:
            return 0.0
        return (1 - clogs.size / 100) * (at_ms - clogs.start_ms) / (min(clogs.end_ms, FOREVER) - clogs.start_ms)

    def _load(self, at_ms: Millis) -> float:
        """The motor's load in times the usual: hardly any without water, far too much against a stone."""
        for kind in (Happening.DRY_RUN, Happening.JAM):
            strained = self._now(kind, at_ms)
            if strained is not None:
                return strained.size / USUAL_LOAD
        return 1 - CLOGGED_LOAD * self._clogged(at_ms)

    def _start_mm(self) -> float:
        """At which level the pump starts: soon after it stopped where its float hangs, or its valve lets water back."""
        site = self._site
        short = self._now(Happening.SHORT_CYCLING, self.at_ms)
        if short is None:
            return site.start_level_mm
        return site.stop_level_mm + (site.start_level_mm - site.stop_level_mm) * short.size / 100

    def _runs_anyway(self) -> bool:
        """A pump without water does not stop for a level that never falls, nor does one that a stone holds fast."""
        at_ms = self.at_ms
        return self._now(Happening.DRY_RUN, at_ms) is not None or self._now(Happening.JAM, at_ms) is not None

    def _state(self) -> PumpState:
        if now_in(self._cuts, self.at_ms) is not None:
            return PumpState.NO_POWER
        if now_in(self._still, self.at_ms) is not None:
            return PumpState.STOPPED
        return PumpState.RUNNING if self.pumping else PumpState.IDLE

    def _next_edge(self) -> Millis:
        i = bisect_right(self._edges, self.at_ms)
        return self._edges[i] if i < len(self._edges) else FOREVER


_TROUBLES: Final = (
    Happening.DRY_RUN,
    Happening.JAM,
    Happening.PIPE_CUT,
    Happening.REST_DAY,
    Happening.RAIN_INFLOW,
    Happening.SLOW_BLOCKAGE,
    Happening.SHORT_CYCLING,
)
