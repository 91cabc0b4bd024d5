"""The measured gateway: ``app.run`` as it is, watched through its own ``watch``; what was seen is written at its end.

``python -m benchmarks.gateway_process SETTINGS RESULT``. Per commit two clocks are read and two values kept, no more.
"""

import logging
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway import app, logs
from gateway.journal.entry import Entry
from gateway.settings import Settings


class Commit(Struct, array_like=True):
    """One commit with readings or debts: when it was durable, by the machine's monotonic clock, and what was in it."""

    at_s: float
    cpu_s: float
    """The process's CPU time until then."""
    first_read_s: float
    """When its first reading was read from the socket; 0 without readings. Whole milliseconds."""
    readings: int
    owed: list[str]
    """The assets about which somebody is owed a text."""


class Seen(Struct):
    """Everything that a run of the gateway committed."""

    commits: list[Commit]


def main(settings_file: Path, result: Path) -> None:
    """Runs the gateway until it is told to end."""
    logs.configure(level=logging.WARNING)
    settings = Settings.model_validate_json(settings_file.read_text("utf-8"))
    wall_ahead_s = time.time() - time.monotonic()
    commits: list[Commit] = []

    def watch(entry: Entry) -> None:
        if entry.readings or entry.owed:
            now_s, cpu_s = time.monotonic(), time.process_time()
            first_s = entry.readings[0].received_ms / 1_000 - wall_ahead_s if entry.readings else 0.0
            commits.append(Commit(now_s, cpu_s, first_s, len(entry.readings), [owed.asset for owed in entry.owed]))

    app.run(settings, watch=watch)
    result.write_bytes(msgspec.json.encode(Seen(commits)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
