"""The inbox: bounded, in order, awake exactly while something waits."""

import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.inbox import Answer, Inbox, Unanswered


@pytest.fixture
def inbox() -> Iterator[Inbox[int]]:
    opened: Inbox[int] = Inbox(capacity=3)
    yield opened
    opened.close()


def awake(inbox: Inbox[int]) -> bool:
    return bool(select.select([inbox], [], [], 0)[0])


def test_items_come_out_in_the_order_of_posting(inbox: Inbox[int]) -> None:
    for item in (1, 2, 3):
        inbox.post(item)
    assert [posted.item for posted in inbox.take()] == [1, 2, 3]


def test_it_is_awake_exactly_while_something_waits(inbox: Inbox[int]) -> None:
    assert not awake(inbox)
    inbox.post(1)
    inbox.post(2)
    assert awake(inbox)
    inbox.take(limit=1)
    assert awake(inbox)
    inbox.take()
    assert not awake(inbox)


def test_a_full_inbox_refuses_and_keeps_what_it_has(inbox: Inbox[int]) -> None:
    for item in (1, 2, 3):
        assert isinstance(inbox.post(item), Answer)
    assert inbox.post(4) is Unanswered.FULL
    assert inbox.depth == 3
    assert [posted.item for posted in inbox.take()] == [1, 2, 3]


def test_who_waits_for_room_gets_it_when_the_loop_takes(inbox: Inbox[int]) -> None:
    for item in (1, 2, 3):
        inbox.post(item)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(inbox.post, 4, 10.0)
        taken = [posted.item for posted in inbox.take()]
        assert isinstance(waiting.result(10), Answer)
    assert taken == [1, 2, 3]
    assert [posted.item for posted in inbox.take()] == [4]


def test_an_answer_is_pending_until_the_loop_resolves_it(inbox: Inbox[int]) -> None:
    answer = inbox.post(1)
    assert isinstance(answer, Answer)
    assert answer.wait(0) is Unanswered.PENDING
    inbox.take()[0].answer.resolve("durable")
    assert answer.wait(0) == "durable"


def test_waking_without_an_item_turns_the_loop_once(inbox: Inbox[int]) -> None:
    for _ in range(100_000):
        inbox.wake()
    assert awake(inbox)
    assert inbox.take() == []
    assert not awake(inbox)
