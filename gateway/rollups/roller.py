"""What the rollups do next: look for new readings, close an hour or a day that is over, or compute a day again.

Told the time, like everybody. Its memory is only a shortcut: after any trouble another roller goes on from the journal.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from alerts.rollups.windows import HOUR_MS, Window, hour_at
from gateway.journal.entry import Dirty, Progress, Rolled
from gateway.journal.rollup_reader import RollupReader
from gateway.metrics import Metrics
from gateway.rollups.barrier import Barrier
from gateway.rollups.closing import Closing, Means
from gateway.rollups.repairing import Repairing
from gateway.rollups.scope import ROLLUPS, Scope, chunks
from gateway.rollups.waiting import Waiting
from telemetry.reading import Millis

AFTER_MS: Final = 3 * 60_000
"""An hour is closed so long after its end, and so long after a start: what is only slow has come by then."""

LOOK_MS: Final = 60_000
"""How often it looks for late readings."""


class Bounds(NamedTuple):
    """How much is done at once, so that neither the loop nor the memory feels it."""

    assets: int = 200
    """Assets whose rows are written in one transaction: four milliseconds of the loop's thread (ADR 0015)."""
    days: int = 500
    """Days to be computed again that are noted in one transaction."""
    page: int = 1_000
    """Places of readings read at once: a millisecond or two."""
    waiting: int = 1_000_000
    """Readings that wait for their hour; beyond it, hours that are over are closed first. Some 20 MB."""


BOUNDS: Final = Bounds()


class Roller:
    """One piece of work a turn. For one thread."""

    def __init__(
        self,
        scope: Scope,
        reader: RollupReader,
        keep: Callable[[Rolled], None],
        metrics: Metrics,
        *,
        breathe: Callable[[int], None],
        bounds: Bounds = BOUNDS,
    ) -> None:
        means = Means(reader, keep, breathe, Barrier(metrics))
        self._scope = scope
        self._means = means
        self._closing = Closing(scope, means, bounds.assets)
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
        progress = self._progress or self._resumed(now_ms)
        self._progress = progress
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
        name = self._names.get(number)
        if name is None:
            self._names = self._means.reader.names("asset")
            name = self._names[number]
        return name

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

    def _next(self) -> Window:
        return Window(self._known.closed_ms, self._known.closed_ms + HOUR_MS)

    def _is_urgent(self, dirty: Dirty) -> bool:
        """Whether its day could not be computed any more once the next hour is closed."""
        return dirty.day_ms < self._closing.carries_from_ms(self._known, self._next())

    def _repair(self, found: Sequence[Dirty]) -> bool:
        for dirty in found:
            self._repairing.repair(self._known, dirty)
        return bool(found)
