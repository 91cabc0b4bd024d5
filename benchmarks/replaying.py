"""``cunjing replay`` on the backlog written as a recording: uplinks a second, from JSON lines to JSON lines."""

from pathlib import Path
from statistics import median

from benchmarks.children import Unmeasured, run
from benchmarks.replay_process import Replayed
from firmware_sim.radio import TimedUplink
from gateway.replay import written
from telemetry.wire import Uplink


def measure(folder: Path, inventory: Path, uplinks: list[TimedUplink], rounds: int) -> float:
    """Uplinks a second, the median of the rounds. Raises ``Unmeasured``."""
    recording, result = folder / "uplinks.jsonl", folder / "replayed.json"
    with recording.open("w", encoding="utf-8") as file:
        file.writelines(written(Uplink(*uplink)) + "\n" for uplink in uplinks)
    speeds = []
    for _ in range(rounds):
        told = run("replay_process", result, Replayed, recording, inventory)
        if told.messages != len(uplinks):
            raise Unmeasured(f"replay read {told.messages} of {len(uplinks)} uplinks")
        speeds.append(told.messages / told.seconds)
    return median(speeds)
