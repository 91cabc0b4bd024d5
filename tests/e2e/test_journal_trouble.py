"""A journal that is locked, full or damaged: /readyz says so, acknowledgements stop, and afterwards nothing is missing.

The gateway is the real one on a thread, the broker a real mosquitto. What heals is healed while the gateway waits.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from firmware_sim.publish import Broker, publish
from firmware_sim.radio import TimedUplink
from gateway import app
from gateway.embedded_broker import Embedded
from gateway.settings import Settings, SettingsFault
from tests.servers import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

ROOT = Path(__file__).parents[2]
COUNTY = ROOT / "tests" / "golden" / "inventory" / "county.yaml"
PATIENCE_S = 300.0


def settings(folder: Path, broker: Embedded, max_mb: int | None = None) -> Settings:
    made = Settings.model_validate(
        {
            "mqtt": {
                "url": broker.url,
                "username": broker.username,
                "password_file": broker.password_file,
                "topics": ["cunjing/v1/+/+/+"],
            },
            "journal": {"path": folder / "journal.db"},
            "inventory": {"path": COUNTY},
            "sms": {"channel": "outbox", "outbox_folder": folder / "outbox"},
            "desk": {"listen": f"127.0.0.1:{free_port()}"},
        }
    )
    # smaller than an operator may set it, so that it is full within seconds
    return made.model_copy(update={"journal": made.journal.model_copy(update={"max_mb": max_mb})})


@contextmanager
def running(chosen: Settings) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=app.run, args=(chosen,), kwargs={"stopping": stopping})
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def until(holds: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, f"not within {PATIENCE_S:g} s: {what}"
        threading.Event().wait(0.05)


def readiness(chosen: Settings) -> dict[str, Any]:
    host, port = chosen.desk.listen
    try:
        with urlopen(f"http://{host}:{port}/readyz", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        with error:
            found = json.load(error)
    except (TimeoutError, OSError):
        return {"ready": False, "parts": {}}
    return found


def is_ready(chosen: Settings) -> Callable[[], bool]:
    return lambda: bool(readiness(chosen)["ready"])


def journal_says(chosen: Settings, state: str) -> Callable[[], bool]:
    return lambda: bool(readiness(chosen)["parts"].get("journal", {}).get("state") == state)


def send(broker: Embedded, seqs: range) -> None:
    said = (
        {"v": 1, "boot": 1, "seq": seq, "readings": {"distance_mm": 900 + seq % 7, "temperature_c": 14.5}}
        for seq in seqs
    )
    topic = "cunjing/v1/xiang/bin-0003/telemetry"
    uplinks = (TimedUplink(0, topic, json.dumps(one).encode()) for one in said)
    publish(uplinks, Broker("127.0.0.1", broker.port, broker.username, broker.password), threading.Event())


def stored(path: Path) -> list[int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        return [seq for (seq,) in journal.execute("SELECT seq FROM reading ORDER BY seq")]


def test_a_locked_journal_stops_the_acknowledgements_and_loses_nothing(tmp_path: Path, mosquitto: Embedded) -> None:
    chosen = settings(tmp_path, mosquitto)
    with running(chosen):
        until(is_ready(chosen), "ready")
        with closing(sqlite3.connect(chosen.journal.path, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            send(mosquitto, range(100))
            until(journal_says(chosen, "locked"), "the journal said to be locked")
            assert stored(chosen.journal.path) == []
            somebody.execute("ROLLBACK")
        until(lambda: stored(chosen.journal.path) == list(range(100)), "all stored")
        until(is_ready(chosen), "ready again")


def test_a_full_journal_stops_the_acknowledgements_and_loses_nothing(tmp_path: Path, mosquitto: Embedded) -> None:
    small = settings(tmp_path, mosquitto, max_mb=1)
    with running(small):
        until(is_ready(small), "ready")
        send(mosquitto, range(20_000))
        until(journal_says(small, "full"), "the journal said to be full")
    assert len(stored(small.journal.path)) < 20_000
    larger = settings(tmp_path, mosquitto)
    with running(larger):
        until(lambda: len(stored(larger.journal.path)) == 20_000, "all stored")
    assert stored(larger.journal.path) == list(range(20_000))


@pytest.mark.parametrize("taken", ["journal.db", "journal.db*", "journal.db-wal"])
def test_a_journal_that_is_taken_away_stops_the_acknowledgements_and_loses_nothing(
    taken: str, tmp_path: Path, mosquitto: Embedded
) -> None:
    chosen = settings(tmp_path, mosquitto)
    with running(chosen):
        until(is_ready(chosen), "ready")
        send(mosquitto, range(50))
        until(lambda: stored(chosen.journal.path) == list(range(50)), "the first are stored")
        for part in tmp_path.glob(taken):
            part.unlink()
        send(mosquitto, range(50, 100))
        until(journal_says(chosen, "gone"), "the journal said to be gone")
        assert "committed" in readiness(chosen)["parts"]["journal"]["remedy"]
    if not chosen.journal.path.exists():
        with pytest.raises(SettingsFault, match="saved when it was deleted"):
            app.run(chosen)
        (saved,) = tmp_path.glob("journal.db.saved-*")
        saved.rename(chosen.journal.path)
    with running(chosen):
        until(lambda: stored(chosen.journal.path) == list(range(100)), "all stored")
        until(is_ready(chosen), "ready again")


def test_a_damaged_journal_is_waited_for_and_the_broker_keeps_the_data(tmp_path: Path, mosquitto: Embedded) -> None:
    chosen = settings(tmp_path, mosquitto)
    with running(chosen):
        until(is_ready(chosen), "ready")
    send(mosquitto, range(100))
    chosen.journal.path.write_bytes(b"not a journal any more" * 1_000)
    with running(chosen):
        until(journal_says(chosen, "damaged"), "the journal said to be damaged")
        chosen.journal.path.rename(tmp_path / "damaged.db")
        until(is_ready(chosen), "ready again")
        until(lambda: stored(chosen.journal.path) == list(range(100)), "all stored")
