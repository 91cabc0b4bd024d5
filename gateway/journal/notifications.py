"""What a person is to be told and what became of it: notifications, the tries of each, and what waits in mailboxes.

Only statements stand here; the transaction around them is the writer's.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from alerts.calendars import DAY_MS
from alerts.channels import Accepted, Awaited, Failed, Outcome, SendRefused
from alerts.delivery.delivery import TIMEOUT, Due, DueState
from alerts.model import Owed
from gateway.journal import telephone
from gateway.journal.entry import Attempt, AttemptEnded, AttemptStarted, Unreceipted
from gateway.journal.retention import STEP_ROWS
from gateway.journal.view import Row, as_json, iso, iso_or_none, pages
from telemetry.phone import number_key
from telemetry.reading import Millis


def keep_mailboxes(connection: sqlite3.Connection, mailboxes: Mapping[str, bytes]) -> None:
    """Writes what waits for each number as it stands now; one without anything in it is known by another name now."""
    gone = [(name,) for name, blob in mailboxes.items() if not blob]
    kept = [(name, blob) for name, blob in mailboxes.items() if blob]
    connection.executemany("DELETE FROM mailbox WHERE phone = ?", gone)
    connection.executemany("INSERT OR REPLACE INTO mailbox (phone, blob) VALUES (?, ?)", kept)


def mailboxes(connection: sqlite3.Connection) -> list[bytes]:
    """What waits for each number, by number."""
    return [blob for (blob,) in connection.execute("SELECT blob FROM mailbox ORDER BY phone")]


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


def readdress(connection: sqlite3.Connection, phones: Mapping[int, str]) -> None:
    """What is still owed goes to where its person is reached by now."""
    connection.executemany(
        "UPDATE notification SET phone = ?, phone_key = ? WHERE id = ? AND state = 'owed'",
        [(phone, number_key(phone), number) for number, phone in phones.items()],
    )


def excuse(connection: sqlite3.Connection, deaf: tuple[Millis, Millis] | None) -> None:
    """Receipts that were awaited beyond a time in which nobody listened are awaited for as much longer."""
    if deaf is not None:
        since_ms, at_ms = deaf
        connection.execute(
            "UPDATE notification SET receipt_due_ms = receipt_due_ms + ?"
            " WHERE state = 'accepted' AND receipt_due_ms > ?",
            (at_ms - since_ms, since_ms),
        )


def keep_unreceipted(connection: sqlite3.Connection, lapsed: Iterable[Unreceipted]) -> None:
    """Writes what is done about texts without a receipt; one that came meanwhile is left as it is."""
    for each in lapsed:
        if each.via:
            statement = "state = 'owed', via = :via, next_attempt_ms = :at_ms, receipt_due_ms = NULL, reason = :reason"
        else:
            statement = "receipt_due_ms = :due_ms, reason = :reason"
        connection.execute(
            f"UPDATE notification SET {statement} WHERE id = :id AND state = 'accepted'",  # noqa: S608 -- our own words
            {
                "id": each.notification_id,
                "via": each.via,
                "at_ms": each.at_ms,
                "due_ms": each.receipt_due_ms,
                "reason": each.reason,
            },
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
    outcome, state, reason, reference = _verdict(attempt.outcome, attempt.next_attempt_ms)
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


def _verdict(outcome: Outcome, next_attempt_ms: Millis | None) -> tuple[str, str, str, str]:
    """What is kept of a try's outcome, and of its notification the state, the reason and the reference."""
    match outcome:
        case Accepted(reference, delivered):
            return "accepted", "delivered" if delivered else "accepted", "", reference
        case SendRefused(reason):
            return "refused", "refused" if next_attempt_ms is None else "owed", reason, ""
        case Failed(reason):
            return "failed", "failed" if next_attempt_ms is None else "owed", reason, ""


