"""The codes of a number's questions at their bounds; and two boxes of one number, which become one without a loss."""

import pytest
from msgspec.structs import replace

from alerts.answers import WITHIN_MS
from alerts.model import Owed
from alerts.notify.mailbox import Left, Mailbox, Question, by_number, coded, left_of
from telemetry.segments import PART, parts, units
from tests.alerts.notify.test_mailbox import CATALOGUE, NOON, text


def given_code(kept: tuple[Question, ...], episode: str = "new", at_ms: int = NOON) -> tuple[int, tuple[Question, ...]]:
    """The code of one more question, and all that a digit may answer after it."""
    _, after = coded([text(episode, at_ms=at_ms)], kept, lambda _: True, CATALOGUE, at_ms)
    return after[-1].code, after


def asked(*codes: int, at_ms: int = NOON) -> tuple[Question, ...]:
    """Questions about an episode each, which is named by its code."""
    return tuple(Question(code, at_ms, (f"e{code}",)) for code in codes)


@pytest.mark.parametrize(
    ("kept", "code"),
    [((), 1), ((3, 50, 20), 21), ((98,), 99), ((99,), 1), ((21, 22, 20), 23), ((1, 2, 99), 3)],
)
def test_a_new_question_has_the_next_code_after_the_last_that_no_other_has(kept: tuple[int, ...], code: int) -> None:
    assert given_code(asked(*kept)) == (code, (*asked(*kept), Question(code, NOON, ("new",))))


def test_of_a_hundred_questions_the_last_has_the_code_of_who_was_asked_longest_ago() -> None:
    kept = asked(*range(5, 100), *range(1, 5))
    code, after = given_code(kept[:-1])
    assert (code, len(after)) == (4, 99)
    code, after = given_code(kept)
    assert (code, after[:-1]) == (5, kept[1:])


def test_who_is_asked_again_has_the_same_code_and_was_asked_last() -> None:
    kept = asked(7, 30, 12)
    assert given_code(kept, "e30", NOON + 1) == (30, (kept[0], kept[2], Question(30, NOON + 1, ("e30",))))
    several = Question(9, NOON, ("e7", "e30"))
    (sent,), after = coded(
        [replace(text("e7"), covers=("e7", "e30"))], (several, *kept), lambda _: True, CATALOGUE, NOON
    )
    assert (sent.variables["code"], after) == ("09", (*kept, several))


def test_a_code_is_free_again_after_a_day() -> None:
    for later_ms, code, count in ((WITHIN_MS - 1, 8, 2), (WITHIN_MS, 1, 1)):
        found, after = given_code(asked(7), at_ms=NOON + later_ms)
        assert (found, len(after)) == (code, count)


def test_a_code_is_printed_while_two_questions_are_open_and_in_questions_alone() -> None:
    """One about several is open while one of them is."""
    open_ones = {"e7", "a"}
    kept = (Question(7, NOON, ("e7", "over")), *asked(8))
    leaving = [text("a"), text("c", "power_back")]
    (question, told), _ = coded(leaving, kept, open_ones.__contains__, CATALOGUE, NOON)
    assert (question.variables["code"], told) == ("09", leaving[1])
    (question, told), _ = coded(leaving, kept, {"a"}.__contains__, CATALOGUE, NOON)
    assert [question, told] == leaving


def of_several(count: int, *, covers: bool, longer: int = 0) -> Owed:
    """One text about some plants that stand still, which asks whether somebody goes there; the last has a long name."""
    names = "、".join(f"禾田{number}号污水站" for number in range(count)) + "站" * longer
    facts = {"day": "22日", "count": str(count), "names": names, "deadline_time": "16:20"}
    said = CATALOGUE.word("stopped_several", facts, segments=2)
    episodes = tuple(f"stopped/{number}/1" for number in range(count)) if covers else ()
    return replace(text("a"), text=said.text, template=said.template, variables=said.variables, covers=episodes)


def test_a_code_makes_no_text_longer_than_it_may_be() -> None:
    """What goes alone stays so; what speaks of several may take two segments, and names as many as before."""
    for message, before, after in (
        (text("a"), 1, 1),
        (of_several(2, covers=True), 1, 1),
        (of_several(4, covers=True), 1, 2),
        (of_several(4, covers=False), 1, 1),
        (of_several(8, covers=True), 2, 2),
        (of_several(8, covers=False), 2, 2),
        (of_several(20, covers=True), 2, 2),
        (of_several(8, covers=True, longer=2 * PART - units(of_several(8, covers=True).text)), 2, 2),
    ):
        (sent,), _ = coded([message], asked(7), lambda _: True, CATALOGUE, NOON)
        assert sent.variables == {**message.variables, "code": "08"}
        assert [len(parts(each.text)) for each in (message, sent)] == [before, after], message.text


