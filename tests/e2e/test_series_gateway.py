"""A real gateway beside a real InfluxDB: killed while it drains, refused by it, without it; alerts never notice.

What a request may do to the stream is tests/e2e/test_series.py; here whole processes are started and killed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event

import pytest

from gateway.embedded_broker import Embedded
from tests.county_week import Week
from tests.e2e.gateway_process import Installation, until
from tests.grafana_thirteen import TOKEN, thirteen
from tests.proxy import Fault, Proxy, proxied
from tests.series_line import made_ready
from tests.servers import InfluxServer

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.influxdb]

SEED = 20_261_124
KILLS = 8


def installation(folder: Path, broker: Embedded, week: Week, url: str, secrets: Path) -> Installation:
    """A gateway on the week's journal, that writes to InfluxDB at ``url``."""
    table = f"""
            [influxdb]
            url = "{url}"
            org = "cunjing"
            bucket = "telemetry"
            token_file = "{secrets / "influxdb"}"
    """
    made = Installation(folder, broker, week.inventory_text, more=table)
    shutil.copyfile(week.journal, made.journal)
    return made


def stored(influx: InfluxServer) -> int:
    rows = influx.influxql("telemetry", 'SELECT count("delay_s") AS n FROM "device"')
    return int(rows[0]["n"]) if rows else 0


def kept(gateway: Installation) -> int:
    ((found,),) = gateway.rows("SELECT count(*) FROM reading")
    return int(found)


@contextmanager
def slow(upstream: str, delay_s: float) -> Iterator[Proxy]:
    with proxied(upstream) as proxy:
        proxy.fault = lambda path, _size: Fault(delay_s=delay_s) if path == "/api/v2/write" else None
        yield proxy


def live_until(gateway: Installation, proxy: Proxy, requests: int, then_s: float) -> None:
    """One life of the gateway: until so many requests were answered and so many seconds more; then SIGKILL."""
    process, aim = gateway.start(), len(proxy.requests) + requests
    until(lambda: len(proxy.requests) >= aim or not process.is_alive(), 20)
    assert process.is_alive(), gateway.last_words()
    Event().wait(then_s)
    process.kill()
    process.join()


def test_a_gateway_that_is_killed_while_it_drains_loses_and_doubles_nothing(
    tmp_path: Path, mosquitto: Embedded, lived_week: Week, influx: InfluxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    made_ready(influx, tmp_path / "secrets")
    instants = Random(SEED)
    with slow(influx.url, 0.05) as proxy:
        gateway = installation(tmp_path / "gateway", mosquitto, lived_week, proxy.url, tmp_path / "secrets")
        for number in range(KILLS):
            live_until(gateway, proxy, requests=2 + number % 3, then_s=instants.uniform(0, 0.2))
        before = stored(influx)
        with gateway.running():
            until(lambda: stored(influx) >= kept(gateway), 60)
    there, all_of_them = stored(influx), kept(gateway)
    with capsys.disabled():
        print(  # noqa: T201 -- the counts are what one runs it for
            f"\n{KILLS} kills while draining, after them {before} of {all_of_them} readings; in the end {there} stored,"
            f" ratio {there / all_of_them:.3f}"
        )
    assert there == all_of_them
    assert gateway.rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_a_refused_token_is_said_everywhere_and_stops_nothing_else(
    tmp_path: Path, mosquitto: Embedded, lived_week: Week, influx: InfluxServer
) -> None:
    made_ready(influx, tmp_path / "secrets")
    (tmp_path / "secrets" / "influxdb").write_text("revoked\n")
    gateway = installation(tmp_path / "gateway", mosquitto, lived_week, influx.url, tmp_path / "secrets")
    with gateway.running():
        until(lambda: gateway.ready()["parts"]["series"]["ready"] is False, 20)
        ready = gateway.ready()
        assert ready["ready"] is True
        assert "does not know the token" in ready["parts"]["series"]["state"]
        assert "cunjing influx setup" in ready["parts"]["series"]["remedy"]
        assert 'cunjing_series_paused{part="series"} 1.0' in gateway.metrics()
        raised = "SELECT count(*) FROM event WHERE event = 'raised' AND episode LIKE 'series_paused/series/%'"
        until(lambda: gateway.rows(raised) == [(1,)], 20)
        assert f"cunjing_series_behind_readings {kept(gateway)}.0" in gateway.metrics()
        assert stored(influx) == 0
    made_ready(influx, tmp_path / "secrets")
    with gateway.running():
        until(lambda: stored(influx) == kept(gateway), 60)
        cleared = "SELECT count(*) FROM event WHERE event = 'cleared' AND episode LIKE 'series_paused/series/%'"
        until(lambda: gateway.rows(cleared) == [(1,)], 20)
        assert gateway.ready()["parts"]["series"]["ready"] is True


def test_a_dead_influxdb_changes_nothing_for_anybody_else(
    tmp_path: Path, mosquitto: Embedded, lived_week: Week, influx: InfluxServer
) -> None:
    made_ready(influx, tmp_path / "secrets")
    influx.kill()
    gateway = installation(tmp_path / "gateway", mosquitto, lived_week, influx.url, tmp_path / "secrets")
    with gateway.running():
        until(lambda: gateway.ready()["parts"]["series"]["ready"] is False, 20)
        assert gateway.ready()["ready"] is True
        influx.start()
        until(lambda: stored(influx) == kept(gateway), 90)


def test_what_was_lost_on_the_other_side_is_sent_again_on_request(
    tmp_path: Path, mosquitto: Embedded, lived_week: Week, influx: InfluxServer
) -> None:
    made_ready(influx, tmp_path / "secrets")
    gateway = installation(tmp_path / "gateway", mosquitto, lived_week, influx.url, tmp_path / "secrets")
    with gateway.running():
        until(lambda: stored(influx) == kept(gateway), 60)
        influx.ask("DELETE", f"/api/v2/buckets/{influx.bucket_id('telemetry')}")
        made_ready(influx, tmp_path / "secrets")
        assert stored(influx) == 0
        gateway.post("/api/v1/series/resend", {"since_ms": 0})
        until(lambda: stored(influx) == kept(gateway), 90)


def test_the_running_gateway_keeps_the_episodes_on_the_boards(
    tmp_path: Path, mosquitto: Embedded, lived_week: Week
) -> None:
    """Its first look is at its start; what it puts there is what the journal has."""
    (tmp_path / "grafana").write_text(f"{TOKEN}\n", "utf-8")
    with thirteen() as double:
        table = f"""
            [grafana]
            url = "{double.url}"
            token_file = "{tmp_path / "grafana"}"
    """
        gateway = Installation(tmp_path / "gateway", mosquitto, lived_week.inventory_text, more=table)
        shutil.copyfile(lived_week.journal, gateway.journal)
        with gateway.running():
            until(lambda: len(double.notes) > 0, 20)
        urgent = gateway.rows("SELECT episode FROM alert WHERE severity IN ('P1', 'P2')")
    assert {note["tags"][-1] for note in double.notes} <= {episode for (episode,) in urgent}
