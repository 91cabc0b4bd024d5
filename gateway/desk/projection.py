"""The county as the desk sees it: levels, signs of life and open episodes, and what people have arranged in it.

Taken over once and then kept by each entry. Pure and cheap: an entry costs what is in it, whatever the size of the
county. It decides nothing, asks no journal, and never looks into the loop's own memory, where something may stand that
is not durable yet. It is not thread-safe: whoever shares a projection holds the lock of ``feed``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from alerts.alert import Alert, unpack_alert
from alerts.answers import Caller
from alerts.calendars import Calendar
from alerts.conditions.bins import BinMemory
from alerts.conditions.filling import LevelForecast
from alerts.conditions.finding import Found
from alerts.conditions.state import AssetState, Plan
from alerts.conditions.thresholds import Thresholds, Tuned
from alerts.model import Detail, Event, RunState
from alerts.notify.holds import Ended, Trials
from alerts.operations.absences import Absence, Absences
from alerts.operations.extra_rounds import ExtraRound, ExtraRounds
from alerts.rules.over_two_thirds import lines_pct
from alerts.windows import Window
from gateway.commands.absences import ABSENCES
from gateway.commands.callers import CALLERS
from gateway.commands.command import recall
from gateway.commands.extra_rounds import EXTRAS
from gateway.commands.thresholds import TUNED
from gateway.commands.trials import TRIALS
from gateway.journal.entry import Entry, SignOfLife
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory
from telemetry.reading import Millis, Reading

OFFLINE = "offline"


class Topic(StrEnum):
    """What may have changed on a page."""

    LEVELS = "levels"
    CASES = "cases"
    TEXTS = "texts"
    QUARANTINE = "quarantine"


@dataclass(slots=True)
class Seen:
    """The last that is known of an asset. ``None`` and 0 mean that nobody has said; levels count as the engine's do."""

    heard_ms: Millis = 0
    """When one of its devices was last heard."""
    level_pct: float | None = None
    level_ms: Millis = 0
    temperature_c: float | None = None
    temperature_ms: Millis = 0
    emptied_ms: Millis = 0
    run: str = RunState.UNKNOWN
    run_ms: Millis = 0
    water_mm: float | None = None
    flow_m3h: float | None = None
    current_a: float | None = None
    works: tuple[Window, ...] = ()
    """Declared work that has begun and is not over."""
    forecast: LevelForecast | None = None
    """When it would be over its line and its brim, as of the last hour."""


@dataclass(slots=True)
class SignsOfLife:
    """A device's signs of life; 0 is never."""

    heard_ms: Millis = 0
    battery_pct: float | None = None
    rssi_dbm: float | None = None


@dataclass(slots=True)
class Projection:
    """Made by ``of``; ``apply`` is told every entry after it, once, in order."""

    assets: dict[str, Seen]
    devices: dict[str, SignsOfLife]
    open: dict[str, Alert] = field(default_factory=dict)
    """Episodes that are not over, by id."""
    of_asset: dict[str, dict[str, Alert]] = field(default_factory=dict)
    """The same by what they stand on."""
    asset_of: dict[str, str] = field(default_factory=dict)
    """What each device is on."""

    @classmethod
    def of(
        cls,
        inventory: Inventory,
        states: Mapping[str, AssetState],
        alerts: Iterable[Alert],
        forecast: Callable[[str], LevelForecast | None] = lambda _: None,
    ) -> Self:
        """What a start knows, and what it foretells of a bin."""
        made = cls(
            {asset: _remembered(states.get(asset)) for asset in inventory.assets},
            {device: SignsOfLife() for device in inventory.devices},
            asset_of={device.id: device.asset for device in inventory.devices.values()},
        )
        for asset, devices in inventory.devices_of.items():
            state = states.get(asset)
            for device, memory in zip(devices, () if state is None else state.devices, strict=False):
                made.devices[device.id] = SignsOfLife(memory.seen_ms, memory.battery_pct)
                made.assets[asset].heard_ms = max(made.assets[asset].heard_ms, memory.seen_ms)
        for asset, seen in made.assets.items():
            seen.forecast = forecast(asset)
        made.take(alerts)
        return made

    def take(self, alerts: Iterable[Alert]) -> None:
        """These are all the open episodes there are."""
        self.open.clear()
        self.of_asset.clear()
        for alert in alerts:
            self._enter(alert)

    def apply(self, entry: Entry) -> frozenset[Topic]:
        """What one commit changed; answers which kinds of thing it was."""
        for reading in entry.readings:
            self._see(reading)
        for sign in entry.signs_of_life:
            self._live(sign)
        for event in entry.events:
            self._hear(event)
        for row in entry.alerts.values():
            self._enter(unpack_alert(row.blob))
        for asset, found in entry.forecasts.items():
            self.assets[asset].forecast = found
        return frozenset(_topics(entry))

    def silent(self, asset: str) -> bool:
        """Whether a device of it is past its own deadline: what is known of it is old (law L5)."""
        return any(alert.rule == OFFLINE for alert in self.of_asset.get(asset, {}).values())

    def _see(self, reading: Reading) -> None:
        heard, seen = self.devices.get(reading.device), self.assets.get(reading.asset)
        if heard is None or seen is None:
            return
        values, at_ms = reading.values, reading.observed_ms
        heard.heard_ms = max(heard.heard_ms, reading.received_ms)
        seen.heard_ms = max(seen.heard_ms, reading.received_ms)
        if values.battery_pct is not None:
            heard.battery_pct = values.battery_pct
        if values.rssi_dbm is not None:
            heard.rssi_dbm = values.rssi_dbm
        if reading.judged_pct is not None and at_ms >= seen.level_ms:
            seen.level_pct, seen.level_ms = reading.judged_pct, at_ms
        if values.temperature_c is not None and at_ms >= seen.temperature_ms:
            seen.temperature_c, seen.temperature_ms = values.temperature_c, at_ms
        if reading.late:
            return
        seen.water_mm = seen.water_mm if values.level_mm is None else values.level_mm
        seen.flow_m3h = seen.flow_m3h if values.flow_m3h is None else values.flow_m3h
        seen.current_a = seen.current_a if values.pump_current_a is None else values.pump_current_a

    def _live(self, sign: SignOfLife) -> None:
        heard = self.devices.get(sign.device)
        if heard is not None:
            heard.heard_ms = max(heard.heard_ms, sign.received_ms)
            seen = self.assets[self.asset_of[sign.device]]
            seen.heard_ms = max(seen.heard_ms, sign.received_ms)

    def _hear(self, event: Event) -> None:
        seen = self.assets.get(event.asset)
        if seen is None:
            return
        if event.event == "emptied":
            seen.emptied_ms = event.at_ms
        elif event.event == "run_state" and event.detail is not None:
            seen.run, seen.run_ms = str(event.detail["to"]), event.at_ms
        elif event.event in {Found.WORK_BEGUN, Found.WORK_OVER} and event.detail is not None:
            window = str(event.detail["window"])
            seen.works = tuple(work for work in seen.works if work.id != window)
            if event.event == Found.WORK_BEGUN:
                seen.works += (_begun(window, event.at_ms, event.detail),)

    def _enter(self, alert: Alert) -> None:
        on = self.of_asset.setdefault(alert.asset, {})
        if alert.closed_ms:
            self.open.pop(alert.episode, None)
            on.pop(alert.episode, None)
        else:
            self.open[alert.episode] = on[alert.episode] = alert


