"""One read or write refused, or one mistake of ours, in the middle of a turn: nothing is lost, nobody waits in vain.

The line is the real one on a virtual clock; the law that walks over every place is tests/laws/test_refusal_laws.py.
"""

import pytest

from alerts.answers import reply
from alerts.ledger.case import Register
from gateway.commands.absences import RecordAbsence
from gateway.commands.command import Done, NotDurable
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.commands.quarantine import LookAgain
from gateway.journal.entry import Entry
from gateway.loop import JournalFilters
from gateway.pipeline import BUG
from telemetry.reading import Reading, Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import DAY, HOUR, MINUTE, START_MS
from tests.telling_line import TellingLine

TOPIC = "cunjing/v1/xia/s-pool/telemetry"
FULL = Values(distance_mm=230.0)


def uplink(line: TellingLine, *samples: Sample) -> Uplink:
    return Uplink(line.hand.at_ms, TOPIC, wire_bytes([wire_form(sample) for sample in samples]))


def seqs(said: list[Entry]) -> list[int]:
    return [reading.seq for entry in said for reading in entry.readings]


def full(line: TellingLine) -> str:
    """An overflow that stands; its episode."""
    for number in (1, 2):
        line.bring([uplink(line, Sample(1, number, FULL))])
        line.live(line.hand.at_ms + 20 * MINUTE)
    (episode,) = (name for name in line.pipeline.county.alerts if name.startswith("overflow/pool/"))
    return episode


@pytest.mark.parametrize("read", ["AND seq = ", "max(seq)"])
def test_a_sample_below_the_window_is_stored_although_a_look_for_it_was_refused(
    line: TellingLine, said: list[Entry], read: str
) -> None:
    line.bring([uplink(line, Sample(7, 5_000, FULL))])
    line.hand.refuses_next = read
    line.bring([uplink(line, Sample(7, 7, FULL))])
    assert line.hand.refused == 1
    assert seqs(said) == [5_000, 7]
    line.bring([uplink(line, Sample(7, 7, FULL))])
    assert seqs(said) == [5_000, 7]


def test_a_command_has_its_answer_although_a_read_for_it_was_refused(line: TellingLine) -> None:
    episode = full(line)
    line.bring([uplink(line, Sample(1, 3, Values(distance_mm=1_190.0)), Sample(1, 4, Values(distance_mm=1_190.0)))])
    assert episode not in line.pipeline.county.alerts
    line.hand.refuses_next = "SELECT 1 FROM alert WHERE episode"
    assert line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="office")) == Done(
        line.hand.at_ms, "unchanged"
    )
    assert line.hand.refused == 1


def test_an_answer_by_text_counts_once_although_reads_for_it_were_refused(line: TellingLine, said: list[Entry]) -> None:
    episode = full(line)
    for read in ("SELECT 1 FROM answer", "FROM notification"):
        line.hand.refuses_next = read
        line.hear(replies=[reply("one", read, "13900000001", "1", line.hand.at_ms)])
    assert line.hand.refused == 2
    answers = [answer for entry in said for answer in entry.answers]
    assert len(answers) == 2
    acked = [event for entry in said for event in entry.events if event.event == "acked"]
    assert [event.episode for event in acked] == [episode]


def test_topic_filters_are_remembered_although_the_journal_refused_them(line: TellingLine) -> None:
    filters = JournalFilters(line._journal, None, line.pipeline.barrier)
    line.hand.refuses_next = "BEGIN IMMEDIATE"
    filters.remember_filters(frozenset({"cunjing/v1/+/+/+"}))
    assert line.hand.refused == 1
    assert filters.remembered_filters() == {"cunjing/v1/+/+/+"}
    assert line._journal.restore().meta["mqtt_filters"] == '["cunjing/v1/+/+/+"]'


def test_a_weekly_list_leaves_although_its_read_was_refused(line: TellingLine, said: list[Entry]) -> None:
    full(line)
    line.live(START_MS + 6 * DAY + 23 * HOUR)  # the next Monday, 06:30
    line.hand.refuses_next = "over_two_thirds"
    line.live(START_MS + 7 * DAY + HOUR)
    assert line.hand.refused == 1
    lists = [owed.template for entry in said for owed in entry.owed if owed.at_ms > START_MS + 6 * DAY]
    assert lists.count("list_village") == 1


