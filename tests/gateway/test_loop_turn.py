"""One turn of the loop between fakes: what it waits for, in which order it does what is there, and who hears of it.

Broker and journal are lists, and the clocks stand where a test puts them; county, pipeline and commands are the real
ones. Nothing is decided about an alert here.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from alerts.alert import Alert
from alerts.episodes.decide import Trouble
from alerts.model import Severity
from gateway import start
from gateway.barrier import Barrier
from gateway.clock import monotonic_s
from gateway.commands.command import Command, Context, NotDurable
from gateway.commands.dispatcher import CommandDispatcher
from gateway.commands.replies import InboundSms
from gateway.health import Health, Part
from gateway.inbox import Answer, Inbox
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import AnomalyKind, Committed, Entry
from gateway.journal.writer import Journal
from gateway.loop import BROKER, FILTERS, JOURNAL, READY, Backoff, JournalFilters, Loop, Stopping
from gateway.metrics import Metrics
from gateway.mqtt.link import Batch, SessionPhase, SessionState, Version
from gateway.replay import Memory
from gateway.requests import Watched
from gateway.settings import Watch
from gateway.watching.self_check import watchman
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand

LOW, FULL = Values(distance_mm=1_190.0), Values(distance_mm=230.0)
FIRE = Values(distance_mm=900.0, temperature_c=95.0)
JUNK = b"\xff" * 60_000
THERE = Part(ready=True, state="there", notes=("a note",))
DISK_FULL = JournalUnavailable(Problem.FULL, Path("journal.db"))


def session(phase: SessionPhase, part: Part = THERE) -> SessionState:
    return SessionState(phase, part, 1, Version.FIVE, session_present=True, sessions_lost=0, reconnects=0)


class Broker:
    """A source that brings one batch a turn; what it was asked and told is kept."""

    def __init__(self, order: list[str]) -> None:
        self.state = session(SessionPhase.LIVE)
        self.batches: list[Batch | Exception] = []
        self.waits: list[tuple[float, list[int]]] = []
        self.sends = 1_000
        """So many acknowledgements still find their connection."""
        self._order = order

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        self.waits.append((timeout_s, extra_fds))
        found = self.batches.pop(0) if self.batches else Batch([], [], 1)
        if isinstance(found, Exception):
            raise found
        return found

    def ack(self, batch: Batch) -> int:
        self._order.append(f"acknowledged {len(batch.mids)}")
        return min(len(batch.mids), self.sends)


class ListJournal(Journal):
    """Entries in a list, durable at once, unless the world refuses one or cannot hold it by our own mistake."""

    def __init__(self, order: list[str]) -> None:
        self.kept: list[Entry] = []
        self.troubles: list[Exception] = []
        self.cannot_hold = ""
        """A mark, or the place of a device, that no journal can hold."""
        self.takes_s = 0.0
        self._order = order

    def commit(self, entry: Entry) -> Committed:
        if self.troubles:
            raise self.troubles.pop(0)
        if self.cannot_hold in (*entry.meta, *(reading.device for reading in entry.readings)):
            raise OverflowError("too large to convert")
        began_s = monotonic_s()
        while monotonic_s() - began_s < self.takes_s:
            pass
        self.kept.append(entry)
        self._order.append("committed")
        return Committed(0, (), 0)


class Dispatcher(CommandDispatcher):
    """The real one, which keeps how each turn ended."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.looked: list[tuple[Millis, bool, bool]] = []

    def look_around(self, now_ms: Millis, *, heard: bool, live: bool) -> None:
        self.looked.append((now_ms, heard, live))
        super().look_around(now_ms, heard=heard, live=live)


class Ask(Command[str], frozen=True):
    """Something that is answered; with a ``mark`` it has that kept."""

    answer: str
    mark: str = ""

    def do(self, context: Context, now_ms: Millis) -> str:
        _ = now_ms
        if self.mark:
            context.pipeline.keep(self.mark, self.answer)
        return self.answer


