"""Real servers for tests, on loopback ports of their own: InfluxDB and Grafana, found, unpacked, started and ended.

A server dies with the test that started it, also when the test is killed. What the product does with them is not here.
"""

import lzma
import os
import shutil
import signal
import socket
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import httpx

from gateway.embedded_broker import dies_with_us
from tests.plain import PLAIN

PACKED: Final = Path(__file__).parents[2] / "shared" / "bin"
"""Where both stand packed beside the checkout, on machines that have them."""

ORG: Final = "cunjing"
ADMIN_TOKEN: Final = "the-operators-token"  # noqa: S105 -- of a server that lives for one test
ADMIN_PASSWORD: Final = "the-admins-password"  # noqa: S105 -- the same
STARTS_WITHIN_S: Final = 300.0
"""Grafana makes its database anew at each first start, which takes a minute where cores are busy."""

PORTS: Final = range(10_000, 30_000)
"""Below those that a system hands out by itself, so that no connection of anybody's takes one meanwhile."""
_NEXT: Final = count(os.getpid() * 20)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago, another at each call: two servers may be started after it."""
    while True:
        port = PORTS[next(_NEXT) % len(PORTS)]
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def find_influxd(unpack_to: Path) -> Path | None:
    """``$INFLUXD``, or influxd on PATH, or the packed one; ``None`` where there is none."""
    named = os.environ.get("INFLUXD") or shutil.which("influxd")
    if named:
        return Path(named)
    packed = next(iter(sorted(PACKED.glob("influxd-2*-linux-amd64.xz"))), None)
    if packed is None:
        return None
    program = unpack_to / "influxd"
    if not program.exists():
        unpack_to.mkdir(parents=True, exist_ok=True)
        with lzma.open(packed) as source, program.open("wb") as target:
            shutil.copyfileobj(source, target)
        program.chmod(0o755)
    return program


def find_grafana(unpack_to: Path) -> Path | None:
    """``$GRAFANA_HOME``, or the packed one; the folder in which ``./grafana -homepath home`` runs."""
    named = os.environ.get("GRAFANA_HOME")
    if named:
        return Path(named)
    packed = next(iter(sorted(PACKED.glob("grafana-*-linux-amd64.tar.xz"))), None)
    if packed is None:
        return None
    folder = unpack_to / packed.name.removesuffix("-linux-amd64.tar.xz")
    if not folder.exists():
        unpack_to.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed) as archive:
            # Python before 3.11.4 knows no filters; the archive is one that somebody put there for us.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
            archive.extractall(unpack_to)  # noqa: S202 -- filtered, see above
    return folder


class Server:
    """One process on one port; it may be stopped, killed and started again on the same data."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers; one that trips over its own first start is started once more."""
        self._process, is_first = self._launch(), True
        ends = monotonic() + STARTS_WITHIN_S
        while not self._answers():
            said = (self.folder / "log").read_text("utf-8", "replace")[-2_000:]
            if is_first and self._process.poll() is not None and self._trips_over(said):
                self._process, is_first = self._launch(), False
            assert self._process.poll() is None, f"it ended: {said}"
            assert monotonic() < ends, f"it does not answer: {said}"
            Event().wait(0.1)

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*dies_with_us(), *self._command()],
                cwd=self._runs_in(),
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """SIGTERM, and it must end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: it has no time to save anything."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(120)
            self._process = None

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}{self._health()}", timeout=2, verify=PLAIN).status_code == httpx.codes.OK
        return False

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _runs_in(self) -> Path:
        return self.folder

    def _environment(self) -> Mapping[str, str]:
        return {}

    def _health(self) -> str:
        raise NotImplementedError

    def _trips_over(self, said: str) -> bool:
        """Whether what it said at its end is a known fault of its own, which a second start does not meet."""
        del said
        return False


class InfluxServer(Server):
    """A real influxd. ``set_up`` makes its organisation and the operator's token, and nothing else."""

    def __init__(self, program: Path, folder: Path) -> None:
        super().__init__(folder)
        self._program = program

    def _command(self) -> list[str]:
        at = [f"--bolt-path={self.folder}/i.bolt", f"--sqlite-path={self.folder}/i.sqlite"]
        at += [f"--engine-path={self.folder}/engine", f"--http-bind-address=127.0.0.1:{self.port}"]
        return [str(self._program), *at, "--reporting-disabled", "--log-level=warn"]

    def _health(self) -> str:
        return "/health"

    def set_up(self) -> None:
        """What a fresh server is given by its operator: an organisation, a user, an all-access token."""
        body = {"username": "admin", "password": ADMIN_PASSWORD, "org": ORG, "bucket": "unused", "token": ADMIN_TOKEN}
        self.ask("POST", "/api/v2/setup", json=body)

    def ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 -- httpx's own keywords, any JSON
        """Asks the API as the operator; what it answers as JSON."""
        headers = {"Authorization": f"Token {ADMIN_TOKEN}", **content.pop("headers", {})}
        answer = httpx.request(method, f"{self.url}{path}", headers=headers, timeout=240, verify=PLAIN, **content)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def text(self, method: str, path: str, **content: Any) -> str:  # noqa: ANN401 -- httpx's own keywords
        """Asks the API as the operator; what it answers as it stands."""
        headers = {"Authorization": f"Token {ADMIN_TOKEN}", **content.pop("headers", {})}
        answer = httpx.request(method, f"{self.url}{path}", headers=headers, timeout=240, verify=PLAIN, **content)
        assert answer.is_success, answer.text
        return answer.text

    def org_id(self) -> str:
        """The organisation's id."""
        found: str = self.ask("GET", "/api/v2/orgs", params={"org": ORG})["orgs"][0]["id"]
        return found

    def make_bucket(self, name: str, keep_s: int = 0) -> str:
        """A bucket that keeps points so long (0 is for ever), with a database of its name; its id."""
        rules = [{"type": "expire", "everySeconds": keep_s}] if keep_s else []
        body = {"orgID": self.org_id(), "name": name, "retentionRules": rules}
        made: str = self.ask("POST", "/api/v2/buckets", json=body)["id"]
        return made

    def bucket_id(self, name: str) -> str:
        """A bucket's id."""
        found: str = self.ask("GET", "/api/v2/buckets", params={"name": name})["buckets"][0]["id"]
        return found

    def influxql(self, database: str, query: str) -> list[dict[str, Any]]:
        """Every row of an InfluxQL query's only statement, tags and columns together; ``time`` in ms."""
        answer = self.ask("GET", "/query", params={"db": database, "q": query, "epoch": "ms"})
        (result,) = answer["results"]
        assert "error" not in result, result["error"]
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], values, strict=True))}
            for series in result.get("series", ())
            for values in series["values"]
        ]


