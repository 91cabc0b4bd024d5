"""APScheduler as an alarm clock: it rings, it never decides (ADR 0005).

One replaceable job wakes the loop at the engine's next deadline, a few repeat for housekeeping. What is due is
written in the state; a ring that comes late, twice or not at all changes no decision, only when it is taken.
"""

import threading
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from gateway.clock import Clock, instant_in
from telemetry.reading import Millis

ZONE: Final = ZoneInfo("Asia/Shanghai")
GRACE_S: Final = 300
_WAKE: Final = "wake"


class Timer:
    """Calls ``ring(due_ms)`` on a thread of its own; ``ring`` posts a Tick to the inbox and returns at once."""

    def __init__(self, clock: Clock, ring: Callable[[Millis], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._arming = threading.Lock()
        self._due_ms: Millis | None = None
        self._armed_ms: Millis | None = None
        self._repeated: dict[str, tuple[float, Callable[[], object]]] = {}
        self._scheduler = BackgroundScheduler(
            timezone=ZONE,
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"misfire_grace_time": GRACE_S, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Starts the thread that waits."""
        self._scheduler.start()

    def wake_at(self, due_ms: Millis | None) -> None:
        """Rings once at ``due_ms`` by the gateway's clock, instead of whatever was asked before; ``None`` is never.

        Cheap enough to be called after every commit: an instant later than the armed one only notes it, and the
        job that is found early files itself again.
        """
        with self._arming:
            self._due_ms = due_ms
            if due_ms is not None and (self._armed_ms is None or due_ms < self._armed_ms):
                self._arm(due_ms)

    def every(self, seconds: float, name: str, callback: Callable[[], object], *, at_once: bool = False) -> None:
        """Calls ``callback`` on a timer thread every so many real seconds; it must not touch the loop's state.

        The first time when so many have passed, or ``at_once`` when the timer starts.
        """
        self._repeated[name] = (seconds, callback)
        first = {"next_run_time": instant_in(0)} if at_once else {}
        self._scheduler.add_job(
            callback, "interval", seconds=seconds, id=f"every {name}", replace_existing=True, **first
        )

    def realign(self) -> None:
        """The machine's clock was set, by which the scheduler waits: everything is filed anew from now on."""
        for name, (seconds, callback) in tuple(self._repeated.items()):
            self.every(seconds, name, callback)
        with self._arming:
            if self._due_ms is not None:
                self._arm(self._due_ms)

    def stop(self) -> None:
        """Rings no more; a call that is under way is waited for."""
        self._scheduler.pause()
        self._scheduler.remove_all_jobs()  # else one that comes due right now is looked up in a scheduler that is gone
        self._scheduler.shutdown(wait=True)

    def _arm(self, due_ms: Millis) -> None:
        self._armed_ms = due_ms
        self._scheduler.add_job(
            self._rang,
            "date",
            run_date=instant_in(self._clock.wait_s(due_ms)),
            id=_WAKE,
            replace_existing=True,
            misfire_grace_time=None,  # a machine that slept an hour still owes its tick
            max_instances=8,  # a job that files itself again may be due before the scheduler saw it return
        )

    def _rang(self) -> None:
        with self._arming:
            self._armed_ms, due_ms = None, self._due_ms
            if due_ms is None:
                return
            if self._clock.wait_s(due_ms) > 0:
                self._arm(due_ms)
                return
        self._ring(due_ms)
