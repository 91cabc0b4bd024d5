"""The heartbeat to another machine: while the house works it is asked every so often, and silence is the alarm.

A thread of its own, so that a slow network costs nobody a tick. Whether the house works is judged from how its parts
are and how long ago they last moved; what silence means is decided by whoever listens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from gateway.clock import Clock
from gateway.health import Health, Part
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.settings import Watch
from gateway.worker import Worker

_log = logger(__name__)

LOOP_S: Final = 30.0
COMMIT_S: Final = 60.0
"""While it hears the devices the loop commits a heartbeat every five seconds."""
COURIER_S: Final = 300.0
"""A provider may take a minute for one text, and the journal half of one."""


def faltering(health: Health) -> str:
    """Why the house does not work, in a sentence; empty while it does."""
    ages = (
        ("the loop has not turned", health.loop_age_s, LOOP_S),
        ("nothing was committed", health.commit_age_s, COMMIT_S),
        ("the courier has not looked", health.courier_age_s, COURIER_S),
    )
    slow = (f"{said} for {age_s:.0f} s" for said, age_s, most_s in ages if age_s > most_s)
    parts = ((name, health.parts[name]) for name in health.needed)
    away = (f"{name} is not ready: {part.state}" for name, part in parts if not part.ready)
    return "; ".join((*slow, *away))


PART: Final = "heartbeat"
"""What it is called on ``/readyz``."""


class Beat(Protocol):
    """Asks a URL once (``gateway.client.beat``)."""

    def __call__(self, watch: Watch, said: dict[str, object]) -> str:
        """Why it was not heard; empty when it was. Bounded, and it never raises."""


class Heartbeat(Worker):
    """A beat every so often; one that is under way at the end is not waited for long."""

    ends_within_s = 2.0

    def __init__(self, watch: Watch, county: str, health: Health, metrics: Metrics, clock: Clock, beat: Beat) -> None:
        super().__init__("heartbeat")
        self._watch = watch
        self._county = county
        self._health = health
        self._metrics = metrics
        self._now_ms = clock.now_ms
        self._beat = beat
        self._why = ""

    def once(self) -> bool:
        """One beat, if the house works."""
        why = faltering(self._health)
        if why:
            self._metrics.heartbeats.labels("withheld").inc()
            self._tell(f"withheld: {why}", "what is not ready says why")
            return False
        said: dict[str, object] = {"county": self._county, "at_ms": self._now_ms(), "every_s": self._watch.every_s}
        why = self._beat(self._watch, said)
        self._metrics.heartbeats.labels("failed" if why else "sent").inc()
        self._tell(f"not heard: {why}" if why else "", "look at [watch] url, and at the machine that listens there")
        return not why

    def _tell(self, why: str, remedy: str) -> None:
        if why != self._why:
            self._why = why
            _log.warning("heartbeat", trouble=why) if why else _log.info("heartbeat", trouble="")
        state = why or f"heard every {self._watch.every_s:g} s"
        self._health.report(PART, Part(ready=not why, state=state, remedy=remedy if why else ""))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.once()
            self._stopping.wait(self._watch.every_s)


@contextmanager
def beating(watch: Watch, county: str, health: Health, metrics: Metrics, clock: Clock, beat: Beat) -> Iterator[None]:
    """The heartbeat while the context lasts, where somebody is to hear it."""
    if watch.url is None:
        yield
        return
    heartbeat = Heartbeat(watch, county, health, metrics, clock, beat)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()