def awaited(connection: sqlite3.Connection, via: str, since_ms: Millis, most: int) -> list[Awaited]:
    """At most so many texts that a channel took since then and that no receipt came for, the newest first."""
    rows = connection.execute(
        "SELECT reference, phone, accepted_ms FROM notification WHERE state = 'accepted' AND via = ?"
        " AND receipt_due_ms IS NOT NULL AND accepted_ms >= ? ORDER BY id DESC LIMIT ?",
        (via, since_ms, most),
    )
    return [Awaited(*row) for row in rows]


def refused(connection: sqlite3.Connection, notification_id: int) -> frozenset[str]:
    """The channels that will never take a notification."""
    rows = connection.execute(
        "SELECT DISTINCT via FROM attempt WHERE notification = ? AND outcome = 'refused'", (notification_id,)
    )
    return frozenset(via for (via,) in rows)


def unsure(connection: sqlite3.Connection, notification_id: int) -> str:
    """The channel that did not answer the last try in time; empty when the last try ended clearly."""
    row = connection.execute(
        "SELECT via, reason FROM attempt WHERE notification = ? AND ended_ms IS NOT NULL ORDER BY id DESC LIMIT 1",
        (notification_id,),
    ).fetchone()
    return row[0] if row is not None and row[1] == TIMEOUT else ""


def phone_of_notification(connection: sqlite3.Connection, notification_id: int) -> str:
    """The number of a notification."""
    row = connection.execute("SELECT phone FROM notification WHERE id = ?", (notification_id,)).fetchone()
    return "" if row is None else str(row[0])


_COLUMNS: Final = """
    SELECT id, state, attempts, via, coalesce(accepted_ms, 0), reason,
           at_ms, rule, asset, episode, severity, kind, step, repeat, recipient, phone, channel, text,
           template, call, variables, covers
    FROM notification
"""
_SEVERITY: Final = 10
"""Where among the columns."""
_DUE: Final = f"""
    {_COLUMNS}
    WHERE state IN ('owed', 'sending') AND (state = 'sending' OR next_attempt_ms IS NULL OR next_attempt_ms <= :now)
    ORDER BY severity, id LIMIT 1
"""
_PLAIN: Final = (
    *("at_ms", "rule", "asset", "episode", "severity", "kind", "step", "repeat"),
    *("to", "phone", "channel", "text", "template", "call"),
)
_LAPSED: Final = f"""
    {_COLUMNS} WHERE state = 'accepted' AND receipt_due_ms <= :now ORDER BY severity, id LIMIT 1
"""
_MONTH_MS: Final = 31 * 86_400_000


def due(connection: sqlite3.Connection, now_ms: Millis) -> Due | None:
    """The most urgent notification that may be tried at ``now_ms``, or whose receipt is due by then.

    The highest severity, then one whose receipt is due, then the lowest id.
    """
    found = [connection.execute(query, {"now": now_ms}).fetchone() for query in (_LAPSED, _DUE)]
    row = min((row for row in found if row is not None), key=lambda row: str(row[_SEVERITY]), default=None)
    return None if row is None else _due(connection, row, now_ms)


def _due(connection: sqlite3.Connection, row: tuple[Any, ...], now_ms: Millis) -> Due:
    number, state, attempts, via, accepted_ms, reason, *plain, variables, covers = row
    given = dict(zip(_PLAIN, plain, strict=True))
    owed = msgspec.convert({**given, "variables": json.loads(variables), "covers": json.loads(covers or "[]")}, Owed)
    return Due(
        number,
        owed,
        DueState(state),
        attempts,
        via=via,
        refused=refused(connection, number),
        accepted_ms=accepted_ms,
        reason=reason if state == DueState.ACCEPTED else "",
        unsure=unsure(connection, number),
        taken=telephone.taken(connection, owed.phone, now_ms - DAY_MS),
        limited=telephone.limited(connection, owed.phone, now_ms - _MONTH_MS),
    )


