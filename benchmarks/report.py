"""What was measured, for people and for machines: one table, and ``results/latest.json``. Nothing is measured here."""

import json
import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.backlog import Backlog
from benchmarks.latency import Latency
from benchmarks.series import Drain, Encoding

LATEST: Final = Path(__file__).parent / "results" / "latest.json"
METHOD: Final = {
    "ratio_over_bare": (
        "Backlog of native messages of an ordinary morning of 10,000 devices, queued by mosquitto at QoS 1 for two"
        " absent sessions; each drains it in a process of its own, in turn, MQTT 5. Ours: gateway.app.run, every rule,"
        " journal on disk (WAL, synchronous=FULL), first message read to last batch committed. Bare: paho loop_forever,"
        " counting. Median of each round's bare µs ÷ ours."
    ),
    "p99_ms": "From when a fire is due to be published to the commit that holds its owed row; one monotonic clock.",
    "replay_msgs_per_s": "JSON lines in, JSON lines out, start and inventory left out.",
    "encoder_over_library": (
        "The first 10,000 readings of the drained backlog to two lines each, ours and influxdb-client's Point, in turn;"
        " the first 1,000 compared after parsing. CPU time, median of the rounds."
    ),
    "drain_over_arrival": (
        "Every reading of that journal read, encoded, gzipped, written to an influxd of this run and marked, by one"
        " sender; readings a second over those that the simulated county of 10,000 devices sends."
    ),
    "dead_influxdb": "The latency at 1,000 msg/s once more, with an InfluxDB configured where nobody answers.",
    "rss_mb_10k": "VmRSS of the gateway after the backlog, every device heard.",
}
_FSYNCS: Final = 50
_WRITE: Final = b"\0" * 65_536


def machine(folder: Path) -> dict[str, Any]:
    """Where it was measured: the numbers mean nothing without it."""
    return {
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}, {_processor()}",
        "cpus": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "fdatasync_64k_ms": round(_fdatasync_ms(folder), 2),
        "python": platform.python_version(),
        "paho": version("paho-mqtt"),
    }


def numbers(backlog: Backlog | None, latencies: dict[int, Latency | None], replay: float | None) -> dict[str, Any]:
    """Every number by its key; ``None`` where it was not measured."""
    found: dict[str, Any] = {
        "ratio_over_bare": None if backlog is None else round(backlog.ratio, 2),
        "p99_ms_1k": None,
        "p99_ms_5k": None,
        "replay_msgs_per_s": None if replay is None else round(replay),
        "rss_mb_10k": None if backlog is None else backlog.rss_mb,
    }
    for rate, latency in latencies.items():
        for name in ("p50_ms", "p99_ms", "max_ms", "reached", "crossings"):
            value = None if latency is None else getattr(latency, name)
            found[f"{name}_{rate // 1_000}k"] = None if value is None else round(value, 1)
    if backlog is not None:
        found["messages"] = backlog.messages
        for name in ("bare_us", "ours_us", "bare_cpu_us", "ours_cpu_us", "readings", "commits"):
            found[name] = round(median(getattr(each, name) for each in backlog.rounds), 1)
        found["rounds"] = [
            {"bare_us": round(each.bare_us, 1), "ours_us": round(each.ours_us, 1)} for each in backlog.rounds
        ]
    return found


def series_numbers(encoding: Encoding | None, drain: Drain | None, without: Latency | None) -> dict[str, Any]:
    """What was measured beside InfluxDB, by key."""
    return {
        "encoder_over_library": None if encoding is None else round(encoding.ratio, 1),
        "encoder_us_a_line": None if encoding is None else round(encoding.ours_us, 2),
        "library_us_a_line": None if encoding is None else round(encoding.library_us, 2),
        "drain_over_arrival": None if drain is None else round(drain.over_arrival),
        "drain_readings_per_s": None if drain is None else round(drain.readings_per_s),
        "write_lines_per_s": None if drain is None else round(drain.lines_per_s),
        "p50_ms_1k_dead_influxdb": None if without is None else round(without.p50_ms, 1),
        "p99_ms_1k_dead_influxdb": None if without is None else round(without.p99_ms, 1),
    }


def write(where: dict[str, Any], broker: str | None, found: dict[str, Any], troubles: list[str]) -> None:
    """The file for machines."""
    told = {
        **found,
        **where,
        "mosquitto": broker,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "method": METHOD,
        "not_measured": troubles,
    }
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")


def show(where: dict[str, Any], broker: str | None, found: dict[str, Any], troubles: list[str]) -> None:
    """The table for people."""
    title = f"{where['machine']}, {where['cpus']} cores, Python {where['python']}, {broker or 'no mosquitto'}"
    table = Table(title=title, caption="\n".join(troubles) or None)
    for name in ("what", "reached", "aim"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for what, reached, aim in _rows(found):
        table.add_row(what, reached, aim)
    Console(width=110).print(table)


def _rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    def number(key: str, unit: str = "") -> str:
        value = found.get(key)
        return "—" if value is None else f"{value:,}{unit}"

    rows = [
        ("durable gateway ÷ bare subscriber, same backlog", number("ratio_over_bare", " ×"), "≥ 1.0, then ≥ 4"),
        ("  bare, µs a message (its CPU)", f"{number('bare_us')} ({number('bare_cpu_us')})", ""),
        ("  ours, µs a message (its CPU)", f"{number('ours_us')} ({number('ours_cpu_us')})", ""),
    ]
    for rate, aim in ((1, "p99 ≤ 50 ms"), (5, "p99 ≤ 500 ms")):
        shown = " / ".join(number(f"{name}_ms_{rate}k") for name in ("p50", "p99", "max"))
        rows.append((f"crossing → durable and owed at {rate},000 msg/s: p50 / p99 / max ms", shown, aim))
    shown = " / ".join(number(f"{name}_ms_1k_dead_influxdb") for name in ("p50", "p99"))
    rows.append(("  beside a dead InfluxDB at 1,000 msg/s: p50 / p99 ms", shown, "no effect"))
    rows.append(("replay, messages a second", number("replay_msgs_per_s"), ""))
    rows.append(("memory with 10,000 devices, each heard", number("rss_mb_10k", " MB"), ""))
    lines = f"{number('encoder_us_a_line')} / {number('library_us_a_line')}"
    rows.append(("line encoder ÷ the client's Point, same readings", number("encoder_over_library", " ×"), "≥ 12 ×"))
    rows.append(("  ours / Point, CPU µs a line", lines, ""))
    rows.append(("backlog into a real InfluxDB ÷ what the county sends", number("drain_over_arrival", " ×"), ""))
    rows.append(("  lines a second, journal to 204", number("write_lines_per_s"), ""))
    return rows


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "an unknown processor")


def _fdatasync_ms(folder: Path) -> float:
    """What the disk under the journal asks for one durable 64 KiB, the median of 50."""
    took = []
    with (folder / "fdatasync").open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            file.write(_WRITE)
            began_s = time.monotonic()
            os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())
            took.append(time.monotonic() - began_s)
    return median(took) * 1_000
