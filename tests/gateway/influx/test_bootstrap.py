"""``cunjing influx setup`` on a real server: what it makes, that it makes it once, and what it says when it cannot."""

import stat
from pathlib import Path

import httpx
import pytest

from gateway.influx.answers import WriteVerdict, verdict
from gateway.influx.bootstrap import Unfinished, set_up
from gateway.influx.server import Server
from gateway.settings import Influxdb, SettingsFault
from tests.proxy import Fault, proxied
from tests.series_line import made_ready, settings
from tests.servers import ADMIN_TOKEN, ORG, InfluxServer, running

pytestmark = pytest.mark.influxdb

BUCKETS = {"telemetry": 90 * 86_400, "telemetry_1h": 3 * 366 * 86_400, "telemetry_1d": 0}


@pytest.fixture
def admin(tmp_path: Path) -> Path:
    path = tmp_path / "admin"
    path.write_text(ADMIN_TOKEN, "utf-8")
    return path


def test_it_makes_buckets_databases_and_tokens(influx: InfluxServer, tmp_path: Path, admin: Path) -> None:
    steps = list(set_up(settings(tmp_path, influx.url), admin))
    assert sum(step.changed for step in steps) == 8
    found = {each["name"]: each["retentionRules"] for each in influx.ask("GET", "/api/v2/buckets")["buckets"]}
    for name, seconds in BUCKETS.items():
        assert sum(rule["everySeconds"] for rule in found[name]) == seconds
        assert influx.influxql(name, "SHOW MEASUREMENTS") == []
    for name in ("influxdb", "influxdb-read"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_second_time_changes_nothing(influx: InfluxServer, tmp_path: Path, admin: Path) -> None:
    chosen = settings(tmp_path, influx.url)
    list(set_up(chosen, admin))
    before = {name: (tmp_path / name).read_bytes() for name in ("influxdb", "influxdb-read")}
    steps = list(set_up(chosen, admin))
    assert [step.said for step in steps if step.changed] == []
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert len(influx.ask("GET", "/api/v2/authorizations")["authorizations"]) == 3


def test_a_fresh_server_gets_its_operator_too(influxd: Path, tmp_path: Path) -> None:
    server = InfluxServer(influxd, tmp_path / "fresh")
    with running(server):
        chosen = settings(tmp_path, server.url)
        said = [step.said for step in set_up(chosen, tmp_path / "made" / "admin")]
        assert any("set up with the user cunjing" in each for each in said)
        assert not any(step.changed for step in set_up(chosen, tmp_path / "made" / "admin"))
        assert stat.S_IMODE((tmp_path / "made" / "admin").stat().st_mode) == 0o600


def test_a_fresh_server_takes_the_operators_secrets_that_are_there(influxd: Path, tmp_path: Path) -> None:
    admin, password = tmp_path / "admin", tmp_path / "admin-password"
    admin.write_text("a-token-made-before\n", "ascii")
    password.write_text("a-password-made-before\n", "ascii")
    server = InfluxServer(influxd, tmp_path / "fresh")
    with running(server):
        assert any(step.changed for step in set_up(settings(tmp_path, server.url), admin))
        signed_in = httpx.post(f"{server.url}/api/v2/signin", auth=("cunjing", "a-password-made-before"), timeout=120)
        assert signed_in.status_code == httpx.codes.NO_CONTENT
    assert admin.read_text("ascii") == "a-token-made-before\n"
    assert password.read_text("ascii") == "a-password-made-before\n"


def test_each_token_may_do_its_own_and_nothing_else(influx: InfluxServer, tmp_path: Path) -> None:
    chosen = made_ready(influx, tmp_path)
    line = [b"device,asset=a,county=c,device=d,town=t,village=v delay_s=1.0 1795334400000000"]
    with Server(chosen, chosen.token_file.read_text().strip()) as writer:
        assert [verdict(writer.write(name, line)) for name in BUCKETS] == [WriteVerdict.STORED] * 3
        assert verdict(writer.write("unused", line)) is WriteVerdict.PAUSED
        assert writer.ask("GET", "/api/v2/buckets")[1]["buckets"] == []
    with Server(chosen, chosen.reader_file.read_text().strip()) as reader:
        assert {verdict(reader.write(name, line)) for name in BUCKETS} == {WriteVerdict.PAUSED}
    headers = {"Authorization": f"Token {chosen.reader_file.read_text().strip()}"}
    query = {"db": "telemetry", "q": "SELECT count(delay_s) FROM device"}
    assert "series" in httpx.get(f"{influx.url}/query", params=query, headers=headers).json()["results"][0]


def test_what_was_lost_or_changed_is_made_again(influx: InfluxServer, tmp_path: Path, admin: Path) -> None:
    chosen = made_ready(influx, tmp_path)
    influx.ask("DELETE", f"/api/v2/buckets/{influx.bucket_id('telemetry_1h')}")
    chosen.token_file.write_text("not a token\n", "utf-8")
    longer = chosen.model_copy(update={"raw_days": 30})
    said = [step.said for step in set_up(longer, admin) if step.changed]
    assert said == [
        "bucket telemetry now keeps points 30 days",
        "bucket telemetry_1h made, keeps points 1098 days",
        "InfluxQL database telemetry_1h made, leads to its bucket",
        f"{chosen.token_file} holds a new token that writes",
        f"{chosen.reader_file} holds a new token that reads",
    ]
    assert not any(step.changed for step in set_up(longer, admin))


@pytest.mark.parametrize(
    ("version", "says"),
    [("3.9.0", "is InfluxDB 3.9.0, and InfluxDB 2 is needed"), ("1.8.10", "is InfluxDB 1.8.10"), ("", "does not say")],
)
def test_another_influxdb_is_refused_with_a_sentence(
    version: str, says: str, influx: InfluxServer, tmp_path: Path, admin: Path
) -> None:
    with proxied(influx.url) as proxy:
        headers = {"X-Influxdb-Version": version} if version else {}
        proxy.fault = lambda path, _size: Fault(204, b"", headers) if path == "/ping" else None
        with pytest.raises(Unfinished, match=says):
            list(set_up(settings(tmp_path, proxy.url), admin))


def refused(chosen: Influxdb, admin: Path) -> str:
    with pytest.raises((Unfinished, SettingsFault)) as caught:
        list(set_up(chosen, admin))
    return str(caught.value)


def test_what_cannot_go_on_is_one_sentence_with_its_remedy(influx: InfluxServer, tmp_path: Path, admin: Path) -> None:
    chosen = settings(tmp_path, influx.url)
    unreachable = chosen.model_copy(update={"url": "http://127.0.0.1:9"})
    assert "start it, or correct [influxdb] url" in refused(unreachable, admin)
    assert "has no organisation nobody" in refused(chosen.model_copy(update={"org": "nobody"}), admin)
    assert "--admin-token-file" in refused(chosen, tmp_path / "not there")
    (tmp_path / "wrong").write_text("wrong", "utf-8")
    assert "is not the operator's" in refused(chosen, tmp_path / "wrong")
    gateways = made_ready(influx, tmp_path).token_file
    assert ORG in refused(chosen, gateways)
