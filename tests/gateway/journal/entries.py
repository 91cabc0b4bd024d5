"""Readings, entries and journals to test with, and a look at everything a journal's file holds."""

import sqlite3
from pathlib import Path
from typing import Any

from alerts.answers import Receipt, Reply
from alerts.channels import Accepted
from alerts.conditions.filling import Forecast, LevelForecast
from alerts.ledger.case import Case, Deed, Origin
from alerts.model import Event, MessageKind, Owed
from alerts.rollups.rows import BinRow, DeviceRow, PlantDayRow, PlantRow, Rollup, Row, TownRow
from gateway.journal.entry import (
    AlertRow,
    Anomaly,
    Answered,
    AttemptEnded,
    AttemptStarted,
    Carry,
    Consumer,
    DayCarry,
    Dirty,
    Entry,
    InventoryBody,
    Progress,
    Quarantined,
    RequeueOutcome,
    Rolled,
    SignOfLife,
    Snapshot,
    Stream,
    Unreceipted,
)
from gateway.pipeline import case_row
from telemetry.reading import Reading, TimeSource, Values
from telemetry.series import Measurement
from telemetry.wire import Status

NOW_MS = 1_795_334_400_000
DAY_MS = 86_400_000
BIN = Values(distance_mm=412.0, temperature_c=21.4, tilt_deg=2.0, battery_pct=92.0)
PLANT = Values(level_mm=730.5, flow_m3h=0.0, volume_m3=12_345.678, pump_current_a=3.2, mains_on=1.0)


def reading(seq: int, device: str = "bin-1", values: Values = BIN, at_ms: int = NOW_MS) -> Reading:
    return Reading(device, f"asset-{device}", 17, seq, at_ms, at_ms + 5, TimeSource.OK, late=False, values=values)


def owed(step: int = 0, severity: str = "P3", at_ms: int = NOW_MS) -> Owed:
    return Owed(
        at_ms=at_ms,
        rule="overflow",
        asset="ytan-03",
        episode="overflow/ytan-03/1",
        severity=severity,
        kind=MessageKind.FIRST,
        step=step,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text="【湘阳环卫】柳潭3号池满了。",
    )


def alert(episode: str = "overflow/ytan-03/1", cleared_ms: int | None = None) -> AlertRow:
    return AlertRow(
        episode, "overflow", "ytan-03", "bin-1", "P2", NOW_MS, cleared_ms, b"blob", settled=cleared_ms is not None
    )


def event(at_ms: int = NOW_MS) -> Event:
    return Event(at_ms=at_ms, event="raised", rule="overflow", asset="ytan-03", detail={"fill_pct": 96.0, "近": "井"})


LEAK = Case(
    id="20261122-qingshi-001",
    origin=Origin.TELEPHONE,
    what="化粪池满溢",
    rule="septic",
    opened_ms=NOW_MS,
    areas=("liutan",),
    within=("xiang", "qingshi", "liutan"),
    town="qingshi",
    place="村部后面",
    caller_name="周师傅",
    deadline_ms=NOW_MS + DAY_MS,
    due_ms=NOW_MS + DAY_MS,
)
"""A case by telephone."""

FULL = BinRow(10.0, 70.5, 40.25, 70.5, 3, 60.0, 12.5, 1, 0.5 * 12.5 / 60)
BLANK = BinRow(None, None, None, None, 0, 0.0, 0.0, 0, None)
RAN = PlantRow(1.25, 600.0, 1, 600.0, 3_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2)
RAN_ALL_DAY = PlantDayRow(30.0, 600.0, 1, 600.0, 85_800.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2, 60.0)
SPOKE = DeviceRow(3, 3.0, 80.0, -90.5, None, 1.5)
TOWN = TownRow(12.0, 1.5, 0.75)


def rollup(measurement: Measurement, subject: str, row: Row, at_ms: int = NOW_MS) -> Rollup:
    return Rollup(measurement, subject, at_ms, row)


