"""Closes an hour or a day for everybody: folds each asset a step further, and has the rows written in bounded posts.

Readings that wait for their hour are two numbers each, so that an hour of a whole province fits; our mistake about one
asset stops neither the others nor the thread. What was posted before an interruption is there when it is done again;
the progress moves only with the last post.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, ParamSpec, TypeVar

from alerts.rollups import days
from alerts.rollups.assets import Followed
from alerts.rollups.days import Hour
from alerts.rollups.hours import fold_town
from alerts.rollups.rows import BinRow, Day, Period, Rollup
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress, Rolled
from gateway.journal.readings import ReadingPlace
from gateway.journal.rollups import RollupReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.rollups.scope import ROLLUPS, RollupScope, chunks
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

P = ParamSpec("P")
T = TypeVar("T")

_log = logger(__name__)


class RollupBarrier:
    """Calls what may fail by our mistake, logs that it did, counts it, and goes on."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def attempt(self, subject: str, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | None:
        """What ``act`` answers, or ``None`` when it failed."""
        try:
            return act(*given, **named)
        except Exception:  # noqa: BLE001 -- the one barrier of the rollups
            _log.exception("rollup_failed_by_our_mistake", subject=subject)
            self._metrics.rollup_bugs.inc()
            return None


_NONE = array("q")


class Waiting:
    """The ids of readings, up to ``scanned``, that belong to hours not yet computed."""

    def __init__(self, scanned: int) -> None:
        self.scanned = scanned
        self.count = 0
        self._hours: dict[Millis, dict[int, array[int]]] = {}
        self._first: dict[Millis, int] = {}

    def add(self, hour_ms: Millis, place: ReadingPlace) -> None:
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


FETCHED: Final = 256
"""Readings that are looked up at once: about as many milliseconds as a breath is worth."""

DAYS_FETCHED: Final = 8
"""Assets whose hours of a day are looked up at once, some 400 rows: about the same."""

KEPT_BACK_MS: Final = 9 * 86_400_000
"""A reading may count for 7 days before it came; its day and what follows can be computed again for two more."""

Hours = dict[tuple[Measurement, str], list[Hour]]


@dataclass(frozen=True, slots=True)
class Means:
    """What computing needs besides numbers: reading the journal, having it written, and letting others breathe."""

    reader: RollupReader
    keep: Callable[[Rolled], None]
    breathe: Callable[[int], None]
    barrier: RollupBarrier


@dataclass(slots=True)
class _Post:
    """What will be written for a chunk of assets."""

    rows: list[Rollup] = field(default_factory=list)
    carries: list[Carry] = field(default_factory=list)
    day_carries: list[DayCarry] = field(default_factory=list)


