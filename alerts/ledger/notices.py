"""Who above an owner hears that a case is overdue, and the words of the ledger's texts. It decides about no case.

Texts about an episode are ``escalation``'s: while its chain speaks, the ledger is silent (ADR 0019).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from alerts import texts
from alerts.calendars import Calendar
from alerts.ledger.case import Case, Word
from alerts.model import Kind, Owed
from alerts.people import holders
from alerts.policy import LedgerFigures
from alerts.texts import Texts, units
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Kind as AssetKind

_PLACE_UNITS: Final = 24
_MATTER_UNITS: Final = 14
"""So that a text with everything in it still fits one segment, whatever a person wrote."""

_UNSAID: Final = str.maketrans("", "", "【】{}\r\n\t")
"""A provider reads the brackets as a signature."""


@dataclass(frozen=True, slots=True)
class Notices:
    """The words of one county's ledger."""

    inventory: Inventory
    figures: LedgerFigures
    calendar: Calendar
    texts: Texts

    def above(self, case: Case) -> Iterator[tuple[str, ...]]:
        """Level after level, who answers for the owner's work; nobody twice, and nobody below the owner."""
        asset = self.inventory.assets.get(case.asset)
        ladder = self.figures.ladder
        if asset is not None and asset.kind is AssetKind.PLANT:
            ladder = self.figures.plant_ladder
        owner = self.inventory.people.get(case.owner)
        roles = set() if owner is None else {duty.role for duty in owner.duties}
        own = max((place for place, role in enumerate(ladder) if role in roles), default=-1)
        areas = [area for area in case.areas if area in self.inventory.areas]
        heard = {case.owner}
        for role in ladder[own + 1 :]:
            people = (holder.person.id for holder in holders(self.inventory, role, areas, None))
            level = tuple(person for person in people if person not in heard)
            if level:
                heard.update(level)
                yield level

    def word(self, text: str, case: Case, to: tuple[str, ...], at_ms: Millis, step: int = 0) -> Case:
        """The case with a text to these people that leaves by day; none where the catalogue has no such text."""
        known = tuple(person for person in to if person in self.inventory.people)
        if not known or text not in self.texts:
            return case
        leaves_ms = self.calendar.opening(at_ms, self.figures.told)
        word = Word(text=text, to=known, at_ms=leaves_ms, number=case.said + 1, step=step)
        return _with(case, (*case.words, word), case.said + 1)

    def owed(self, case: Case, word: Word, at_ms: Millis) -> Iterator[Owed]:
        """What leaves now."""
        text = self.texts.compose(word.text, self._facts(case))
        for person in word.to:
            if person in self.inventory.people:
                yield Owed(
                    at_ms=at_ms,
                    rule=case.rule,
                    asset=case.asset,
                    episode=case.id,
                    severity=case.severity,
                    kind=Kind.NOTICE,
                    step=word.step,
                    repeat=word.number,
                    to=person,
                    phone=self.inventory.people[person].phone,
                    channel="sms",
                    text=text,
                )

    def _facts(self, case: Case) -> dict[str, str]:
        owner = self.inventory.people.get(case.owner)
        return {
            "place": _clipped(self._place(case), _PLACE_UNITS),
            "matter": _clipped(case.what, _MATTER_UNITS),
            "owner": "" if owner is None else owner.name,
            "deadline": texts.deadline(self.calendar, case.deadline_ms),
            "excuse": _clipped(case.reason, _MATTER_UNITS),
            "until": self._until(case),
        }

    def _place(self, case: Case) -> str:
        asset, gateway = self.inventory.assets.get(case.asset), self.inventory.radio_gateways.get(case.asset)
        if asset is not None:
            return texts.place(asset)
        if gateway is not None:
            return gateway.name
        area = self.inventory.areas.get(case.areas[0])
        return ("" if area is None else area.name) + case.place

    def _until(self, case: Case) -> str:
        """25日; with its month where that is another one."""
        until, opened = self.calendar.local(case.until_ms), self.calendar.local(case.opened_ms)
        month = "" if (until.year, until.month) == (opened.year, opened.month) else f"{until.month}月"
        return f"{month}{until.day}日"


def without(case: Case, word: Word) -> Case:
    """The case once a text has left, or is not true any more."""
    return _with(case, tuple(other for other in case.words if other is not word), case.said)


def _with(case: Case, words: tuple[Word, ...], said: int) -> Case:
    return replace(case, words=words, said=said)


def _clipped(text: str, most: int) -> str:
    """As much of what a person wrote as fits, ended by … where there is more."""
    text = text.translate(_UNSAID).strip()
    if units(text) <= most:
        return text
    while units(text) > most - 1:
        text = text[:-1]
    return f"{text}…"
