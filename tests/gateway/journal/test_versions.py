"""Migrations run once, by name, wherever a file stands; what a file has seen that we do not know leaves it alone."""

import sqlite3
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from gateway.journal.database import (
    APPLICATION_ID,
    BY_PLACE,
    JournalUnavailable,
    Migration,
    Problem,
    migrate,
    migrations,
    seen_by,
)
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal

STEPS = (
    Migration("schema.sql", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"),
    Migration("0002_y.sql", "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;"),
    Migration("0005_more.sql", "CREATE TABLE b (x INTEGER); INSERT INTO b SELECT x FROM a;"),
)
GAP = Migration("0003_into_a_gap.sql", "UPDATE a SET x = x + 10;")
BY_HAND = range(1, len(BY_PLACE) + 1)
"""How far a journal may have counted before names were kept."""


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def names(steps: tuple[Migration, ...]) -> list[str]:
    return sorted(step.name for step in steps)


def count_only(path: Path, count: int) -> None:
    """A journal as a program made it that only counted."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for step in migrations()[:count]:
            assert step.name == BY_PLACE[migrations().index(step)]
            connection.executescript(step.sql)
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {count};")


@pytest.mark.parametrize("known", [(), *((STEPS[0], *some) for n in range(3) for some in combinations(STEPS[1:], n))])
def test_a_file_gets_what_it_has_not_seen_whatever_that_is(known: tuple[Migration, ...], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old:
        migrate(old, tmp_path, known)
        assert list(seen_by(old, tmp_path)) == names(known)
        migrate(old, tmp_path, STEPS)
        assert list(seen_by(old, tmp_path)) == names(STEPS)
        assert old.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
        assert old.execute("SELECT x FROM b").fetchall() == [(1,)]
        assert old.execute("SELECT count(*) FROM migration WHERE applied_at IS NULL").fetchone() == (0,)


def test_one_that_is_numbered_into_a_gap_runs_on_a_journal_that_is_further_and_no_other_runs_twice(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, STEPS)
        for _ in range(2):
            migrate(connection, tmp_path, (*STEPS[:2], GAP, *STEPS[2:]))
            assert connection.execute("SELECT x, y FROM a").fetchall() == [(11, 2)]
            assert connection.execute("SELECT x FROM b").fetchall() == [(1,)]


def test_a_step_that_fails_leaves_what_was_before_it_and_runs_the_next_time(tmp_path: Path) -> None:
    broken = Migration("0005_more.sql", "CREATE TABLE b (x); CREATE TABLE nonsense (")
    with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, STEPS[:2])
        before = schema(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, tmp_path, (*STEPS[:2], broken))
        assert schema(connection) == before
        assert list(seen_by(connection, tmp_path)) == names(STEPS[:2])
        migrate(connection, tmp_path, STEPS)
        assert list(seen_by(connection, tmp_path)) == names(STEPS)


@pytest.mark.parametrize("count", BY_HAND)
def test_a_journal_that_only_counts_has_seen_so_many_of_the_list_of_then(count: int, path: Path) -> None:
    count_only(path, count)
    with closing(sqlite3.connect(path)) as old:
        assert seen_by(old, path) == BY_PLACE[:count]
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as old:
        assert list(seen_by(old, path)) == names(migrations())
        named = [name for (name,) in old.execute("SELECT name FROM migration WHERE applied_at IS NULL ORDER BY name")]
        assert named == sorted(BY_PLACE[:count])
        found = schema(old)
    new = path.with_name("new.db")
    Journal.open(new).close()
    with closing(sqlite3.connect(new)) as made:
        assert found == schema(made)


@pytest.mark.parametrize("name", ["0012_of_next_year.sql", "0007_of_a_branch.sql"])
def test_a_journal_that_has_seen_what_we_do_not_know_is_refused_untouched(name: str, path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migration VALUES (?, '2027-01-01T00:00:00.000Z')", (name,))
    before = path.read_bytes()
    for opening in (Journal.open, JournalReader.open):
        with pytest.raises(JournalUnavailable, match=f"newer version.*it has seen {name}") as caught:
            opening(path)
        assert caught.value.problem is Problem.NEWER
    assert path.read_bytes() == before


def test_a_journal_that_counts_further_than_anybody_did_is_newer(path: Path) -> None:
    count_only(path, len(BY_PLACE))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(BY_PLACE) + 1}")
    with pytest.raises(JournalUnavailable, match="newer version") as caught:
        Journal.open(path)
    assert caught.value.problem is Problem.NEWER


def test_the_last_that_only_counted_is_known_by_its_tables(path: Path) -> None:
    """Two branches of the program may have counted to the same number."""
    count_only(path, len(BY_PLACE) - 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(BY_PLACE)}")
    with pytest.raises(JournalUnavailable) as caught:
        Journal.open(path)
    assert caught.value.problem is Problem.NEWER


def test_a_program_that_only_counts_takes_a_journal_of_today_for_a_newer_one(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone()[0] > len(BY_PLACE)


def test_a_reader_waits_for_the_gateway_to_migrate(path: Path) -> None:
    count_only(path, 3)
    before = path.read_bytes()
    with pytest.raises(JournalUnavailable) as caught:
        JournalReader.open(path)
    assert caught.value.problem is Problem.OLDER
    assert path.read_bytes() == before


def test_seven_to_nine_stay_a_gap_and_what_is_released_is_never_renamed() -> None:
    shipped = [step.name for step in migrations()]
    assert shipped[: len(BY_PLACE)] == list(BY_PLACE)
    assert not [name for name in shipped if name.startswith(("0007", "0008", "0009"))]
