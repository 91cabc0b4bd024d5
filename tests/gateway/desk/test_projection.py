"""The desk's picture of the county is the engine's own, however it came about; the loop never waits for it."""

import threading
from collections.abc import Iterator

import pytest

from alerts.alert import Alert, pack_alert
from alerts.model import Severity
from gateway.desk.feed import ENTRIES, Feed, OpenEpisodes
from gateway.desk.projection import Projection, Topic
from gateway.journal.entry import AlertRow, Entry
from tests.desk_gateway import DeskGateway, at, inventory, until


def alert(number: int, closed_ms: int = 0) -> Alert:
    return Alert(
        episode=f"overflow/meiling-01/{number}",
        rule="overflow",
        asset="meiling-01",
        device="bin-0101",
        severity=Severity.P2,
        raised_ms=number,
        since_ms=number,
        detail={},
        closed_ms=closed_ms,
    )


def row(one: Alert, blob: bytes) -> AlertRow:
    over_ms = one.closed_ms or None
    return AlertRow(one.episode, one.rule, one.asset, one.device, "P2", one.raised_ms, over_ms, blob, settled=False)


def entry(*alerts: Alert) -> Entry:
    return Entry(alerts={one.episode: row(one, pack_alert(one)) for one in alerts})


@pytest.fixture
def projection() -> Projection:
    return Projection.of(inventory(), {}, ())


def test_what_entries_made_of_it_is_what_a_start_would_find(gateway: DeskGateway) -> None:
    gateway.filled("bin-0101", 72)
    gateway.levels["bin-0102"] = 3.0
    del gateway.levels["bin-0201"]  # falls silent
    gateway.at(at(24, 12, 10))
    with gateway.desk.journal() as journal:
        kept = {alert.episode: alert for alert in journal.open_alerts()}
    with gateway.desk.present.feed.present() as shown:
        assert shown.open == kept
        assert {alert.rule for alert in kept.values()} == {"over_two_thirds", "offline"}
        assert shown.silent("zhuyuan-01")
        assert not shown.silent("meiling-01")
        levels = {asset: shown.assets[asset].level_pct for asset in ("meiling-01", "meiling-02", "zhuyuan-01")}
        assert levels == {"meiling-01": 72.0, "meiling-02": 3.0, "zhuyuan-01": 30.0}
        assert shown.assets["meiling-02"].emptied_ms
        assert shown.assets["meiling-plant"].run == "running"
        assert shown.devices["bin-0101"].heard_ms == at(24, 12)


def test_an_entry_says_what_it_changed(projection: Projection) -> None:
    assert projection.apply(Entry()) == frozenset()
    assert projection.apply(entry(alert(1))) == {Topic.CASES}
    assert list(projection.open) == [alert(1).episode]
    projection.apply(entry(alert(1, closed_ms=9)))
    assert projection.open == projection.of_asset["meiling-01"] == {}


class Slow(Projection):
    """A projection that waits to be let go."""

    gate = threading.Event()

    def apply(self, entry: Entry) -> frozenset[Topic]:
        self.gate.wait(10)
        return super().apply(entry)


@pytest.fixture
def slow() -> Iterator[Slow]:
    Slow.gate = threading.Event()
    yield Slow.of(inventory(), {}, ())
    Slow.gate.set()


def test_a_desk_that_is_far_behind_never_holds_the_loop_and_reads_the_journal_instead(slow: Slow) -> None:
    feed = Feed(slow, lambda _: False, lambda: OpenEpisodes([alert(7)], {}))
    feed.start()
    for number in range(ENTRIES + 10):
        feed.take(entry(alert(number)))
    slow.gate.set()
    until(lambda: [one.raised_ms for one in slow.open.values()] == [7])
    feed.stop()
    assert feed.ended


def test_our_own_mistake_about_one_commit_is_logged_and_made_good(projection: Projection) -> None:
    feed = Feed(projection, lambda _: False, lambda: OpenEpisodes([alert(7)], {}))
    feed.start()
    feed.take(Entry(alerts={"x": row(alert(1), b"not an alert")}))
    until(lambda: [one.raised_ms for one in projection.open.values()] == [7])
    feed.stop()