def test_what_cannot_be_worded_any_more_leaves_without_a_code() -> None:
    """Its words are of an older catalogue, which named it otherwise or said less."""
    for old in (replace(text("a"), template="of_an_older_program"), replace(text("a"), variables={})):
        (sent,), _ = coded([old], asked(7), lambda _: True, CATALOGUE, NOON)
        assert sent == old


def test_two_boxes_of_one_number_become_one_with_all_that_was_in_them() -> None:
    first, second, third = text("a"), text("b", at_ms=NOON + 1), text("c", at_ms=NOON + 2)
    one = Mailbox(
        "+86 13900000003",
        pending=(first, third),
        due_ms=NOON + 9,
        reason="storm",
        left_ms=(NOON - 9, NOON - 5),
        left=(Left(NOON - 5, ("x",)),),
        cried_ms=(NOON - 3,),
        storm_ms=NOON - 3,
        listed={"noon": 1, "week": 1},
        outages=("o", "p"),
        over_ms=(NOON - 5,),
    )
    other = Mailbox(
        "13900000003",
        pending=(second,),
        due_ms=NOON + 8,
        reason="grouped",
        left_ms=(NOON - 7,),
        left=(Left(NOON - 7, ("y",), key="k"),),
        cried_ms=(NOON - 4,),
        storm_ms=NOON - 4,
        listed={"noon": 2},
        outages=("p", "q"),
        questions=asked(7),
        over_ms=(NOON - 7,),
    )
    alone = Mailbox("13900000004")
    joined, beside = by_number([one, other, alone])
    assert beside == alone
    assert joined == Mailbox(
        "13900000003",
        pending=(first, second, third),
        due_ms=NOON + 8,
        reason="grouped",
        left_ms=(NOON - 9, NOON - 7, NOON - 5),
        left=(Left(NOON - 9, ()), Left(NOON - 7, ("y",), key="k"), Left(NOON - 5, ("x",))),
        cried_ms=(NOON - 4, NOON - 3),
        storm_ms=NOON - 4,
        listed={"noon": 2, "week": 1},
        outages=("o", "p", "q"),
        questions=asked(7),
        over_ms=(NOON - 7, NOON - 5),
    )
    (turned,) = by_number([replace(other, phone="008613900000003"), one])
    assert (turned.questions, turned.listed) == (asked(7), {"noon": 1, "week": 1})


def test_a_box_in_which_nothing_waits_or_storms_says_neither_when_nor_since_when() -> None:
    empty, full = Mailbox("1"), Mailbox("1", due_ms=NOON, reason="budget", storm_ms=NOON)
    assert by_number([empty, empty]) == [Mailbox("1", due_ms=0, storm_ms=0)]
    assert by_number([empty, full]) == by_number([full, empty]) == [full]


def test_two_hundred_texts_of_a_day_are_remembered_the_last_of_them() -> None:
    boxes = [
        Mailbox("1", left_ms=tuple(range(first, 300, 2)), left=tuple(Left(at, ("x",)) for at in range(first, 300, 2)))
        for first in (0, 1)
    ]
    (box,) = by_number(boxes)
    assert box.left_ms == tuple(range(100, 300))
    assert [each.at_ms for each in box.left] == list(box.left_ms)


def test_of_a_text_nothing_is_said_but_what_is_known() -> None:
    """One that is not known otherwise tells of its asset and counts; of which an older program sent, none is known."""
    assert Left(NOON, ("x",)) == Left(NOON, ("x",), counts=True, tells=True, key="")
    known = Left(NOON, ("x",), counts=False)
    assert left_of(Mailbox("1", left_ms=(1, 2, NOON), left=(known,))) == (Left(1, ()), Left(2, ()), known)


def test_what_left_above_a_budget_counts_from_midnight_on() -> None:
    assert Mailbox("1", over_ms=(NOON - 1, NOON, NOON + 1)).over_since(NOON) == (NOON, NOON + 1)
