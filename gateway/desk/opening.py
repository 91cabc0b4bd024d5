"""The desk opened on a running county: what it knows from the start, and the feed that keeps it. Only assembly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from alerts.alert import Alert
from alerts.calendars import Calendar
from alerts.exposure import lines_pct
from gateway.desk.feed import Feed
from gateway.desk.present import Desk, Present
from gateway.desk.projection import Projection
from gateway.desk.rounds import Rounds
from gateway.pipeline import Pipeline


@contextmanager
def opened(desk: Desk, pipeline: Pipeline) -> Iterator[Feed]:
    """Before the loop turns: the county as a start found it; the feed is to be told every commit from then on."""

    def reload() -> list[Alert]:
        with desk.journal() as journal:
            return journal.open_alerts()

    county = pipeline.county
    inventory = county.inventory
    calendar = Calendar.of(inventory.county)
    standing = [alert for alert in county.alerts.values() if not alert.closed_ms]
    feed = Feed(Projection.of(inventory, county.states, standing), reload)
    feed.start()
    try:
        present = Present(
            inventory,
            calendar,
            lines_pct(county.plans),
            feed,
            Rounds(calendar),
            pipeline.ledger.figures,
            pipeline.trials,
            pipeline.tuning,
            pipeline.absences,
        )
        desk.open(present)
        threading.Thread(target=present.draw, name="desk-outline", daemon=True).start()
        yield feed
    finally:
        feed.stop()
