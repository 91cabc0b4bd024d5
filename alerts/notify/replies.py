"""What an answer leads to: who else is told, and the rows that say what was answered (alerting.md §4).

Here is also what is said of an absence, and what becomes of a claim (已报未见). Pure: an episode, who answered and an
instant in, messages and events out. Who acknowledges is ``county``; how an answer is understood is ``answers``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert, record
from alerts.answers import Asked, Meaning
from alerts.conditions.state import Memory
from alerts.model import Actor, Detail, Event, Log, MessageKind, Owed, Severity
from alerts.notify import texts
from alerts.notify.message_writer import HOLDS, MessageWriter, contradiction
from alerts.notify.schedule import Schedule
from alerts.notify.texts import ANSWERED_OVER, DOUBT, Wording
from alerts.operations.absences import ABSENCE, Absence, Absences
from alerts.people import anywhere, holders
from telemetry.inventory import Inventory, Person
from telemetry.reading import Millis
from telemetry.terms import Role

STAND_IN: Final = "stand_in"
REFUSED: Final = "stand_in_refused"
_MOST_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class StandingIn:
    """The writer of one county's absences."""

    message_writer: MessageWriter

    @property
    def _inventory(self) -> Inventory:
        return self.message_writer.inventory

    def row(self, event: str, absence: Absence, asked: Actor, at_ms: Millis) -> Event:
        """``absence_added`` or ``absence_ended``, with who wrote it, for the audit."""
        detail: Detail = {
            **asked.detail(),
            "person": absence.person,
            "to": absence.stand_in,
            "from_ms": absence.from_ms,
            "until_ms": absence.until_ms,
            "said": absence.reason,
        }
        return self._event(event, absence, at_ms, detail)

    def asked(self, absence: Absence, at_ms: Millis, leaves_ms: Millis) -> Owed:
        """Text C14, to who stands in, who is not woken for it; on any telephone it opens with whom it is for."""
        said = self._owed(absence, absence.stand_in, STAND_IN, MessageKind.FIRST, at_ms)
        return replace(said, not_before_ms=0 if leaves_ms == at_ms else leaves_ms)

    def hear_answer(self, absence: Absence, by: str, meaning: Meaning, at_ms: Millis, absences: Absences) -> Log:
        """A 2 is the dispatchers' to hear, but for whoever said it, or is told instead; anything else is a row."""
        row = self._event(str(meaning), absence, at_ms, {"by": by, "channel": "sms", "text": STAND_IN})
        if meaning is not Meaning.DECLINED:
            return [row]
        offices = dict.fromkeys(holder.person.id for holder in anywhere(self._inventory, Role.DISPATCHER))
        others = [office for office in offices if by not in (office, absences.instead(office, at_ms))]
        return [row, *(self._owed(absence, office, REFUSED, MessageKind.NOTICE, at_ms) for office in others)]

    def _owed(self, absence: Absence, to: str, name: str, kind: MessageKind, at_ms: Millis) -> Owed:
        facts, catalogue = self._facts(absence, at_ms), self.message_writer.texts
        opened = self._inventory.people[to].name if name == STAND_IN else ""
        said = catalogue.word(name, facts)
        return Owed(
            at_ms=at_ms,
            rule=ABSENCE,
            asset=self._inventory.county.id,
            episode=absence.id,
            severity=Severity.P3,
            kind=kind,
            step=0,
            repeat=0,
            to=to,
            phone=self._inventory.phone_of[to],
            channel="sms",
            text=catalogue.compose(name, facts, opened),
            template=said.template,
            variables=said.variables,
        )

    def _facts(self, absence: Absence, at_ms: Millis) -> dict[str, str]:
        people, calendar = self._inventory.people, self.message_writer.witness.calendar
        places, assets = self._duties(absence.person)
        return {
            "person": people[absence.person].name,
            "stand_in": people[absence.stand_in].name,
            "day": texts.day(calendar, at_ms),
            "since_day": texts.day(calendar, absence.from_ms),
            "until": texts.day(calendar, absence.until_ms - 1),
            "area": "、".join(places[:_MOST_PLACES]) + ("等" if len(places) > _MOST_PLACES else ""),
            "count": str(len(assets)),
        }

    def _duties(self, person: str) -> tuple[list[str], set[str]]:
        """Where somebody has duties, as people call it, and the assets that they are about."""
        inventory = self._inventory
        places: dict[str, None] = {}
        assets: set[str] = set()
        for duty in inventory.people[person].duties:
            if duty.route is not None:
                places[inventory.routes[duty.route].name] = None
                assets.update(inventory.routes[duty.route].stops)
            if duty.area is None:
                continue
            places[inventory.areas[duty.area].name] = None
            for asset in inventory.assets.values():
                own = (asset.plant is None) if duty.role is Role.CLEANER else asset.plant is not None
                if duty.area in inventory.around(asset.areas) and (own or duty.role not in (Role.CLEANER, Role.CREW)):
                    assets.add(asset.id)
        return list(places), assets

    def _event(self, event: str, absence: Absence, at_ms: Millis, detail: Detail) -> Event:
        county = self._inventory.county.id
        return Event(at_ms=at_ms, event=event, rule=ABSENCE, asset=county, episode=absence.id, detail=detail)


