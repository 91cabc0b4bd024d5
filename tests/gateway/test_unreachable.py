"""Somebody who cannot be reached costs nobody else the news: no level is skipped, and no error passes for a success.

Scenarios 9 and 11 of the papers, on the real loop, journal and courier (oncall#1326; nightingale's Aliyun sender).
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from alerts.channels import Channel, Message
from alerts.channels.aliyun import Aliyun, AliyunSettings
from alerts.model import Event
from gateway.journal.entry import Entry
from telemetry.reading import Sample, Values
from telemetry.wire import Uplink
from tests.alerts.channels.test_aliyun import Provider, account, serving
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

Begun: TypeAlias = Callable[..., TellingLine]
CLEANER, HEAD, LEADER = (COUNTY.people[name].phone for name in ("cleaner", "head", "leader"))


@pytest.fixture
def said() -> list[Entry]:
    return []


@pytest.fixture
def begun(tmp_path: Path, said: list[Entry]) -> Iterator[Begun]:
    made: list[TellingLine] = []

    def begin(asked: Callable[[Message], None] = lambda _: None, **channels: Channel) -> TellingLine:
        hand = Hand(START_MS)
        made.append(TellingLine(tmp_path / "journal.db", COUNTY, POLICY_FILES, hand, said.append, asked, channels))
        return made[-1]

    yield begin
    for line in made:
        with closing(line):
            pass


def speak(line: TellingLine, seq: int, says: Values) -> None:
    now_ms = line.hand.at_ms
    payload = wire_bytes(wire_form(Sample(1, seq, says, now_ms, float(seq))))
    line.bring([Uplink(now_ms, "cunjing/v1/xia/s-pool/telemetry", payload)])
    line.leap(now_ms)


def test_a_dead_number_is_said_and_the_next_level_hears_at_its_time(begun: Begun, said: list[Entry]) -> None:
    reached: list[tuple[str, int]] = []

    def asked(message: Message) -> None:
        mood = "refuses" if message.phone == CLEANER else "well"
        line.providers["one"].mood = line.providers["two"].mood = mood
        if mood == "well" and message.episode.startswith("overflow"):
            reached.append((message.phone, line.hand.at_ms - START_MS))

    line = begun(asked)
    for seq in (1, 2):
        speak(line, seq, Values(full_flag=1.0))
    line.live(START_MS + 60 * HOUR, most=900)  # the clock of an overflow counts 06-19
    undelivered = [event for entry in said for event in entry.events if event.event == "undelivered"]
    assert [(event.detail or {})["reason"] for event in undelivered][:1] == ["dead_number"]
    levels = [phone for phone in dict.fromkeys(phone for phone, _ in reached) if phone in {HEAD, LEADER}]
    assert levels == [HEAD, LEADER], "a level was skipped"
    assert min(at_ms for phone, at_ms in reached if phone == HEAD) <= 2 * HOUR + MINUTE


def test_no_receipt_of_a_fire_sends_it_another_way_and_calls_the_next_person(begun: Begun, said: list[Entry]) -> None:
    line = begun()
    speak(line, 1, Values(temperature_c=80.0))
    line.live(START_MS + 3 * MINUTE)
    by_way = {name: {taken.phone for taken in provider.taken} for name, provider in line.providers.items()}
    assert CLEANER in by_way["one"] & by_way["two"]
    assert LEADER in by_way["one"], "the next person waits for the tenth minute"
    hurried = [event.rule for entry in said for event in entry.events if event.event == "hurried"]
    assert hurried[:1] == ["fire"]


def test_a_refused_text_about_a_fire_calls_the_next_person_at_once(begun: Begun, said: list[Entry]) -> None:
    def asked(message: Message) -> None:
        mood = "refuses" if message.phone == CLEANER else "well"
        line.providers["one"].mood = line.providers["two"].mood = mood

    line = begun(asked)
    speak(line, 1, Values(temperature_c=80.0))
    line.leap(line.hand.at_ms + 1_000)
    assert LEADER in {taken.phone for taken in line.providers["one"].taken}
    hurried = [event.detail for entry in said for event in entry.events if event.event == "hurried"]
    assert hurried == [{"reason": "undelivered", "step": 1}]


def test_a_fire_is_told_once_a_provider_answers_as_ever_and_the_next_person_does_not_wait_for_that(
    begun: Begun, said: list[Entry]
) -> None:
    line = begun()
    line.providers["one"].mood = line.providers["two"].mood = "breaks"
    speak(line, 1, Values(temperature_c=80.0))
    line.live(line.hand.at_ms + 6 * HOUR)
    hurried = [event.detail for entry in said for event in entry.events if event.event == "hurried"]
    assert hurried[:1] == [{"reason": "delayed", "step": 1}]
    line.providers["one"].mood = line.providers["two"].mood = "well"
    line.live(line.hand.at_ms + 10 * MINUTE)
    assert {CLEANER, LEADER} <= {taken.phone for taken in line.providers["one"].taken + line.providers["two"].taken}


@pytest.mark.parametrize("mood", ["refuses", "is full for today"])
def test_what_will_not_arrive_today_about_a_spill_calls_the_next_person_at_once(
    mood: str, begun: Begun, said: list[Entry]
) -> None:
    calls: list[int] = []

    def asked(message: Message) -> None:
        line.providers["one"].mood = line.providers["two"].mood = mood if message.phone == CLEANER else "well"
        calls.extend([line.hand.at_ms] * (message.phone == CLEANER))

    line = begun(asked)
    for seq in (1, 2):
        speak(line, seq, Values(full_flag=1.0))
    line.live(line.hand.at_ms + 10 * MINUTE)
    reached = {taken.phone for taken in line.providers["one"].taken}
    assert HEAD in reached, "the cleaner's own bound has passed and nobody else was told"
    hurried = [event.detail or {} for entry in said for event in entry.events if event.event == "hurried"]
    assert [detail["reason"] for detail in hurried][:1] == ["undelivered" if mood == "refuses" else "limited"]
    line.live(line.hand.at_ms + 5 * HOUR)
    assert len(calls) == 2, "each provider was asked once; a limit of the day is not tried each minute"


@pytest.mark.parametrize("code", ["isv.AMOUNT_NOT_ENOUGH", "isv.BUSINESS_LIMIT_CONTROL", "isv.MOBILE_NUMBER_ILLEGAL"])
def test_http_200_with_an_error_in_its_body_is_no_success(begun: Begun, tmp_path: Path, code: str) -> None:
    provider = Provider()
    with serving(provider):
        provider.says = lambda _: (200, {"Code": code, "Message": "…"})
        line = begun(aliyun=Aliyun(AliyunSettings(signature="湘阳环卫", **account(provider, tmp_path))))
        speak(line, 1, Values(temperature_c=80.0))
        rows = line._journal._connection.execute(
            "SELECT state, notification.via, attempt.via, outcome FROM notification"
            " JOIN attempt ON attempt.notification = notification.id WHERE phone = ? AND kind = 'first'"
            " ORDER BY attempt.id",
            (CLEANER,),
        ).fetchall()
    assert provider.asked, "Aliyun was never asked"
    outcomes = {via: outcome for _, _, via, outcome in rows}
    assert outcomes["aliyun"] in {"failed", "refused"}
    assert outcomes["one"] == "accepted"
    assert {(state, via) for state, via, _, _ in rows} == {("accepted", "one")}


@pytest.mark.parametrize("says", [Values(temperature_c=80.0), Values(full_flag=1.0)], ids=["fire", "overflow"])
def test_what_was_refused_for_everybody_is_told_within_the_hour_in_which_it_can_be(
    says: Values, begun: Begun, said: list[Entry]
) -> None:
    """A standing P1 or P2 of which nobody could be told is not given up with its last step (L9)."""
    line = begun()
    line.providers["one"].mood = line.providers["two"].mood = "refuses"
    for seq in (1, 2):
        speak(line, seq, says)
    line.live(line.hand.at_ms + 29 * HOUR, most=900)
    waits = untold(said)
    assert {int(str((event.detail or {})["until_ms"])) - event.at_ms for event in waits} == {HOUR}
    line.providers["one"].mood = line.providers["two"].mood = "well"
    line.live(line.hand.at_ms + HOUR + 3 * MINUTE)
    assert {CLEANER, HEAD} & {taken.phone for taken in line.providers["one"].taken}
    line.live(line.hand.at_ms + 5 * HOUR)
    assert untold(said) == waits, "it was told, and is not told afresh"


def test_a_fire_that_has_cooled_before_anybody_could_be_told_is_told_all_the_same(
    begun: Begun, said: list[Entry]
) -> None:
    """It is latched: it stands until somebody has looked (T12), and nobody looks who has not heard of it."""
    line = begun()
    line.providers["one"].mood = line.providers["two"].mood = "refuses"
    speak(line, 1, Values(temperature_c=80.0))
    for seq in (2, 3):
        line.hand.at_ms += 20 * MINUTE
        speak(line, seq, Values(temperature_c=20.0))
    line.live(line.hand.at_ms + 5 * HOUR, most=900)
    assert "latched" in [event.event for entry in said for event in entry.events]
    line.providers["one"].mood = line.providers["two"].mood = "well"
    line.live(line.hand.at_ms + HOUR + 3 * MINUTE)
    assert {CLEANER, HEAD} & {taken.phone for taken in line.providers["one"].taken}


def untold(said: list[Entry]) -> list[Event]:
    """The rows that say that nobody could be told."""
    rows = (event for entry in said for event in entry.events)
    return [event for event in rows if (event.detail or {}).get("reason") == "unreached"]


def test_who_never_got_a_word_hears_of_no_end(begun: Begun, said: list[Entry]) -> None:
    """T6: the closing word goes to those who were told; who was refused for good was not."""

    def asked(message: Message) -> None:
        mood = "refuses" if message.phone == CLEANER else "well"
        line.providers["one"].mood = line.providers["two"].mood = mood

    line = begun(asked)
    for seq in (1, 2):
        speak(line, seq, Values(full_flag=1.0, distance_mm=200.0))
    line.live(line.hand.at_ms + 10 * MINUTE)
    for seq in (3, 4):
        line.hand.at_ms += 20 * MINUTE
        speak(line, seq, Values(full_flag=0.0, distance_mm=900.0))
    line.live(line.hand.at_ms + 40 * MINUTE)
    rows = [event.event for entry in said for event in entry.events if event.rule == "overflow"]
    assert "cleared" in rows
    closing = {owed.to for entry in said for owed in entry.owed if owed.kind == "cleared"}
    assert "head" in closing
    assert "cleaner" not in closing


def test_what_no_provider_took_counts_for_no_budget(begun: Begun, said: list[Entry]) -> None:
    line = begun()
    line.providers["one"].mood = line.providers["two"].mood = "refuses"
    for seq in (1, 2):
        speak(line, seq, Values(full_flag=1.0))
    line.live(line.hand.at_ms + 11 * HOUR, most=900)
    rows = [event for entry in said for event in entry.events if event.event == "held"]
    assert not [event for event in rows if (event.detail or {})["reason"] in {"daily_cap", "budget"}]
    tried = [event for entry in said for event in entry.events if event.event == "undelivered"]
    assert sum((event.detail or {})["to"] == "cleaner" for event in tried) >= 10


def test_a_refused_list_calls_the_next_person_for_what_it_told_of(begun: Begun, said: list[Entry]) -> None:
    """Its row has another subject; of what stood in it nobody is told all the same."""

    def asked(message: Message) -> None:
        mood = "refuses" if message.phone == CLEANER else "well"
        line.providers["one"].mood = line.providers["two"].mood = mood

    line = begun(asked)
    line.live(START_MS + 14 * HOUR, most=900)
    for seq in (1, 2):
        speak(line, seq, Values(full_flag=1.0))
    line.live(START_MS + 23 * HOUR + 5 * MINUTE, most=900)  # half past six
    hurried = [event for entry in said for event in entry.events if event.event == "hurried"]
    assert [(event.rule, event.detail) for event in hurried] == [("overflow", {"reason": "undelivered", "step": 1})]
    assert HEAD in {taken.phone for taken in line.providers["one"].taken}
