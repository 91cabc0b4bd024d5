"""A simulated county through the gateway's own line and the roller, minute by minute on a virtual clock."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alerts.rollups.rows import ROWS, BinRow, DeviceRow, PlantRow, Row
from gateway import shipped
from gateway.journal.rollups import RollupReader
from gateway.metrics import Metrics
from gateway.rollups.roller import Roller
from gateway.rollups.scope import RollupScope
from telemetry.reading import Millis
from telemetry.series import Measurement
from telemetry.wire import Uplink
from tests.e2e.test_restart import Played, play
from tests.laws.test_restart_laws import difference
from tests.virtual_line import VirtualLine

MINUTE, HOUR = 60_000, 3_600_000
HOURS = 32


class Lived:
    """One county lived through; ``restarted`` each so many minutes, with what the broker then holds coming at once."""

    def __init__(self, path: Path, played: Played, *, restart_every: int = 0, away: int = 0) -> None:
        self._path = path
        self._played = played
        self._line = VirtualLine(path, played.inventory, shipped.policy_files(), played.start_ms)
        self._metrics = Metrics()
        self._born()
        self._restart_every = restart_every
        self._away = away

    def live(self) -> dict[Measurement, dict[tuple[int, str], Row]]:
        """Every rollup at the end."""
        queued: list[Uplink] = []
        for number, (end_ms, uplinks) in enumerate(self._played.minutes, start=1):
            queued += uplinks
            if self._restart_every and number % self._restart_every < self._away:
                continue
            if self._restart_every and number % self._restart_every == self._away:
                self._restart(end_ms)
            self._line.take([Uplink(end_ms, one.topic, one.payload) for one in queued])
            queued = []
            self._line.pipeline.advance(end_ms)
            self._line.commit()
            self._work(end_ms)
        self._work(end_ms + HOUR)
        rows = {
            kind: {(each.start_ms, each.subject): each.row for each in self._reader.all_rollups(kind, 0, 2**62)}
            for kind in ROWS
        }
        self.readings = list(self._reader.readings())
        self.bugs = self._metrics.rollup_bugs._value.get()
        self._reader.close()
        self._line.close()
        return rows

    def _work(self, now_ms: Millis) -> None:
        while self._roller.turn(now_ms):
            pass

    def _born(self) -> None:
        self._reader = RollupReader.open(self._path)
        known_ms = self._line.known_ms()
        scope = RollupScope.of(self._played.inventory, self._line.pipeline.county.plans, known_ms)
        self._roller = Roller(scope, self._reader, self._line.keep, self._metrics, breathe=lambda _work: None)

    def _restart(self, at_ms: Millis) -> None:
        self._reader.close()
        self._line.restart(at_ms)
        self._born()


@pytest.fixture(scope="module")
def played() -> Played:
    return play("demo", hours=HOURS)


@pytest.fixture(scope="module")
def calm(played: Played, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lived, Any]:
    lived = Lived(tmp_path_factory.mktemp("calm") / "journal.db", played)
    return lived, lived.live()


def test_every_reading_is_in_one_hour_and_one_day(calm: tuple[Lived, Any]) -> None:
    lived, tables = calm
    readings = Counter(reading["device"] for reading in lived.readings)
    hours = Counter[str]()
    for (_, device), row in tables[Measurement.DEVICE_HOUR].items():
        assert isinstance(row, DeviceRow)
        hours[device] += row.received
    assert +hours == readings
    assert lived.bugs == 0


def test_hours_and_days_are_there_for_everybody(calm: tuple[Lived, Any], played: Played) -> None:
    _, tables = calm
    assets = list(played.inventory.assets.values())
    bins = {asset.id for asset in assets if asset.bin is not None}
    for kind, wanted in ((Measurement.BIN_HOUR, bins), (Measurement.PLANT_HOUR, {a.id for a in assets} - bins)):
        subjects = Counter(subject for _, subject in tables[kind])
        assert subjects == dict.fromkeys(wanted, HOURS)
    assert len(tables[Measurement.BIN_DAY]) == 2 * len(bins), "the evening it began in, and one whole day"
    assert len(tables[Measurement.TOWN_HOUR]) == 2 * HOURS


def test_values_are_those_of_a_county(calm: tuple[Lived, Any]) -> None:
    _, tables = calm
    hours = [row for row in tables[Measurement.BIN_HOUR].values() if isinstance(row, BinRow)]
    assert all(row.over_min <= row.known_min <= 60.0 for row in hours)
    assert sum(row.emptyings for row in hours) > 10
    assert 0 < sum(row.over_min for row in hours) < 0.5 * sum(row.known_min for row in hours)
    ran = [row for row in tables[Measurement.PLANT_DAY].values() if isinstance(row, PlantRow)]
    assert all((row.volume_m3 or 0.0) > 0 for row in ran)
    assert sum(row.state_no_power_s for row in ran) > 0, "the demo cuts three off"


@pytest.mark.parametrize(("every", "away"), [(41, 1), (500, 100)])
def test_restarts_and_outages_change_no_level_volume_or_run_state(
    played: Played, calm: tuple[Lived, Any], tmp_path: Path, every: int, away: int
) -> None:
    """What is delivered late is observed when it was; only how late it came is another value."""
    tables = Lived(tmp_path / "journal.db", played, restart_every=every, away=away).live()
    for kind in (kind for kind in ROWS if kind not in {Measurement.DEVICE_HOUR, Measurement.DEVICE_DAY}):
        assert not difference(tables[kind], calm[1][kind])
