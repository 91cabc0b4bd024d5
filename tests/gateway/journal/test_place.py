"""What lies in the journal's place is a journal, or it is refused and left as it was; a new one is never half there."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.journal.database import APPLICATION_ID, BY_NAME, JournalUnavailable, Problem
from gateway.journal.place import size_bytes
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import full_entry


@contextmanager
def umask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


def refused(path: Path) -> JournalUnavailable:
    """The refusal; what was there stays to the byte, and names its file and a remedy."""
    before = path.read_bytes()
    with pytest.raises(JournalUnavailable) as by_reader:
        JournalReader.open(path)
    with pytest.raises(JournalUnavailable) as by_writer:
        Journal.open(path)
    assert path.read_bytes() == before
    assert by_reader.value.problem is by_writer.value.problem
    assert str(path) in str(by_writer.value)
    assert ";" in str(by_writer.value)
    return by_writer.value


def test_a_file_without_a_byte_is_not_taken_for_a_new_journal(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert refused(path).problem is Problem.EMPTY
    path.unlink()
    Journal.open(path).close()


def test_a_database_without_a_table_is_not_either(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert path.stat().st_size > 0
    assert refused(path).problem is Problem.EMPTY


@pytest.mark.parametrize("application", [0, 1, APPLICATION_ID])
def test_another_programs_file_is_not_a_journal(application: int, path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE songs (title TEXT); PRAGMA application_id = {application};")
    assert refused(path).problem is Problem.FOREIGN


@pytest.mark.parametrize("version", [7, BY_NAME])
def test_a_mark_of_ours_without_our_tables_is_a_damage(version: int, path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE meta (key TEXT); CREATE TABLE migration (name TEXT);")
        connection.executescript("INSERT INTO migration VALUES ('schema.sql');")
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};")
    with pytest.raises(JournalUnavailable, match="alert, asset, asset_state") as caught:
        Journal.open(path)
    assert caught.value.problem is Problem.DAMAGED


def test_a_log_whose_journal_is_gone_is_not_begun_over(path: Path, tmp_path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        left = tmp_path / "left" / path.name
        left.parent.mkdir()
        left.with_name("journal.db-wal").write_bytes(path.with_name("journal.db-wal").read_bytes())
        whole = path.read_bytes()
    for opening in (Journal.open, JournalReader.open):
        with pytest.raises(JournalUnavailable, match=r"journal\.db-wal holds what was committed last") as caught:
            opening(left)
        assert caught.value.problem is Problem.LEFT_BEHIND
    assert not left.exists()
    left.write_bytes(whole)
    with closing(Journal.open(left)) as found:
        assert found.restore().last_reading_id == 30


def test_what_a_kill_left_of_a_beginning_is_begun_anew(path: Path) -> None:
    path.parent.mkdir()
    path.with_name("journal.db.new").write_bytes(b"half a file")
    path.with_name("journal.db.new-journal").write_bytes(b"half a log")
    Journal.open(path).close()
    assert sorted(found.name for found in path.parent.iterdir()) == ["journal.db", "journal.db.lock"]


def test_the_size_of_a_journal_is_with_its_log(path: Path) -> None:
    assert size_bytes(path) == 0
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        log = path.with_name("journal.db-wal").stat().st_size
        assert log > 0
        assert size_bytes(path) == path.stat().st_size + log


@pytest.mark.parametrize("bits", [0o000, 0o022, 0o077])
def test_only_its_owner_reads_the_journal_whatever_the_umask(bits: int, path: Path) -> None:
    with umask(bits), closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
        folder = stat.S_IMODE(path.parent.stat().st_mode)
    assert {"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert folder == 0o700