SAMPLES: Final = 2
"""So many usable samples after the claim, and it should be seen."""
ABOUT: Final = frozenset({"over_two_thirds", "overflow"})
"""The rules of which an emptier's 1 says that it is done."""
KEPT_MS: Final[Millis] = 86_400_000
"""A bin that says nothing for so long is not waited for any more."""


class Claim(Struct, frozen=True):
    """Somebody said at ``at_ms`` that an episode's bin is seen to; ``seen`` counts its samples since."""

    asset: str
    episode: str
    person: str
    at_ms: Millis
    seen: int = 0


def sampled(claim: Claim, observed_ms: Millis) -> Claim:
    """The claim after one more usable sample; one that was measured before it says nothing."""
    return replace(claim, seen=claim.seen + 1) if observed_ms > claim.at_ms else claim


def is_due(claim: Claim) -> bool:
    """Whether it should be seen by now."""
    return claim.seen >= SAMPLES


def standing(claims: Iterable[Claim], now_ms: Millis) -> tuple[Claim, ...]:
    """Those still waited for."""
    return tuple(claim for claim in claims if claim.at_ms > now_ms - KEPT_MS)


UNCLEAR: Final = "not_understood"
THANKS: Final = "declined_thanks"
LIST_TO_DISPATCHER: Final = "declined_list"
LIST_THANKS: Final = "declined_list_thanks"
TO_DISPATCHER: Final = "declined_dispatcher"
UNSEEN: Final = "claim_unseen"
_AFTER_ALL: Final = 99
"""The number of the word that it is over: clear of repeats, of the crew's words about flapping, and of answers."""
TO_WHO_ANSWERED: Final = frozenset({THANKS, LIST_THANKS, UNSEEN, UNCLEAR})
"""What nobody else is told who stands in for them: it answers what they said themselves."""
_ANSWERER: Final = 1_000
"""What follows from somebody's answer is numbered within a thousand of their own."""
HOUSE_TEXTS: Final = (
    *(UNCLEAR, THANKS, TO_DISPATCHER, LIST_THANKS, LIST_TO_DISPATCHER, UNSEEN),
    *("welcome", "sms_test", "stand_in", "stand_in_refused", "heartbeat", ANSWERED_OVER),
)
"""The texts that no step of the escalation names."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Who hears of an answer in one county."""

    message_writer: MessageWriter
    schedule: Schedule
    absences: Absences
    """Who stands in for somebody: a dispatcher who is away is told by them, and nobody is told of their own answer."""

    @property
    def _inventory(self) -> Inventory:
        return self.message_writer.inventory

    def hear_answer(self, alert: Alert, asked: Asked, meaning: Meaning, memory: Memory | None, at_ms: Millis) -> Log:
        """Everything that follows from an answer but for an acknowledgement."""
        person = self._inventory.people.get(asked.person)
        said = record(str(meaning), alert, at_ms, {"by": asked.person, "channel": "sms", "text": asked.template})
        if meaning is not Meaning.DECLINED or person is None:
            return [said]
        return [said, *self._declined(alert, asked, person, memory, at_ms)]

    def _declined(
        self, alert: Alert, asked: Asked, person: Person, memory: Memory | None, at_ms: Millis
    ) -> Iterable[Event | Owed]:
        """2: the stand-in and the dispatcher hear it at once, and who declined that they need not go."""
        stand_in = self._stand_in(person, at_ms)
        facts = self.message_writer.witness.facts(alert, memory, at_ms, at_ms)
        facts |= {"person": person.name, "stand_in": "" if stand_in is None else stand_in.name}
        word = self.message_writer.texts.word
        offices = [office for office in self._dispatchers(alert) if self._hears(office, person, at_ms)]
        goes_on = self.message_writer.texts.speaks(asked.template, asked.variables)
        facts |= _taken_up(sent=stand_in is not None and goes_on, office=bool(offices))
        if stand_in is not None and goes_on:
            said = self.message_writer.repeated(
                asked, alert, memory, at_ms, self._deadline_ms(alert, asked, at_ms), stand_in.id
            )
            yield self._notice(alert, person, stand_in.id, said, at_ms)
        for office in offices:
            if office != stand_in or not goes_on:  # who stands in has it from the text
                disputed = {DOUBT: contradiction(alert, office.id, self._inventory)}
                yield self._notice(alert, person, office.id, word(TO_DISPATCHER, facts | disputed), at_ms)
        yield self._notice(alert, person, person.id, word(THANKS, facts), at_ms)

    def _deadline_ms(self, alert: Alert, asked: Asked, at_ms: Millis) -> Millis:
        """What the step whose words these are would print if it left now: a deadline of the past helps nobody."""
        steps = self.schedule.steps(alert)
        step = next((place for place, each in enumerate(steps) if each.text == asked.template), 0)
        return self.schedule.deadline_ms(replace(alert, step=step, left_ms=at_ms), at_ms)

    def declined_all(self, alerts: Sequence[Alert], asked: Asked, at_ms: Millis) -> Log:
        """2 to a text about several: its words go to the stand-in, and the dispatchers hear of all of it at once."""
        person = self._inventory.people.get(asked.person)
        rows: Log = [
            record(str(Meaning.DECLINED), alert, at_ms, {"by": asked.person, "channel": "sms", "text": asked.template})
            for alert in alerts
        ]
        if person is None:
            return rows
        stand_in = self._stand_in(person, at_ms)
        assets = dict.fromkeys(alert.asset for alert in alerts)
        facts = {
            "day": texts.day(self.message_writer.witness.calendar, at_ms),
            "person": person.name,
            "stand_in": "" if stand_in is None else stand_in.name,
            "count": str(len(assets)),
            "names": texts.named([found for each in assets if (found := self._inventory.assets.get(each)) is not None]),
        }
        told: dict[str, Wording] = {}
        goes_on = self.message_writer.texts.speaks(asked.template, asked.variables)
        if stand_in is not None and goes_on:
            calendar = self.message_writer.witness.calendar
            due_ms = min(self._deadline_ms(each, asked, at_ms) for each in alerts)
            now = {
                "deadline": texts.deadline(calendar, due_ms),
                "deadline_time": texts.deadline_time(calendar, due_ms, at_ms),
            }
            told[stand_in.id] = self.message_writer.texts.word(asked.template, {**asked.variables, **now}, segments=2)
        dispatchers = (each for alert in alerts for each in self._dispatchers(alert))
        for dispatcher in dict.fromkeys(each.id for each in dispatchers if self._hears(each, person, at_ms)):
            told.setdefault(dispatcher, self.message_writer.texts.word(LIST_TO_DISPATCHER, facts, segments=2))
        facts |= _taken_up(sent=stand_in is not None and goes_on, office=bool(told.keys() - {person.id}))
        told[person.id] = self.message_writer.texts.word(LIST_THANKS, facts)
        covers = tuple(alert.episode for alert in alerts)
        return [*rows, *(self._of_all(alerts[0], asked, to, said, covers, at_ms) for to, said in told.items())]

    def _of_all(
        self, lead: Alert, asked: Asked, to: str, said: Wording, covers: tuple[str, ...], at_ms: Millis
    ) -> Owed:
        """One message about what a text for several spoke of; who answers it twice is told once.

        Who stands in has the same text, and may decline it as well: that is another message.
        """
        notice = self.message_writer.owed(lead, 0, to, MessageKind.NOTICE, said, at_ms)
        return replace(notice, episode=asked.episode, covers=covers, repeat=_thousand(asked.person))

    def unseen(self, claim: Claim, alert: Alert, memory: Memory | None, at_ms: Millis) -> Log:
        """已报未见: they said that it was done, and two samples later it is not."""
        row = record("claim_unseen", alert, at_ms, {"by": claim.person, "claimed_ms": claim.at_ms})
        if claim.person not in self._inventory.people:
            return [row]
        facts = self.message_writer.witness.facts(alert, memory, at_ms, at_ms)
        person = self._inventory.people[claim.person]
        said = self._notice(alert, person, person.id, self.message_writer.texts.word(UNSEEN, facts), at_ms)
        return [row, replace(said, repeat=claim.at_ms)]  # who declined it before was told so at the same step

    def over(self, asked: Asked, ended: Mapping[str, Millis], at_ms: Millis) -> Log:
        """Text C21: what they answer is over; ``ended`` says when, by asset. Who answers twice is told once."""
        (asset, *others), witness = ended, self.message_writer.witness
        ended_ms, named = max(ended.values()), witness.names(asset)
        facts = {
            "day": texts.day(witness.calendar, ended_ms),
            "time": texts.clock(witness.calendar, ended_ms),
            "short": named["short"],
            "container": f"{named['container']}等{len(ended)}处" if others else named["container"],
        }
        said = self.message_writer.texts.word(ANSWERED_OVER, facts)
        notice = self.to_person(asked.person, self._inventory.phone_of[asked.person], said, at_ms)
        return [replace(notice, asset=asset, episode=asked.episode, step=0, repeat=_AFTER_ALL)]

    def unclear(self, person: str, phone: str, at_ms: Millis) -> Owed:
        """What a number is told that was not understood; a stranger is named by the number."""
        return self.to_person(person or phone, phone, self.message_writer.texts.word(UNCLEAR, {}), at_ms)

    @staticmethod
    def to_person(to: str, phone: str, said: Wording, at_ms: Millis) -> Owed:
        """A text about no case; of its words one an instant, so that its key is its own.

        Within one turn somebody may be welcomed and not be understood.
        """
        return Owed(
            at_ms=at_ms,
            rule="",
            asset="",
            episode="",
            severity="P3",
            kind=MessageKind.NOTICE,
            step=HOUSE_TEXTS.index(said.template) if said.template in HOUSE_TEXTS else 0,
            repeat=at_ms,
            to=to,
            phone=phone,
            channel="sms",
            text=said.text,
            template=said.template,
            variables=said.variables,
        )

    def _notice(self, alert: Alert, by: Person, to: str, said: Wording, at_ms: Millis) -> Owed:
        """One a step and who answered: who answers twice is told once, and of each who does others hear."""
        step = max(0, alert.step - 1)
        repeat = alert.repeat + _thousand(by.id)
        return replace(self.message_writer.owed(alert, step, to, MessageKind.NOTICE, said, at_ms), repeat=repeat)

    def _stand_in(self, person: Person, at_ms: Millis) -> Person | None:
        stand_in = self._inventory.people.get(person.stand_in or "")
        return stand_in if stand_in is not None and self._hears(stand_in, person, at_ms) else None

    def _hears(self, other: Person, person: Person, at_ms: Millis) -> bool:
        """Whether it is somebody else than who answered, also while another stands in for them."""
        return person.id not in (other.id, self.absences.instead(other.id, at_ms))

    def _dispatchers(self, alert: Alert) -> tuple[Person, ...]:
        asset = self._inventory.assets.get(alert.asset)
        if asset is None:
            return tuple(holder.person for holder in anywhere(self._inventory, Role.DISPATCHER))
        return tuple(holder.person for holder in holders(self._inventory, Role.DISPATCHER, asset.areas, asset))


def _thousand(person: str) -> int:
    """Where the numbers of what follows from somebody's answers begin: by who they are, whatever list they stand in."""
    return _ANSWERER * (1 + int.from_bytes(blake2b(person.encode(), digest_size=5).digest()))


def _taken_up(*, sent: bool, office: bool) -> dict[str, str]:
    """Who goes instead of somebody who cannot: somebody who was sent, somebody whom the office sends, or nobody yet."""
    return {
        "sent": HOLDS if sent else "",
        "office": HOLDS if office and not sent else "",
        "nobody": "" if sent or office else HOLDS,
    }