def _remembered(state: AssetState | None) -> Seen:
    if state is None:
        return Seen()
    memory, works = state.memory, tuple(window for window in state.windows if window.begun)
    if isinstance(memory, BinMemory):
        return Seen(
            level_pct=memory.fill_pct if memory.fill_pct >= 0 else None,
            level_ms=memory.fill_ms,
            temperature_c=memory.temperature_c,
            temperature_ms=memory.temperature_ms,
            emptied_ms=memory.emptied_ms,
            works=works,
        )
    run = state.run or RunState.UNKNOWN
    return Seen(run=run, water_mm=memory.level_mm, current_a=memory.pump_current_a, works=works)


def _begun(window: str, at_ms: Millis, detail: Detail) -> Window:
    until_ms = detail["until_ms"]
    return Window(
        window, at_ms, until_ms if isinstance(until_ms, int) else at_ms, str(detail["reason"]), "", begun=True
    )


def _topics(entry: Entry) -> Iterable[Topic]:
    if entry.readings or entry.signs_of_life:
        yield Topic.LEVELS
    if entry.alerts or entry.events or entry.cases:
        yield Topic.CASES
    if entry.owed or entry.attempts or entry.dropped or entry.answers:
        yield Topic.TEXTS
    if entry.quarantined or entry.looked:
        yield Topic.QUARANTINE


MARKS = frozenset({ABSENCES, CALLERS, EXTRAS, TUNED, TRIALS})
"""The small marks that say so."""


class Arrangements:
    """Those of one county. One thread calls ``take``; others read, for each part is replaced and never changed."""

    def __init__(
        self,
        inventory: Inventory,
        trials: Trials,
        thresholds: Thresholds,
        plans: Mapping[str, Plan],
        marks: Mapping[str, str],
    ) -> None:
        """``marks`` are those of the moment; ``trials`` and ``thresholds`` only say under which parameters."""
        self._inventory = inventory
        self.absences = Absences(inventory)
        self.extras = ExtraRounds(inventory)
        self.trials = trials.anew()
        self.calendar = Calendar.of(inventory.county, self.extras.slots)
        """With the extra rounds as they are arranged now."""
        self.callers = recall({}, CALLERS, tuple[Caller, ...])
        """Who waits for a call, whoever has waited longest first."""
        self.thresholds = thresholds.anew()
        self._plans = dict(plans)
        self.lines_pct = lines_pct(self._plans)
        """The line of each site that counts for the score."""
        self.take(marks)

    @classmethod
    def of(cls, pipeline: Pipeline, marks: Mapping[str, str]) -> "Arrangements":
        """Those of a county that has just been started from its journal."""
        return cls(pipeline.county.inventory, pipeline.trials, pipeline.thresholds, pipeline.county.plans, marks)

    def take(self, marks: Mapping[str, str]) -> bool:
        """Follows what one commit has marked; answers whether anything is arranged differently now."""
        if ABSENCES in marks:
            self.absences.restore(recall(marks, ABSENCES, list[Absence]))
        if CALLERS in marks:
            self.callers = recall(marks, CALLERS, tuple[Caller, ...])
        if EXTRAS in marks:
            self.extras.restore(recall(marks, EXTRAS, list[ExtraRound]))
        if TRIALS in marks:
            self.trials.restore(recall(marks, TRIALS, list[Ended]))
        if TUNED in marks:
            self.thresholds.restore(recall(marks, TUNED, list[Tuned]))
            self._plans.update((asset.id, self.thresholds.plan(asset)) for asset in self._inventory.assets.values())
        return not MARKS.isdisjoint(marks)
