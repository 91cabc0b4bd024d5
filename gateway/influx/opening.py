"""How the senders are put together from the configuration; imported only where InfluxDB is configured, it takes long.

Their progress is made durable by the loop, to which it is posted from here. Two of them, each a thread: what happens,
and what has become history. A bucket that one of them misses stops that one.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from alerts.episodes.county import County
from alerts.episodes.decide import Trouble
from alerts.rollups.rows import DAYS, HOURS
from alerts.rules.over_two_thirds import lines_pct
from gateway.clock import Clock
from gateway.commands.command import NotDurable
from gateway.health import Health, Part
from gateway.inbox import Inbox, Unanswered
from gateway.influx.answers import WriteVerdict
from gateway.influx.delivery import Filed
from gateway.influx.points import Points
from gateway.influx.sender import Sender
from gateway.influx.server import InfluxOutlet
from gateway.influx.streams import Events, Outflow, Readings, Rollups
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import Consumer, Quarantined, Stream
from gateway.journal.reader import JournalReader, glance
from gateway.journal.rollups import RollupReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.requests import DealtWith, Watched, made_durable
from gateway.settings import Influxdb
from telemetry.reading import Millis

_log = logger(__name__)

PAUSED_RULE: Final = "series_paused"


class JournalCheckpoints:
    """See ``sender.Checkpoints``. For the sender's thread alone."""

    def __init__(
        self,
        part: str,
        journal: Path,
        inbox: Inbox,
        health: Health,
        metrics: Metrics,
        now_ms: Callable[[], Millis],
    ) -> None:
        """``part`` is what the sender is called on ``/readyz``."""
        self._part = part
        self._journal = journal
        self._inbox = inbox
        self._health = health
        self._metrics = metrics
        self._now_ms = now_ms
        self._told: tuple[WriteVerdict, Part] | None = None

    def dealt_with(self, consumer: Consumer, position: int, filed: Sequence[tuple[str, Filed]]) -> None:
        """See ``sender.Checkpoints``."""
        quarantined = tuple(
            Quarantined(self._now_ms(), f"influxdb/{bucket}", each.line, each.reason, each.detail)
            for bucket, each in filed
        )
        value = made_durable(self._inbox, DealtWith(consumer, position, quarantined))
        if isinstance(value, Unanswered | NotDurable):
            why = value.reason if isinstance(value, NotDurable) else "it did not become durable in time"
            raise JournalUnavailable(Problem.LOCKED, self._journal, why)

    def count_answer(self, verdict: WriteVerdict, lines: int) -> None:
        """See ``sender.Checkpoints``."""
        self._metrics.series_requests.labels(str(verdict)).inc()
        if verdict is WriteVerdict.STORED:
            self._metrics.series_lines.inc(lines)

    def stands(self, verdict: WriteVerdict, part: Part) -> None:
        """See ``sender.Checkpoints``; says each change once."""
        if (verdict, part) == self._told:
            return
        self._told = verdict, part
        self._health.report(self._part, part)
        self._metrics.series_paused.labels(self._part).set(verdict is WriteVerdict.PAUSED)
        if not part.ready:
            _log.warning(self._part, state=part.state, remedy=part.remedy)
        elif part.notes:
            _log.warning(self._part, state=part.state, notes=part.notes)
        if verdict is not WriteVerdict.LATER:
            problem = "" if verdict is WriteVerdict.STORED else part.state
            self._inbox.post(Watched(Trouble(PAUSED_RULE, self._part, problem)))


SERIES: Final = "series"
HISTORY: Final = "history"
"""What the two are called on ``/readyz``."""


def opened(
    chosen: Influxdb,
    journal: Path,
    *,
    county: County,
    imported_ms: Millis,
    inbox: Inbox,
    health: Health,
    metrics: Metrics,
    clock: Clock,
) -> Iterator[Sender]:
    """The senders of one gateway, not yet started."""
    points = Points(county.inventory, lines_pct(county.plans))
    metrics.ask((metrics.series_behind, lambda: glance(journal, _count_unsent, 0)))
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
            JournalCheckpoints(name, journal, inbox, health, metrics, clock.now_ms),
            lambda: RollupReader.open(journal),
            Part(ready=True, state=f"writes to {chosen.url}"),
            facts=facts.get(name, {}),
        )


def _count_unsent(reader: JournalReader) -> int:
    """How many readings are still to be sent."""
    return reader.newest(Stream.READING) - reader.position(Readings.consumer)
