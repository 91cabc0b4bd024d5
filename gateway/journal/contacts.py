"""Who was welcomed and has answered since: the first contact with each person, out of notifications and answers.

A journal reader with one more question; read-only like every other.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from gateway.journal.database import translated
from gateway.journal.view import View
from telemetry.reading import Millis


class Contact(StrEnum):
    """How far it has come with somebody."""

    NEVER = "never"
    """No first text was ever owed."""
    OWED = "owed"
    SENT = "sent"
    DELIVERED = "delivered"
    LOST = "lost"
    """It was refused, given up or dropped."""
    REACHED = "reached"
    """They have answered: somebody reads what is sent there."""


class First(NamedTuple):
    """How far, and since when (0 for never)."""

    contact: Contact
    at_ms: Millis = 0


NEVER: Final = First(Contact.NEVER)
_CONTACTS: Final = {
    "owed": Contact.OWED,
    "sending": Contact.OWED,
    "accepted": Contact.SENT,
    "delivered": Contact.DELIVERED,
}
_WELCOMES: Final = """
    SELECT recipient, state, coalesce(delivered_ms, accepted_ms, at_ms), min(at_ms) OVER (PARTITION BY recipient)
    FROM notification WHERE template = 'welcome' ORDER BY id
"""
_ANSWERS: Final = """
    SELECT person, at_ms FROM answer WHERE person <> '' AND meaning <> 'not_understood' AND at_ms >= ? ORDER BY id DESC
"""


class ContactReader(View):
    """Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    def contacts(self) -> dict[str, First]:
        """Everybody who was ever welcomed; an understood answer after that says that they were reached."""
        found: dict[str, First] = {}
        since: dict[str, Millis] = {}
        with translated(self._path):
            for person, state, at_ms, first_ms in self._connection.execute(_WELCOMES):
                found[person] = First(_CONTACTS.get(state, Contact.LOST), at_ms)
                since[person] = first_ms
            answers = self._connection.execute(_ANSWERS, (min(since.values(), default=0),)).fetchall()
        for person, at_ms in answers:
            if person in since and at_ms >= since[person]:
                found[person] = First(Contact.REACHED, at_ms)
        return found
