"""What people hear of an alert that flaps (T15): the crew once, that its data cannot be trusted; nobody else anything.

When it flaps, and how long it is held for that, is ``conditions.machine``; here an alert and an instant go in, words come out.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.conditions.state import Memory
from alerts.model import Kind, Severity
from alerts.notify.escalation import OFF_DUTY, Escalation
from alerts.notify.message_writer import Log, record, unsaid, why
from telemetry.reading import Millis

FLAPPING: Final = "flapping"
"""The entry in the escalation file that says whom to tell and in which words, in the place of a rule."""
_FROM: Final = 50
"""Its numbers stay clear of repeats, which count from 1, and of answers, which take their chain's hundred."""


@dataclass(frozen=True, slots=True)
class Flapping:
    """The one of one county."""

    escalation: Escalation

    def begin(self, alert: Alert, at_ms: Millis, log: Log, *, late: bool) -> Alert:
        """It has moved once too often: the crew is owed a word, unless that was in the past."""
        log.append(record(FLAPPING, alert, at_ms, {}))
        if late:
            log.append(unsaid(alert, at_ms, "late"))
            return alert
        return replace(alert, flap_ms=at_ms)

    def tell(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """The crew hears it as soon as they may; small faults wait for the week's list, what is kept quiet is quiet."""
        reason = self._quiet(alert)
        if reason:
            log.append(unsaid(alert, at_ms, reason))
            return replace(alert, flap_ms=0)
        holds, scribe = self.escalation.holds, self.escalation.scribe
        policy = holds.policies.of(FLAPPING)
        asked = replace(alert, rule=FLAPPING, severity=Severity.P3)
        release = holds.release(asked, at_ms, policy.hours)
        if release.at_ms > at_ms:
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, flap_ms=release.at_ms)
        told = replace(alert, flap_ms=0, flapped=alert.flapped + 1)
        for step in policy.steps:
            manned = self.escalation.roster.manned(asked, step.roles, at_ms)
            log.extend(unsaid(asked, at_ms, OFF_DUTY, person=each.person.id) for each in manned.off_duty)
            people = self.escalation.roster.instead(asked, manned.present, at_ms, log)
            facts = scribe.witness.facts(alert, memory, at_ms, at_ms)
            if "fill_pct" not in alert.detail:  # it is not the level that flaps
                facts["level"] = ""
            said = scribe.texts.word(step.text, facts)
            for person in people:
                owed = scribe.owed(asked, 0, person, Kind.NOTICE, said, at_ms)
                log.append(replace(owed, repeat=_FROM + told.flapped))
        return told

    def _quiet(self, alert: Alert) -> str:
        """Why nobody is told; empty when the crew is."""
        if alert.severity is Severity.P4 or not self.escalation.schedule.policy(alert).steps:
            return "weekly_list"
        if not self.escalation.holds.policies.of(FLAPPING).steps:
            return "nobody_named"
        if not alert.owes:
            return "late"
        if alert.shelved_until_ms:
            return "shelved"
        return "inhibited" if alert.parent else ""
