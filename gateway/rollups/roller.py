"""What the rollups do next: look for new readings, close an hour or a day that is over, or compute a day again.

A day for which a reading came late is computed again, and the next if it ends otherwise; one of which readings were let
go is left as it is. Told the time, like everybody. Its memory is only a shortcut: after any trouble another roller goes
on from the journal.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from alerts.calendars import HOUR_MS
from alerts.rollups.assets import Followed, devices_in
from alerts.rollups.days import Hour
from alerts.rollups.rows import Day, Period, Rollup, hour_at, starts
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress, Rolled
from gateway.journal.rollups import RollupReader
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.rollups.closing import Hours, Means, RollupBarrier, RollupClosing, Waiting
from gateway.rollups.scope import ROLLUPS, RollupScope, chunks
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

_log = logger(__name__)

ROW: Final = 4
"""What a row without a reading is worth of a breath."""


class _Frozen(Exception):  # noqa: N818 -- a state of the journal, not an error of ours
    """The day can no longer be computed; the message says why."""


class Repairing:
    """Computes dirty days again, one a call."""

    def __init__(self, scope: RollupScope, means: Means, closing: RollupClosing, metrics: Metrics) -> None:
        self._scope = scope
        self._means = means
        self._closing = closing
        self._metrics = metrics

    def repair(self, progress: Progress, dirty: Dirty) -> None:
        """Afterwards the day is clean: computed again, or left as it is for good."""
        try:
            if dirty.kind == "area":
                rolled = self._town(progress, dirty)
            else:
                rolled = self._asset(progress, dirty)
                self._metrics.rollup_repairs.inc()
        except _Frozen as why:
            _log.warning("rollup_left_as_it_is", subject=dirty.subject, day_ms=dirty.day_ms, reason=str(why))
            self._metrics.rollup_frozen.inc()
            rolled = Rolled(clean=(dirty,))
        self._means.keep(rolled)

    def _asset(self, progress: Progress, dirty: Dirty) -> Rolled:
        followed = self._scope.followed.get(dirty.subject)
        if followed is None:
            raise _Frozen("its asset is gone")
        day = self._scope.day_standing_at(dirty.day_ms)
        span = Period(day.hours.start_ms, min(day.hours.end_ms, progress.closed_ms))
        begun = self._means.reader.day_carry(dirty.subject, day.start_ms)
        readings = self._readings(progress, followed, day, span, begun)
        rows, blob = self._fold(followed, span, readings, None if begun is None else begun.blob)
        kept = self._closing.hours_of((followed,), span)
        changed = _differing(rows, kept)
        if day.start_ms < progress.next_day_ms:
            changed += self._differing_days(self._closing.day_of(followed, day, _with(kept, rows)), day)
        return self._following(progress, dirty, day, begun, blob, changed)

    def _readings(
        self, progress: Progress, followed: Followed, day: Day, span: Period, begun: DayCarry | None
    ) -> list[Reading]:
        """Every reading of the asset in the span; ``_Frozen`` unless that is certain."""
        if day.start_ms < progress.carries_from_ms:
            raise _Frozen("it is too long ago")
        if begun is not None and not set(devices_in(begun.blob)) <= followed.plan.index.keys():
            raise _Frozen("one of its devices is gone")
        after = 0 if begun is None else begun.position
        found = self._means.reader.of_devices(followed.plan.index, after, span.start_ms, span.end_ms)
        if self._means.reader.let_go_ms() >= day.hours.start_ms:  # asked last: readings may be let go at any time
            raise _Frozen("its readings were let go")
        return [reading for reading in found if reading.asset == followed.plan.asset.id]

    def _fold(
        self, followed: Followed, span: Period, readings: Iterable[Reading], blob: bytes | None
    ) -> tuple[list[Rollup], bytes | None]:
        by_hour: dict[Millis, list[Reading]] = {}
        for reading in readings:
            by_hour.setdefault(reading.observed_ms - reading.observed_ms % HOUR_MS, []).append(reading)
        rows: list[Rollup] = []
        for start_ms in starts(span):
            own = by_hour.get(start_ms, [])
            window = Period(start_ms, start_ms + HOUR_MS)
            folded = self._means.barrier.attempt(followed.plan.asset.id, followed.fold, blob, own, window)
            blob = None if folded is None else folded.carry
            rows += () if folded is None else folded.rows
            self._means.breathe(len(own) + ROW)
        return rows, blob

    def _differing_days(self, rows: Sequence[Rollup], day: Day) -> list[Rollup]:
        kept = {
            each
            for row in rows
            for each in self._means.reader.rollups(row.measurement, (row.subject,), day.start_ms, day.start_ms + 1)
        }
        return [row for row in rows if row not in kept]

    def _following(
        self,
        progress: Progress,
        dirty: Dirty,
        day: Day,
        begun: DayCarry | None,
        blob: bytes | None,
        changed: Sequence[Rollup],
    ) -> Rolled:
        """What goes with the rows: the town's day, and where the next day or the next hour starts from."""
        asset = dirty.subject
        again: list[Dirty] = []
        town = self._scope.town_of.get(asset)
        if town is not None and any(row.measurement is Measurement.BIN_HOUR for row in changed):
            again.append(Dirty(dirty.day_ms, "area", town))
        if day.hours.end_ms > progress.closed_ms:
            now = (Carry(asset, progress.closed_ms, blob),)
            return Rolled(tuple(changed), now, dirty=tuple(again), clean=(dirty,))
        following = self._scope.next_day(day)
        kept = self._means.reader.day_carry(asset, following.start_ms)
        if blob is None or (kept is not None and kept.blob == blob):
            return Rolled(tuple(changed), dirty=tuple(again), clean=(dirty,))
        known = kept or begun
        begins = DayCarry(following.start_ms, asset, 0 if known is None else known.position, blob)
        again.append(Dirty(following.start_ms, "asset", asset))
        return Rolled(tuple(changed), day_carries=(begins,), dirty=tuple(again), clean=(dirty,))

    def _town(self, progress: Progress, dirty: Dirty) -> Rolled:
        if dirty.subject not in self._scope.towns:
            raise _Frozen("its town is gone")
        day = self._scope.day_standing_at(dirty.day_ms)
        span = Period(day.hours.start_ms, min(day.hours.end_ms, progress.closed_ms))
        made = [self._closing.town_hour(dirty.subject, start_ms) for start_ms in starts(span)]
        hourly = Measurement.TOWN_HOUR
        kept = set(self._means.reader.rollups(hourly, (dirty.subject,), span.start_ms, span.end_ms))
        changed = [row for row in made if row is not None and row not in kept]
        if changed:
            self._means.keep(Rolled(tuple(changed)))
        if day.start_ms >= progress.next_day_ms:
            return Rolled(clean=(dirty,))
        days = self._differing_days(self._closing.town_days((dirty.subject,), day), day)
        return Rolled(tuple(days), clean=(dirty,))