@pytest.mark.parametrize("trouble", [OSError(24, "too many open files"), MemoryError()], ids=["descriptors", "memory"])
def test_trouble_of_the_world_is_waited_for_and_nothing_is_quarantined(
    line: TellingLine, said: list[Entry], trouble: Exception
) -> None:
    troubles = [trouble] * 5

    def sampled(_reading: Reading) -> None:
        if troubles:
            raise troubles.pop()

    waited: list[Exception] = []
    line.waited = waited.append
    line.pipeline.follow_claims({"pool": True}, sampled)
    line.bring([uplink(line, Sample(1, 1, FULL), Sample(1, 2, FULL))])
    assert waited == [trouble] * 5
    assert seqs(said) == [1, 2]
    assert [row for entry in said for row in entry.quarantined] == []


def test_what_never_ends_is_no_trouble_of_the_world(line: TellingLine, said: list[Entry]) -> None:
    def sampled(_reading: Reading) -> None:
        raise OSError(75, "value too large")  # what our own arithmetic may end in

    line.pipeline.follow_claims({"pool": True}, sampled)
    line.bring([uplink(line, Sample(1, 1, FULL)), Uplink(line.hand.at_ms, TOPIC, b"{")])
    assert [row.reason for entry in said for row in entry.quarantined] == [BUG, "not_json"]
    assert seqs(said) == []


def test_a_mistake_of_ours_in_one_sample_leaves_nothing_of_its_uplink_but_the_bytes(
    line: TellingLine, said: list[Entry]
) -> None:
    def sampled(reading: Reading) -> None:
        if reading.seq == 2:
            raise ZeroDivisionError

    was = line.pipeline._claimed, line.pipeline._sampled
    line.pipeline.follow_claims({"pool": True}, sampled)
    line.bring([uplink(line, Sample(1, 1, FULL), Sample(1, 2, FULL), Sample(1, 3, FULL))])
    assert [row.reason for entry in said for row in entry.quarantined] == [BUG]
    assert seqs(said) == []
    assert line.pipeline.county.alerts == {}
    line.pipeline.follow_claims(*was)
    assert line.order(LookAgain(reason=BUG, by="office")) == Done(line.hand.at_ms, "looked_again")
    assert seqs(said) == [1, 2, 3]


def test_a_mistake_of_ours_in_a_command_is_its_answer_and_the_stream_goes_on(
    line: TellingLine, said: list[Entry]
) -> None:
    wish = RecordAbsence(person="cleaner", from_ms=0, until_ms="tomorrow", by="office")  # type: ignore[arg-type] # our mistake
    assert isinstance(line.order(wish), NotDurable)
    line.bring([uplink(line, Sample(1, 1, FULL))])
    assert seqs(said) == [1]


def test_one_row_that_the_journal_cannot_hold_costs_only_its_own_input(line: TellingLine, said: list[Entry]) -> None:
    known = line.pipeline.county.inventory.people
    assert "office" in known
    for number in range(3):
        line.broker.kept.append(uplink(line, Sample(1, number + 1, FULL)))
    poison = Register(what="\ud83d", by="office", area="liutan")  # half a sign: no text of SQLite's
    assert isinstance(line.order(poison), NotDurable)
    assert seqs(said) == [1, 2, 3]
    assert line.order(Register(what="桥头有垃圾", by="office", area="liutan")) is not None


def test_repeats_are_counted_in_a_turn_that_has_nothing_else(line: TellingLine, said: list[Entry]) -> None:
    line.bring([uplink(line, Sample(1, 1, FULL))])
    committed = len(said)
    line.beats = False
    for _ in range(4):
        line.hand.at_ms += 1_200
        line.bring([uplink(line, Sample(1, 1, FULL))])
    assert len(said) == committed, "not even a heartbeat"
    assert line._metrics.duplicates._value.get() == 4
