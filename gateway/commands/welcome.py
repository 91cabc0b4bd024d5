"""The first text to somebody (text C15): that this telephone will get texts from now on, and that a 1 says it was read.

On the loop's thread. Only a person asks for it: a county's first inventory would text hundreds by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.model import Owed
from alerts.notify.replies import Replies
from gateway.commands.command import Command, Context
from gateway.commands.fields import PERSON, CommandRoute, ListField
from gateway.journal.case_reader import NEVER, Contact, First
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory, Person
from telemetry.reading import Millis
from telemetry.terms import Role

WELCOME: Final = "welcome"
AGAIN_MS: Final[Millis] = 86_400_000
"""Nobody is welcomed twice within it."""
_GREETED: Final = frozenset({Role.CLEANER, Role.COLLECTOR})
"""Those to whom the text speaks: it is about pools."""


class Welcomed(Struct, frozen=True):
    """Who will get it, from when on, and why others will not."""

    told: tuple[str, ...]
    leaves_ms: Millis
    skipped: dict[str, str]


class Welcome(Command[Welcomed], frozen=True):
    """These people are to get their first text; answered with ``Welcomed`` once it is owed and durable."""

    people: tuple[str, ...]

    def do(self, context: Context, now_ms: Millis) -> Welcomed:
        """Owes the texts; by night they wait for the morning."""
        pipeline = context.pipeline
        inventory, leaves_ms = pipeline.inventory, pipeline.by_day(now_ms)
        told: list[str] = []
        skipped: dict[str, str] = {}
        for name in dict.fromkeys(self.people):
            why = _why_not(name, inventory, context, now_ms)
            if why:
                skipped[name] = why
                continue
            told.append(name)
            pipeline.say(_owed(inventory.people[name], pipeline, now_ms, leaves_ms))
        return Welcomed(tuple(told), leaves_ms, skipped)


def is_greeted(person: Person) -> bool:
    """Whether ``--all-new`` means them: who empties or cleans, and reads texts."""
    return not person.by_voice and any(duty.role in _GREETED for duty in person.duties)


def is_new(person: Person, contacts: Mapping[str, First]) -> bool:
    """Whether ``--all-new`` would welcome them: nobody ever did, or it was lost."""
    return is_greeted(person) and contacts.get(person.id, NEVER).contact in (Contact.NEVER, Contact.LOST)


def _why_not(name: str, inventory: Inventory, context: Context, now_ms: Millis) -> str:
    person = inventory.people.get(name)
    if person is None:
        return "the inventory has no such person"
    if person.by_voice:
        return "is called, and reads no texts (reach: voice)"
    waiting = (said for said in context.pipeline.changes.log if isinstance(said, Owed) and said.template == WELCOME)
    told = context.journal.told(inventory.phone_of[name], now_ms - AGAIN_MS)
    lately = any(asked.template == WELCOME and asked.person == name for asked in told)
    return "was welcomed within a day" if lately or any(said.to == name for said in waiting) else ""


def _owed(person: Person, pipeline: Pipeline, now_ms: Millis, leaves_ms: Millis) -> Owed:
    county = pipeline.county
    facts = {"person": person.name, "office_phone": county.inventory.county.office_phone or ""}
    said = county.message_writer.texts.word(WELCOME, facts)
    owed = Replies.to_person(person.id, county.inventory.phone_of[person.id], said, now_ms)
    return replace(owed, not_before_ms=leaves_ms)


@dataclass(frozen=True)
class WelcomeResult:
    """Who gets it, from when on (epoch milliseconds), and why others do not."""

    told: tuple[str, ...]
    leaves_ms: int
    skipped: dict[str, str]


COMMANDS: Final = (
    CommandRoute(
        Welcome,
        "/api/v1/people/welcome",
        "welcome",
        "Owes everybody named their first text, once a day at most; answers when that is durable.",
        "WelcomeBody",
        "Ids of the inventory, at most a thousand at once.",
        {"people": ListField(PERSON, 1_000, 1)},
        place=24,
        answer=WelcomeResult,
        within_s=30.0,
    ),
)
