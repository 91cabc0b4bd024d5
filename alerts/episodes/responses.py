"""What people's hands do to the telling of an episode: acknowledge (T9, T10), shelve (T13), have somebody told now.

Whether a person may is decided here as well, and why not named; who asked by which way is written, and nothing is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from msgspec.structs import replace

from alerts.alert import Alert, Doubt, record, why
from alerts.conditions.bins import emptied_ms
from alerts.conditions.state import Memory
from alerts.model import URGENT, Actor, Log, MessageKind, Refused, Severity
from alerts.notify.escalation import Escalation
from alerts.notify.message_writer import next_chain
from alerts.notify.stages import AGAIN, TRIAL, DueStep, Release, walk
from telemetry.inventory import Inventory, Person
from telemetry.reading import Millis
from telemetry.terms import Role

LONGEST_GRACE_MS: Millis = 600_000
"""How long it is waited at most whether an episode still stands before it is told afresh."""


UNREACHED: Final = "unreached"
"""No provider took the text of anybody who was to be told."""


def grace_ms(alert: Alert, inventory: Inventory) -> Millis:
    """How long it is waited whether an episode still stands: one interval of its device, within a bound."""
    device = inventory.devices.get(alert.device)
    return LONGEST_GRACE_MS if device is None else min(device.interval_s * 1000, LONGEST_GRACE_MS)


@dataclass(frozen=True, slots=True)
class Responses:
    """The rules of one county for what people do."""

    inventory: Inventory
    escalation: Escalation

    def acknowledge(self, alert: Alert, asked: Actor, at_ms: Millis, log: Log, until_ms: Millis = 0) -> Alert:
        """T9: somebody has seen it; steps and repeats stop, for a while, or until a deferral (备案) is over."""
        log.append(record("acked", alert, at_ms, {**asked.detail()}))
        lasts = max(self.escalation.holds.policies.ack_timeout.get(alert.severity, 0), until_ms - at_ms)
        return replace(
            self.escalation.acknowledge(alert, asked.by, at_ms, log), ack_until_ms=at_ms + lasts if lasts else 0
        )

    def shelve(
        self, alert: Alert, asked: Actor, reason: str, until_ms: Millis, at_ms: Millis, log: Log
    ) -> Alert | Refused:
        """T13: nothing is sent about it until then (0: until it is over), as long as the person's role allows."""
        most_ms = at_ms + self._longest_shelf(self.inventory.people[asked.by])
        if not reason:
            return Refused("shelf_reason", "say why it is to be quiet: the reason is missing")
        if until_ms and not at_ms < until_ms <= most_ms:
            hours = (most_ms - at_ms) // 3_600_000
            sentence = f"{asked.by} may keep it quiet for at most {hours} h from now; name an earlier end"
            return Refused("shelf_long", sentence)
        until_ms = until_ms or most_ms
        log.append(record("shelved", alert, at_ms, {**asked.detail(), "reason": reason, "until_ms": until_ms}))
        alert = self.escalation.forget_kept(alert, at_ms, "shelved", log)
        quiet = replace(alert, due_ms=0, repeat_ms=0, fresh_ms=0, round_ms=0)  # an acknowledgement runs on meanwhile
        return replace(quiet, shelved_until_ms=until_ms, reason="shelved")

    def unshelve(self, alert: Alert, asked: Actor, at_ms: Millis, log: Log) -> Alert | Refused:
        """T14: it is told after all, if it still stands in a while."""
        if not alert.shelved_until_ms:
            return Refused("not_shelved", f"{alert.episode} is not shelved; show it again")
        log.append(record("unshelved", alert, at_ms, {**asked.detail()}))
        return self._back(alert, at_ms)

    @staticmethod
    def note(alert: Alert, asked: Actor, said: str, at_ms: Millis, log: Log) -> Alert | Refused:
        """A line in the story of an episode; nothing follows from it."""
        if not said:
            return Refused("note_missing", "there is nothing to note: say it in reason")
        log.append(record("noted", alert, at_ms, {**asked.detail(), "reason": said}))
        return alert

    def doubt(self, alert: Alert, asked: Actor, reason: str, at_ms: Millis, log: Log) -> Alert | Refused:
        """It is not so: as an answer 3, and the chain stops. It stands all the same until the sensor says otherwise."""
        if not reason:
            return Refused("doubt_reason", "say how you know that it is not so: the reason is missing")
        if alert.severity is Severity.P1 and not alert.latched:
            sentence = "a fire is called false only when it has cooled: have somebody look, then reset it"
            return Refused("still_burns", sentence)
        log.append(record("doubted", alert, at_ms, {**asked.detail(), "reason": reason}))
        return alert if alert.acked_ms else self.acknowledge(alert, asked, at_ms, log)

    @staticmethod
    def contradict(alert: Alert, person: str, said: str) -> Alert:
        """An answer 3: whoever is told next hears that they say otherwise; nothing said takes their doubt back."""
        others = tuple(each for each in alert.doubts if each.person != person)
        return replace(alert, doubts=(*others, Doubt(person, said)) if said else others)

    @staticmethod
    def unhold(alert: Alert, was_ms: Millis, at_ms: Millis) -> Alert:
        """Its trial, which would have lasted until then, is over now: what it kept back is looked at again."""
        if alert.reason != TRIAL and alert.left_ms:
            return alert
        due_ms, fresh_ms, repeat_ms = (
            at_ms if due >= was_ms else due for due in (alert.due_ms, alert.fresh_ms, alert.repeat_ms)
        )
        return replace(alert, due_ms=due_ms, fresh_ms=fresh_ms, repeat_ms=repeat_ms, reason="")

    def dispatch(
        self, alert: Alert, asked: Actor, to: str, memory: Memory | None, at_ms: Millis, log: Log
    ) -> Alert | Refused:
        """Somebody decided that it is told now: to one person, or to whoever is told first."""
        steps = self.escalation.schedule.steps(alert)
        if not steps:
            sentence = f"there is no text for {alert.rule}; call them, or add steps for it in escalation.yaml"
            return Refused("no_text", sentence)
        log.append(record("dispatched", alert, at_ms, {**asked.detail(), **({"to": to} if to else {})}))
        alert = replace(alert, acked_ms=0, acked_by="", ack_until_ms=0, shelved_until_ms=0, recovering=False)
        again = replace(alert, repeat=next_chain(alert))
        if not to:
            kind = MessageKind.FRESH if alert.told else MessageKind.FIRST
            told = self.escalation.tell_first(again, kind, memory, at_ms, log, by_hand=True)
        else:
            told = self.escalation.tell_person(again, to, memory, at_ms, log)
        return replace(told, fresh_ms=0)

    def hurry(self, alert: Alert, reason: str, at_ms: Millis, log: Log, unreached: str = "") -> Alert:
        """Somebody who was told cannot be reached: the next step of a P1 or P2 does not wait for its time.

        Where there is none, and no provider took the text of anybody at all (``unreached`` is whose it refused now), it
        is told afresh after a while: a number may have been corrected, or a provider be at work again (L9).
        """
        if alert.severity not in URGENT or alert.acked_ms:
            return alert
        answering = self.escalation.roster.answering
        lost = [each for each in alert.told if unreached in (each, *answering((each,), at_ms))]
        if unreached and not lost:
            return alert
        alert = replace(alert, unreached=tuple(dict.fromkeys((*alert.unreached, *lost))))
        if alert.due_ms > at_ms:
            log.append(record("hurried", alert, at_ms, {"reason": reason, "step": alert.step}))
            return replace(alert, due_ms=at_ms)
        is_quiet = alert.parent or alert.shelved_until_ms
        goes_on = alert.due_ms or alert.repeat_ms or alert.fresh_ms  # a word kept for somebody's duty tells nobody yet
        if not lost or is_quiet or goes_on or not set(alert.told) <= set(alert.unreached):
            return alert
        again_ms = at_ms + self.escalation.holds.policies.telling.untold_again
        log.append(why("held", alert, at_ms, UNREACHED, until_ms=again_ms))
        return replace(alert, fresh_ms=again_ms)

    def lapse(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """The time of a shelf (T14) or of an acknowledgement (T10) is over."""
        if 0 < alert.shelved_until_ms <= at_ms:
            log.append(record("unshelved", alert, at_ms, {"reason": "time"}))
            return self._back(alert, at_ms)
        holds = self.escalation.holds
        told = DueStep(alert, at_ms, holds.first_hours(alert), emptied_ms(memory))
        release = walk(AGAIN, holds, told, Release(at_ms))
        if release.reason:
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, ack_until_ms=release.at_ms, reason=release.reason)
        log.append(record("ack_expired", alert, at_ms, {"by": alert.acked_by}))
        alert = replace(alert, acked_ms=0, acked_by="", ack_until_ms=0, lapsed_ms=at_ms)
        if alert.latched or alert.parent or alert.shelved_until_ms or not alert.owes:
            return alert
        if alert.recovering and alert.severity is not Severity.P1:
            return self.escalation.await_recovery(alert, at_ms, log)
        again = replace(alert, repeat=next_chain(alert))
        return self.escalation.tell_first(again, MessageKind.FRESH, memory, at_ms, log)

    def _back(self, alert: Alert, at_ms: Millis) -> Alert:
        """From the shelf: told afresh unless somebody has seen it or something explains it."""
        back = replace(alert, shelved_until_ms=0, reason="")
        if alert.acked_ms or alert.parent or alert.closed_ms or not self.escalation.schedule.steps(alert):
            return back
        return replace(back, fresh_ms=at_ms + grace_ms(alert, self.inventory))

    def _longest_shelf(self, person: Person) -> Millis:
        shelf = self.escalation.holds.policies.shelf
        return max((shelf.get(duty.role, shelf[Role.CLEANER]) for duty in person.duties), default=shelf[Role.CLEANER])


Deed: TypeAlias = Callable[[Responses, Alert, Memory | None, Log], Alert | Refused]
"""One of ``Responses``, with all that it needs besides."""
