"""What a command is: a frozen value that the loop does inside its transaction, and the answer to it once it is durable.

No web framework is known here, and nothing of any subject; a subject's file has its commands and what they answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from alerts.answers import Receipt, Reply
from alerts.channels import Outcome
from alerts.delivery.delivery import Due, Lapse
from alerts.model import Actor, Event, Refused
from gateway.journal.writer import Journal
from gateway.pipeline import Pipeline
from gateway.watching.self_check import Watchman
from telemetry.reading import Millis

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Telephone(Protocol):
    """What becomes of texts on their way and of what comes back; see ``replies.InboundSms``."""

    def ended(self, notification_id: int, outcome: Outcome, event: Event | None, at_ms: Millis) -> None:
        """A try ended."""

    def lapsed(self, due: Due, lapse: Lapse, at_ms: Millis) -> None:
        """A receipt did not come."""

    def heard(self, receipts: tuple[Receipt, ...], replies: tuple[Reply, ...], now_ms: Millis) -> None:
        """What a channel has collected, or a provider pushed."""

    def look(self, now_ms: Millis) -> None:
        """Each minute: numbers that texts do not reach."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may act on; for the loop's thread alone."""

    pipeline: Pipeline
    journal: Journal
    telephone: Telephone
    watchman: Watchman
    go_on: Callable[[], object]
    """Has the loop go on with its housekeeping."""
    keep_days: int
    resend: Sequence[Callable[[Millis], None]]


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


class Command(Struct, Generic[A_co], frozen=True):
    """Something that is asked of the loop; answered once that is durable, or with ``NotDurable``."""

    def do(self, context: Context, now_ms: Millis) -> A_co:
        """As a whole or not at all, and the answer. ``now_ms`` is the instant of the turn, however long that takes."""
        raise NotImplementedError


class PersonalCommand(Command[A_co], frozen=True):
    """What a person wants or wants to know: everything that was due before it happens first."""

    def do(self, context: Context, now_ms: Millis) -> A_co:
        """See ``Command.do``."""
        context.pipeline.advance(now_ms)
        return self.act(context, now_ms)

    def act(self, context: Context, now_ms: Millis) -> A_co:
        """What this one does then."""
        raise NotImplementedError


class SignedCommand(PersonalCommand[A_co | UnknownPerson | NotPossible], Generic[A_co], frozen=True, kw_only=True):
    """The same by somebody whom the inventory knows, named there in ``by``.

    ``channel`` says by what way they asked (``desk``, ``cli``, ``sms``, ``api``), ``origin`` from where, for the audit.
    """

    by: str
    channel: str = "desk"
    origin: str = ""

    @property
    def actor(self) -> Actor:
        """Who asks, as a row says it."""
        return Actor(self.by, self.channel, self.origin)

    @property
    def named(self) -> tuple[str, ...]:
        """Everybody whom the inventory has to know."""
        return (self.by,)

    def act(self, context: Context, now_ms: Millis) -> A_co | UnknownPerson | NotPossible:
        """Nothing for strangers; else what it is about, or why that cannot be."""
        people = context.pipeline.inventory.people
        if not all(each in people for each in self.named):
            return UnknownPerson()
        said = self.carry_out(context, now_ms)
        return NotPossible(said.sentence, said.why) if isinstance(said, Refused) else said

    def carry_out(self, context: Context, now_ms: Millis) -> A_co | Refused:
        """What this one does. Where it cannot be nothing is changed."""
        raise NotImplementedError


def recall(marks: Mapping[str, str], mark: str, kind: type[A]) -> A:
    """What a mark keeps that ``Pipeline.keep`` wrote; nothing where there is none yet."""
    return msgspec.json.decode(marks.get(mark, "[]"), type=kind)
