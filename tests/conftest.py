"""Real parts for tests: started on loopback, or skipped with what is missing (with CI=true a failure).

A CI machine that cannot have a part says so by name: ``CUNJING_WITHOUT="influxd grafana"`` skips there as well.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from time import time
from typing import NoReturn

import pytest
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from gateway import logs
from gateway.embedded_broker import SWITCH, Embedded, embedded_broker, find_mosquitto
from tests.browser import chromium, find_chromium
from tests.case_list import held_nodes
from tests.county_week import HOUR_MS, Week, lived
from tests.order import dealt
from tests.rolled_week import rolled
from tests.servers import GrafanaServer, InfluxServer, find_grafana, find_influxd, running
from tests.smsd import Smsd, find_smsd

# As the gateway logs: what its threads say never stands in what a command prints.
logs.configure(bounded=False)

# Timings decide no test: a machine may be slow, and an example with it.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def missing(part: str, reason: str) -> NoReturn:
    if os.environ.get("CI") == "true" and part not in os.environ.get("CUNJING_WITHOUT", "").split():
        pytest.fail(reason)
    pytest.skip(reason)


HELD = held_nodes()
UMASK = os.umask(0o022)
os.umask(UMASK)
LOGGED = structlog.get_config()


def pytest_xdist_auto_num_workers() -> int | None:
    """Two more than there are cores: a test that waits for a real process leaves its core to another file."""
    said = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if said else len(os.sched_getaffinity(0)) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {file: number for number, file in enumerate(dealt(dict.fromkeys(str(item.path) for item in items)))}
    items.sort(key=lambda item: place[str(item.path)])


@pytest.fixture(autouse=True)
def _as_the_session_began() -> None:
    """A command takes the rights of others from all that its process makes, and may log only what is grave."""
    os.umask(UMASK)
    structlog.configure(**LOGGED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that holds a numbered case is never skipped in CI: then nobody would know that the case is back."""
    report = yield
    held = item.nodeid in HELD or item.nodeid.partition("[")[0] in HELD
    if report.skipped and held and os.environ.get("CI") == "true" and not os.environ.get("CUNJING_WITHOUT"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} holds a case of tests/cases.yaml and was skipped: {report.longrepr}"
    return report


def require_mosquitto() -> None:
    if find_mosquitto() is None:
        hidden = f" ({SWITCH}=none hides it)" if os.environ.get(SWITCH) == "none" else ""
        missing("mosquitto", f"mosquitto is not here{hidden}; install the Debian package mosquitto")


@pytest.fixture
def needs_mosquitto() -> None:
    require_mosquitto()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Embedded]:
    require_mosquitto()
    with embedded_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture(scope="session")
def faketime() -> Path:
    """The library under which a process is told another time of day."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else missing("faketime", "libfaketime is not here; install the Debian package faketime")


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The program."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    return Path(found) if found else missing("nginx", "nginx is not here; install the Debian package nginx-light")


@pytest.fixture
def smsd(tmp_path: Path) -> Iterator[Smsd]:
    """A real gammu-smsd with a dummy modem, running."""
    if find_smsd() is None:
        missing("gammu-smsd", "gammu-smsd is not here; install the Debian packages gammu-smsd and libdbd-sqlite3")
    daemon = Smsd(tmp_path / "smsd")
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    return find_influxd(tmp_path_factory.getbasetemp() / "influxd") or missing(
        "influxd", "influxd is not here; put InfluxDB 2's influxd on PATH, or name it as INFLUXD"
    )


@pytest.fixture
def influx(influxd: Path, tmp_path: Path) -> Iterator[InfluxServer]:
    """A real InfluxDB that knows its operator and nothing else."""
    server = InfluxServer(influxd, tmp_path / "influx")
    with running(server):
        server.set_up()
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser without a window."""
    program = find_chromium() or missing(
        "chromium", "chromium is not here; install the Debian packages chromium and fonts-noto-cjk"
    )
    with chromium(program) as started:
        yield started


@pytest.fixture(scope="session")
def lived_week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """The week that ended an hour ago; copy it before you change its journal."""
    now_ms = int(time() * 1_000)
    return lived(tmp_path_factory.mktemp("week"), now_ms - now_ms % HOUR_MS - HOUR_MS)


@pytest.fixture(scope="session")
def rolled_week(lived_week: Week, tmp_path_factory: pytest.TempPathFactory) -> Week:
    """The same week with the rollups of its hours and days; copy it before you change its journal."""
    return rolled(lived_week, tmp_path_factory.mktemp("rolled"))


@pytest.fixture(scope="session")
def grafana_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program is."""
    return find_grafana(tmp_path_factory.getbasetemp() / "grafana") or missing(
        "grafana", "Grafana is not here; name the folder of its server, with ./grafana and home/, as GRAFANA_HOME"
    )


@pytest.fixture
def grafana(grafana_home: Path, tmp_path: Path) -> Iterator[GrafanaServer]:
    """A real Grafana server with nothing in it."""
    server = GrafanaServer(grafana_home, tmp_path / "grafana")
    with running(server):
        yield server
