"""The sender between a journal and an outlet: what moves a position, how long it rests, what it says and repeats."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.health import Part
from gateway.influx.answers import WriteAnswer, WriteVerdict
from gateway.influx.delivery import BUG, HOPELESS_FROM, REFUSED
from gateway.influx.points import Point, Points
from gateway.influx.sender import LONGEST_WAIT_S, Ending, Sender
from gateway.influx.streams import Events, Readings
from gateway.journal.entry import Consumer, Entry, StoredEvent, Stream
from gateway.journal.rollups import RollupReader
from gateway.journal.writer import Journal
from telemetry.reading import Millis, Reading
from tests.gateway.influx.test_points import INVENTORY
from tests.gateway.journal.entries import NOW_MS, event, reading
from tests.series_line import READY, FileLedger

OK = WriteAnswer(204)
READINGS = Consumer("series", Stream.READING)


@dataclass
class ListOutlet:
    """A server that answers what ``answer`` says and keeps every line it said yes to."""

    answer: Callable[[Sequence[bytes]], WriteAnswer] = lambda _lines: OK
    stored: list[bytes] = field(default_factory=list)
    renewed: int = 0

    def write(self, bucket: str, lines: Sequence[bytes]) -> WriteAnswer:
        assert bucket == "telemetry"
        answer = self.answer(lines)
        if answer.status == 204:
            self.stored += lines
        return answer

    def renew(self) -> None:
        self.renewed += 1

    def oldest_ms(self, bucket: str) -> Millis:
        _ = bucket
        return 0

    def trouble(self, answer: WriteAnswer, bucket: str) -> Part:
        return Part(ready=False, state=f"{answer.status} for {bucket}")


@dataclass
class Scene:
    """A sender on a journal, with everything that it did."""

    journal: Journal
    reader: RollupReader
    outlet: ListOutlet
    ledger: FileLedger
    rests: list[float]
    sender: Sender

    def drain(self) -> None:
        while self.sender.run_once(self.reader):
            pass

    def position(self) -> int:
        return self.reader.position(READINGS)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    path = tmp_path / "journal.db"
    with closing(Journal.open(path)) as journal, closing(RollupReader.open(path)) as reader:
        outlet, ledger, rests = ListOutlet(), FileLedger(journal), []
        points = Points(INVENTORY, {})

        def rest(seconds: float) -> bool:
            rests.append(seconds)
            return len(rests) > 50

        sender = Sender(
            (Events(points, "telemetry"), Readings(points, "telemetry")),
            outlet,
            ledger,
            lambda: RollupReader.open(path),
            READY,
            rest=rest,
        )
        journal.admit(sender.consumers)
        yield Scene(journal, reader, outlet, ledger, rests, sender)


def answers(*given: WriteAnswer) -> Callable[[Sequence[bytes]], WriteAnswer]:
    left = list(given)
    return lambda _lines: left.pop(0) if left else OK


def test_readings_and_events_go_out_and_the_position_follows(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(seq) for seq in range(3)], events=[event()]))
    scene.drain()
    assert sum(line.startswith(b"device,") for line in scene.outlet.stored) == 3
    assert sum(line.startswith(b"alert,") for line in scene.outlet.stored) == 1
    assert scene.position() == 3
    assert scene.ledger.parts == [READY]


def test_only_what_came_since_goes_out(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(0)]))
    scene.drain()
    scene.outlet.stored.clear()
    scene.journal.commit(Entry(readings=[reading(1)]))
    scene.drain()
    assert [line.rpartition(b" ")[2] for line in scene.outlet.stored if line.startswith(b"device,")] == [
        b"%d" % (NOW_MS * 1_000 + 1)
    ]


def test_nothing_moves_until_a_2xx_comes_and_waits_grow_within_a_bound(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(0)]))
    seen: list[int] = []

    def answer(_lines: Sequence[bytes]) -> WriteAnswer:
        seen.append(scene.position())
        return OK if len(seen) > 12 else WriteAnswer(503)

    scene.outlet.answer = answer
    scene.drain()
    assert seen == [0] * 13
    assert scene.position() == 1
    bounds = [min(LONGEST_WAIT_S, 2.0**failure) for failure in range(12)]
    assert all(bound / 2 <= rest <= bound for rest, bound in zip(scene.rests, bounds, strict=True))
    assert [part.ready for part in scene.ledger.parts] == [False, True]


def test_the_servers_own_wish_for_patience_is_obeyed_up_to_an_hour(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(0)]))
    scene.outlet.answer = answers(WriteAnswer(429, retry_after_s=17.0), WriteAnswer(503, retry_after_s=1e9))
    scene.drain()
    assert scene.rests == [17.0, 3_600.0]


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refusal_of_us_pauses_keeps_everything_and_looks_again_with_a_new_token(scene: Scene, status: int) -> None:
    scene.journal.commit(Entry(readings=[reading(0)]))
    scene.outlet.answer = answers(WriteAnswer(status), WriteAnswer(status))
    scene.drain()
    assert scene.rests == [10.0, 10.0]
    assert scene.outlet.renewed == 2
    assert scene.ledger.verdicts == [WriteVerdict.PAUSED, WriteVerdict.PAUSED, WriteVerdict.STORED]
    assert scene.ledger.filed == []


def test_an_end_in_the_middle_leaves_the_position_where_it_was(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(0)]))
    scene.outlet.answer = lambda _lines: WriteAnswer(503)
    with pytest.raises(Ending):
        scene.drain()
    assert scene.position() == 0


def test_a_refused_line_is_in_the_quarantine_with_the_servers_reason(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(seq) for seq in range(8)]))
    bad = b"%d003" % NOW_MS
    scene.outlet.answer = lambda lines: (
        WriteAnswer(422, "conflict") if any(b"device," in line and line.endswith(bad) for line in lines) else OK
    )
    scene.drain()
    (row,) = scene.reader.quarantine()
    assert row["payload"].startswith("device,")
    assert (row["topic"], row["reason"], row["detail"]) == ("influxdb/telemetry", REFUSED, "HTTP 422: conflict")
    assert scene.position() == 8
    assert scene.ledger.parts[-1].ready
    assert "conflict" in scene.ledger.parts[-1].notes[0]


def test_a_bucket_that_refuses_everything_pauses_instead_of_filing_everything(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(seq) for seq in range(HOPELESS_FROM * 3)]))
    scene.outlet.answer = lambda _lines: OK if len(scene.rests) >= 2 else WriteAnswer(400, "no such thing")
    scene.drain()
    assert scene.rests == [10.0, 10.0]
    assert scene.ledger.filed == []
    assert sum(line.startswith(b"device,") for line in scene.outlet.stored) == HOPELESS_FROM * 3


def test_what_is_asked_for_again_is_sent_again_from_then_on(scene: Scene) -> None:
    scene.journal.commit(Entry(readings=[reading(seq, at_ms=NOW_MS + seq * 1_000) for seq in range(5)]))
    scene.drain()
    before = len(scene.outlet.stored)
    scene.sender.resend(NOW_MS + 3_000)
    scene.drain()
    assert len(scene.outlet.stored) - before == len(set(scene.outlet.stored[before:])) == 4
    assert scene.position() == 5


def test_a_row_that_fails_by_our_own_mistake_is_filed_and_the_others_go_on(scene: Scene) -> None:
    class Faulty(Points):
        def of_reading(self, reading: Reading) -> tuple[Point, ...]:
            if reading.seq == 1:
                raise ZeroDivisionError("ours")
            return super().of_reading(reading)

        def of_event(self, happened: StoredEvent) -> tuple[Point, ...]:
            return super().of_event(happened)

    scene.journal.commit(Entry(readings=[reading(seq) for seq in range(3)]))
    outflow = Readings(Faulty(INVENTORY, {}), "telemetry")
    portion = outflow.after(scene.reader, 0)
    assert portion is not None
    assert portion.position == 3
    assert [(each.reason, each.detail) for each in portion.filed] == [(BUG, "ZeroDivisionError: ours")]
    assert sum(line.startswith(b"device,") for line, _ in portion.points["telemetry"]) == 2
