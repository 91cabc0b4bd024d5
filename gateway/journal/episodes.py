"""Episodes and events: what was wrong from when to when, and all that happened to it, kept for years.

An episode is written as it stands now, an event is added and never changed. Only statements stand here; the
transaction around those that write is the writer's.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple
from typing import Any, Final

import msgspec

from alerts.alert import Alert, unpack_alert
from alerts.model import Event
from alerts.notify.lists import Crossing
from gateway.journal.entry import AlertRow, Spell, StoredEvent
from gateway.journal.retention import STEP_ROWS
from gateway.journal.view import Row, as_json, iso, iso_or_none, pages
from telemetry.reading import Millis

_ALERT: Final = """
    INSERT INTO alert (episode, rule, asset, device, severity, raised_ms, cleared_ms, blob, settled)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (episode) DO UPDATE SET
        device = excluded.device, severity = excluded.severity, cleared_ms = excluded.cleared_ms, blob = excluded.blob,
        settled = excluded.settled
"""


def keep_alerts(connection: sqlite3.Connection, alerts: Mapping[str, AlertRow]) -> None:
    """Writes each episode as it stands now."""
    connection.executemany(
        _ALERT,
        [astuple(row) for row in alerts.values()],
    )


def knows(connection: sqlite3.Connection, episode: str) -> bool:
    """Whether there ever was such an episode, open or over."""
    return connection.execute("SELECT 1 FROM alert WHERE episode = ?", (episode,)).fetchone() is not None


def ended(connection: sqlite3.Connection, episode: str) -> tuple[str, Millis] | None:
    """What an episode that is over was about, and when it ended."""
    row = connection.execute(
        "SELECT asset, cleared_ms FROM alert WHERE episode = ? AND cleared_ms IS NOT NULL", (episode,)
    ).fetchone()
    return None if row is None else (row[0], row[1])


def unsettled(connection: sqlite3.Connection) -> list[AlertRow]:
    """What a start goes on with, in the order of opening, which is the order in which they are decided (law L6)."""
    rows = connection.execute(
        "SELECT episode, rule, asset, device, severity, raised_ms, cleared_ms, blob"
        " FROM alert WHERE NOT settled ORDER BY rowid"
    )
    return [
        AlertRow(episode, rule, asset, device, severity, raised_ms, cleared_ms, blob, settled=False)
        for episode, rule, asset, device, severity, raised_ms, cleared_ms, blob in rows
    ]


_CROSSINGS: Final = """
    SELECT asset, raised_ms, cleared_ms FROM alert WHERE rule = 'over_two_thirds' AND cleared_ms >= ?1 UNION ALL
    SELECT asset, raised_ms, NULL FROM alert WHERE rule = 'over_two_thirds' AND cleared_ms IS NULL AND NOT settled
"""


def crossings(connection: sqlite3.Connection, since_ms: Millis) -> list[Crossing]:
    """The times over two thirds that ended since then, or have not."""
    return [Crossing(*row) for row in connection.execute(_CROSSINGS, (since_ms,))]


_EXPORTED: Final = """
    SELECT rowid, episode, rule, asset, device, severity, raised_ms, cleared_ms
    FROM alert WHERE rowid > ? AND raised_ms >= ? AND raised_ms < ? ORDER BY rowid LIMIT ?
"""
_STANDING: Final = """
    SELECT episode, rule, asset, severity, raised_ms, cleared_ms
    FROM alert WHERE (cleared_ms >= ? OR (NOT settled AND cleared_ms IS NULL))
"""


def exported(connection: sqlite3.Connection, from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
    """Episodes raised in [from, to), in the order in which they were first written, fit for export."""
    for row in pages(connection, _EXPORTED, from_ms, to_ms):
        yield {
            **{name: row[name] for name in ("episode", "rule", "asset", "device", "severity")},
            "raised_at": iso(row["raised_ms"]),
            "cleared_at": iso_or_none(row["cleared_ms"]),
        }


def standing(connection: sqlite3.Connection, severities: Collection[str], since_ms: Millis) -> list[Spell]:
    """Episodes of these severities that stood at any time since then, in the order in which they were raised."""
    marks = ", ".join("?" for _ in severities)
    rows = connection.execute(f"{_STANDING} AND severity IN ({marks}) ORDER BY raised_ms", (since_ms, *severities))
    return [Spell(*row) for row in rows]


def add_events(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Appends the events in their order."""
    connection.executemany(
        "INSERT INTO event (at_ms, event, rule, asset, device, episode, severity, detail) VALUES (?,?,?,?,?,?,?,?)",
        [
            (
                event.at_ms,
                event.event,
                event.rule,
                event.asset,
                event.device,
                event.episode,
                event.severity,
                None if event.detail is None else msgspec.json.encode(event.detail).decode(),
            )
            for event in events
        ],
    )


