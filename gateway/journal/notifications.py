"""Alerts, events, notifications and attempts to rows: what a person is told and why, kept for years.

Only statements stand here; the transaction around them is the writer's.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Final

import msgspec

from alerts.channels import Accepted, Failed, Outcome, Refused
from alerts.model import Event, Owed
from alerts.notify.lists import Crossing
from gateway.journal import telephone
from gateway.journal.entry import AlertRow, Attempt, AttemptEnded, AttemptStarted, Happening
from telemetry.phone import number_key
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


def crossings(connection: sqlite3.Connection, since_ms: Millis) -> list[Crossing]:
    """The times over two thirds that ended since then, or have not."""
    return [Crossing(*row) for row in connection.execute(_CROSSINGS, (since_ms,))]


_CROSSINGS: Final = """
    SELECT asset, raised_ms, cleared_ms FROM alert WHERE rule = 'over_two_thirds' AND cleared_ms >= ?1 UNION ALL
    SELECT asset, raised_ms, NULL FROM alert WHERE rule = 'over_two_thirds' AND cleared_ms IS NULL AND NOT settled
"""


def keep_mailboxes(connection: sqlite3.Connection, mailboxes: Mapping[str, bytes]) -> None:
    """Writes what waits for each number as it stands now; one without anything in it is known by another name now."""
    gone = [(name,) for name, blob in mailboxes.items() if not blob]
    kept = [(name, blob) for name, blob in mailboxes.items() if blob]
    connection.executemany("DELETE FROM mailbox WHERE phone = ?", gone)
    connection.executemany("INSERT OR REPLACE INTO mailbox (phone, blob) VALUES (?, ?)", kept)


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


def events_after(connection: sqlite3.Connection, after: int, most: int) -> list[Happening]:
    """At most so many events with ids above ``after``, in their order."""
    return [
        Happening(
            number,
            Event(
                at_ms=at_ms,
                event=event,
                rule=rule,
                asset=asset,
                device=device,
                episode=episode,
                severity=severity,
                detail=None if detail is None else msgspec.json.decode(detail),
            ),
            raised_ms,
        )
        for number, at_ms, event, rule, asset, device, episode, severity, detail, raised_ms in connection.execute(
            _EVENTS, (after, most)
        )
    ]


_OWED: Final = """
    INSERT OR IGNORE INTO notification
        (key, at_ms, rule, asset, episode, severity, kind, step, repeat, recipient, phone, phone_key, channel, text,
          covers, template, variables, call, next_attempt_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def add_owed(connection: sqlite3.Connection, owed: Iterable[Owed]) -> tuple[tuple[int, ...], int]:
    """Adds what is owed; answers the ids of the new ones and how many keys were there before (law L7)."""
    new: list[int] = []
    repeated = 0
    for each in owed:
        cursor = connection.execute(
            _OWED,
            (
                each.key,
                each.at_ms,
                each.rule,
                each.asset,
                each.episode,
                each.severity,
                str(each.kind),
                each.step,
                each.repeat,
                each.to,
                each.phone,
                number_key(each.phone),
                each.channel,
                each.text,
                msgspec.json.encode(each.covers).decode() if each.covers else "",
                each.template,
                msgspec.json.encode(each.variables).decode(),
                each.call,
                each.not_before_ms or None,
            ),
        )
        if cursor.rowcount == 1 and cursor.lastrowid is not None:
            new.append(cursor.lastrowid)
        else:
            repeated += 1
    return tuple(new), repeated


def drop(connection: sqlite3.Connection, dropped: Iterable[tuple[str, str]]) -> None:
    """Marks what will not be sent, with the reason (law L9); what is already on its way is left alone."""
    connection.executemany(
        "UPDATE notification SET state = 'dropped', reason = ? WHERE key = ? AND state = 'owed'",
        [(reason, key) for key, reason in dropped],
    )


def keep_attempts(connection: sqlite3.Connection, attempts: Iterable[Attempt]) -> frozenset[int]:
    """Writes beginnings and ends of tries, in their order, and what they make of their notifications.

    Answers the notifications whose try may not begin, because they are no longer owed; nothing was written of it.
    """
    not_owed: set[int] = set()
    for attempt in attempts:
        if isinstance(attempt, AttemptEnded):
            _end(connection, attempt)
        elif not _start(connection, attempt):
            not_owed.add(attempt.notification_id)
    return frozenset(not_owed)


def _start(connection: sqlite3.Connection, attempt: AttemptStarted) -> bool:
    changed = connection.execute(
        "UPDATE notification SET state = 'sending', attempts = attempts + 1, next_attempt_ms = NULL"
        " WHERE id = ? AND state = 'owed'",
        (attempt.notification_id,),
    ).rowcount
    if changed:
        connection.execute(
            "INSERT INTO attempt (notification, started_ms) VALUES (?, ?)", (attempt.notification_id, attempt.at_ms)
        )
    return bool(changed)


def _end(connection: sqlite3.Connection, attempt: AttemptEnded) -> None:
    state, reason, reference = _verdict(attempt.outcome, attempt.next_attempt_ms)
    outcome = type(attempt.outcome).__name__.lower()
    connection.execute(
        "UPDATE attempt SET ended_ms = ?, outcome = ?, reason = ?, via = ?, reference = ?"
        " WHERE notification = ? AND ended_ms IS NULL",
        (attempt.at_ms, outcome, reason, attempt.via, reference, attempt.notification_id),
    )
    connection.execute(
        """
        UPDATE notification SET state = :state, reason = :reason, reference = :reference, next_attempt_ms = :next_ms,
            via = :via, receipt_due_ms = :receipt_due_ms,
            accepted_ms = CASE WHEN :state IN ('accepted', 'delivered') THEN coalesce(accepted_ms, :at_ms) END,
            delivered_ms = CASE WHEN :state = 'delivered' THEN coalesce(delivered_ms, :at_ms) END
        WHERE id = :id AND state = 'sending'
        """,
        {
            "state": state,
            "reason": reason,
            "reference": reference,
            "next_ms": attempt.next_attempt_ms if state == "owed" else None,
            "at_ms": attempt.at_ms,
            "id": attempt.notification_id,
            "via": attempt.next_via if state == "owed" else attempt.via,
            "receipt_due_ms": attempt.receipt_due_ms if state == "accepted" else None,
        },
    )
    telephone.apply_known(connection, attempt.notification_id)


def _verdict(outcome: Outcome, next_attempt_ms: Millis | None) -> tuple[str, str, str]:
    match outcome:
        case Accepted(reference, delivered):
            return "delivered" if delivered else "accepted", "", reference
        case Refused(reason):
            return "refused" if next_attempt_ms is None else "owed", reason, ""
        case Failed(reason):
            return "failed" if next_attempt_ms is None else "owed", reason, ""
