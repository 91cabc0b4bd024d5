"""What a person is to be told and what became of it: notifications, the tries of each, and what waits in mailboxes.

Only statements stand here; the transaction around them is the writer's.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from alerts.channels import Accepted, Failed, Outcome, Refused
from alerts.model import Owed
from gateway.journal import telephone
from gateway.journal.entry import Attempt, AttemptEnded, AttemptStarted
from telemetry.phone import number_key
from telemetry.reading import Millis


def keep_mailboxes(connection: sqlite3.Connection, mailboxes: Mapping[str, bytes]) -> None:
    """Writes what waits for each number as it stands now; one without anything in it is known by another name now."""
    gone = [(name,) for name, blob in mailboxes.items() if not blob]
    kept = [(name, blob) for name, blob in mailboxes.items() if blob]
    connection.executemany("DELETE FROM mailbox WHERE phone = ?", gone)
    connection.executemany("INSERT OR REPLACE INTO mailbox (phone, blob) VALUES (?, ?)", kept)


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
