"""The sender's progress made durable by the loop, and told: on ``/readyz``, in the metrics, to the dispatcher.

Only the loop writes the journal; this posts to it and waits. What a state means is decided in ``answers``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from alerts.episodes.trouble import Trouble
from gateway.commands import NotDurable
from gateway.health import Health, Part
from gateway.inbox import Inbox, Unanswered
from gateway.influx.answers import Verdict
from gateway.influx.delivery import Filed
from gateway.journal.entry import Consumer, Quarantined
from gateway.journal.trouble import JournalUnavailable, Problem
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.requests import DealtWith, made_durable
from telemetry.reading import Millis

_log = logger(__name__)

PAUSED_RULE: Final = "series_paused"


class JournalLedger:
    """See ``sender.Ledger``. For the sender's thread alone."""

    def __init__(
        self,
        part: str,
        journal: Path,
        inbox: Inbox[Any],
        health: Health,
        metrics: Metrics,
        now_ms: Callable[[], Millis],
    ) -> None:
        """``part`` is what the sender is called on ``/readyz``."""
        self._part = part
        self._journal = journal
        self._inbox = inbox
        self._health = health
        self._metrics = metrics
        self._now_ms = now_ms
        self._told: tuple[Verdict, Part] | None = None

    def dealt_with(self, consumer: Consumer, position: int, filed: Sequence[tuple[str, Filed]]) -> None:
        """See ``sender.Ledger``."""
        quarantined = tuple(
            Quarantined(self._now_ms(), f"influxdb/{bucket}", each.line, each.reason, each.detail)
            for bucket, each in filed
        )
        value = made_durable(self._inbox, DealtWith(consumer, position, quarantined))
        if isinstance(value, Unanswered | NotDurable):
            why = value.reason if isinstance(value, NotDurable) else "it did not become durable in time"
            raise JournalUnavailable(Problem.LOCKED, self._journal, why)

    def answered(self, verdict: Verdict, lines: int) -> None:
        """See ``sender.Ledger``."""
        self._metrics.series_requests.labels(str(verdict)).inc()
        if verdict is Verdict.STORED:
            self._metrics.series_lines.inc(lines)

    def stands(self, verdict: Verdict, part: Part) -> None:
        """See ``sender.Ledger``; says each change once."""
        if (verdict, part) == self._told:
            return
        self._told = verdict, part
        self._health.report(self._part, part)
        self._metrics.series_paused.labels(self._part).set(verdict is Verdict.PAUSED)
        if not part.ready:
            _log.warning(self._part, state=part.state, remedy=part.remedy)
        elif part.notes:
            _log.warning(self._part, state=part.state, notes=part.notes)
        if verdict is not Verdict.LATER:
            self._inbox.post(Trouble(PAUSED_RULE, self._part, "" if verdict is Verdict.STORED else part.state))
