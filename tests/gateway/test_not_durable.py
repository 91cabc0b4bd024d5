"""What the loop says to have failed by our own mistake is not durable: whoever asked asks again and keeps it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from alerts.answers import Receipt
from alerts.channels import Accepted, Awaited, Collected, Message, Outcome
from alerts.delivery.courier import PortUnavailable
from alerts.delivery.delivery import NextTry, TryVerdict
from gateway.clock import monotonic_s
from gateway.commands.command import A, Command, NotDurable
from gateway.health import Health
from gateway.inbox import Answer, Inbox, Unanswered
from gateway.influx.opening import JournalCheckpoints
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import Consumer, Entry, Stream
from gateway.journal.writer import Journal
from gateway.metrics import Metrics
from gateway.requests import Collector, JournalPort
from telemetry.reading import Millis
from tests.gateway.journal.entries import NOW_MS, owed


class Mistaken(Inbox):
    """A loop that fails by our own mistake at whatever it is asked."""

    def post(self, item: Command[A], wait_s: float = 0.0) -> Answer[A] | Unanswered:
        assert item
        assert wait_s > 0
        answer: Answer[A] = Answer()
        answer.resolve(NotDurable("a mistake of the program stopped this"))
        return answer


class Provider:
    """A channel that has a receipt to give, until it is told that it was taken."""

    every_s = 1.0

    def __init__(self) -> None:
        self.taken_of_it: list[Collected] = []

    def send(self, message: Message) -> Outcome:
        return Accepted(message.key)

    def find(self, message: Message) -> Accepted | None:
        return Accepted(message.key)

    def collect(self, awaited: Sequence[Awaited], now_ms: Millis) -> Collected:
        assert not awaited
        return Collected((Receipt("sms", "ref", delivered=True, at_ms=now_ms),), ())

    def taken(self, collected: Collected) -> None:
        self.taken_of_it.append(collected)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(Journal.open(tmp_path / "journal.db")) as journal:
        journal.commit(Entry(owed=[owed(0)]))
    return tmp_path / "journal.db"


@pytest.fixture
def mistaken() -> Iterator[Mistaken]:
    with closing(Mistaken()) as inbox:
        yield inbox


def test_the_courier_begins_and_ends_nothing(path: Path, mistaken: Mistaken) -> None:
    with closing(JournalPort(path, mistaken)) as port:
        due = port.due(NOW_MS)
        assert due is not None
        number = due.notification_id
        with pytest.raises(PortUnavailable, match="a mistake of the program"):
            port.started(number, NOW_MS)
        with pytest.raises(PortUnavailable, match="a mistake of the program"):
            port.ended(number, NOW_MS, "sms", Accepted("ref"), NextTry(TryVerdict.SETTLED), None)


def test_a_receipt_stays_with_its_provider(path: Path, mistaken: Mistaken) -> None:
    provider = Provider()
    collector = Collector(path, mistaken, {"sms": provider}, lambda: NOW_MS)
    assert not collector.collect("sms")
    assert provider.taken_of_it == []


def test_what_influxdb_has_is_not_let_go(path: Path, mistaken: Mistaken) -> None:
    ledger = JournalCheckpoints("series", path, mistaken, Health((), monotonic_s), Metrics(), lambda: NOW_MS)
    with pytest.raises(JournalUnavailable, match="a mistake of the program"):
        ledger.dealt_with(Consumer("sender", Stream.READING), 5, ())
