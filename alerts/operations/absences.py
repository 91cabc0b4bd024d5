"""Who is away, until when, and who stands in (请假): texts to somebody absent go to who is there instead.

It knows people and areas, not texts, alerts or hours of duty. Kept by the one loop that also owns the county.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from alerts.calendars import DAY_MS, stamp
from alerts.model import Refused
from alerts.people import EMPTIER, holders
from alerts.undo import Undoable, UndoLog
from telemetry.inventory import Inventory
from telemetry.reading import Millis

ABSENCE: Final = "absence"
"""What texts and rows about an absence are filed under, in the place of a rule."""
LONGEST_MS: Final[Millis] = 190 * DAY_MS
"""Whoever is away for longer is no longer who answers: that belongs into the inventory."""
_MOST: Final = 500


class Absence(Struct, frozen=True, kw_only=True):
    """One person away from one instant to another, who stands in, and who wrote it down."""

    id: str
    person: str
    stand_in: str
    from_ms: Millis
    until_ms: Millis
    reason: str = ""
    by: str = ""


class Absences(Undoable):
    """Those of one county. Not thread-safe but for reading: what is kept is replaced and never changed."""

    def __init__(self, inventory: Inventory, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self._inventory = inventory
        self._kept: Mapping[str, Absence] = {}

    def restore(self, kept: Iterable[Absence]) -> None:
        """Takes over what was remembered; of people who left the inventory nothing is."""
        people = self._inventory.people
        self._kept = {each.id: each for each in kept if each.person in people and each.stand_in in people}

    def list_current(self, at_ms: Millis) -> tuple[Absence, ...]:
        """Those that are not over, what begins first first."""
        found = (each for each in self._kept.values() if each.until_ms > at_ms)
        return tuple(sorted(found, key=lambda each: (each.from_ms, each.id)))

    def get(self, absence: str) -> Absence | None:
        """The absence of that id, over or not."""
        return self._kept.get(absence)

    def add(self, wish: Absence, at_ms: Millis) -> Absence | Refused:
        """The absence as it is kept from now on; why not when it cannot be, which changes nothing."""
        stand_in = wish.stand_in or self._inventory.people[wish.person].stand_in or ""
        from_ms = max(wish.from_ms, at_ms)
        made = Absence(
            id=f"{ABSENCE}/{wish.person}/{stamp(from_ms)}",
            person=wish.person,
            stand_in=stand_in,
            from_ms=from_ms,
            until_ms=wish.until_ms,
            reason=wish.reason,
            by=wish.by,
        )
        problem = self._problem(made, at_ms)
        if problem is not None:
            return problem
        self._kept = {each.id: each for each in (*self.list_current(at_ms), made)}
        return made

    def end(self, absence: str, at_ms: Millis) -> Absence | Refused:
        """Cancels one that has not begun, or ends one early; why not when there is nothing to end."""
        found = self._kept.get(absence)
        if found is None or found.until_ms <= at_ms:
            return Refused("absence_over", f"there is no absence {absence} that is not over: list them")
        self._kept = {each.id: each for each in self._kept.values() if each is not found}
        return found

    def of(self, person: str, at_ms: Millis) -> Absence | None:
        """The absence of a person at an instant."""
        away = (each for each in self._kept.values() if each.person == person and each.from_ms <= at_ms < each.until_ms)
        return next(away, None)

    def instead(self, person: str, at_ms: Millis) -> str:
        """Who is told instead of a person: the first in the line of stand-ins who is there; if nobody is, themselves.

        A telephone that may be answered is better than a text to nobody.
        """
        asked, at = {person}, person
        while (absence := self.of(at, at_ms)) is not None:
            at = absence.stand_in
            if at in asked:
                return person
            asked.add(at)
        return at

    def uncovered(self, at_ms: Millis) -> tuple[str, ...]:
        """The areas, by id, with a bin that nobody empties now: nobody holds it, or all are away and nobody instead."""
        found = {
            asset.area: None
            for asset in self._inventory.assets.values()
            if asset.bin is not None
            and all(
                self.of(self.instead(holder.person.id, at_ms), at_ms)
                for holder in holders(self._inventory, EMPTIER, asset.areas, asset)
            )
        }
        return tuple(found)

    def _problem(self, made: Absence, at_ms: Millis) -> Refused | None:
        if made.until_ms <= made.from_ms:
            return Refused("ends_early", "an absence ends after it begins, and not in the past: name another until")
        if made.until_ms - made.from_ms > LONGEST_MS:
            sentence = f"an absence lasts at most {LONGEST_MS // DAY_MS} days: name somebody else in the inventory"
            return Refused("absence_long", sentence)
        if not made.stand_in:
            sentence = f"{made.person} has no stand-in in the inventory: name one, or nobody would be told"
            return Refused("no_stand_in", sentence)
        if made.stand_in not in self._inventory.people:
            sentence = f"the inventory has no person {made.stand_in} to stand in: name one of its people"
            return Refused("unknown_owner", sentence)
        if self._inventory.phone_of[made.stand_in] == "" or made.stand_in == made.person:
            sentence = f"{made.stand_in} cannot stand in for {made.person}: name somebody else with a telephone"
            return Refused("bad_stand_in", sentence)
        if len(self.list_current(at_ms)) >= _MOST:
            return Refused("orders_full", f"there are {_MOST} absences already: end those that are over")
        return self._clash(made)

    def _clash(self, made: Absence) -> Refused | None:
        for each in self._kept.values():
            meets = each.from_ms < made.until_ms and made.from_ms < each.until_ms
            if meets and each.person == made.person:
                return Refused("away_already", f"{made.person} is away already: end {each.id} first")
            if meets and each.person == made.stand_in and each.stand_in == made.person:
                sentence = f"{made.stand_in} is away in that time, and {made.person} stands in: name somebody else"
                return Refused("stand_in_away", sentence)
        return None
