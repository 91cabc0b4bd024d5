"""A heartbeat says that the house works, and only then; its failures are counted, told, and in nobody's way."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway import client
from gateway.clock import WallClock
from gateway.health import Health, Part
from gateway.metrics import Metrics
from gateway.settings import Watch
from gateway.watching.heartbeat import Heartbeat, faltering
from tests.gateway.watching.seconds import Seconds
from tests.servers import free_port


def working(seconds: Seconds) -> Health:
    health = Health(("journal",), seconds)
    health.report("journal", Part(ready=True, state="every commit is taken"))
    health.turned()
    health.committed()
    health.couriered()
    return health


class Listener:
    """Says yes to every beat, or no."""

    def __init__(self, answer: str = "") -> None:
        self.answer = answer
        self.heard: list[dict[str, object]] = []

    def __call__(self, watch: Watch, said: dict[str, object]) -> str:
        _ = watch
        self.heard.append(said)
        return self.answer


def heartbeat(health: Health, listener: Listener) -> tuple[Heartbeat, Metrics]:
    metrics = Metrics()
    watch = Watch(url="http://127.0.0.1:9/beat")
    return Heartbeat(watch, "xiang", health, metrics, WallClock(), listener), metrics


@pytest.mark.parametrize("part", ["loop", "commit", "courier", "journal"])
def test_a_house_with_one_part_that_stands_still_is_silent(part: str) -> None:
    seconds = Seconds()
    health = working(seconds)
    assert faltering(health) == ""
    seconds.now = 301.0
    for name, moves in (("loop", health.turned), ("commit", health.committed), ("courier", health.couriered)):
        if name != part:
            moves()
    if part == "journal":
        health.report("journal", Part(ready=False, state="disk full"))
    listener = Listener()
    beat, metrics = heartbeat(health, listener)
    assert not beat.once()
    assert listener.heard == []
    assert 'cunjing_heartbeats_total{outcome="withheld"} 1.0' in metrics.exposition().decode()
    assert health.parts["heartbeat"].state.startswith("withheld: ")
    assert health.ready is (part not in ("journal", "loop")), "a heartbeat makes nobody unready"


def test_a_house_that_works_is_heard() -> None:
    health, listener = working(Seconds()), Listener()
    beat, metrics = heartbeat(health, listener)
    assert beat.once()
    assert listener.heard[0]["county"] == "xiang"
    assert health.parts["heartbeat"] == Part(ready=True, state="heard every 60 s")
    assert 'cunjing_heartbeats_total{outcome="sent"} 1.0' in metrics.exposition().decode()


def test_a_failure_is_told_with_its_remedy_and_counted() -> None:
    health, listener = working(Seconds()), Listener("HTTP 502")
    beat, metrics = heartbeat(health, listener)
    assert not beat.once()
    part = health.parts["heartbeat"]
    assert (part.ready, part.state) == (False, "not heard: HTTP 502")
    assert "[watch] url" in part.remedy
    assert 'cunjing_heartbeats_total{outcome="failed"} 1.0' in metrics.exposition().decode()


class Door(BaseHTTPRequestHandler):
    """Notes what it is asked."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.seen = (self.path, self.headers["Authorization"], self.rfile.read(length))  # type: ignore[attr-defined] # noted where the test looks
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_over_http_a_beat_bears_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush\n", "ascii")
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/beat"
        assert client.beat(Watch(url=url, token_file=tmp_path / "token"), {"county": "xiang"}) == ""
        thread.join()
        assert server.seen == ("/beat", "Bearer hush", b'{"county":"xiang"}')  # type: ignore[attr-defined] # see Door


def test_over_http_trouble_is_a_sentence(tmp_path: Path) -> None:
    nobody = Watch(url=f"http://127.0.0.1:{free_port()}/beat", timeout_s=2)
    assert client.beat(nobody, {}) != ""
    keyless = Watch(url="http://127.0.0.1:1/beat", token_file=tmp_path / "none")
    assert "[watch] token_file" in client.beat(keyless, {})
