"""Absences: who is told instead, what cannot be, who hears of a 2, and that nothing waits for somebody who is away."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers import Meaning
from alerts.model import Event, Owed, Refused
from alerts.notify.replies import StandingIn
from alerts.operations.absences import LONGEST_MS, Absence, Absences
from gateway import start
from gateway.commands.absences import AbsenceDone, EndAbsence, RecordAbsence
from gateway.commands.command import NotPossible, UnknownPerson
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from tests.acting import context, do
from tests.scenario_file import read
from tests.scenario_run import ListJournal, policy_files

COUNTY = read("absent").inventory
HOUR: Millis = 3_600_000
NOON: Millis = 1_795_406_400_000  # 12:00 there
PEOPLE = sorted(COUNTY.people)


def made(inventory: Inventory = COUNTY) -> Absences:
    return Absences(inventory)


def absence(person: str, stand_in: str, from_ms: Millis = NOON, hours: float = 24) -> Absence:
    return Absence(id="", person=person, stand_in=stand_in, from_ms=from_ms, until_ms=from_ms + round(hours * HOUR))


def test_texts_go_along_the_line_of_stand_ins_to_the_first_who_is_there() -> None:
    absences = made()
    assert isinstance(absences.add(absence("cleaner-li", "cleaner-zhou"), NOON), Absence)
    assert isinstance(absences.add(absence("cleaner-zhou", "driver-tang", NOON + HOUR, 2), NOON), Absence)
    asked = [absences.instead("cleaner-li", NOON + round(hours * HOUR)) for hours in (-1, 0, 1, 2.9, 3, 23.9, 24)]
    li, zhou, tang = "cleaner-li", "cleaner-zhou", "driver-tang"
    assert asked == [li, zhou, tang, tang, zhou, zhou, li]


@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.integers(0, 48), st.integers(1, 48)), max_size=20
    ),
    st.sampled_from(PEOPLE),
    st.integers(0, 99),
)
def test_there_is_always_somebody_to_tell(wishes: list[tuple[str, str, int, int]], person: str, hour: int) -> None:
    """Who is told is there, or it is they themselves, for nobody else is; whoever is there is told in person."""
    absences = made()
    for who, stand_in, begins, lasts in wishes:
        absences.add(absence(who, stand_in, NOON + begins * HOUR, lasts), NOON)
    at_ms = NOON + hour * HOUR
    told = absences.instead(person, at_ms)
    assert told == person or absences.of(told, at_ms) is None
    assert (told == person) or absences.of(person, at_ms) is not None
    kept = absences.list_current(at_ms)
    again = made()
    again.restore(kept)
    assert again.instead(person, at_ms) == told


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (absence("cleaner-li", "cleaner-zhou", hours=0), "ends after it begins"),
        (absence("cleaner-li", "cleaner-zhou", NOON - 9 * HOUR, 3), "not in the past"),
        (absence("cleaner-li", "cleaner-zhou", hours=LONGEST_MS / HOUR + 1), "at most"),
        (absence("cleaner-li", ""), "has no stand-in"),
        (absence("cleaner-li", "nobody"), "no person nobody"),
        (absence("cleaner-li", "cleaner-li"), "cannot stand in"),
    ],
)
def test_what_cannot_be_is_said_with_its_remedy_and_changes_nothing(wish: Absence, says: str) -> None:
    absences = made()
    refusal = absences.add(wish, NOON)
    assert isinstance(refusal, Refused)
    assert says in refusal.sentence
    assert absences.list_current(0) == ()


def test_nobody_is_away_twice_at_once_nor_stands_in_for_who_stands_in_for_them() -> None:
    absences = made()
    absences.add(absence("cleaner-li", "cleaner-zhou"), NOON)
    for wish in (absence("cleaner-li", "driver-tang", NOON + HOUR), absence("cleaner-zhou", "cleaner-li", NOON + HOUR)):
        assert isinstance(absences.add(wish, NOON), Refused)
    assert len(absences.list_current(NOON)) == 1
    assert isinstance(absences.end("absence/cleaner-li/never", NOON), Refused)


def test_a_village_whose_people_are_away_with_nobody_instead_has_nobody() -> None:
    people = {**COUNTY.people, "cleaner-xin": replace(COUNTY.people["cleaner-xin"], duties=())}
    absences = made(replace(COUNTY, people=people))
    assert absences.uncovered(NOON) == ("xinhe",)
    absences.add(absence("cleaner-zhou", "driver-tang"), NOON)
    assert absences.uncovered(NOON) == ("xinhe",)
    absences.add(absence("driver-tang", "cleaner-xin"), NOON)
    absences.add(absence("cleaner-xin", "cleaner-zhou"), NOON)
    assert "huaqiao" in absences.uncovered(NOON)


def pipeline() -> Pipeline:
    made = start.anew(COUNTY, policy_files(), Memory(), NOON)
    made.county.listen(NOON, None, made.changes, started=True)
    return made


AWAY = RecordAbsence(
    person="cleaner-li", from_ms=NOON, until_ms=NOON + 24 * HOUR, by="dispatch-wu", stand_in="cleaner-zhou"
)


def test_it_outlasts_a_restart_and_asks_nobody_twice() -> None:
    first, journal = pipeline(), ListJournal()
    done = do(AWAY, first, NOON)
    assert isinstance(done, AbsenceDone)
    first.advance(NOON + HOUR)
    entry, _ = first.finish()
    assert [owed.to for owed in entry.owed] == ["cleaner-zhou"]
    journal.commit(entry)
    second = start.resumed(COUNTY, policy_files(), Memory(), journal.restored(), NOON + HOUR)
    second.county.listen(NOON + HOUR, None, second.changes, started=True)
    second.advance(NOON + 2 * HOUR)
    assert second.absences.list_current(NOON + HOUR) == (done.absence,)
    assert not [said for said in second.changes.log if isinstance(said, Owed)]
    ended = do(EndAbsence(absence=done.absence.id, by="dispatch-wu"), second, NOON + HOUR)
    assert isinstance(ended, AbsenceDone)
    journal.commit(second.finish()[0])
    third = start.resumed(COUNTY, policy_files(), Memory(), journal.restored(), NOON + HOUR)
    assert third.absences.list_current(0) == ()


def test_strangers_and_what_cannot_be_write_nothing() -> None:
    line = pipeline()
    line.finish()
    assert isinstance(do(EndAbsence(absence="absence/x/1", by="dispatch-wu"), line, NOON), NotPossible)
    unknown = RecordAbsence(person="nobody", from_ms=NOON, until_ms=NOON + HOUR, by="dispatch-wu")
    assert isinstance(do(unknown, line, NOON), UnknownPerson)
    assert line.finish()[0].is_empty


def test_a_two_is_told_to_the_dispatchers_and_a_one_to_nobody() -> None:
    line = pipeline()
    done = do(AWAY, line, NOON)
    assert isinstance(done, AbsenceDone)
    writer = StandingIn(line.county.message_writer)
    said = writer.hear_answer(done.absence, "cleaner-zhou", Meaning.DONE, NOON, line.absences)
    assert [type(each) for each in said] == [Event]
    row, told = writer.hear_answer(done.absence, "cleaner-zhou", Meaning.DECLINED, NOON, line.absences)
    assert isinstance(row, Event)
    assert isinstance(told, Owed)
    assert (row.event, told.to) == ("declined", "dispatch-wu")
    assert told.text == "【湘阳环卫】23日周师傅回复不能替李大姐代管（23日到24日请假）。请另外安排人。"


def test_nobody_is_told_of_their_own_refusal_to_stand_in_for_the_dispatcher() -> None:
    line = pipeline()
    wish = RecordAbsence(
        person="dispatch-wu", stand_in="cleaner-zhou", from_ms=NOON, until_ms=NOON + HOUR, by="dispatch-wu"
    )
    done = do(wish, line, NOON)
    assert isinstance(done, AbsenceDone)
    said = StandingIn(line.county.message_writer).hear_answer(
        done.absence, "cleaner-zhou", Meaning.DECLINED, NOON, line.absences
    )
    assert [type(each) for each in said] == [Event]


def test_who_stands_in_is_not_woken_for_it() -> None:
    line = pipeline()
    night_ms = NOON + 10 * HOUR  # 22:00
    wish = RecordAbsence(
        person=AWAY.person, stand_in=AWAY.stand_in, from_ms=night_ms, until_ms=night_ms + 30 * HOUR, by=AWAY.by
    )
    assert isinstance(do(wish, line, night_ms), AbsenceDone)
    line.advance(night_ms)
    (text,) = (said for said in line.list_said() if isinstance(said, Owed))
    assert text.not_before_ms == NOON + 18 * HOUR + HOUR // 2


def test_what_was_held_for_somebody_who_is_away_by_then_goes_to_who_stands_in() -> None:
    line = pipeline()
    county = line.county
    at_ms = NOON + 10 * HOUR  # 22:00: held
    text = StandingIn(county.message_writer).asked(absence("cleaner-zhou", "cleaner-li"), at_ms, at_ms)
    county.post([text], line.changes)
    AWAY.act(context(line), NOON + 10 * HOUR)
    line.finish()
    line.advance(NOON + 19 * HOUR)
    told = [said.to for said in line.list_said() if isinstance(said, Owed)]
    moved = [said.event for said in line.list_said() if isinstance(said, Event) and said.event == "absent"]
    assert "cleaner-li" not in told
    assert told.count("cleaner-zhou") == 2, "his own and the one that waited, each for itself"
    assert moved == ["absent"]
