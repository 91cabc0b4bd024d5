"""What one transaction of the journal holds: values handed from pipeline to writer, and what the writer answers.

What became of a message that was put aside is among them. Nothing here knows SQLite. An entry is filled while a batch
is judged and may be committed again after a failure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple, Self, TypeAlias

from msgspec import Struct, field
from msgspec.structs import fields

from alerts.answers import Receipt, Reply
from alerts.channels import Outcome
from alerts.conditions.filling import LevelForecast
from alerts.ledger.case import Deed
from alerts.model import Event, Owed
from alerts.rollups.rows import Rollup
from alerts.undo import UndoDict, UndoList, UndoLog
from telemetry.reading import Millis, Reading
from telemetry.sequence import Mark
from telemetry.wire import Status


class Aside(NamedTuple):
    """One in quarantine, whole."""

    id: int
    received_ms: Millis
    topic: str
    payload: bytes
    reason: str


class RequeueOutcome(NamedTuple):
    """What became of one in quarantine that was looked at again; refused again, it stays for the reason of now."""

    id: int
    at_ms: Millis
    result: str
    reason: str
    detail: str


class Quarantined(NamedTuple):
    """An uplink, or one sample of it, that was refused: its raw bytes and why."""

    received_ms: Millis
    topic: str
    payload: bytes
    reason: str
    detail: str


class SignOfLife(NamedTuple):
    """An uplink by which a device lived and measured nothing; see ``telemetry.sequence.Mark`` for the rest of it."""

    device: str
    boot: int
    seq: int
    received_ms: Millis
    device_ms: Millis | None
    fingerprint: bytes


class AnomalyKind(StrEnum):
    """What may be wrong with what a device says while the rest of it counts."""

    REFUSED = "refused"
    PARTIAL = "partial"
    RESTARTED = "restarted"
    PORT = "port"
    FLOODED = "flooded"
    """Junk above the device's share of the hour: counted, not kept."""


class Anomaly(NamedTuple):
    """What was wrong, since when, how often, and what of the last time; a refused value has a name and a reason."""

    device: str
    kind: str
    subject: str
    since_ms: Millis
    last_ms: Millis
    times: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An episode as it stands now; ``cleared_ms`` is ``None`` while it is open. ``blob`` is the engine's own.

    One that is over is ``settled`` once nobody has to be told so any more; a start finds those that are not.
    """

    episode: str
    rule: str
    asset: str
    device: str
    severity: str
    raised_ms: Millis
    cleared_ms: Millis | None
    blob: bytes
    settled: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case of the ledger as it stands now: what lists are filtered by, and the whole as ``blob``, the ledger's own.

    ``within`` holds every area of it between slashes (``/xiang/qingshi/liutan/``); 0 is no time.
    """

    id: str
    town: str
    day: str
    in_day: int
    state: str
    origin: str
    rule: str
    severity: str
    asset: str
    within: str
    place: str
    what: str
    owner: str
    caller: str
    episode: str
    opened_ms: Millis
    deadline_ms: Millis
    closed_ms: Millis
    blob: bytes
    settled: bool


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A notification is about to be handed to its channel; durable before the call is made."""

    notification_id: int
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """What the channel ``via`` answered. With ``next_attempt_ms`` it is owed again, without it has ended for good.

    ``next_via`` is the channel of the next try. What was accepted waits for its receipt until
    ``receipt_due_ms``.
    """

    notification_id: int
    at_ms: Millis
    outcome: Outcome
    next_attempt_ms: Millis | None = None
    via: str = ""
    next_via: str = ""
    receipt_due_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class Unreceipted:
    """What is done about a text without a receipt: sent ``via`` another channel, or looked at again, or left."""

    notification_id: int
    at_ms: Millis
    reason: str
    via: str = ""
    receipt_due_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody wrote, and how it was understood."""

    reply: Reply
    meaning: str
    person: str = ""
    episode: str = ""


Attempt: TypeAlias = AttemptStarted | AttemptEnded


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every asset's state and every device's track, as they are after the last reading of this transaction.

    ``ruleset`` names the rules under which they were made.
    """

    states: Mapping[str, bytes]
    tracks: Mapping[str, bytes]
    ruleset: str = ""


@dataclass(frozen=True, slots=True)
class InventoryBody:
    """An inventory that was imported or edited: its whole text, told apart by its hash."""

    imported_ms: Millis
    sha256: str
    body: str


class StoredEvent(NamedTuple):
    """An event as it is kept: its id, and when its episode was raised (0 where there is none)."""

    id: int
    event: Event
    raised_ms: Millis


class Spell(NamedTuple):
    """How long an episode lasts or lasted, and what of."""

    episode: str
    rule: str
    asset: str
    severity: str
    raised_ms: Millis
    cleared_ms: Millis | None


class Stream(StrEnum):
    """Rows that are added in the order of their ids, and read on by somebody after the loop."""

    READING = "reading"
    EVENT = "event"
    ROLLUP = "rollup"


class Consumer(NamedTuple):
    """Somebody who reads a stream to its end, at their own pace; what they have not seen is kept."""

    name: str
    stream: Stream


class Dirty(NamedTuple):
    """A day that must be computed again: of an asset, or of a town (``area``), by its id; it stands at its midnight."""

    day_ms: Millis
    kind: Literal["asset", "area"]
    subject: str


class Carry(NamedTuple):
    """What an asset's next hour starts from at ``at_ms``; without a blob nothing is known of it yet."""

    asset: str
    at_ms: Millis
    blob: bytes | None


