"""What Prometheus may ask: counters and histograms of the rim, one registry a gateway.

Every metric is fed once a batch, never once a message. Nothing reads a metric back to decide anything.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_LATENCY_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCH: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The gateway's metrics; what a batch's ``Tally`` counts has its name here as well."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self.received = counter("messages_received", "Messages taken from the broker.")
        self.committed = counter("messages_committed", "Messages whose batch became durable.")
        self.acked = counter("messages_acked", "Messages acknowledged to the broker after their commit.")
        self.ack_dropped = counter("acks_dropped", "Acknowledgements not sent because their connection was gone.")
        self.readings = counter("readings_committed", "Readings that became durable.")
        self.duplicates = counter("samples_duplicate", "Samples that had been committed before.")
        self.refused = counter("quarantined", "What was refused and kept aside.", ("reason",))
        self.unknown_keys = counter("unknown_keys", "Keys in samples that nobody knows.")
        self.ignored = counter("ignored", "Normal traffic that measures nothing, by what it is about.", ("kind",))
        self.refused_values = counter(
            "values_refused", "Values refused while the rest of their sample counted.", ("quantity", "reason")
        )
        self.partial = counter("samples_partial", "Samples whose frame went on with an unknown channel.")
        self.restarted = counter("counters_restarted", "LoRaWAN devices that counted from zero again.")
        self.events = counter("events", "Events committed.", ("event",))
        self.batch_messages = histogram("batch_messages", "Messages in a committed batch.", _BATCH)
        self.commit_seconds = histogram("commit_seconds", "How long a commit took, fsync included.")
        self.durable_seconds = histogram("arrival_to_durable_seconds", "From a batch's first byte to its commit.")
        self.commit_failures = counter("commit_failures", "Commits that the journal refused; nothing was acknowledged.")
        self.notifications_owed = gauge("notifications_owed", "Notifications that nobody has taken yet.")
        self.oldest_owed_seconds = gauge("notifications_oldest_owed_seconds", "Age of the oldest of them.")
        self.attempts = counter("notification_attempts", "Tries to hand a notification over.", ("channel", "outcome"))
        self.inbox_depth = gauge("inbox_depth", "Items that wait for the loop.")
        self.sessions_lost = gauge("mqtt_sessions_lost", "How often the broker had forgotten our session.")
        self.thrown_out = gauge("mqtt_thrown_out", "How often somebody else came in under our client id.")
        self.reconnects = gauge("mqtt_reconnects", "Connections after the first.")
        self.loop_age_seconds = gauge("loop_age_seconds", "Since the loop last turned.")
        self.commit_age_seconds = gauge("commit_age_seconds", "Since the last commit.")
        self.series_lines = counter("series_lines", "Lines that InfluxDB has stored.")
        self.series_requests = counter("series_requests", "Requests to InfluxDB by what came of them.", ("verdict",))
        self.series_paused = gauge("series_paused", "Whether InfluxDB refuses us until a person mends it.", ("part",))
        self.series_behind = gauge("series_behind_readings", "Readings that InfluxDB has not yet been sent.")
        self.rollup_hours = counter("rollup_hours", "Hours of the county that were rolled up.")
        self.rollup_repairs = counter("rollup_repairs", "Days of an asset computed again for a late reading.")
        self.rollup_frozen = counter("rollup_frozen", "Days left as they are: their readings were let go already.")
        self.rollup_bugs = counter("rollup_bugs", "Rollups that failed by our own mistake and were left out.")
        self.rollup_closed = gauge("rollup_closed_timestamp_seconds", "The end of the last hour rolled up, Unix time.")
        self.heartbeats = counter("heartbeats", "Heartbeats to the outside by what came of them.", ("outcome",))
        self.overdue = gauge("overdue", "What should have happened long ago and has not, by kind.", ("kind",))
        self.deafnesses = counter("deafnesses", "Times that nobody listened for a while, by what it was.", ("kind",))
        self.deaf_seconds = gauge("devices_silent_seconds", "Since any device was last heard.")
        self.pushed = counter("pushed", "Receipts and replies that providers pushed.", ("channel", "kind"))
        self.push_refused = counter("pushes_refused", "Pushes of which nothing was kept.", ("channel", "reason"))
        self.journal_bytes = gauge("journal_bytes", "Size of the journal with its log.")
        self.journal_damaged = gauge("journal_damaged", "Whether the last look through the whole journal found damage.")
        self.journal_log_bytes = gauge("journal_log_bytes", "What is in the journal's log, each minute.")
        self.journal_log_unfolded_seconds = gauge(
            "journal_log_unfolded_seconds", "Since when a reader has kept the log from being folded back whole."
        )

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"cunjing_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"cunjing_{name}", meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...] = _LATENCY_S) -> Histogram:
        return Histogram(f"cunjing_{name}", meaning, buckets=buckets, registry=self._registry)

    def count(self, name: str, counted: int | Mapping[Any, int]) -> None:
        """Counts what a batch has counted under this name; labels are a few names, never text from outside."""
        metric: Counter = getattr(self, name)
        if isinstance(counted, int):
            metric.inc(counted)
            return
        for labels, count in counted.items():
            metric.labels(*([labels] if isinstance(labels, str) else labels)).inc(count)

    def durable(self, messages: int, commit_s: float, arrival_s: float) -> None:
        """One batch became durable: how many messages, how long the commit took, how long since the batch was read."""
        self.committed.inc(messages)
        self.batch_messages.observe(messages)
        self.commit_seconds.observe(commit_s)
        self.durable_seconds.observe(arrival_s)

    def ask(self, *gauges: tuple[Gauge, Callable[[], float]]) -> None:
        """Lets each of these gauges ask for its value when Prometheus does, on the HTTP thread."""
        for gauge, measure in gauges:
            gauge.set_function(measure)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format (``CONTENT_TYPE``)."""
        return generate_latest(self._registry)
