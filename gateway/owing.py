"""The gauges that are asked, not fed: what is owed and since when, how deep the inbox is, how far others have come.

Asked on the HTTP thread when Prometheus asks; each look at the journal is a read-only connection of its own.
"""

from pathlib import Path

from gateway.clock import Clock
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.journal.database import JournalUnavailable
from gateway.journal.place import size_bytes
from gateway.journal.reader import JournalReader
from gateway.metrics import Metrics
from gateway.mqtt.source import MqttSource


def watch_owed(journal: Path, inbox: Inbox, health: Health, metrics: Metrics, source: MqttSource, clock: Clock) -> None:
    """Lets the gauges ask."""

    def owed() -> float:
        return float(_owed(journal)[0])

    def oldest_owed_s() -> float:
        count, since_ms = _owed(journal)
        return (clock.now_ms() - since_ms) / 1_000 if count else 0.0

    metrics.ask(metrics.notifications_owed, owed)
    metrics.ask(metrics.oldest_owed_seconds, oldest_owed_s)
    metrics.ask(metrics.inbox_depth, lambda: float(inbox.depth))
    metrics.ask(metrics.sessions_lost, lambda: float(source.state.sessions_lost))
    metrics.ask(metrics.thrown_out, lambda: float(source.state.thrown_out))
    metrics.ask(metrics.reconnects, lambda: float(source.state.reconnects))
    metrics.ask(metrics.loop_age_seconds, lambda: health.loop_age_s)
    metrics.ask(metrics.commit_age_seconds, lambda: health.commit_age_s)
    metrics.ask(metrics.journal_bytes, lambda: float(size_bytes(journal)))


def _owed(journal: Path) -> tuple[int, int]:
    """How many notifications nobody has taken yet, and since when the oldest waits."""
    try:
        reader = JournalReader.open(journal)
    except JournalUnavailable:
        return 0, 0
    try:
        return reader.owed()
    except JournalUnavailable:
        return 0, 0
    finally:
        reader.close()
