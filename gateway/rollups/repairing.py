"""Computes a day again for which a reading came late: an asset's hours from where its day began, then what follows.

When the day ends otherwise than it did, the next day begins otherwise and is computed again in its turn. A day of which
readings were let go is left as it is: what can no longer be computed is better old than wrong.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from alerts.rollups.assets import Followed, devices_in
from alerts.rollups.days import Hour
from alerts.rollups.rows import Rollup
from alerts.rollups.windows import HOUR_MS, Day, Window, starts
from gateway.journal.entry import Carry, DayCarry, Dirty, Progress, Rolled
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.rollups.closing import Closing, Hours, Means
from gateway.rollups.scope import Scope
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

_log = logger(__name__)

ROW: Final = 4
"""What a row without a reading is worth of a breath."""


class _Frozen(Exception):  # noqa: N818 -- a state of the journal, not an error of ours
    """The day can no longer be computed; the message says why."""


class Repairing:
    """Computes dirty days again, one a call."""

    def __init__(self, scope: Scope, means: Means, closing: Closing, metrics: Metrics) -> None:
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
        span = Window(day.hours.start_ms, min(day.hours.end_ms, progress.closed_ms))
        begun = self._means.reader.day_carry(dirty.subject, day.start_ms)
        readings = self._readings(progress, followed, day, span, begun)
        rows, blob = self._fold(followed, span, readings, None if begun is None else begun.blob)
        kept = self._closing.hours_of((followed,), span)
        changed = _differing(rows, kept)
        if day.start_ms < progress.next_day_ms:
            changed += self._day_rows(followed, day, _with(kept, rows))
        return self._following(progress, dirty, day, begun, blob, changed)

    def _readings(
        self, progress: Progress, followed: Followed, day: Day, span: Window, begun: DayCarry | None
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
        self, followed: Followed, span: Window, readings: Iterable[Reading], blob: bytes | None
    ) -> tuple[list[Rollup], bytes | None]:
        by_hour: dict[Millis, list[Reading]] = {}
        for reading in readings:
            by_hour.setdefault(reading.observed_ms - reading.observed_ms % HOUR_MS, []).append(reading)
        rows: list[Rollup] = []
        for start_ms in starts(span):
            own = by_hour.get(start_ms, [])
            window = Window(start_ms, start_ms + HOUR_MS)
            folded = self._means.barrier.attempt(followed.plan.asset.id, followed.fold, blob, own, window)
            blob = None if folded is None else folded.carry
            rows += () if folded is None else folded.rows
            self._means.breathe(len(own) + ROW)
        return rows, blob

    def _day_rows(self, followed: Followed, day: Day, hours: Hours) -> list[Rollup]:
        return self._differing_days(self._closing.day_of(followed, day, hours), day)

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
        span = Window(day.hours.start_ms, min(day.hours.end_ms, progress.closed_ms))
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