class GrafanaServer(Server):
    """A real Grafana server without its web page. ``provisioning`` may be filled before it is started."""

    def __init__(self, program: Path, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._program = program
        self._more = dict(environment or {})
        self.provisioning = folder / "provisioning"
        self.provisioning.mkdir(exist_ok=True)

    def _command(self) -> list[str]:
        return ["./grafana", "-homepath", "home"]

    def _runs_in(self) -> Path:
        return self._program

    def _environment(self) -> Mapping[str, str]:
        quiet = ("ANALYTICS_REPORTING_ENABLED", "ANALYTICS_CHECK_FOR_UPDATES", "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES")
        return {
            "GF_SECURITY_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(self.port),
            "GF_PATHS_DATA": str(self.folder / "data"),
            "GF_PATHS_LOGS": str(self.folder / "logs"),
            "GF_PATHS_PLUGINS": str(self.folder / "plugins"),
            "GF_PATHS_PROVISIONING": str(self.provisioning),
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
            **{f"GF_{name}": "false" for name in quiet},
            **self._more,
        }

    def _health(self) -> str:
        return "/api/health"

    def _trips_over(self, said: str) -> bool:
        # Grafana 10.0 looks for the organisation it has just made by the second in which that was (its issue 71781):
        # where a second turns in between, it makes it once more, and ends. All of it is undone, so the next start is a
        # first one again. In production compose or systemd gives it that start.
        return "failed to create default organization: UNIQUE constraint failed" in said

    def ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 -- httpx's own keywords, any JSON
        """Asks the API as the administrator; what it answers as JSON."""
        answer = self.answer(method, path, **content)
        assert answer.is_success, f"{answer.status_code}: {answer.text}"
        return answer.json()

    def answer(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 -- httpx's own keywords
        """Asks the API as the administrator; the answer as it is."""
        given = ("admin", ADMIN_PASSWORD)
        return httpx.request(method, f"{self.url}{path}", auth=given, timeout=240, verify=PLAIN, **content)


@contextmanager
def running(server: Server) -> Iterator[None]:
    """The server answers while the context lasts."""
    try:
        server.start()
        yield
    finally:
        server.kill()
