"""The journal as the desk asks it: what was said and done about some cases, newest first, in a few short reads.

A rollup reader with more to ask; read-only like every other. Nothing is judged and nothing is put into words here.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any, Final

from msgspec import Struct

from alerts.alert import Alert, unpack_alert
from alerts.model import Event
from gateway.journal import arrivals, readings
from gateway.journal.database import translated
from gateway.journal.entry import Anomaly, Spell
from gateway.journal.rollups import RollupReader
from telemetry.phone import number_key
from telemetry.reading import Millis, Reading

_READINGS_LOOKED_AT: Final = 400_000
"""How far back, in readings of the whole county, the last ones of a device are looked for: a look-up each 2,048."""


class Message(Struct, frozen=True):
    """A text to a person, and what became of it; 0 is not yet."""

    id: int
    at_ms: Millis
    rule: str
    asset: str
    episode: str
    severity: str
    kind: str
    step: int
    to: str
    phone: str
    channel: str
    text: str
    state: str
    attempts: int
    next_attempt_ms: Millis
    reason: str
    accepted_ms: Millis
    delivered_ms: Millis


class Said(Struct, frozen=True):
    """What somebody wrote to us, and through which channel."""

    at_ms: Millis
    channel: str
    text: str


class Beginning(Struct, frozen=True):
    """One uplink in quarantine; of its payload only the beginning."""

    id: int
    received_ms: Millis
    topic: str
    reason: str
    detail: str
    payload: bytes
    again_ms: Millis
    again: str


class CaseReader(RollupReader):
    """Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time."""

    def open_alerts(self) -> list[Alert]:
        """Every episode that is not over, oldest first."""
        with translated(self._path):
            rows = self._connection.execute("SELECT blob FROM alert WHERE NOT settled ORDER BY raised_ms").fetchall()
        return [alert for (blob,) in rows if not (alert := unpack_alert(blob)).closed_ms]

    def marks(self) -> dict[str, str]:
        """The small marks that are kept over a restart."""
        with translated(self._path):
            return dict(self._connection.execute("SELECT key, value FROM meta").fetchall())

    def messages_about(self, episodes: Iterable[str]) -> list[Message]:
        """Everything that was owed about some episodes, in its order."""
        return self._messages(_ABOUT, (json.dumps(list(episodes)),))

    def messages_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[Message]:
        """Everything that came to be owed about an asset in [from, to), in its order."""
        return self._messages(_ON, (asset, from_ms, to_ms))

    def messages(self, most: int, before: int, states: Collection[str], to: str = "") -> list[Message]:
        """The newest messages with ids below ``before`` in some states, the newest first; ``to`` names one person."""
        return self._messages(_NEWEST, (before, json.dumps(list(states)), to, to, most))

    def answers_about(self, episodes: Iterable[str]) -> dict[str, str]:
        """The last that somebody answered by telephone, by episode."""
        with translated(self._path):
            return dict(self._connection.execute(_ANSWERED, (json.dumps(list(episodes)),)).fetchall())

    def said_from(self, phone: str, most: int) -> list[Said]:
        """The newest that a number wrote, the newest first."""
        with translated(self._path):
            return [Said(*row) for row in self._connection.execute(_SAID, (number_key(phone), most))]

    def events_about(self, episodes: Iterable[str]) -> list[Event]:
        """Everything that happened to some episodes, in its order."""
        return self._events(_EVENTS_ABOUT, (json.dumps(list(episodes)),))

    def events_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[Event]:
        """Everything that happened to an asset in [from, to), in its order."""
        return self._events(_EVENTS_ON, (asset, from_ms, to_ms))

    def newest_events(self, kinds: Collection[str], most: int, within: int) -> list[Event]:
        """The newest events of some kinds, the newest first, looked for among the last ``within`` events."""
        return self._events(_NEWEST_EVENTS, (within, json.dumps(list(kinds)), most))

    def spells_on(self, asset: str, from_ms: Millis, to_ms: Millis) -> list[Spell]:
        """Episodes of an asset that stood at any time in [from, to), in the order in which they were raised."""
        with translated(self._path):
            rows = self._connection.execute(_SPELLS, (asset, from_ms, to_ms, from_ms)).fetchall()
        return [Spell(*row) for row in rows]

    def anomalies(self, devices: Collection[str]) -> list[Anomaly]:
        """What is wrong with what some devices say while the rest of it counts, the latest first."""
        with translated(self._path):
            return arrivals.anomalies(self._connection, devices)

    def last_readings(self, devices: Iterable[str], before_ms: Millis, most: int) -> list[Reading]:
        """The last readings of some devices received before an instant, the newest last."""
        found: list[Reading] = []
        with translated(self._path):
            (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM reading").fetchone()
            for device in devices:
                row = self._connection.execute("SELECT id FROM device WHERE name = ?", (device,)).fetchone()
                if row is not None:
                    oldest = max(0, newest - _READINGS_LOOKED_AT) >> 11
                    bounds = {"newest": newest, "oldest": oldest, "device": row[0], "to_ms": before_ms, "most": most}
                    ids = [number for (number,) in self._connection.execute(_LAST, bounds)]
                    found += readings.these(self._connection, ids)
        return sorted(found, key=lambda reading: (reading.received_ms, reading.observed_ms))[-most:]

    def quarantine_by_reason(self) -> list[tuple[str, int, Millis]]:
        """How many uplinks are in quarantine for each reason, and when the last came; the most first."""
        with translated(self._path):
            return self._connection.execute(
                "SELECT reason, count(*), max(received_ms) FROM quarantine"
                " WHERE again IN ('', 'refused') GROUP BY reason ORDER BY 2 DESC, 1"
            ).fetchall()

    def newest_quarantine(self, reason: str, most: int) -> list[Beginning]:
        """The newest uplinks in quarantine for a reason (empty: for any), the newest first."""
        with translated(self._path):
            return [Beginning(*row) for row in self._connection.execute(_ASIDE, (reason, reason, most))]

    def _messages(self, query: str, given: tuple[Any, ...]) -> list[Message]:
        with translated(self._path):
            return [Message(*row) for row in self._connection.execute(query, given)]

    def _events(self, query: str, given: tuple[Any, ...]) -> list[Event]:
        with translated(self._path):
            rows = self._connection.execute(query, given).fetchall()
        names = ("at_ms", "event", "rule", "asset", "device", "episode", "severity")
        return [
            Event(**dict(zip(names, row, strict=False)), detail=None if row[-1] is None else json.loads(row[-1]))
            for row in rows
        ]


_MESSAGE: Final = """
    SELECT id, at_ms, rule, asset, episode, severity, kind, step, recipient, phone, channel, text, state, attempts,
           coalesce(next_attempt_ms, 0), reason, coalesce(accepted_ms, 0), coalesce(delivered_ms, 0)
    FROM notification