class DayCarry(NamedTuple):
    """The same at the beginning of a day; no reading of the day or of a later one has an id up to ``position``."""

    day_ms: Millis
    asset: str
    position: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the rollups have come. Every reading observed before ``closed_ms`` with an id up to ``scanned`` is in."""

    closed_ms: Millis
    scanned: int
    next_day_ms: Millis
    """The midnight of the first day that has no daily rows yet."""
    carries_from_ms: Millis
    """Carries of earlier days may be gone."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """Rollups to be made durable in one transaction, with all that says how they came about."""

    rows: tuple[Rollup, ...] = ()
    carries: tuple[Carry, ...] = ()
    day_carries: tuple[DayCarry, ...] = ()
    dirty: tuple[Dirty, ...] = ()
    clean: tuple[Dirty, ...] = ()
    progress: Progress | None = None
    consumed: tuple[Consumer, int] | None = None
    """Up to which id readings may be let go."""


class Entry(Struct):
    """Everything that one batch leaves behind, committed together or not at all (design §3, step 5).

    ``states`` names only assets whose machines moved, ``mailboxes`` numbers whose box is another; one without a byte
    goes. ``dropped`` pairs a notification's key with the reason why it will not be sent. ``known`` says since when a
    device is known; the first instant told is kept. ``consumed`` says up to which id a consumer has dealt with its
    stream. ``tracks`` names only devices whose track does not follow from their readings. ``excused`` is from when to
    when nobody did anything: a receipt that would have been missed from then on is waited for as much longer.
    ``readdressed`` has the number at which the person of a notification is reached by now, by its id. ``forecasts`` is
    shown and never written: a start works it out again.
    """

    readings: list[Reading] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    looked: list[RequeueOutcome] = field(default_factory=list)
    statuses: list[tuple[Status, Millis]] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    mailboxes: dict[str, bytes] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    heartbeat_ms: Millis | None = None
    snapshot: Snapshot | None = None
    known: dict[str, Millis] = field(default_factory=dict)
    consumed: dict[Consumer, int] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    inventory: InventoryBody | None = None
    rolled: list[Rolled] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    unreceipted: list[Unreceipted] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    cases: dict[str, CaseRow] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    signs_of_life: list[SignOfLife] = field(default_factory=list)
    anomalies: dict[tuple[str, str, str], Anomaly] = field(default_factory=dict)
    tracks: dict[str, bytes] = field(default_factory=dict)
    excused: tuple[Millis, Millis] | None = None
    readdressed: dict[int, str] = field(default_factory=dict)
    forecasts: dict[str, LevelForecast] = field(default_factory=dict)

    def note(
        self, device: str, kind: AnomalyKind, at_ms: Millis, detail: str, *, subject: str = "", reason: str = ""
    ) -> None:
        """One more time that something was wrong."""
        name = (device, str(kind), subject)
        before = self.anomalies.get(name)
        since_ms, times = (at_ms, 0) if before is None else (before.since_ms, before.times)
        self.anomalies[name] = Anomaly(*name, since_ms, at_ms, times + 1, reason, detail)

    def marks(self) -> Iterator[tuple[str, int, Mark]]:
        """By what its LoRaWAN frames are known again: device, count and mark of each."""
        for reading in self.readings:
            if reading.fingerprint:
                mark = Mark(reading.boot, reading.received_ms, reading.device_ms, reading.fingerprint)
                yield reading.device, reading.seq, mark
        for sign in self.signs_of_life:
            yield sign.device, sign.seq, Mark(sign.boot, sign.received_ms, sign.device_ms, sign.fingerprint)

    @classmethod
    def under(cls, undo: UndoLog) -> Self:
        """One to be filled and handed over turn by turn; a rollback takes back what was filled in."""
        parts: dict[str, Any] = {name: UndoList(undo) for name in _LISTS}
        parts.update((name, UndoDict(undo)) for name in _MAPPINGS)
        return cls(**parts)

    def take(self, undo: UndoLog) -> "Entry":
        """What was filled into one made ``under`` this log, handed over; it is empty again and goes on being filled."""
        taken = Entry()
        for name in compress(_NAMES, _parts(self)):  # each turn, and nearly all of it is empty
            part = getattr(self, name)
            if isinstance(part, UndoList | UndoDict):
                setattr(taken, name, part.take())
            else:
                undo.note(setattr, self, name, part)
                setattr(self, name, None)
                setattr(taken, name, part)
        return taken

    @property
    def is_empty(self) -> bool:
        """Whether a commit would change nothing."""
        return not (self.readings or any(_parts(self))) and self.heartbeat_ms is None


_LISTS: Final = tuple(part.name for part in fields(Entry) if part.default_factory is list)
_MAPPINGS: Final = tuple(part.name for part in fields(Entry) if part.default_factory is dict)
_NAMES: Final = Entry.__struct_fields__
_parts: Final = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class Committed:
    """What became durable: the id of the newest reading of the journal, the ids of the notifications that were new.

    ``repeated_keys`` counts the owed whose key the journal had already; they changed nothing (law L7). ``not_owed``
    names the notifications of ``AttemptStarted`` that were no longer owed: their try may not begin.
    """

    last_reading_id: int
    notification_ids: tuple[int, ...]
    repeated_keys: int
    not_owed: frozenset[int] = frozenset()
