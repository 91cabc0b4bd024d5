"""What ``cunjing init`` leaves, run by real programs instead of containers: from a device to InfluxDB.

Folders, files, commands and environments are those of docker-compose.yml; only addresses are told anew, by variables.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.installation import installed
from tests.compose.broker import Broker, Guest, until
from tests.compose.compose_file import ROOT, SERVICES, image_health_check, mounts
from tests.conftest import require_mosquitto
from tests.servers import GrafanaServer, InfluxServer, free_port, running

pytestmark = pytest.mark.e2e

UNAUTHORIZED = httpx.codes.UNAUTHORIZED


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    (tmp_path / "installation").mkdir()
    list(installed(tmp_path / "installation", {}))
    return tmp_path / "installation"


def environment(service: str, here: Path) -> dict[str, str]:
    """What compose gives a service, with the paths inside its container as they are on this side."""
    given: dict[str, str] = SERVICES[service].get("environment", {})
    return {name: on_this_side(service, value, here) for name, value in given.items()}


def on_this_side(service: str, text: str, here: Path) -> str:
    for mount in sorted(mounts(service), key=lambda mount: len(mount.target), reverse=True):
        source = ROOT / mount.source if (ROOT / mount.source).exists() else here / mount.source
        text = text.replace(mount.target, str(source.resolve()))
    return text


class ComposedInfluxDB(InfluxServer):
    """influxd with nothing but what compose gives it, and a port of this machine."""

    def __init__(self, program: Path, folder: Path, given: Mapping[str, str]) -> None:
        super().__init__(program, folder)
        self._given = given

    def _command(self) -> list[str]:
        return [str(self._program)]

    def _environment(self) -> Mapping[str, str]:
        return {**self._given, "INFLUXD_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}"}


class Commands:
    """``cunjing`` in the installation's folder, as its containers run it."""

    def __init__(self, here: Path, addresses: Mapping[str, str]) -> None:
        self._here = here
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **addresses}

    def tell(self, addresses: Mapping[str, str]) -> None:
        """More addresses, for the commands that follow."""
        self._environment |= addresses

    def run(self, *words: str) -> str:
        """Ends well, and what it said."""
        said: subprocess.CompletedProcess[str] = subprocess.run(
            self._command(words), capture_output=True, text=True, check=False, **self._where()
        )
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Runs while the context lasts; SIGTERM must end it well."""
        with (self._here / "gateway.log").open("wb") as log:
            process = subprocess.Popen(self._command(words), stdout=log, stderr=log, **self._where())
        try:
            yield process
            process.terminate()
            assert process.wait(120) == 0
        finally:
            process.kill()
            process.wait()

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", *words]

    def _where(self) -> dict[str, Any]:
        return {"cwd": self._here, "env": self._environment}


def ready(desk: str) -> bool:
    try:
        return httpx.get(f"{desk}/readyz", timeout=20).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.mark.broker
@pytest.mark.influxdb
@pytest.mark.grafana
def test_what_init_made_becomes_ready_and_a_devices_reading_arrives(
    installation: Path, influxd: Path, grafana_home: Path, tmp_path: Path
) -> None:
    require_mosquitto()
    (tmp_path / "mosquitto").mkdir()
    broker = Broker(installation, tmp_path / "mosquitto")
    broker.admit("bin-0101", "one")
    influx = ComposedInfluxDB(influxd, tmp_path / "influxd", environment("influxdb", installation))
    desk = free_port()
    addresses = {
        "CUNJING_MQTT__URL": f"mqtt://127.0.0.1:{broker.house}",
        "CUNJING_INFLUXDB__URL": influx.url,
        "CUNJING_DESK__LISTEN": f"127.0.0.1:{desk}",
    }
    cunjing = Commands(installation, addresses)
    with broker.running(), running(influx):
        steps = cunjing.run(*SERVICES["influxdb-setup"]["command"]).splitlines()
        assert len([line for line in steps if line.startswith("made")]) == 9
        assert (installation / "data/influxdb/influxd.bolt").is_file()
        with cunjing.running("gateway", "--config", "config/gateway.toml") as gateway:
            until(lambda: ready(f"http://127.0.0.1:{desk}") or gateway.poll() is not None, 240)
            assert gateway.poll() is None, (installation / "gateway.log").read_text("utf-8")
            assert healthy(desk)
            payload = b'{"v":1,"boot":1,"seq":1,"readings":{"distance_mm":700,"battery_pct":90}}'
            Guest(broker.devices, "bin-0101", "bin-0101", "one").says("cunjing/v1/hewan/bin-0101/telemetry", payload)
            until(lambda: arrived(influx, installation) == 1, 240)
            grafana = composed_grafana(installation, grafana_home, tmp_path / "grafana", influx.url)
            with running(grafana):
                cunjing.tell({"CUNJING_GRAFANA__URL": grafana.url, "CUNJING_GRAFANA__INFLUXDB_URL": influx.url})
                report = cunjing.run("doctor")
                assert "PROBLEM" not in report
                assert "boards are as this version makes them" in report
        assert not healthy(desk)
    assert (installation / "data/gateway/journal.db").is_file()


def healthy(desk: int) -> bool:
    """What the image's own health check says, with the port of this machine."""
    program, *words = image_health_check()
    assert program == "python"
    assert words[-1].count(" 8080,") == 1
    words[-1] = words[-1].replace(" 8080,", f" {desk},")
    said = subprocess.run([sys.executable, *words], capture_output=True, check=False)
    return said.returncode == 0


