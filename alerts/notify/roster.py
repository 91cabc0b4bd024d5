"""Who hears of an episode: those who hold a role where it is, on duty now, or who stands in for them.

It knows areas, routes, duty hours and absences; what is said to anybody, and when, is ``escalation``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alerts.alert import Alert
from alerts.calendars import Calendar
from alerts.model import Detail, Severity
from alerts.notify.message_writer import Log, record
from alerts.operations.absences import Absences
from alerts.people import EMPTIER, Holder, anywhere, holders, within
from alerts.topology import OUTAGE, areas_of
from telemetry.inventory import Inventory
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

    inventory: Inventory
    calendar: Calendar
    absences: Absences

    def holders(self, alert: Alert, role: str) -> tuple[Holder, ...]:
        """Those who hold a role for what the episode is about and have a telephone, on duty or not."""
        area = alert.detail.get("area") if alert.asset == self.inventory.county.id else None
        areas = (str(area),) if area else areas_of(alert, self.inventory)
        if not areas:
            return self._reachable(anywhere(self.inventory, role))
        found = holders(self.inventory, role, areas, self.inventory.assets.get(alert.asset))
        found = found or (within(self.inventory, role, alert.asset) if alert.rule == OUTAGE else ())
        return self._reachable(found)

    def emptiers(self, alert: Alert, at_ms: Millis) -> set[str]:
        """Who empties what it is about, and who stands in for them."""
        held = {holder.person.id for holder in self.holders(alert, EMPTIER)}
        return held | {self.absences.instead(person, at_ms) for person in held}

    def manned(self, alert: Alert, roles: Sequence[str], at_ms: Millis) -> Manned:
        """How these roles are manned; who holds several of them is named once. A P1 asks for no duty."""
        held = {role: self.holders(alert, role) for role in roles}
        found: dict[str, Holder] = {}
        for holder in (holder for role in roles for holder in held[role]):
            known = found.get(holder.person.id)
            found[holder.person.id] = holder if known is None else replace(known, duties=known.duties + holder.duties)
        present, off_duty = list[Holder](), list[Holder]()
        for holder in found.values():
            has_duty = alert.severity is Severity.P1 or self.duty_ms(holder, at_ms) == at_ms
            (present if has_duty else off_duty).append(holder)
        return Manned(tuple(present), tuple(off_duty), tuple(role for role in roles if not held[role]))

    def instead(self, alert: Alert, people: Iterable[Holder], at_ms: Millis, log: Log) -> list[str]:
        """Who is told for these: they themselves, or who stands in for them; each once, and a row for who is away."""
        told: list[str] = []
        for holder in people:
            there = self.absences.instead(holder.person.id, at_ms)
            if there != holder.person.id:
                row: Detail = {"reason": "absent", "step": alert.step, "person": holder.person.id, "to": there}
                log.append(record("absent", alert, at_ms, row))
            if there not in told:
                told.append(there)
        return told

    def answering(self, people: Iterable[str], at_ms: Millis) -> tuple[str, ...]:
        """Who is told for these at an instant, each once: they themselves, or who stands in for them."""
        return tuple(dict.fromkeys(self.absences.instead(person, at_ms) for person in people))

    def duty_ms(self, holder: Holder, at_ms: Millis) -> Millis:
        """When somebody has duty, from an instant on."""
        spans = (duty.hours for duty in holder.duties)
        return min(at_ms if hours is None else self.calendar.opening(at_ms, hours) for hours in spans)

    def _reachable(self, found: Iterable[Holder]) -> tuple[Holder, ...]:
        return tuple(holder for holder in found if self.inventory.phone_of[holder.person.id])
