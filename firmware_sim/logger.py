"""What a plant's logger says: the signals it is wired to and no others, with meters that can fail.

It is told what is so and says what its inputs show of that; water, pump and power are the physics'.
"""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from firmware_sim.fleet import PlantSite
from firmware_sim.physics import Well, now_in
from firmware_sim.scenario import Happening, Scenario, SignalSet
from firmware_sim.sensor import NOISE_MM
from firmware_sim.story import Story
from telemetry.reading import Millis, Values

_METER: Final = frozenset({"flow_m3h", "volume_m3"})
_LEVEL: Final = frozenset({"level_mm"})
_CURRENT: Final = frozenset({"pump_current_a"})
_RUN_BIT: Final = frozenset({"pump_on"})
_MAINS: Final = frozenset({"mains_on"})
_FLOAT: Final = frozenset({"float_high"})

SENSED: Final[Mapping[SignalSet, frozenset[str]]] = MappingProxyType(
    {
        SignalSet.FLOW: _METER,
        SignalSet.FLOW_CURRENT: _METER | _CURRENT,
        SignalSet.FLOW_LEVEL: _METER | _LEVEL,
        SignalSet.FLOW_LEVEL_CURRENT: _METER | _LEVEL | _CURRENT,
        SignalSet.FLOW_LEVEL_CURRENT_MAINS: _METER | _LEVEL | _CURRENT | _MAINS,
        SignalSet.LEVEL_CURRENT: _LEVEL | _CURRENT,
        SignalSet.LEVEL_RUN_BIT: _LEVEL | _RUN_BIT,
        SignalSet.CURRENT: _CURRENT,
        SignalSet.RUN_BIT: _RUN_BIT,
        SignalSet.MAINS: _MAINS,
        SignalSet.FLOW_MAINS: _METER | _MAINS,
        SignalSet.FLOAT_CURRENT: _FLOAT | _CURRENT,
        SignalSet.ALL: _METER | _LEVEL | _CURRENT | _RUN_BIT | _MAINS | _FLOAT,
        SignalSet.TOTALISER_ONLY: frozenset({"volume_m3"}),
    }
)
"""The quantities behind each signal set; every set says something."""

FLOAT_ABOVE_START_MM: Final = 400
"""So far above the start level the high float hangs where no alarm level is said."""

CREEPS: Final = 0.3
CREEP_M3H: Final = 0.01
"""How often a real meter shows a little where nothing flows, and how little in the mean [A]."""


class PlantLogger:
    """The inputs of one plant, and a meter that remembers what it showed."""

    def __init__(self, scenario: Scenario, site: PlantSite, story: Story, rng: Random) -> None:
        self._site = site
        self._story = story
        self._rng = rng
        self._creeps = scenario.is_real
        self._sensed = SENSED[site.signals]
        self._running_a = site.rated_current_a * rng.uniform(0.82, 0.94)
        self._cuts = story.of(Happening.POWER_CUT)
        self._resets = list(reversed(story.of(Happening.TOTALISER_RESET)))
        self._float_mm = site.alarm_level_mm or site.start_level_mm + FLOAT_ABOVE_START_MM
        self._missed_m3 = 0.0
        self._shown_m3: float | None = None
        self._shown_m3h = 0.0

    def look(self, at_ms: Millis, well: Well) -> Values:
        """One sample of what is wired: m³/h, m³, mm, A, and flags."""
        rng, sensed = self._rng, self._sensed
        flow, volume = self._meter(at_ms, well)
        if self._site.meter_only:
            return Values(flow_m3h=flow, volume_m3=volume)
        current = well.load * self._running_a * rng.uniform(0.98, 1.02) if well.pumping else rng.random() * 0.04
        level = max(0, round(well.level_mm + rng.gauss(0, NOISE_MM)))
        dark = bool(self._cuts) and now_in(self._cuts, at_ms) is not None
        return Values(
            level_mm=level if "level_mm" in sensed else None,
            flow_m3h=flow if "flow_m3h" in sensed else None,
            volume_m3=volume if "volume_m3" in sensed else None,
            pump_current_a=round(current, 2) if "pump_current_a" in sensed else None,
            mains_on=float(not dark) if "mains_on" in sensed else None,
            pump_on=float(well.pumping) if "pump_on" in sensed else None,
            float_high=float(well.level_mm >= self._float_mm) if "float_high" in sensed else None,
        )

    def _meter(self, at_ms: Millis, well: Well) -> tuple[float, float]:
        """Rate and total as the meter shows them: what flowed while it was dead or frozen it never counts."""
        flow = round(well.flow_m3h * self._rng.uniform(0.97, 1.03), 2)
        if self._creeps and not well.flow_m3h and self._rng.random() < CREEPS:
            flow = round(self._rng.expovariate(1 / CREEP_M3H), 2)
        wrong = self._now(Happening.WRONG_UNIT, at_ms)
        if wrong:
            flow = round(flow / wrong, 2)
        while self._resets and self._resets[-1].start_ms <= at_ms:
            self._missed_m3 = well.volume_m3 - self._resets.pop().size
        dead = self._now(Happening.METER_DEAD, at_ms) is not None
        frozen = self._now(Happening.METER_FROZEN, at_ms) is not None and self._shown_m3h > 0
        if (dead or frozen) and self._shown_m3 is not None:
            self._missed_m3 = well.volume_m3 - self._shown_m3
        self._shown_m3h = 0.0 if dead else self._shown_m3h if frozen else flow
        self._shown_m3 = well.volume_m3 - self._missed_m3
        return self._shown_m3h, round(self._shown_m3, 2)

    def _now(self, kind: Happening, at_ms: Millis) -> float | None:
        """The size of what happens to the meter now."""
        spans = self._story.of(kind)
        span = now_in(spans, at_ms) if spans else None
        return None if span is None else span.size