class House:
    """A loop with all that it is given, and what each of them heard, in order."""

    def __init__(self, *, known_ms: Millis = START_MS, heard_ms: Millis | None = None, unsnapshotted: int = 0) -> None:
        self.hand = Hand(START_MS)
        self.order: list[str] = []
        self.broker = Broker(self.order)
        self.journal = ListJournal(self.order)
        self.inbox = Inbox()
        self.pipeline = start.anew(COUNTY, POLICY_FILES, Memory(), known_ms)
        self.metrics = Metrics()
        self.alive_s = 0.0
        self.health = Health((BROKER, JOURNAL), lambda: self.alive_s)
        self.woken: list[Millis | None] = []
        self.watched: list[Entry] = []
        self.turns_left = 0
        hearing = InboundSms(self.pipeline, self.journal)
        watching = watchman(Watch(), self.pipeline, self.hand, self.health, self.metrics, {})
        self.dispatcher = Dispatcher(
            Context(self.pipeline, self.journal, hearing, watching, lambda: None, keep_days=90, resend=())
        )
        self.loop = Loop(
            self.pipeline,
            self.journal,
            self.broker,
            self.inbox,
            self.dispatcher,
            clock=self.hand,
            heard_ms=heard_ms,
            unsnapshotted=unsnapshotted,
            health=self.health,
            metrics=self.metrics,
            wake_at=self.woken.append,
            owe=lambda: self.order.append("owed"),
            watch=self._watch,
            stopping=self._is_over,
            clock_was_set=lambda: self.order.append("clock was set"),
        )

    def _watch(self, entry: Entry) -> None:
        self.watched.append(entry)
        self.order.append("shown")

    def _is_over(self) -> bool:
        self.turns_left -= 1
        return self.turns_left < 0

    def turn(self, *uplinks: Uplink, after_ms: Millis = 1_000) -> list[Entry]:
        """The next turn, in which these are there; what it made durable."""
        self.hand.at_ms += after_ms
        self.hand.passed_s += after_ms / 1_000
        return self.turn_now(*uplinks)

    def turn_now(self, *uplinks: Uplink) -> list[Entry]:
        before = len(self.journal.kept)
        if uplinks:
            self.broker.batches.append(Batch([*uplinks], [*range(1, len(uplinks) + 1)], 1))
        self.loop.turn()
        return self.journal.kept[before:]

    def say(self, device: str, seq: int, values: Values = LOW, *, at_ms: Millis | None = None) -> Uplink:
        payload = wire_bytes([wire_form(Sample(1, seq, values))])
        return Uplink(self.hand.at_ms if at_ms is None else at_ms, topic(device), payload)

    def junk(self, number: int) -> list[Uplink]:
        return [Uplink(self.hand.at_ms, topic("s-pool"), JUNK)] * number

    def ask(self, item: Command[str]) -> Answer[str]:
        asked = self.inbox.post(item)
        assert isinstance(asked, Answer)
        return asked

    def counted(self) -> dict[str, float]:
        """What the metrics say that is not nothing."""
        said = (
            line.rpartition(" ") for line in self.metrics.exposition().decode().splitlines() if not line.startswith("#")
        )
        return {name.removeprefix("cunjing_"): float(value) for name, _, value in said if float(value)}


def topic(device: str) -> str:
    return f"cunjing/v1/xia/{device}/telemetry"


@pytest.fixture
def house() -> Iterator[House]:
    """It has turned once: it is subscribed, and what it began with is durable."""
    made = House()
    with closing(made.inbox):
        made.turn_now()
        made.order.clear()
        made.woken.clear()
        made.watched.clear()
        yield made


@pytest.fixture(autouse=True)
def _unprinted() -> Iterator[None]:
    """What fails here on purpose is no news, and a trace of it with all that was known takes longer than any test."""
    with capture_logs():
        yield


# --- what a turn is


def test_a_message_is_acknowledged_once_it_is_durable_and_shown(house: House) -> None:
    (entry,) = house.turn(house.say("s-pool", 1), house.say("s-road", 1))
    assert [reading.device for reading in entry.readings] == ["s-pool", "s-road"]
    assert house.order == ["committed", "shown", "acknowledged 2"]
    assert house.watched == [entry]
    assert house.broker.waits[-1] == (1.0, [house.inbox.fileno()])


