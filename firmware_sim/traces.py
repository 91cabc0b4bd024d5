"""A scenario told twice: as the uplinks that reach the broker, and as the truth that they do not say.

The same scenario gives the same bytes, and what one device says depends on the seed and that device alone.
"""

from collections.abc import Iterator
from heapq import merge
from random import Random
from typing import NamedTuple

import msgspec

from firmware_sim.diary import BinDiary, PlantDiary
from firmware_sim.firmware import bin_samples, plant_samples
from firmware_sim.fleet import AnySite, BinSite, fleet
from firmware_sim.radio import Link, RadioPace, TimedUplink, lorawan, native
from firmware_sim.scenario import Happening, Scenario
from firmware_sim.story import Story, Truth, stories, truth
from firmware_sim.truth_file import Diary, Row, truth_lines

__all__ = ["TimedUplink", "ToldRun", "Truth", "statuses", "tell", "trace", "truth"]


class ToldRun(NamedTuple):
    """A run that keeps diaries: ``uplinks`` are those of ``trace``, and once the last is read the truth can be told."""

    name: str
    scenario: Scenario
    uplinks: Iterator[TimedUplink]
    diaries: dict[str, Diary]

    def truth(self) -> Iterator[Row]:
        """The lines of the truth, in their order; reads whatever uplinks are left, since they come of the same pass."""
        for _ in self.uplinks:
            pass
        return truth_lines(self.name, self.scenario, self.diaries)


def tell(scenario: Scenario, name: str) -> ToldRun:
    """The run as ``trace`` has it, with a diary for each site; ``name`` is what the truth calls the scenario.

    Raises ``ScenarioError`` before the first uplink if the scenario contradicts itself.
    """
    lives = list(stories(scenario))
    diaries = {site.device: BinDiary() if isinstance(site, BinSite) else PlantDiary() for site, _ in lives}
    pace = RadioPace(scenario.start_ms, 1.0)
    told = merge(*(_device(scenario, site, story, pace, diaries[site.device]) for site, story in lives))
    return ToldRun(name, scenario, told, diaries)


def trace(scenario: Scenario, speed: float = 1.0) -> Iterator[TimedUplink]:
    """Every uplink of the run in the order in which it reaches the broker.

    With ``speed`` N an hour of the county's life takes 1/N of an hour by the instants in ``at_ms`` and in the bytes:
    so it is hastened against a gateway whose clock is the wall's. Bytes of another speed are other bytes.
    Raises ``ScenarioError`` before the first uplink if the scenario contradicts itself.
    """
    pace = RadioPace(scenario.start_ms, speed)
    told = merge(*(_device(scenario, site, story, pace) for site, story in stories(scenario)))
    if speed == 1:
        return told
    return (uplink._replace(at_ms=pace.written(uplink.at_ms)) for uplink in told)


def statuses(scenario: Scenario) -> Iterator[TimedUplink]:
    """What each native device has retained on its status topic at the start: that it is online."""
    online = msgspec.json.encode({"online": True, "fw": "1.2.0", "ts": scenario.start_ms})
    for site in fleet(scenario).sites:
        if not isinstance(site, BinSite) or site.native:
            yield TimedUplink(scenario.start_ms, f"cunjing/v1/{scenario.county}/{site.device}/status", online)


def _device(
    scenario: Scenario, site: AnySite, story: Story, pace: RadioPace, diary: Diary | None = None
) -> Iterator[TimedUplink]:
    rng = Random(f"{scenario.seed}/{site.device}")
    wrong_clock, outages = story.of(Happening.CLOCK_WRONG), story.of(Happening.GATEWAY_OUTAGE)
    topic = f"cunjing/v1/{scenario.county}/{site.device}/telemetry"
    if not isinstance(site, BinSite):
        link = Link(scenario.radio, scenario.radio.native_loss, (), wrong_clock, pace)
        return native(
            plant_samples(scenario, site, story, rng, diary if isinstance(diary, PlantDiary) else None),
            topic,
            link,
            rng,
        )
    samples = bin_samples(scenario, site, story, rng, diary if isinstance(diary, BinDiary) else None)
    if site.native:
        return native(samples, topic, Link(scenario.radio, scenario.radio.native_loss, outages, wrong_clock, pace), rng)
    loss = scenario.radio.closed_pool_loss if site.pool else scenario.radio.loss
    return lorawan(samples, site.dev_eui, Link(scenario.radio, loss, outages, wrong_clock, pace), rng)
