"""Whom an open episode tells, and when: steps, repeats, acknowledgement and the closing word (alerting.md §4).

Pure: an alert and an instant in, the next alert and what is owed out. Who explains whom is ``topology``.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert, WaitingStep, record, unsaid, why
from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.conditions.bins import emptied_ms
from alerts.conditions.state import Memory
from alerts.model import URGENT, Detail, Log, MessageKind
from alerts.notify.holds import Holds
from alerts.notify.message_writer import EMPTIED, RESTART, MessageWriter, choose, next_chain
from alerts.notify.schedule import Manned, Roster, Schedule
from alerts.notify.stages import (
    AFRESH,
    BEGUN_FOR,
    DUE,
    RECOVERING,
    ROUND_PENDING,
    DueStep,
    Release,
    await_near_round,
    find_release,
    walk,
)
from alerts.people import Holder
from alerts.policy import StepPolicy
from alerts.timers import NEVER
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis

OFF_DUTY: Final = "off_duty"
RECOVERING_AFRESH: Final = "recovering_afresh"
"""It is getting better: a step, or the word after an inhibition, waits for what comes of that."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """The telling rules of one county."""

    inventory: Inventory
    holds: Holds
    schedule: Schedule
    message_writer: MessageWriter
    roster: Roster

    def begin(self, alert: Alert, at_ms: Millis, log: Log) -> Alert:
        """Files step 0 of a new episode."""
        policy = self.schedule.policy(alert)
        never = walk(BEGUN_FOR, self.holds, DueStep(alert, at_ms), Release(at_ms)).reason
        if never:
            log.append(why("held" if never == "late" else "dropped", alert, at_ms, never))
            return alert
        asset = self.inventory.assets.get(alert.asset)
        if asset is not None and policy.rounds and self.holds.has_rounds(alert):
            return self._await_round(alert, asset, at_ms, log)
        return self._file(alert, self._led_ms(alert, at_ms, at_ms + self.schedule.lead_ms(alert)), log)

    def run(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """Does all that is due by ``at_ms``, one thing after the other."""
        while 0 < alert.tell_ms <= at_ms:
            alert = self._turn(alert, memory, at_ms, log)
        return alert

    def acknowledge(self, alert: Alert, by: str, at_ms: Millis, log: Log) -> Alert:
        """T9: somebody has seen it; steps and repeats stop."""
        alert = self.forget_kept(alert, at_ms, "acknowledged", log)
        return replace(alert, acked_ms=at_ms, acked_by=by, due_ms=0, repeat_ms=0, round_ms=0, fresh_ms=0, reason="")

    def adopt(self, alert: Alert) -> Alert:
        """An episode from before a start, under the people and the steps of now."""
        told = tuple(person for person in alert.told if person in self.inventory.people)
        steps = len(self.schedule.steps(alert))
        if not alert.closed_ms and alert.step >= steps:
            alert = replace(alert, due_ms=0)
        if not steps:
            alert = replace(alert, due_ms=0, repeat_ms=0, round_ms=0, fresh_ms=0, kept=())
        return replace(alert, told=told)

    def explain(self, alert: Alert, parent: str, at_ms: Millis, log: Log) -> Alert:
        """Keeps an episode quiet whose cause is told."""
        log.append(why("inhibited", alert, at_ms, parent))
        alert = self.forget_kept(alert, at_ms, "inhibited", log)
        return replace(alert, parent=parent, due_ms=0, repeat_ms=0, fresh_ms=0, reason="inhibited")

    def unexplain(self, alert: Alert, told_by: Alert | None, fresh_ms: Millis, at_ms: Millis, log: Log) -> Alert:
        """T14: the cause is gone. Told in ``fresh_ms`` if it still stands.

        Where the episode ``told_by`` speaks for it, its chain simply goes on; or begins, if that was never told.
        """
        log.append(why("released", alert, at_ms, alert.parent))
        alert = replace(alert, parent="", reason="")
        policy = self.schedule.policy(alert)
        if alert.acked_ms or alert.shelved_until_ms or not policy.tells(alert.severity) or not alert.owes:
            return alert
        if told_by is not None:
            if not (told_by.left_ms or alert.left_ms):
                return self.begin(alert, at_ms, log)
            everybody = (*alert.told, *(person for person in told_by.told if person not in alert.told))
            told = replace(alert, step=max(alert.step, 1), left_ms=alert.left_ms or alert.raised_ms, told=everybody)
            return self._file_next(told, at_ms, log)
        own_ms = alert.raised_ms + self.schedule.lead_ms(alert)
        return replace(alert, fresh_ms=self._led_ms(alert, at_ms, max(fresh_ms, own_ms)))

    def relapse(self, alert: Alert, at_ms: Millis) -> Alert:
        """T5: it was getting better and is not any more; what waited for that leaves."""
        alert = replace(alert, recovering=False)
        if alert.reason == RECOVERING:
            return replace(alert, due_ms=at_ms, reason="")
        return replace(alert, fresh_ms=at_ms, reason="") if alert.reason == RECOVERING_AFRESH else alert

    def rekindle(self, alert: Alert, since_ms: Millis) -> Alert:
        """It flared up in the past: nobody is told of that, but what was seen to before is not seen to any more."""
        return replace(
            alert,
            again_ms=since_ms,
            latched=False,
            recovering=False,
            owes=False,
            acked_ms=0,
            acked_by="",
            ack_until_ms=0,
            shelved_until_ms=0,
        )

    def reignite(self, alert: Alert, at_ms: Millis, detail: Detail) -> Alert:
        """A fire that flares up before anybody reset it is told again from the first step."""
        again = replace(self.rekindle(alert, alert.again_ms), owes=True, detail=detail)
        return replace(again, doubts=(), fresh_ms=at_ms, due_ms=0, repeat_ms=0)

    def confirm(self, alert: Alert, at_ms: Millis, detail: Detail, log: Log) -> Alert:
        """What only late samples had said is true now; who has seen to it meanwhile is not told of it again."""
        confirmed = replace(alert, recovering=False, owes=True, detail=detail)
        if alert.acked_ms or alert.parent or alert.shelved_until_ms:
            return confirmed
        return self.reignite(alert, at_ms, detail) if alert.left_ms else self.begin(confirmed, at_ms, log)

    def close(self, alert: Alert, at_ms: Millis, reason: str) -> Alert:
        """T6, T12: it is over; those who were told of a P1 or P2 hear so, but not the emptier who ended it."""
        over = replace(_ended(alert, reason, at_ms), kept=())
        told = () if alert.shelved_until_ms else over.told
        if reason == EMPTIED:
            emptiers = self.roster.emptiers(over, at_ms)
            told = tuple(person for person in told if person not in emptiers)
        words = self.schedule.policy(over).cleared_text
        if not told or not words or over.severity not in URGENT:
            return over
        return replace(over, told=told, due_ms=find_release(self.holds, DueStep(over, at_ms)).at_ms)

    def retire(self, alert: Alert, ended: str, at_ms: Millis, log: Log) -> Alert:
        """T16: nothing watches it any more; whoever was told within a day hears that it is over for them."""
        over = replace(_ended(self.forget_kept(alert, at_ms, ended, log), ended, at_ms), parent="")
        lately = (one for one in over.told if alert.told_ms.get(one, alert.left_ms) > at_ms - DAY_MS)
        told = tuple(one for one in lately if self.inventory.phone_of.get(one))
        if not told or alert.asset == self.inventory.county.id:
            return over
        return replace(over, told=told, due_ms=find_release(self.holds, DueStep(over, at_ms)).at_ms)

    def tell_first(
        self, alert: Alert, kind: MessageKind, memory: Memory | None, at_ms: Millis, log: Log, *, by_hand: bool = False
    ) -> Alert:
        """Those of step 0 are told now, whatever holds it; what was due after that goes on at the next step.

        ``by_hand`` somebody has decided so, who knows the hour: then nobody's duty is asked for either.
        """
        anew = replace(alert, step=0, left_ms=at_ms)  # a deadline of the past helps nobody
        told = self._tell(anew, self.schedule.steps(alert)[0], kind, memory, at_ms, log, by_hand=by_hand)
        if alert.step == 0:
            return told
        return self._file_next(replace(told, step=alert.step, left_ms=alert.left_ms), at_ms, log)

    def tell_person(self, alert: Alert, person: str, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """One person is told what step 0 says; the chain goes on as it was, or begins with this."""
        told = replace(alert, left_ms=alert.left_ms or at_ms, reason="")
        deadline_ms = self.schedule.deadline_ms(replace(told, step=0, left_ms=at_ms), at_ms)
        text = self.message_writer.step_text(told, self.schedule.steps(alert)[0], memory, at_ms, deadline_ms, person)
        log.append(self.message_writer.owed(alert, 0, person, MessageKind.FRESH, text, at_ms))
        return self._file_next(_heard(replace(told, step=max(alert.step, 1)), (person,), at_ms), at_ms, log)

    def hand_over(self, alert: Alert, told: Container[str], from_ms: Millis, at_ms: Millis, log: Log) -> Alert:
        """Whoever came into the role of step 0 since it left hears of it once, from ``from_ms`` on and a P2 by day.

        So does who came after somebody for whom a text was kept. Nobody new is told while somebody who is there has
        seen to it; ``told`` are those whose text about it is on its way already.
        """
        steps = self.schedule.steps(alert)
        quiet = alert.closed_ms or alert.parent or alert.shelved_until_ms or alert.latched
        if alert.severity not in URGENT or quiet or not alert.left_ms or not steps:
            return alert
        if alert.acked_ms:
            if not self._has_left(alert, at_ms):
                return alert
            log.append(record("ack_expired", alert, at_ms, {"by": alert.acked_by, "reason": "person_left"}))
            alert = self._file_next(replace(alert, acked_ms=0, acked_by="", ack_until_ms=0, reason=""), at_ms, log)
        gone = [each for each in alert.kept if not self._is_there(each.person, at_ms)]
        log.extend(unsaid(replace(alert, step=each.step), at_ms, "person_left", person=each.person) for each in gone)
        if gone:
            alert = replace(alert, kept=tuple(each for each in alert.kept if each not in gone))
        vacant = {0, *(each.step for each in gone if each.step < len(steps))}
        if not alert.held:  # an older program did not write down who held it
            vacant.discard(0)
        for place in sorted(vacant):
            for person, holder in self._untold(alert, place, at_ms).items():
                if person in told or (place == 0 and person in alert.held):
                    continue
                new = WaitingStep(person, place, self._duty_ms(alert, steps[place], holder, from_ms), fresh=place == 0)
                row = why("kept", replace(alert, step=place), at_ms, "new_holder", person=person, until_ms=new.at_ms)
                log.append(row)
                alert = replace(alert, kept=(*alert.kept, new), held=(*alert.held, *((person,) if place == 0 else ())))
        return alert

    def successors(self, alert: Alert, step: int, at_ms: Millis) -> tuple[str, ...]:
        """Who answers for a step of it now and has not heard of it yet."""
        return tuple(self._untold(alert, step, at_ms)) if step < len(self.schedule.steps(alert)) else ()

    def _untold(self, alert: Alert, step: int, at_ms: Millis) -> dict[str, Holder]:
        """Who answers for a step now, on duty or not, and has not heard of it yet; with whose duty it is."""
        manned = self.roster.manned(alert, self.schedule.steps(alert)[step].roles, at_ms)
        known = {*alert.told, *(each.person for each in alert.kept)}
        found: dict[str, Holder] = {}
        for holder in (*manned.present, *manned.off_duty):
            (person,) = self.roster.answering((holder.person.id,), at_ms)
            if person not in known:
                found.setdefault(person, holder)
        return found

    def _is_there(self, person: str, at_ms: Millis) -> bool:
        """Whether somebody can be told, and is not away."""
        return bool(self.inventory.phone_of.get(person)) and self.roster.answering((person,), at_ms) == (person,)

    def _has_left(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether who has seen to it is gone, or away since then; who was away already has seen to it all the same."""
        absence = self.holds.absences.of(alert.acked_by, at_ms)
        if alert.acked_by not in self.inventory.people:
            return True
        return absence is not None and absence.from_ms > alert.acked_ms and not self._is_there(alert.acked_by, at_ms)

    def await_recovery(self, alert: Alert, at_ms: Millis, log: Log) -> Alert:
        """It is getting better: told afresh only if it does not."""
        log.append(why("held", alert, at_ms, RECOVERING))
        return replace(alert, fresh_ms=0, reason=RECOVERING_AFRESH)

    def _turn(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        wake = alert.tell_ms
        turns = (
            (any(each.at_ms == wake for each in alert.kept), self._tell_kept),
            (alert.fresh_ms == wake, self._tell_afresh),
            (alert.round_ms == wake, self._miss_round),
            (alert.repeat_ms == wake, self._repeat),  # before a step of the same instant tells somebody new
            (True, self._tell_step),
        )
        turn = next(turn for is_due, turn in turns if is_due)
        return turn(alert, memory, at_ms, log)

    def _led_ms(self, alert: Alert, from_ms: Millis, due_ms: Millis) -> Millis:
        """``due_ms``, or sooner where a P2 would wait until nobody is there any more: by night, or after duty."""
        due_ms = self.holds.before_night(alert, from_ms, due_ms)
        if alert.severity not in URGENT or self._is_manned(alert, due_ms) or not self._is_manned(alert, from_ms):
            return due_ms
        minutes = range(due_ms, from_ms, -MINUTE_MS)
        return next((at_ms for at_ms in minutes if self._is_manned(alert, at_ms)), from_ms)

    def _is_manned(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether anybody of any step has duty."""
        return any(self.roster.manned(alert, step.roles, at_ms).present for step in self.schedule.steps(alert))

    def _await_round(self, alert: Alert, asset: Asset, at_ms: Millis, log: Log) -> Alert:
        alert = replace(alert, round_ms=self.holds.round_due(asset, at_ms), reason=ROUND_PENDING)
        between = self.holds.between_rounds(asset, at_ms)
        if between is None or between > at_ms:
            log.append(why("held", alert, at_ms, ROUND_PENDING, until_ms=between or alert.round_ms))
        return alert if between is None else self._file(alert, between, log)

    def _miss_round(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        asset = self.inventory.assets[alert.asset]
        slot = self.holds.round_of(asset, alert.round_ms)
        alert = replace(alert, round_ms=self.holds.round_due(asset, max(alert.round_ms, at_ms)))
        if slot is None or alert.since_ms > slot.end_ms or emptied_ms(memory) >= slot.start_ms:
            return alert
        alert = replace(alert, missed=alert.missed + 1)
        log.append(why("round_missed", alert, at_ms, f"{alert.missed}"))
        if alert.step == 0 and not alert.parent:
            return self._file(replace(alert, reason=""), at_ms, log)
        return alert if alert.parent or alert.due_ms == 0 else self._file_next(alert, at_ms, log)

    def _tell_step(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        if self.schedule.is_overtaken(alert, at_ms):
            log.append(unsaid(alert, at_ms, "rounds_not_missed"))
            alert = replace(alert, step=alert.step + 1)
        step = self.schedule.steps(alert)[alert.step]
        release = walk(DUE, self.holds, DueStep(alert, at_ms, step.hours, emptied_ms(memory)), Release(at_ms))
        if release.reason:
            return self._wait(alert, release, at_ms, log)
        first = MessageKind.NOTICE if self.schedule.policy(alert).notice else MessageKind.FIRST
        kind = first if alert.step == 0 else MessageKind.ESCALATION
        return self._tell(alert, step, kind, memory, at_ms, log)

    def _wait(self, alert: Alert, release: Release, at_ms: Millis, log: Log) -> Alert:
        """The step waits as a stage has said: for what is to come of it, for its round, or until then."""
        if release.at_ms == NEVER:
            until_ms = alert.round_ms if release.reason == ROUND_PENDING else 0
            log.append(why("held", alert, at_ms, release.reason, until_ms=until_ms))
            return replace(alert, due_ms=0, reason=release.reason)
        if release.reason != ROUND_PENDING:
            return self._file(alert, at_ms, log)
        log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
        return self._file(replace(alert, reason=release.reason), release.at_ms, log)

    def _tell_afresh(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        release = walk(AFRESH, self.holds, DueStep(alert, at_ms, self.holds.first_hours(alert)), Release(at_ms))
        if release.reason == RECOVERING:
            return self.await_recovery(alert, at_ms, log)
        if release.reason:
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, fresh_ms=release.at_ms)
        again = replace(alert, fresh_ms=0, due_ms=0, step=0, left_ms=0, repeat=next_chain(alert))
        return self._tell(again, self.schedule.steps(again)[0], MessageKind.FRESH, memory, at_ms, log)

    def _tell(
        self,
        alert: Alert,
        step: StepPolicy,
        kind: MessageKind,
        memory: Memory | None,
        at_ms: Millis,
        log: Log,
        *,
        by_hand: bool = False,
    ) -> Alert:
        """One step: everybody who is to hear it now, each once; then the next step is filed."""
        told = replace(alert, left_ms=alert.left_ms or at_ms, reason="")
        deadline_ms = self.schedule.deadline_ms(told, at_ms)
        manned = self.roster.manned(alert, step.roles, at_ms)
        if by_hand:
            manned = Manned((*manned.present, *manned.off_duty), (), manned.unheld)
        log.extend(why("notice", alert, at_ms, "nobody_holds_role", person=role) for role in manned.unheld)
        reached, kept = self._whom(alert, step, manned, at_ms, log)
        for person in reached:
            text = self.message_writer.step_text(told, step, memory, at_ms, deadline_ms, person)
            log.append(self.message_writer.owed(alert, alert.step, person, kind, text, at_ms))
        policy = self.schedule.policy(alert)
        alone = alert.step == 0 and len(reached) < policy.together
        told = replace(_heard(told, reached, at_ms), step=alert.step + 1, due_ms=0, kept=(*alert.kept, *kept))
        if alert.step == 0:
            held = (holder.person.id for holder in (*manned.present, *manned.off_duty))
            told = replace(told, held=self.roster.answering(held, at_ms))
        if alert.step == 0 and policy.repeats:
            told = replace(told, repeat_ms=at_ms + policy.repeats[0])
        if (not manned.is_held or alone) and told.step < len(self.schedule.steps(told)):
            return replace(told, due_ms=at_ms)
        return self._file_next(told, at_ms, log)

    def _whom(
        self, alert: Alert, step: StepPolicy, manned: Manned, at_ms: Millis, log: Log
    ) -> tuple[list[str], list[WaitingStep]]:
        """Who hears a step's text now, and for whom it is kept until they have duty.

        Of a P1 or P2 somebody is told: where nobody of the step has duty, the first later step that has hears its text,
        and its own people hear it when they come. Where nobody has duty at all, whoever comes first hears it.
        """
        roster = self.roster
        if alert.severity not in URGENT or manned.present or not manned.off_duty:
            log.extend(unsaid(alert, at_ms, OFF_DUTY, person=each.person.id) for each in manned.off_duty)
            return roster.instead(alert, manned.present, at_ms, log), []
        later = self.schedule.steps(alert)[alert.step + 1 :]
        staffed = [each for each in later if roster.manned(alert, each.roles, at_ms).present]
        present = roster.manned(alert, staffed[0].roles, at_ms).present if staffed else ()
        waiting = {each.person.id: self._duty_ms(alert, step, each, at_ms) for each in manned.off_duty}
        if not present:
            others = [each for other in later for each in roster.manned(alert, other.roles, at_ms).off_duty]
            comes = {each.person.id: self._duty_ms(alert, step, each, at_ms) for each in others} | waiting
            waiting |= {person: comes_ms for person, comes_ms in comes.items() if comes_ms == min(comes.values())}
        reached = roster.instead(alert, present, at_ms, log)
        known = {*reached, *(each.person for each in alert.kept if each.step == alert.step)}
        kept = [
            WaitingStep(person, alert.step, comes_ms) for person, comes_ms in waiting.items() if person not in known
        ]
        log.extend(why("kept", alert, at_ms, OFF_DUTY, person=each.person, until_ms=each.at_ms) for each in kept)
        return reached, kept

    def _duty_ms(self, alert: Alert, step: StepPolicy, holder: Holder, at_ms: Millis) -> Millis:
        """When somebody has duty, and nothing holds the text."""
        hours = self.holds.first_hours(alert) if alert.step == 0 else step.hours
        return find_release(self.holds, DueStep(alert, at_ms, hours, holder=holder)).at_ms

    def _there_ms(self, alert: Alert, person: str, at_ms: Millis) -> Millis:
        """When somebody whose text was kept may hear it, as things are at ``at_ms``."""
        step = self.schedule.steps(alert)[alert.step]
        roles = [role for each in self.schedule.steps(alert) for role in each.roles]
        manned = self.roster.manned(alert, roles, at_ms)
        for holder in (*manned.present, *manned.off_duty):
            if holder.person.id == person:
                return self._duty_ms(alert, step, holder, at_ms)
        return find_release(self.holds, DueStep(alert, at_ms, step.hours)).at_ms

    def _tell_kept(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """Those who have duty now hear the text of the step that left without them."""
        due = [each for each in alert.kept if each.at_ms <= at_ms]
        alert = replace(alert, kept=tuple(each for each in alert.kept if each not in due))
        release = await_near_round(self.holds, DueStep(alert, at_ms, emptied_ms=emptied_ms(memory)), Release(at_ms))
        if release.reason:
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, kept=(*alert.kept, *(replace(each, at_ms=release.at_ms) for each in due)))
        steps = self.schedule.steps(alert)
        for each in due:
            then = replace(alert, step=each.step)
            if each.step >= len(steps) or each.person not in self.inventory.people:
                log.append(unsaid(then, at_ms, "person_left", person=each.person))
                continue
            there_ms = self._there_ms(then, each.person, at_ms)
            if there_ms > at_ms:  # their time came while we could not act
                log.append(why("kept", then, at_ms, OFF_DUTY, person=each.person, until_ms=there_ms))
                alert = replace(alert, kept=(*alert.kept, replace(each, at_ms=there_ms)))
                continue
            deadline_ms = self.schedule.deadline_ms(then, at_ms)
            text = self.message_writer.step_text(then, steps[each.step], memory, at_ms, deadline_ms, each.person)
            first = MessageKind.FRESH if each.fresh else MessageKind.FIRST
            kind = first if each.step == 0 else MessageKind.ESCALATION
            log.append(self.message_writer.owed(then, each.step, each.person, kind, text, at_ms))
            alert = _heard(alert, (each.person,), at_ms)
        return alert

    def forget_kept(self, alert: Alert, at_ms: Millis, reason: str, log: Log) -> Alert:
        """What waited for people to come on duty is of no use any more."""
        log.extend(unsaid(replace(alert, step=each.step), at_ms, reason, person=each.person) for each in alert.kept)
        return replace(alert, kept=())

    def _repeat(self, alert: Alert, memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        policy = self.schedule.policy(alert)
        first = self.schedule.steps(alert)[0]
        deadline_ms = self.schedule.deadline_ms(alert, at_ms)
        again = replace(alert, repeat=alert.repeat + 1, told_ms=dict.fromkeys(alert.told, at_ms), unreached=())
        for person in alert.told:
            text = self.message_writer.step_text(alert, first, memory, at_ms, deadline_ms, person)
            log.append(self.message_writer.owed(again, 0, person, MessageKind.REPEAT, text, at_ms))
        done = again.repeat % RESTART
        if done >= len(policy.repeats):
            return replace(again, repeat_ms=0)
        gap = policy.repeats[done] - policy.repeats[done - 1]  # a chain that began anew has not left with the first
        return replace(again, repeat_ms=max(alert.left_ms + policy.repeats[done], at_ms + gap))

    def tell_over(self, alert: Alert, others: Iterable[Alert], memory: Memory | None, at_ms: Millis, log: Log) -> Alert:
        """The closing word to those who were told, by how it ended and by what stands on the asset now."""
        release = find_release(self.holds, DueStep(alert, at_ms))
        if release.at_ms > at_ms:  # its time came while we could not act
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, due_ms=release.at_ms)
        policy, line_pct = self.schedule.policy(alert), self.message_writer.witness.lines_pct.get(alert.asset)
        others = tuple(others)
        closing = choose(alert, policy, memory, line_pct, others)
        settled_ms = self._settled_ms(alert)
        if at_ms < settled_ms and any(other.recovering for other in others if other.episode == closing.goes_on):
            log.append(why("held", alert, at_ms, RECOVERING, until_ms=settled_ms))
            return replace(alert, due_ms=settled_ms)
        if closing.unsaid:
            log.extend(why("superseded", alert, at_ms, closing.unsaid, person=person) for person in alert.told)
            return replace(alert, due_ms=0)
        told = alert.told
        if alert.ended != EMPTIED and closing.by_emptying:
            emptiers = self.roster.emptiers(alert, at_ms)
            told = tuple(person for person in told if person not in emptiers)
        text = self.message_writer.text(alert, closing.text, memory, alert.closed_ms, alert.closed_ms)
        covers = (closing.goes_on,) if closing.goes_on else ()
        owed = (self.message_writer.owed(alert, 0, person, MessageKind.CLEARED, text, at_ms) for person in told)
        log.extend(replace(each, covers=covers) for each in owed)
        return replace(alert, due_ms=0)

    def _settled_ms(self, alert: Alert) -> Millis:
        """When its next sample has said whether what goes on after it is on its way to its end, too."""
        device = self.inventory.devices.get(alert.device)
        return alert.closed_ms if device is None else alert.closed_ms + device.interval_s * 1500

    def _file_next(self, alert: Alert, at_ms: Millis, log: Log) -> Alert:
        """When the next step is due; one that waits for missed rounds may be overtaken by the one after it."""
        steps = self.schedule.steps(alert)
        if alert.step >= len(steps):
            return replace(alert, due_ms=0)
        step = steps[alert.step]
        if step.missed_rounds and step.at is not None and alert.missed >= step.missed_rounds:
            return self._file(alert, self.holds.calendar.next_time(at_ms, step.at), log)
        timed = next((later for later in steps[alert.step :] if later.after), None)
        if timed is None:
            return replace(alert, due_ms=0)
        return self._file(alert, max(at_ms, self.schedule.offset(alert, timed)), log)

    def _file(self, alert: Alert, due_ms: Millis, log: Log) -> Alert:
        step = self.schedule.steps(alert)[alert.step]
        hours = self.holds.first_hours(alert) if alert.step == 0 else step.hours
        release = find_release(self.holds, DueStep(alert, due_ms, hours))
        if release.at_ms > due_ms:
            log.append(why("held", alert, due_ms, release.reason, until_ms=release.at_ms))
        return replace(alert, due_ms=release.at_ms, reason=release.reason or alert.reason)


def _ended(alert: Alert, reason: str, at_ms: Millis) -> Alert:
    """The episode over: nothing of it is due, nobody keeps it quiet, and who never got a word needs no last one."""
    return replace(
        alert,
        told=tuple(person for person in alert.told if person not in alert.unreached),
        closed_ms=at_ms,
        ended=reason,
        due_ms=0,
        repeat_ms=0,
        round_ms=0,
        fresh_ms=0,
        recovering=False,
        latched=False,
        ack_until_ms=0,
        shelved_until_ms=0,
    )


def _heard(alert: Alert, people: Sequence[str], at_ms: Millis) -> Alert:
    """The episode after these were told of it."""
    everybody = tuple(dict.fromkeys((*alert.told, *people)))
    unreached = tuple(each for each in alert.unreached if each not in people)
    return replace(alert, told=everybody, told_ms=alert.told_ms | dict.fromkeys(people, at_ms), unreached=unreached)
