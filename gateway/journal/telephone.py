"""What a number was told and what came back: receipts, what they make of their notifications, and what people answered.

Only statements stand here; the transaction around those that write is the writer's. That receipts repeat and come in
any order is dealt with by ``alerts.answers.settled`` and by deriving a notification's state from all of them.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from alerts.answers import Asked, Receipt, Reply, settled
from alerts.delivery.delivery import LIMITS, Limited, Taken
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


_TAKEN_MOST: Final = 200
"""So many texts of one number in a day are looked at for the providers' caps."""


def _keyed(phone: str) -> str | None:
    """By what rows of a number are found; nothing is found of what is no number."""
    return number_key(phone) or None


_TRIED_MS: Final[Millis] = 3 * 86_400_000
"""A text that its way has taken back since may have been owed so long before."""
_TEXTS_MOST: Final = 2_000
"""So many texts of a number are looked at: those of a month at the very least, however long each was owed."""


_TOLD: Final = """
    WITH latest AS (
        SELECT * FROM notification WHERE phone_key = :key AND call = 0 ORDER BY at_ms DESC LIMIT :most
    ), told AS (
        SELECT *, coalesce(
            (SELECT min(ended_ms) FROM attempt WHERE notification = latest.id AND outcome = 'accepted'),
            accepted_ms
        ) AS taken_ms
        FROM latest WHERE at_ms >= :owed_ms OR accepted_ms >= :since_ms OR state IN ('owed', 'sending')
    )
    SELECT episode, recipient, template, kind, coalesce(taken_ms, at_ms), json_extract(variables, '$.code'), covers,
        variables, text, taken_ms IS NOT NULL
    FROM told
    WHERE coalesce(taken_ms, at_ms) >= :since_ms AND (taken_ms IS NOT NULL OR state IN ('owed', 'sending'))
    ORDER BY coalesce(taken_ms, at_ms) DESC, id DESC LIMIT 200
"""


def told(connection: sqlite3.Connection, phone: str, since_ms: Millis) -> list[Asked]:
    """What a number was told since then, what was taken last first; also what no provider has taken yet."""
    given = {"key": _keyed(phone), "since_ms": since_ms, "owed_ms": since_ms - _TRIED_MS, "most": _TEXTS_MOST}
    return [
        Asked(
            episode,
            person,
            template,
            kind,
            at_ms,
            code or "",
            msgspec.json.decode(covers or "[]", type=tuple[str, ...]),
            msgspec.json.decode(variables, type=dict[str, str]),
            text,
            bool(accepted),
        )
        for episode, person, template, kind, at_ms, code, covers, variables, text, accepted in connection.execute(
            _TOLD, given
        )
    ]


def taken(connection: sqlite3.Connection, phone: str, since_ms: Millis) -> tuple[Taken, ...]:
    """What channels took for a number since then."""
    rows = connection.execute(
        "SELECT attempt.via, template, ended_ms FROM attempt JOIN notification ON notification.id = notification"
        " WHERE phone_key = ? AND notification.at_ms >= ? - 86400000 AND outcome = 'accepted' AND ended_ms >= ?"
        " LIMIT ?",
        (_keyed(phone), since_ms, since_ms, _TAKEN_MOST),
    )
    return tuple(Taken(*row) for row in rows)


def limited(connection: sqlite3.Connection, phone: str, since_ms: Millis) -> tuple[Limited, ...]:
    """What providers' limits kept from a number since then, the newest first."""
    rows = connection.execute(
        "SELECT attempt.via, template, attempt.reason, ended_ms FROM attempt"
        " JOIN notification ON notification.id = notification"
        " WHERE phone_key = ? AND notification.at_ms >= ? AND outcome = 'failed' AND attempt.reason GLOB 'limit_*'"
        " ORDER BY attempt.id DESC LIMIT ?",
        (_keyed(phone), since_ms, _TAKEN_MOST),
    )
    return tuple(Limited(*row) for row in rows if row[2] in LIMITS)


def untold(connection: sqlite3.Connection, phone: str, since_ms: Millis) -> int:
    """How many texts to a number since then have not arrived; calls and what was dropped do not count."""
    row = connection.execute(
        "SELECT count(*) FROM notification WHERE phone_key = ? AND at_ms >= ? AND channel = 'sms' AND call = 0"
        " AND state IN ('owed', 'sending', 'accepted', 'failed', 'refused')",
        (_keyed(phone), since_ms),
    ).fetchone()
    return int(row[0])


def reached(connection: sqlite3.Connection, phone: str, since_ms: Millis) -> bool:
    """Whether any text arrived at a number since then; one that was owed up to a day before may be it."""
    row = connection.execute(
        "SELECT 1 FROM notification WHERE phone_key = ? AND at_ms >= ? - 86400000 AND channel = 'sms'"
        " AND delivered_ms >= ? LIMIT 1",
        (_keyed(phone), since_ms, since_ms),
    ).fetchone()
    return row is not None


def hears_back(connection: sqlite3.Connection, channel: str, since_ms: Millis) -> bool:
    """Whether any receipt of a channel since then says that its text arrived."""
    row = connection.execute(
        "SELECT 1 FROM receipt WHERE at_ms >= ? AND channel = ? AND delivered LIMIT 1", (since_ms, channel)
    ).fetchone()
    return row is not None


class Said(Struct, frozen=True):
    """What somebody wrote to us, and through which channel."""

    at_ms: Millis
    channel: str
    text: str


_SAID: Final = "SELECT at_ms, channel, text FROM answer WHERE phone_key = ? ORDER BY id DESC LIMIT ?"


def said_from(connection: sqlite3.Connection, phone: str, most: int) -> list[Said]:
    """The newest that a number wrote, the newest first."""
    return [Said(*row) for row in connection.execute(_SAID, (number_key(phone), most))]


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
