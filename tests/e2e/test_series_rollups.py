"""The same rollups in the journal and in a real InfluxDB, and what InfluxDB makes of the raw points by itself.

The rows are made by the roller from the simulated week; nothing here computes one.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.rollups.rows import DAYS, HOURS, TownRow
from gateway.journal.entry import Rolled
from gateway.journal.reader import JournalReader
from gateway.journal.rollups import RollupReader
from telemetry.series import TAGS, Measurement
from tests.county_week import HOUR_MS, Week
from tests.rolled_week import drain
from tests.series_line import made_ready, series_line
from tests.servers import InfluxServer

HOURLY = (
    "SELECT mean(fill_pct) AS mean, min(fill_pct) AS min, max(fill_pct) AS max, count(fill_pct) AS n FROM bin"
    " WHERE {span} GROUP BY asset, time(1h)"
)

pytestmark = [pytest.mark.e2e, pytest.mark.influxdb]


@pytest.fixture
def week(rolled_week: Week, tmp_path: Path) -> Week:
    return rolled_week.copied(tmp_path / "mine")


def in_journal(week: Week, measurement: Measurement) -> dict[tuple[str, int], dict[str, float]]:
    with closing(RollupReader.open(week.journal)) as reader:
        return {
            (each.subject, each.start_ms): {
                name: float(value)
                for name in each.row.__struct_fields__
                if (value := getattr(each.row, name)) is not None
            }
            for each in reader.all_rollups(measurement, 0, 2**62)
        }


def in_influxdb(influx: InfluxServer, bucket: str, measurement: Measurement) -> dict[tuple[str, int], dict[str, float]]:
    about = "device" if "device" in measurement else "town" if "town" in measurement else "asset"
    return {
        (row[about], row["time"]): {
            name: value for name, value in row.items() if value is not None and name not in {*TAGS, "time"}
        }
        for row in influx.influxql(bucket, f'SELECT * FROM "{measurement}"')  # noqa: S608 -- a name of our own
    }


def hours_with_belated_samples(week: Week) -> set[tuple[str, int]]:
    """The hours of an asset from a sample that came after a younger one of it up to that."""
    youngest_ms: dict[str, int] = {}
    hours: set[tuple[str, int]] = set()
    with closing(JournalReader.open(week.journal)) as reader:
        for _, reading in reader.readings_after(0, 10**9):
            last_ms = youngest_ms.get(reading.asset, 0)
            if reading.observed_ms < last_ms:  # it may change what the younger ones count as, too
                first = reading.observed_ms - reading.observed_ms % HOUR_MS
                hours.update((reading.asset, hour) for hour in range(first, last_ms + 1, HOUR_MS))
            youngest_ms[reading.asset] = max(last_ms, reading.observed_ms)
    return hours


def test_what_was_there_before_influxdb_was_configured_is_there_to_the_last_field(
    week: Week, influx: InfluxServer, tmp_path: Path
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    assert drain(week, chosen).filed == []
    for measurement, bucket in {
        **dict.fromkeys(HOURS, chosen.hourly_bucket),
        **dict.fromkeys(DAYS, chosen.daily_bucket),
    }.items():
        kept = in_journal(week, measurement)
        assert len(kept) > 5
        assert in_influxdb(influx, bucket, measurement) == kept, measurement


def test_a_row_that_changed_overwrites_its_point(week: Week, influx: InfluxServer, tmp_path: Path) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    with closing(RollupReader.open(week.journal)) as reader:
        before = next(iter(reader.all_rollups(Measurement.TOWN_HOUR, 0, 2**62)))
    changed = before._replace(row=TownRow(40.0, 7.0, 3.5))
    drain(week, chosen, (Rolled(rows=(changed,)),))
    found = in_influxdb(influx, chosen.hourly_bucket, Measurement.TOWN_HOUR)
    assert found[before.subject, before.start_ms] == {"sites": 40.0, "sites_over": 7.0, "exposure_points": 3.5}
    assert len(found) == len(in_journal(week, Measurement.TOWN_HOUR))


def test_influxdb_comes_to_the_same_from_the_raw_points(week: Week, influx: InfluxServer, tmp_path: Path) -> None:
    """Mean, least and highest level of every hour, by InfluxQL over the raw bucket, against the row of the journal.

    A sample without an echo counts by what came before it. A point keeps what it counted as when it came, a row what it
    counts as in its place, so that an hour may differ in which one came after a younger one.
    """
    chosen = made_ready(influx, tmp_path / "secrets")
    with series_line(week, chosen) as line:
        line.drain()
    span = f"time >= {week.begins_ms}ms AND time < {week.ends_ms}ms"
    rows: list[dict[str, Any]] = [row for row in influx.influxql(chosen.bucket, HOURLY.format(span=span)) if row["n"]]
    kept = in_journal(week, Measurement.BIN_HOUR)
    differing = []
    for row in rows:
        ours = kept[row["asset"], row["time"]]
        theirs = (row["mean"], row["min"], row["max"], row["n"])
        if theirs != pytest.approx(
            tuple(ours.get(name) for name in ("fill_mean_pct", "fill_min_pct", "fill_max_pct", "samples")), abs=1e-9
        ):
            differing.append((row["asset"], row["time"], row, ours))
    assert len(rows) > 5_000
    belated = hours_with_belated_samples(week)
    assert len(belated) < len(rows) / 4
    assert [each for each in differing if each[:2] not in belated] == []
