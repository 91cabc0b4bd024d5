"""The same message taken apart: CPU µs a message of each stage, measured alone on what the stage before it made.

``python -m benchmarks.stages [--messages N] [--rounds N]``. One process, a virtual clock, the journal on disk, batches
of 500; a stage's number is the median of the rounds. Stages overlap where the table says so.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from alerts.build import PolicyFiles
from alerts.conditions import engine
from alerts.conditions.bins import BinMemory, look
from alerts.episodes.county import Changes, County
from benchmarks import load, report
from gateway import imports, shipped, start
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry import clock, sequence
from telemetry.inventory import Inventory
from telemetry.inventory.directory import Directory
from telemetry.reading import Reading
from telemetry.wire import Samples, Uplink, decode

BATCH: Final = 500


class Stopwatch:
    """CPU seconds by the name of a stage, one number a round."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def time(self, stage: str, act: Callable[[], object]) -> None:
        """Does it once."""
        gc.collect()
        began_s = time.process_time()
        act()
        self.spent.setdefault(stage, []).append(time.process_time() - began_s)


def main() -> None:
    """Prints the table."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    asked.add_argument("--messages", type=int, default=50_000)
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args()
    report.LATEST.parent.mkdir(exist_ok=True)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix=".run-", dir=report.LATEST.parent) as kept:
        folder = Path(kept)
        story = load.scenario(time.time_ns() // 1_000_000)
        inventory = imports.checked(load.inventory(story, folder))
        uplinks = [Uplink(*uplink) for uplink in load.ordinary(story, options.messages)]
        gc.freeze()  # what only this script keeps is not the gateway's to look through
        for number in range(options.rounds):
            _round(watch, inventory, uplinks, folder / f"{number}.db")
    table = Table("stage", "CPU µs a message", title=f"{len(uplinks)} messages, {options.rounds} rounds")
    for stage, seconds in watch.spent.items():
        table.add_row(stage, f"{median(seconds) / len(uplinks) * 1e6:.2f}")
    Console(width=90).print(table)


def _round(watch: Stopwatch, inventory: Inventory, uplinks: list[Uplink], journal: Path) -> None:
    policy_files, directory = shipped.policy_files(), Directory(inventory)
    watch.time("decode", lambda: [decode(uplink, directory) for uplink in uplinks])
    heard = [(uplink, said) for uplink in uplinks if isinstance(said := decode(uplink, directory), Samples)]
    watch.time("repeats (windows)", lambda: _windows(heard))
    watch.time("time (clock)", lambda: _clocks(heard))
    pipeline = _anew(inventory, policy_files, uplinks)
    entries: list[Entry] = []
    watch.time("pipeline without commit: all above and below", lambda: entries.extend(_stepped(pipeline, uplinks)))
    readings = [reading for entry in entries for reading in entry.readings]
    again, once_more = (_anew(inventory, policy_files, uplinks).county for _ in range(2))
    watch.time("county: both stages, timers, states", lambda: _counted(again, readings))
    watch.time("  engine: one asset's step", lambda: _engined(once_more, readings))
    watch.time("    what a bin's sample means", lambda: _looked(inventory, readings))
    opened = Journal.open(journal)
    watch.time("commit, without waiting for the disk", lambda: [opened.commit(entry) for entry in entries])
    opened.close()


def _anew(inventory: Inventory, policy_files: PolicyFiles, uplinks: list[Uplink]) -> Pipeline:
    began_ms = uplinks[0].received_ms
    pipeline = start.anew(inventory, policy_files, Memory(), began_ms)
    pipeline.county.listen(began_ms, None, pipeline.changes, started=True)
    return pipeline


def _stepped(pipeline: Pipeline, uplinks: list[Uplink]) -> list[Entry]:
    entries = []
    for at in range(0, len(uplinks), BATCH):
        batch = uplinks[at : at + BATCH]
        for uplink in batch:
            pipeline.take(uplink)
        pipeline.advance(batch[-1].received_ms)
        entries.append(pipeline.finish()[0])
    return entries


def _windows(heard: list[tuple[Uplink, Samples]]) -> None:
    known: dict[str, sequence.SeqWindows] = {}
    for _, said in heard:
        windows = known.get(said.device, sequence.UNHEARD)
        for sample in said.samples:
            if sequence.judge(windows, sample.boot, sample.seq) is sequence.SeqVerdict.NEW:
                windows = sequence.mark(windows, sample.boot, sample.seq)
        known[said.device] = windows


def _clocks(heard: list[tuple[Uplink, Samples]]) -> None:
    known: dict[str, clock.ClockState] = {}
    for uplink, said in heard:
        state = known.get(said.device, clock.UNHEARD)
        _, known[said.device] = clock.judge(state, said.samples, said.samples, uplink.received_ms, 1_200_000)


def _counted(county: County, readings: list[Reading]) -> None:
    changes = Changes()
    for reading in readings:
        county.observe(reading, changes)


def _engined(county: County, readings: list[Reading]) -> None:
    states = dict(county.states)
    for reading in readings:
        step = engine.observe(county.plans[reading.asset], states[reading.asset], reading, county)
        states[reading.asset] = step.state


def _looked(inventory: Inventory, readings: list[Reading]) -> None:
    known: dict[str, BinMemory] = {}
    for reading in readings:
        geometry = inventory.assets[reading.asset].bin
        if geometry is not None:
            known[reading.asset] = look(geometry, known.get(reading.asset, BinMemory()), reading)[1]


if __name__ == "__main__":
    main()
