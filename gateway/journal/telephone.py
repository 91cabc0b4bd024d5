"""What came back by telephone: receipts, what they make of their notifications, and what people answered.

Only statements stand here; the transaction around those that write is the writer's. That receipts repeat and come in
any order is dealt with by ``alerts.answers.settled`` and by deriving a notification's state from all of them.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from alerts.answers import Receipt, Reply, settled
from gateway.journal.entry import Answered
from gateway.journal.retention import STEP_ROWS
from telemetry.phone import number_key
from telemetry.reading import Millis


def keep_receipts(connection: sqlite3.Connection, receipts: Iterable[Receipt]) -> None:
    """Writes what each text's receipts come to, and what that makes of its notification."""
    for said in receipts:
        known = receipt(connection, said.channel, said.reference)
        now = settled(known, said)
        if now == known:
            continue
        connection.execute(
            "INSERT OR REPLACE INTO receipt (channel, reference, delivered, at_ms, reason) VALUES (?, ?, ?, ?, ?)",
            (now.channel, now.reference, now.delivered, now.at_ms, now.reason),
        )
        apply_receipt(connection, now)


def receipt(connection: sqlite3.Connection, channel: str, reference: str) -> Receipt | None:
    """What the receipts for a text came to so far."""
    row = connection.execute(
        "SELECT channel, reference, delivered, at_ms, reason FROM receipt WHERE channel = ? AND reference = ?",
        (channel, reference),
    ).fetchone()
    return None if row is None else Receipt(row[0], row[1], bool(row[2]), row[3], row[4])


_OF: Final = (
    "id IN (SELECT notification FROM attempt WHERE reference = :reference AND reference <> '' AND via = :channel)"
)


def apply_receipt(connection: sqlite3.Connection, said: Receipt) -> None:
    """A text that arrived by any channel is delivered; one that did not, by the channel that has it, is due at once."""
    bound = {"reference": said.reference, "channel": said.channel, "at_ms": said.at_ms, "reason": said.reason}
    if said.delivered:
        connection.execute(
            f"""
            UPDATE notification SET state = 'delivered', delivered_ms = min(coalesce(delivered_ms, :at_ms), :at_ms),
                accepted_ms = coalesce(accepted_ms, :at_ms), receipt_due_ms = NULL, next_attempt_ms = NULL, reason = ''
            WHERE {_OF} AND state IN ('owed', 'accepted', 'delivered', 'failed', 'refused')
            """,  # noqa: S608 -- words of our own
            bound,
        )
    else:
        connection.execute(
            f"""
            UPDATE notification SET receipt_due_ms = min(receipt_due_ms, :at_ms), reason = :reason
            WHERE {_OF} AND state = 'accepted' AND via = :channel AND reference = :reference
                AND receipt_due_ms IS NOT NULL
            """,  # noqa: S608 -- words of our own
            bound,
        )


def apply_known(connection: sqlite3.Connection, notification_id: int) -> None:
    """Receipts that were quicker than our own note that the text was taken, or that came while it went another way."""
    rows = connection.execute(
        "SELECT receipt.channel, receipt.reference, delivered, receipt.at_ms, receipt.reason FROM attempt"
        " JOIN receipt ON receipt.channel = attempt.via AND receipt.reference = attempt.reference"
        " WHERE notification = ? AND attempt.reference <> ''",
        (notification_id,),
    ).fetchall()
    for channel, reference, delivered, at_ms, reason in rows:
        apply_receipt(connection, Receipt(channel, reference, bool(delivered), at_ms, reason))


def add_answers(connection: sqlite3.Connection, answers: Iterable[Answered]) -> None:
    """Keeps what people wrote; a reply that was kept before changes nothing."""
    connection.executemany(
        "INSERT OR IGNORE INTO answer (channel, number, at_ms, phone, phone_key, text, meaning, person, episode)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*_reply_row(each.reply), each.meaning, each.person, each.episode) for each in answers],
    )


def _reply_row(said: Reply) -> tuple[str, str, Millis, str, str, str]:
    return said.channel, said.number, said.at_ms, said.phone, number_key(said.phone), said.text


def is_answered(connection: sqlite3.Connection, channel: str, number: str) -> bool:
    """Whether this reply was kept before."""
    row = connection.execute("SELECT 1 FROM answer WHERE channel = ? AND number = ?", (channel, number)).fetchone()
    return row is not None


def phone_of(connection: sqlite3.Connection, channel: str, reference: str) -> str:
    """The number of a text that a channel took under this reference and that has not arrived yet, if there is one."""
    row = connection.execute(
        f"SELECT phone FROM notification WHERE {_OF} AND state <> 'delivered'",  # noqa: S608 -- words of our own
        {"channel": channel, "reference": reference},
    ).fetchone()
    return "" if row is None else str(row[0])


def hears_back(connection: sqlite3.Connection, channel: str, since_ms: Millis) -> bool:
    """Whether any receipt of a channel since then says that its text arrived."""
    row = connection.execute(
        "SELECT 1 FROM receipt WHERE at_ms >= ? AND channel = ? AND delivered LIMIT 1", (since_ms, channel)
    ).fetchone()
    return row is not None


_EXPIRED_ANSWERS: Final = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM (SELECT id, at_ms FROM answer ORDER BY id LIMIT :rows) WHERE at_ms < :before
    )
"""
_EXPIRED_RECEIPTS: Final = """
    DELETE FROM receipt WHERE (channel, reference) IN (
        SELECT channel, reference FROM receipt WHERE at_ms < :before ORDER BY at_ms LIMIT :rows
    )
"""


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of answers and of receipts of before then."""
    bounds = {"before": before_ms, "rows": STEP_ROWS}
    return sum(connection.execute(query, bounds).rowcount for query in (_EXPIRED_ANSWERS, _EXPIRED_RECEIPTS))
