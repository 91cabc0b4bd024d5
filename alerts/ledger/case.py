"""One case of the ledger as it stands, what people ask of it, what was done, and the words for that. Frozen values.

What changes a case is ``moves`` and ``book``; how it is kept is the journal's.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from telemetry.reading import Millis


class State(StrEnum):
    """Where a case stands between 登记 and 销号."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DOING = "doing"
    FIXED = "fixed"
    """Somebody says that it is done; nobody has seen it yet."""
    VERIFIED = "verified"
    CLOSED = "closed"
    DEFERRED = "deferred"
    """备案: it waits for a reason until a day, and nobody is nagged."""
    REOPENED = "reopened"


UNDER_WAY: Final = frozenset({State.OPEN, State.ASSIGNED, State.DOING, State.REOPENED})
"""Somebody still has something to do."""

UNFINISHED: Final = UNDER_WAY | {State.FIXED, State.DEFERRED}
"""Nobody has seen that it is done."""


class Origin(StrEnum):
    """How a case came to be known."""

    TELEMETRY = "telemetry"
    TELEPHONE = "telephone"
    SIGHT = "sight"
    ANSWER = "answer"


class CaseVerb(StrEnum):
    """What a person may ask of a case."""

    ASSIGN = "assign"
    START = "start"
    FIX = "fix"
    VERIFY = "verify"
    CLOSE = "close"
    DEFER = "defer"
    REOPEN = "reopen"
    NOTE = "note"


class Deed(Struct, frozen=True, kw_only=True):
    """One line of a case's history, never changed: who, when, by which way and from where, from what to what, and why.

    Without ``by`` the house itself did it: a sensor saw it, or a deadline passed.
    """

    case: str
    at_ms: Millis
    deed: str
    by: str = ""
    channel: str = ""
    origin: str = ""
    was: str = ""
    now: str
    reason: str = ""


class Word(Struct, frozen=True, kw_only=True):
    """A text about a case that waits for the day."""

    text: str
    to: tuple[str, ...]
    at_ms: Millis
    number: int
    step: int = 0


class Case(Struct, frozen=True, kw_only=True):
    """A case. All times are receive time; 0 is none. Once assigned it has an owner, a rule and a deadline (三明确)."""

    id: str
    origin: Origin
    what: str
    rule: str
    opened_ms: Millis
    areas: tuple[str, ...]
    """Where it is counted; a border asset names two."""
    within: tuple[str, ...]
    """Those areas and all above them, so that a part of the tree can be asked for."""
    town: str
    severity: str = "P3"
    asset: str = ""
    place: str = ""
    episode: str = ""
    standing: bool = False
    """Its episode is not over."""
    parent: str = ""
    """The episode that explains its own."""
    caller_name: str = ""
    caller_phone: str = ""
    photo: str = ""
    key: str = ""
    """What whoever registered it called their asking, so that asking again finds it."""
    state: State = State.OPEN
    owner: str = ""
    deadline_ms: Millis = 0
    level: int = 0
    """How many levels up the overdue has climbed."""
    proof: str = ""
    reason: str = ""
    """Why it is deferred, or was reopened."""
    until_ms: Millis = 0
    back: State = State.ASSIGNED
    """What it returns to when its deferral ends."""
    recurs: str = ""
    """The case of the same matter on the same asset that was done not long before: 前清后起."""
    reopened: int = 0
    seen_ms: Millis = 0
    """When a sensor last saw it done, while nobody had said so."""
    fixed_ms: Millis = 0
    verified_ms: Millis = 0
    closed_ms: Millis = 0
    due_ms: Millis = 0
    """When time alone changes it next: overdue, a deferral's end, closing, leaving the desk."""
    words: tuple[Word, ...] = ()
    said: int = 0
    settled: bool = False
    """Time and telemetry change it no more."""
    asked: tuple[str, ...] = ()
    """Who was told to see to it, and has neither declined nor been relieved."""

    @property
    def wake_ms(self) -> Millis:
        """The earliest instant at which anything about it is due, or 0."""
        return min((due for due in (self.due_ms, *(word.at_ms for word in self.words)) if due), default=0)


class Register(Struct, frozen=True, kw_only=True):
    """登记: somebody was told or saw something. An asset, or an area with a place in words, and what it is.

    ``by`` is who writes it down, ``channel`` by what way, ``origin`` from where; ``reported`` is how it came to be
    known, and the caller may stay unknown. Asking again with the same ``key`` is asking once.
    """

    what: str
    by: str
    channel: str = "desk"
    origin: str = ""
    reported: Origin = Origin.TELEPHONE
    asset: str = ""
    area: str = ""
    place: str = ""
    rule: str = ""
    caller_name: str = ""
    caller_phone: str = ""
    photo: str = ""
    key: str = ""


class CaseCommand(Struct, frozen=True, kw_only=True):
    """A person, named by their inventory id in ``by``, asks something about a case.

    ``to``, ``rule`` and ``deadline_ms`` belong to assigning, ``until_ms`` to deferring, ``proof`` to fixing and
    verifying; ``reason`` says why, and is what a note says.
    """

    verb: CaseVerb
    case: str
    by: str
    channel: str = "desk"
    origin: str = ""
    to: str = ""
    rule: str = ""
    deadline_ms: Millis = 0
    until_ms: Millis = 0
    reason: str = ""
    proof: str = ""


class LedgerRefusal(StrEnum):
    """Why something that was asked of the ledger does not happen."""

    WRONG_STATE = "wrong_state"
    NOT_VERIFIED = "not_verified"
    SENSOR_DECIDES = "sensor_decides"
    PROOF_MISSING = "proof_missing"
    REASON_MISSING = "reason_missing"
    OWNER_MISSING = "owner_missing"
    UNKNOWN_OWNER = "unknown_owner"
    UNKNOWN_RULE = "unknown_rule"
    UNKNOWN_PLACE = "unknown_place"
    BAD_TIME = "bad_time"
    NOTE_MISSING = "note_missing"
    FULL = "full"


class Refusal(Struct, frozen=True):
    """Nothing happened; ``sentence`` tells a person why, and what to do."""

    why: LedgerRefusal
    sentence: str


pack_case: Final[Callable[[Case], bytes]] = msgspec.msgpack.Encoder().encode
"""A case as bytes."""
unpack_case: Final[Callable[[bytes], Case]] = msgspec.msgpack.Decoder(Case).decode
"""A case from bytes."""
