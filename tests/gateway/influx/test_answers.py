"""What each answer of a server means, and the one sentence about it."""

from pathlib import Path

import pytest

from gateway.influx.answers import WriteAnswer, WriteVerdict, stranger, trouble, verdict
from gateway.settings import Influxdb

SETTINGS = Influxdb(url="http://127.0.0.1:8086", org="cunjing", bucket="telemetry", token_file=Path("secrets/influxdb"))


@pytest.mark.parametrize(
    ("statuses", "means"),
    [
        ((200, 204, 299), WriteVerdict.STORED),
        ((413,), WriteVerdict.TOO_LARGE),
        ((400, 422), WriteVerdict.REFUSED),
        ((0, 408, 425, 429, 500, 502, 503, 504, 599), WriteVerdict.LATER),
        ((401, 403, 404, 301, 302, 405, 410, 418, 100), WriteVerdict.PAUSED),
    ],
)
def test_only_a_2xx_is_stored_and_what_is_unknown_pauses(statuses: tuple[int, ...], means: WriteVerdict) -> None:
    assert [verdict(WriteAnswer(status)) for status in statuses] == [means] * len(statuses)


@pytest.mark.parametrize(
    ("status", "says", "remedy"),
    [
        (0, "InfluxDB does not answer at http://127.0.0.1:8086 (refused)", "start it, or correct [influxdb] url"),
        (401, "InfluxDB does not know the token in secrets/influxdb", "run `cunjing influx setup`"),
        (403, "the token in secrets/influxdb may not write into the bucket telemetry", "run `cunjing influx setup`"),
        (404, "InfluxDB has no bucket telemetry in the organisation cunjing", "correct [influxdb] org and bucket"),
        (429, "InfluxDB asks for patience", "it is tried again"),
        (503, "InfluxDB is in trouble: HTTP 503", "look at its log"),
        (301, "what answers at http://127.0.0.1:8086 gives HTTP 301 to a write", "correct [influxdb] url"),
    ],
)
def test_trouble_is_a_sentence_with_a_remedy_and_nothing_is_lost(status: int, says: str, remedy: str) -> None:
    part = trouble(WriteAnswer(status, "refused"), SETTINGS, "telemetry")
    assert not part.ready
    assert part.state.startswith(says)
    assert remedy in part.remedy
    assert "everything is kept" in part.remedy


@pytest.mark.parametrize("version", ["v2.7.12", "2.9.1", "v2.0.0-rc1"])
def test_an_influxdb_2_is_no_stranger(version: str) -> None:
    assert stranger(version, SETTINGS) is None


@pytest.mark.parametrize("version", ["v3.9.0-core", "1.8.10", "3.0.0", ""])
def test_another_server_is_told_in_a_sentence(version: str) -> None:
    part = stranger(version, SETTINGS)
    assert part is not None
    assert (version or "does not say") in part.state
    assert "run InfluxDB 2" in part.remedy