def test_an_answer_comes_after_the_commit(house: House) -> None:
    asked = house.ask(Ask("yes", "a mark"))
    house.journal.troubles = [DISK_FULL]
    with pytest.raises(JournalUnavailable):
        house.turn()
    assert not isinstance(asked.wait(0), str)
    again = house.ask(Ask("yes", "a mark"))
    (entry,) = house.turn()
    assert entry.meta["a mark"] == '"yes"'
    assert again.wait(0) == "yes"


def test_a_quiet_turn_makes_nothing_durable_and_tells_nobody(house: House) -> None:
    house.alive_s = 7.0
    assert house.turn() == []
    assert house.order == []
    assert house.health.loop_age_s == 0
    assert house.health.commit_age_s == 7
    assert house.dispatcher.looked[-1] == (house.hand.at_ms, False, True)
    assert "commit_seconds_count" not in house.counted()


def test_a_turn_that_says_something_is_a_sign_of_the_journal_and_of_the_loop(house: House) -> None:
    full = Part(ready=False, state="full")
    house.health.report(JOURNAL, full)
    house.alive_s = 7.0
    house.turn()
    assert house.health.parts[JOURNAL] == full
    house.turn(house.say("s-pool", 1))
    assert house.health.parts[JOURNAL] == READY == Part(ready=True, state="every commit is taken")
    assert house.health.commit_age_s == 0
    assert house.dispatcher.looked[-1] == (house.hand.at_ms, True, True)


def test_whoever_sends_texts_hears_only_of_what_is_owed(house: House) -> None:
    house.turn(house.say("s-pool", 1, FIRE))
    assert house.order == ["committed", "owed", "shown", "acknowledged 1"]


def test_after_each_turn_the_alarm_clock_is_set_to_what_is_due_next(house: House) -> None:
    house.turn()
    house.turn(house.say("s-pool", 1, FIRE))
    before, after = house.woken
    assert after == house.pipeline.next_deadline()
    assert before is not None
    assert after is not None
    assert after < before
    house.turn(after_ms=after - house.hand.at_ms)
    assert house.woken[-1] != after, "what time alone makes due is done in the turn that it wakes"


def test_what_a_source_breaks_by_our_mistake_is_a_turn_without_messages(house: House) -> None:
    house.broker.batches = [ValueError("a packet that we have not understood")]
    asked = house.ask(Ask("yes"))
    house.turn()
    assert asked.wait(0) == "yes"
    assert house.order == []


# --- heard, and not heard


def test_the_first_turn_of_a_subscription_says_that_devices_are_heard() -> None:
    house = House()
    with closing(house.inbox):
        house.broker.state = session(SessionPhase.DIALLING)
        (begun,) = house.turn_now()
        assert begun.known
        assert begun.heartbeat_ms is None
        assert house.dispatcher.looked[-1] == (START_MS, False, False)
        house.broker.state = session(SessionPhase.LIVE)
        (heard,) = house.turn()
        assert heard.heartbeat_ms == house.hand.at_ms
        assert house.pipeline.county.hearing_since_ms == house.hand.at_ms


def test_what_came_with_the_first_messages_is_heard_since_the_first_of_them() -> None:
    house = House()
    with closing(house.inbox):
        uplinks = [house.say("s-pool", 1, at_ms=START_MS - 300), house.say("s-pool", 2, at_ms=START_MS - 100)]
        house.turn_now(*uplinks)
        assert house.pipeline.county.hearing_since_ms == START_MS - 300
        house.turn(house.say("s-pool", 3))
        assert house.pipeline.county.hearing_since_ms == START_MS - 300, "a subscription that stands does not begin"


def test_while_nothing_is_subscribed_there_is_no_heartbeat(house: House) -> None:
    house.broker.state = session(SessionPhase.RESTING)
    house.ask(Ask("yes", "a mark"))
    (entry,) = house.turn()
    assert entry.heartbeat_ms is None
    house.loop._beat_at_s = monotonic_s() - 10
    assert house.turn() == []
    house.broker.state = session(SessionPhase.LIVE)
    (back,) = house.turn()
    assert back.heartbeat_ms == house.hand.at_ms
    assert house.pipeline.county.hearing_since_ms == house.hand.at_ms


