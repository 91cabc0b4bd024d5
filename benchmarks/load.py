"""What the measured gateway hears: 10,000 devices that all speak the native envelope, on an ordinary morning.

The county, its inventory and every byte come from ``firmware_sim``; this only picks, times and publishes them.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any, Final, NamedTuple

from firmware_sim import county, traces
from firmware_sim.publish import Broker, publish
from firmware_sim.radio import TimedUplink
from firmware_sim.scenario import Scenario, at_start, load
from gateway.embedded_broker import Embedded
from telemetry.reading import Millis

SCENARIO: Final = Path(county.__file__).parent / "scenarios" / "ten_thousand.yaml"
HOUR_MS: Final = 60 * 60_000
SPAN_MS: Final = 100 * 60_000
"""The backlog is the last 100 minutes: a little over what 50,000 messages of this county take, and never late."""

FIRE: Final = b'{"v":1,"boot":4000000000,"seq":1,"readings":{"temperature_c":95.0}}'
"""One sample that is told at any hour: a bin burns, P1."""


class Crossing(NamedTuple):
    """A sample that owes somebody a text: of which asset, and its uplink."""

    asset: str
    uplink: TimedUplink


def scenario(now_ms: Millis) -> Scenario:
    """The county, 100 minutes ago; all native, where the shipped one has half of it come by ChirpStack."""
    shipped = load(SCENARIO.read_text("utf-8"))
    native = shipped.model_copy(update={"fleet": shipped.fleet.model_copy(update={"chirpstack": 0.0})})
    return at_start(native, now_ms - SPAN_MS)


def ordinary(story: Scenario, count: int) -> list[TimedUplink]:
    """The first uplinks of the trace: levels that rise, rounds, reboots, repeats and stragglers as they come."""
    return list(islice(traces.trace(story), count))


def arriving_per_s(uplinks: list[TimedUplink]) -> float:
    """What the county sends: the uplinks of its first hour, a second; later ones hold stragglers."""
    return sum(uplink.at_ms < uplinks[0].at_ms + HOUR_MS for uplink in uplinks) / (HOUR_MS / 1_000)


def paced(
    story: Scenario, uplinks: Iterable[TimedUplink], rate: int, crossings: int
) -> tuple[list[TimedUplink], list[Crossing]]:
    """The uplinks at ``rate`` a second from instant 0 (``at_ms``), ``crossings`` of them replaced, evenly spread.

    A bin that burns says nothing else, so that its fire is its first word and stands for itself.
    """
    bins = [row for row in county.inventory(story)["devices"] if row["id"].startswith("bin-")]
    chosen = bins[:: max(1, len(bins) // crossings)][:crossings]
    silent = {_topic(story, row) for row in chosen}
    said = [uplink for uplink in uplinks if uplink.topic not in silent]
    every = len(said) // len(chosen)
    burning: list[Crossing] = []
    for number, row in enumerate(chosen):
        place = number * every + every // 2
        fire = TimedUplink(place * 1_000 // rate, _topic(story, row), FIRE)
        said[place] = fire
        burning.append(Crossing(row["asset"], fire))
    return [uplink._replace(at_ms=place * 1_000 // rate) for place, uplink in enumerate(said)], burning


def send(broker: Embedded, uplinks: Iterable[TimedUplink], now_ms: Callable[[], Millis] | None = None) -> int:
    """Publishes them at QoS 1, each at its instant or all as fast as the broker takes them; how many it took."""
    at = Broker("127.0.0.1", broker.port, broker.username, broker.password)
    return publish(uplinks, at, Event(), now_ms).acknowledged


def inventory(story: Scenario, folder: Path) -> Path:
    """The county's inventory file, written."""
    path = folder / "inventory.yaml"
    path.write_text(county.inventory_yaml(story), "utf-8")
    return path


def _topic(story: Scenario, row: dict[str, Any]) -> str:
    return f"cunjing/v1/{story.county}/{row['id']}/telemetry"
