"""``cunjing replay`` on a recording, timed: from the first line read to the last line said, imports left out.

``python -m benchmarks.replay_process RECORDING INVENTORY RESULT``.
"""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway import imports, logs, shipped
from gateway.replay import read, replay
from telemetry.wire import Uplink


class Replayed(Struct):
    """How many uplinks went in, how many lines came out, and in how many seconds."""

    messages: int
    lines: int
    seconds: float


def main(file: Path, inventory: Path) -> Replayed:
    """One replay."""
    logs.configure(level=logging.ERROR)
    county, policy_files = imports.checked(inventory), shipped.policy_files()
    messages = 0

    def counted(uplinks: Iterable[Uplink]) -> Iterator[Uplink]:
        nonlocal messages
        for uplink in uplinks:
            messages += 1
            yield uplink

    with file.open("rb") as opened:
        began_s = time.monotonic()
        lines = sum(1 for _ in replay(counted(read(opened, str(file))), county, policy_files))
        return Replayed(messages, lines, time.monotonic() - began_s)


if __name__ == "__main__":
    Path(sys.argv[3]).write_bytes(msgspec.json.encode(main(Path(sys.argv[1]), Path(sys.argv[2]))))
