"""Rollups go in and come out as they were, are found by subject and span, and say which of them have changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import UnionType
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

from alerts.rollups.rows import ROWS, BinRow, Rollup
from gateway.journal import readings, rollups
from gateway.journal.database import migrate, migrations
from gateway.journal.entry import Consumer, Dirty, Entry, Progress, Rolled, Snapshot, Stream
from gateway.journal.retention import KEEP_CASES_MS, STEP_ROWS
from gateway.journal.rollups import Changed, RollupReader
from gateway.journal.writer import Journal
from telemetry.series import Measurement
from tests.gateway.journal.entries import (
    BLANK,
    DAY_MS,
    FULL,
    NOW_MS,
    SPOKE,
    TOWN,
    contents,
    every_rollup,
    full_entry,
    full_rolled,
    reading,
    rollup,
)

HOUR_MS = 3_600_000
SENDER = Consumer("influx", Stream.ROLLUP)
BIN_HOUR = Measurement.BIN_HOUR


@pytest.fixture
def reader(journal: Journal) -> Iterator[RollupReader]:
    with closing(RollupReader.open(journal._path)) as opened:
        yield opened


def post(journal: Journal, *rows: Rollup) -> None:
    mark(journal, Rolled(rows))


def mark(journal: Journal, rolled: Rolled) -> None:
    journal.commit(Entry(rolled=[rolled]))


@pytest.mark.parametrize("measurement", ROWS)
def test_a_table_has_a_column_for_each_field_of_its_row(journal: Journal, measurement: Measurement) -> None:
    kinds = {int: "INTEGER", float: "REAL"}
    wanted = [("start_ms", "INTEGER", 1), ("subject", "INTEGER", 1)]
    for name, hint in get_type_hints(ROWS[measurement]).items():
        absent = isinstance(hint, UnionType)
        wanted.append((name, kinds[get_args(hint)[0] if absent else hint], int(not absent)))
    columns = journal._connection.execute(f"PRAGMA table_info({measurement})").fetchall()
    assert [(name, kind, there) for _, name, kind, there, *_ in columns] == wanted


def test_every_measurement_of_a_window_has_a_row() -> None:
    assert set(ROWS) == {each for each in Measurement if each.endswith(("_1h", "_1d"))}


def test_rows_come_back_as_they_were(journal: Journal, reader: RollupReader) -> None:
    journal.commit(full_entry())
    found = [row for measurement in ROWS for row in reader.all_rollups(measurement, NOW_MS, NOW_MS + 1)]
    assert sorted(found, key=str) == sorted(every_rollup(), key=str)


def test_a_row_written_again_is_the_new_one(journal: Journal, reader: RollupReader) -> None:
    post(journal, rollup(BIN_HOUR, "pool", FULL))
    post(journal, rollup(BIN_HOUR, "pool", BLANK))
    assert reader.rollups(BIN_HOUR, ["pool"], NOW_MS, NOW_MS + 1) == [rollup(BIN_HOUR, "pool", BLANK)]


def test_rows_are_found_by_subject_and_span(journal: Journal, reader: RollupReader) -> None:
    numbered = [replace(FULL, samples=number) for number in range(6)]
    for number, row in enumerate(numbered):
        at_ms = NOW_MS + number * HOUR_MS
        post(
            journal,
            rollup(BIN_HOUR, "a", row, at_ms),
            rollup(BIN_HOUR, "b", row, at_ms),
            rollup(BIN_HOUR, "c", row, at_ms),
        )
    found = reader.rollups(BIN_HOUR, ["c", "a", "nobody"], NOW_MS + HOUR_MS, NOW_MS + 3 * HOUR_MS)
    assert {(each.subject, each.start_ms) for each in found} == {
        (subject, NOW_MS + number * HOUR_MS) for subject in ("a", "c") for number in (1, 2)
    }
    assert [each.start_ms for each in found] == sorted(each.start_ms for each in found)
    assert {each.row for each in found} == {numbered[1], numbered[2]}
    assert reader.rollups(BIN_HOUR, ["a"], NOW_MS + 6 * HOUR_MS, NOW_MS + 9 * HOUR_MS) == []
    assert reader.rollups(Measurement.BIN_DAY, ["a"], 0, 2**62) == []


def test_a_span_is_read_by_the_primary_key_alone(journal: Journal) -> None:
    bounds = {"subjects": "[]", "from_ms": 0, "to_ms": 9}
    plan = journal._connection.execute(f"EXPLAIN QUERY PLAN {rollups._SPAN[BIN_HOUR]}", bounds).fetchall()
    touched = [row[3] for row in plan if "bin_1h" in row[3] or "kept" in row[3]]
    assert touched
    assert all("USING PRIMARY KEY" in line for line in touched)


def test_all_rows_are_read_page_by_page(journal: Journal, reader: RollupReader) -> None:
    rows = [rollup(BIN_HOUR, f"bin-{number}", FULL, NOW_MS + number % 3) for number in range(4_500)]
    post(journal, *rows)
    found = list(reader.all_rollups(BIN_HOUR, NOW_MS, NOW_MS + 2))
    assert len(found) == 3_000
    assert set(found) == {row for row in rows if row.start_ms < NOW_MS + 2}


def test_what_has_changed_is_noted_only_for_somebody(journal: Journal, path: Path, reader: RollupReader) -> None:
    post(journal, rollup(BIN_HOUR, "pool", FULL))
    assert contents(path)["rollup_change"] == []
    assert reader.changed_rollups(0) == Changed(0, ())
    journal.admit([SENDER])
    post(journal, *every_rollup())
    assert reader.changed_rollups(0).position == 8
    assert sorted(reader.changed_rollups(0).rows, key=str) == sorted(every_rollup(), key=str)
    journal.admit([])
    post(journal, rollup(BIN_HOUR, "pool", BLANK))
    assert len(contents(path)["rollup_change"]) == 8


def test_a_journal_that_is_opened_again_knows_that_somebody_reads_changes(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.admit([SENDER])
    with closing(Journal.open(path)) as journal:
        post(journal, rollup(BIN_HOUR, "pool", FULL))
    assert len(contents(path)["rollup_change"]) == 1


def test_changes_are_read_in_pages_each_row_once_and_as_it_is_now(journal: Journal, reader: RollupReader) -> None:
    journal.admit([SENDER])
    for samples in (1, 2, 3):
        post(
            journal, rollup(BIN_HOUR, "pool", replace(FULL, samples=samples)), rollup(Measurement.TOWN_HOUR, "t", TOWN)
        )
    newest = rollup(BIN_HOUR, "pool", replace(FULL, samples=3))
    assert reader.changed_rollups(0).rows == (newest, rollup(Measurement.TOWN_HOUR, "t", TOWN))
    first = reader.changed_rollups(0, limit=1)
    assert first == Changed(1, (newest,))
    assert reader.changed_rollups(first.position, limit=3) == Changed(
        4, (rollup(Measurement.TOWN_HOUR, "t", TOWN), newest)
    )
    assert reader.changed_rollups(6) == Changed(6, ())


def test_a_change_whose_row_is_gone_is_passed_over(journal: Journal, reader: RollupReader) -> None:
    journal.admit([SENDER])
    post(journal, rollup(BIN_HOUR, "pool", FULL))
    journal.expire(NOW_MS + KEEP_CASES_MS + 1, 14)
    assert reader.changed_rollups(0) == Changed(1, ())


def test_changes_that_were_sent_are_let_go_and_no_number_is_given_twice(journal: Journal, path: Path) -> None:
    journal.admit([SENDER, Consumer("other", Stream.ROLLUP)])
    post(journal, *every_rollup())
    assert journal.expire(NOW_MS, 14).rollups == 0
    journal.commit(Entry(consumed={SENDER: 8, Consumer("other", Stream.ROLLUP): 5}))
    assert journal.expire(NOW_MS, 14).rollups == 5
    journal.admit([SENDER])
    assert journal.expire(NOW_MS, 14).rollups == 3
    post(journal, rollup(BIN_HOUR, "pool", FULL))
    assert [row[0] for row in contents(path)["rollup_change"]] == [9]
    journal.admit([])
    assert journal.expire(NOW_MS, 14).rollups == 1


def test_hours_are_kept_three_years_and_days_for_ever(journal: Journal, path: Path) -> None:
    post(journal, *every_rollup(), rollup(BIN_HOUR, "asset-bin-1", FULL, NOW_MS + HOUR_MS))
    assert journal.expire(NOW_MS + KEEP_CASES_MS, 14).rollups == 0
    assert journal.expire(NOW_MS + KEEP_CASES_MS + 1, 14).rollups == 4
    left = contents(path)
    assert {str(measurement): len(left[measurement]) for measurement in ROWS if left[measurement]} == {
        "bin_1h": 1,
        "bin_1d": 1,
        "plant_1d": 1,
        "device_1d": 1,
        "town_1d": 1,
    }


def test_hours_go_in_bounded_steps(journal: Journal) -> None:
    post(journal, *(rollup(BIN_HOUR, f"bin-{number}", FULL) for number in range(STEP_ROWS + 10)))
    steps = [journal.expire(NOW_MS + KEEP_CASES_MS + 1, 14).rollups for _ in range(3)]
    assert steps == [STEP_ROWS, 10, 0]


def test_carries_go_when_no_late_reading_can_ask_for_them(journal: Journal, path: Path, reader: RollupReader) -> None:
    mark(journal, Rolled(day_carries=full_rolled().day_carries))
    assert reader.day_carry("asset-bin-1", NOW_MS) == (NOW_MS, "asset-bin-1", 7, b"began")
    mark(journal, Rolled(progress=Progress(NOW_MS, 1, NOW_MS, NOW_MS)))
    assert journal.expire(NOW_MS, 14).rollups == 0
    mark(journal, Rolled(progress=Progress(NOW_MS, 1, NOW_MS, NOW_MS + 1)))
    assert journal.expire(NOW_MS, 14).rollups == 1
    assert contents(path)["rollup_day_carry"] == []
    assert reader.day_carry("asset-bin-1", NOW_MS) is None


def test_where_the_roller_stands_comes_back(journal: Journal, reader: RollupReader) -> None:
    assert (reader.progress(), reader.carries(["works"]), reader.dirty(9)) == (None, {}, [])
    whole = full_rolled()
    journal.commit(Entry(rolled=[whole]))
    assert reader.progress() == whole.progress
    assert reader.carries(["works", "asset-bin-1", "nobody"]) == {carry.asset: carry for carry in whole.carries}
    assert reader.position(Consumer("rollups", Stream.READING)) == 5


def test_assets_are_computed_again_before_towns_and_the_earliest_day_first(
    journal: Journal, reader: RollupReader
) -> None:
    town, late = Dirty(NOW_MS - DAY_MS, "area", "t"), Dirty(NOW_MS, "asset", "b")
    early, same = Dirty(NOW_MS - DAY_MS, "asset", "c"), Dirty(NOW_MS, "asset", "a")
    mark(journal, Rolled(dirty=(town, late, early, same, late)))
    assert reader.dirty(9) == [early, late, same, town]
    assert reader.dirty(1) == [early]
    mark(journal, Rolled(clean=(early, late), dirty=(late,)))
    assert reader.dirty(9) == [late, same, town]


def test_a_failed_post_leaves_no_name_behind(journal: Journal, path: Path) -> None:
    journal._connection.set_progress_handler(lambda: 1, 200)
    rows = [rollup(Measurement.TOWN_HOUR, f"town-{number}", TOWN) for number in range(200)]
    with pytest.raises(sqlite3.OperationalError):
        post(journal, *rows)
    journal._connection.set_progress_handler(None, 0)
    post(journal, rollup(Measurement.TOWN_HOUR, "other", TOWN))
    assert contents(path)["area"] == [(1, "other")]


def test_readings_of_a_device_are_found_in_whatever_stretch_they_lie(journal: Journal, reader: RollupReader) -> None:
    told = [reading(seq, f"bin-{seq % 2}", at_ms=NOW_MS + seq) for seq in range(6_000)]
    for start in range(0, 6_000, 1_000):
        journal.commit(Entry(readings=told[start : start + 1_000]))
    found = reader.of_devices(["bin-1", "nobody"], 0, NOW_MS + 2_000, NOW_MS + 5_000)
    assert sorted(found, key=lambda one: one.seq) == [one for one in told[2_000:5_000] if one.device == "bin-1"]
    assert {one.seq for one in reader.of_devices(["bin-1"], 4_001, 0, 2**62)} == set(range(4_001, 6_000, 2))


def test_readings_of_a_device_are_found_by_the_index(journal: Journal) -> None:
    bounds = {"after": 0, "device": "a", "from_ms": 0, "to_ms": 9}
    plan = journal._connection.execute(f"EXPLAIN QUERY PLAN {readings._OF_DEVICE}", bounds).fetchall()
    assert any("USING INDEX reading_mark (<expr>=? AND device=?)" in row[3] for row in plan)


def test_places_and_whole_readings_are_found_by_id(journal: Journal, reader: RollupReader) -> None:
    told = [reading(seq, f"bin-{seq}") for seq in range(10)]
    journal.commit(Entry(readings=told))
    names = reader.names("asset")
    places = reader.places(7, 2)
    assert [(place.id, names[place.asset], place.observed_ms) for place in places] == [
        (8, "asset-bin-7", NOW_MS),
        (9, "asset-bin-8", NOW_MS),
    ]
    assert sorted(reader.these([9, 2, 99]), key=lambda one: one.seq) == [told[1], told[8]]


def test_up_to_when_readings_were_let_go_is_noted(journal: Journal, reader: RollupReader) -> None:
    assert reader.let_go_ms() == 0
    early = replace(reading(2), observed_ms=NOW_MS - 5)
    told = [reading(0, at_ms=NOW_MS + 7), reading(1), early, reading(3, at_ms=NOW_MS + DAY_MS)]
    journal.commit(Entry(readings=told, snapshot=Snapshot({}, {})))
    journal.expire(NOW_MS + 14 * DAY_MS, 14)
    assert reader.let_go_ms() == 0
    journal.expire(NOW_MS + 14 * DAY_MS + 100, 14)
    assert reader.let_go_ms() == NOW_MS + 7


@pytest.mark.parametrize(("gone", "mark"), [(0, None), (3, str(NOW_MS + 5 + 300_000))])
def test_an_older_journal_that_has_let_readings_go_is_marked(tmp_path: Path, gone: int, mark: str | None) -> None:
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        migrate(connection, older, migrations()[:2])
        for number in range(gone + 1, 6):
            connection.execute(
                "INSERT INTO reading (id, device, asset, boot, seq, observed_ms, received_ms, clock, late)"
                " VALUES (?, 1, 1, 1, ?, ?, ?, 0, 0)",
                (number, number, NOW_MS, NOW_MS + 5),
            )
        migrate(connection, older, migrations())
        assert dict(connection.execute("SELECT key, value FROM meta")).get("readings_let_go_ms") == mark


def test_an_absent_field_is_null_and_not_zero(journal: Journal) -> None:
    post(journal, rollup(BIN_HOUR, "pool", BLANK))
    fields = ", ".join(BinRow.__struct_fields__)
    (row,) = journal._connection.execute(f"SELECT {fields} FROM bin_1h").fetchall()  # noqa: S608 -- names of our own
    assert row == (None, None, None, None, 0, 0.0, 0.0, 0, None)
    assert SPOKE.snr_mean_db is None
