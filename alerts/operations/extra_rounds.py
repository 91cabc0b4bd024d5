"""加收: rounds that a dispatcher orders beside the calendar's, for a village or a bin. Kept by the county's own loop.

An extra round holds texts and can be missed as any other. It is marked, so that learning a bin's habits leaves it out.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from alerts.calendars import DAY_MS, RoundSlot, stamp
from alerts.model import Refused
from alerts.undo import Undoable, UndoLog
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis

EXTRA: Final = "extra_round"
"""What rows about one are filed under, in the place of a rule."""
LONGEST_MS: Final[Millis] = DAY_MS
AHEAD_MS: Final[Millis] = 60 * DAY_MS
_KEPT_MS: Final[Millis] = 3 * DAY_MS
"""So long after its end somebody may still ask whether it was missed."""
_MOST: Final = 200


class ExtraRound(Struct, frozen=True, kw_only=True):
    """One such round; ``place`` is an area or a bin by its id."""

    id: str
    place: str
    start_ms: Millis
    end_ms: Millis
    reason: str = ""
    by: str = ""


class ExtraRounds(Undoable):
    """Those of one county. Not thread-safe but for reading: what is kept is replaced and never changed."""

    def __init__(self, inventory: Inventory, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self._inventory = inventory
        self._kept: Mapping[str, ExtraRound] = {}

    def restore(self, kept: Iterable[ExtraRound]) -> None:
        """Takes over what was remembered."""
        self._kept = {each.id: each for each in kept}

    def list_current(self, at_ms: Millis) -> tuple[ExtraRound, ...]:
        """Those that are not over for long, what begins first first."""
        found = (each for each in self._kept.values() if each.end_ms > at_ms - _KEPT_MS)
        return tuple(sorted(found, key=lambda each: (each.start_ms, each.id)))

    def slots(self, asset: Asset) -> Iterator[RoundSlot]:
        """The extra slots of a bin with rounds, in order."""
        if not self._kept or asset.collection is None or not asset.collection.rounds:
            return
        places = self.places(asset)
        for each in sorted(self._kept.values(), key=lambda each: each.start_ms):
            if each.place in places:
                yield RoundSlot(each.start_ms, each.end_ms, extra=True)

    def bins(self, place: str) -> tuple[Asset, ...]:
        """The bins with rounds at a place: what an extra round there is about."""
        return tuple(
            asset
            for asset in self._inventory.assets.values()
            if asset.collection is not None and asset.collection.rounds and place in self.places(asset)
        )

    def places(self, asset: Asset) -> tuple[str, ...]:
        """For what an extra round may be ordered that is a bin's as well: itself, and the areas around it."""
        return (asset.id, *self._inventory.around(asset.areas))

    def add(self, wish: ExtraRound, at_ms: Millis) -> ExtraRound | Refused:
        """The round as it is kept from now on; why not when it cannot be, which changes nothing."""
        made = ExtraRound(
            id=f"{EXTRA}/{wish.place}/{stamp(wish.start_ms)}",
            place=wish.place,
            start_ms=wish.start_ms,
            end_ms=wish.end_ms,
            reason=wish.reason,
            by=wish.by,
        )
        problem = self._problem(made, at_ms)
        if problem is not None:
            return problem
        self._kept = {each.id: each for each in (*self.list_current(at_ms), made)}
        return made

    def end(self, extra: str, at_ms: Millis) -> ExtraRound | Refused:
        """Cancels one that is not over; why not when there is nothing to cancel."""
        found = self._kept.get(extra)
        if found is None or found.end_ms <= at_ms:
            return Refused("extra_over", f"there is no extra round {extra} that is not over: list them")
        self._kept = {each.id: each for each in self._kept.values() if each is not found}
        return found

    def _problem(self, made: ExtraRound, at_ms: Millis) -> Refused | None:
        if not made.place or (made.place not in self._inventory.areas and made.place not in self._inventory.assets):
            return Refused("unknown_place", f"the inventory has no area or bin {made.place}: name one of its ids")
        if not self.bins(made.place):
            sentence = f"no bin of {made.place} has rounds: what is emptied on demand is dispatched (派) instead"
            return Refused("no_rounds", sentence)
        if made.end_ms <= max(made.start_ms, at_ms):
            return Refused("ends_early", "an extra round ends after it begins, and not in the past: name another until")
        if made.end_ms - made.start_ms > LONGEST_MS:
            return Refused("extra_long", "an extra round lasts at most a day: order one for each day")
        if made.start_ms > at_ms + AHEAD_MS:
            return Refused("extra_ahead", f"an extra round is ordered at most {AHEAD_MS // DAY_MS} days ahead")
        if made.id in self._kept:
            sentence = f"{made.place} has an extra round from then on already: end {made.id} first"
            return Refused("extra_known", sentence)
        if len(self.list_current(at_ms)) >= _MOST:
            return Refused("orders_full", f"there are {_MOST} extra rounds already: end some")
        return None
