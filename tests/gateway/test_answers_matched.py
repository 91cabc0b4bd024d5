"""Which text an answer is about: what asked for it, when a provider had it, and what stands (T2, T5)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.answers import reply
from alerts.ledger.case import CaseCommand, CaseVerb, Register, State
from alerts.model import Event, Owed
from gateway.commands.cases import CaseDone
from gateway.journal.entry import Answered, Entry
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

DAWN = START_MS - 2 * HOUR
CREW, CLEANER, HEAD = (COUNTY.people[name].phone for name in ("crew", "cleaner", "head"))
HIGH, LOW = {"level_mm": 1500, "mains_on": 1}, {"level_mm": 500, "mains_on": 1}
DARK = {"mains_on": 0}
FULL_MM, TWO_THIRDS_MM, HALF_MM, EMPTY_MM = 220, 400, 700, 1190


class Day:
    """One day on the line: samples as they come, answers as people write them, and all that was said."""

    def __init__(self, folder: Path, at_ms: Millis) -> None:
        self.said: list[Entry] = []
        self._seq = 0
        self.line = TellingLine(
            folder / "journal.db", COUNTY, POLICY_FILES, Hand(at_ms), self.said.append, lambda _message: None
        )
        for provider in self.line.providers.values():
            provider.mood = "promises nothing"  # no receipts, so nothing is sent twice for want of one

    def close(self) -> None:
        self.line.close()

    @property
    def now_ms(self) -> Millis:
        return self.line.hand.at_ms

    def measure(
        self, device: str, readings: Mapping[str, float], times: int = 2, every_ms: Millis = 10 * MINUTE
    ) -> None:
        """So many samples of the same, one after the other."""
        for _ in range(times):
            self.line.live(self.now_ms + every_ms)
            self._seq += 1
            said = {"v": 1, "boot": 1, "seq": self._seq, "ts": self.now_ms, "readings": readings}
            self.line.bring([Uplink(self.now_ms, f"cunjing/v1/xia/{device}/telemetry", json.dumps(said).encode())])
        self.line.live(self.now_ms + MINUTE)

    def answer(self, phone: str, text: str, at_ms: Millis | None = None) -> None:
        """What somebody writes; ``at_ms`` is the network's time of it."""
        number = str(len(self.answers()) + 1)
        self.line.hear(replies=[reply("one", number, phone, text, self.now_ms if at_ms is None else at_ms)])
        self.line.live(self.now_ms + MINUTE)

    def answers(self) -> list[Answered]:
        return [each for entry in self.said for each in entry.answers]

    def texts(self, phone: str) -> list[str]:
        return [each.text for each in self.owed() if each.phone == phone]

    def owed(self) -> list[Owed]:
        return [each for entry in self.said for each in entry.owed]

    def events(self, *names: str) -> Sequence[tuple[str, str]]:
        """What happened, each with the rule it is about."""
        return [
            (each.event, each.rule)
            for entry in self.said
            for each in entry.events
            if isinstance(each, Event)
            if each.event in names
        ]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with closing(Day(tmp_path, DAWN)) as made:
        yield made


def test_a_one_after_a_text_that_needs_no_answer_is_about_the_one_that_asked(day: Day) -> None:
    day.measure("m-works", HIGH)
    day.measure("m-plant", DARK, times=1)
    day.line.live(day.now_ms + 35 * MINUTE)
    assert [each.rule for each in day.owed() if each.phone == CREW] == ["level_high", "no_power"]
    assert "不用回" in day.texts(CREW)[-1]
    day.answer(CREW, "1")
    assert day.events("acked") == [("acked", "level_high")]


def test_a_one_after_the_weeks_list_is_about_the_text_that_asked(tmp_path: Path) -> None:
    with closing(Day(tmp_path, START_MS - HOUR)) as day:
        _answer_after_the_weeks_list(day)


def _answer_after_the_weeks_list(day: Day) -> None:
    day.measure("s-pool", {"battery_pct": 5}, times=1)
    day.measure("m-works", HIGH)
    day.line.live(START_MS + 20 * MINUTE)
    assert [each.template for each in day.owed() if each.phone == CREW] == ["level_high", "list_week"]
    day.answer(CREW, "１。")
    assert day.events("acked") == [("acked", "level_high")]


