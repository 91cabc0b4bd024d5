"""All assets of one county, told one input at a time: readings, instants and commands in, states and messages out.

The only mutable thing in the middle: states, timers and open alerts. What they mean is ``conditions.engine`` and
``decide``. A failed input leaves it as it was: whatever it had changed by then is taken back (``undo``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS
from alerts.conditions import engine
from alerts.conditions.bins import recent_c
from alerts.conditions.filling import LevelForecast
from alerts.conditions.finding import EngineStep, Finding
from alerts.conditions.state import AssetState, Memory, Plan
from alerts.episodes.decide import Decider, Trouble
from alerts.episodes.open_alerts import OpenAlerts, Silence
from alerts.episodes.rehearsal import Foreseen, Rehearsal, supposed
from alerts.episodes.responses import LONGEST_GRACE_MS, Deed
from alerts.model import URGENT, Actor, Event, Log, MessageKind, Owed, Refused, Severity
from alerts.notify.lists import Lists
from alerts.notify.mailbox import Mailbox
from alerts.notify.message_writer import MessageWriter
from alerts.notify.pending import Pending
from alerts.notify.replies import TO_WHO_ANSWERED
from alerts.notify.schedule import Schedule
from alerts.rules import explains
from alerts.rules.over_two_thirds import line_pct
from alerts.rules.overflow import brim_pct
from alerts.timers import NEVER, Timers
from alerts.topology import areas_of
from alerts.undo import Undoable, UndoDict, UndoList, UndoLog
from telemetry.inventory import Asset, Inventory
from telemetry.phone import dialled, is_same
from telemetry.reading import Millis, Reading


@dataclass(slots=True)
class Changes:
    """What some inputs have changed: assets whose machines moved, alerts, and everything said, in order."""

    moved: dict[str, None] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    boxes: dict[str, Mailbox] = field(default_factory=dict)
    log: list[Event | Owed] = field(default_factory=list)
    foretold: dict[str, None] = field(default_factory=dict)
    """Bins of which an hour is over, or that were emptied: what is foretold of them is another."""

    @classmethod
    def under(cls, undo: UndoLog) -> Self:
        """None yet; what is filled in is taken back with all else that an input changes."""
        return cls(UndoDict(undo), UndoDict(undo), UndoDict(undo), UndoList(undo), UndoDict(undo))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is another than before."""
        return not (self.log or self.moved or self.alerts or self.boxes or self.foretold)

    def take(self) -> "Changes":
        """What there is, handed over; whoever changes something goes on with this one, which is empty again."""
        taken = Changes()
        for name in ("moved", "alerts", "boxes", "log", "foretold"):
            if part := getattr(self, name):
                setattr(taken, name, part.take())
        return taken


_LONG_MS: Final[Millis] = DAY_MS
_SETTLES_MS: Final[Millis] = 7 * DAY_MS
_ASSET: Final = "a"
_ALERT: Final = "e"
_SHIFT: Final = "h"
_BOX: Final = "m"
_HOUR: Final = "d"
"""Kinds of timers. At one instant mailboxes ring last, so that what falls due together is told together."""


