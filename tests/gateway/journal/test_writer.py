"""Commit, restore and look-up on real files."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.channels import Accepted, Failed, Outcome, SendRefused
from gateway.journal import readings
from gateway.journal.entry import AttemptEnded, AttemptStarted, Consumer, Entry, Quarantined, Snapshot, Stream
from gateway.journal.writer import Journal
from telemetry.reading import QUANTITIES, Reading, TimeSource, Values
from telemetry.sequence import NONE_STORED
from telemetry.wire import Status
from tests.gateway.journal.entries import BIN, NOW_MS, PLANT, alert, contents, event, full_entry, owed, reading
from tests.strategies import counters, values


@contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "journal.db"


def test_a_commit_is_durable_when_it_returns(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.commit(full_entry())
    left = tmp_path / "after the crash"
    shutil.copytree(path.parent, left)
    assert contents(left / path.name) == contents(path)
    with closing(Journal.open(left / path.name)) as again:
        assert again.restore().last_reading_id == 30
    (synchronous,) = journal._connection.execute("PRAGMA synchronous").fetchone()
    (mode,) = journal._connection.execute("PRAGMA journal_mode").fetchone()
    assert (synchronous, mode) == (2, "wal")


def test_the_full_entry_touches_every_part_and_every_table(journal: Journal, path: Path) -> None:
    entry = full_entry()
    assert all(getattr(entry, part) for part in Entry.__struct_fields__)
    journal.admit([Consumer("sender", Stream.ROLLUP)])
    journal.commit(entry)
    assert [table for table, rows in contents(path).items() if not rows] == []


def test_a_reading_comes_back_as_it_was() -> None:
    readings = st.builds(
        Reading,
        device=st.sampled_from(["bin-1", "bin-2", "plant-1"]),
        asset=st.sampled_from(["a", "b"]),
        boot=counters(),
        seq=counters(),
        observed_ms=st.integers(0, 2**53),
        received_ms=st.integers(0, 2**53),
        clock=st.sampled_from(TimeSource),
        late=st.booleans(),
        values=values(),
        device_ms=st.none() | st.integers(0, 2**53),
    )

    @settings(max_examples=30, deadline=None)
    @given(st.lists(readings, max_size=60))
    def law(batch: list[Reading]) -> None:
        with somewhere() as path:
            with closing(Journal.open(path)) as journal:
                assert journal.commit(Entry(readings=batch)).last_reading_id == len(batch)
            with closing(Journal.open(path)) as journal:
                assert list(journal.restore().tail) == list(enumerate(batch, start=1))

    law()


def test_a_commit_that_is_interrupted_anywhere_leaves_nothing_and_can_be_made_again() -> None:
    with somewhere() as path, closing(Journal.open(path)) as journal:
        journal.commit(full_entry(3))
        journal.commit(full_entry())
        undisturbed = contents(path)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(1, 700))
    def law(steps: int) -> None:
        with somewhere() as path, closing(Journal.open(path)) as journal:
            journal.commit(full_entry(3))
            before = contents(path)
            connection, left = journal._connection, iter(range(steps))
            connection.set_progress_handler(lambda: int(next(left, None) is None), 20)
            interrupted = False
            try:
                journal.commit(full_entry())
            except sqlite3.OperationalError:
                interrupted = True
            connection.set_progress_handler(None, 0)
            if interrupted:
                assert contents(path) == before
                journal.commit(full_entry())
            assert contents(path) == undisturbed

    law()


def test_a_name_learned_in_a_failed_commit_is_forgotten(journal: Journal, path: Path) -> None:
    journal._connection.set_progress_handler(lambda: 1, 2_000)
    with pytest.raises(sqlite3.OperationalError):
        journal.commit(Entry(readings=[reading(seq, f"bin-{seq}") for seq in range(500)]))
    journal._connection.set_progress_handler(None, 0)
    journal.commit(Entry(readings=[reading(1, "other")]))
    assert contents(path)["device"] == [(1, "other", None)]
    assert [found.device for _, found in journal.restore().tail] == ["other"]


def test_ids_follow_arrival_across_shapes_and_statements(journal: Journal) -> None:
    batch = [reading(seq, values=PLANT if seq % 5 == 0 else BIN) for seq in range(263)]
    assert journal.commit(Entry(readings=batch[:131])).last_reading_id == 131
    assert journal.commit(Entry(readings=batch[131:])).last_reading_id == 263
    assert [(number, found.seq) for number, found in journal.restore().tail] == [(seq + 1, seq) for seq in range(263)]


def test_the_columns_are_the_quantities_in_their_order(journal: Journal) -> None:
    columns = [row[1] for row in journal._connection.execute("PRAGMA table_info(reading)")]
    assert [column for column in columns if column in QUANTITIES] == list(QUANTITIES)
    assert set(columns) == {*readings._HEAD, *QUANTITIES, "fingerprint"}


def test_every_quantity_at_once_fits_a_statement(journal: Journal) -> None:
    everything = Values(*(quantity.high for quantity in QUANTITIES.values()))
    journal.commit(Entry(readings=[reading(seq, values=everything) for seq in range(250)]))
    assert {found.values for _, found in journal.restore().tail} == {everything}


def test_a_reading_is_looked_up_whatever_stretch_it_lies_in(journal: Journal) -> None:
    for start in range(0, 6_000, 1_000):
        journal.commit(Entry(readings=[reading(seq, f"bin-{seq % 2}") for seq in range(start, start + 1_000)]))
    assert all(journal.seen(f"bin-{seq % 2}", 17, seq) for seq in (0, 1, 2_047, 2_048, 4_095, 4_096, 5_999))
    assert not any(journal.seen("bin-1", 17, seq) for seq in (0, 2_048, 6_001))
    assert not journal.seen("bin-0", 18, 0)
    assert not journal.seen("nobody", 17, 0)


def test_the_highest_seq_of_a_boot_is_found_in_whatever_stretch_it_lies(journal: Journal) -> None:
    assert journal.highest_seq("bin-1", 17) == NONE_STORED
    for start in range(0, 6_000, 1_000):
        journal.commit(Entry(readings=[reading(6_000 - seq) for seq in range(start, start + 1_000)]))
    assert journal.highest_seq("bin-1", 17) == 6_000
    assert journal.highest_seq("bin-1", 18) == NONE_STORED


def test_an_episode_is_known_open_or_over(journal: Journal) -> None:
    journal.commit(Entry(alerts={"one": alert("one"), "two": alert("two", cleared_ms=NOW_MS)}))
    assert [journal.knows(episode) for episode in ("one", "two", "three")] == [True, True, False]


def test_the_look_up_uses_its_index(journal: Journal) -> None:
    plan = journal._connection.execute(
        f"EXPLAIN QUERY PLAN {readings._SEEN}", {"newest": 9_000, "device": 1, "boot": 1, "seq": 1}
    ).fetchall()
    assert any("COVERING INDEX reading_mark (<expr>=? AND device=? AND boot=? AND seq=?)" in row[3] for row in plan)


def test_an_empty_entry_is_known_as_such_and_costs_no_transaction(journal: Journal, path: Path) -> None:
    assert Entry().is_empty
    assert not any(Entry(**{part: getattr(full_entry(), part)}).is_empty for part in Entry.__struct_fields__)
    before = contents(path)
    assert journal.commit(Entry()).last_reading_id == 0
    assert contents(path) == before


def test_a_start_finds_what_was_saved(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(readings=[reading(0), reading(1)], states={"a": b"old", "b": b"b"}))
        journal.commit(Entry(readings=[reading(2)], snapshot=Snapshot({"a": b"a3"}, {"bin-1": b"t3"}, "rules-1")))
        journal.commit(Entry(readings=[reading(3), reading(4)], states={"a": b"a5"}))
        journal.commit(Entry(heartbeat_ms=NOW_MS, meta={"k": "v"}, known={"silent": NOW_MS, "bin-1": NOW_MS + 1}))
        journal.commit(Entry(heartbeat_ms=NOW_MS + 9, known={"silent": NOW_MS + 9}))
    with closing(Journal.open(path)) as journal:
        found = journal.restore()
        assert found.known == {"silent": NOW_MS, "bin-1": NOW_MS + 1}
        assert found.heartbeat_ms == NOW_MS + 9
        assert (found.ruleset, found.snapshot_position, found.last_reading_id) == ("rules-1", 3, 5)
        assert found.states == {"a": (5, b"a5"), "b": (2, b"b")}
        assert found.tracks == {"bin-1": (3, b"t3")}
        assert found.meta == {"k": "v"}
        assert found.inventory is None
        assert list(found.tail) == [(4, reading(3)), (5, reading(4))]


def test_only_open_episodes_come_back(journal: Journal) -> None:
    journal.commit(Entry(alerts={"one": alert("one"), "two": alert("two")}))
    journal.commit(Entry(alerts={"one": alert("one", cleared_ms=NOW_MS + 1)}))
    assert journal.restore().open_alerts == [alert("two")]


def test_the_newest_inventory_comes_back(journal: Journal) -> None:
    journal.commit(full_entry())
    found = journal.restore().inventory
    assert found is not None
    assert (found.sha256, found.body) == ("00ff", "county: {}")


def test_a_key_that_is_known_is_counted_and_changes_nothing(journal: Journal, path: Path) -> None:
    first = journal.commit(Entry(owed=[owed(0), owed(1)]))
    assert (first.notification_ids, first.repeated_keys) == ((1, 2), 0)
    before = contents(path)
    again = journal.commit(Entry(owed=[owed(1, at_ms=NOW_MS + 5)]))
    assert (again.notification_ids, again.repeated_keys) == ((), 1)
    assert contents(path) == before


WORDS: Final[dict[type, str]] = {Accepted: "accepted", SendRefused: "refused", Failed: "failed"}
"""What the journal calls the outcome of a try, whatever its class is called."""


@pytest.mark.parametrize(
    ("outcome", "next_ms", "state", "reason", "reference", "accepted_ms", "delivered_ms"),
    [
        (Accepted("r"), None, "accepted", "", "r", NOW_MS + 1, None),
        (Accepted("r", delivered=True), None, "delivered", "", "r", NOW_MS + 1, NOW_MS + 1),
        (SendRefused("no_number"), None, "refused", "no_number", "", None, None),
        (Failed("timeout"), NOW_MS + 60, "owed", "timeout", "", None, None),
        (Failed("timeout"), None, "failed", "timeout", "", None, None),
    ],
)
def test_a_try_moves_its_notification(
    journal: Journal,
    outcome: Outcome,
    next_ms: int | None,
    state: str,
    reason: str,
    reference: str,
    accepted_ms: int | None,
    delivered_ms: int | None,
) -> None:
    db = journal._connection
    journal.commit(Entry(owed=[owed()]))
    journal.commit(Entry(attempts=[AttemptStarted(1, NOW_MS)]))
    assert db.execute("SELECT state, attempts FROM notification").fetchall() == [("sending", 1)]
    assert db.execute("SELECT started_ms, ended_ms FROM attempt").fetchall() == [(NOW_MS, None)]
    journal.commit(Entry(attempts=[AttemptEnded(1, NOW_MS + 1, outcome, next_ms)]))
    assert db.execute(
        "SELECT state, attempts, next_attempt_ms, reason, reference, accepted_ms, delivered_ms FROM notification"
    ).fetchall() == [(state, 1, next_ms, reason, reference, accepted_ms, delivered_ms)]
    assert db.execute("SELECT ended_ms, outcome, reason FROM attempt").fetchall() == [
        (NOW_MS + 1, WORDS[type(outcome)], reason)
    ]


def test_what_was_dropped_keeps_its_reason_and_may_not_be_tried(journal: Journal, path: Path) -> None:
    journal.commit(Entry(owed=[owed()], dropped=[(owed().key, "acked")]))
    before = contents(path)
    assert journal.commit(Entry(attempts=[AttemptStarted(1, NOW_MS)])).not_owed == {1}
    assert contents(path) == before
    assert journal._connection.execute("SELECT state, reason FROM notification").fetchall() == [("dropped", "acked")]


def test_what_is_on_its_way_cannot_be_dropped(journal: Journal) -> None:
    journal.commit(Entry(owed=[owed()], attempts=[AttemptStarted(1, NOW_MS)]))
    journal.commit(Entry(dropped=[(owed().key, "acked")]))
    assert journal._connection.execute("SELECT state FROM notification").fetchall() == [("sending",)]


def test_the_same_end_told_twice_is_told_once(journal: Journal, path: Path) -> None:
    journal.commit(Entry(owed=[owed()], attempts=[AttemptStarted(1, NOW_MS)]))
    end = Entry(attempts=[AttemptEnded(1, NOW_MS + 1, Accepted("r"))])
    journal.commit(end)
    before = contents(path)
    journal.commit(end)
    journal.commit(Entry(attempts=[AttemptEnded(1, NOW_MS + 9, Failed("timeout"), NOW_MS + 99)]))
    assert contents(path) == before


def test_bytes_and_texts_of_strangers_are_kept_whatever_they_are(journal: Journal) -> None:
    strange = Quarantined(NOW_MS, "a\ud800/\x00b", bytes(range(256)), "not_json", "\udfff")
    journal.commit(Entry(quarantined=[strange], statuses=[(Status("bin-1", online=False, fw="\ud800"), NOW_MS)]))
    db = journal._connection
    assert db.execute("SELECT topic, payload, detail FROM quarantine").fetchall() == [
        ("a\\ud800/\x00b", bytes(range(256)), "\\udfff")
    ]
    assert db.execute("SELECT online, fw FROM device_status").fetchall() == [(0, "\\ud800")]


def test_only_the_latest_status_of_a_device_is_kept(journal: Journal) -> None:
    for online in (True, False):
        journal.commit(Entry(statuses=[(Status("bin-1", online=online), NOW_MS)]))
    assert journal._connection.execute("SELECT online FROM device_status").fetchall() == [(0,)]


def test_why_is_answered_by_an_index(journal: Journal) -> None:
    journal.commit(Entry(events=[event()]))
    for table, condition in (
        ("event", "asset = 'a' AND at_ms < 9"),
        ("event", "episode = 'e' AND episode <> ''"),
        ("notification", "asset = 'a' AND at_ms < 9"),
        ("notification", "episode = 'e'"),
    ):
        plan = journal._connection.execute(
            f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}"  # noqa: S608 -- literals above
        ).fetchall()
        assert "USING INDEX" in plan[0][3]


def test_a_clean_close_leaves_one_file_that_holds_everything(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
    assert {found.name for found in path.parent.iterdir()} == {"journal.db", "journal.db.lock"}
    assert len(contents(path)["reading"]) == 30
