"""The words between engine, journal and courier: states, events, what is owed, and why a wish cannot be.

Everything here is a frozen value without behaviour; what changes them is in ``conditions`` and ``episodes``, and
whether a wish can be is decided where the wish is known.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct

from telemetry.reading import Millis

Detail: TypeAlias = dict[str, str | int | float | bool | list[str] | None]
"""Evidence in an event: plain JSON values, for people and for texts."""


class Severity(StrEnum):
    """How much it matters; P1 wakes people."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


URGENT: Final = frozenset({Severity.P1, Severity.P2})
"""What somebody has to act on within hours: of it nothing is left unsaid while it stands."""


class Condition(IntEnum):
    """Where a rule stands on an asset (ISA-18.2's process condition with its delays made visible)."""

    NORMAL = 0
    PENDING = 1
    ACTIVE = 2
    RECOVERING = 3


class MessageKind(StrEnum):
    """What a message is to its reader."""

    FIRST = "first"
    REPEAT = "repeat"
    ESCALATION = "escalation"
    FRESH = "fresh"
    CLEARED = "cleared"
    DIGEST = "digest"
    NOTICE = "notice"


BEGUN: Final = frozenset({MessageKind.FIRST, MessageKind.FRESH})
"""Kinds that tell somebody of a case for the first time, or as if it were."""


class RunState(StrEnum):
    """What a plant is doing."""

    RUNNING = "running"
    IDLE = "idle"
    STOPPED = "stopped"
    NO_POWER = "no_power"
    METER_FAULT = "meter_fault"
    OFFLINE = "offline"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


RUN_CODES: Final[Mapping[str, int]] = MappingProxyType(
    {
        RunState.UNKNOWN: 0,
        RunState.RUNNING: 1,
        RunState.IDLE: 2,
        RunState.STOPPED: 3,
        RunState.NO_POWER: 4,
        RunState.METER_FAULT: 5,
        RunState.OFFLINE: 6,
        RunState.MAINTENANCE: 7,
    }
)
"""How a time series writes it (docs/series.md); a number is never given to another state."""

PRINTED: Final = frozenset({"raised", "acked", "cleared", "reset", "emptied", "partly_emptied", "owed"})
"""The events that ``replay`` prints without ``--verbose``."""


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that happened to an asset or an episode, or a reason why something did not (law L9).

    ``at_ms`` is the receive time of the uplink that caused it, or the due instant of the timer; never device time.
    """

    at_ms: Millis
    event: str
    rule: str = ""
    asset: str = ""
    device: str = ""
    episode: str = ""
    severity: str = ""
    detail: Detail | None = None


class Actor(Struct, frozen=True):
    """Who asked for something to be done, by which way and from where."""

    by: str
    channel: str
    origin: str = ""
    looked: str = ""
    """The name of who has been there and looked, where that is asked."""
    reason: str = ""
    """What they saw there."""

    def detail(self) -> Mapping[str, str]:
        """As a row says it."""
        more = {"origin": self.origin, "looked": self.looked, "reason": self.reason}
        return {"by": self.by, "channel": self.channel} | {name: said for name, said in more.items() if said}


class Refused(Struct, frozen=True):
    """It cannot be, and nothing changed: ``why`` for whoever says it in other words, ``sentence`` with the remedy."""

    why: str
    sentence: str


class Owed(Struct, frozen=True, kw_only=True):
    """A message that somebody must get. ``key`` is unique: (episode, kind, step, recipient, repeat) (law L7).

    ``text`` is what a person reads. ``template`` and ``variables`` say the same to a provider that sends only what it
    approved before: the name in the catalogue, and the facts in it.
    """

    at_ms: Millis
    rule: str
    asset: str
    episode: str
    severity: str
    kind: MessageKind
    step: int
    repeat: int
    to: str
    phone: str
    channel: str
    """``sms`` or ``voice``; by which provider is the courier's."""
    text: str
    covers: tuple[str, ...] = ()
    """The episodes that one text for several speaks of; empty where it speaks of its own alone."""
    template: str = ""
    variables: dict[str, str] = {}
    call: int = 0
    """Which of the calls beside a text it is, from 1; 0 is no such call."""
    not_before_ms: Millis = 0

    @property
    def key(self) -> str:
        """The idempotency key, readable."""
        call = f"~{self.call}" if self.call else ""
        return f"{self.episode}#{self.kind}.{self.step}.{self.repeat}@{self.to}{call}"


Log: TypeAlias = list[Event | Owed]
"""What happened, in order; whoever is given one appends to it."""
