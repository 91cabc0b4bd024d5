"""Plausible rollups of a week, computed here only until the gateway makes them; the fields are docs/series.md's.

Rougher than the real ones: a level holds for two hours, hours without a sample are left out. To be replaced by them.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from statistics import fmean
from typing import Final

from alerts.exposure import POINTS_A_SITE
from alerts.model import RUN_CODES
from gateway.journal.reader import JournalReader
from telemetry.reading import Reading
from telemetry.series import Measurement, instant_us, line, tags
from telemetry.terms import Kind
from tests.county_week import HOUR_MS, Week

DAY_MS: Final = 24 * HOUR_MS
SHANGHAI_MS: Final = 8 * HOUR_MS
HOLDS_MS: Final = 2 * HOUR_MS
LINE_PCT: Final = 66.7

Fields = dict[str, float]
Windows = dict[tuple[str, int], Fields]
"""Fields by what they are about and where the window begins."""


def rolled_up(week: Week) -> tuple[list[bytes], list[bytes]]:
    """The lines of the hourly bucket and those of the daily one."""
    with closing(JournalReader.open(week.journal)) as reader:
        readings = sorted(
            (reading for _, reading in reader.readings_after(0, 10**6)), key=lambda each: each.observed_ms
        )
    bins = _bins(week, readings)
    plants = _plants(week, readings)
    devices = _devices(week, readings)
    hours, days = [], []
    for hourly, daily, found in (
        (Measurement.BIN_HOUR, Measurement.BIN_DAY, bins),
        (Measurement.PLANT_HOUR, Measurement.PLANT_DAY, plants),
    ):
        hours += [_line(week, hourly, tags(week.inventory, asset), at, row) for (asset, at), row in found.items()]
        days += [_line(week, daily, tags(week.inventory, asset), at, row) for (asset, at), row in _days(week, found)]
    for (device, at), row in devices.items():
        hours.append(_line(week, Measurement.DEVICE_HOUR, _of_device(week, device), at, row))
    for (device, at), row in _days(week, devices):
        days.append(_line(week, Measurement.DEVICE_DAY, _of_device(week, device), at, row))
    towns = _towns(week, bins)
    hours += [_line(week, Measurement.TOWN_HOUR, tags(week.inventory, area=town), at, row) for town, at, row in towns]
    inspected = [(town, at, row) for town, at, row in towns if 8 <= (at + SHANGHAI_MS) % DAY_MS // HOUR_MS < 18]
    for (town, day), rows in _grouped(inspected).items():
        means = {name: fmean(row[name] for row in rows) for name in rows[0]}
        days.append(_line(week, Measurement.TOWN_DAY, tags(week.inventory, area=town), day, means))
    return hours, days


def _line(week: Week, measurement: Measurement, tagged: str, at_ms: int, fields: Mapping[str, float]) -> bytes:
    assert week.begins_ms - DAY_MS <= at_ms < week.ends_ms
    return line(measurement, tagged, instant_us(at_ms, 0), fields)


def _of_device(week: Week, device: str) -> str:
    return tags(week.inventory, week.inventory.devices[device].asset, device)


def _bins(week: Week, readings: Sequence[Reading]) -> Windows:
    levels: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for each in readings:
        if each.judged_pct is not None:
            levels[each.asset].append((each.observed_ms, each.judged_pct))
    with closing(sqlite3.connect(week.journal)) as journal:
        emptied = journal.execute("SELECT asset, at_ms FROM event WHERE event = 'emptied'").fetchall()
    found: Windows = {}
    for asset, samples in levels.items():
        counts = (shape := week.inventory.assets[asset].bin) is not None and shape.counts_for_score
        for (at, pct), (then, _) in pairwise([*samples, (week.ends_ms, 0.0)]):
            row = found.setdefault((asset, at - at % HOUR_MS), {"samples": 0, "known_min": 0, "over_min": 0})
            minutes = min(then - at, HOLDS_MS, HOUR_MS - at % HOUR_MS) / 60_000
            row["fill_min_pct"] = min(row.get("fill_min_pct", 100.0), pct)
            row["fill_max_pct"] = max(row.get("fill_max_pct", 0.0), pct)
            row["fill_mean_pct"] = (row.get("fill_mean_pct", 0.0) * row["samples"] + pct) / (row["samples"] + 1)
            row["fill_last_pct"] = pct
            row["samples"] += 1
            row["known_min"] += minutes
            row["over_min"] += minutes if pct > LINE_PCT else 0
            row["emptyings"] = 0
            row["exposure_points"] = POINTS_A_SITE * row["over_min"] / row["known_min"] if counts else 0.0
    for asset, at in emptied:
        if row_of := found.get((asset, at - at % HOUR_MS)):
            row_of["emptyings"] += 1
    return found


def _plants(week: Week, readings: Sequence[Reading]) -> Windows:
    with closing(sqlite3.connect(week.journal)) as journal:
        changes = journal.execute(
            "SELECT asset, at_ms, json_extract(detail, '$.to') FROM event WHERE event = 'run_state' ORDER BY id"
        ).fetchall()
    found: Windows = {}
    for asset in (each for each in week.inventory.assets.values() if each.kind is Kind.PLANT):
        stands = [(at, state) for name, at, state in changes if name == asset.id]
        meter = [
            (each.observed_ms, each.values.volume_m3)
            for each in readings
            if each.asset == asset.id and each.values.volume_m3 is not None
        ]
        for start in range(week.begins_ms, week.ends_ms, HOUR_MS):
            row: Fields = {f"state_{state}_s": 0.0 for state in RUN_CODES}
            state = next((state for at, state in reversed(stands) if at <= start), "unknown")
            at = start
            for then, after in [*((t, s) for t, s in stands if start < t < start + HOUR_MS), (start + HOUR_MS, "")]:
                row[f"state_{state}_s"] += (then - at) / 1_000
                at, state = then, after or state
            values = [volume for at, volume in meter if start <= at < start + HOUR_MS]
            row["volume_m3"] = max(0.0, values[-1] - values[0]) if values else 0.0
            row["running_s"] = row["state_running_s"]
            row["starts"] = sum(s == "running" and start <= t < start + HOUR_MS for t, s in stands)
            row["run_state"] = RUN_CODES[state]
            found[asset.id, start] = row
    return found


def _devices(week: Week, readings: Sequence[Reading]) -> Windows:
    found: Windows = {}
    for device in week.inventory.devices.values():
        for start in range(week.begins_ms, week.ends_ms, HOUR_MS):
            found[device.id, start] = {"received": 0, "expected": 3_600 / device.interval_s}
    for each in readings:
        row = found.get((each.device, each.observed_ms - each.observed_ms % HOUR_MS))
        if row is None:
            continue
        row["received"] += 1
        row["delay_mean_s"] = (each.received_ms - each.observed_ms) / 1_000
        said = {
            "battery_min_pct": each.values.battery_pct,
            "rssi_mean_dbm": each.values.rssi_dbm,
            "snr_mean_db": each.values.snr_db,
        }
        row |= {name: value for name, value in said.items() if value is not None}
    return found


def _towns(week: Week, bins: Windows) -> list[tuple[str, int, Fields]]:
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (asset, at), row in bins.items():
        shape = week.inventory.assets[asset]
        if shape.bin is not None and shape.bin.counts_for_score:
            town = next(area.id for area in week.inventory.lineage(shape.area) if area.parent is None)
            found[town, at].append(row["exposure_points"])
    return [
        (town, at, {"sites": len(each), "sites_over": sum(each) / POINTS_A_SITE, "exposure_points": sum(each)})
        for (town, at), each in found.items()
    ]


def _grouped(rows: Sequence[tuple[str, int, Fields]]) -> dict[tuple[str, int], list[Fields]]:
    found: dict[tuple[str, int], list[Fields]] = defaultdict(list)
    for subject, at, row in rows:
        found[subject, at - (at + SHANGHAI_MS) % DAY_MS].append(row)
    return found


def _days(week: Week, hours: Windows) -> Iterator[tuple[tuple[str, int], Fields]]:
    for (subject, day), rows in _grouped([(subject, at, row) for (subject, at), row in hours.items()]).items():
        merged: Fields = {}
        for name in {name for row in rows for name in row}:
            values = [row[name] for row in rows if name in row]
            if "_min_" in name:
                merged[name] = min(values)
            elif "_max_" in name:
                merged[name] = max(values)
            elif name.endswith("_last_pct") or name == "run_state":
                merged[name] = values[-1]
            elif "_mean_" in name or name == "exposure_points":
                merged[name] = fmean(values)
            else:
                merged[name] = sum(values)
        shape = week.inventory.assets.get(subject)
        if shape is not None and shape.plant is not None:
            merged["load_pct"] = 100 * merged["volume_m3"] / shape.plant.design_m3d
        if day < week.ends_ms:
            yield (subject, day), merged
