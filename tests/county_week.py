"""A week of a simulated county, through the gateway's own line into a real journal file; made once, copied often.

What happens in it is county_week.yaml; what a test does with it is not here.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path
from typing import Final

from alerts.model import Actor, Severity
from firmware_sim import county
from firmware_sim.scenario import Scenario, at_start, load
from firmware_sim.traces import trace
from gateway import shipped
from gateway.imports import profiles
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.seen import see
from tests.virtual_line import VirtualLine

STORY: Final = Path(__file__).with_suffix(".yaml")
PERSON: Final = "dispatcher"
HOUR_MS: Final = 3_600_000
HOURS: Final = 168
BATCH_MS: Final = 60_000
ANSWERED_AFTER_MS: Final = 25 * 60_000
UNANSWERED_MS: Final = 12 * HOUR_MS
"""Nobody answers in the last hours of the week, so that something is left to be seen."""


@dataclass(frozen=True)
class Week:
    """A journal file that holds a week, the county that it is about, and when it began and ended."""

    journal: Path
    inventory: Inventory
    inventory_text: str
    begins_ms: Millis
    ends_ms: Millis

    def copied(self, folder: Path) -> "Week":
        """The same with a journal of one's own."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "journal.db"
        shutil.copyfile(self.journal, path)
        return Week(path, self.inventory, self.inventory_text, self.begins_ms, self.ends_ms)


def scenario(ends_ms: Millis) -> Scenario:
    """The week that ends then."""
    return at_start(load(STORY.read_text("utf-8")), ends_ms - HOURS * HOUR_MS)


def lived(folder: Path, ends_ms: Millis) -> Week:
    """Lives through the week; takes some seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    story = scenario(ends_ms)
    text = county.inventory_yaml(story)
    inventory = parse(text, "county.yaml", profiles()).inventory
    assert inventory is not None
    line = VirtualLine(folder / "journal.db", inventory, shipped.policy_files(), story.start_ms)
    for at_ms, uplinks in takewhile(lambda minute: minute[0] < ends_ms, _minutes(story)):
        line.take(uplinks)
        line.pipeline.advance(at_ms + BATCH_MS)
        if at_ms < ends_ms - UNANSWERED_MS:
            _answer(line, at_ms + BATCH_MS)
        line.commit()
    line.commit(snapshot=True)
    line.close()
    return Week(folder / "journal.db", inventory, text, story.start_ms, ends_ms)


def _answer(line: VirtualLine, at_ms: Millis) -> None:
    """People acknowledge what is told to them, and reset a fire that is out."""
    county, changes = line.pipeline.county, line.pipeline.changes
    for alert in list(county.alerts.values()):
        if alert.severity < Severity.P4 and at_ms >= alert.raised_ms + ANSWERED_AFTER_MS:
            see(county, alert.episode, PERSON, at_ms, changes)
            county.reset(alert.episode, Actor(PERSON, "desk"), at_ms, changes)


def _minutes(story: Scenario) -> Iterator[tuple[Millis, list[Uplink]]]:
    for minute, uplinks in groupby(trace(story), key=lambda uplink: uplink.at_ms // BATCH_MS):
        yield minute * BATCH_MS, [Uplink(*uplink) for uplink in uplinks]