def state_of(connection: sqlite3.Connection, key: str) -> tuple[str, str, str] | None:
    """A notification's state, its channel and the reason; ``None`` for one that is not there."""
    row = connection.execute("SELECT state, via, reason FROM notification WHERE key = ?", (key,)).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def count_owed(connection: sqlite3.Connection) -> tuple[int, Millis]:
    """How many notifications nobody has taken yet, and when the oldest of them came to be owed (0 without any)."""
    row = connection.execute(
        "SELECT count(*), coalesce(min(at_ms), 0) FROM notification WHERE state IN ('owed', 'sending')"
    ).fetchone()
    return int(row[0]), int(row[1])


_OVERDUE: Final = """
    SELECT
        (SELECT count(*) FROM notification WHERE state IN ('owed', 'sending') AND state = 'owed'
            AND coalesce(next_attempt_ms, at_ms) < :before),
        (SELECT count(*) FROM notification WHERE state IN ('owed', 'sending') AND state = 'sending'
            AND (SELECT max(started_ms) FROM attempt WHERE notification = notification.id) < :before),
        (SELECT count(*) FROM notification WHERE state = 'accepted' AND receipt_due_ms < :before)
"""


def overdue(connection: sqlite3.Connection, before_ms: Millis) -> tuple[int, int, int]:
    """Notifications that wait beyond their time: owed since before then, in a try begun before, without a decision.

    A decision is due when a receipt did not come.
    """
    row = connection.execute(_OVERDUE, {"before": before_ms}).fetchone()
    return int(row[0]), int(row[1]), int(row[2])


_EXPORTED: Final = "SELECT * FROM notification WHERE id > ? AND at_ms >= ? AND at_ms < ? ORDER BY id LIMIT ?"


def exported(connection: sqlite3.Connection, from_ms: Millis, to_ms: Millis) -> Iterator[Row]:
    """Notifications that came to be owed in [from, to), with what became of them, fit for export."""
    for row in pages(connection, _EXPORTED, from_ms, to_ms):
        yield {
            "key": row["key"],
            "at": iso(row["at_ms"]),
            **{name: row[name] for name in ("rule", "asset", "episode", "severity", "kind", "step", "repeat")},
            "to": row["recipient"],
            **{name: row[name] for name in ("phone", "channel", "text", "state", "attempts", "reason", "reference")},
            "via": row["via"],
            "next_attempt_at": iso_or_none(row["next_attempt_ms"]),
            "accepted_at": iso_or_none(row["accepted_ms"]),
            "delivered_at": iso_or_none(row["delivered_ms"]),
        }


class MessageRow(Struct, frozen=True):
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


def messages_about(connection: sqlite3.Connection, episodes: Iterable[str]) -> list[MessageRow]:
    """Everything that was owed about some episodes, in its order."""
    return [MessageRow(*row) for row in connection.execute(_ABOUT, (as_json(episodes),))]


def messages_on(connection: sqlite3.Connection, asset: str, from_ms: Millis, to_ms: Millis) -> list[MessageRow]:
    """Everything that came to be owed about an asset in [from, to), in its order."""
    return [MessageRow(*row) for row in connection.execute(_ON, (asset, from_ms, to_ms))]


def messages(
    connection: sqlite3.Connection, most: int, before: int, states: Collection[str], to: str = ""
) -> list[MessageRow]:
    """The newest messages with ids below ``before`` in some states, the newest first; ``to`` names one person."""
    return [MessageRow(*row) for row in connection.execute(_NEWEST, (before, as_json(states), to, to, most))]


_EXPIRED: Final = """
    DELETE FROM notification WHERE id IN (
        SELECT id FROM (SELECT id, at_ms, state FROM notification ORDER BY id LIMIT :rows)
        WHERE at_ms < :before AND state NOT IN ('owed', 'sending')
    )
"""


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of notifications of before then that are owed no more, with their tries."""
    return connection.execute(_EXPIRED, {"before": before_ms, "rows": STEP_ROWS}).rowcount
