"""The processes that are measured: started, waited for, asked how far they are, and ended again.

Each is a module of this package; what it found comes back as a JSON file. Nothing is measured here.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from benchmarks.gateway_process import Seen
from gateway.embedded_broker import Embedded, free_port
from gateway.settings import Settings

_T = TypeVar("_T")

READY_S: Final = 90.0
RUN_S: Final = 180.0
ASK_EVERY_S: Final = 0.5
"""Not oftener: an answer costs the gateway milliseconds, and the other core is the broker's."""
ROOT: Final = Path(__file__).parents[1]


class Unmeasured(Exception):  # noqa: N818 -- the end of one measurement, said in a sentence
    """A process did not do what it was to be measured at."""


def run(module: str, result: Path, shape: type[_T], *arguments: object) -> _T:
    """Runs a module of this package to its end; what it wrote."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments), str(result)]
    try:
        ended = subprocess.run(command, cwd=ROOT, check=False, timeout=RUN_S)
    except subprocess.TimeoutExpired:
        raise Unmeasured(f"benchmarks.{module} does not come to its end within {RUN_S:g} s") from None
    if ended.returncode:
        raise Unmeasured(f"benchmarks.{module} ended with {ended.returncode}")
    return msgspec.json.decode(result.read_bytes(), type=shape)


@dataclass(slots=True)
class Gateway:
    """A gateway in a process of its own. ``seen`` is there once it has ended."""

    process: subprocess.Popen[bytes]
    desk: str
    seen: Seen = field(default_factory=lambda: Seen([]))

    def metric(self, name: str) -> float:
        """One of its own metrics, as Prometheus would see it; -1 while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.desk}/metrics", timeout=30) as answer:  # noqa: S310 -- our own loopback
                text = answer.read().decode()
        except OSError:
            return -1.0
        return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} ")), -1.0)

    def wait_until_ready(self) -> None:
        """Until it hears the broker and its commits are taken."""
        self._wait(self._is_ready, READY_S, "does not get ready")

    def wait_until_acked(self, messages: int, within_s: float) -> None:
        """Until it has acknowledged so many messages to the broker."""
        self._wait(lambda: self.metric("cunjing_messages_acked_total") >= messages, within_s, "does not get through")

    def rss_mb(self) -> float | None:
        """Its resident memory now, where the system tells."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        words: dict[str, Any] = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return round(int(words["VmRSS"].split()[0]) / 1_024, 1)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.desk}/readyz", timeout=30) as answer:  # noqa: S310 -- our own loopback
                return bool(answer.status == 200)
        except OSError:
            return False

    def _wait(self, done: Any, within_s: float, complaint: str) -> None:  # noqa: ANN401 -- a question without arguments
        ends_s = time.monotonic() + within_s
        while not done():
            if self.process.poll() is not None:
                raise Unmeasured(f"the gateway ended with {self.process.returncode}")
            if time.monotonic() > ends_s:
                raise Unmeasured(f"the gateway {complaint} within {within_s:g} s")
            time.sleep(ASK_EVERY_S)


@contextmanager
def gateway(folder: Path, broker: Embedded, inventory: Path, influxdb: str = "") -> Iterator[Gateway]:
    """A gateway with its journal and outbox in ``folder``, ready; told to end when the context does.

    It writes to an InfluxDB at the URL ``influxdb``, if one is given.
    """
    folder.mkdir(exist_ok=True)
    port = free_port()
    settings = Settings.model_validate(
        {
            "mqtt": {
                "url": broker.url,
                "client_id": "bench-gateway",
                "username": broker.username,
                "password_file": broker.password_file,
                "topics": ["cunjing/v1/+/+/+"],
                "protocol": "5",
            },
            "journal": {"path": folder / "journal.db"},
            "inventory": {"path": inventory},
            "sms": {"channel": "outbox", "outbox_folder": str(folder / "outbox")},
            "desk": {"listen": f"127.0.0.1:{port}"},
            "influxdb": _influxdb(folder, influxdb) if influxdb else None,
        }
    )
    settings_file, result = folder / "settings.json", folder / "seen.json"
    settings_file.write_text(settings.model_dump_json(), "utf-8")
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.gateway_process", str(settings_file), str(result)]
    running = Gateway(subprocess.Popen(command, cwd=ROOT), f"http://127.0.0.1:{port}")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.process.terminate()
        try:
            running.process.wait(60)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait()
    running.seen = msgspec.json.decode(result.read_bytes(), type=Seen)


def _influxdb(folder: Path, url: str) -> dict[str, Any]:
    token = folder / "influxdb.token"
    token.write_text("nobody asks for it\n", "ascii")
    return {"url": url, "org": "bench", "bucket": "bench", "token_file": token}
