"""A bin's sensor as its maker describes it: echo, thermometer, tilt switch and battery, with noise and blunders.

It is told how far the surface is and how warm it is there, and says what the device would say of that. How sensors fail
their makers is ``real_sensor``.
"""

from random import Random
from typing import Final

from firmware_sim.diary import Lie, LieKind
from firmware_sim.fleet import BinSite
from firmware_sim.physics import now_in
from firmware_sim.scenario import DAY_MS, Happening, Scenario
from firmware_sim.story import Story
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


class BinSensor:
    """An ultrasonic sensor under a lid, with its noise, its blunders and its battery.

    ``lies`` are those that it tells in the run; ``told`` is the kind that made the latest distance, if any did.
    """

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
        self.lies = [Lie(LieKind.STUCK, span.start_ms, span.end_ms) for span in self._stuck]
        self.told: LieKind | None = None
        self._tilted = story.of(Happening.TILTED)
        self._low = story.of(Happening.BATTERY_LOW)

    def look(self, at_ms: Millis, true_mm: float, air_c: float, heat: float) -> Values:
        """One sample; mm, °C, and tilt in degrees or as a flag, as the device has it."""
        tilt_deg: float = self._tilt_deg
        tilted = now_in(self._tilted, at_ms) if self._tilted else None
        self.told = None
        distance_mm = self.hear(at_ms, true_mm, air_c)
        if tilted is not None:
            tilt_deg, self.told = tilted.size, None
            distance_mm = int(300 + self._rng.random() * 1_500)
        if self._stuck and now_in(self._stuck, at_ms) is not None:
            self._frozen_mm = distance_mm if self._frozen_mm is None else self._frozen_mm
            distance_mm, self.told = self._frozen_mm, LieKind.STUCK
        low = now_in(self._low, at_ms) if self._low else None
        battery = self._battery - self._drain_a_day * (at_ms - self._start_ms) / DAY_MS if low is None else low.size
        temperature_c = self.feel(at_ms, air_c + heat)
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

    def hear(self, at_ms: Millis, true_mm: float, air_c: float) -> int:
        """What the echo says of a surface so far away, in mm; a no-echo value of its maker where none came back."""
        del at_ms  # only what lies by the clock needs it
        rng = self._rng
        self._blundered = not self._blundered and rng.random() < OUTLIERS
        if self._blundered:
            nearer = int(self._site.geometry.blind_mm + (true_mm - self._site.geometry.blind_mm) * rng.random())
            return rng.choice((*NO_ECHO_MM, nearer, nearer, nearer))
        heard_mm = true_mm * (1 + self._sound * (20 - air_c))
        return max(1, round(heard_mm + rng.gauss(0, max(NOISE_MM, NOISE_SHARE * true_mm))))

    def feel(self, at_ms: Millis, warmth_c: float) -> float:
        """What the thermometer says where it is so warm, in °C."""
        del at_ms
        return round(warmth_c + (self._rng.random() - 0.5) * 0.6, 1)
