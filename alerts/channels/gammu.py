"""Texts through gammu-smsd: a daemon of its own with a modem, spoken to through its SQLite tables and nothing else.

A row in its outbox is as good as accepted: it survives both of us. smsd writes local time into some columns, so no
column of time is compared with a clock of ours.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from alerts.answers import Receipt, Reply, receipt, reply
from alerts.channels import (
    Accepted,
    Awaited,
    Caps,
    ChannelKind,
    Collected,
    Failed,
    Fitness,
    Message,
    Outcome,
    SendRefused,
    Unreachable,
    mark,
)
from telemetry.phone import dialled
from telemetry.reading import Millis
from telemetry.segments import parts

NAME: Final = "gammu"
WAITS_S: Final = 5.0
"""How long smsd may hold its own database."""
REPLIES_AT_ONCE: Final = 50
_LONG_AGO: Final = "2000-01-01 00:00:00"
"""As the time to send from: past in every time zone, smsd's and ours."""
_URGENT: Final = 100
_PARTS_MOST: Final = 5
_NUMBER_DIGITS: Final = range(3, 16)
_ALIVE_WITHIN_S: Final = 180
"""smsd notes the state of its modem each minute unless told otherwise."""

_CONCATENATED: Final = {0x00: 3, 0x08: 4}
"""The elements of a header that make a text part of a longer one, by how long they are."""
_JOINED_MOST: Final = 8
_PARTS_WITHIN_S: Final = 600
"""So long the first part of a text waits for the others."""

_ARRIVED: Final = "DeliveryOK"
_LOST: Final = {"DeliveryFailed": "delivery_failed", "SendingError": "sending_error", "Error": "sending_error"}

T = TypeVar("T")


