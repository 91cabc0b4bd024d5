"""What the sensors of the county see: levels that rise, pumps that stop, and sensors that see what is not there.

The world knows no gateway. What a device says at a tick depends on what was done to the world before, and on the seed.
"""

import random
from typing import Final

from telemetry.reading import Values
from tests.storm.county import BINS, FEEDERS, PLANTS

_WILD_BIN: Final = (
    Values(distance_mm=65_535.0),
    Values(distance_mm=8_190.0, temperature_c=127.0),
    Values(distance_mm=600.0, tilt_deg=45.0),
    Values(distance_mm=100.0),
    Values(battery_pct=8.0),
    Values(distance_mm=1_190.0, temperature_c=85.0),
)
_WILD_PLANT: Final = (
    Values(flow_m3h=2.0),
    Values(level_mm=950.0),
    Values(pump_current_a=30.0),
    Values(volume_m3=1e12),
    Values(level_mm=0.0, flow_m3h=0.0, mains_on=1.0),
)
_PLANT_SAYS: Final = {
    "run": Values(level_mm=500.0, flow_m3h=2.0, pump_current_a=6.0, mains_on=1.0),
    "stop": Values(level_mm=950.0, flow_m3h=0.0, pump_current_a=0.0, mains_on=1.0),
    "high": Values(level_mm=1_450.0, flow_m3h=2.0, pump_current_a=6.0, mains_on=1.0),
    "dark": Values(level_mm=950.0, flow_m3h=0.0, pump_current_a=0.0, mains_on=0.0),
}


class World:
    """Fill is a share of the whole; everything rises by itself, and nothing falls but by a step."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(f"world {seed}")
        self.fill = {name: draw.uniform(0.05, 0.5) for name in BINS}
        self.rise = {name: draw.uniform(0.002, 0.007) for name in BINS}
        self.heat: dict[str, float] = {}
        self.flagged: set[str] = set()
        self.mode = dict.fromkeys(PLANTS, "run")
        self.dark: set[str] = set()
        self.wild: set[str] = set()
        self.flapping: set[str] = set()
        self._seed = seed

    def tick(self) -> None:
        """Twenty minutes pass."""
        for name in BINS:
            self.fill[name] = min(1.02, self.fill[name] + self.rise[name])

    def trip(self, feeder: str, *, dark: bool) -> None:
        """Power is cut on a line, or back."""
        self.dark = self.dark | set(FEEDERS[feeder]) if dark else self.dark - set(FEEDERS[feeder])

    def said(self, asset: str, tick: int) -> Values:
        """What the sensor of an asset measures at a tick."""
        draw = random.Random(self._seed * 1_000_003 + tick * 31 + len(asset) * 7 + int(asset[1:]))
        is_bin, up = asset in self.fill, tick // 2 % 2 == 0
        if asset in self.wild:
            return draw.choice(_WILD_BIN if is_bin else _WILD_PLANT)
        if not is_bin:
            flaps = asset in self.flapping and up
            mode = "dark" if asset in self.dark else "high" if flaps else self.mode[asset]
            return _PLANT_SAYS[mode]
        fill = (1.0 if up else 0.5) if asset in self.flapping else self.fill[asset]
        return Values(
            distance_mm=round(max(150.0, 1_200 - 1_000 * fill + draw.uniform(-3, 3))),
            temperature_c=self.heat.get(asset, 20.0 + draw.randrange(3)),
            tilt_deg=2.0,
            battery_pct=90.0,
            full_flag=float(asset in self.flagged),
        )
