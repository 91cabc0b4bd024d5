"""Who hears of an episode: those who hold a role where it is, on duty now, or who stands in for them.

It knows areas, routes, duty hours and absences; what is said to anybody, and when, is ``escalation``.
"""

from dataclasses import dataclass

from alerts.absences import Absences
from alerts.alert import Alert
from alerts.calendars import Calendar
from alerts.model import Detail, Severity
from alerts.people import EMPTIER, Holder, anywhere, holders, within
from alerts.policy import StepPolicy
from alerts.scribe import Log, record, why
from alerts.topology import OUTAGE, areas_of
from telemetry.inventory import Inventory
from telemetry.reading import Millis


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of one county, asked about one episode at a time."""

    inventory: Inventory
    calendar: Calendar
    absences: Absences

    def holders(self, alert: Alert, role: str) -> tuple[Holder, ...]:
        """Those who hold a role for what the episode is about, on duty or not."""
        area = alert.detail.get("area") if alert.asset == self.inventory.county.id else None
        areas = (str(area),) if area else areas_of(alert, self.inventory)
        if not areas:
            return anywhere(self.inventory, role)
        found = holders(self.inventory, role, areas, self.inventory.assets.get(alert.asset))
        return found or (within(self.inventory, role, alert.asset) if alert.rule == OUTAGE else ())

    def emptiers(self, alert: Alert, at_ms: Millis) -> set[str]:
        """Who empties what it is about, and who stands in for them."""
        held = {holder.person.id for holder in self.holders(alert, EMPTIER)}
        return held | {self.absences.instead(person, at_ms) for person in held}

    def on_duty(self, alert: Alert, step: StepPolicy, at_ms: Millis, log: Log) -> list[str]:
        """Everybody on duty who holds one of its roles, each once; who is not, or that nobody does, is written down."""
        reached: list[str] = []
        held = {role: self.holders(alert, role) for role in step.roles}
        for holder in (holder for role in step.roles for holder in held[role]):
            if holder.person.id in reached:
                continue
            if self._is_off_duty(alert, holder, at_ms):
                log.append(why("dropped", alert, at_ms, "off_duty", person=holder.person.id))
                continue
            there = self.absences.instead(holder.person.id, at_ms)
            if there != holder.person.id:
                row: Detail = {"reason": "absent", "step": alert.step, "person": holder.person.id, "to": there}
                log.append(record("absent", alert, at_ms, row))
            if there not in reached:
                reached.append(there)
        log.extend(why("notice", alert, at_ms, "nobody_holds_role", person=role) for role in held if not held[role])
        return reached

    def _is_off_duty(self, alert: Alert, holder: Holder, at_ms: Millis) -> bool:
        hours = holder.duty.hours
        if hours is None or alert.severity is Severity.P1:
            return False
        return not self.calendar.is_within(at_ms, hours)
