"""The inbox: bounded, in order, awake exactly while something waits."""

import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.commands.command import Command, Context
from gateway.inbox import Answer, Inbox, Unanswered


class Number(Command[str], frozen=True):
    """A command that nobody does here."""

    number: int

    def do(self, context: Context, now_ms: int) -> str:
        raise NotImplementedError


ONE, TWO, THREE, FOUR = (Number(number) for number in (1, 2, 3, 4))


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    opened: Inbox = Inbox(capacity=3)
    yield opened
    opened.close()


def awake(inbox: Inbox) -> bool:
    return bool(select.select([inbox], [], [], 0)[0])


def test_items_come_out_in_the_order_of_posting(inbox: Inbox) -> None:
    for item in (ONE, TWO, THREE):
        inbox.post(item)
    assert [posted.item for posted in inbox.take()] == [ONE, TWO, THREE]


def test_it_is_awake_exactly_while_something_waits(inbox: Inbox) -> None:
    assert not awake(inbox)
    inbox.post(ONE)
    inbox.post(TWO)
    assert awake(inbox)
    inbox.take(limit=1)
    assert awake(inbox)
    inbox.take()
    assert not awake(inbox)


def test_a_full_inbox_refuses_and_keeps_what_it_has(inbox: Inbox) -> None:
    for item in (ONE, TWO, THREE):
        assert isinstance(inbox.post(item), Answer)
    assert inbox.post(FOUR) is Unanswered.FULL
    assert inbox.depth == 3
    assert [posted.item for posted in inbox.take()] == [ONE, TWO, THREE]


def test_who_waits_for_room_gets_it_when_the_loop_takes(inbox: Inbox) -> None:
    for item in (ONE, TWO, THREE):
        inbox.post(item)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(inbox.post, FOUR, 10.0)
        taken = [posted.item for posted in inbox.take()]
        assert isinstance(waiting.result(10), Answer)
    assert taken == [ONE, TWO, THREE]
    assert [posted.item for posted in inbox.take()] == [FOUR]


def test_an_answer_is_pending_until_the_loop_resolves_it(inbox: Inbox) -> None:
    answer = inbox.post(ONE)
    assert isinstance(answer, Answer)
    assert answer.wait(0) is Unanswered.PENDING
    inbox.take()[0].answer.resolve("durable")
    assert answer.wait(0) == "durable"


def test_waking_without_an_item_turns_the_loop_once(inbox: Inbox) -> None:
    for _ in range(100_000):
        inbox.wake()
    assert awake(inbox)
    assert inbox.take() == []
    assert not awake(inbox)
