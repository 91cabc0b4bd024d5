"""The ways a text can leave the house; one file a channel, each exports ``CHANNEL``."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. ``key`` is the same for every try, so that a provider can be asked for it."""

    key: str
    episode: str
    to: str
    phone: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; whether it reached the phone is told later, unless ``delivered`` already says so."""

    reference: str
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken: a dead number, a forbidden text. Trying again is of no use."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken this time; ``retry_after_s`` is the provider's own wish, if it named one."""

    reason: str
    retry_after_s: float | None = None


Outcome: TypeAlias = Accepted | Refused | Failed


class Channel(Protocol):
    """One way out. ``send`` is called by one thread, after its attempt row is durable; it answers and never raises."""

    def send(self, message: Message) -> Outcome:
        """Hands the message over; blocks, bounded by the channel's own time-out."""

    def find(self, key: str) -> Accepted | None:
        """What became of an earlier try, asked after a crash; ``None`` if the provider never got it."""


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """What a channel module exports as ``CHANNEL``: its settings' shape and how to open it."""

    name: str
    settings: type[BaseModel]
    open: Callable[[Any], Channel]


def channels() -> dict[str, ChannelKind]:
    """Every channel by name, found by walking this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return {module.CHANNEL.name: module.CHANNEL for module in modules}
