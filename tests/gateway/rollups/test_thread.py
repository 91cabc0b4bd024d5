"""The roller's thread beside a loop: it posts, waits for what is durable, outlives trouble, and ends when told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.inbox import Inbox
from gateway.journal.entry import Entry, Progress, Rolled
from gateway.journal.rollups import PROGRESS, RollupReader
from gateway.journal.writer import Journal
from gateway.metrics import Metrics
from gateway.requests import KeepRollups
from gateway.rollups.roller import AFTER_MS
from gateway.rollups.scope import ROLLUPS
from gateway.rollups.thread import RollupThread
from telemetry.reading import Millis
from telemetry.series import Measurement
from tests.gateway.rollups.test_roller import BEGAN, HOUR, SINCE, level

PATIENCE_S = 120.0


class HandSetClock:
    """Shows what it is set to; whoever waits for it looks again at once."""

    def __init__(self, at_ms: Millis) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> Millis:
        return self.at_ms

    def wait_s(self, until_ms: Millis) -> float:
        return 0.0 if until_ms <= self.at_ms else 0.05


class PostLoop:
    """The loop's part in it: takes posts, commits them, and answers; on the test's own thread."""

    def __init__(self, path: Path) -> None:
        self.inbox: Inbox = Inbox()
        self.journal = Journal.open(path)
        self.journal.admit([ROLLUPS])
        self.taken: list[Rolled] = []

    def until(self, holds: Callable[[], bool]) -> None:
        """Turns until it holds."""
        waited = threading.Event()
        for _ in range(round(PATIENCE_S / 0.02)):
            for posted in self.inbox.take():
                assert isinstance(posted.item, KeepRollups)
                self.taken.append(posted.item.rolled)
                self.journal.commit(Entry(rolled=[posted.item.rolled]))
                posted.answer.resolve(None)
            if holds():
                return
            waited.wait(0.02)
        pytest.fail(f"not within {PATIENCE_S:g} s")

    def close(self) -> None:
        self.inbox.close()
        self.journal.close()


@contextmanager
def rolling(path: Path, loop: PostLoop, clock: HandSetClock, metrics: Metrics) -> Iterator[RollupThread]:
    thread = RollupThread(path, loop.inbox, clock, SINCE, metrics, retry_s=0.05)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def loop(path: Path) -> Iterator[PostLoop]:
    with closing(PostLoop(path)) as opened:
        yield opened


def closed_ms(path: Path) -> Millis:
    with closing(RollupReader.open(path)) as reader:
        progress = reader.progress()
    return 0 if progress is None else progress.closed_ms


def test_hours_are_closed_as_the_clock_goes_on(path: Path, loop: PostLoop) -> None:
    clock, metrics = HandSetClock(BEGAN), Metrics()
    with rolling(path, loop, clock, metrics):
        loop.until(lambda: closed_ms(path) == BEGAN)
        loop.journal.commit(Entry(readings=[level(BEGAN + HOUR // 2, 80)]))
        clock.at_ms = BEGAN + HOUR + AFTER_MS
        loop.until(lambda: closed_ms(path) == BEGAN + HOUR)
        clock.at_ms = BEGAN + 3 * HOUR + AFTER_MS
        loop.until(lambda: closed_ms(path) == BEGAN + 3 * HOUR)
    with closing(RollupReader.open(path)) as reader:
        rows = reader.rollups(Measurement.BIN_HOUR, ["pool"], BEGAN, BEGAN + 3 * HOUR)
    assert [getattr(row.row, "over_min", None) for row in rows] == [30.0, 60.0, 30.0]
    assert b"cunjing_rollup_hours_total 3.0" in metrics.exposition()


def test_it_ends_although_the_loop_has_ended_before_it(path: Path, loop: PostLoop) -> None:
    with rolling(path, loop, HandSetClock(BEGAN), Metrics()) as thread:
        pass  # its first post is never answered
    assert not thread._thread.is_alive()
    assert loop.taken == []


def test_a_journal_that_is_not_there_is_waited_for(tmp_path: Path, loop: PostLoop) -> None:
    with rolling(tmp_path / "nowhere.db", loop, HandSetClock(BEGAN), Metrics()) as thread:
        assert thread._thread.is_alive()
    assert loop.taken == []
    assert not thread._thread.is_alive()


def test_our_mistake_ends_no_thread(path: Path, loop: PostLoop) -> None:
    metrics = Metrics()
    loop.journal.commit(Entry(meta={PROGRESS: "nonsense"}))
    with rolling(path, loop, HandSetClock(BEGAN), metrics):
        loop.until(lambda: metrics.rollup_bugs._value.get() > 1)
        loop.journal.commit(Entry(rolled=[Rolled(progress=Progress(BEGAN, 0, BEGAN, 0))]))
        loop.until(lambda: metrics.rollup_closed._value.get() == BEGAN / 1_000)


def test_nothing_is_posted_twice_while_the_journal_takes_nothing(path: Path, loop: PostLoop) -> None:
    with rolling(path, loop, HandSetClock(BEGAN), Metrics()):
        waited = threading.Event()
        for _ in range(8):
            waited.wait(0.05)
            assert loop.inbox.depth <= 1
        loop.until(lambda: closed_ms(path) == BEGAN)
    assert len(loop.taken) == 1
