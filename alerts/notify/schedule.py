"""When the steps of an episode are due by its policy, and the deadline that a text prints. Nothing is told here."""

from dataclasses import dataclass

from alerts.alert import Alert
from alerts.calendars import DAY_MS, Calendar
from alerts.notify.holds import Holds
from alerts.policy import Policy, StepPolicy
from telemetry.inventory import Inventory
from telemetry.reading import Millis


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

    inventory: Inventory
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
        policies, device = self.holds.policies, self.inventory.devices.get(alert.device)
        interval = 0 if device is None else device.interval_s * 1000
        return max(policy.lead, min(max(interval, policies.parent_least), policies.parent_most))

    def offset(self, alert: Alert, step: StepPolicy) -> Millis:
        """When a step is due, counted from when step 0 left."""
        return self.holds.calendar.counted(alert.left_ms, step.after, self.policy(alert).clock)

    def deadline_ms(self, alert: Alert, at_ms: Millis) -> Millis:
        """What a text prints: the next escalation; where it has rounds the end of the next; else what is allowed."""
        steps, asset = self.steps(alert), self.inventory.assets.get(alert.asset)
        if asset is not None and alert.step == 0 and steps is self.policy(alert).rounds:
            return next((slot.end_ms for slot in self.holds.calendar.slots(asset, at_ms)), at_ms)
        if alert.step >= len(steps):
            return at_ms
        last = alert.step + 1 == len(steps)
        step = steps[alert.step] if last else steps[alert.step + 1]
        due_ms = at_ms + step.allow if last else self.offset(alert, step)
        return self.holds.release(alert, due_ms, step.hours).at_ms

    def awaits_round(self, alert: Alert) -> bool:
        """Whether nobody has been told yet because a round may still do it."""
        return alert.step == 0 and alert.missed == 0 and self.steps(alert) is self.policy(alert).rounds

    def is_overtaken(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether its step still waits for missed rounds while the time of the one after it has come."""
        steps, after = self.steps(alert), alert.step + 1
        if not alert.left_ms or steps[alert.step].missed_rounds <= alert.missed or after == len(steps):
            return False
        return self.offset(alert, steps[after]) <= at_ms
