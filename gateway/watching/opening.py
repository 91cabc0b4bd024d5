"""What the composition root puts together of the house's own watch: the watchman, its rounds, and the heartbeat.

Only opening; nothing is decided here.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from gateway import client
from gateway.clock import Clock, SettableClock, monotonic_s
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.journal.database import JournalUnavailable
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.requests import Round
from gateway.settings import Watch
from gateway.watching.heartbeat import Heartbeat
from gateway.watching.self_check import DAILY, OVERDUE_MS, Daily, Ear, Rows, Watchman
from telemetry.reading import Millis

_log = logger(__name__)

ROUND_S: Final = 60.0


def watchman(
    watch: Watch,
    pipeline: Pipeline,
    clock: SettableClock,
    health: Health,
    metrics: Metrics,
    kept: Mapping[str, str],
    monotonic: Callable[[], float] = monotonic_s,
) -> Watchman:
    """The watchman of a pipeline; ``kept`` are the journal's small marks."""
    devices = pipeline.county.inventory.devices.values()
    shortest_s = min((device.interval_s for device in devices), default=0)
    return Watchman(
        pipeline,
        Ear(shortest_s, watch.deaf_minutes * 60, monotonic()),
        health,
        metrics,
        clock,
        monotonic,
        allowed_ms=allowed_ms(clock),
        daily=None if watch.phone is None else Daily(watch.phone, watch.daily_at, int(kept.get(DAILY, 0))),
    )


def allowed_ms(clock: Clock) -> Millis:
    """The auditor's patience by a clock that may run faster than the world: it is in real minutes."""
    real_s = clock.wait_s(clock.now_ms() + OVERDUE_MS)
    return round(OVERDUE_MS * max(1.0, OVERDUE_MS / 1_000 / max(real_s, 0.001)))


def rounds(journal: Path, inbox: Inbox, clock: Clock) -> Callable[[], None]:
    """What the alarm clock calls each minute: rows are looked at beside the loop, which is then asked for a round."""

    def look() -> None:
        before_ms = clock.now_ms() - allowed_ms(clock)
        try:
            with closing(JournalReader.open(journal)) as reader:
                rows = Rows(*reader.overdue(before_ms))
        except JournalUnavailable as trouble:
            _log.warning("no_round", reason=str(trouble))
        else:
            inbox.post(Round(rows))

    return look


@contextmanager
def beating(watch: Watch, county: str, health: Health, metrics: Metrics, clock: Clock) -> Iterator[None]:
    """The heartbeat while the context lasts, where somebody is to hear it."""
    if watch.url is None:
        yield
        return
    heartbeat = Heartbeat(watch, county, health, metrics, clock, client.beat)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()
