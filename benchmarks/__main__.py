"""The run: ``python -m benchmarks [--rounds N] [--messages N]``. Ends with 0 whenever it measured anything."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks import backlog, latency, load, replaying, report, series
from benchmarks.children import Unmeasured
from gateway.embedded_broker import BrokerFault, embedded_broker, find_mosquitto

_T = TypeVar("_T")
RATES = (1_000, 5_000)
NOBODY = "http://127.0.0.1:9"
"""Where no InfluxDB answers."""


def main() -> int:
    """Measures what can be measured here, prints the table, writes the file."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    asked.add_argument("--rounds", type=int, default=3, help="how often each side drains the backlog")
    asked.add_argument("--messages", type=int, default=50_000, help="how many messages the backlog holds")
    options = asked.parse_args()
    troubles: list[str] = []

    def tried(what: str, measure: Callable[[], _T]) -> _T | None:
        print(f"{what} …", file=sys.stderr, flush=True)
        try:
            return measure()
        except (Unmeasured, BrokerFault) as trouble:
            troubles.append(f"{what}: not measured, {trouble}")
            return None

    report.LATEST.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".run-", dir=report.LATEST.parent)))
        where = report.machine(folder)
        story = load.scenario(time.time_ns() // 1_000_000)
        inventory = load.inventory(story, folder)
        uplinks = load.ordinary(story, max(options.messages, RATES[-1] * latency.SECONDS))
        queued = uplinks[: options.messages]
        replayed = tried("replay", partial(replaying.measure, folder, inventory, queued, options.rounds))
        drained = broker = encoded = sent = without = None
        latencies: dict[int, latency.Latency | None] = dict.fromkeys(RATES)
        if tried("mosquitto", find_mosquitto) is None:
            troubles.append("there is no mosquitto: only replay was measured; install the Debian package mosquitto")
        else:
            embedded = stack.enter_context(embedded_broker(folder / "broker"))
            broker = embedded.name
            drained = tried("backlog", partial(backlog.measure, folder, embedded, inventory, queued, options.rounds))
            for rate in RATES:
                apart = folder / f"latency-{rate}"
                measure = partial(latency.measure, apart, embedded, inventory, story, uplinks, rate)
                latencies[rate] = tried(f"latency at {rate} msg/s", measure)
            measure = partial(latency.measure, folder / "dead", embedded, inventory, story, uplinks, RATES[0], NOBODY)
            without = tried(f"latency at {RATES[0]} msg/s beside a dead InfluxDB", measure)
            journal = folder / "backlog-0" / "journal.db"
            encoded = tried("points", partial(series.encoding, journal, inventory, options.rounds))
            sent = tried("InfluxDB", partial(series.drain, folder, journal, inventory, load.arriving_per_s(uplinks)))
    found = report.numbers(drained, latencies, replayed) | report.series_numbers(encoded, sent, without)
    report.write(where, broker, found, troubles)
    report.show(where, broker, found, troubles)
    return 0 if drained or replayed or any(latencies.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
