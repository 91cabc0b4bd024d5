"""Who hears what of a case: who is given it, relieved of it, or above its owner; and the words of the ledger's texts.

It decides about no case.

Texts about an episode are ``escalation``'s: while its chain speaks, the ledger is silent (ADR 0019).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from alerts.calendars import Calendar
from alerts.ledger.case import UNDER_WAY, UNFINISHED, Case, Origin, State, Word
from alerts.model import MessageKind, Owed, Severity
from alerts.notify import texts
from alerts.notify.texts import Texts
from alerts.people import holders
from alerts.policy import LedgerPolicy
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.segments import clipped
from telemetry.terms import AssetKind, Hours, Role

_PLACE_UNITS: Final = 24
_MATTER_UNITS: Final = 14
"""So that a text with everything in it still fits one segment, whatever a person wrote."""

_REPORTED: Final = frozenset({Origin.TELEPHONE, Origin.SIGHT})
"""Somebody waits for an answer, and no sensor will say it again."""

_UNSAID: Final = str.maketrans("", "", "【】{}\r\n\t")
"""A provider reads the brackets as a signature."""


class Text(StrEnum):
    """The texts of the ledger, as the catalogue names them."""

    ASSIGNED = "case_assigned"
    UNASSIGNED = "case_unassigned"
    OVERDUE = "case_overdue"
    DEFERRED = "case_deferred"
    RELIEVED = "relieved"
    """Text C22: it is somebody else's now."""


@dataclass(frozen=True, slots=True)
class Notices:
    """The words of one county's ledger."""

    inventory: Inventory
    policy: LedgerPolicy
    quiet: Hours
    """When nobody is woken for a matter that a person wrote down."""
    calendar: Calendar
    texts: Texts

    def above(self, case: Case) -> Iterator[tuple[str, ...]]:
        """Level after level, who answers for the owner's work; nobody twice, and nobody below the owner."""
        asset = self.inventory.assets.get(case.asset)
        ladder = self.policy.ladder
        if asset is not None and asset.kind is AssetKind.PLANT:
            ladder = self.policy.plant_ladder
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
        return self._word(text, case, to, self.calendar.opening(at_ms, self.policy.told), step)

    def _word(self, text: str, case: Case, to: tuple[str, ...], leaves_ms: Millis, step: int = 0) -> Case:
        known = tuple(person for person in to if person in self.inventory.people)
        if not known or text not in self.texts:
            return case
        word = Word(text=str(text), to=known, at_ms=leaves_ms, number=case.said + 1, step=step)
        return replace(case, words=(*case.words, word), said=case.said + 1)

    def give(self, before: Case, after: Case, by: str, at_ms: Millis) -> Case:
        """The case once ``by`` gave it to its owner, who is told, and whoever was told before is relieved (text C22).

        What stands is told at once, as its episode is; all else by day. Nobody is told that a fire is no more theirs.
        """
        leaves_ms = at_ms if after.standing else self.calendar.opening(at_ms, self.policy.told)
        if after.owner not in (by, *(before.asked if after.standing else ())):
            after = self._word(Text.ASSIGNED, after, (after.owner,), leaves_ms)
        return self.relieve(before, after, by, at_ms)

    def relieve(self, before: Case, after: Case, by: str, at_ms: Millis) -> Case:
        """The case without those who were told to see to it before ``by`` gave it to its owner; they hear so."""
        if after.owner == before.owner or after.severity == Severity.P1:
            return after
        gone = tuple(person for person in before.asked if person not in (after.owner, by))
        kept = tuple(person for person in before.asked if person == after.owner)
        leaves_ms = at_ms if after.standing else self.calendar.opening(at_ms, self.policy.told)
        return self._word(Text.RELIEVED, replace(after, asked=kept), gone, leaves_ms)

    def seek(self, case: Case, at_ms: Millis) -> Case:
        """The case of nobody, with a text to the dispatchers that leaves before its deadline, by night excepted.

        They are told after half of its time, and of what somebody reported after four hours at the latest.
        """
        asked_ms = at_ms + (case.deadline_ms - at_ms) // 2
        if case.origin in _REPORTED:
            asked_ms = min(asked_ms, at_ms + self.policy.given_within)
        leaves_ms = self.calendar.opening(asked_ms, self.policy.told)
        if leaves_ms >= case.deadline_ms and not self.calendar.is_within(asked_ms, self.quiet):
            leaves_ms = asked_ms
        return self._word(Text.UNASSIGNED, case, self._givers(case), leaves_ms)

    @staticmethod
    def drop_search(case: Case) -> Case:
        """The case of somebody: nobody is asked any more to find somebody."""
        words = tuple(word for word in case.words if word.text != Text.UNASSIGNED)
        return case if not case.owner or len(words) == len(case.words) else replace(case, words=words)

    def _givers(self, case: Case) -> tuple[str, ...]:
        """Who gives out work there: the dispatchers, else the first of the ladder who is there."""
        areas = [area for area in case.areas if area in self.inventory.areas]
        for role in dict.fromkeys((Role.DISPATCHER, *self.policy.ladder)):
            people = tuple(dict.fromkeys(each.person.id for each in holders(self.inventory, role, areas, None)))
            if people:
                return people
        return ()

    @staticmethod
    def is_true(case: Case, text: str, to: str) -> bool:
        """Whether a text of the ledger may still be said to somebody."""
        match text:
            case Text.ASSIGNED:
                return case.state in UNDER_WAY and case.owner == to
            case Text.UNASSIGNED:
                return case.state in UNDER_WAY and not case.owner
            case Text.RELIEVED:
                return case.state in UNFINISHED and case.owner not in ("", to)
            case Text.DEFERRED:
                return case.state is State.DEFERRED
            case _:
                return case.state in UNDER_WAY or case.state is State.FIXED

    def owed(self, case: Case, word: Word, at_ms: Millis) -> Iterator[Owed]:
        """What leaves now."""
        said = self.texts.word(word.text, self._facts(case, at_ms))
        for person in word.to:
            if person in self.inventory.people and self.is_true(case, word.text, person):
                yield Owed(
                    at_ms=at_ms,
                    rule=case.rule,
                    asset=case.asset,
                    episode=case.id,
                    severity=case.severity,
                    kind=MessageKind.NOTICE,
                    step=word.step,
                    repeat=word.number,
                    to=person,
                    phone=self.inventory.people[person].phone,
                    channel="sms",
                    text=said.text,
                    template=said.template,
                    variables=said.variables,
                )

    def _facts(self, case: Case, at_ms: Millis) -> dict[str, str]:
        owner, asset = self.inventory.people.get(case.owner), self.inventory.assets.get(case.asset)
        return {
            "day": texts.day(self.calendar, at_ms),
            "short": _clipped(self._place(case), _PLACE_UNITS) if asset is None else asset.short,
            "container": "" if asset is None else texts.container(asset),
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
    return replace(case, words=tuple(other for other in case.words if other is not word))


def _clipped(text: str, most: int) -> str:
    """As much of what a person wrote as fits."""
    return clipped(text.translate(_UNSAID).strip(), most)
