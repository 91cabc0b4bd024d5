"""What a message may wait for although its step is due: trial, the night, and rounds that will do the work anyway.

What is on trial and until when is kept here, too. In which order it is asked, and with which reason, is ``stages``.
Nothing here knows texts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from alerts.alert import Alert
from alerts.calendars import MINUTE_MS, Calendar, RoundSlot
from alerts.model import Detail, Event, Severity
from alerts.operations.absences import Absences
from alerts.policy import Policies
from alerts.topology import areas_of
from alerts.undo import Undoable, UndoDict, UndoLog
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis
from telemetry.terms import Hours


class TrialKind(StrEnum):
    """What may be on trial."""

    AREA = "area"
    ASSET = "asset"
    DEVICE = "device"


class Ended(Struct, frozen=True):
    """A trial that was ended at ``at_ms``, before the date that it had."""

    kind: TrialKind
    name: str
    at_ms: Millis
    until_ms: Millis


class Trial(NamedTuple):
    """Something on trial, and until when; ``usual`` is what is new without anybody having said so."""

    kind: TrialKind
    name: str
    until_ms: Millis
    usual: bool = False


class Trials(Undoable):
    """The trials of one county. ``usual_ms`` is how long what is new is on trial where nobody says otherwise."""

    def __init__(self, inventory: Inventory, usual_ms: Millis, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self._inventory = inventory
        self._usual_ms = usual_ms
        self._ended: dict[tuple[TrialKind, str], Ended] = UndoDict(self._undo)

    def anew(self) -> "Trials":
        """The same trials with none of them ended."""
        return Trials(self._inventory, self._usual_ms)

    def restore(self, ended: Iterable[Ended]) -> None:
        """Takes over what was ended before a start."""
        self._ended = UndoDict(self._undo, {(each.kind, each.name): each for each in ended})

    def list_ended(self) -> list[Ended]:
        """What is to be remembered: everything ended of what is still there."""
        inventory = self._inventory
        there = {
            TrialKind.AREA: inventory.areas,
            TrialKind.ASSET: inventory.assets,
            TrialKind.DEVICE: inventory.devices,
        }
        return [each for each in self._ended.values() if each.name in there[each.kind]]

    def of_alert(self, alert: Alert) -> Millis:
        """Until when an episode tells nobody but the desk; 0 if it may."""
        asset = self._inventory.assets.get(alert.asset)
        if asset is not None:
            return self.of_asset(asset, alert.device)
        return max((self.of_area(area) for area in areas_of(alert, self._inventory)), default=0)

    def of_asset(self, asset: Asset, device: str = "") -> Millis:
        """Until when an asset's alerts, fed by one of its devices, tell nobody but the desk; 0 if they may."""
        devices = self._inventory.devices_of.get(asset.id, ())
        given = max(
            self._until_ms(TrialKind.ASSET, asset.id, _ms(asset.trial_until)),
            *(self._until_ms(TrialKind.DEVICE, own.id, _ms(own.trial_until)) for own in devices if own.id == device),
            *(self.of_area(area) for area in asset.areas),
        )
        is_given = asset.trial_until is not None or any(
            own.trial_until is not None for own in devices if own.id == device
        )
        if is_given or any(self._is_dated(area) for area in asset.areas) or not devices:
            return given
        installed_ms = min(_ms(own.installed_at) for own in devices)
        return self._until_ms(TrialKind.ASSET, asset.id, installed_ms + self._usual_ms)

    def of_area(self, area: str) -> Millis:
        """Until when an area or one above it is on trial."""
        lineage = self._inventory.lineage(area)
        return max(self._until_ms(TrialKind.AREA, node.id, _ms(node.trial_until)) for node in lineage)

    def running(self, at_ms: Millis) -> Iterator[Trial]:
        """Everything that is on trial then: areas, assets, devices, each in the inventory's order."""
        inventory = self._inventory
        for kind, things in (
            (TrialKind.AREA, inventory.areas.values()),
            (TrialKind.ASSET, inventory.assets.values()),
            (TrialKind.DEVICE, inventory.devices.values()),
        ):
            for thing in things:
                until_ms = self._until_ms(kind, thing.id, _ms(thing.trial_until))
                if until_ms > at_ms:
                    yield Trial(kind, thing.id, until_ms)
                elif kind is TrialKind.ASSET and isinstance(thing, Asset) and self._is_new(thing, at_ms):
                    yield Trial(kind, thing.id, self.of_asset(thing), usual=True)

    def end(self, kind: TrialKind, name: str, at_ms: Millis) -> list[Trial]:
        """Ends what runs of it, of an area that of everything new within it, too. Answers with what was ended."""
        ended = [trial for trial in self.running(at_ms) if self._is_meant(trial, kind, name)]
        for trial in ended:
            self._ended[trial.kind, trial.name] = Ended(trial.kind, trial.name, at_ms, trial.until_ms)
        return ended

    def _is_meant(self, trial: Trial, kind: TrialKind, name: str) -> bool:
        if (trial.kind, trial.name) == (kind, name):
            return True
        if kind is not TrialKind.AREA or not trial.usual:
            return False
        return name in self._inventory.around(self._inventory.assets[trial.name].areas)

    def _is_new(self, asset: Asset, at_ms: Millis) -> bool:
        dated = asset.trial_until is not None or any(self._is_dated(area) for area in asset.areas)
        return not dated and self.of_asset(asset) > at_ms

    def _is_dated(self, area: str) -> bool:
        return any(node.trial_until is not None for node in self._inventory.lineage(area))

    def _until_ms(self, kind: TrialKind, name: str, given_ms: Millis) -> Millis:
        ended = self._ended.get((kind, name))
        return ended.at_ms if ended is not None and ended.until_ms == given_ms else given_ms