class RollupClosing:
    """Closes the next hour and the next day."""

    def __init__(self, scope: RollupScope, means: Means, posted_assets: int) -> None:
        self._scope = scope
        self._means = means
        self._posted_assets = posted_assets

    def hour(self, progress: Progress, waiting: Waiting, window: Period) -> Progress:
        """Every asset a step further, then the towns, and with them the new progress."""
        today_ms, begins = self._scope.day(window.start_ms).start_ms, self._scope.day(window.end_ms)
        day_ms = begins.start_ms if begins.hours.start_ms == window.end_ms else None
        position = waiting.position(window.end_ms)
        numbers = {name: number for number, name in self._means.reader.names("asset").items()}
        dirty: list[Dirty] = []
        for assets in chunks(tuple(self._scope.followed), self._posted_assets):
            ids = {asset: waiting.ids(window.start_ms, numbers.get(asset)) for asset in assets}
            carries = self._means.reader.carries(assets)
            ahead = {asset for asset, carry in carries.items() if carry.at_ms == window.end_ms}
            post = self._fold(window, {asset: ids[asset] for asset in assets if asset not in ahead}, carries)
            if day_ms is not None:
                post.day_carries = [
                    DayCarry(day_ms, carry.asset, position, carry.blob) for carry in post.carries if carry.blob
                ]
            self._means.keep(Rolled(tuple(post.rows), tuple(post.carries), tuple(post.day_carries)))
            dirty += [Dirty(today_ms, "asset", asset) for asset in ahead if len(ids[asset])]
        after = replace(
            progress,
            closed_ms=window.end_ms,
            scanned=waiting.scanned,
            carries_from_ms=self.carries_from_ms(progress, window),
        )
        rows = tuple(self._towns(window.start_ms))
        self._means.keep(Rolled(rows, dirty=tuple(dirty), progress=after, consumed=(ROLLUPS, position)))
        waiting.drop(window.start_ms)
        return after

    def carries_from_ms(self, progress: Progress, window: Period) -> Millis:
        """Carries of earlier days are let go once the window is closed."""
        return max(progress.carries_from_ms, self._scope.day(window.end_ms - KEPT_BACK_MS).start_ms)

    def day(self, progress: Progress, day: Day) -> Progress:
        """The daily rows of everybody, from the hourly ones."""
        for assets in chunks(tuple(self._scope.followed.values()), self._posted_assets):
            rows: list[Rollup] = []
            for some in chunks(assets, DAYS_FETCHED):
                hours = self.hours_of(some, day.hours)
                for followed in some:
                    rows += self.day_of(followed, day, hours)
                self._means.breathe(FETCHED)
            self._means.keep(Rolled(tuple(rows)))
        after = replace(progress, next_day_ms=self._scope.next_day(day).start_ms)
        self._means.keep(Rolled(tuple(self.town_days(tuple(self._scope.towns), day)), progress=after))
        return after

    def hours_of(self, assets: Sequence[Followed], span: Period) -> Hours:
        """The hourly rows of some assets and their devices, by subject and in order."""
        wanted: dict[Measurement, list[str]] = {}
        for followed in assets:
            for measurement, subject in followed.subjects:
                wanted.setdefault(measurement, []).append(subject)
        return self._hours(wanted, span)

    def day_of(self, followed: Followed, day: Day, hours: Mapping[tuple[Measurement, str], list[Hour]]) -> list[Rollup]:
        """The daily rows of an asset and its devices."""
        asset = followed.plan.asset.id
        return self._means.barrier.attempt(asset, followed.day, day.start_ms, hours) or []

    def town_hour(self, town: str, start_ms: Millis) -> Rollup | None:
        """A town's row, from those of its sites; ``None`` if none of them has any."""
        sites = self._means.reader.rollups(Measurement.BIN_HOUR, self._scope.towns[town], start_ms, start_ms + 1)
        self._means.breathe(len(sites))
        rows = [site.row for site in sites if isinstance(site.row, BinRow)]
        row = self._means.barrier.attempt(town, fold_town, rows) if rows else None
        return None if row is None else Rollup(Measurement.TOWN_HOUR, town, start_ms, row)

    def town_days(self, names: Sequence[str], day: Day) -> list[Rollup]:
        """The daily rows of some towns, from their hourly ones."""
        hours = self._hours({Measurement.TOWN_HOUR: names}, day.hours)
        made = {
            town: self._means.barrier.attempt(town, days.of_town, found, self._scope.calendar)
            for (_, town), found in hours.items()
        }
        return [Rollup(Measurement.TOWN_DAY, town, day.start_ms, row) for town, row in made.items() if row is not None]

    def _towns(self, start_ms: Millis) -> list[Rollup]:
        rows = [self.town_hour(town, start_ms) for town in self._scope.towns]
        return [row for row in rows if row is not None]

    def _hours(self, wanted: Mapping[Measurement, Sequence[str]], span: Period) -> Hours:
        found: Hours = {}
        for measurement, subjects in wanted.items():
            for each in self._means.reader.rollups(measurement, subjects, span.start_ms, span.end_ms):
                found.setdefault((measurement, each.subject), []).append(Hour(each.start_ms, each.row))
        return found

    def _fold(self, window: Period, ids: Mapping[str, Sequence[int]], carries: Mapping[str, Carry]) -> _Post:
        """Folds assets, looking up a bounded number of readings at a time."""
        post, some, wanted = _Post(), list[str](), list[int]()
        for asset, own in ids.items():
            some.append(asset)
            wanted += own
            if len(wanted) + len(some) >= FETCHED:
                self._fold_some(window, some, wanted, carries, post)
                some, wanted = [], []
        self._fold_some(window, some, wanted, carries, post)
        return post

    def _fold_some(
        self, window: Period, assets: Sequence[str], ids: Sequence[int], carries: Mapping[str, Carry], post: _Post
    ) -> None:
        readings: dict[str, list[Reading]] = {}
        for reading in self._means.reader.these(ids) if ids else ():
            readings.setdefault(reading.asset, []).append(reading)
        for asset in assets:
            carry, followed = carries.get(asset), self._scope.followed[asset]
            blob = carry.blob if carry is not None and carry.at_ms == window.start_ms else None  # it was away else
            folded = self._means.barrier.attempt(asset, followed.fold, blob, readings.get(asset, ()), window)
            if folded is not None:
                post.rows += folded.rows
            post.carries.append(Carry(asset, window.end_ms, None if folded is None else folded.carry))
        self._means.breathe(len(assets) + len(ids))
