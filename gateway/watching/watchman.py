"""The house's own watchman, on the loop's thread: what is overdue and what is not heard becomes a notice, and ends.

It asks ``ear`` and ``auditor`` and tells the county; whom that concerns is in ``config/escalation.yaml``.
"""

from collections.abc import Callable
from datetime import time
from typing import Final

from alerts.model import Detail
from alerts.replies import Replies
from alerts.texts import clock, day
from alerts.trouble import Trouble
from alerts.undo import Undoable
from gateway.health import Health, Part
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.watching.auditor import OVERDUE_MS, Rows, kinds, overdue, spoken
from gateway.watching.ear import Ear
from gateway.watching.pulse import faltering
from telemetry.reading import Millis

PART: Final = "auditor"
"""What it is called on ``/readyz``."""
DEAF: Final = "house_deaf"
STUCK: Final = "house_stuck"
DAILY: Final = "heartbeat"
"""The text of each day, and the small mark that says up to when it was sent."""
_LATE_MS: Final[Millis] = 3 * 3_600_000
"""So late at most the day's text still says something."""


class Watchman(Undoable):
    """``turn`` is called in every turn of the loop, ``round`` each minute."""

    def __init__(
        self,
        pipeline: Pipeline,
        ear: Ear,
        health: Health,
        metrics: Metrics,
        monotonic: Callable[[], float],
        *,
        allowed_ms: Millis = OVERDUE_MS,
        daily: tuple[str, time] | None = None,
        texted_ms: Millis = 0,
    ) -> None:
        """``daily`` is a number and when it gets its text; ``texted_ms`` when it last got one."""
        super().__init__(pipeline.undo)
        self._pipeline = pipeline
        self._ear = ear
        self._health = health
        self._metrics = metrics
        self._monotonic = monotonic
        self._allowed_ms = allowed_ms
        self._daily = daily
        self._texted_ms = texted_ms
        self._is_deaf: bool | None = None

    def turn(self, now_ms: Millis, *, heard: bool, live: bool) -> None:
        """One turn of the loop: whether a device spoke in it, and whether we are subscribed."""
        at_s, ear = self._monotonic(), self._ear
        ear.listens(at_s, live=live)
        if heard:
            ear.heard(at_s)
            if self._is_deaf is not False:
                self._tell(DEAF, "devices", "", now_ms)
                self._is_deaf = False
        elif not self._is_deaf and ear.is_deaf(at_s):
            silent_ms = round(ear.silent_s(at_s) * 1_000)
            problem = "no device was heard" if live else "not subscribed at the broker"
            self._tell(DEAF, "devices", problem, now_ms, {"seen_ms": now_ms - silent_ms})
            self._is_deaf = True

    def round(self, rows: Rows, now_ms: Millis) -> None:
        """Each minute: what is overdue is told, or is over."""
        pipeline = self._pipeline
        pipeline.advance(now_ms)
        timers = overdue(pipeline.county, pipeline.ledger, now_ms - self._allowed_ms, listening=self._ear.listening)
        for kind, count in kinds(rows, timers).items():
            self._metrics.overdue.labels(kind).set(count)
        self._metrics.deaf_seconds.set(self._ear.silent_s(self._monotonic()))
        self._tell(STUCK, "texts", spoken(rows), now_ms)
        self._tell(STUCK, "timers", spoken(timers), now_ms)
        found = [f"overdue: {said}" for said in (spoken(rows), spoken(timers)) if said]
        self._health.report(PART, _part(found))
        self._text(now_ms)

    def _tell(self, rule: str, part: str, problem: str, now_ms: Millis, detail: Detail | None = None) -> None:
        self._pipeline.county.watch(Trouble(rule, part, problem, detail or {}), now_ms, self._pipeline.changes)

    def _text(self, now_ms: Millis) -> None:
        """The text of the day, once, while the house works."""
        if self._daily is None:
            return
        phone, at = self._daily
        calendar = self._pipeline.calendar
        due_ms = calendar.instant(calendar.local(now_ms).date(), at)
        if not due_ms <= now_ms < due_ms + _LATE_MS or self._texted_ms >= due_ms or faltering(self._health):
            return
        self._texted_ms = due_ms
        self._pipeline.entry.meta[DAILY] = str(due_ms)
        facts = {"day": day(calendar, now_ms), "time": clock(calendar, now_ms)}
        said = self._pipeline.county.scribe.texts.word(DAILY, facts)
        self._pipeline.changes.log.append(Replies.to_person(phone, phone, said, due_ms))


def _part(found: list[str]) -> Part:
    """Told beside the others: it makes nobody unready, since what is stuck is ours to mend while the rest works."""
    if not found:
        return Part(ready=True, state="nothing is overdue")
    return Part(ready=False, state="; ".join(found), remedy="the log says what failed; a restart files timers anew")