def every_rollup() -> tuple[Rollup, ...]:
    """One of each measurement."""
    return (
        rollup(Measurement.BIN_HOUR, "asset-bin-1", FULL),
        rollup(Measurement.BIN_DAY, "asset-bin-1", BLANK),
        rollup(Measurement.PLANT_HOUR, "works", RAN),
        rollup(Measurement.PLANT_DAY, "works", RAN_ALL_DAY),
        rollup(Measurement.DEVICE_HOUR, "bin-1", SPOKE),
        rollup(Measurement.DEVICE_DAY, "bin-1", SPOKE),
        rollup(Measurement.TOWN_HOUR, "qingshi", TOWN),
        rollup(Measurement.TOWN_DAY, "qingshi", TOWN),
    )


def full_rolled() -> Rolled:
    """A post that touches every table of the rollups."""
    return Rolled(
        every_rollup(),
        (Carry("asset-bin-1", NOW_MS, b"carry"), Carry("works", NOW_MS, None)),
        (DayCarry(NOW_MS, "asset-bin-1", 7, b"began"),),
        (Dirty(NOW_MS, "asset", "asset-bin-1"), Dirty(NOW_MS, "area", "qingshi")),
        (Dirty(NOW_MS, "asset", "works"),),
        Progress(NOW_MS, 12, NOW_MS - DAY_MS, NOW_MS - 9 * DAY_MS),
        (Consumer("rollups", Stream.READING), 5),
    )


def full_entry(rows: int = 30) -> Entry:
    """An entry that touches every table."""
    return Entry(
        cases={LEAK.id: case_row(LEAK)},
        deeds=[Deed(case=LEAK.id, at_ms=NOW_MS, deed="registered", by="dispatch-wu", now="open", reason="满了")],
        readings=[reading(seq, f"bin-{seq % 7}", BIN if seq % 3 else PLANT) for seq in range(rows)],
        quarantined=[Quarantined(NOW_MS, "a/b", b"\xff\x00", "not_json", "no JSON")],
        looked=[RequeueOutcome(1, NOW_MS, "refused", "not_json", "still no JSON")],
        statuses=[(Status("bin-1", online=True, boot=17, fw="1.2.0", ts_ms=NOW_MS), NOW_MS)],
        states={"asset-bin-1": b"state", "rg-1": b"a radio gateway"},
        alerts={"overflow/ytan-03/1": alert()},
        mailboxes={"13800000001": b"what waits for a number"},
        events=[event()],
        owed=[owed(0), owed(1)],
        attempts=[AttemptStarted(1, NOW_MS), AttemptEnded(1, NOW_MS + 1, Accepted("ref", delivered=True))],
        dropped=[(owed(1).key, "acked")],
        heartbeat_ms=NOW_MS,
        snapshot=Snapshot({"asset-bin-2": b"s2"}, {"bin-2": b"t2"}, "rules-1"),
        known={"bin-1": NOW_MS, "silent": NOW_MS},
        consumed={Consumer("sender", Stream.READING): 3},
        meta={"colour": "green"},
        inventory=InventoryBody(NOW_MS, "00ff", "county: {}"),
        rolled=[full_rolled()],
        receipts=[Receipt("gammu", "ref", delivered=True, at_ms=NOW_MS)],
        unreceipted=[Unreceipted(2, NOW_MS, "no_receipt")],
        signs_of_life=[SignOfLife("bin-1", 27_440_068, 41, NOW_MS, None, b"id-hash-payload-")],
        anomalies={
            ("bin-1", "refused", "battery_pct"): Anomaly(
                "bin-1", "refused", "battery_pct", NOW_MS, NOW_MS + 5, 2, "out_of_range", "not 101"
            )
        },
        tracks={"bin-3": b"t3"},
        answers=[Answered(Reply("gammu", "1", "13900000001", "1", NOW_MS), "done", "cleaner-li", "overflow/ytan-03/1")],
        excused=(NOW_MS - 180_000, NOW_MS),
        readdressed={2: "13900000002"},
        forecasts={"ytan-03": LevelForecast(Forecast(NOW_MS + 3, NOW_MS + 2, NOW_MS + 5), None)},
    )


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but when it was migrated, read by a connection of its own."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema"
                " WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'migration'"
            )
        ]
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 -- names of our own
            for table in sorted(tables)
        }
    finally:
        connection.close()
