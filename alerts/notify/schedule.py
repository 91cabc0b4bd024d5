"""When the steps of an episode are due by its policy, whom each finds, and the deadline that a text prints.

A step finds who holds its role where it is, on duty now, or stands in for them. Nothing is told here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alerts.alert import Alert, record
from alerts.calendars import DAY_MS, Calendar
from alerts.model import Detail, Log, Severity
from alerts.notify.holds import Holds
from alerts.notify.stages import DueStep, find_release, on_duty_ms
from alerts.people import EMPTIER, Holder, anywhere, holders, within
from alerts.policy import Policy, StepPolicy
from alerts.topology import OUTAGE, areas_of
from telemetry.reading import Millis


class Manned(NamedTuple):
    """How some roles are manned at an instant: who holds them and has duty, who has not, and which nobody holds."""

    present: tuple[Holder, ...]
    off_duty: tuple[Holder, ...]
    unheld: tuple[str, ...]

    @property
    def is_held(self) -> bool:
        """Whether anybody who can be reached holds any of them."""
        return bool(self.present or self.off_duty)


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of one county, asked about one episode at a time."""

    holds: Holds

    def holders(self, alert: Alert, role: str) -> tuple[Holder, ...]:
        """Those who hold a role for what the episode is about and have a telephone, on duty or not."""
        area = alert.detail.get("area") if alert.asset == self.holds.inventory.county.id else None
        areas = (str(area),) if area else areas_of(alert, self.holds.inventory)
        if not areas:
            return self._reachable(anywhere(self.holds.inventory, role))
        found = holders(self.holds.inventory, role, areas, self.holds.inventory.assets.get(alert.asset))
        found = found or (within(self.holds.inventory, role, alert.asset) if alert.rule == OUTAGE else ())
        return self._reachable(found)

    def emptiers(self, alert: Alert, at_ms: Millis) -> set[str]:
        """Who empties what it is about, and who stands in for them."""
        held = {holder.person.id for holder in self.holders(alert, EMPTIER)}
        return held | {self.holds.absences.instead(person, at_ms) for person in held}

    def manned(self, alert: Alert, roles: Sequence[str], at_ms: Millis) -> Manned:
        """How these roles are manned; who holds several of them is named once. A P1 asks for no duty."""
        held = {role: self.holders(alert, role) for role in roles}
        found: dict[str, Holder] = {}
        for holder in (holder for role in roles for holder in held[role]):
            known = found.get(holder.person.id)
            found[holder.person.id] = holder if known is None else replace(known, duties=known.duties + holder.duties)
        present, off_duty = list[Holder](), list[Holder]()
        for holder in found.values():
            has_duty = alert.severity is Severity.P1 or on_duty_ms(self.holds.calendar, holder, at_ms) == at_ms
            (present if has_duty else off_duty).append(holder)
        return Manned(tuple(present), tuple(off_duty), tuple(role for role in roles if not held[role]))

    def instead(self, alert: Alert, people: Iterable[Holder], at_ms: Millis, log: Log) -> list[str]:
        """Who is told for these: they themselves, or who stands in for them; each once, and a row for who is away."""
        told: list[str] = []
        for holder in people:
            there = self.holds.absences.instead(holder.person.id, at_ms)
            if there != holder.person.id:
                row: Detail = {"reason": "absent", "step": alert.step, "person": holder.person.id, "to": there}
                log.append(record("absent", alert, at_ms, row))
            if there not in told:
                told.append(there)
        return told

    def answering(self, people: Iterable[str], at_ms: Millis) -> tuple[str, ...]:
        """Who is told for these at an instant, each once: they themselves, or who stands in for them."""
        return tuple(dict.fromkeys(self.holds.absences.instead(person, at_ms) for person in people))

    def _reachable(self, found: Iterable[Holder]) -> tuple[Holder, ...]:
        return tuple(holder for holder in found if self.holds.inventory.phone_of[holder.person.id])


def soon(calendar: Calendar, at_ms: Millis, due_ms: Millis) -> Millis:
    """The deadline that a text with 急 prints: no day of another week, and none that is two days away."""
    is_far = due_ms - at_ms > 2 * DAY_MS or _week(calendar, due_ms) != _week(calendar, at_ms)
    return min(due_ms, at_ms + DAY_MS) if is_far else due_ms


def _week(calendar: Calendar, at_ms: Millis) -> tuple[int, int]:
    year, week, _ = calendar.local(at_ms).isocalendar()
    return year, week


@dataclass(frozen=True, slots=True)
class Schedule:
    """The policies of one county, asked about one episode at a time."""

    holds: Holds

    def policy(self, alert: Alert) -> Policy:
        """How its rule is told."""
        return self.holds.policies.of(alert.rule)

    def steps(self, alert: Alert) -> tuple[StepPolicy, ...]:
        """Its steps; a bin with rounds of its own has others."""
        policy = self.policy(alert)
        return policy.rounds if policy.rounds and self.holds.has_rounds(alert) else policy.steps

    def lead_ms(self, alert: Alert) -> Millis:
        """How long step 0 waits for its own sake, or for the cause that would explain it."""
        policy = self.policy(alert)
        if not policy.waits_for_parent:
            return policy.lead
        policies, device = self.holds.policies, self.holds.inventory.devices.get(alert.device)
        interval = 0 if device is None else device.interval_s * 1000
        return max(policy.lead, min(max(interval, policies.parent_least), policies.parent_most))

    def offset(self, alert: Alert, step: StepPolicy) -> Millis:
        """When a step is due, counted from when step 0 left."""
        return self.holds.calendar.counted(alert.left_ms, step.after, self.policy(alert).clock)

    def deadline_ms(self, alert: Alert, at_ms: Millis) -> Millis:
        """What a text prints: the next escalation; where it has rounds the end of the next; else what is allowed."""
        steps, asset = self.steps(alert), self.holds.inventory.assets.get(alert.asset)
        if asset is not None and alert.step == 0 and steps is self.policy(alert).rounds:
            return next((slot.end_ms for slot in self.holds.calendar.slots(asset, at_ms)), at_ms)
        if alert.step >= len(steps):
            return at_ms
        last = alert.step + 1 == len(steps)
        step = steps[alert.step] if last else steps[alert.step + 1]
        due_ms = at_ms + step.allow if last else self.offset(alert, step)
        return find_release(self.holds, DueStep(alert, due_ms, step.hours)).at_ms

    def is_overtaken(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether its step still waits for missed rounds while the time of the one after it has come."""
        steps, after = self.steps(alert), alert.step + 1
        if not alert.left_ms or steps[alert.step].missed_rounds <= alert.missed or after == len(steps):
            return False
        return self.offset(alert, steps[after]) <= at_ms
