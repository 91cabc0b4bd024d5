"""Fakes for tests: parts that keep what they were given in lists, so that a test can look. No patching anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from alerts.answers import Asked
from alerts.channels import Accepted, Failed, Message, Outcome, SendRefused
from alerts.delivery.courier import Clearance, PortUnavailable
from alerts.delivery.delivery import Due, DueState, Lapse, NextTry
from alerts.model import Event
from telemetry.reading import Millis


class Crash(BaseException):
    """The process dies here: nothing in the house may catch it."""


@dataclass
class ListPort:
    """A journal of notifications in a dictionary, durable at once. The process dies where ``dies_at`` says."""

    rows: dict[int, Due] = field(default_factory=dict)
    wanted_ms: dict[int, Millis] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome, Millis | None]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    lapses: list[Lapse] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    awaits_receipts: bool = False
    is_unavailable: bool = False
    dies_at: str = ""

    def add(self, due: Due) -> None:
        self.rows[due.notification_id] = due

    def due(self, now_ms: Millis) -> Due | None:
        self._reach("due")
        ready = [
            row
            for row in self.rows.values()
            if row.standing is DueState.SENDING or self.wanted_ms.get(row.notification_id, 0) <= now_ms
        ]
        return min(ready, key=lambda row: (row.owed.severity, row.notification_id), default=None)

    def started(self, notification_id: int, at_ms: Millis) -> Clearance:
        _ = at_ms
        self._reach("before started")
        self.calls.append(("started", notification_id))
        if notification_id in self.withdrawn:
            del self.rows[notification_id]
            return Clearance.NO_LONGER_OWED
        row = self.rows[notification_id]
        self.rows[notification_id] = replace(row, standing=DueState.SENDING, attempts=row.attempts + 1)
        self._reach("after started")
        return Clearance.GRANTED

    def ended(
        self, notification_id: int, at_ms: Millis, via: str, outcome: Outcome, step: NextTry, event: Event | None
    ) -> None:
        next_attempt_ms = step.next_attempt_ms
        row = self.rows[notification_id]
        self._reach("before ended")
        self.calls.append(("ended", notification_id))
        self.outcomes.append((notification_id, outcome, next_attempt_ms))
        if event is not None:
            self.events.append(event)
        self.ways.append(via)
        if isinstance(outcome, SendRefused):
            row = replace(row, refused=row.refused | {via})
        if step.receipt_due_ms is not None and self.awaits_receipts:
            self.rows[notification_id] = replace(row, standing=DueState.ACCEPTED, via=via, accepted_ms=at_ms)
            self.wanted_ms[notification_id] = step.receipt_due_ms
        elif not isinstance(outcome, Accepted) and next_attempt_ms is not None:
            unsure = via if outcome == Failed("timeout") else ""
            self.rows[notification_id] = replace(row, standing=DueState.OWED, via=step.via, unsure=unsure)
            self.wanted_ms[notification_id] = next_attempt_ms
        else:
            del self.rows[notification_id]
        self._reach("after ended")

    def lapsed(self, notification_id: int, at_ms: Millis, lapse: Lapse) -> None:
        self.calls.append(("lapsed", notification_id))
        self.lapses.append(lapse)
        self.events += lapse.events
        row = self.rows.pop(notification_id)
        if lapse.via:
            self.rows[notification_id] = replace(row, standing=DueState.OWED, via=lapse.via, reason="")
            self.wanted_ms[notification_id] = at_ms
        elif lapse.receipt_due_ms is not None:
            self.rows[notification_id] = row
            self.wanted_ms[notification_id] = lapse.receipt_due_ms

    def _reach(self, point: str) -> None:
        if self.is_unavailable:
            raise PortUnavailable("the disk is full")
        if self.dies_at == point:
            self.dies_at = ""
            raise Crash


@dataclass
class RecordingChannel:
    """A provider that answers what ``answer`` says, keeps every message, and knows the keys it accepted."""

    answer: Callable[[Message], Outcome] = lambda _message: Accepted("ref")
    sent: list[Message] = field(default_factory=list)
    accepted: dict[str, Accepted] = field(default_factory=dict)

    def send(self, message: Message) -> Outcome:
        self.sent.append(message)
        outcome = self.answer(message)
        if isinstance(outcome, Accepted):
            self.accepted[message.key] = outcome
        return outcome

    def find(self, message: Message) -> Accepted | None:
        return self.accepted.get(message.key)


class Silence:
    """A journal that remembers nothing of anybody."""

    def is_answered(self, channel: str, number: str) -> bool:
        _ = channel, number
        return False

    def told(self, phone: str, since_ms: int) -> list[Asked]:
        _ = phone, since_ms
        return []

    def ended(self, episode: str) -> tuple[str, int] | None:
        _ = episode
        return None

    def phone_of(self, channel: str, reference: str) -> str:
        _ = channel, reference
        return ""

    def phone_of_notification(self, notification_id: int) -> str:
        _ = notification_id
        return ""

    def untold(self, phone: str, since_ms: int) -> int:
        _ = phone, since_ms
        return 0

    def reached(self, phone: str, since_ms: int) -> bool:
        _ = phone, since_ms
        return False

    def hears_back(self, channel: str, since_ms: int) -> bool:
        _ = channel, since_ms
        return False