_EVENTS: Final = """
    SELECT event.id, at_ms, event, event.rule, event.asset, event.device, episode, event.severity, detail,
           coalesce(raised_ms, 0)
    FROM event LEFT JOIN alert USING (episode) WHERE event.id > ? ORDER BY event.id LIMIT ?
"""


def events_after(connection: sqlite3.Connection, after: int, most: int) -> list[StoredEvent]:
    """At most so many events with ids above ``after``, in their order."""
    rows = connection.execute(_EVENTS, (after, most))
    return [StoredEvent(number, _event(*columns), raised_ms) for number, *columns, raised_ms in rows]


def _event(*columns: Any) -> Event:  # noqa: ANN401 -- as SQLite has them
    """An event of its columns, in the order in which every query here names them."""
    at_ms, event, rule, asset, device, episode, severity, detail = columns
    return Event(
        at_ms=at_ms,
        event=event,
        rule=rule,
        asset=asset,
        device=device,
        episode=episode,
        severity=severity,
        detail=None if detail is None else msgspec.json.decode(detail),
    )


_EVENT: Final = "SELECT at_ms, event, rule, asset, device, episode, severity, detail FROM event"
_ANSWERED: Final = f"""
    SELECT episode, event FROM ({_EVENT} WHERE episode IN (SELECT value FROM json_each(?))
        AND event IN ('done', 'declined', 'doubted', 'callback', 'called_back', 'dispatched') ORDER BY id)
"""  # noqa: S608 -- words of our own
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


def open_alerts(connection: sqlite3.Connection) -> list[Alert]:
    """Every episode that is not over, oldest first."""
    rows = connection.execute("SELECT blob FROM alert WHERE NOT settled ORDER BY raised_ms").fetchall()
    return [alert for (blob,) in rows if not (alert := unpack_alert(blob)).closed_ms]


def spells_on(connection: sqlite3.Connection, asset: str, from_ms: Millis, to_ms: Millis) -> list[Spell]:
    """Episodes of an asset that stood at any time in [from, to), in the order in which they were raised."""
    return [Spell(*row) for row in connection.execute(_SPELLS, (asset, from_ms, to_ms, from_ms))]


def answers_about(connection: sqlite3.Connection, episodes: Iterable[str]) -> dict[str, str]:
    """The last that somebody answered by telephone, by episode."""
    return dict(connection.execute(_ANSWERED, (as_json(episodes),)).fetchall())


def events_about(connection: sqlite3.Connection, episodes: Iterable[str]) -> list[Event]:
    """Everything that happened to some episodes, in its order."""
    return _events(connection, _EVENTS_ABOUT, (as_json(episodes),))


def events_on(connection: sqlite3.Connection, asset: str, from_ms: Millis, to_ms: Millis) -> list[Event]:
    """Everything that happened to an asset in [from, to), in its order."""
    return _events(connection, _EVENTS_ON, (asset, from_ms, to_ms))


def newest_events(connection: sqlite3.Connection, kinds: Collection[str], most: int, within: int) -> list[Event]:
    """The newest events of some kinds, the newest first, looked for among the last ``within`` events."""
    return _events(connection, _NEWEST_EVENTS, (within, as_json(kinds), most))


def _events(connection: sqlite3.Connection, query: str, given: tuple[Any, ...]) -> list[Event]:
    return [_event(*row) for row in connection.execute(query, given).fetchall()]


_EXPIRED_EVENTS: Final = """
    DELETE FROM event WHERE id IN (
        SELECT id FROM (SELECT id, at_ms FROM event ORDER BY id LIMIT :rows) WHERE at_ms < :before
    )
"""
_EXPIRED: Final = """
    DELETE FROM alert WHERE episode IN (
        SELECT episode FROM alert WHERE settled AND cleared_ms < :before ORDER BY cleared_ms LIMIT :rows
    )
"""


def expire_events(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of events of before then."""
    return connection.execute(_EXPIRED_EVENTS, {"before": before_ms, "rows": STEP_ROWS}).rowcount


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of settled episodes that were over before then."""
    return connection.execute(_EXPIRED, {"before": before_ms, "rows": STEP_ROWS}).rowcount
