"""The rounds of each minute: what the journal says comes to the loop, and a clock that runs faster is borne with."""

from contextlib import closing
from pathlib import Path

from alerts.model import MessageKind, Owed
from gateway.clock import ScaledClock
from gateway.inbox import Inbox
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal
from gateway.requests import WatchRound, rounds
from gateway.watching.self_check import OVERDUE_MS, OverdueRows, allowed_ms
from tests.desk_gateway import HandClock, at

NOW = at(22, 10)


def owed(at_ms: int) -> Owed:
    return Owed(
        at_ms=at_ms,
        rule="overflow",
        asset="ytan-03",
        episode="overflow/ytan-03/1",
        severity="P2",
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text="【湘阳环卫】柳潭3号池满了。",
    )


def test_a_round_tells_the_loop_what_waits_beyond_its_time(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.db", HandClock(NOW)
    inbox: Inbox = Inbox()
    look = rounds(path, inbox, clock)
    look()
    assert inbox.take() == [], "without a journal there is nothing to say"
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(owed=[owed(NOW)]))
        look()
        clock.now += OVERDUE_MS + 1
        look()
    assert [posted.item for posted in inbox.take()] == [WatchRound(OverdueRows()), WatchRound(OverdueRows(owed=1))]
    inbox.close()


def test_the_patience_is_in_real_minutes() -> None:
    assert allowed_ms(HandClock(NOW)) == OVERDUE_MS
    assert allowed_ms(ScaledClock(NOW, 300)) == 300 * OVERDUE_MS
