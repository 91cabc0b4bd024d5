"""What is still owed is addressed anew when it leaves, and who comes into a role hears what stands (alerting.md §4)."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.answers import reply
from alerts.model import Owed
from alerts.notify.lists import LIST
from alerts.notify.replies import LIST_TO_DISPATCHER
from alerts.notify.replies import TO_DISPATCHER as DECLINED
from gateway.commands.absences import EndAbsence, RecordAbsence
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.journal.reader import JournalReader
from telemetry.inventory import Inventory, Person
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE
from tests.told_day import MORNING, Day


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path / "journal.db")
    yield made
    made.line.close()


def with_people(*others: Person, without: str = "") -> Inventory:
    people = {name: replace(person, stand_in=None) for name, person in COUNTY.people.items() if name != without}
    return replace(COUNTY, people=people | {person.id: person for person in others})


NEWCOMER = replace(COUNTY.people["cleaner"], id="newcomer", name="赵大姐", phone="13900000009", stand_in=None)


def test_a_new_cleaner_hears_once_of_what_stands(day: Day) -> None:
    day.overflow()
    assert day.texts("cleaner") == ["first"]
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.texts("newcomer") == ["fresh"]
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 110 * MINUTE)
    assert day.texts("newcomer") == ["fresh"]


def test_one_text_tells_a_new_cleaner_of_all_that_stands(day: Day) -> None:
    day.overflow("s-pool")
    day.overflow("s-road")
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 100 * MINUTE)
    assert len([each for each in day.said if isinstance(each, Owed) and each.to == "newcomer"]) == 1


def test_a_restart_tells_nobody_who_held_the_role_before(day: Day) -> None:
    day.overflow()
    day.restart()
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.texts("cleaner") == ["first"]
    assert day.texts("shared") == []


def test_by_night_a_new_cleaner_sleeps(day: Day) -> None:
    day.line.live(MORNING + 11 * HOUR)
    day.overflow()
    day.line.live(MORNING + 14 * HOUR)
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 22 * HOUR)
    assert [each for each in day.said if isinstance(each, Owed) and each.to == "newcomer"] == []
    day.pass_until(MORNING + 24 * HOUR)
    (text,) = [each for each in day.said if isinstance(each, Owed) and each.to == "newcomer"]
    assert (text.at_ms, text.rule) == (MORNING + 23 * HOUR, LIST)  # it speaks of what the fresh one would
    (folded,) = [row for row in day.rows("folded") if row.detail and row.detail["person"] == "newcomer"]
    assert folded.rule == "overflow"


def test_while_somebody_who_is_there_has_seen_to_it_nobody_new_is_told(day: Day) -> None:
    day.overflow()
    episode = next(iter(day.line.pipeline.county.alerts))
    day.line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="office", channel="desk"))
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.texts("newcomer") == []


def test_when_whoever_had_seen_to_it_left_the_new_one_is_told(day: Day) -> None:
    day.overflow()
    episode = next(iter(day.line.pipeline.county.alerts))
    day.line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="cleaner", channel="sms"))
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.texts("newcomer") == ["fresh"]
    assert [row.detail and row.detail["reason"] for row in day.rows("ack_expired")] == ["person_left"]


def test_who_sees_to_it_while_away_has_seen_to_it(day: Day) -> None:
    """A start takes nobody's word back (storm 5066); who goes away after their word is another matter."""
    day.overflow()
    episode, now_ms = next(iter(day.line.pipeline.county.alerts)), day.hand.at_ms
    day.line.order(
        RecordAbsence(person="office", stand_in="crew", from_ms=now_ms, until_ms=now_ms + DAY, reason="", by="head")
    )
    day.line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="office", channel="desk"))
    day.restart()
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.rows("ack_expired") == []