def test_a_digit_is_about_the_newest_text_that_prints_it(day: Day) -> None:
    day.measure("m-works", HIGH)
    day.line.live(day.now_ms + HOUR)  # the radio gateway's devices fall silent: its text asks for a 1 alone
    day.line.live(START_MS + 3 * HOUR)
    assert [each.rule for each in day.owed() if each.phone == CREW] == ["level_high", "gateway_offline"]
    day.answer(CREW, "2")
    day.answer(CREW, "1")
    assert day.events("declined", "acked") == [("declined", "level_high"), ("acked", "gateway_offline")]


def test_what_no_text_asks_for_is_not_understood(day: Day) -> None:
    day.line.live(START_MS + 3 * HOUR)
    assert [each.rule for each in day.owed() if each.phone == CREW] == ["gateway_offline"]
    day.answer(CREW, "3")
    assert day.texts(CREW)[-1].endswith("没看懂您的回复。去了回1，去不了回2，没这回事回3，要我们打给您回0。")
    assert day.events("doubted", "acked") == []


def test_a_one_that_none_prints_is_about_the_newest_that_stands_and_asks(day: Day) -> None:
    day.line.live(START_MS + HOUR)
    day.measure("s-pool", {"distance_mm": FULL_MM})
    assert "去不了回2，没满回3" in day.texts(CLEANER)[-1]
    day.answer(CLEANER, "清了")
    assert day.events("acked") == [("acked", "overflow")]
    day.measure("s-pool", {"distance_mm": EMPTY_MM})
    day.answer(CLEANER, "1")  # over by now: there is no such text
    assert [each.meaning for each in day.answers()] == ["done", "not_understood"]


def test_a_nought_is_a_call_about_the_newest_that_stands_or_about_nothing(day: Day) -> None:
    day.answer(CREW, "0")
    assert (day.answers()[0].meaning, day.answers()[0].episode) == ("callback", "")
    assert day.texts(CREW) == []
    day.measure("m-plant", DARK, times=1)
    day.line.live(START_MS - 30 * MINUTE)
    day.answer(CREW, "0")
    assert day.answers()[1].episode.startswith("no_power/plant")
    assert day.events("callback") == [("callback", "no_power")]


@pytest.mark.parametrize(
    ("back_ms", "rule"),
    [
        (20 * MINUTE, "level_high"),
        (30_000, "gateway_offline"),
        (-10 * MINUTE, "gateway_offline"),
        (10**12, "gateway_offline"),
    ],
    ids=["before the second left", "a little before it", "from the future", "without a time"],
)
def test_an_answer_is_about_what_the_number_had_when_it_was_written(day: Day, back_ms: int, rule: str) -> None:
    day.measure("m-works", HIGH)
    day.line.live(START_MS + 3 * HOUR)
    taken = [each for provider in day.line.providers.values() for each in provider.taken if each.phone == CREW]
    assert [each.key.partition("/")[0] for each in taken] == ["level_high", "gateway_offline"]
    day.answer(CREW, "1", taken[-1].at_ms - back_ms)
    assert day.events("acked") == [("acked", rule)]


def test_a_text_that_no_provider_has_taken_is_answered_by_nobody(day: Day) -> None:
    day.measure("m-works", HIGH)
    for provider in day.line.providers.values():
        provider.mood = "is away"
    day.line.live(START_MS + 3 * HOUR)
    assert [each.rule for each in day.owed() if each.phone == CREW] == ["level_high", "gateway_offline"]
    day.answer(CREW, "1")
    assert day.events("acked") == [("acked", "level_high")]


