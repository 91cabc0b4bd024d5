"""One device's junk costs nobody else a row of evidence or a day of readings, however much it sends (case H10)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alerts.calendars import DAY_MS
from gateway.journal.arrivals import SHARES, Bounds, kept_bytes, trim
from gateway.journal.entry import Entry, Quarantined
from gateway.journal.place import size_bytes
from gateway.journal.retention import Pressure, keep
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import NOW_MS, contents, reading

MEGABYTE = 1 << 20


def refused(device: str, number: int, size: int = 10, word: str = "telemetry") -> Quarantined:
    payload = number.to_bytes(4, "big") + bytes(size)
    return Quarantined(NOW_MS + number, f"cunjing/v1/xiang/{device}/{word}", payload, "not_json", "no JSON")


def kept(path: Path) -> dict[str, tuple[int, int, int]]:
    """Of each source: how many are there, how many it says, how many ever came."""
    with closing(sqlite3.connect(path)) as journal:
        rows = journal.execute(
            "SELECT source, (SELECT count(*) FROM quarantine WHERE quarantine.source = counted.source), rows, refused,"
            " bytes - coalesce((SELECT sum(100 + length(payload) + length(CAST(topic || detail AS BLOB)))"
            " FROM quarantine WHERE quarantine.source = counted.source), 0)"
            " FROM quarantine_source AS counted ORDER BY source"
        ).fetchall()
    assert [row for row in rows if row[1] != row[2] or row[4]] == [], "what is counted is what is there"
    return {source.rpartition("/")[2]: (there, said, ever) for source, there, said, ever, _ in rows}


def test_a_flood_of_large_junk_stays_within_its_share_and_evicts_nobody_else(path: Path) -> None:
    with closing(Journal.open(path, max_bytes=100 * MEGABYTE)) as journal:
        journal.commit(Entry(quarantined=[refused("honest", number) for number in range(50)]))
        for first in range(0, 600, 20):
            words = ("telemetry", "status", "cmd")
            flood = [refused("noisy", first + each, 60_000, words[each % 3]) for each in range(20)]
            journal.commit(Entry(quarantined=flood))
        there = kept(path)
        assert there["honest"] == (50, 50, 50)
        assert there["noisy"][2] == 600, "all are counted"
        assert 0 < there["noisy"][0] * 60_000 <= 10 * MEGABYTE // SHARES
        newest = [row[3][:4] for row in contents(path)["quarantine"] if "noisy" in row[2]]
        assert newest[-1] == (599).to_bytes(4, "big"), "the newest are kept"
        assert journal.pressure() is Pressure.OK
    assert size_bytes(path) < 8 * MEGABYTE, "36 MB came"


def test_many_small_ones_are_bounded_by_rows_of_each_source(journal: Journal, path: Path) -> None:
    journal.commit(Entry(quarantined=[refused("honest", number) for number in range(10)]))
    journal.commit(Entry(quarantined=[refused("noisy", number) for number in range(3_000)]))
    with journal._transaction():
        trim(journal._connection, Bounds(rows=800, bytes=MEGABYTE))
        trim(journal._connection, Bounds(rows=800, bytes=MEGABYTE))
    assert kept(path) == {"honest": (10, 10, 10), "noisy": (100, 100, 3_000)}


@pytest.mark.parametrize("bounds", [Bounds(60, MEGABYTE), Bounds(1_000, 60 * 160)])
def test_when_all_together_are_too_many_they_go_from_who_has_most(bounds: Bounds, journal: Journal, path: Path) -> None:
    for source in range(20):
        journal.commit(Entry(quarantined=[refused(f"bin-{source:02}", each) for each in range(1 + source % 2 * 5)]))
    assert sum(there for there, _, _ in kept(path).values()) == 70
    with journal._transaction():
        trim(journal._connection, bounds)
        assert kept_bytes(journal._connection) <= bounds.bytes
    after = kept(path)
    assert 40 <= sum(there for there, _, _ in after.values()) < 70
    assert all(there >= 1 for there, _, _ in after.values()), "who has one keeps it"


def test_strangers_bytes_shorten_nobodys_readings(path: Path) -> None:
    with closing(Journal.open(path, max_bytes=2 * MEGABYTE)) as journal:
        seq = 0
        while journal._used_bytes() < 1.35 * MEGABYTE:
            journal.commit(Entry(readings=[reading(seq + each) for each in range(100)]))
            seq += 100
        assert journal.pressure() is Pressure.OK
        for source in range(40):
            journal.commit(Entry(quarantined=[refused(f"noisy-{source}", each, 1_000) for each in range(20)]))
        assert journal.pressure() is Pressure.HIGH
        assert journal._pressure_of_readings() is Pressure.OK
    assert keep(Pressure.HIGH, 14, readings=Pressure.OK).readings_ms == 14 * DAY_MS


def test_sources_of_which_nothing_is_left_are_forgotten_after_a_month(journal: Journal, path: Path) -> None:
    journal.commit(Entry(quarantined=[refused("honest", 1)]))
    journal.expire(NOW_MS + 15 * DAY_MS, 14)
    assert kept(path) == {"honest": (0, 0, 1)}
    journal.expire(NOW_MS + 31 * DAY_MS, 14)
    assert kept(path) == {}
