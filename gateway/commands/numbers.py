"""Numbers that texts do not reach: each is a matter for the dispatcher and the ledger until a text arrives there again.

On the loop's thread, inside its transaction. When a text counts as lost is ``alerts.delivery.lapses``; whom
it concerns is ``config/escalation.yaml``.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from alerts.alert import Alert
from alerts.answers import Receipt
from alerts.calendars import HOUR_MS
from alerts.channels import Accepted, Outcome, SendRefused
from alerts.delivery.delivery import NO_RECEIPT, Due, Lapse, is_lost
from alerts.episodes.decide import Trouble
from alerts.model import Event
from gateway.pipeline import Pipeline
from telemetry.inventory import Person
from telemetry.phone import is_same
from telemetry.reading import Millis

DEAD: Final = "number_dead"


class NumberRecord(Protocol):
    """What the journal knows of texts to a number."""

    def phone_of(self, channel: str, reference: str) -> str:
        """The number of a text that the channel took under this reference and that has not arrived yet; or nothing."""

    def phone_of_notification(self, notification_id: int) -> str:
        """The number of a notification."""

    def untold(self, phone: str, since_ms: Millis) -> int:
        """How many texts to a number since then have not arrived."""

    def reached(self, phone: str, since_ms: Millis) -> bool:
        """Whether any text arrived at a number since then."""

    def hears_back(self, channel: str, since_ms: Millis) -> bool:
        """Whether any text of a channel was told to have arrived since then."""


class UnreachableNumbers:
    """Opens and closes such matters; the county keeps them, so that a restart changes nothing."""

    def __init__(self, pipeline: Pipeline, line: NumberRecord) -> None:
        self._pipeline = pipeline
        self._line = line

    def lapsed(self, due: Due, decided: Lapse, now_ms: Millis) -> None:
        """A text was given up for lost. Where a channel gives receipts to nobody, no number is to blame.

        Nor is one where another text has arrived meanwhile.
        """
        silent, line = due.reason in ("", NO_RECEIPT), self._line
        if not is_lost(due, decided) or line.reached(due.owed.phone, due.accepted_ms):
            return
        if not silent or line.hears_back(due.via, due.accepted_ms):
            hours = (now_ms - due.accepted_ms) // HOUR_MS if silent else 0
            self._open(due.owed.to, due.owed.phone, due.reason or NO_RECEIPT, hours, now_ms)

    def ended(self, notification_id: int, outcome: Outcome, event: Event | None, at_ms: Millis) -> None:
        """A try ended: the number was refused for good by the last that was asked, or the text arrived at once."""
        match outcome:
            case SendRefused(reason, dead_number=True) if event is not None:
                said = event.detail or {}
                self._open(str(said.get("to", "")), str(said.get("phone", "")), reason, 0, at_ms)
            case Accepted(delivered=True) if any(self._standing()):
                self._arrived(self._line.phone_of_notification(notification_id), at_ms)

    def receipts(self, said: tuple[Receipt, ...], now_ms: Millis) -> None:
        """Texts that arrived; a receipt told again says nothing new."""
        if any(self._standing()):
            for each in said:
                if each.delivered:
                    self._arrived(self._line.phone_of(each.channel, each.reference), now_ms)

    def look(self, now_ms: Millis) -> None:
        """Each minute: a number that nobody has any more, since it was corrected, is no matter any more."""
        inventory = self._pipeline.inventory
        for alert in list(self._standing()):
            if not is_same(inventory.phone_of.get(alert.subject, ""), str(alert.detail.get("phone"))):
                self._tell(Trouble(DEAD, alert.subject), now_ms)

    def _open(self, to: str, phone: str, reason: str, hours: int, now_ms: Millis) -> None:
        person = self._owner(to, phone)
        if person is None:
            return  # a stranger's number, or one that was corrected meanwhile
        count = self._line.untold(phone, self._pipeline.calendar.midnight(now_ms))
        area = next((duty.area for duty in person.duties if duty.area), "")
        self._tell(
            Trouble(
                DEAD,
                person.id,
                reason,
                {"person": person.name, "phone": phone, "area": area, "hours": hours, "count": count},
            ),
            now_ms,
        )

    def _owner(self, to: str, phone: str) -> Person | None:
        """Whose telephone it is: of those who are reached on it, the one who is not reached through another."""
        people = self._pipeline.inventory.reached_at(phone)
        own = (person for person in people if person.relay is None)
        return next(own, next((person for person in people if person.id == to), None))

    def _arrived(self, phone: str, now_ms: Millis) -> None:
        for alert in list(self._standing()):
            if is_same(phone, str(alert.detail.get("phone"))):
                self._tell(Trouble(DEAD, alert.subject), now_ms)

    def _standing(self) -> Iterator[Alert]:
        return (alert for alert in self._pipeline.county.alerts.values() if alert.rule == DEAD and not alert.closed_ms)

    def _tell(self, trouble: Trouble, now_ms: Millis) -> None:
        self._pipeline.watch(trouble, now_ms)
