"""How soon it is durable that somebody must be told: from a crossing sample to the commit that holds its owed row.

The clock starts when the sample is due to be published, not when it was: a publisher that lags, or a broker that
pushes back, counts against us. Both instants are the machine's monotonic clock, which all its processes share.
"""

import time
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

from benchmarks import load
from benchmarks.children import Unmeasured, gateway
from firmware_sim.radio import TimedUplink
from firmware_sim.scenario import Scenario
from gateway.embedded_broker import Embedded

SECONDS: Final = 15
CROSSINGS: Final = 300
"""20 a second: each is a fire, with all that is owed at once for one."""
LEAD_MS: Final = 1_000
DRAIN_S: Final = 60.0


class Latency(NamedTuple):
    """At a load of ``rate`` messages a second: the crossings told, and after how many ms they were durable."""

    rate: int
    reached: float
    """Messages a second that the publisher really got out."""
    crossings: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def measure(
    folder: Path,
    broker: Embedded,
    inventory: Path,
    story: Scenario,
    uplinks: list[TimedUplink],
    rate: int,
    influxdb: str = "",
) -> Latency:
    """Plays the uplinks at ``rate`` for 15 s to a gateway with an empty journal. Raises ``Unmeasured``."""
    paced, crossings = load.paced(story, uplinks[: rate * SECONDS], rate, CROSSINGS)
    with gateway(folder, broker, inventory, influxdb) as running:
        began_ms = _monotonic_ms() + LEAD_MS
        due = [uplink._replace(at_ms=uplink.at_ms + began_ms) for uplink in paced]
        taken = load.send(broker, due, _monotonic_ms)
        took_s = (_monotonic_ms() - began_ms) / 1_000
        running.wait_until_acked(taken, DRAIN_S)
    durable_s: dict[str, float] = {}
    for commit in running.seen.commits:
        for asset in commit.owed:
            durable_s.setdefault(asset, commit.at_s)
    missing = [each.asset for each in crossings if each.asset not in durable_s]
    if missing:
        raise Unmeasured(f"{len(missing)} of {len(crossings)} fires were told to nobody, {missing[0]} for one")
    waits_ms = [durable_s[each.asset] * 1_000 - each.uplink.at_ms - began_ms for each in crossings]
    return Latency(
        rate=rate,
        reached=round(taken / took_s, 1),
        crossings=len(waits_ms),
        p50_ms=median(waits_ms),
        p99_ms=quantiles(waits_ms, n=100, method="inclusive")[98],
        max_ms=max(waits_ms),
    )


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
