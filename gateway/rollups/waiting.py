"""Readings that wait for their hour to be over: which they are, by hour and asset, and not what they say.

Two numbers a reading, so that an hour of a whole province fits; what it says is read when its hour is computed.
"""

from array import array
from collections.abc import Sequence

from gateway.journal.reading_rows import Place
from telemetry.reading import Millis

_NONE = array("q")


class Waiting:
    """The ids of readings, up to ``scanned``, that belong to hours not yet computed."""

    def __init__(self, scanned: int) -> None:
        self.scanned = scanned
        self.count = 0
        self._hours: dict[Millis, dict[int, array[int]]] = {}
        self._first: dict[Millis, int] = {}

    def add(self, hour_ms: Millis, place: Place) -> None:
        """One more; ids come in their order."""
        assets = self._hours.setdefault(hour_ms, {})
        ids = assets.get(place.asset)
        if ids is None:
            ids = assets[place.asset] = array("q")
        ids.append(place.id)
        self._first.setdefault(hour_ms, place.id)
        self.count += 1

    def ids(self, hour_ms: Millis, asset: int | None) -> Sequence[int]:
        """An asset's readings of an hour; none for an asset that has no number yet."""
        return _NONE if asset is None else self._hours.get(hour_ms, {}).get(asset, _NONE)

    def position(self, from_ms: Millis) -> int:
        """The highest id up to which no reading waits for an hour from ``from_ms`` on."""
        return min((first - 1 for hour_ms, first in self._first.items() if hour_ms >= from_ms), default=self.scanned)

    def drop(self, hour_ms: Millis) -> None:
        """The hour is computed: nothing waits for it any more."""
        self.count -= sum(len(ids) for ids in self._hours.pop(hour_ms, {}).values())
        self._first.pop(hour_ms, None)