def _differing(rows: Iterable[Rollup], kept: Hours) -> list[Rollup]:
    """Those rows that are not kept as they are."""
    return [row for row in rows if Hour(row.start_ms, row.row) not in kept.get((row.measurement, row.subject), ())]


def _with(kept: Hours, rows: Iterable[Rollup]) -> Hours:
    """The rows that are kept, and instead of theirs the new ones."""
    merged = {subject: {hour.start_ms: hour for hour in hours} for subject, hours in kept.items()}
    for row in rows:
        merged.setdefault((row.measurement, row.subject), {})[row.start_ms] = Hour(row.start_ms, row.row)
    return {subject: [hours[at_ms] for at_ms in sorted(hours)] for subject, hours in merged.items()}


AFTER_MS: Final = 3 * 60_000
"""An hour is closed so long after its end, and so long after a start: what is only slow has come by then."""

LOOK_MS: Final = 60_000
"""How often it looks for late readings."""


class StepBounds(NamedTuple):
    """How much is done at once, so that neither the loop nor the memory feels it."""

    assets: int = 200
    """Assets whose rows are written in one transaction: four milliseconds of the loop's thread (ADR 0015)."""
    days: int = 500
    """Days to be computed again that are noted in one transaction."""
    page: int = 1_000
    """Places of readings read at once: a millisecond or two."""
    waiting: int = 1_000_000
    """Readings that wait for their hour; beyond it, hours that are over are closed first. Some 20 MB."""


BOUNDS: Final = StepBounds()


