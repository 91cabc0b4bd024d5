"""What a command is: a frozen value that the loop does inside its transaction, and the answer to it once it is durable.

No web framework is known here, and nothing of any subject; a subject's file has its commands and what they answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from msgspec import Struct

from telemetry.reading import Millis

if TYPE_CHECKING:  # each of these knows commands
    from gateway.commands.replies import InboundSms
    from gateway.inbox import Inbox
    from gateway.journal.writer import Journal
    from gateway.pipeline import Pipeline
    from gateway.watching.watchman import Watchman

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may act on; for the loop's thread alone."""

    pipeline: "Pipeline"
    journal: "Journal"
    inbox: "Inbox"
    inbound: "InboundSms"
    watchman: "Watchman"
    keep_days: int
    resend: Sequence[Callable[[Millis], None]]


class Command(Struct, Generic[A_co], frozen=True):
    """Something that is asked of the loop; answered once that is durable, or with ``NotDurable``."""

    def do(self, context: Context, now_ms: Millis) -> A_co:
        """As a whole or not at all, and the answer. ``now_ms`` is the instant of the turn, however long that takes."""
        raise NotImplementedError


class Done(Struct, frozen=True):
    """The command took effect at ``at_ms`` and is durable; ``event`` names what it became (``acked``, ``reset``)."""

    at_ms: Millis
    event: str


class UnknownPerson(Struct, frozen=True):
    """The inventory has no such person."""


class NotPossible(Struct, frozen=True):
    """The episode does not allow it now (a reset while it still burns); ``reason`` is a sentence for a person.

    ``why`` is its name where it has one, for whoever says it in other words.
    """

    reason: str
    why: str = ""


class NotDurable(Struct, frozen=True):
    """The journal could not take it; nothing happened. ``reason`` is a sentence for a person."""

    reason: str


Verdict: TypeAlias = Done | UnknownPerson | NotPossible
"""What most commands are answered; ``NotDurable`` may come instead of any."""
