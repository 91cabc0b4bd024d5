"""What is said of an absence: the word to who stands in (C14), the dispatcher's when they cannot, the rows.

Who is away is ``absences``; nothing is kept or sent here.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from alerts.answers import Meaning
from alerts.model import Actor, Detail, Event, Kind, Owed, Severity
from alerts.notify import texts
from alerts.notify.message_writer import Log, Scribe
from alerts.operations.absences import ABSENCE, Absence, Absences
from alerts.people import anywhere
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

STAND_IN: Final = "stand_in"
REFUSED: Final = "stand_in_refused"
_MOST_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class StandingIn:
    """The writer of one county's absences."""

    scribe: Scribe

    @property
    def _inventory(self) -> Inventory:
        return self.scribe.inventory

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
        """C14, to who stands in, who is not woken for it; on any telephone it opens with whom it is for."""
        said = self._owed(absence, absence.stand_in, STAND_IN, Kind.FIRST, at_ms)
        return replace(said, not_before_ms=0 if leaves_ms == at_ms else leaves_ms)

    def answered(self, absence: Absence, by: str, meaning: Meaning, at_ms: Millis, absences: Absences) -> Log:
        """A 2 is the dispatchers' to hear, but for whoever said it, or is told instead; anything else is a row."""
        row = self._event(str(meaning), absence, at_ms, {"by": by, "channel": "sms", "text": STAND_IN})
        if meaning is not Meaning.DECLINED:
            return [row]
        offices = dict.fromkeys(holder.person.id for holder in anywhere(self._inventory, Role.DISPATCHER))
        others = [office for office in offices if by not in (office, absences.instead(office, at_ms))]
        return [row, *(self._owed(absence, office, REFUSED, Kind.NOTICE, at_ms) for office in others)]

    def _owed(self, absence: Absence, to: str, name: str, kind: Kind, at_ms: Millis) -> Owed:
        facts, catalogue = self._facts(absence, at_ms), self.scribe.texts
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
        people, calendar = self._inventory.people, self.scribe.witness.calendar
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
