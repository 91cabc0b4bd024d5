"""The one door to the loop for everything that does not come from a broker: commands, ticks, the courier's records.

It is bounded and thread-safe, it wakes the loop's ``poll``, and it gives whoever posts an answer to wait for.
Nothing is decided here, and an answer is resolved only by the loop, after the commit.
"""

import socket
import threading
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import Any, Final, Generic, NamedTuple

from gateway.commands.command import A, Command, NotDurable

CAPACITY: Final = 4_096


class Unanswered(Enum):
    """Why there is no answer: there was no room to ask, or the loop has not committed in time."""

    FULL = "full"
    PENDING = "pending"


class Answer(Generic[A]):
    """What the loop says to one posted item; resolved once, read by as many threads as like."""

    __slots__ = ("_resolved", "_value")

    def __init__(self) -> None:
        self._resolved = threading.Event()
        self._value: A | NotDurable

    def resolve(self, value: A | NotDurable) -> None:
        """Called by the loop, after the commit that makes ``value`` true."""
        self._value = value
        self._resolved.set()

    def wait(self, timeout_s: float) -> A | NotDurable | Unanswered:
        """The loop's value, or ``Unanswered.PENDING`` when it did not come in time; it may still come."""
        return self._value if self._resolved.wait(timeout_s) else Unanswered.PENDING


class Posted(NamedTuple):
    """One item as the loop takes it, with the answer that somebody may be waiting for."""

    item: Command[Any]
    answer: Answer[Any]


class Inbox:
    """Items from any thread to the loop, in the order of posting, at most ``capacity`` of them."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._items: deque[Posted] = deque()
        self._capacity = capacity
        self._room = threading.Condition()
        self._waking, self._woken = socket.socketpair()
        self._waking.setblocking(False)  # noqa: FBT003 socket's own signature
        self._woken.setblocking(False)  # noqa: FBT003 socket's own signature

    def post(self, item: Command[A], wait_s: float = 0.0) -> Answer[A] | Unanswered:
        """Puts ``item`` at the end and wakes the loop; ``Unanswered.FULL`` when there is no room within ``wait_s``."""
        with self._room:
            if not self._room.wait_for(lambda: len(self._items) < self._capacity, wait_s):
                return Unanswered.FULL
            answer: Answer[A] = Answer()
            self._items.append(Posted(item, answer))
        self.wake()
        return answer

    def wake(self) -> None:
        """Makes ``fileno`` readable, so that the loop turns once more; asking twice is asking once."""
        with suppress(OSError):  # full: it is awake already; closed: nobody sleeps any more
            self._waking.send(b"\0")

    def fileno(self) -> int:
        """What the loop's ``poll`` watches: readable when something was posted."""
        return self._woken.fileno()

    def take(self, limit: int = 1_000) -> list[Posted]:
        """The oldest ``limit`` items; called by the loop alone. What is left keeps the loop awake."""
        try:
            while len(self._woken.recv(4_096)) == 4_096:  # noqa: PLR2004 the same number, three words to the left
                pass
        except BlockingIOError:
            pass
        with self._room:
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            left = len(self._items)
            self._room.notify_all()
        if left:
            self.wake()
        return taken

    @property
    def depth(self) -> int:
        """How many items wait."""
        return len(self._items)

    def close(self) -> None:
        """Lets go of the waker; called when the loop has ended."""
        self._waking.close()
        self._woken.close()
