"""The ways a text can leave the house; one file a channel, each exports ``CHANNEL``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from alerts.answers import Receipt, Reply
from telemetry.reading import Millis


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. ``key`` is the same for every try, so that a provider can be asked for it.

    ``template`` and ``variables`` are for a provider that sends only texts that it approved before.
    """

    key: str
    episode: str
    to: str
    phone: str
    text: str
    at: str
    severity: str = ""
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The key, short enough for any provider's own field."""
        return mark(self.key)


def mark(key: str) -> str:
    """A key in 32 signs that every provider takes."""
    return sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; whether it reached the phone is told later, unless ``delivered`` already says so.

    Where no receipt will ever come (``receipted`` is false), it stays accepted and nobody waits.
    """

    reference: str
    delivered: bool = False
    receipted: bool = True


@dataclass(frozen=True, slots=True)
class SendRefused:
    """It will never be taken: a dead number, a forbidden text. Trying again is of no use.

    ``dead_number`` says that the number is why, so that a person has to look after it.
    """

    reason: str
    dead_number: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken this time; ``retry_after_s`` is the provider's own wish, if it named one."""

    reason: str
    retry_after_s: float | None = None


Outcome: TypeAlias = Accepted | SendRefused | Failed


class Channel(Protocol):
    """One way out. ``send`` is called by one thread, after its attempt row is durable; it answers and never raises."""

    def send(self, message: Message) -> Outcome:
        """Hands the message over; blocks, bounded by the channel's own time-out."""

    def find(self, message: Message) -> Accepted | None:
        """What became of an earlier try, asked after a crash; ``None`` if the provider never got it, or cannot say."""


class Awaited(NamedTuple):
    """A text that was taken and of which no receipt has come."""

    reference: str
    phone: str
    accepted_ms: Millis


class Collected(NamedTuple):
    """What was fetched from a provider in one go."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()


class Unreachable(Exception):  # noqa: N818 -- a state of the world, not an error of ours
    """The provider cannot be asked now; asking later is right."""


@runtime_checkable
class Reporting(Protocol):
    """A channel that can be asked what became of texts, and what people replied. One thread asks, every ``every_s``."""

    every_s: float

    def collect(self, awaited: Sequence[Awaited], now_ms: Millis) -> Collected:
        """Receipts for what is awaited, and new replies; bounded, and ``Unreachable`` when it cannot be asked."""

    def taken(self, collected: Collected) -> None:
        """What was collected is durable here and need not be told again; ``Unreachable`` as above."""


@runtime_checkable
class Filing(Protocol):
    """A channel that keeps its texts as files of this machine."""

    folder: Path


@runtime_checkable
class Withdrawing(Protocol):
    """A channel that can take back what it has not sent yet, once the text goes another way."""

    def withdraw(self, key: str) -> bool:
        """Whether it was still there and will not be sent."""


class Caps(BaseModel):
    """How many texts a provider takes in 24 hours, or in one; what is over is not even tried. ``None`` is no bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number_day: int | None = Field(default=None, ge=1)
    number_hour: int | None = Field(default=None, ge=1)
    template_day: int | None = Field(default=None, ge=1)
    """To one number by one template in 24 hours."""


class Fitness(NamedTuple):
    """Whether a channel can be used on this machine, for ``doctor``."""

    usable: bool
    state: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A provider that tells by itself: ``hear`` reads one push, and ``thanks`` is the answer that it waits for.

    ``hear`` answers ``None`` for what the provider would never send. Whatever it reads may come twice and in any order.
    """

    hear: Callable[[object, Millis], Collected | None]
    thanks: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """What a channel module exports as ``CHANNEL``: its settings' shape and how to open it.

    ``speaks`` tells a channel that calls from one that writes. ``examine`` looks without changing anything; ``lint``
    gives a sentence for each text of the catalogue that the provider would refuse; ``hook`` reads what it pushes.
    """

    name: str
    settings: type[BaseModel]
    open: Callable[[Any], Channel]
    speaks: bool = False
    examine: Callable[[Any], Fitness] | None = None
    lint: Callable[[Any], tuple[str, ...]] | None = None
    hook: Hook | None = None


def channels() -> dict[str, ChannelKind]:
    """Every channel by name, found by walking this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return {module.CHANNEL.name: module.CHANNEL for module in modules}
