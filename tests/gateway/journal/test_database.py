"""A journal that cannot be used says which file, why, and what to do; nothing is lost meanwhile."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.database import JournalUnavailable, Problem, translated
from gateway.journal.entry import Entry
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import contents, full_entry, reading


def refused(path: Path) -> JournalUnavailable:
    with pytest.raises(JournalUnavailable) as caught:
        Journal.open(path)
    assert str(path) in str(caught.value)
    assert ";" in str(caught.value)
    return caught.value


def fill(journal: Journal) -> None:
    for start in range(0, 100_000, 100):
        journal.commit(Entry(readings=[reading(seq) for seq in range(start, start + 100)]))


def test_a_second_gateway_on_the_same_journal_is_refused_and_the_first_goes_on(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        assert refused(path).problem is Problem.LOCKED
        assert journal.commit(full_entry()).last_reading_id == 30
    Journal.open(path).close()


def test_the_lock_of_a_killed_gateway_is_free_and_what_it_committed_is_there(path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from gateway.journal.writer import Journal;"
        "from tests.gateway.journal.entries import full_entry;"
        "Journal.open(Path(sys.argv[1])).commit(full_entry()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert killed.returncode == -9
    with closing(JournalReader.open(path)) as reader:
        assert len(list(reader.readings())) == 30
    with closing(Journal.open(path)) as journal:
        assert journal.restore().last_reading_id == 30


def test_a_commit_waits_out_a_stranger_and_is_made_again(journal: Journal, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable) as caught:
            journal.commit(full_entry())
        assert caught.value.problem is Problem.LOCKED
        stranger.execute("ROLLBACK")
    assert journal.commit(full_entry()).last_reading_id == 30
    assert len(contents(path)["reading"]) == 30


def test_a_stranger_who_writes_is_noticed_at_the_start(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        assert refused(path).problem is Problem.LOCKED
    Journal.open(path).close()


def test_a_full_journal_refuses_whole_entries_until_there_is_room(path: Path) -> None:
    with closing(Journal.open(path, max_bytes=400_000)) as journal:
        with pytest.raises(JournalUnavailable) as caught:
            fill(journal)
        filled = len(contents(path)["reading"])
        assert caught.value.problem is Problem.FULL
        assert "max_mb" in str(caught.value)
        assert filled > 1_000
        before = contents(path)
        with pytest.raises(JournalUnavailable):
            journal.commit(full_entry(1_000))
        assert contents(path) == before
    with closing(Journal.open(path, max_bytes=800_000)) as journal:
        assert journal.commit(full_entry(1_000)).last_reading_id == filled + 1_000


def test_a_file_that_is_no_database_is_damaged(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 1_000)
    assert refused(path).problem is Problem.DAMAGED


def test_a_damaged_page_is_noticed_when_it_is_read(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(readings=[reading(seq) for seq in range(5_000)]))
    with path.open("r+b") as file:
        file.seek(80 * 4096)  # behind the schema, among the readings
        file.write(b"\xa5" * 4096 * 20)
    with closing(JournalReader.open(path)) as reader, pytest.raises(JournalUnavailable) as caught:
        list(reader.restore().tail)
    assert caught.value.problem is Problem.DAMAGED


def test_a_sound_journal_has_no_damage(journal: Journal, path: Path) -> None:
    journal.commit(full_entry())
    with closing(JournalReader.open(path)) as reader:
        assert reader.damage() == []


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    assert refused(path).problem is Problem.FOREIGN
    assert set(contents(path)) == {"songs"}


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert refused(tmp_path / "file" / "journal.db").problem is Problem.UNWRITABLE


def test_a_journal_that_is_a_folder_is_said(path: Path) -> None:
    path.mkdir(parents=True)
    assert refused(path).problem is Problem.UNWRITABLE


def test_writing_where_nothing_may_be_written_is_read_only(journal: Journal, path: Path) -> None:
    journal.commit(full_entry())
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(JournalUnavailable) as caught,
        translated(path),
    ):
        connection.execute("DELETE FROM reading")
    assert caught.value.problem is Problem.READ_ONLY


def test_our_own_mistakes_are_not_excused_as_the_worlds(journal: Journal, path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError), translated(path):
        journal._connection.execute("INSERT INTO asset_state VALUES (99, 'x', 'y')")


def test_what_is_wrong_with_the_log_beside_is_not_read_as_data(path: Path, tmp_path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        whole = (path.parent / "journal.db-wal").read_bytes()
        left = tmp_path / "torn"
        left.mkdir()
        (left / "journal.db").write_bytes(path.read_bytes())
        (left / "journal.db-wal").write_bytes(whole[:-100])
    with closing(Journal.open(left / "journal.db")) as torn:
        assert torn.restore().last_reading_id == 0
