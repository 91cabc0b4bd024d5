"""Who waits to be called back: one a number, the longest first; known people always, strangers within a bound."""

import pytest

from alerts.answers import MOST_STRANGERS, Caller, Callers
from alerts.undo import UndoLog


def caller(number: int, person: str = "", since_ms: int = 0) -> Caller:
    return Caller(id=f"sms:{number}", phone=f"1390000{number:04}", since_ms=since_ms or number, person=person)


def test_whoever_asks_again_waits_since_the_first_time_and_about_the_newest_matter() -> None:
    waiting = Callers()
    waiting.ask(caller(2))
    waiting.ask(caller(1))
    again = Caller(id="sms:9", phone=caller(2).phone, since_ms=9, episode="overflow/pool/1")
    assert waiting.ask(again)
    assert [(each.id, each.since_ms, each.times, each.episode) for each in waiting.list_waiting()] == [
        ("sms:1", 1, 1, ""),
        ("sms:2", 2, 2, "overflow/pool/1"),
    ]
    assert waiting.call("sms:9") is None, "one number is one caller"
    assert waiting.call("sms:2") is not None
    assert waiting.call("sms:2") is None
    restored = Callers()
    restored.restore(waiting.list_waiting())
    assert restored.list_waiting() == waiting.list_waiting() == (caller(1),)


@pytest.mark.parametrize(("person", "is_taken"), [("", False), ("mei", True)])
def test_strangers_never_keep_a_known_person_out(person: str, is_taken: bool) -> None:  # noqa: FBT001 -- of the table
    waiting = Callers()
    for number in range(MOST_STRANGERS):
        assert waiting.ask(caller(number + 1))
    assert waiting.ask(caller(9_000, person)) is is_taken
    assert len(waiting.list_waiting()) == MOST_STRANGERS + is_taken


def test_what_is_taken_back_never_waited_and_never_was_called() -> None:
    undo = UndoLog()
    waiting = Callers(undo)
    waiting.ask(caller(1))
    savepoint = undo.savepoint()
    waiting.ask(caller(2))
    assert waiting.call("sms:1") is not None
    undo.rollback(savepoint)
    undo.release()
    assert waiting.list_waiting() == (caller(1),)
