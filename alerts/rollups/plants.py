"""What an hour of a plant comes to: its water, its running and its run states, by the gateway's own stage one.

The engine is told each reading at the instant for which it counts, so that what a run state means is said once.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import HOUR_MS
from alerts.conditions import engine, plants
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import AssetState, Plan
from alerts.model import RUN_CODES, RunState
from alerts.rollups.rows import Period, PlantRow
from telemetry.inventory import Asset, PlantDesign
from telemetry.reading import Millis, Reading

SECOND_MS: Final = 1_000


class Hold(Struct, frozen=True, gc=False, array_like=True):
    """What the plant's samples have said that holds on: whether it runs, its totaliser, its rate; and until when."""

    runs: bool | None = None
    runs_until_ms: Millis = 0
    volume_m3: float | None = None
    rate_m3h: float = 0.0
    rate_until_ms: Millis = 0


class PlantCarry(Struct, frozen=True, gc=False):
    """What an hour leaves to the next: the engine's state, and what still holds."""

    state: AssetState
    hold: Hold = Hold()


class _Nobody:
    """A plant has no neighbours."""

    def temperatures_c(self, asset: Asset, at_ms: Millis, within_ms: Millis) -> list[float]:  # noqa: ARG002 - a port
        """See ``Neighbours``."""
        return []


_NOBODY: Final = _Nobody()


def fold(
    plan: Plan, carry: PlantCarry, readings: Sequence[Reading], window: Period, since_ms: Millis
) -> tuple[PlantRow, PlantCarry]:
    """The row of a window and what it leaves, from its readings in order; time counts from ``since_ms`` on."""
    run = _Run(plan, carry, since_ms)
    for reading in readings:
        run.expire(reading.observed_ms)
        run.dwell(reading.observed_ms)
        run.observe(reading)
    run.expire(window.end_ms - 1)
    run.dwell(window.end_ms)
    return run.row(), PlantCarry(run.state, run.hold)


class _Run:
    """A plant as it stands while the readings go by, and how long it has stood so."""

    __slots__ = ("_at_ms", "_design", "_plan", "_running_ms", "_starts", "_stood_ms", "_volume_m3", "hold", "state")

    def __init__(self, plan: Plan, carry: PlantCarry, at_ms: Millis) -> None:
        self._plan = plan
        self._design = _design(plan)
        self._at_ms = at_ms
        self.state, self.hold = carry.state, carry.hold
        self._stood_ms = dict.fromkeys(RunState, 0)
        self._running_ms = self._starts = 0
        self._volume_m3: float | None = None

    def expire(self, through_ms: Millis) -> None:
        """Everything that time alone does by then, each at its own instant."""
        while (due_ms := engine.deadline_ms(self._plan, self.state)) <= through_ms:
            self.dwell(due_ms)
            step = engine.expire(self._plan, self.state, due_ms)
            if not step.moved:
                raise RuntimeError(f"{self._plan.asset.id}: what is due at {due_ms} does not pass")
            self.state = step.state

    def dwell(self, to_ms: Millis) -> None:
        """Lets time pass: the plant does what it does, as far as its last sample still speaks for it."""
        span_ms = to_ms - self._at_ms
        if span_ms <= 0:
            return
        hold = self.hold
        self._stood_ms[RunState(self.state.run or RunState.UNKNOWN)] += span_ms
        if hold.runs:
            self._running_ms += max(0, min(to_ms, hold.runs_until_ms) - self._at_ms)
        flowed_ms = min(to_ms, hold.rate_until_ms) - self._at_ms
        if hold.volume_m3 is None and flowed_ms > 0:
            self._volume_m3 = (self._volume_m3 or 0.0) + hold.rate_m3h * flowed_ms / HOUR_MS
        self._at_ms = to_ms

    def observe(self, reading: Reading) -> None:
        """One sample, at the instant for which it counts."""
        at_ms = reading.observed_ms
        told = replace(reading, received_ms=at_ms, late=False)
        self.state = engine.observe(self._plan, self.state, told, _NOBODY).state
        until_ms = at_ms + self._plan.stale_after_ms[self._plan.index[reading.device]]
        memory = self.state.memory
        runs = isinstance(memory, PlantMemory) and plants.runs(self._design, memory)
        self._starts += runs and self.hold.runs is False
        self.hold = self._metered(replace(self.hold, runs=runs, runs_until_ms=until_ms), reading, until_ms)

    def row(self) -> PlantRow:
        """What it came to; the states in the order of the row's fields."""
        stood = self._stood_ms
        return PlantRow(
            self._volume_m3,
            self._running_ms / SECOND_MS,
            self._starts,
            stood[RunState.RUNNING] / SECOND_MS,
            stood[RunState.IDLE] / SECOND_MS,
            stood[RunState.STOPPED] / SECOND_MS,
            stood[RunState.NO_POWER] / SECOND_MS,
            stood[RunState.METER_FAULT] / SECOND_MS,
            stood[RunState.OFFLINE] / SECOND_MS,
            stood[RunState.MAINTENANCE] / SECOND_MS,
            stood[RunState.UNKNOWN] / SECOND_MS,
            RUN_CODES[self.state.run or RunState.UNKNOWN],
        )

    def _metered(self, hold: Hold, reading: Reading, until_ms: Millis) -> Hold:
        """The totaliser's rise is volume, its fall a new baseline; a rate below the cut-off is noise."""
        values = reading.values
        if values.volume_m3 is not None:
            before = hold.volume_m3 if hold.volume_m3 is not None else values.volume_m3
            self._volume_m3 = (self._volume_m3 or 0.0) + max(0.0, values.volume_m3 - before)
            hold = replace(hold, volume_m3=values.volume_m3)
        if values.flow_m3h is not None:
            rate = values.flow_m3h if values.flow_m3h >= plants.cutoff_m3h(self._design) else 0.0
            hold = replace(hold, rate_m3h=rate, rate_until_ms=until_ms)
        return hold


def _design(plan: Plan) -> PlantDesign:
    if plan.asset.plant is None:
        raise TypeError(f"{plan.asset.id} is no plant")
    return plan.asset.plant
