"""What ``doctor`` says of InfluxDB: every part that is well, and each that is not with its remedy."""

from pathlib import Path
from time import time

import pytest

from gateway.health import Part
from gateway.influx.bootstrap import inspected
from gateway.settings import Influxdb
from tests.proxy import Fault, proxied
from tests.series_line import made_ready, settings
from tests.servers import ADMIN_TOKEN, InfluxServer

pytestmark = pytest.mark.influxdb


def ailing(chosen: Influxdb, now_s: float | None = None) -> list[Part]:
    return [part for part in inspected(chosen, now_s or time()) if not part.ready]


def test_a_server_that_was_set_up_is_well(influx: InfluxServer, tmp_path: Path) -> None:
    parts = list(inspected(made_ready(influx, tmp_path), time()))
    assert [part.state for part in parts if not part.ready] == []
    said = "\n".join(part.state for part in parts)
    for word in ("InfluxDB v2.7", "clock is", "may write into all 3 buckets", "keeps points 90 days", "for ever"):
        assert word in said


def mistake(influx: InfluxServer, chosen: Influxdb, name: str) -> None:
    match name:
        case "token":
            chosen.token_file.write_text("nonsense\n")
        case "no token":
            chosen.token_file.unlink()
        case "reader":
            chosen.reader_file.write_text(f"{ADMIN_TOKEN}\n")
        case "bucket":
            influx.ask("DELETE", f"/api/v2/buckets/{influx.bucket_id('telemetry_1d')}")


@pytest.mark.parametrize(
    ("name", "says", "remedy"),
    [
        ("token", "does not know the token in", "cunjing influx setup"),
        ("no token", "[influxdb] token_file", "cunjing influx setup"),
        ("reader", "may write, and should only read", "cunjing influx setup"),
        ("bucket", "no bucket telemetry_1d", "cunjing influx setup"),
    ],
)
def test_each_mistake_is_a_sentence_with_its_remedy(
    name: str, says: str, remedy: str, influx: InfluxServer, tmp_path: Path
) -> None:
    chosen = made_ready(influx, tmp_path)
    mistake(influx, chosen, name)
    parts = ailing(chosen)
    assert any(says in part.state and remedy in part.remedy for part in parts), parts


def test_a_bucket_that_keeps_less_than_configured_is_told(influx: InfluxServer, tmp_path: Path) -> None:
    made_ready(influx, tmp_path, raw_days=30)
    (part,) = ailing(settings(tmp_path, influx.url))
    assert part.state == "the bucket telemetry keeps points 30 days, and 90 days are configured"


def test_a_clock_that_differs_is_told(influx: InfluxServer, tmp_path: Path) -> None:
    chosen = made_ready(influx, tmp_path)
    (part,) = ailing(chosen, time() + 300)
    assert part.state.startswith("the server's clock is")
    assert part.state.endswith("s behind")
    assert "NTP" in part.remedy


def test_where_nobody_or_a_stranger_answers_that_alone_is_told(influx: InfluxServer, tmp_path: Path) -> None:
    chosen = made_ready(influx, tmp_path)
    (part,) = ailing(chosen.model_copy(update={"url": "http://127.0.0.1:9"}))
    assert "does not answer" in part.state
    with proxied(influx.url) as proxy:
        proxy.fault = lambda _path, _size: Fault(204, b"", {"X-Influxdb-Version": "v3.9.0-core"})
        (part,) = ailing(settings(tmp_path, proxy.url))
    assert "is InfluxDB v3.9.0-core" in part.state
