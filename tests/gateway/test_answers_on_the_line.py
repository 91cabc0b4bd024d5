"""An answer to a text about no bin and no plant is an answer like any other; it may cost nobody the gateway."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.answers import reply
from alerts.model import MessageKind, Owed
from gateway.journal.entry import Answered, Entry
from telemetry.reading import Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine


@pytest.fixture
def said() -> list[Entry]:
    return []


@pytest.fixture
def line(tmp_path: Path, said: list[Entry]) -> Iterator[TellingLine]:
    hand = Hand(START_MS)
    made = TellingLine(tmp_path / "journal.db", COUNTY, POLICY_FILES, hand, said.append, lambda _message: None)
    with closing(made):
        yield made


def run_high(line: TellingLine) -> None:
    """A plant's water stands too high, which its crew is asked about: 去回1，去不了回2."""
    for number in range(2):
        at_ms = line.hand.at_ms + MINUTE
        line.leap(at_ms)
        said = f'{{"v": 1, "boot": 1, "seq": {number}, "ts": {at_ms}, "readings": {{"level_mm": 1500}}}}'
        line.bring([Uplink(at_ms, "cunjing/v1/xia/m-works/telemetry", said.encode())])
    line.live(line.hand.at_ms + MINUTE)


def test_what_a_text_about_a_radio_gateway_asks_for_is_an_answer(line: TellingLine, said: list[Entry]) -> None:
    line.live(START_MS + 3 * HOUR)
    assert [owed.rule for owed in owed_to(said, "crew")][:1] == ["gateway_offline"]
    phone = COUNTY.people["crew"].phone
    line.hear(replies=[reply("one", "1", phone, "2", line.hand.at_ms)])  # it asks for a 1 alone
    line.hear(replies=[reply("one", "2", phone, "1", line.hand.at_ms)])
    answers = [answer.meaning for entry in said for answer in entry.answers]
    assert answers == ["not_understood", "done"]
    assert [event.rule for entry in said for event in entry.events if event.event == "acked"] == ["gateway_offline"]


def test_somebody_else_is_told_when_nobody_goes(line: TellingLine, said: list[Entry]) -> None:
    run_high(line)
    line.hear(replies=[reply("one", "1", COUNTY.people["crew"].phone, "2", line.hand.at_ms)])
    line.live(line.hand.at_ms + MINUTE)
    notices = [owed for owed in owed_to(said, "office") if owed.kind is MessageKind.NOTICE]
    assert [owed.text for owed in notices] == ["【湘阳环卫】23日陈工回复去不了：柳潭站。请改派。"]


def test_an_answer_that_we_make_a_mistake_about_is_kept_and_the_next_is_heard(
    line: TellingLine, said: list[Entry]
) -> None:
    run_high(line)
    texts = line.pipeline.county.message_writer.texts._templates
    assert isinstance(texts, dict)
    broken = texts.pop("declined_dispatcher")
    phone = COUNTY.people["crew"].phone
    line.hear(replies=[reply("one", "1", phone, "2", line.hand.at_ms)])
    texts["declined_dispatcher"] = broken
    line.hear(replies=[reply("one", "2", phone, "1", line.hand.at_ms)])
    answers: list[Answered] = [answer for entry in said for answer in entry.answers]
    assert [answer.meaning for answer in answers] == ["declined", "done"]
    assert [event.event for entry in said for event in entry.events if event.event == "acked"] == ["acked"]


def owed_to(said: list[Entry], person: str) -> list[Owed]:
    return [owed for entry in said for owed in entry.owed if owed.to == person]


def test_who_declined_first_and_then_says_that_it_is_done_hears_that_it_is_not_seen(
    tmp_path: Path, said: list[Entry]
) -> None:
    own = replace(COUNTY.people["cleaner"], phone="13900000008")  # nobody else has it
    county = replace(COUNTY, people={**COUNTY.people, "cleaner": own})
    line = TellingLine(tmp_path / "j.db", county, POLICY_FILES, Hand(START_MS), said.append, lambda _message: None)
    with closing(line):
        full(line, 1)
        full(line, 2)
        assert [owed.rule for owed in owed_to(said, "cleaner")] == ["overflow"]
        for number, text in (("1", "2"), ("2", "1")):
            line.hear(replies=[reply("one", number, own.phone, text, line.hand.at_ms)])
        for seq in (3, 4):
            full(line, seq)
    notices = [owed for owed in owed_to(said, "cleaner") if owed.kind is MessageKind.NOTICE]
    assert [owed.template for owed in notices] == ["declined_thanks", "claim_unseen"]
    taken = [each.key for provider in line.providers.values() for each in provider.taken]
    assert {owed.key for owed in notices} <= set(taken)


def full(line: TellingLine, seq: int) -> None:
    """The pool says that it is full, twenty minutes after the last time."""
    line.live(line.hand.at_ms + 20 * MINUTE)
    payload = wire_bytes(wire_form(Sample(1, seq, Values(distance_mm=230.0))))
    line.bring([Uplink(line.hand.at_ms, "cunjing/v1/xia/s-pool/telemetry", payload)])
    line.leap(line.hand.at_ms)