def arrived(influx: InfluxServer, here: Path) -> int:
    """How many readings Grafana's own token finds, by the InfluxQL database that set-up made."""
    token = (here / "secrets/grafana/influxdb-read").read_text("ascii").strip()
    query = {"db": "telemetry", "q": 'SELECT count("delay_s") FROM "device"'}
    answer = httpx.get(f"{influx.url}/query", params=query, headers={"Authorization": f"Token {token}"}, timeout=120)
    series = answer.raise_for_status().json()["results"][0].get("series", ())
    return sum(row[1] for each in series for row in each["values"])


@pytest.mark.influxdb
def test_set_up_as_often_as_one_likes_and_init_again_change_nothing(
    installation: Path, influxd: Path, tmp_path: Path
) -> None:
    influx = ComposedInfluxDB(influxd, tmp_path / "influxd", environment("influxdb", installation))
    cunjing = Commands(installation, {"CUNJING_INFLUXDB__URL": influx.url})
    with running(influx):
        cunjing.run(*SERVICES["influxdb-setup"]["command"])
        before = {path: path.read_bytes() for path in (installation / "secrets").rglob("*") if path.is_file()}
        assert "made" not in cunjing.run(*SERVICES["influxdb-setup"]["command"])
        assert "made" not in cunjing.run("init")
        assert {path: path.read_bytes() for path in (installation / "secrets").rglob("*") if path.is_file()} == before
        password = (installation / "secrets/operator/influxdb-password").read_text("ascii").strip()
        signed_in = httpx.post(f"{influx.url}/api/v2/signin", auth=("cunjing", password), timeout=120)
        assert signed_in.status_code == httpx.codes.NO_CONTENT


@pytest.mark.grafana
def test_grafana_starts_with_what_compose_gives_it(installation: Path, grafana_home: Path, tmp_path: Path) -> None:
    """Secrets as its image reads them: a variable that ends in __FILE is the content of the file that it names."""
    (installation / "secrets/grafana/influxdb-read").write_text("a token\n", "ascii")
    server = composed_grafana(installation, grafana_home, tmp_path / "grafana")
    with running(server):
        password = (installation / "secrets/grafana/admin").read_text("ascii").strip()
        assert httpx.get(f"{server.url}/api/org", auth=("admin", "admin"), timeout=120).status_code == UNAUTHORIZED
        assert httpx.get(f"{server.url}/api/org", timeout=120).status_code == UNAUTHORIZED
        boards = len(list((ROOT / "dashboards/generated").rglob("*.json")))
        with httpx.Client(base_url=server.url, auth=("admin", password), timeout=120) as asked:
            assert asked.get("/api/org").status_code == httpx.codes.OK
            until(lambda: len(asked.get("/api/search", params={"type": "dash-db"}).json()) == boards, 240)
            assert bool(asked.get("/api/datasources").json()) == (ROOT / "config/grafana/provisioning").exists()


def composed_grafana(here: Path, program: Path, folder: Path, influxdb_url: str = "") -> GrafanaServer:
    """Grafana with what compose gives it; a variable that ends in __FILE is the content of the file that it names."""
    given = {}
    for name, value in environment("grafana", here).items():
        plain = name.removesuffix("__FILE")
        given[plain] = value if plain == name else Path(value).read_text("ascii").strip()
    server = GrafanaServer(program, folder, given)
    shipped = ROOT / "config/grafana/provisioning"
    for source in shipped.rglob("*.y*ml"):
        target = server.provisioning / source.relative_to(shipped)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = on_this_side("grafana", source.read_text("utf-8"), here)
        target.write_text(text.replace("http://influxdb:8086", influxdb_url or "http://influxdb:8086"), "utf-8")
    return server
