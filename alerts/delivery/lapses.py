"""What follows when a text was taken and no receipt comes, or one that says that it did not arrive.

Pure: a notification, the channels it may go by, and an instant in; what to do and what to write down out.
"""

from dataclasses import dataclass
from typing import Final

from alerts.delivery.delivery import VOICE, Due, event_of
from alerts.model import Event, Severity
from telemetry.reading import Millis

NO_RECEIPT: Final = "no_receipt"
TICKET: Final = "data_ticket"
_NOT_THE_NUMBERS: Final = ("sending_error", "CONTENT_", "SIGNATURE_", "AMOUNT_", "MOBILE_SEND_LIMIT", "NO_ROUTE", "SP_")
"""Beginnings of what a receipt says that speaks of the line or of the text, and not of the number."""
_URGENT: Final = (Severity.P1, Severity.P2)
_TICKET_MS: Final = 86_400_000
"""A number that gave no receipt for so long is looked into."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """What is done: sent on ``via`` another channel, waited for until ``receipt_due_ms``, or nothing more.

    ``hurry`` calls the next person too. ``events`` say why.
    """

    events: tuple[Event, ...]
    via: str = ""
    receipt_due_ms: Millis | None = None
    hurry: bool = False


def lapse(due: Due, route: tuple[str, ...], now_ms: Millis) -> Lapse:
    """What becomes of an accepted notification whose receipt is due at ``now_ms``."""
    urgent = due.owed.severity in _URGENT
    reason = due.reason or NO_RECEIPT
    waited_ms = now_ms - due.accepted_ms
    in_time = urgent and waited_ms < _TICKET_MS
    onward = _after(route, due.via) if due.reason or in_time else ""
    hurry = due.owed.severity == Severity.P1 and (bool(due.reason) or in_time)
    hurry = hurry or (urgent and bool(due.reason) and not onward)  # it will not arrive any more
    if onward:
        return Lapse((_event("unreceipted", due, reason, now_ms, onward),), via=onward, hurry=hurry)
    if due.reason or not in_time:
        return Lapse((_event(TICKET, due, reason, now_ms),), hurry=hurry)
    until_ms = due.accepted_ms + _TICKET_MS
    return Lapse((_event("unreceipted", due, reason, now_ms),), receipt_due_ms=until_ms, hurry=hurry)


def is_lost(due: Due, decided: Lapse) -> bool:
    """Whether a text was given up and its number may be why. An unanswered call says nothing about a number."""
    is_text = due.owed.channel != VOICE and not due.owed.call
    given_up = any(event.event == TICKET for event in decided.events)
    return given_up and is_text and not due.reason.startswith(_NOT_THE_NUMBERS)


def _after(route: tuple[str, ...], via: str) -> str:
    """The channel that comes next, and none that was tried before: each way is gone once."""
    if via not in route:
        return ""
    return next(iter(route[route.index(via) + 1 :]), "")


def _event(name: str, due: Due, reason: str, now_ms: Millis, onward: str = "") -> Event:
    return event_of(name, due, reason, now_ms, via=due.via, **({"onward": onward} if onward else {}))
