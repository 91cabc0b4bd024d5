"""How the senders are put together from the configuration; imported only where InfluxDB is configured, it takes long.

Two of them, each a thread: what happens, and what has become history. A bucket that one of them misses stops that one.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from alerts.episodes.county import County
from alerts.notify.exposure import lines_pct
from alerts.rollups.rows import DAYS, HOURS
from gateway.clock import Clock
from gateway.health import Health, Part
from gateway.inbox import Inbox
from gateway.influx.ledger import JournalLedger
from gateway.influx.outlet import InfluxOutlet
from gateway.influx.points import Points
from gateway.influx.sender import Sender
from gateway.influx.streams import Events, Outflow, Readings, Rollups
from gateway.journal.entry import Stream
from gateway.journal.reader import JournalReader
from gateway.journal.rollup_reader import RollupReader
from gateway.journal.trouble import JournalUnavailable
from gateway.metrics import Metrics
from gateway.settings import Influxdb
from telemetry.reading import Millis

SERIES: Final = "series"
HISTORY: Final = "history"
"""What the two are called on ``/readyz``."""


def opened(
    chosen: Influxdb,
    journal: Path,
    *,
    county: County,
    imported_ms: Millis,
    inbox: Inbox[Any],
    health: Health,
    metrics: Metrics,
    clock: Clock,
) -> Iterator[Sender]:
    """The senders of one gateway, not yet started."""
    points = Points(county.inventory, lines_pct(county.plans))
    metrics.ask(metrics.series_behind, lambda: _behind(journal))
    buckets = dict.fromkeys(HOURS, chosen.hourly_bucket) | dict.fromkeys(DAYS, chosen.daily_bucket)
    streams: dict[str, tuple[Outflow, ...]] = {
        SERIES: (Events(points, chosen.bucket), Readings(points, chosen.bucket)),
        HISTORY: (Rollups(points, buckets),),
    }
    facts = {HISTORY: {chosen.daily_bucket: list(points.of_inventory(imported_ms))}}
    for name, outflows in streams.items():
        health.report(name, Part(ready=True, state=f"nothing was written to {chosen.url} yet"))
        yield Sender(
            outflows,
            InfluxOutlet(chosen, clock),
            JournalLedger(name, journal, inbox, health, metrics, clock.now_ms),
            lambda: RollupReader.open(journal),
            Part(ready=True, state=f"writes to {chosen.url}"),
            facts=facts.get(name, {}),
        )


def _behind(journal: Path) -> float:
    """How many readings are still to be sent, asked on the HTTP thread; 0 while the journal does not answer."""
    try:
        with closing(JournalReader.open(journal)) as reader:
            return float(reader.newest(Stream.READING) - reader.position(Readings.consumer))
    except JournalUnavailable:
        return 0.0
