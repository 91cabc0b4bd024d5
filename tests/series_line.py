"""The sender on a journal of one's own, stepped by the test: real points, real requests, positions in a real file.

Time is the test's; what the world does to the requests is the server's or the proxy's.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alerts.build import assemble
from alerts.rules.over_two_thirds import lines_pct
from gateway import shipped
from gateway.clock import WallClock
from gateway.health import Part
from gateway.influx.answers import WriteVerdict
from gateway.influx.bootstrap import set_up
from gateway.influx.delivery import Filed
from gateway.influx.points import Points
from gateway.influx.sender import Outlet, Sender
from gateway.influx.server import InfluxOutlet
from gateway.influx.streams import Events, Readings
from gateway.journal.entry import Consumer, Entry, Quarantined
from gateway.journal.rollups import RollupReader
from gateway.journal.writer import Journal
from gateway.settings import Influxdb
from tests.county_week import Week
from tests.servers import ADMIN_TOKEN, ORG, InfluxServer

READY = Part(ready=True, state="writes")
BUCKET = "telemetry"


@dataclass
class FileLedger:
    """A ledger that commits by itself, and keeps what it was told."""

    journal: Journal
    verdicts: list[WriteVerdict] = field(default_factory=list)
    lines: int = 0
    parts: list[Part] = field(default_factory=list)
    filed: list[tuple[str, Filed]] = field(default_factory=list)

    def dealt_with(self, consumer: Consumer, position: int, filed: Sequence[tuple[str, Filed]]) -> None:
        kept = [Quarantined(0, f"influxdb/{bucket}", each.line, each.reason, each.detail) for bucket, each in filed]
        self.journal.commit(Entry(consumed={consumer: position}, quarantined=kept))
        self.filed += filed

    def count_answer(self, verdict: WriteVerdict, lines: int) -> None:
        self.verdicts.append(verdict)
        self.lines += lines if verdict is WriteVerdict.STORED else 0

    def stands(self, verdict: WriteVerdict, part: Part) -> None:
        _ = verdict
        if not self.parts or self.parts[-1] != part:
            self.parts.append(part)


@dataclass
class SeriesLine:
    """A sender with everything around it."""

    journal: Journal
    reader: RollupReader
    sender: Sender
    ledger: FileLedger

    def drain(self) -> None:
        """Sends until there is nothing more."""
        while self.sender.run_once(self.reader):
            pass


def settings(folder: Path, url: str, **changed: object) -> Influxdb:
    """The configuration; its secrets lie in the folder."""
    given = {"url": url, "org": ORG, "bucket": BUCKET, "token_file": folder / "influxdb", **changed}
    return Influxdb.model_validate(given)


def made_ready(server: InfluxServer, folder: Path, url: str = "", **changed: object) -> Influxdb:
    """A server with buckets and tokens, made by our own bootstrap; the configuration asks it by ``url``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "admin").write_text(ADMIN_TOKEN, "utf-8")
    list(set_up(settings(folder, server.url, **changed), folder / "admin"))
    return settings(folder, url or server.url, **changed)


@contextmanager
def series_line(week: Week, chosen: Influxdb, outlet: Outlet | None = None) -> Iterator[SeriesLine]:
    """A sender on the week's journal; the journal is let go when the context ends, positions and all."""
    county, _ = assemble(week.inventory, shipped.policy_files())
    points = Points(week.inventory, lines_pct(county.plans))
    with closing(Journal.open(week.journal)) as journal, closing(RollupReader.open(week.journal)) as reader:
        ledger = FileLedger(journal)
        sender = Sender(
            (Events(points, chosen.bucket), Readings(points, chosen.bucket)),
            outlet or InfluxOutlet(chosen, WallClock()),
            ledger,
            lambda: RollupReader.open(week.journal),
            READY,
            facts={chosen.daily_bucket: list(points.of_inventory(week.begins_ms))},
            pause_s=0.05,
        )
        journal.admit(sender.consumers)
        yield SeriesLine(journal, reader, sender, ledger)
