"""A bin's sensor as it is in the field: it hears another facet, a bag, a carton, an open lid, and dew before its lens.

Calibrated on four real bins over a month (cases/eyes.md): by night 2-16 % of a bin's steps jump by 8 cm or more, and
three times a month it sees a wall of its own for hours. It says what it hears and never what it means.
"""

from collections import deque
from math import cos, exp, log, pi
from random import Random
from typing import Final, NamedTuple

from firmware_sim.diary import Lie, LieKind
from firmware_sim.fleet import BinSite
from firmware_sim.lies import Plan, sunshine
from firmware_sim.scenario import DAY_MS, HOUR_MS, LOCAL_OFFSET_MS, Scenario
from firmware_sim.sensor import NO_ECHO_MM, BinSensor
from firmware_sim.story import MINUTE_MS, Span, Story
from telemetry.reading import Millis

JUMPS: Final = (0.026, 0.13)
"""Between which shares of a sensor's steps lead to another facet or back, evenly over their logarithm."""

STAYS: Final = 0.5
"""How likely the other facet answers the next time again."""

FACET_MM: Final = 85.0
FACET_TAIL: Final = 1.7
FACET_MOST_MM: Final = 700.0
"""How far facets lie apart at least, at most, and how heavy the tail between (of Pareto's law)."""

HOME_MM: Final = 15.0
REARRANGED: Final = 0.02
"""How far the facet that mostly answers lies from the mean surface, and how likely it is another at the next sample."""

NEARER: Final = 0.6
SILENT: Final = 0.008
STILL_SILENT: Final = 0.25
"""Share of samples without an echo, and how likely the next one has none either."""

SWINGS: Final = 0.5
"""Share of open lids that swing, and of frozen echos that tremble."""

DARK: Final = 0.25
MUTE: Final = 0.1
DIRT: Final = 0.3
"""How often a swinging lid and a covered lens give no echo, and how often a lens full of dirt hears it."""

FOUL_POINTS: Final = 45.0
TREMBLES: Final = ((0.85, 1.0), (0.98, 3.0), (1.0, 8.0))
"""The small noise is a mixture: up to which luck it is how many times a sensor's own."""

RESET_C: Final = (85.0, 127.0, -127.0)
SUN_C: Final = (5.0, 18.0)
"""What full sun adds to a lid at noon, in midwinter and in midsummer [A]."""

IN_THE_SHADE: Final = 0.3
SUN_LIE_C: Final = (8.0, 4.0)
"""From how many degrees of sun on a thermometer lies, and below how many no more."""

LENS_MM: Final = 60
WEEK_MS: Final = 7 * DAY_MS


class _Heard(NamedTuple):
    """What a sensor would say and what is so, in mm."""

    at_ms: Millis
    said_mm: float
    true_mm: float