def test_who_has_no_telephone_has_not_left(day: Day) -> None:
    people = {**COUNTY.people, "office": replace(COUNTY.people["office"], phone="")}
    day.restart(replace(COUNTY, people=people))
    day.overflow()
    episode = next(iter(day.line.pipeline.county.alerts))
    day.line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="office", channel="desk"))
    day.restart(replace(COUNTY, people=people))
    day.pass_until(MORNING + 90 * MINUTE)
    assert day.rows("ack_expired") == []


def test_who_goes_away_after_their_word_has_left(day: Day) -> None:
    day.overflow()
    episode, now_ms = next(iter(day.line.pipeline.county.alerts)), day.hand.at_ms
    day.line.order(EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by="office", channel="desk"))
    begins_ms = now_ms + 30 * MINUTE
    away = RecordAbsence(
        person="office", stand_in="crew", from_ms=begins_ms, until_ms=begins_ms + DAY, reason="", by="head"
    )
    day.line.order(away)
    day.pass_until(begins_ms + 5 * MINUTE)
    assert [row.detail and row.detail["reason"] for row in day.rows("ack_expired")] == ["person_left"]


def test_who_stands_in_hears_what_stands_when_the_absence_begins(day: Day) -> None:
    day.overflow()
    begins_ms = day.hand.at_ms + 30 * MINUTE
    away = RecordAbsence(
        person="cleaner", stand_in="crew", from_ms=begins_ms, until_ms=begins_ms + DAY, reason="", by="office"
    )
    day.line.order(away)
    day.pass_until(begins_ms - MINUTE)
    assert day.texts("crew") == []
    day.pass_until(begins_ms + 10 * MINUTE)
    assert day.texts("crew") == ["fresh"]


def test_who_stands_in_since_the_machine_slept_hears_what_stands(day: Day) -> None:
    """An absence that begins while nobody does anything is told afterwards, and not by the next start (storm 5216)."""
    day.overflow()
    day.pass_until(day.hand.at_ms + 10 * MINUTE)
    begins_ms = day.hand.at_ms + HOUR
    away = RecordAbsence(
        person="cleaner", stand_in="crew", from_ms=begins_ms, until_ms=begins_ms + DAY, reason="", by="office"
    )
    day.line.order(away)
    day.hand.passed_s += 2 * HOUR / 1_000
    day.hand.at_ms += 2 * HOUR
    day.line.leap(day.hand.at_ms)
    day.pass_until(day.hand.at_ms + 40 * MINUTE)
    assert day.texts("crew") == ["fresh"]


def test_who_comes_back_early_knew_already(day: Day) -> None:
    day.overflow()
    now_ms = day.hand.at_ms
    away = RecordAbsence(
        person="cleaner", stand_in="crew", from_ms=now_ms, until_ms=now_ms + DAY, reason="", by="office"
    )
    day.line.order(away)
    day.line.order(EndAbsence(absence=day.line.pipeline.absences.list_current(now_ms)[0].id, by="office"))
    day.pass_until(now_ms + 30 * MINUTE)
    assert day.texts("cleaner") == ["first"]


def test_a_number_that_was_put_right_gets_what_waited_for_the_provider(day: Day) -> None:
    day.mood("is away")
    day.overflow()
    corrected = replace(COUNTY.people["cleaner"], phone="13900000088")
    day.restart(replace(COUNTY, people={**COUNTY.people, "cleaner": corrected}))
    day.mood("promises nothing")
    day.pass_until(MORNING + 60 * MINUTE)
    assert len(day.taken("13900000088")) == 1
    assert day.taken("13900000001") == []


def test_what_waited_for_somebody_who_left_goes_to_who_came(day: Day) -> None:
    day.mood("is away")
    day.overflow()
    day.restart(with_people(NEWCOMER, without="cleaner"))
    day.mood("promises nothing")
    day.pass_until(MORNING + 90 * MINUTE)
    assert len(day.taken("13900000009")) == 1
    assert day.taken("13900000001") == []


