"""A reader that keeps the journal's log from being folded back is said: since when, and who; and its end (J10)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.clock import monotonic_s
from gateway.health import Health, Part
from gateway.journal.entry import Entry
from gateway.journal.place import openers
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Log
from gateway.journal.writer import Journal
from gateway.metrics import Metrics
from gateway.watching.self_check import LOG_PART, MOST_BYTES, MOST_LOOKS, Folding
from tests.gateway.journal.entries import NOW_MS, full_entry, reading

MINUTE_MS = 60_000


class Watched:
    """A journal, and what is said of its log each minute."""

    def __init__(self, journal: Journal) -> None:
        self.health, self.metrics = Health((), monotonic_s), Metrics()
        self._folding = Folding(self.health, self.metrics, openers)
        self._journal = journal
        self._seq = self._minutes = 0

    def fill(self, readings: int) -> None:
        for _ in range(0, readings, 500):
            self._journal.commit(Entry(readings=[reading(self._seq + each) for each in range(500)]))
            self._seq += 500

    def look(self) -> Part | None:
        self._folding.look(self._journal.fold(), NOW_MS + self._minutes * MINUTE_MS)
        self._minutes += 1
        return self.health.parts.get(LOG_PART)

    def gauge(self, name: str) -> float:
        lines = self.metrics.exposition().decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"cunjing_{name} ")).split()[1])


@contextmanager
def held_open(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody in the middle of a read."""
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN")
        stranger.execute("SELECT count(*) FROM reading").fetchone()
        yield stranger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal.open(path)) as opened:
        yield opened


@pytest.fixture
def watched(journal: Journal) -> Watched:
    return Watched(journal)


def test_a_log_that_is_folded_back_is_well(watched: Watched) -> None:
    watched.fill(1_000)
    for _ in range(MOST_LOOKS + 3):
        watched.fill(500)
        part = watched.look()
        assert part is not None
        assert part.ready
    assert watched.gauge("journal_log_unfolded_seconds") == 0
    assert watched.gauge("journal_log_bytes") > 0


def test_a_reader_that_stays_is_named_after_minutes(watched: Watched, path: Path) -> None:
    watched.fill(500)
    with held_open(path) as stranger:
        watched.fill(500)
        said = [watched.look() for _ in range(MOST_LOOKS + 1)]
        assert [part for part in said[:-1] if part is not None and not part.ready] == []
        last = said[-1]
        assert last is not None
        assert not last.ready
        assert "since 2026-" in last.state
        assert "journal.db-wal" in last.state
        assert "open in " in last.state
        assert "sqlite3" in last.remedy
        assert watched.gauge("journal_log_unfolded_seconds") == MOST_LOOKS * 60
        stranger.execute("COMMIT")
    part = watched.look()
    assert part is not None
    assert part.ready
    assert watched.gauge("journal_log_unfolded_seconds") == 0


def test_a_log_that_has_grown_large_is_said_at_the_second_look(path: Path) -> None:
    health = Health((), monotonic_s)
    folding = Folding(health, Metrics(), lambda _: ["4711 (sqlite3)"])
    folding.look(Log(path, MOST_BYTES + 1, 4_096), NOW_MS)
    assert health.parts.get(LOG_PART) is None, "a read may be in hand"
    folding.look(Log(path, MOST_BYTES + 1, 4_096), NOW_MS + MINUTE_MS)
    assert "32 MB now" in health.parts[LOG_PART].state
    assert "open in 4711 (sqlite3)" in health.parts[LOG_PART].state


@pytest.mark.parametrize("kind", ["readings", "alerts", "notifications", "quarantine"])
def test_an_export_that_is_read_slowly_keeps_nothing_from_being_folded_back(
    kind: str, journal: Journal, path: Path
) -> None:
    journal.commit(full_entry())
    with closing(JournalReader.open(path)) as reader:
        rows = getattr(reader, kind)()
        assert next(rows)
        journal.commit(full_entry(20))
        assert journal.fold().unfolded_bytes == 0
        list(rows)
        journal.commit(full_entry(10))
        assert journal.fold().unfolded_bytes == 0


def test_a_start_that_reads_its_tail_does_not_either(journal: Journal, path: Path) -> None:
    journal.commit(Entry(readings=[reading(seq) for seq in range(50)]))
    with closing(JournalReader.open(path)) as reader:
        tail = reader.restore().tail
        assert next(tail)
        journal.commit(Entry(readings=[reading(100)]))
        assert journal.fold().unfolded_bytes == 0