"""
_ABOUT: Final = f"{_MESSAGE} WHERE episode IN (SELECT value FROM json_each(?)) ORDER BY id"  # noqa: S608 -- words of our own
_ON: Final = f"{_MESSAGE} WHERE asset = ? AND at_ms >= ? AND at_ms < ? ORDER BY id"
_NEWEST: Final = f"""
    {_MESSAGE} WHERE id < ? AND state IN (SELECT value FROM json_each(?)) AND (? = '' OR recipient = ?)
    ORDER BY id DESC LIMIT ?
"""  # noqa: S608 -- words of our own
_EVENT: Final = "SELECT at_ms, event, rule, asset, device, episode, severity, detail FROM event"
_ANSWERED: Final = f"""
    SELECT episode, event FROM ({_EVENT} WHERE episode IN (SELECT value FROM json_each(?))
        AND event IN ('done', 'declined', 'doubted', 'callback', 'called_back', 'dispatched') ORDER BY id)
"""  # noqa: S608 -- words of our own
_SAID: Final = "SELECT at_ms, channel, text FROM answer WHERE phone_key = ? ORDER BY id DESC LIMIT ?"
_EVENTS_ABOUT: Final = f"{_EVENT} WHERE episode IN (SELECT value FROM json_each(?)) AND episode <> '' ORDER BY id"  # noqa: S608 -- words of our own
_EVENTS_ON: Final = f"{_EVENT} WHERE asset = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms, id"
_NEWEST_EVENTS: Final = f"""
    {_EVENT} WHERE id > (SELECT coalesce(max(id), 0) FROM event) - ?
        AND event IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?
"""  # noqa: S608 -- words of our own
_SPELLS: Final = """
    SELECT episode, rule, asset, severity, raised_ms, cleared_ms FROM alert
    WHERE episode IN (
        SELECT DISTINCT episode FROM event
        WHERE asset = ? AND at_ms >= ? - 2678400000 AND at_ms < ? AND event = 'raised'
    ) AND (cleared_ms IS NULL OR cleared_ms >= ?) ORDER BY raised_ms
"""
_LAST: Final = """
    WITH RECURSIVE stretch (n) AS (
        SELECT :newest >> 11 UNION ALL SELECT n - 1 FROM stretch WHERE n > :oldest
    )
    SELECT reading.id FROM stretch CROSS JOIN reading
        ON (reading.id >> 11) = stretch.n AND reading.device = :device
    WHERE received_ms < :to_ms ORDER BY reading.id DESC LIMIT :most
"""
_ASIDE: Final = """
    SELECT id, received_ms, topic, reason, detail, substr(payload, 1, 400), coalesce(again_ms, 0), again FROM quarantine
    WHERE ? = '' OR reason = ? ORDER BY id DESC LIMIT ?
"""
