"""The desk opened on a running county: what it knows from the start, and the feed that keeps it. Only assembly."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gateway.arrangements import Arrangements
from gateway.desk.feed import Feed, OpenEpisodes
from gateway.desk.present import Desk, Present
from gateway.desk.projection import Projection
from gateway.desk.rounds import Rounds
from gateway.pipeline import Pipeline


@contextmanager
def opened(desk: Desk, pipeline: Pipeline, marks: Mapping[str, str]) -> Iterator[Feed]:
    """Before the loop turns: the county as a start found it, ``marks`` and all; the feed is told every commit."""

    def reload() -> OpenEpisodes:
        with desk.journal() as journal:
            return OpenEpisodes(journal.open_alerts(), journal.marks())

    county = pipeline.county
    inventory, arrangements = county.inventory, Arrangements.of(pipeline, marks)
    standing = [alert for alert in county.alerts.values() if not alert.closed_ms]
    feed = Feed(Projection.of(inventory, county.states, standing), arrangements.take, reload)
    feed.start()
    try:
        present = Present(
            inventory,
            arrangements,
            feed,
            Rounds(arrangements.calendar),
            pipeline.ledger.figures,
        )
        desk.open(present)
        threading.Thread(target=present.draw, name="desk-outline", daemon=True).start()
        yield feed
    finally:
        feed.stop()
