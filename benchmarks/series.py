"""Points to InfluxDB: our encoder against the client's own, the drain of a backlog into a real influxd, its absence.

The readings are those of the backlog that was just drained. The server is started here and ends here.
"""

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from influxdb_client.client.write.point import Point as LibraryPoint
from influxdb_client.domain.write_precision import WritePrecision

from alerts.build import assemble
from alerts.rules.over_two_thirds import POINTS_A_SITE, lines_pct
from benchmarks.children import Unmeasured
from gateway import imports, shipped
from gateway.clock import WallClock
from gateway.influx.points import Points
from gateway.influx.sender import Sender
from gateway.influx.server import InfluxOutlet
from gateway.influx.streams import NAME, Readings
from gateway.journal.entry import Consumer, Stream
from gateway.journal.rollups import RollupReader
from gateway.journal.writer import Journal
from gateway.settings import Influxdb
from telemetry.inventory import Inventory
from telemetry.reading import QUANTITIES, Reading, TimeSource
from telemetry.series import ABOUT_DEVICE, Measurement, instant_us, tags
from tests.line_protocol import parsed
from tests.series_line import READY, FileLedger, made_ready
from tests.servers import InfluxServer, find_influxd, running

ENCODED: Final = 10_000
COMPARED: Final = 1_000


class Encoding(NamedTuple):
    """CPU µs a line, ours and the library's, of the same readings; a reading gives two."""

    ours_us: float
    library_us: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the library."""
        return self.library_us / self.ours_us


class Drain(NamedTuple):
    """A backlog of readings into a real influxd, read from the journal, encoded, compressed, written, marked."""

    readings_per_s: float
    lines_per_s: float
    over_arrival: float
    """How many times as fast as the same county sends."""


def encoding(journal: Path, inventory: Path, rounds: int) -> Encoding:
    """Times both on the same readings; ``Unmeasured`` if they do not say the same."""
    county = imports.checked(inventory)
    lines = _lines_pct(county)
    points, library = Points(county, lines), _Library(county, lines)
    with closing(RollupReader.open(journal)) as reader:
        readings = [reading for _, reading in reader.readings_after(0, ENCODED)]
    for reading in readings[:COMPARED]:
        ours = sorted(parsed(line) for line, _ in points.of_reading(reading))
        if ours != sorted(map(parsed, library.of_reading(reading))):
            raise Unmeasured(f"the two encoders differ about {reading}")
    count = sum(len(points.of_reading(reading)) for reading in readings)
    for each in readings:
        library.of_reading(each)  # both know their devices before it counts
    ours_s, library_s = [], []
    for _ in range(rounds):
        ours_s.append(_timed(points.of_reading, readings))
        library_s.append(_timed(library.of_reading, readings))
    return Encoding(median(ours_s) / count * 1e6, median(library_s) / count * 1e6)


def drain(folder: Path, journal: Path, inventory: Path, arriving_per_s: float) -> Drain:
    """Starts an influxd and sends every reading of the journal to it. Raises ``Unmeasured``."""
    program = find_influxd(folder / "influxd")
    if program is None:
        raise Unmeasured("there is no influxd; put InfluxDB 2's influxd on PATH, or name it as INFLUXD")
    server = InfluxServer(program, folder / "influx")
    with running(server):
        server.set_up()
        chosen = made_ready(server, folder / "secrets")
        with closing(Journal.open(journal)) as writer, closing(RollupReader.open(journal)) as reader:
            county = imports.checked(inventory)
            took_s, ledger = _drained(writer, reader, chosen, Points(county, _lines_pct(county)), journal)
            count = reader.newest(Stream.READING)
        stored = server.influxql("telemetry", 'SELECT count("delay_s") AS n FROM "device"')
    if not stored or ledger.filed:
        raise Unmeasured(f"InfluxDB took not all of it: {len(ledger.filed)} lines were filed")
    return Drain(count / took_s, ledger.lines / took_s, count / took_s / arriving_per_s)


def _drained(
    writer: Journal, reader: RollupReader, chosen: Influxdb, points: Points, journal: Path
) -> tuple[float, FileLedger]:
    ledger = FileLedger(writer)
    outlet = InfluxOutlet(chosen, WallClock())
    sender = Sender((Readings(points, chosen.bucket),), outlet, ledger, lambda: RollupReader.open(journal), READY)
    writer.admit((Consumer(NAME, Stream.READING),))
    began_s = time.monotonic()
    while sender.run_once(reader):
        pass
    return time.monotonic() - began_s, ledger


class _Library:
    """The same two points as everybody writes them, with the client's ``Point``."""

    def __init__(self, county: Inventory, lines: Mapping[str, float]) -> None:
        self._lines = lines
        self._measurement = {asset.id: str(asset.kind) for asset in county.assets.values()}
        self._tags = {
            device.id: dict(pair.split("=") for pair in tags(county, device.asset, device.id)[1:].split(","))
            for device in county.devices.values()
        }

    def of_reading(self, reading: Reading) -> list[str]:
        """Both as line protocol; one without a field is left out."""
        about, own = LibraryPoint(self._measurement[reading.asset]), LibraryPoint(Measurement.DEVICE)
        for name, value in self._tags[reading.device].items():
            about.tag(name, value)
            own.tag(name, value)
        for name in QUANTITIES:
            value = getattr(reading.values, name)
            if value is not None:
                (own if name in ABOUT_DEVICE else about).field(name, value)
        if reading.judged_pct is not None:
            about.field("fill_pct", reading.judged_pct)
            if reading.asset in self._lines:
                over = reading.judged_pct > self._lines[reading.asset]
                about.field("exposure_points", POINTS_A_SITE if over else 0.0)
        own.field("delay_s", (reading.received_ms - reading.observed_ms) / 1_000)
        if reading.device_ms is not None and reading.clock is not TimeSource.SERVER:
            own.field("clock_lag_s", (reading.received_ms - reading.device_ms) / 1_000)
        at_us = instant_us(reading.observed_ms, reading.seq)
        made = [point.time(at_us, WritePrecision.US).to_line_protocol() for point in (own, about)]
        return [line for line in made if line]


def _lines_pct(county: Inventory) -> Mapping[str, float]:
    return lines_pct(assemble(county, shipped.policy_files())[0].plans)


def _timed(point_out: Callable[[Reading], object], readings: list[Reading]) -> float:
    """CPU seconds for all of them; what is made is let go at once, as after a request."""
    gc.collect()
    began_s = time.process_time()
    for reading in readings:
        point_out(reading)
    return time.process_time() - began_s