def trial_ended(
    inventory: Inventory, kind: TrialKind, name: str, ended: Iterable[Trial], asked: Mapping[str, str], at_ms: Millis
) -> Event:
    """The row that says who ended which trials (law L9)."""
    device = inventory.devices.get(name)
    asset = device.asset if kind is TrialKind.DEVICE and device is not None else name if kind is TrialKind.ASSET else ""
    detail: Detail = {**asked, "kind": str(kind), "name": name, "ended": [trial.name for trial in ended]}
    return Event(at_ms=at_ms, event="trial_ended", rule="", asset=asset, detail=detail)


def _ms(at: datetime | None) -> Millis:
    return 0 if at is None else round(at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Holds:
    """What the waiting of one county depends on, and its questions; which of them comes first is ``stages``."""

    inventory: Inventory
    policies: Policies
    calendar: Calendar
    trials: Trials
    absences: Absences

    def is_free(self, alert: Alert) -> bool:
        """Whether neither a trial nor any hour holds it."""
        return alert.severity is Severity.P1 or self.policies.of(alert.rule).any_hour

    def passes_night(self, alert: Alert) -> bool:
        """Whether no hour holds it: also high water in a large plant, say, is told by night."""
        large, asset = self.policies.of(alert.rule).night_from_m3d, self.inventory.assets.get(alert.asset)
        plant = None if asset is None else asset.plant
        return self.is_free(alert) or (large is not None and plant is not None and plant.design_m3d >= large)

    def before_night(self, alert: Alert, from_ms: Millis, due_ms: Millis) -> Millis:
        """``due_ms``, or the last minute of the day where a P2 that may be told now would wait into the night.

        It waits for its cause or for what comes of a recovery; longer than that nobody may stay untold (law L9).
        """
        passes = alert.severity is not Severity.P2 or self.passes_night(alert)
        if passes or self.is_night(from_ms) or not self.is_night(due_ms):
            return due_ms
        return max(from_ms, self.calendar.next_time(from_ms, self.policies.quiet.start) - MINUTE_MS)

    def is_night(self, at_ms: Millis) -> bool:
        """Whether only P1 leaves then."""
        return self.calendar.is_within(at_ms, self.policies.quiet)

    def owed_anew_ms(self, owed_ms: Millis, at_ms: Millis) -> Millis:
        """From when something counts as owed that goes on in another form ``at_ms``: what was by day wakes nobody."""
        return owed_ms if self.is_night(at_ms) and not self.is_night(owed_ms) else at_ms

    def first_hours(self, alert: Alert) -> Hours | None:
        """When step 0 may leave by day, where its rule says so."""
        policy = self.policies.of(alert.rule)
        asset = self.inventory.assets.get(alert.asset)
        if asset is not None and asset.roadside and policy.roadside_hours is not None:
            return policy.roadside_hours
        return policy.hours

    def has_rounds(self, alert: Alert) -> bool:
        """Whether a round of its own will come for it."""
        asset = self.inventory.assets.get(alert.asset)
        return asset is not None and next(self.calendar.slots(asset, alert.raised_ms), None) is not None

    def between_rounds(self, asset: Asset, at_ms: Millis) -> Millis | None:
        """When a roadside or priority bin may be told of from ``at_ms`` on; ``None`` while its round is near."""
        if not (asset.priority or asset.roadside):
            return None
        at = self.calendar.opening(at_ms, self.policies.at_once, self.policies.morning)
        slot = next(self.calendar.slots(asset, at), None)
        near = slot is not None and slot.start_ms <= at + self.policies.round_notice
        return None if near else at

    def round_due(self, asset: Asset, after_ms: Millis) -> Millis:
        """When the first of its rounds to count as missed after ``after_ms`` does so; 0 if none comes."""
        grace = self.policies.round_grace
        slots = self.calendar.slots(asset, after_ms - grace)
        return next((slot.end_ms + grace for slot in slots if slot.end_ms + grace > after_ms), 0)

    def round_of(self, asset: Asset, round_ms: Millis) -> RoundSlot | None:
        """The round whose missing falls due at ``round_ms``; ``None`` if it is in no plan any more."""
        end = round_ms - self.policies.round_grace
        return next((slot for slot in self.calendar.slots(asset, end - 1) if slot.end_ms == end), None)
