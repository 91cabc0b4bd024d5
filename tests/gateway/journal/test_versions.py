"""The schema only moves forward, a step at a time, and never touches what it does not know."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.reader import JournalReader
from gateway.journal.trouble import JournalUnavailable, Problem
from gateway.journal.versions import APPLICATION_ID, migrate, scripts, version_of
from gateway.journal.writer import Journal

STEPS = (
    "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
    "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;",
    "CREATE INDEX a_y ON a (y);",
)


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


@pytest.mark.parametrize("known", range(len(STEPS) + 1))
def test_a_file_of_any_age_becomes_what_a_new_one_is(known: int, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old,
        closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as new,
    ):
        migrate(old, tmp_path, STEPS[:known])
        assert version_of(old, tmp_path) == known
        migrate(old, tmp_path, STEPS)
        migrate(new, tmp_path, STEPS)
        assert schema(old) == schema(new)
        assert old.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
        assert version_of(old, tmp_path) == len(STEPS)


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, STEPS[:1])
        before = schema(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, tmp_path, (STEPS[0], "CREATE TABLE b (x); CREATE TABLE nonsense ("))
        assert schema(connection) == before
        assert version_of(connection, tmp_path) == 1
        migrate(connection, tmp_path, STEPS)


def test_a_newer_file_is_refused_untouched(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(scripts()) + 1}")
    for opening in (Journal.open, JournalReader.open):
        with pytest.raises(JournalUnavailable) as caught:
            opening(path)
        assert caught.value.problem is Problem.NEWER
        assert "newer version" in str(caught.value)


def test_a_reader_waits_for_the_gateway_to_migrate(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(scripts()) - 1}")
    with pytest.raises(JournalUnavailable) as caught:
        JournalReader.open(path)
    assert caught.value.problem is Problem.OLDER


def test_a_new_journal_is_marked_as_ours(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(scripts()),)
