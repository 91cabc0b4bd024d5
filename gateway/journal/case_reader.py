"""The journal as the desk asks it: what was said and done about some cases, and whether people have ever answered.

A rollup reader with more to ask, in a few short reads; read-only like every other. Nothing is judged and nothing is put
into words here.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.alert import Alert
from alerts.model import Event
from gateway.journal import arrivals, episodes, marks, notifications, readings, telephone
from gateway.journal.arrivals import Beginning
from gateway.journal.entry import Anomaly, Spell
from gateway.journal.notifications import MessageRow
from gateway.journal.rollups import RollupReader
from gateway.journal.telephone import Said
from telemetry.reading import Millis, Reading


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


class CaseReader(RollupReader):
    """Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    def open_alerts(self) -> list[Alert]:
        """Every episode that is not over, oldest first."""
        return self._ask(episodes.open_alerts)

    def marks(self) -> dict[str, str]:
        """The small marks that are kept over a restart."""
        return self._ask(marks.every_mark)

    def messages_about(self, named: Iterable[str]) -> list[MessageRow]:
        """Everything that was owed about some episodes, in its order."""
        return self._ask(notifications.messages_about, named)

    def messages_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[MessageRow]:
        """Everything that came to be owed about an asset in [from, to), in its order."""
        return self._ask(notifications.messages_on, asset, from_ms, to_ms)

    def messages(self, most: int, before: int, states: Collection[str], to: str = "") -> list[MessageRow]:
        """The newest messages with ids below ``before`` in some states, the newest first; ``to`` names one person."""
        return self._ask(notifications.messages, most, before, states, to)

    def answers_about(self, named: Iterable[str]) -> dict[str, str]:
        """The last that somebody answered by telephone, by episode."""
        return self._ask(episodes.answers_about, named)

    def said_from(self, phone: str, most: int) -> list[Said]:
        """The newest that a number wrote, the newest first."""
        return self._ask(telephone.said_from, phone, most)

    def events_about(self, named: Iterable[str]) -> list[Event]:
        """Everything that happened to some episodes, in its order."""
        return self._ask(episodes.events_about, named)

    def events_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[Event]:
        """Everything that happened to an asset in [from, to), in its order."""
        return self._ask(episodes.events_on, asset, from_ms, to_ms)

    def newest_events(self, kinds: Collection[str], most: int, within: int) -> list[Event]:
        """The newest events of some kinds, the newest first, looked for among the last ``within`` events."""
        return self._ask(episodes.newest_events, kinds, most, within)

    def spells_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[Spell]:
        """Episodes of an asset that stood at any time in [from, to), in the order in which they were raised."""
        return self._ask(episodes.spells_on, asset, from_ms, to_ms)

    def anomalies(self, devices: Collection[str]) -> list[Anomaly]:
        """What is wrong with what some devices say while the rest of it counts, the latest first."""
        return self._ask(arrivals.anomalies, devices)

    def last_readings(self, devices: Iterable[str], before_ms: Millis, most: int) -> list[Reading]:
        """The last readings of some devices received before an instant, the newest last."""
        return self._ask(readings.last_of, devices, before_ms, most)

    def quarantine_by_reason(self) -> list[tuple[str, int, Millis]]:
        """How many uplinks are in quarantine for each reason, and when the last came; the most first."""
        return self._ask(arrivals.count_by_reason)

    def newest_quarantine(self, reason: str, most: int) -> list[Beginning]:
        """The newest uplinks in quarantine for a reason (empty: for any), the newest first."""
        return self._ask(arrivals.newest, reason, most)

    def contacts(self) -> dict[str, First]:
        """Everybody who was ever welcomed; an understood answer after that says that they were reached."""
        found: dict[str, First] = {}
        since: dict[str, Millis] = {}
        for person, state, at_ms, first_ms in self._fetch(_WELCOMES, ()):
            found[person] = First(_CONTACTS.get(state, Contact.LOST), at_ms)
            since[person] = first_ms
        for person, at_ms in self._fetch(_ANSWERS, (min(since.values(), default=0),)):
            if person in since and at_ms >= since[person]:
                found[person] = First(Contact.REACHED, at_ms)
        return found
