"""What other threads ask of the loop besides commands and ticks, and the courier's port that asks it.

Only the loop writes the journal; who wants something written posts it here and waits until it is durable.
"""

from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from alerts.answers import Receipt, Reply
from alerts.channels import Outcome
from alerts.delivery.courier import Clearance, PortUnavailable
from alerts.delivery.delivery import Due, Lapse, NextTry
from alerts.model import Event
from gateway.barrier import WORLD
from gateway.commands import NotDurable
from gateway.inbox import Inbox, Unanswered
from gateway.journal.entry import Consumer, Quarantined
from gateway.journal.reader import JournalReader
from gateway.watching.watchman import Rows
from telemetry.reading import Millis

DURABLE_WITHIN_S: Final = 30.0


class Begin(Struct, frozen=True):
    """The courier is about to try a notification; answered with a ``Clearance`` once that is durable."""

    due: Due
    at_ms: Millis


class End(Struct, frozen=True):
    """A try by a channel ended; answered with ``None`` once that is durable."""

    notification_id: int
    at_ms: Millis
    via: str
    outcome: Outcome
    step: NextTry
    event: Event | None


class Lapsed(Struct, frozen=True):
    """A receipt did not come, or was a bad one; answered with ``None`` once what follows is durable."""

    due: Due
    at_ms: Millis
    lapse: Lapse


class Heard(Struct, frozen=True):
    """What came back by telephone; answered with ``None`` once it is durable. Telling it again changes nothing."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()


class DealtWith(Struct, frozen=True):
    """A consumer has dealt with its stream up to ``position``; answered once that is durable, with what was filed."""

    consumer: Consumer
    position: int
    filed: tuple[Quarantined, ...] = ()


class Round(Struct, frozen=True):
    """The watchman's round of each minute, with what the journal's rows say."""

    rows: Rows


class Housekeep(Struct, frozen=True):
    """Time for a snapshot and one step of retention."""


def made_durable(inbox: Inbox[Any], item: object) -> object:
    """What the loop answers once it is durable; ``Unanswered`` or ``NotDurable`` where it has to be asked again."""
    answer = inbox.post(item, DURABLE_WITHIN_S)
    return answer if isinstance(answer, Unanswered) else answer.wait(DURABLE_WITHIN_S)


class JournalPort:
    """The courier's side of the journal: it reads by itself and lets the loop write. For the courier's thread alone."""

    def __init__(self, path: Path, inbox: Inbox[Any]) -> None:
        self._path = path
        self._inbox = inbox
        self._reader: JournalReader | None = None
        self._found: Due | None = None

    def due(self, now_ms: Millis) -> Due | None:
        """See ``courier.Port``."""
        try:
            if self._reader is None:
                self._reader = JournalReader.open(self._path)
            self._found = self._reader.due_notification(now_ms)
        except WORLD as trouble:
            self.close()
            raise PortUnavailable(str(trouble)) from trouble
        return self._found

    def started(self, notification_id: int, at_ms: Millis) -> Clearance:
        """See ``courier.Port``."""
        answer = self._ask(Begin(self._found_due(notification_id), at_ms))
        if not isinstance(answer, Clearance):
            raise PortUnavailable(f"the loop answered {answer!r}")
        return answer

    def ended(
        self, notification_id: int, at_ms: Millis, via: str, outcome: Outcome, step: NextTry, event: Event | None
    ) -> None:
        """See ``courier.Port``."""
        self._ask(End(notification_id, at_ms, via, outcome, step, event))

    def lapsed(self, notification_id: int, at_ms: Millis, lapse: Lapse) -> None:
        """See ``courier.Port``."""
        self._ask(Lapsed(self._found_due(notification_id), at_ms, lapse))

    def _found_due(self, notification_id: int) -> Due:
        if self._found is None or self._found.notification_id != notification_id:
            raise PortUnavailable(f"notification {notification_id} is not the one that was found due")
        return self._found

    def close(self) -> None:
        """Lets go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _ask(self, item: Begin | End | Lapsed) -> object:
        value = self._posted(item)
        if isinstance(value, Unanswered):
            raise PortUnavailable("the journal did not make it durable in time")
        if isinstance(value, NotDurable):
            raise PortUnavailable(value.reason)
        return value

    def _posted(self, item: Begin | End | Lapsed) -> object:
        return made_durable(self._inbox, item)