class County(Undoable):
    """States, timers and open alerts of one county. Not thread-safe: one loop owns it."""

    def __init__(
        self, inventory: Inventory, plans: dict[str, Plan], decider: Decider, telling: Pending, undo: UndoLog
    ) -> None:
        super().__init__(undo)
        self.inventory = inventory
        self.plans = plans
        self.states: UndoDict[str, AssetState] = UndoDict(undo)
        self.alerts: dict[str, Alert] = UndoDict(undo)
        self.boxes: dict[str, Mailbox] = UndoDict(undo)
        self.decider = decider
        self._pending = telling
        self._plan_of: dict[str, Plan] = UndoDict(
            undo, {device.id: plans[device.asset] for device in inventory.devices.values()}
        )
        self._silence = Silence(decider.outages.places, undo)
        self._causes: dict[str, Alert] = UndoDict(undo)
        self.timers = Timers(undo)
        """When ``advance`` has something to do."""
        self._listening = self._parameters_changed = False
        self._since_ms: Millis = NEVER
        self._deaf_ms = self._grace_ms = 0
        self.unsettled_until_ms: Millis = 0
        """Until when the time of day may be wrong, after a deafness so long that it may have been the clock's."""

    def restore(
        self,
        states: Mapping[str, AssetState],
        alerts: Iterable[Alert],
        boxes: Iterable[Mailbox] = (),
        *,
        parameters_changed: bool = False,
    ) -> None:
        """Takes over what was remembered, under other parameters maybe; timers run once ``listen`` is called."""
        self._parameters_changed = parameters_changed
        undo = self._undo
        self.states = UndoDict(undo, states)
        self.alerts = UndoDict(undo, {alert.episode: self.decider.adopt(alert) for alert in alerts})
        self.boxes = UndoDict(undo, {box.phone: box for box in boxes})
        self._causes = UndoDict(undo, {name: alert for name, alert in self.alerts.items() if alert.rule in explains()})
        self._silence.restore(self.plans, self.states)

    def listen(self, at_ms: Millis, deaf_since_ms: Millis | None, changes: Changes, *, started: bool) -> None:
        """We hear the devices again: our deafness excuses them, and what fell due meanwhile waits for the grace."""
        self._listening = True
        if deaf_since_ms is not None and deaf_since_ms < at_ms:
            self._excuse(deaf_since_ms, at_ms, changes)
        self._since_ms = at_ms
        if started:
            boxes = self.boxes.values()
            self._deliver(self._pending.readdress(boxes, self.successors, at_ms), changes)
            self._retire(at_ms, changes)
        self.hand_over(max(at_ms, self._grace_ms), at_ms, changes)
        if self._parameters_changed:
            self._parameters_changed = False
            self.replan(self.plans, at_ms, changes)
        self._refile_all()

    def oversleep(self, since_ms: Millis, at_ms: Millis, changes: Changes) -> None:
        """Nobody did anything between two instants, subscribed or not: as after a downtime of so long (law L13)."""
        self._excuse(since_ms, at_ms, changes)
        self._since_ms = at_ms
        self.hand_over(self._grace_ms, at_ms, changes)  # absences began or ended meanwhile
        self._refile_all()

    def _excuse(self, since_ms: Millis, at_ms: Millis, changes: Changes) -> None:
        """The devices, while they are heard at all: otherwise ``listen`` excuses them for the whole time."""
        self._deaf_ms = at_ms - since_ms
        if self._deaf_ms > _LONG_MS:
            self.unsettled_until_ms = at_ms + _SETTLES_MS
        longest_s = max((device.interval_s for device in self.inventory.devices.values()), default=0)
        self._grace_ms = at_ms + min(LONGEST_GRACE_MS, longest_s * 1000)
        if self._listening:
            for asset, state in self.states.items():
                self.states[asset] = engine.excuse(state, since_ms, at_ms)
                changes.moved[asset] = None

    def deafen(self) -> None:
        """The subscription is gone: silence means nothing until ``listen``."""
        self._listening = False

    def observe(self, reading: Reading, changes: Changes) -> float | None:
        """One new reading; everything that was due before it happens first. Answers what a bin's sample counted as."""
        if self.timers.earliest_ms <= reading.received_ms:
            self.advance(reading.received_ms, changes)
        plan = self._plan_of[reading.device]
        asset = plan.asset.id
        state = self.states[asset]
        step = engine.observe(plan, state, reading, self)
        if step.state.filling is not state.filling and step.state.filling.is_known:
            changes.foretold[asset] = None
        if step.moved or step.findings:
            self.keep(plan, step, reading.received_ms, changes, queued=self._is_queued(reading))
        else:
            self.states.exchange(asset, state, step.state)
        return step.judged_pct

    def count(self, device: str, size: int, at_ms: Millis, changes: Changes, observed_ms: Millis | None = None) -> bool:
        """One message of so many bytes, before what it says is heard; ``observed_ms`` if it brings something new.

        Answers whether it is above its device's share of the hour.
        """
        plan = self._plan_of[device]
        asset = plan.asset.id
        state = self.states[asset]
        feeder = plan.index[device]
        memory, interval_ms = state.devices[feeder], plan.devices[feeder].interval_s * 1000
        if observed_ms is not None:
            spread_ms = observed_ms - memory.observed_ms
            if memory.traffic.stays(at_ms, size, memory.seen_ms, spread_ms, interval_ms):
                return False
        step, above = engine.count(plan, state, device, size, at_ms, observed_ms)
        if step.moved:
            self.keep(plan, step, at_ms, changes)
            self._file(_HOUR, device)
        elif step.state is not state:
            self.states[asset] = step.state
        return above

    def _end_hour(self, device: str, due_ms: Millis, changes: Changes) -> None:
        plan = self._plan_of[device]
        self.keep(plan, engine.end_hour(plan, self.states[plan.asset.id], device, due_ms), due_ms, changes)
        self._file(_HOUR, device)

    def renew(self, device: str, at_ms: Millis, changes: Changes) -> None:
        """A device lives and says nothing that was measured; everything that was due before it happens first."""
        self.advance(at_ms, changes)
        plan = self._plan_of[device]
        self.keep(plan, engine.renew(plan, self.states[plan.asset.id], device, at_ms, self), at_ms, changes)

    def advance(self, now_ms: Millis, changes: Changes) -> None:
        """Everything that is due by ``now_ms``, in the order of its instants."""
        while self.timers.earliest_ms <= now_ms:
            self.ring(now_ms, changes)

    def ring(self, now_ms: Millis, changes: Changes) -> bool:
        """The first thing that is due by ``now_ms``; false when nothing is."""
        rung = self._next_due(now_ms)
        if rung is None:
            return False
        due_ms, kind, name = rung
        if kind == _ASSET:
            self._expire(self.plans[name], due_ms, changes)
        elif kind == _ALERT:
            open_alerts = self._open_alerts()
            self.decider.run(self.alerts[name], due_ms, open_alerts)
            self._settle(open_alerts, changes)
        elif kind == _SHIFT:
            self.hand_over(due_ms, due_ms, changes)
        elif kind == _HOUR:
            self._end_hour(name, due_ms, changes)
        else:
            self._deliver(self._pending.ring(name, self.boxes, self.alerts, due_ms), changes)
        return True

    def skip(self, now_ms: Millis) -> None:
        """What ``ring`` would do next is not done, and not due again until what it is about moves."""
        self._next_due(now_ms)

    def _next_due(self, now_ms: Millis) -> tuple[Millis, str, str] | None:
        while (rung := self.timers.ring(now_ms)) is not None:
            due_ms, kind, name = rung
            if self._due_ms(kind, name) <= due_ms:
                return rung
            self._file(kind, name)
        return None

    def _expire(self, plan: Plan, due_ms: Millis, changes: Changes) -> None:
        step = engine.expire(plan, self.states[plan.asset.id], due_ms)
        if not step.moved:  # it would be due again and again, and nothing else would ever happen
            raise RuntimeError(f"{plan.asset.id} is due at {due_ms}, and nothing comes of it")
        self.keep(plan, step, due_ms, changes)

    def respond(self, episode: str, deed: Deed, at_ms: Millis, changes: Changes) -> Refused | None:
        """What a person does about an open episode; why not when it is not possible, which changes nothing."""
        alert = self.alerts[episode]
        open_alerts = self._open_alerts()
        done = deed(self.decider.responses, alert, self.memory(alert.asset), open_alerts.log)
        if isinstance(done, Refused):
            return done
        open_alerts.enter(done)
        self.decider.run(done, at_ms, open_alerts)
        self._settle(open_alerts, changes)
        return None

    def hand_over(self, from_ms: Millis, at_ms: Millis, changes: Changes) -> None:
        """Who holds a role may be others now, by the inventory or by an absence: whoever came since hears what stands.

        All of it together, from ``from_ms`` on, which is the end of the grace after a start.
        """
        instead = self._pending.absences.instead
        coming: dict[str, set[str]] = {}
        for box in self.boxes.values():
            for each in box.pending:
                coming.setdefault(each.episode, set()).add(instead(each.to, at_ms))
        open_alerts = self._open_alerts()
        for alert in self.alerts.values():
            after = self.decider.escalation.hand_over(
                alert, coming.get(alert.episode, ()), from_ms, at_ms, open_alerts.log
            )
            if after is not alert:
                open_alerts.enter(after)  # what is due of it is due in its turn
        self._settle(open_alerts, changes)

    def arrange(self, at_ms: Millis, changes: Changes) -> None:
        """Absences are others now: who answers for what stands is told so, now and whenever one begins or ends."""
        self.hand_over(max(at_ms, self._grace_ms), at_ms, changes)
        self._file_shifts(at_ms)

    def successors(self, owed: Owed, at_ms: Millis) -> tuple[str, ...]:
        """Who is told of it instead of somebody who left: of what is urgent and stands, who answers for its step."""
        alert = self.alerts.get(owed.episode)
        if alert is None or alert.closed_ms or owed.severity not in URGENT or owed.kind is MessageKind.CLEARED:
            return ()
        return self.decider.escalation.successors(alert, owed.step, at_ms)

    def readdress(self, owed: Owed, at_ms: Millis, changes: Changes) -> str | None:
        """The number at which something owed is told now; ``None`` where its person is not there, and others are told.

        A number without a person is a stranger's, who is answered where they wrote from.
        """
        is_answer = owed.template in TO_WHO_ANSWERED
        there = owed.to if is_answer else self._pending.absences.instead(owed.to, at_ms)
        if there == owed.to and (is_same(owed.to, owed.phone) or self.inventory.phone_of.get(owed.to)):
            return self.inventory.phone_of.get(owed.to, owed.phone)
        people = (there,) if there != owed.to else self.successors(owed, at_ms)
        anew_ms = self._pending.sorting.holds.owed_anew_ms(owed.at_ms, at_ms)
        owed_ms = at_ms if owed.severity == Severity.P1 else anew_ms
        made = (replace(owed, at_ms=owed_ms, to=each, phone=self.inventory.phone_of[each]) for each in people)
        self.post([*made, self._pending.left(owed, at_ms, people)], changes)
        return None

    def forget_text(self, phone: str, key: str, at_ms: Millis, changes: Changes) -> None:
        """No provider took this text: it fills nobody's budget."""
        box = self.boxes.get(dialled(phone))
        if box is not None:
            after = self._pending.sorting.untaken(box, key, at_ms)
            self._deliver(([after] if after is not box else [], []), changes)

    def no_longer_owed(self, owed: Owed, at_ms: Millis) -> str:
        """Why something owed is of no use any more at its last moment before it leaves; empty when it still is."""
        return self._pending.no_longer_owed(owed, self.alerts, at_ms)

    def is_open(self, episode: str) -> bool:
        """Whether it still stands."""
        return episode in self.alerts and not self.alerts[episode].closed_ms

    def reset(self, episode: str, asked: Actor, at_ms: Millis, changes: Changes) -> bool:
        """T12; false while the condition still stands or when there is nothing latched."""
        if not self.may_reset(episode):
            return False
        alert = self.alerts[episode]
        state = engine.reset(self.plans[alert.asset], self.states[alert.asset], alert.rule)
        open_alerts = self._open_alerts()
        self.decider.reset(alert, asked, at_ms, open_alerts)
        self.states[alert.asset] = state
        changes.moved[alert.asset] = None
        self._settle(open_alerts, changes)
        return True

    def may_reset(self, episode: str) -> bool:
        """Whether an episode waits for a person to say that it is over, and nothing that was seen speaks against it."""
        alert = self.alerts.get(episode)
        if alert is None or not alert.latched or alert.closed_ms:
            return False
        plan = self.plans[alert.asset]
        return plan.slots[plan.place[alert.rule]].rule.is_gone(self.states[alert.asset].memory)

    def foresee(self, rule: str, asset: str, at_ms: Millis, lists: Lists, *, first: bool = False) -> Foreseen | Refused:
        """Who would be told, and when, if a rule stood on an asset from then on; the ``first`` alone if that is enough.

        Nothing is kept of it.
        """
        plan = self.plans.get(asset)
        if plan is None:
            return Refused("unknown_asset", f"the inventory has no asset {asset}: name one of its ids")
        slot = next((slot for slot in plan.slots if slot.rule.kind == rule), None)
        if slot is None or not plan.devices:
            known = ", ".join(dict.fromkeys(slot.rule.kind for slot in plan.slots)) if plan.devices else "none"
            return Refused("unwatched", f"no rule {rule} watches {asset}: known are {known}")
        device = plan.devices[max(slot.device, 0)].id

        def open_alerts(alerts: Mapping[str, Alert]) -> OpenAlerts:
            causes = {episode: alert for episode, alert in alerts.items() if alert.rule in explains()}
            return OpenAlerts(alerts, causes, self._silence.after(()), self.states.get, self._seen_ms)

        rehearsal = Rehearsal(self.decider, self._pending, lists, self, open_alerts)
        return rehearsal.foresee(supposed(slot.rule, plan.asset, device, at_ms), first=first)

    def post(self, log: Log, changes: Changes) -> None:
        """What somebody else owes, such as the lists, into the mailboxes."""
        self._deliver(self._pending.post(log, self.boxes), changes)

    @property
    def hearing_since_ms(self) -> Millis:
        """Since when we hear the devices; what fell due before that has waited for us."""
        return self._since_ms

    @property
    def message_writer(self) -> MessageWriter:
        """The writer of this county."""
        return self.decider.escalation.message_writer

    @property
    def schedule(self) -> Schedule:
        """When whom of this county is told."""
        return self.decider.escalation.schedule

    def watch(self, trouble: Trouble, at_ms: Millis, changes: Changes) -> None:
        """A part of the house needs a person, or works again; see ``Decider.watch``."""
        open_alerts = self._open_alerts()
        self.decider.watch(trouble, at_ms, open_alerts)
        self._settle(open_alerts, changes)

    def keep(self, plan: Plan, step: EngineStep, at_ms: Millis, changes: Changes, *, queued: bool = False) -> None:
        """Stage two on what a step found; only then the step itself is kept."""
        asset = plan.asset.id
        open_alerts = self._open_alerts(step.findings, asset, step.state)
        open_alerts.queued = queued
        self.decider.decide(step.findings, at_ms, open_alerts)
        self._settle(open_alerts, changes)
        self.states[asset] = step.state
        self._silence.keep(step.findings)
        if step.moved:
            changes.moved[asset] = None
        self._file(_ASSET, asset)

    def temperatures_c(self, asset: Asset, at_ms: Millis, within_ms: Millis) -> list[float]:
        """See ``Neighbours``."""
        others = (other.id for other in self.inventory.bins_in.get(asset.area, ()) if other.id != asset.id)
        found = (recent_c(self.memory(other), at_ms, within_ms) for other in others)
        return [warmth for warmth in found if warmth is not None]

    def memory(self, asset: str) -> Memory | None:
        """What is remembered of an asset, if it is one."""
        state = self.states.get(asset)
        return None if state is None else state.memory

    def forecast(self, asset: str) -> LevelForecast | None:
        """When a bin will be over its line, and over its brim, if nobody comes; ``None`` of what is no bin."""
        plan, state = self.plans.get(asset), self.states.get(asset)
        if plan is None or state is None or plan.asset.bin is None:
            return None
        return LevelForecast(engine.forecast(plan, state, line_pct(plan)), engine.forecast(plan, state, brim_pct(plan)))

    def hears(self, asset: str) -> bool:
        """Whether any device of an asset speaks."""
        return any(device.id not in self._silence for device in self.inventory.devices_of.get(asset, ()))

    def _is_queued(self, reading: Reading) -> bool:
        """Whether it waited for us while later news of its device may have queued up behind it."""
        fresh = reading.observed_ms >= self._since_ms or reading.received_ms >= self._grace_ms
        return not fresh and self._deaf_ms >= self.inventory.devices[reading.device].interval_s * 1000

    def _open_alerts(
        self, findings: Iterable[Finding] = (), asset: str = "", state: AssetState | None = None
    ) -> OpenAlerts:
        """The open alerts as stage two sees them while ``asset`` is on its way to ``state``."""

        def state_of(name: str) -> AssetState | None:
            return state if state is not None and name == asset else self.states.get(name)

        hush = self._silence.after(findings)
        return OpenAlerts(self.alerts, self._causes, hush, state_of, self._seen_ms, self._since_ms, self._grace_ms)

    def _seen_ms(self, device: str) -> Millis:
        plan = self._plan_of[device]
        return self.states[plan.asset.id].devices[plan.index[device]].seen_ms

    def _settle(self, open_alerts: OpenAlerts, changes: Changes) -> None:
        posted = self._pending.post(open_alerts.log, self.boxes)
        for episode, alert in open_alerts.changed.items():
            changes.alerts[episode] = alert
            if alert.closed_ms and not alert.wake_ms:
                self.alerts.pop(episode, None)
                self._causes.pop(episode, None)
                self.timers.forget(_ALERT, episode)
                continue
            self.alerts[episode] = alert
            if alert.rule in explains():
                self._causes[episode] = alert
            self._file(_ALERT, episode)
        self._deliver(posted, changes)

    def _deliver(self, made: tuple[list[Mailbox], Log], changes: Changes) -> None:
        boxes, log = made
        changes.log.extend(log)
        for box in boxes:
            self.boxes[box.phone] = changes.boxes[box.phone] = box
            if box.due_ms:
                self._file(_BOX, box.phone)

    def _due_ms(self, kind: str, name: str) -> Millis:
        if kind == _ASSET:
            if not self._listening:
                return NEVER
            due_ms = engine.deadline_ms(self.plans[name], self.states[name])
        elif kind == _ALERT:
            due_ms = self.alerts[name].wake_ms or NEVER
        elif kind == _SHIFT:
            return max(int(name), self._grace_ms)
        elif kind == _HOUR:
            plan = self._plan_of[name]
            due_ms = engine.hour_ms(plan, self.states[plan.asset.id], name)
        else:
            due_ms = self.boxes[name].due_ms or NEVER
        return max(due_ms, self._grace_ms) if due_ms < self._since_ms else due_ms

    def _file(self, kind: str, name: str) -> None:
        due_ms = self._due_ms(kind, name)
        if due_ms < NEVER:  # else where nothing else is due, an alarm clock would be set to a day that has no date
            self.timers.file(kind, name, due_ms)

    def _refile_all(self) -> None:
        self.timers.clear()
        named = ((_ASSET, self.states), (_ALERT, self.alerts), (_BOX, self.boxes), (_HOUR, self._plan_of))
        for kind, names in named:
            for name in names:
                self._file(kind, name)
        self._file_shifts(self._since_ms)

    def _file_shifts(self, at_ms: Millis) -> None:
        """When an absence begins or ends, others answer."""
        for absence in self._pending.absences.list_current(at_ms):
            for shift_ms in (absence.from_ms, absence.until_ms):
                if shift_ms > at_ms:
                    self._file(_SHIFT, str(shift_ms))

    def _retire(self, at_ms: Millis, changes: Changes) -> None:
        """T16 at a start: episodes of assets or rules that are no longer there."""
        for alert in list(self.alerts.values()):
            if not self._is_watched(alert):
                open_alerts = self._open_alerts()
                self.decider.retire(alert, at_ms, open_alerts)
                self._settle(open_alerts, changes)

    def replan(self, plans: Mapping[str, Plan], at_ms: Millis, changes: Changes) -> None:
        """Parameters are others, the slots are not: a changed threshold judges the last level again."""
        self.plans.update(plans)
        self._plan_of.update((device.id, plan) for plan in plans.values() for device in plan.devices)
        for asset, plan in plans.items():
            step = engine.rejudge(plan, self.states[asset], at_ms, self)
            if step.moved:
                self.keep(plan, step, at_ms, changes)
            self._file(_ASSET, asset)

    def _is_watched(self, alert: Alert) -> bool:
        plan = self.plans.get(alert.asset)
        if plan is None:
            return bool(areas_of(alert, self.inventory)) or alert.asset == self.inventory.county.id
        # an episode that is older than its asset's id is still named after the former one
        return any(plan.watches(alert.rule, subject) for subject in (alert.subject, plan.asset.id))