def test_the_list_of_a_day_that_is_over_is_not_sent_the_morning_after(day: Day, tmp_path: Path) -> None:
    day.overflow()
    day.mood("is away")
    day.pass_until(MORNING + 26 * HOUR)
    lists = [each.key for each in day.said if isinstance(each, Owed) and (each.rule, each.to) == (LIST, "cleaner")]
    assert len(lists) == 1, "of the second morning; the first began with it empty"
    day.pass_until(MORNING + 40 * HOUR)
    day.mood("promises nothing")
    day.pass_until(MORNING + 50 * HOUR)
    taken = [each.key for provider in day.line.providers.values() for each in provider.taken if each.key in lists]
    assert taken == []
    with closing(JournalReader.open(tmp_path / "journal.db")) as reader:
        assert reader.state_of(lists[0]) == ("dropped", "one", "outdated")


def test_who_cannot_go_and_stands_in_for_the_office_is_not_told_that_the_office_knows(day: Day) -> None:
    now_ms = day.hand.at_ms
    away = RecordAbsence(
        person="office", stand_in="crew", from_ms=now_ms, until_ms=now_ms + DAY, reason="", by="office"
    )
    day.line.order(away)
    for _ in range(2):
        day.line.live(day.hand.at_ms + 10 * MINUTE)
        day.sample("m-works", level_mm=1450.0)
    day.line.live(day.hand.at_ms + 10 * MINUTE)
    day.line.hear(replies=[reply("one", "1", COUNTY.people["crew"].phone, "2", day.hand.at_ms)])
    notices = [
        each for each in day.said if isinstance(each, Owed) and each.rule == "level_high" and each.kind == "notice"
    ]
    assert [(each.to, each.text) for each in notices] == [("crew", "【湘阳环卫】收到，23日柳潭站您去不了，已记下。")]


def test_the_office_hears_of_each_who_declines_the_same_list(day: Day) -> None:
    list_ms = MORNING + 23 * HOUR
    people = {**COUNTY.people, "cleaner": replace(COUNTY.people["cleaner"], stand_in="crew")}
    day.restart(replace(COUNTY, people=people))
    for device in ("s-pool", "s-road"):
        day.overflow(device)
    day.pass_until(list_ms + 40 * MINUTE)
    for number, person in enumerate(("cleaner", "crew")):
        day.line.hear(replies=[reply("one", str(number), COUNTY.people[person].phone, "2", day.hand.at_ms)])
        day.pass_until(day.hand.at_ms + 40 * MINUTE)
    told = [each for each in day.said if isinstance(each, Owed) and each.template == LIST_TO_DISPATCHER]
    assert [each.to for each in told] == ["office", "office"]
    assert [each.variables["person"] for each in told] == ["李大姐", "陈工"]
    assert len(set(day.taken(COUNTY.people["office"].phone)) & {each.key for each in told}) == 2


def test_who_declines_after_an_import_is_taken_for_nobody_else(day: Day) -> None:
    people = {**COUNTY.people, "cleaner": replace(COUNTY.people["cleaner"], stand_in="crew")}
    day.restart(replace(COUNTY, people=people))
    day.overflow()
    day.pass_until(day.hand.at_ms + 10 * MINUTE)
    day.line.hear(replies=[reply("one", "1", people["cleaner"].phone, "2", day.hand.at_ms)])
    day.pass_until(day.hand.at_ms + 10 * MINUTE)
    day.restart(replace(COUNTY, people={"crew": people["crew"], **people}))  # the rows of the file in another order
    day.line.hear(replies=[reply("one", "2", people["crew"].phone, "2", day.hand.at_ms)])
    day.pass_until(day.hand.at_ms + 20 * MINUTE)
    texts = [each for each in day.said if isinstance(each, Owed) and each.template == DECLINED]
    told = {each.key: each.variables["person"] for each in texts}
    assert list(told.values()) == ["李大姐", "陈工"]