def test_a_silence_while_nothing_was_subscribed_is_nobodys(house: House) -> None:
    house.turn(house.say("s-pool", 1))
    heard_ms = house.hand.at_ms
    house.broker.state = session(SessionPhase.RESTING)
    house.turn()
    for _ in range(10 * 60):
        house.turn(after_ms=MINUTE // 2)
    house.broker.state = session(SessionPhase.LIVE)
    house.turn()
    (pool,) = house.pipeline.county.states["pool"].devices
    assert pool.shift_ms == house.hand.at_ms - heard_ms
    assert not [alert for alert in house.pipeline.county.alerts.values() if alert.rule == "offline"]


def test_what_was_not_heard_before_a_start_is_excused_from_the_last_heartbeat_on() -> None:
    house = House(known_ms=START_MS - 2 * HOUR, heard_ms=START_MS - HOUR)
    with closing(house.inbox):
        house.turn_now()
        assert {device.shift_ms for state in house.pipeline.county.states.values() for device in state.devices} == {
            HOUR
        }


def test_a_start_ends_what_nothing_watches_any_more_and_only_a_start_does() -> None:
    house = House()
    since_ms = START_MS - HOUR
    stray = Alert(
        episode="fire/gone/1",
        rule="fire",
        asset="gone",
        device="s-gone",
        severity=Severity.P1,
        raised_ms=since_ms,
        since_ms=since_ms,
        detail={},
    )
    with closing(house.inbox):
        house.pipeline.county.alerts[stray.episode] = stray
        house.turn_now()
        assert stray.episode not in house.pipeline.county.alerts
        house.pipeline.county.alerts[stray.episode] = stray
        for phase in (SessionPhase.RESTING, SessionPhase.LIVE):
            house.broker.state = session(phase)
            house.turn()
        assert stray.episode in house.pipeline.county.alerts


def test_a_heartbeat_comes_every_five_seconds_and_with_whatever_is_written_anyway(house: House) -> None:
    house.loop._beat_at_s = monotonic_s() - 4.9
    assert house.turn() == []
    house.loop._beat_at_s = monotonic_s() - 5.0
    (beat,) = house.turn()
    assert beat.heartbeat_ms == house.hand.at_ms
    assert house.turn() == [], "from now on another five seconds"
    (entry,) = house.turn(house.say("s-pool", 1))
    assert entry.heartbeat_ms == house.hand.at_ms


# --- deafness (law L13)


def test_a_deafness_that_was_over_when_messages_came_ends_with_the_first_of_them(house: House) -> None:
    since_ms = house.hand.at_ms
    house.hand.passed_s += 200
    house.hand.at_ms += 200_000
    came_ms = since_ms + 100_000
    (entry,) = house.turn_now(house.say("s-pool", 1, at_ms=came_ms), house.say("s-pool", 2, at_ms=came_ms + 9))
    assert entry.excused == (since_ms, came_ms)
    assert "clock was set" not in house.order
    assert entry.snapshot is None


def test_messages_that_came_before_a_deafness_are_done_before_it(house: House) -> None:
    since_ms = house.hand.at_ms
    house.hand.passed_s += 200
    house.hand.at_ms += 200_000
    (entry,) = house.turn_now(house.say("s-pool", 1, at_ms=since_ms + 99_999))
    assert entry.excused == (since_ms, house.hand.at_ms)
    (pool,) = house.pipeline.county.states["pool"].devices
    assert pool.shift_ms == 100_001


def test_a_deafness_in_a_quiet_turn_ends_with_it_and_is_told_to_the_watchman(house: House) -> None:
    since_ms = house.hand.at_ms
    (entry,) = house.turn(after_ms=90_000)
    assert entry.excused == (since_ms, house.hand.at_ms)
    assert [event.event for event in entry.events] == ["deaf"]
    assert entry.heartbeat_ms == house.hand.at_ms
    assert house.turn() == []


def test_a_clock_that_was_set_takes_a_snapshot_along_and_sets_the_alarm_clock_anew(house: House) -> None:
    house.turn(house.say("s-pool", 1))
    house.order.clear()
    house.hand.set_s += 3_600
    house.hand.at_ms += HOUR
    (entry,) = house.turn()
    assert entry.excused is not None
    assert entry.snapshot is not None
    assert house.order[-1] == "clock was set"
    house.order.clear()
    (after,) = house.turn(house.say("s-pool", 2))
    assert after.snapshot is None
    assert house.order == ["committed", "shown", "acknowledged 1"]


def test_a_deafness_while_nothing_is_subscribed_is_no_sign_that_devices_were_heard(house: House) -> None:
    house.broker.state = session(SessionPhase.RESTING)
    house.turn()
    (entry,) = house.turn(after_ms=90_000)
    assert entry.excused is not None
    assert entry.heartbeat_ms is None


def test_a_subscription_that_ended_in_a_deafness_was_heard_up_to_its_end(house: House) -> None:
    """What the deafness has excused is not excused again when the subscription stands once more."""
    house.turn(house.say("s-pool", 1))
    since_ms = house.hand.at_ms
    house.broker.state = session(SessionPhase.RESTING)
    (entry,) = house.turn(after_ms=90_000)
    over_ms = house.hand.at_ms
    assert entry.excused == (since_ms, over_ms)
    assert entry.heartbeat_ms == over_ms
    house.broker.state = session(SessionPhase.LIVE)
    house.turn(after_ms=20_000)
    (pool,) = house.pipeline.county.states["pool"].devices
    assert pool.shift_ms == 110_000


# --- who says more than their share


def test_who_floods_comes_last_and_time_passes_at_the_very_end(house: House) -> None:
    with capture_logs() as logged:
        house.turn(*house.junk(18))
    assert [(line["event"], line["of"]) for line in logged if line["event"] == "floods"] == [("floods", "s-pool")]
    house.order.clear()
    house.hand.at_ms += 1_000
    asked = [house.ask(Ask("one", "a mark")), house.ask(Ask("two"))]
    first, last = house.turn_now(*house.junk(2), house.say("s-road", 1), *house.junk(1))
    assert [reading.device for reading in first.readings] == ["s-road"]
    assert "a mark" in first.meta
    assert not first.anomalies
    assert [(each.kind, each.times) for each in last.anomalies.values()] == [(AnomalyKind.FLOODED, 3)]
    assert [each.wait(0) for each in asked] == ["one", "two"]
    assert len(house.dispatcher.looked) == 3, "a turn ends once"
    assert house.order == ["committed", "shown", "committed", "shown", "acknowledged 4"]


def test_a_turn_in_which_nobody_floods_is_one_transaction(house: House) -> None:
    house.turn(*house.junk(18), house.say("s-road", 1, FIRE))
    due_ms = house.pipeline.next_deadline()
    assert due_ms is not None
    house.hand.at_ms = due_ms
    (entry,) = house.turn_now(house.say("s-far", 1, at_ms=due_ms - 1))
    assert [reading.device for reading in entry.readings] == ["s-far"]
    assert entry.events, "and what time made due"


# --- trouble


def test_only_the_message_that_no_journal_can_hold_is_put_aside(house: House) -> None:
    house.journal.cannot_hold = "s-far"
    entries = house.turn(house.say("s-pool", 1), house.say("s-far", 1), house.say("s-road", 1))
    assert [reading.device for entry in entries for reading in entry.readings] == ["s-pool", "s-road"]
    assert [row.reason for entry in entries for row in entry.quarantined] == ["bug"]
    assert house.order[-1] == "acknowledged 3"


def test_a_command_that_no_journal_can_hold_is_answered_so(house: House) -> None:
    house.journal.cannot_hold = "poison"
    asked, fine = house.ask(Ask("yes", "poison")), house.ask(Ask("yes", "a mark"))
    entries = house.turn()
    assert isinstance(asked.wait(0), NotDurable)
    assert fine.wait(0) == "yes"
    assert [[*entry.meta] for entry in entries if entry.meta] == [["a mark"]]


def test_a_loop_that_is_told_to_stop_leaves_a_snapshot(house: House) -> None:
    house.turns_left = 3
    waits = len(house.broker.waits)
    house.loop.run()
    assert len(house.broker.waits) - waits == 3
    assert house.journal.kept[-1].snapshot is not None
    assert len([entry for entry in house.journal.kept if entry.snapshot]) == 1


def test_a_loop_that_cannot_stop_well_says_what_comes_again(house: House) -> None:
    house.turns_left = 1
    house.pipeline.barrier._wait = Backoff(house.health, house.metrics, lambda: True).wait
    house.journal.troubles = [DISK_FULL]
    house.broker.batches = [Batch([house.say("s-pool", 1)], [1], 1)]
    with capture_logs() as logged:
        house.loop.run()
    assert [line["event"] for line in logged] == ["journal_unavailable", "stopped_with_unacknowledged_messages"]
    assert house.order == []


# --- snapshots


def test_a_snapshot_comes_after_fifty_thousand_readings_those_before_the_start_included() -> None:
    house = House(unsnapshotted=49_997)
    with closing(house.inbox):
        house.turn_now()
        few = house.turn(house.say("s-pool", 1), house.say("s-pool", 2))
        (enough,) = house.turn(house.say("s-pool", 3))
        (after,) = house.turn(house.say("s-pool", 4))
        assert [entry.snapshot for entry in few] == [None]
        assert enough.snapshot is not None
        assert after.snapshot is None


def test_a_quiet_county_takes_a_snapshot_each_hour_if_anything_was_read(house: House) -> None:
    house.turn(house.say("s-pool", 1))
    house.loop._snapshot_at_s = monotonic_s() - 3_599.5
    assert house.turn() == []
    house.loop._snapshot_at_s = monotonic_s() - 3_600.0
    (hourly,) = house.turn()
    assert hourly.snapshot is not None
    assert house.turn() == [], "from now on another hour"
    house.loop._snapshot_at_s = monotonic_s() - 3_600.0
    assert house.turn() == [], "nothing was read since"
    (one,) = house.turn(house.say("s-pool", 2))
    assert one.snapshot is not None


def test_a_start_is_no_hour_ago(house: House) -> None:
    (entry,) = house.turn(house.say("s-pool", 1))
    assert entry.snapshot is None


def test_what_is_taken_in_of_the_past_takes_a_snapshot_along(house: House) -> None:
    house.pipeline.change_past()
    house.ask(Ask("yes", "a mark"))
    (entry,) = house.turn()
    assert entry.snapshot is not None
    assert house.turn() == []


# --- what is counted


def test_what_became_of_messages_is_counted(house: House) -> None:
    house.broker.sends = 3
    told = house.say("s-pool", 1)
    odd = b'{"v":1,"boot":1,"seq":2,"more":1,"readings":{"distance_mm":900,"battery_pct":101}}'
    house.turn(
        *(told, told, Uplink(house.hand.at_ms, topic("s-road"), odd), Uplink(house.hand.at_ms, topic("s-far"), b"{")),
        Uplink(house.hand.at_ms, "cunjing/v1/xia/s-far/cmd", b"{}"),
    )
    counted = house.counted()
    assert {
        name: counted.get(f"{name}_total", 0) for name in ("messages_received", "messages_acked", "acks_dropped")
    } == {
        "messages_received": 5,
        "messages_acked": 3,
        "acks_dropped": 2,
    }
    assert counted["readings_committed_total"] == 2
    assert counted["samples_duplicate_total"] == 1
    assert counted["unknown_keys_total"] == 1
    assert counted['values_refused_total{quantity="battery_pct",reason="out_of_range"}'] == 1
    assert counted['quarantined_total{reason="not_json"}'] == 1
    assert [value for name, value in counted.items() if name.startswith("ignored_total")] == [1]
    assert counted["messages_committed_total"] == 5


def test_what_happened_is_counted_by_its_name(house: House) -> None:
    house.turn(house.say("s-pool", 1, FIRE))
    counted = house.counted()
    assert counted['events_total{event="raised"}'] == 1
    assert counted['events_total{event="owed"}'] >= 1


def test_what_a_tally_names_is_counted(house: House) -> None:
    tally = house.pipeline.tally
    tally.partial, tally.restarted = 2, 3
    house.turn()
    counted = house.counted()
    assert (counted["samples_partial_total"], counted["counters_restarted_total"]) == (2, 3)


def test_a_commit_takes_as_long_as_the_journal_and_a_message_no_less(house: House) -> None:
    house.journal.takes_s = 0.01
    began_s = monotonic_s()
    house.turn(house.say("s-pool", 1))
    took_s = monotonic_s() - began_s
    counted = house.counted()
    assert 0.01 <= counted["commit_seconds_sum"] <= counted["arrival_to_durable_seconds_sum"] <= took_s


# --- how the broker is


def test_how_the_broker_is_stands_on_readyz_and_each_trouble_once_in_the_log(house: House) -> None:
    away, full = Part(ready=False, state="away", remedy="start it"), Part(ready=False, state="full", remedy="more room")
    with capture_logs() as logged:
        for part in (THERE, away, away, full, away, full, THERE, THERE, away, THERE):
            house.broker.state = session(SessionPhase.LIVE if part.ready else SessionPhase.RESTING, part)
            house.turn()
            assert house.health.parts[BROKER] == part
    said = [line for line in logged if line["event"] == "broker"]
    assert [(line["log_level"], line["state"]) for line in said] == [
        ("warning", "away"),
        ("warning", "full"),
        ("info", "there"),
        ("warning", "away"),
        ("info", "there"),
    ]
    assert [line["remedy"] for line in said if "remedy" in line] == ["start it", "more room", "start it"]
    assert [line["notes"] for line in said if "notes" in line] == [("a note",)] * 2


# --- how a loop waits


class Waiting:
    """A backoff with what it says and how long it rests."""

    def __init__(self, *, stops: bool = False) -> None:
        self.alive_s = 0.0
        self.health = Health((JOURNAL,), lambda: self.alive_s)
        self.metrics = Metrics()
        self.rests: list[float] = []
        self.backoff = Backoff(self.health, self.metrics, lambda: stops, self.rests.append)
        self.alive_s = 5.0


@pytest.mark.parametrize(
    ("trouble", "state", "remedy"),
    [
        (DISK_FULL, "full", str(DISK_FULL)),
        (OSError(24, "no file"), "refused", "OSError: [Errno 24] no file; free memory, disk or file descriptors"),
    ],
    ids=["journal", "world"],
)
def test_what_the_world_refuses_is_said_and_tried_again_after_a_second(
    trouble: Exception, state: str, remedy: str
) -> None:
    waiting = Waiting()
    with capture_logs() as logged:
        waiting.backoff.wait(trouble)
    assert waiting.health.parts[JOURNAL] == Part(ready=False, state=state, remedy=remedy)
    assert [(line["event"], line["problem"], line["remedy"]) for line in logged] == [
        ("journal_unavailable", state, remedy)
    ]
    assert waiting.rests == [1.0]
    assert waiting.health.loop_age_s == 0, "a loop that waits is alive"
    assert b"cunjing_commit_failures_total 1.0" in waiting.metrics.exposition()


def test_who_is_to_stop_does_not_wait_for_the_world() -> None:
    waiting = Waiting(stops=True)
    with pytest.raises(Stopping) as end:
        waiting.backoff.wait(DISK_FULL)
    assert end.value.__cause__ is DISK_FULL
    assert waiting.rests == []
    assert not waiting.health.parts[JOURNAL].ready


# --- what the broker's session knows


def test_topic_filters_are_known_to_the_next_process_once_the_journal_has_them(house: House) -> None:
    barrier = Barrier(house.pipeline.undo)
    filters = JournalFilters(house.journal, None, barrier)
    assert filters.remembered_filters() == frozenset()
    filters.remember_filters(frozenset({"b/#", "a/#"}))
    kept = house.journal.kept[-1].meta[FILTERS]
    assert msgspec.json.decode(kept) == ["a/#", "b/#"]
    assert filters.remembered_filters() == {"a/#", "b/#"}
    assert JournalFilters(house.journal, kept, barrier).remembered_filters() == {"a/#", "b/#"}


def test_topic_filters_that_the_journal_refuses_are_not_remembered(house: House) -> None:
    filters = JournalFilters(house.journal, None, Barrier(house.pipeline.undo))
    house.journal.troubles = [DISK_FULL]
    with pytest.raises(JournalUnavailable):
        filters.remember_filters(frozenset({"a/#"}))
    assert filters.remembered_filters() == frozenset()


def test_a_part_of_the_house_that_needs_a_person_is_watched_in_its_turn(house: House) -> None:
    asked = house.inbox.post(Watched(Trouble("series_paused", "series", "the token is not known")))
    assert isinstance(asked, Answer)
    (entry,) = house.turn()
    assert asked.wait(0) is None
    assert entry.events[0].event == "raised"
