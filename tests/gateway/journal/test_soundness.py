"""Flipped bytes: a start looks for them and takes nothing, and what it cannot see the look at the whole finds (H9)."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from gateway.clock import monotonic_s
from gateway.examining import NOT_YET, PART, Examiner
from gateway.health import Health
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import Entry
from gateway.journal.place import look_quickly
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.metrics import Metrics
from tests.gateway.journal.entries import full_entry, reading

PAGE = 4_096
FLIPPED = 40


@pytest.fixture
def filled(path: Path) -> Path:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        journal.commit(Entry(readings=[reading(seq) for seq in range(1_000, 4_000)]))
    return path


def flip(path: Path, at: int, count: int = FLIPPED) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        before = file.read(count)
        file.seek(at)
        file.write(bytes(byte ^ 0xFF for byte in before))


def pages(path: Path) -> Iterator[int]:
    """Where each page begins, but for the first, whose damage makes it no database."""
    yield from range(PAGE, path.stat().st_size, PAGE)


def damage(path: Path) -> list[str]:
    with closing(JournalReader.open(path)) as reader:
        return reader.damage()


def found_in(path: Path) -> list[str]:
    """The same, also where it cannot even be looked through."""
    try:
        return damage(path)
    except JournalUnavailable as trouble:
        return [str(trouble)]


def refused(path: Path) -> JournalUnavailable | None:
    try:
        Journal.open(path).close()
    except JournalUnavailable as trouble:
        return trouble
    return None


def test_forty_flipped_bytes_at_the_beginning_of_any_page_are_seen_at_the_start(filled: Path, tmp_path: Path) -> None:
    copy, unseen = tmp_path / "copy.db", []
    for at in pages(filled):
        shutil.copy(filled, copy)
        flip(copy, at)
        refusal = refused(copy)
        if refusal is None or refusal.problem is not Problem.DAMAGED or "keep a copy" not in str(refusal):
            unseen.append((at, refusal))
    assert unseen == []


def test_the_whole_look_sees_an_index_that_does_not_fit_its_rows_and_the_quick_one_need_not(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, '>> 11', '>> 10') WHERE name = 'reading_mark'")
    assert any("reading_mark" in line for line in damage(filled))


def test_a_large_journal_is_looked_through_but_for_what_it_is_large_of(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"))
    for table, is_seen in (("reading", False), ("alert", True), ("notification", True), ("asset_state", True)):
        copy = filled.with_name(f"{table}.db")
        shutil.copy(filled, copy)
        flip(copy, (roots[table] - 1) * PAGE)
        with closing(sqlite3.connect(copy)) as connection:
            try:
                look_quickly(connection, copy, quick_bytes=0)
            except (JournalUnavailable, sqlite3.DatabaseError):
                assert is_seen, table
            else:
                assert not is_seen, table


def test_nothing_is_written_into_a_damaged_journal(filled: Path) -> None:
    flip(filled, 5 * PAGE)
    before = filled.read_bytes()
    with pytest.raises(JournalUnavailable):
        Journal.open(filled)
    assert filled.read_bytes() == before


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_journal_is_found_sound_and_flipped_anywhere_it_is_no_crash(seed: int, filled: Path) -> None:
    assert damage(filled) == []
    chance = random.Random(seed)
    for _ in range(20):
        flip(filled, chance.randrange(PAGE, filled.stat().st_size - FLIPPED))
    assert not [line for line in found_in(filled) if "\n" in line]
    assert found_in(filled)


def test_a_damage_beside_the_running_gateway_is_said_and_it_is_not_ready(path: Path) -> None:
    health, metrics = Health((PART,), monotonic_s), Metrics()
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(readings=[reading(seq) for seq in range(3_000)]))
        journal.fold()
        examiner = Examiner(path, health, metrics)
        assert [health.parts[PART], health.ready] == [NOT_YET, True]
        assert examiner.examine()
        assert [health.parts[PART].ready, health.ready] == [True, True]
        assert "is sound" in health.parts[PART].state
        flip(path, path.stat().st_size // PAGE // 2 * PAGE)
        assert examiner.examine()
        assert [health.parts[PART].ready, health.ready] == [False, False]
        assert "is damaged: " in health.parts[PART].state
        assert "restore a backup" in health.parts[PART].remedy
        assert b"cunjing_journal_damaged 1.0" in metrics.exposition()


def test_the_thread_looks_at_once_and_ends_when_it_is_told(path: Path) -> None:
    health = Health((PART,), monotonic_s)
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        examiner = Examiner(path, health, Metrics())
        examiner.start()
        examiner.stop(60.0)
    assert health.ready


class SlowToClose:
    """A look that is over, while its file is let go of."""

    def __init__(self) -> None:
        self.closing = Event()
        self.may_close = Event()

    def damage(self) -> list[str]:
        return []

    def break_off(self) -> None:
        assert not self.closing.is_set(), "SQLite refuses to break off what is closed"

    def close(self) -> None:
        self.closing.set()
        assert self.may_close.wait(240)


def test_a_look_that_has_just_ended_is_not_broken_off(path: Path) -> None:
    look = SlowToClose()
    examiner = Examiner(path, Health((PART,), monotonic_s), Metrics(), opened=lambda _: look)
    examiner.start()
    assert look.closing.wait(240)
    examiner.stop(0.0)
    look.may_close.set()
    examiner.stop(240.0)