class GammuSettings(BaseModel):
    """``[sms]`` or ``[channels.gammu]``: where smsd's database is, and which of its modems sends, if it has several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: Path
    phone_id: str | None = None
    caps: Caps = Caps()
    collect_every_s: float = Field(default=2.0, ge=0.1, le=3_600)


class Gammu:
    """One smsd, by its tables. Every call is a connection of its own, so a replaced database does no harm."""

    def __init__(self, settings: GammuSettings) -> None:
        self._settings = settings
        self.every_s = settings.collect_every_s

    def send(self, message: Message) -> Outcome:
        """Lays the text into smsd's outbox; whether a modem takes it from there is told by a receipt."""
        phone = dialled(message.phone)
        if len(phone) not in _NUMBER_DIGITS or not set(message.phone) <= set("+0123456789 -"):
            return SendRefused("no_number", dead_number=True)
        if not message.text:
            return SendRefused("no_text")
        laid = parts(message.text)
        if len(laid) > _PARTS_MOST:
            return SendRefused("too_long")
        try:
            return Accepted(self._do(lambda smsd: _insert(smsd, message, phone, laid, self._settings.phone_id)))
        except Unreachable as trouble:
            return Failed(str(trouble))

    def find(self, message: Message) -> Accepted | None:
        """The row laid for this key, waiting or sent; one that smsd could not send was never got."""
        try:
            return self._do(lambda smsd: _find(smsd, message.mark))
        except Unreachable:
            return None

    def withdraw(self, key: str) -> bool:
        """Takes a row back that smsd has not begun to send."""
        try:
            return self._do(lambda smsd: _withdraw(smsd, mark(key)))
        except Unreachable:
            return False

    def collect(self, awaited: Sequence[Awaited], now_ms: Millis) -> Collected:
        """Receipts out of ``sentitems``, replies out of ``inbox``."""
        return self._do(lambda smsd: Collected(tuple(_receipts(smsd, awaited, now_ms)), tuple(_replies(smsd, now_ms))))

    def taken(self, collected: Collected) -> None:
        """Marks the replies as processed; a reply's number begins with its rows."""
        rows = [(row,) for said in collected.replies for row in said.number.partition(".")[0].split("+")]
        if rows:
            self._do(lambda smsd: smsd.executemany("UPDATE inbox SET Processed = 'true' WHERE ID = ?", rows))

    def _do(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction; ``Unreachable`` with a reason of one word."""
        try:
            with _opened(self._settings.database) as smsd:
                smsd.execute("BEGIN IMMEDIATE")
                done = act(smsd)
                smsd.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unreachable(_reason(error)) from None
        return done


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """An existing database: one that is not there is not made."""
    uri = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=WAITS_S, isolation_level=None)) as smsd:
        yield smsd


def _reason(error: sqlite3.Error) -> str:
    said = str(error)
    if "locked" in said or "busy" in said:
        return "busy"
    return "no_tables" if "no such table" in said else "no_database"


def _insert(smsd: sqlite3.Connection, message: Message, phone: str, laid: list[str], phone_id: str | None) -> str:
    headers = _headers(message.mark, len(laid))
    row = smsd.execute(
        "INSERT INTO outbox (SendingDateTime, SendingTimeOut, DestinationNumber, TextDecoded, Coding, UDH, MultiPart,"
        " CreatorID, DeliveryReport, SenderID, Priority)"
        " VALUES (?, ?, ?, ?, 'Unicode_No_Compression', ?, ?, ?, 'yes', ?, ?)",
        (
            _LONG_AGO,
            _LONG_AGO,
            phone,
            laid[0],
            headers[0],
            "true" if len(laid) > 1 else "false",
            message.mark,
            phone_id,
            _URGENT if message.severity == "P1" else 0,
        ),
    ).lastrowid
    smsd.executemany(
        "INSERT INTO outbox_multipart (ID, SequencePosition, TextDecoded, Coding, UDH)"
        " VALUES (?, ?, ?, 'Unicode_No_Compression', ?)",
        [(row, place, part, headers[place - 1]) for place, part in enumerate(laid[1:], start=2)],
    )
    return f"{message.mark}.{row}"


def _headers(key: str, count: int) -> list[str | None]:
    """What lets a phone put several segments together again."""
    return [None] if count == 1 else [f"050003{key[:2].upper()}{count:02X}{place:02X}" for place in range(1, count + 1)]


def _find(smsd: sqlite3.Connection, key: str) -> Accepted | None:
    waiting = smsd.execute("SELECT max(ID) FROM outbox WHERE CreatorID = ?", (key,)).fetchone()[0]
    if waiting is not None:
        return Accepted(f"{key}.{waiting}")
    rows = smsd.execute(
        "SELECT ID, Status FROM sentitems WHERE CreatorID = ? AND ID = (SELECT max(ID) FROM sentitems"
        " WHERE CreatorID = ?)",
        (key, key),
    ).fetchall()
    if not rows or any(status in _LOST for _, status in rows):
        return None
    return Accepted(f"{key}.{rows[0][0]}", delivered=all(status == _ARRIVED for _, status in rows))


def _withdraw(smsd: sqlite3.Connection, key: str) -> bool:
    gone = smsd.execute(
        "DELETE FROM outbox WHERE CreatorID = ? AND SendingTimeOut = ? RETURNING ID", (key, _LONG_AGO)
    ).fetchall()
    smsd.executemany("DELETE FROM outbox_multipart WHERE ID = ?", gone)
    return bool(gone)


def _receipts(smsd: sqlite3.Connection, awaited: Sequence[Awaited], now_ms: Millis) -> Iterator[Receipt]:
    for text in awaited:
        key, _, row = text.reference.partition(".")
        found = smsd.execute("SELECT Status FROM sentitems WHERE ID = ? AND CreatorID = ?", (row, key)).fetchall()
        states = [status for (status,) in found]
        lost = next((_LOST[state] for state in states if state in _LOST), "")
        if lost:
            yield receipt(NAME, text.reference, delivered=False, at_ms=now_ms, reason=lost)
        elif states and all(state == _ARRIVED for state in states):
            yield receipt(NAME, text.reference, delivered=True, at_ms=now_ms)


def _replies(smsd: sqlite3.Connection, now_ms: Millis) -> Iterator[Reply]:
    """What was written, each once; the parts of a long text as one, as soon as all are there or no more will come."""
    found: list[_Long] = []
    for row, received, phone, text, header, late in smsd.execute(
        "SELECT ID, ReceivingDateTime, SenderNumber, TextDecoded, UDH, UpdatedInDB < datetime('now', ?) FROM inbox"
        " WHERE Processed = 'false' ORDER BY ID LIMIT ?",
        (f"-{_PARTS_WITHIN_S} seconds", REPLIES_AT_ONCE),
    ):
        part = _part(str(header or ""))
        name = (str(phone), *part[:2])
        known = (each for each in found if each.name == name and part[1] > 1 and part[2] not in each.parts)
        long = next(known, None)
        if long is None:
            long = _Long(name, f"{received}")
            found.append(long)
        long.parts[part[2]] = (row, str(text))
        long.late = long.late or bool(late)
    for long in found:
        if long.late or len(long.parts) == long.name[2]:
            parts = [long.parts[place] for place in sorted(long.parts)]
            rows = "+".join(str(row) for row, _ in parts)
            yield reply(NAME, f"{rows}.{long.received}", long.name[0], "".join(text for _, text in parts), now_ms)


@dataclass
class _Long:
    """A text that may have come in several parts: whose, under which number, of how many."""

    name: tuple[str, int, int]
    received: str
    parts: dict[int, tuple[int, str]] = field(default_factory=dict)
    late: bool = False


def _part(header: str) -> tuple[int, int, int]:
    """Number, parts in all and place of a part, by its user data header (3GPP TS 23.040, 9.2.3.24.1 and .8)."""
    try:
        octets = bytes.fromhex(header)
    except ValueError:
        return 0, 1, 1
    at = 1
    while at + 1 < len(octets):
        element, length = octets[at], octets[at + 1]
        said = octets[at + 2 : at + 2 + length]
        if _CONCATENATED.get(element) == length == len(said):
            total, place = said[-2:]
            return (int.from_bytes(said[:-2]), total, place) if 1 <= place <= total <= _JOINED_MOST else (0, 1, 1)
        at += 2 + length
    return 0, 1, 1


def _examine(settings: GammuSettings) -> Fitness:
    """Whether the tables are there and a daemon works on them."""
    try:
        with _opened(settings.database) as smsd:
            (fresh,) = smsd.execute(
                "SELECT count(*) FROM phones WHERE UpdatedInDB > datetime('now', ?)", (f"-{_ALIVE_WITHIN_S} seconds",)
            ).fetchone()
            (waiting,) = smsd.execute("SELECT count(*) FROM outbox").fetchone()
    except sqlite3.Error as error:
        remedy = "make it from smsd's own sqlite.sql and give the gateway's user the right to write it"
        return Fitness(usable=False, state=f"{settings.database} cannot be used: {_reason(error)}", remedy=remedy)
    if fresh:
        return Fitness(usable=True, state=f"gammu-smsd works on {settings.database}, {waiting} texts wait in it")
    state = f"no gammu-smsd has worked on {settings.database} for {_ALIVE_WITHIN_S} s, {waiting} texts wait in it"
    return Fitness(usable=False, state=state, remedy="start gammu-smsd with this database; look into its log")


CHANNEL: Final = ChannelKind(name=NAME, settings=GammuSettings, open=Gammu, examine=_examine)
