"""How the sender is put together from the configuration; imported only where InfluxDB is configured, it takes long."""

from contextlib import closing
from pathlib import Path
from typing import Any, Final

from alerts.county import County
from alerts.exposure import lines_pct
from gateway.clock import Clock
from gateway.health import Health, Part
from gateway.journal.entry import Stream
from gateway.journal.reader import JournalReader
from gateway.journal.trouble import JournalUnavailable
from gateway.metrics import Metrics
from gateway.series.ledger import JournalLedger
from gateway.series.outlet import InfluxOutlet
from gateway.series.points import Points
from gateway.series.sender import Sender
from gateway.series.streams import Events, Readings
from gateway.settings import Influxdb
from gateway.sources.inbox import Inbox
from telemetry.reading import Millis

SERIES: Final = "series"


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
) -> Sender:
    """The sender of one gateway, not yet started."""
    points = Points(county.inventory, lines_pct(county.plans))
    metrics.ask(metrics.series_behind, lambda: _behind(journal))
    health.report(SERIES, Part(ready=True, state=f"nothing was written to {chosen.url} yet"))
    return Sender(
        (Events(points, chosen.bucket), Readings(points, chosen.bucket)),
        InfluxOutlet(chosen, clock),
        JournalLedger(SERIES, journal, inbox, health, metrics, clock.now_ms),
        lambda: JournalReader.open(journal),
        Part(ready=True, state=f"writes to {chosen.url}"),
        facts={chosen.daily_bucket: list(points.of_inventory(imported_ms))},
    )


def _behind(journal: Path) -> float:
    """How many readings are still to be sent, asked on the HTTP thread; 0 while the journal does not answer."""
    try:
        with closing(JournalReader.open(journal)) as reader:
            return float(reader.newest(Stream.READING) - reader.position(Readings.consumer))
    except JournalUnavailable:
        return 0.0