class Roller:
    """One piece of work a turn. For one thread."""

    def __init__(
        self,
        scope: RollupScope,
        reader: RollupReader,
        keep: Callable[[Rolled], None],
        metrics: Metrics,
        *,
        breathe: Callable[[int], None],
        bounds: StepBounds = BOUNDS,
    ) -> None:
        means = Means(reader, keep, breathe, RollupBarrier(metrics))
        self._scope = scope
        self._means = means
        self._closing = RollupClosing(scope, means, bounds.assets)
        self._repairing = Repairing(scope, means, self._closing, metrics)
        self._metrics = metrics
        self._bounds = bounds
        self._began_ms: Millis | None = None
        self._progress: Progress | None = None
        self._waiting = Waiting(0)
        self._names: dict[int, str] = {}

    def turn(self, now_ms: Millis) -> bool:
        """Does what is most urgent; ``False`` when there is nothing to do until ``due_ms``."""
        self._began_ms = now_ms if self._began_ms is None else self._began_ms
        self._progress = self._progress or self._resumed(now_ms)
        horizon_ms = self._scan(now_ms)
        found = self._means.reader.dirty(1)
        if found and self._is_urgent(found[0]):
            return self._repair(found)
        return self._close(now_ms, horizon_ms) or self._repair(found)

    def due_ms(self, now_ms: Millis) -> Millis:
        """When to look again although nothing was to do."""
        closes_ms = now_ms if self._progress is None else self._progress.closed_ms + HOUR_MS + AFTER_MS
        return min(now_ms + LOOK_MS, max(closes_ms, now_ms))

    def _resumed(self, now_ms: Millis) -> Progress:
        """How far it has come; at the very first time, where it begins."""
        reader = self._means.reader
        progress = reader.progress()
        if progress is None:
            began_ms = self._beginning(now_ms)
            progress = Progress(began_ms, 0, self._scope.day(began_ms).start_ms, 0)
            self._means.keep(Rolled(progress=progress))
        self._waiting = Waiting(reader.position(ROLLUPS))
        self._names = reader.names("asset")
        self._metrics.rollup_closed.set(progress.closed_ms / 1_000)
        return progress

    def _beginning(self, now_ms: Millis) -> Millis:
        """The hour of the oldest reading, after those that were let go; without a reading the present one."""
        let_go_ms = self._means.reader.let_go_ms()
        if let_go_ms:
            return hour_at(let_go_ms).end_ms
        oldest = self._means.reader.places(0, 1)
        return hour_at(oldest[0].received_ms if oldest else now_ms).start_ms

    def _scan(self, now_ms: Millis) -> Millis:
        """Each new reading waits for its hour, or makes a closed day dirty; answers up to when everything was seen."""
        progress = self._known
        late: dict[Dirty, None] = {}
        horizon_ms, days = now_ms, dict[Millis, Millis]()
        while places := self._means.reader.places(self._waiting.scanned, self._bounds.page):
            for place in places:
                hour_ms = place.observed_ms - place.observed_ms % HOUR_MS
                asset = self._name(place.asset)
                if asset not in self._scope.followed:
                    continue
                if hour_ms >= progress.closed_ms:
                    self._waiting.add(hour_ms, place)
                elif place.id > progress.scanned:
                    if hour_ms not in days:
                        days[hour_ms] = self._scope.day(hour_ms).start_ms
                    late[Dirty(days[hour_ms], "asset", asset)] = None
            self._waiting.scanned = places[-1].id
            self._means.breathe(len(places))
            if self._waiting.count > self._bounds.waiting and self._is_over(progress, places[-1].received_ms):
                horizon_ms = places[-1].received_ms
                break
        self._note(tuple(late))
        return horizon_ms

    def _note(self, late: tuple[Dirty, ...]) -> None:
        """Days that are dirty now, and with the last of them that they need not be found again."""
        *first, last = chunks(late, self._bounds.days) if late else ((),)
        for some in first:
            self._means.keep(Rolled(dirty=some))
        if last:
            self._progress = replace(self._known, scanned=max(self._known.scanned, self._waiting.scanned))
            self._means.keep(Rolled(dirty=last, progress=self._progress))

    def _name(self, number: int) -> str:
        if number not in self._names:
            self._names = self._means.reader.names("asset")
        return self._names[number]

    @property
    def _known(self) -> Progress:
        assert self._progress is not None  # noqa: S101 - every turn begins with it
        return self._progress

    def _is_over(self, progress: Progress, at_ms: Millis) -> bool:
        return progress.closed_ms + HOUR_MS + AFTER_MS <= at_ms

    def _close(self, now_ms: Millis, horizon_ms: Millis) -> bool:
        progress = self._known
        day = self._scope.day_standing_at(progress.next_day_ms)
        if day.hours.end_ms <= progress.closed_ms:
            self._progress = self._closing.day(progress, day)
            return True
        if self._began_ms is None or now_ms < self._began_ms + AFTER_MS or not self._is_over(progress, horizon_ms):
            return False
        window = self._next()
        self._progress = self._closing.hour(progress, self._waiting, window)
        self._metrics.rollup_hours.inc()
        self._metrics.rollup_closed.set(window.end_ms / 1_000)
        return True

    def _next(self) -> Period:
        return Period(self._known.closed_ms, self._known.closed_ms + HOUR_MS)

    def _is_urgent(self, dirty: Dirty) -> bool:
        """Whether its day could not be computed any more once the next hour is closed."""
        return dirty.day_ms < self._closing.carries_from_ms(self._known, self._next())

    def _repair(self, found: Sequence[Dirty]) -> bool:
        for dirty in found:
            self._repairing.repair(self._known, dirty)
        return bool(found)
