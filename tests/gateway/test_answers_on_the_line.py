"""An answer to a text about no bin and no plant is an answer like any other; it may cost nobody the gateway."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alerts.model import Kind, Owed
from alerts.receipts import reply
from gateway.journal.entry import Answered, Entry
from tests.telling_county import COUNTY, FIGURES, HOUR, MINUTE, START_MS
from tests.telling_line import Hand, TellingLine


@pytest.fixture
def said() -> list[Entry]:
    return []


@pytest.fixture
def line(tmp_path: Path, said: list[Entry]) -> Iterator[TellingLine]:
    hand = Hand(START_MS)
    made = TellingLine(tmp_path / "journal.db", COUNTY, FIGURES, hand, said.append, lambda _message: None)
    with closing(made):
        yield made


def test_somebody_else_is_told_when_nobody_goes_to_a_radio_gateway(line: TellingLine, said: list[Entry]) -> None:
    line.live(START_MS + 3 * HOUR)
    assert [owed.rule for owed in owed_to(said, "crew")][:1] == ["gateway_offline"]
    line.hear(replies=[reply("one", "1", COUNTY.people["crew"].phone, "2", line.hand.at_ms)])
    line.live(line.hand.at_ms + MINUTE)
    notices = [owed for owed in owed_to(said, "office") if owed.kind is Kind.NOTICE]
    assert [owed.text for owed in notices] == ["【湘阳环卫】23日陈工回复去不了：柳潭村部网关。请改派。"]


def test_an_answer_that_we_make_a_mistake_about_is_kept_and_the_next_is_heard(
    line: TellingLine, said: list[Entry]
) -> None:
    line.live(START_MS + 3 * HOUR)
    texts = line.pipeline.county.scribe.texts._templates
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