class RealBinSensor(BinSensor):
    """A sensor with a plan of lies, which it reads in time order; of the sun it writes them down as they come."""

    def __init__(self, scenario: Scenario, site: BinSite, story: Story, plan: Plan, rng: Random) -> None:
        super().__init__(scenario, site, story, rng)
        self.lies += [Lie(kind, span.start_ms, span.end_ms) for kind, spans in plan.items() for span in spans]
        self._spans = deque(
            sorted((span, kind) for kind, spans in plan.items() if kind not in _NOT_HEARD for span in spans)
        )
        self._on: dict[LieKind, Span] = {}
        self._loudest_first = (
            (LieKind.STUCK, self._freeze),
            (LieKind.COVERED, self._cover),
            (LieKind.PLATEAU, self._stand_before),
            (LieKind.LID, self._look_past),
            (LieKind.BOX, self._stand_before),
            (LieKind.BAG, self._dangle),
            (LieKind.MOVED, self._shift),
            (LieKind.FOULED, self._foul),
        )
        self._resets = deque(plan.get(LieKind.RESET, ()))
        self._tremble_mm = rng.lognormvariate(1.8, 0.5)
        self._leaves = exp(rng.uniform(*map(log, JUMPS))) / 2
        self._home_mm = 0.0
        self._away_mm: float | None = None
        self._loses = SILENT
        self._silent = False
        self._frozen: float | None = None
        self._swings: set[LieKind] = set()
        self._height_mm = site.geometry.empty_mm - site.geometry.full_mm
        self._sun = deque(sunshine(scenario.seed, site.village.place.latin, scenario.start_ms, scenario.end_ms))
        self._exposed = rng.random() * 0.15 if rng.random() < IN_THE_SHADE else rng.uniform(0.4, 1.25)
        self._lag_ms = rng.uniform(8, 45) * MINUTE_MS
        self._sun_c = 0.0
        self._felt_ms = scenario.start_ms
        self._sunny: Lie | None = None

    def stay_on_one_facet(self) -> None:
        """From now on no other facet answers and every echo comes back: so each lie can be heard by itself."""
        self._leaves = self._loses = 0.0

    def hear(self, at_ms: Millis, true_mm: float, air_c: float) -> int:
        """What the echo says of a surface so far away, in mm, and ``told`` which lie it is."""
        rng = self._rng
        self._turn(at_ms)
        heard = true_mm * (1 + self._sound * (20 - air_c)) + self._facet_mm(true_mm) + self._tremble()
        if self._on:
            heard = self._lie(at_ms, heard, true_mm)
        # No echo comes once in a while, and then more likely once more.
        self._silent = rng.random() < (STILL_SILENT if self._silent else self._loses)
        if self._silent and self.told is None:
            return rng.choice(NO_ECHO_MM)
        return max(0 if heard <= 0 else LENS_MM, min(round(heard), 65_535))

    def _turn(self, at_ms: Millis) -> None:
        """Begin the lies whose time has come, and leave those whose time is over."""
        spans, on = self._spans, self._on
        for kind in [kind for kind, span in on.items() if span.end_ms <= at_ms]:
            del on[kind]
            self._swings.discard(kind)
        while spans and spans[0][0].start_ms <= at_ms:
            span, kind = spans.popleft()
            if span.end_ms > at_ms:
                on[kind] = span
                if self._rng.random() < SWINGS:
                    self._swings.add(kind)

    def _tremble(self) -> float:
        """The small noise of a good echo: mostly small, sometimes three times, rarely eight times as much."""
        luck = self._rng.random()
        times = next(times for most, times in TREMBLES if luck < most)
        return self._rng.gauss(0, times * self._tremble_mm)

    def _facet_mm(self, true_mm: float) -> float:
        """By how much the facet that answers is farther away than the surface."""
        rng, geometry = self._rng, self._site.geometry
        if rng.random() < REARRANGED:
            self._home_mm = rng.choice((-1, 1)) * rng.expovariate(1 / HOME_MM)
        if self._away_mm is not None:
            if rng.random() < STAYS:
                self.told = LieKind.FACETS
                return self._away_mm
            self._away_mm = None
            return self._home_mm
        if rng.random() >= self._leaves:
            return self._home_mm
        far = min(FACET_MM * rng.paretovariate(FACET_TAIL), FACET_MOST_MM)
        room_below, room_above = geometry.empty_mm - true_mm, true_mm - geometry.blind_mm
        nearer = rng.random() < NEARER if room_below > FACET_MM else True
        far = -min(far, max(room_above, FACET_MM)) if nearer else min(far, room_below)
        self._away_mm = far
        self.told = LieKind.FACETS
        return far

    def _lie(self, at_ms: Millis, heard: float, true_mm: float) -> float:
        """What is heard while something lies: what needs tools goes before what comes and goes."""
        for kind, voice in self._loudest_first:
            span = self._on.get(kind)
            if span is not None:
                self.told = kind
                return voice(span, _Heard(at_ms, heard, true_mm))
        return heard

    def _freeze(self, span: Span, heard: _Heard) -> float:
        """The same echo for ever; half of them do not even tremble."""
        self._frozen = heard.said_mm if self._frozen is None else self._frozen
        return self._frozen + (self._rng.random() - 0.5) * 2 * (span.size if LieKind.STUCK in self._swings else 0)

    def _cover(self, span: Span, _heard: _Heard) -> float:
        """Something sticks to the lens: an echo from there, or none at all."""
        return 0.0 if self._rng.random() < MUTE else span.size * self._rng.lognormvariate(0, 0.06)

    def _shift(self, span: Span, heard: _Heard) -> float:
        """It hangs nearer or farther than it did."""
        return heard.said_mm + span.size * self._height_mm

    def _foul(self, span: Span, heard: _Heard) -> float:
        """Dirt grows on it: everything comes nearer by some points a week, and ever more often it hears the dirt."""
        points = span.size * (heard.at_ms - span.start_ms) / WEEK_MS
        if self._rng.random() < min(points / FOUL_POINTS, 1.0) * DIRT:
            self.told = None
            return self._rng.choice((0.0, self._rng.uniform(150, 400)))
        return heard.said_mm - min(points, FOUL_POINTS) / 100 * self._height_mm

    def _stand_before(self, span: Span, heard: _Heard) -> float:
        """Dew or a spider at the lens, or a carton under it: a wall of its own, unless the waste is nearer."""
        if heard.true_mm < span.size:
            self.told = None
            return heard.said_mm
        return span.size + self._rng.gauss(0, 3.0 + 0.01 * span.size)

    def _dangle(self, span: Span, heard: _Heard) -> float:
        """A bag that hangs between lens and waste, and swings."""
        low = max(self._site.geometry.blind_mm * 0.7, 100.0)
        swings = self._rng.expovariate(1 / 25.0) * self._rng.choice((-1, 1))
        return min(heard.said_mm, low + max(heard.true_mm - low, 0.0) * span.size + swings)

    def _look_past(self, span: Span, _heard: _Heard) -> float:
        """A lid that stands open looks past the bin; one that swings looks anywhere, or hears nothing."""
        rng, floor_mm = self._rng, self._site.geometry.empty_mm
        if LieKind.LID not in self._swings:
            return floor_mm * (0.94 + 0.45 * span.size) + rng.gauss(0, 8)
        return float(rng.choice(NO_ECHO_MM[:2])) if rng.random() < DARK else floor_mm * rng.uniform(0.9, 1.45)

    def feel(self, at_ms: Millis, warmth_c: float) -> float:
        """What the thermometer says: late of the sun, and once in a while what it says when it has begun anew."""
        self._bask(at_ms)
        if self._resets and self._resets[0].start_ms <= at_ms:
            return RESET_C[int(self._resets.popleft().size)]
        return super().feel(at_ms, warmth_c + self._sun_c)

    def _bask(self, at_ms: Millis) -> None:
        """Follow the sun with the lid's lag, stretch by stretch, and write down while it lies."""
        sun = self._sun
        while self._felt_ms < at_ms:
            while sun and sun[0].end_ms <= self._felt_ms:
                sun.popleft()
            shines = bool(sun) and sun[0].start_ms <= self._felt_ms
            until = at_ms
            if sun:
                until = min(until, sun[0].end_ms if shines else max(sun[0].start_ms, self._felt_ms + 1))
            goal = sun[0].size * self._exposed * _full_sun_c(until) if shines else 0.0
            self._sun_c = goal + (self._sun_c - goal) * exp(-(until - self._felt_ms) / self._lag_ms)
            self._felt_ms = until
        begins, ends = SUN_LIE_C
        if self._sunny is None and self._sun_c >= begins:
            self._sunny = Lie(LieKind.SUN, at_ms, at_ms)
            self.lies.append(self._sunny)
        elif self._sunny is not None:
            self._sunny.end_ms = at_ms
            self._sunny = self._sunny if self._sun_c >= ends else None


def _full_sun_c(at_ms: Millis) -> float:
    """By how much full sun heats a lid at an instant: most at 13:00 and in July."""
    days, in_day = divmod(at_ms + LOCAL_OFFSET_MS, DAY_MS)
    winter, summer = SUN_C
    season = (1 - cos(2 * pi * (days - 15) / 365.25)) / 2
    return (winter + (summer - winter) * season) * max(0.0, cos((in_day / HOUR_MS - 13) * pi / 10))


_NOT_HEARD: Final = frozenset({LieKind.GAP, LieKind.LOST, LieKind.RESET, LieKind.FLOOR, LieKind.FACETS, LieKind.SUN})