def test_an_answer_about_something_over_hears_since_when_and_once(day: Day) -> None:
    day.measure("m-works", HIGH)
    day.measure("m-works", LOW)
    assert ("cleared", "level_high") in day.events("cleared")
    told = len(day.texts(CREW))
    day.answer(CREW, "1")
    day.answer(CREW, "1")
    assert {text.partition("】")[2] for text in day.texts(CREW)[told:]} == {"柳潭站23日6:11已恢复，不用去了。"}
    assert day.events("acked") == []
    assert sum(taken.key.endswith(".99@crew") for taken in day.line.providers["one"].taken) == 1


def test_nothing_is_said_to_be_well_that_is_not_there_any_more(day: Day, tmp_path: Path) -> None:
    day.measure("m-works", HIGH)
    assets = {name: asset for name, asset in COUNTY.assets.items() if name != "works"}
    devices = {name: device for name, device in COUNTY.devices.items() if name != "m-works"}
    county = replace(COUNTY, assets=assets, devices=devices)
    hand = Hand(day.now_ms)
    day.close()
    day.line = TellingLine(tmp_path / "journal.db", county, POLICY_FILES, hand, day.said.append, lambda _message: None)
    assert ("retired", "level_high") in day.events("retired")
    before = len(day.texts(CREW))
    day.answer(CREW, "1")
    assert day.answers()[-1].meaning == "done"
    assert [text for text in day.texts(CREW)[before:] if "已恢复" in text] == []


def test_who_is_told_next_hears_that_somebody_says_otherwise(day: Day) -> None:
    day.line.live(START_MS + 2 * HOUR)
    day.measure("s-pool", {"distance_mm": FULL_MM})
    day.answer(CLEANER, "没满")
    assert ("raised", "sensor_check") in [
        (deed.deed, case.rule)
        for entry in day.said
        for deed in entry.deeds
        for case in entry.cases.values()
        if deed.case == case.id
    ]
    day.line.live(day.now_ms + 3 * HOUR)
    (told,) = day.texts(HEAD)
    assert told.endswith("安排好回1。李大姐说没满。")
    assert [text for text in day.texts(CLEANER) if "李大姐说" in text] == []


def test_who_goes_instead_hears_what_was_said_and_no_deadline_of_the_past(day: Day) -> None:
    day.line.live(START_MS + 2 * HOUR)
    day.measure("s-pool", {"distance_mm": FULL_MM})
    assert "请23日11点半前" in day.texts(CLEANER)[-1]
    day.answer(CLEANER, "没满")
    day.line.live(day.now_ms + 3 * HOUR)
    day.answer(CLEANER, "去不了")
    told = {each.to: each.text for each in day.owed() if each.kind == "notice" and each.rule == "overflow"}
    assert told["shared"].endswith("李大姐说没满。")
    assert "请23日14点半前先收拢地上的" in told["shared"], "two hours from now"
    assert told["office"].endswith("可找周大哥。李大姐说没满。")
    assert "说没满" not in told["cleaner"]


def test_the_word_that_two_thirds_stands_asks_about_two_thirds(day: Day) -> None:
    day.line.live(START_MS + 2 * HOUR)
    day.measure("s-pool", {"distance_mm": FULL_MM})
    day.measure("s-pool", {"distance_mm": TWO_THIRDS_MM})
    day.line.live(day.now_ms + 5 * MINUTE)
    assert "还过三分之二。请这班带上，去不了回2" in day.texts(CLEANER)[-1]
    day.answer(CLEANER, "2")
    assert day.events("declined") == [("declined", "over_two_thirds")]
    assert day.answers()[-1].episode.startswith("over_two_thirds/")


def test_a_one_to_a_text_of_the_ledger_says_that_the_work_is_done(day: Day) -> None:
    day.line.live(START_MS + 2 * HOUR)
    done = day.line.order(Register(rule="litter", place="村口", area="liutan", what="路边有垃圾", by="office"))
    assert isinstance(done, CaseDone)
    day.line.order(CaseCommand(verb=CaseVerb.ASSIGN, case=done.case.id, to="head", by="office"))
    day.line.live(day.now_ms + 5 * MINUTE)
    assert day.texts(HEAD)[-1].endswith("办好回1。")
    day.answer(HEAD, "办好了")
    assert day.line.pipeline.ledger.cases[done.case.id].state is State.FIXED
