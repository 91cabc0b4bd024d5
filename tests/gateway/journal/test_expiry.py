"""What is forgotten, in steps, and what never is."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.channels import Accepted
from gateway.journal.entry import AttemptEnded, AttemptStarted, Consumer, Entry, Quarantined, Snapshot, Stream
from gateway.journal.reader import JournalReader
from gateway.journal.retention import KEEP_CASES_MS, STEP_ROWS, Pressure, keep, pressure_at
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import DAY_MS, NOW_MS, alert, contents, event, owed, reading

EMPTY = Snapshot({}, {})


def test_old_readings_go_in_bounded_steps_and_young_ones_stay(journal: Journal, path: Path) -> None:
    count = STEP_ROWS + 500
    journal.commit(Entry(readings=[reading(seq) for seq in range(count)]))
    journal.commit(Entry(readings=[reading(count + seq, at_ms=NOW_MS + 10 * DAY_MS) for seq in range(5)]))
    journal.commit(Entry(snapshot=EMPTY))
    later_ms = NOW_MS + 15 * DAY_MS
    assert [journal.expire(later_ms, 14).readings for _ in range(3)] == [STEP_ROWS, 500, 0]
    assert [row[4] for row in contents(path)["reading"]] == list(range(count, count + 5))
    assert not journal.seen("bin-1", 17, 0)
    assert journal.seen("bin-1", 17, count)


def test_nothing_goes_before_its_day(journal: Journal) -> None:
    journal.commit(Entry(readings=[reading(0), reading(1)], snapshot=EMPTY))
    received_ms = NOW_MS + 5
    assert journal.expire(received_ms + 14 * DAY_MS, 14).rows == 0
    assert journal.expire(received_ms + 14 * DAY_MS + 1, 14).readings == 1


def test_readings_that_were_not_sent_on_are_never_deleted(journal: Journal, path: Path) -> None:
    sender, other = Consumer("sender", Stream.READING), Consumer("sender", Stream.EVENT)
    journal.admit([sender, other])
    journal.commit(Entry(readings=[reading(seq) for seq in range(10)], snapshot=EMPTY))
    assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 0
    journal.commit(Entry(consumed={sender: 4}))
    assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 4
    assert [row[0] for row in contents(path)["reading"]] == [5, 6, 7, 8, 9, 10]


def test_the_slowest_consumer_decides_and_one_that_is_gone_is_not_waited_for(journal: Journal) -> None:
    quick, slow = Consumer("quick", Stream.READING), Consumer("slow", Stream.READING)
    journal.admit([quick, slow])
    journal.commit(Entry(readings=[reading(seq) for seq in range(10)], snapshot=EMPTY, consumed={quick: 8, slow: 2}))
    assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 2
    journal.admit([quick])
    assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 6


def test_a_consumer_goes_on_where_it_was_when_it_is_admitted_again(journal: Journal, path: Path) -> None:
    sender = Consumer("sender", Stream.READING)
    journal.admit([sender])
    journal.commit(Entry(consumed={sender: 7}))
    journal.admit([sender])
    with closing(JournalReader.open(path)) as reader:
        assert reader.position(sender) == 7
        assert reader.position(Consumer("nobody", Stream.READING)) == 0


def test_readings_that_the_next_start_needs_are_never_deleted(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(readings=[reading(0), reading(1)], snapshot=EMPTY))
        journal.commit(Entry(readings=[reading(2), reading(3)]))
        assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 2
        assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 0
    with closing(Journal.open(path)) as journal:
        assert [found.seq for _, found in journal.restore().tail] == [2, 3]
        assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 0


def test_an_id_is_never_given_twice(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(readings=[reading(seq) for seq in range(10)], snapshot=EMPTY))
        assert journal.expire(NOW_MS + 999 * DAY_MS, 14).readings == 9
    with closing(Journal.open(path)) as journal:
        assert journal.commit(Entry(readings=[reading(10)])).last_reading_id == 11


def test_quarantine_is_bounded_by_age(journal: Journal, path: Path) -> None:
    refusals = [Quarantined(NOW_MS + number, "t", b"x", "not_json", "") for number in range(20)]
    journal.commit(Entry(quarantined=refusals))
    assert journal.expire(NOW_MS + 14 * DAY_MS + 5, 14).quarantined == 5
    assert len(contents(path)["quarantine"]) == 15


def test_cases_are_kept_three_years_and_open_ones_for_ever(journal: Journal, path: Path) -> None:
    settled = owed(0)
    journal.commit(
        Entry(
            events=[event(), event(NOW_MS + 1)],
            owed=[settled, owed(1), owed(2, at_ms=NOW_MS + 1)],
            dropped=[(owed(2).key, "acked")],
            attempts=[AttemptStarted(1, NOW_MS), AttemptEnded(1, NOW_MS, Accepted("r", delivered=True))],
            alerts={"open": alert("open"), "old": alert("old", NOW_MS), "young": alert("young", NOW_MS + 1)},
        )
    )
    assert KEEP_CASES_MS >= 3 * 365.25 * DAY_MS
    assert journal.expire(NOW_MS + KEEP_CASES_MS, 14).rows == 0
    assert journal.expire(NOW_MS + KEEP_CASES_MS + 1, 14).cases == 3
    left = contents(path)
    assert [row[1] for row in left["event"]] == [NOW_MS + 1]
    assert [(row[0], row[14]) for row in left["notification"]] == [(2, "owed"), (3, "dropped")]
    assert left["attempt"] == []
    assert {row[0] for row in left["alert"]} == {"open", "young"}


@pytest.mark.parametrize(
    ("used", "pressure"),
    [
        (0, Pressure.OK),
        (699, Pressure.OK),
        (700, Pressure.HIGH),
        (899, Pressure.HIGH),
        (900, Pressure.CRITICAL),
        (2_000, Pressure.CRITICAL),
    ],
)
def test_pressure_has_its_two_marks(used: int, pressure: Pressure) -> None:
    assert pressure_at(used, 1_000) is pressure


def test_the_fuller_the_less_is_kept() -> None:
    kept = [keep(pressure, 14) for pressure in (Pressure.OK, Pressure.HIGH, Pressure.CRITICAL)]
    assert kept[0].readings_ms == 14 * DAY_MS
    assert all(more.readings_ms > less.readings_ms > 0 for more, less in pairwise(kept))
    assert all(more.quarantined_rows > less.quarantined_rows > 0 for more, less in pairwise(kept))


def test_a_journal_near_its_size_gives_old_readings_early_and_makes_room(path: Path) -> None:
    with closing(Journal.open(path, max_bytes=1_000_000)) as journal:
        assert journal.pressure() is Pressure.OK
        marks = [journal.pressure()]
        seq = 0
        while marks[-1] is not Pressure.CRITICAL:
            journal.commit(Entry(readings=[reading(seq + more) for more in range(100)], snapshot=EMPTY))
            seq += 100
            marks.append(journal.pressure())
        assert list(dict.fromkeys(marks)) == [Pressure.OK, Pressure.HIGH, Pressure.CRITICAL]
        two_days_later = NOW_MS + 2 * DAY_MS
        expired = journal.expire(two_days_later, 14)
        assert expired.pressure is Pressure.CRITICAL
        assert expired.readings == STEP_ROWS
        while journal.expire(two_days_later, 14).rows:
            pass
        assert journal.pressure() is not Pressure.CRITICAL
        journal.commit(Entry(readings=[reading(seq + more) for more in range(100)]))
