"""What waits for one telephone number, and when it may leave: folding, budget, the day's cap and storms.

Frozen values and instants only. What the texts say when they leave together is ``digest``; P1 never comes here.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import DAY_MS, Calendar
from alerts.codes import Question
from alerts.holds import QUIET, Release
from alerts.model import BEGUN, Kind, Owed, Severity
from alerts.policy import Policies
from alerts.topology import OUTAGE
from telemetry.reading import Millis

GROUPED: Final = "grouped"
BUDGET: Final = "budget"
DAILY_CAP: Final = "daily_cap"
STORM: Final = "storm"


class Mailbox(Struct, frozen=True, array_like=True):
    """Everything about one number that outlasts an input. Instants are receive time."""

    phone: str
    pending: tuple[Owed, ...] = ()
    due_ms: Millis = 0
    """When what is pending is looked at again; 0 when nothing is."""
    reason: str = ""
    """Why it has to wait until then."""
    left_ms: tuple[Millis, ...] = ()
    """When texts left during the last day, oldest first; P1 is not counted."""
    cried_ms: tuple[Millis, ...] = ()
    """When something was to be told during the last storm window, oldest first."""
    storm_ms: Millis = 0
    """Since when there is a storm; 0 when there is none."""
    listed: dict[str, Millis] = {}
    """When each daily list was last dealt with."""
    outages: tuple[str, ...] = ()
    """The outages of whole areas that were to be told and are not over: as long as there is one, there is a storm."""
    questions: tuple[Question, ...] = ()
    """What a crew's number was asked during the last day, with the code of each."""


@dataclass(frozen=True, slots=True)
class Post:
    """The rules by which the numbers of one county are told."""

    policies: Policies
    calendar: Calendar

    def taken(self, box: Mailbox, owed: Owed, *, capped: bool) -> Mailbox:
        """The box with one more message; a closing word meets the first word that never left, and both are gone."""
        now_ms, telling = owed.at_ms, self.policies.telling
        if owed.kind is Kind.CLEARED:
            unsaid = tuple(each for each in box.pending if each.episode == owed.episode and each.to == owed.to)
            if any(each.kind in BEGUN for each in unsaid):
                kept = tuple(each for each in box.pending if each not in unsaid)
                return replace(box, pending=kept, due_ms=box.due_ms if kept else 0)
        cried = (*self._recent(box, now_ms), now_ms)
        if owed.rule == OUTAGE and owed.kind in BEGUN and owed.episode not in box.outages:
            box = replace(box, outages=(*box.outages, owed.episode))
        if len(cried) > telling.storm_begins or box.outages:
            storm_ms = box.storm_ms or now_ms
        else:
            storm_ms = box.storm_ms if len(cried) > telling.storm_ends or box.pending else 0
        pending = (*box.pending, owed)
        box = replace(box, pending=pending, cried_ms=cried[-(telling.storm_begins + 1) :], storm_ms=storm_ms)
        return self.filed(box, now_ms, capped=capped)

    def is_night(self, at_ms: Millis) -> bool:
        """Whether a message of then wakes people."""
        return self.calendar.is_within(at_ms, self.policies.quiet)

    def filed(self, box: Mailbox, now_ms: Millis, *, capped: bool) -> Mailbox:
        """The box with the instant at which what is pending may leave, and why not before."""
        if not box.pending:
            return replace(box, due_ms=0, reason="")
        release = self._release(box, now_ms, capped=capped)
        return replace(box, due_ms=release.at_ms, reason=release.reason)

    def emptied(self, box: Mailbox, now_ms: Millis, texts: int) -> Mailbox:
        """The box after everything pending left in so many texts (none, if nothing of it was worth one any more)."""
        left = (*(at for at in box.left_ms if at > now_ms - DAY_MS), *(now_ms for _ in range(texts)))
        most = max(self.policies.telling.budget.values())
        storm_ms = 0 if self._is_calm(box, now_ms) else box.storm_ms
        return replace(box, pending=(), due_ms=0, reason="", left_ms=left[-most:], storm_ms=storm_ms)

    def calmed(self, box: Mailbox, outage: str, now_ms: Millis, *, capped: bool) -> Mailbox:
        """The box after the end of an outage, which may be the end of its storm."""
        box = replace(box, outages=tuple(each for each in box.outages if each != outage))
        return self.filed(replace(box, storm_ms=0) if self._is_calm(box, now_ms) else box, now_ms, capped=capped)

    def _is_calm(self, box: Mailbox, now_ms: Millis) -> bool:
        return not box.outages and len(self._recent(box, now_ms)) < self.policies.telling.storm_ends

    def _recent(self, box: Mailbox, now_ms: Millis) -> tuple[Millis, ...]:
        return tuple(at for at in box.cried_ms if at > now_ms - self.policies.telling.storm_window)

    def _release(self, box: Mailbox, now_ms: Millis, *, capped: bool) -> Release:
        """The latest of all that holds it back, with its reason."""
        waits = [Release(now_ms), self._gathered(box), self._folded(box), self._storming(box)]
        waits += [self._afforded(box, span, most, BUDGET) for span, most in self.policies.telling.budget.items()]
        if capped:
            waits.append(self._capped(box, now_ms))
        latest = max(waits, key=lambda release: release.at_ms)
        wakes = any(self.is_night(each.at_ms) for each in box.pending)  # it was let through the night
        if wakes or not self.is_night(latest.at_ms):
            return latest
        return Release(self.calendar.next_time(latest.at_ms, self.policies.morning), QUIET)

    def _gathered(self, box: Mailbox) -> Release:
        """Some rules let their like come together before the first text."""
        waits = (self.policies.of(each.rule).gather if each.kind in BEGUN else 0 for each in box.pending)
        return Release(min(each.at_ms + wait for each, wait in zip(box.pending, waits, strict=True)), GROUPED)

    def _folded(self, box: Mailbox) -> Release:
        """After a text the next waits: less for what matters more, and a closing word hurries nobody."""
        if not box.left_ms:
            return Release(0)
        telling = self.policies.telling
        matters = (each for each in box.pending if each.kind is not Kind.CLEARED)
        urgent = box.storm_ms or any(each.severity == Severity.P2 for each in matters)
        return Release(box.left_ms[-1] + (telling.fold_p2 if urgent else telling.fold_p3), GROUPED)

    def _storming(self, box: Mailbox) -> Release:
        """In a storm one text tells of all that came: the first soon, then one each window, and few in half an hour."""
        if not box.storm_ms:
            return Release(0)
        telling = self.policies.telling
        since = [at for at in box.left_ms if at >= box.storm_ms]
        due = since[-1] + telling.storm_window if since else box.storm_ms + telling.storm_first
        return Release(max(due, self._afforded(box, *telling.storm_budget, STORM).at_ms), STORM)

    @staticmethod
    def _afforded(box: Mailbox, span: Millis, most: int, reason: str) -> Release:
        """When fewer than ``most`` texts will have left within ``span``."""
        if len(box.left_ms) < most:
            return Release(0)
        return Release(box.left_ms[-most] + span, reason)

    def _capped(self, box: Mailbox, now_ms: Millis) -> Release:
        """Who carries the bins gets few texts a day; what is more waits for the morning."""
        midnight = self.calendar.midnight(now_ms)
        today = sum(at >= midnight for at in box.left_ms)
        if today < self.policies.telling.cap_a_day:
            return Release(0)
        return Release(self.calendar.next_time(midnight + DAY_MS, self.policies.morning), DAILY_CAP)
