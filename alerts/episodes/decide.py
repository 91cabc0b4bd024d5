"""Stage two: from what was found on assets to episodes, causes and messages owed. It knows people and keeps no state.

Here is also what is told of data that flap (T15), whether most of a village has fallen silent at once, and what the
house says of itself.
``Decider.decide`` reads open alerts from an ``OpenAlerts`` and enters the changed ones there; who keeps them is
``county``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert, record, unsaid, why
from alerts.calendars import stamp
from alerts.conditions.finding import Finding, Found
from alerts.conditions.state import Memory
from alerts.episodes.open_alerts import Hush, OpenAlerts
from alerts.episodes.responses import Responses, grace_ms
from alerts.model import Actor, Detail, Event, Log, MessageKind, Severity
from alerts.notify.escalation import OFF_DUTY, Escalation
from alerts.notify.holds import Holds
from alerts.notify.message_writer import RETIRED, UNWATCHED
from alerts.notify.stages import DueStep, Release, find_release, skip_past, suppress, walk
from alerts.policy import Telling
from alerts.rules import explains, is_quiet_at_work
from alerts.rules.gateway_offline import GatewayOffline
from alerts.topology import CONTINUES, GATEWAY, OUTAGE, parent_of
from alerts.windows import running
from telemetry.inventory import Device, Inventory
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
        reason = self._quiet(alert, at_ms)
        if reason:
            log.append(unsaid(alert, at_ms, reason))
            return replace(alert, flap_ms=0)
        holds, message_writer = self.escalation.holds, self.escalation.message_writer
        policy = holds.policies.of(FLAPPING)
        asked = replace(alert, rule=FLAPPING, severity=Severity.P3)
        release = find_release(holds, DueStep(asked, at_ms, policy.hours))
        if release.at_ms > at_ms:
            log.append(why("held", alert, at_ms, release.reason, until_ms=release.at_ms))
            return replace(alert, flap_ms=release.at_ms)
        told = replace(alert, flap_ms=0, flapped=alert.flapped + 1)
        for step in policy.steps:
            manned = self.escalation.roster.manned(asked, step.roles, at_ms)
            log.extend(unsaid(asked, at_ms, OFF_DUTY, person=each.person.id) for each in manned.off_duty)
            people = self.escalation.roster.instead(asked, manned.present, at_ms, log)
            facts = message_writer.witness.facts(alert, memory, at_ms, at_ms)
            if "fill_pct" not in alert.detail:  # it is not the level that flaps
                facts["level"] = ""
            said = message_writer.texts.word(step.text, facts)
            owed = (message_writer.owed(asked, 0, person, MessageKind.NOTICE, said, at_ms) for person in people)
            log.extend(replace(each, repeat=_FROM + told.flapped) for each in owed)
        return told

    def _quiet(self, alert: Alert, at_ms: Millis) -> str:
        """Why nobody is told; empty when the crew is."""
        if alert.severity is Severity.P4 or not self.escalation.schedule.policy(alert).steps:
            return "weekly_list"
        if not self.escalation.holds.policies.of(FLAPPING).steps:
            return "nobody_named"
        told = DueStep(replace(alert, acked_ms=0), at_ms)  # who has seen to it does not know that it flaps
        return walk((skip_past, suppress), self.escalation.holds, told, Release(at_ms)).reason


@dataclass(frozen=True)
class Outages:
    """The counting of one county. A witness is a device that speaks at least once in a window."""

    inventory: Inventory
    telling: Telling

    @cached_property
    def places(self) -> Mapping[str, tuple[str, ...]]:
        """The areas of each witness and all above them, the nearest first."""
        devices = self.inventory.devices.values()
        return {device.id: self._areas(device) for device in devices if self._is_witness(device)}

    def touched(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """The areas in which a witness fell silent or spoke again, each after those above it."""
        moved = (each.device for each in findings if each.kind in (Found.STALE, Found.FRESH))
        return tuple(dict.fromkeys(area for device in moved for area in reversed(self.places.get(device, ()))))

    def right_below(self, area: str) -> tuple[str, ...]:
        """The areas that an area is made of."""
        return tuple(each.id for each in self.inventory.areas.values() if each.parent == area)

    def dark(self, area: str, silent: Hush, seen_ms: Callable[[str], Millis]) -> Detail | None:
        """The evidence, if most of those who spoke until then had their last word within one window; else nothing.

        Devices speak in turn, so what goes dark in one second falls stale over an interval, and a mains device hours
        before a bin: the last words are compared, not the deadlines.
        """
        telling, members = self.telling, self._members.get(area, ())
        if silent.in_area(area) < max(telling.outage_least, telling.outage_share * len(members)):
            return None  # asked whenever a device falls silent: what is counted already comes first
        quiet = {device: seen_ms(device) for device in members if device in silent}
        last_ms = max(quiet.values())
        together = [device for device, seen in quiet.items() if seen > 0 and last_ms - seen <= telling.outage_window]
        before = len(quiet) - len(together)
        if len(together) < max(telling.outage_least, telling.outage_share * (len(members) - before)):
            return None
        if self._share_a_gateway(together):
            return None
        return {"stale": len(together), "devices": len(members), "before": before, "seen_ms": last_ms}

    @staticmethod
    def stale(outage: Alert, silent: Hush) -> int:
        """How many of its devices are silent now, without those that were before it."""
        return max(0, silent.in_area(outage.asset) - _count(outage, "before"))

    def wider(self, outage: Alert, silent: Hush, at_ms: Millis, holds: Holds) -> Alert:
        """The outage with so many devices by now; those who were told of it hear so once in a window."""
        stale = self.stale(outage, silent)
        if stale <= _count(outage, "stale"):
            return outage
        wider = replace(outage, detail={**outage.detail, "stale": stale})
        is_quiet = outage.parent or outage.acked_ms or outage.shelved_until_ms
        if is_quiet or outage.repeat_ms or not outage.told:
            return wider
        return replace(wider, repeat_ms=find_release(holds, DueStep(wider, at_ms + self.telling.storm_window)).at_ms)

    def is_back(self, outage: Alert, silent: Hush) -> bool:
        """Whether enough of it speaks again."""
        spoke = _count(outage, "devices") - _count(outage, "before")
        return spoke - self.stale(outage, silent) >= self.telling.outage_fresh * spoke

    def _is_witness(self, device: Device) -> bool:
        return device.interval_s * 1000 <= self.telling.outage_window

    def _areas(self, device: Device) -> tuple[str, ...]:
        return self.inventory.around(self.inventory.assets[device.asset].areas)

    def _share_a_gateway(self, devices: Iterable[str]) -> bool:
        """Whether one radio gateway carries them all, and says it better."""
        ways = {self.inventory.devices[device].radio_gateway for device in devices}
        return len(ways) == 1 and None not in ways

    @cached_property
    def _members(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for device, areas in self.places.items():
            for area in areas:
                found.setdefault(area, []).append(device)
        return {area: tuple(devices) for area, devices in found.items()}


def _count(outage: Alert, name: str) -> int:
    number = outage.detail.get(name)
    return number if isinstance(number, int) else 0


class Trouble(Struct, frozen=True):
    """How a part of the house is: ``problem`` says why a person has to see to it, empty when it works.

    ``detail`` is what a text about it says besides.
    """

    rule: str
    part: str
    problem: str = ""
    detail: Detail = {}


def begun(rule: str, subject: str, detail: Detail, at_ms: Millis, severity: Severity = Severity.P3) -> Alert:
    """The episode of what no single device finds: about a part of the house, a radio gateway or an area."""
    return Alert(
        episode=f"{rule}/{subject}/{stamp(at_ms)}",
        rule=rule,
        asset=subject,
        device="",
        severity=severity,
        raised_ms=at_ms,
        since_ms=at_ms,
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class Decider:
    """The deciding half of one county."""

    inventory: Inventory
    escalation: Escalation
    responses: Responses
    flapping: Flapping
    gateway_rule: GatewayOffline
    outages: Outages

    def decide(self, findings: Sequence[Finding], at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """Everything that the findings of one input mean, parents and children together."""
        before = open_alerts.known
        for finding in findings:
            self._hear(finding, open_alerts)
        self._judge_silence(findings, at_ms, open_alerts)
        touched = list(open_alerts.changed.values())
        for alert in touched:
            if alert.closed_ms:
                self._release(open_alerts.standing(), alert.episode, at_ms, open_alerts)
        raised = [alert for alert in touched if alert.episode not in before and not alert.closed_ms]
        for alert in raised:
            self._explain_children(alert, at_ms, open_alerts)
            self._explain_or_begin(alert.episode, at_ms, open_alerts)
        for alert in list(open_alerts.changed.values()):
            waiting = self._await_queue(alert, at_ms, open_alerts)
            open_alerts.enter(waiting)
            if not open_alerts.is_held(waiting, at_ms):
                self.run(waiting, at_ms, open_alerts)

    def _await_queue(self, alert: Alert, at_ms: Millis, open_alerts: OpenAlerts) -> Alert:
        """Old news that came with a queue is told, P1 apart, only when the queue can be trusted to be empty."""
        end_ms = open_alerts.not_before_ms
        is_due = any(0 < due < end_ms for due in (alert.due_ms, alert.fresh_ms, alert.flap_ms))
        if not open_alerts.queued or alert.severity is Severity.P1 or not is_due:
            return alert
        open_alerts.log.append(record("held", alert, at_ms, {"reason": "queued", "until_ms": end_ms}))
        dues = (alert.due_ms, alert.fresh_ms, alert.flap_ms)
        due_ms, fresh_ms, flap_ms = (max(due, end_ms) if due else 0 for due in dues)
        return replace(alert, due_ms=due_ms, fresh_ms=fresh_ms, flap_ms=flap_ms)

    def run(self, alert: Alert, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """Does whatever of an episode is due by ``at_ms``."""
        memory = open_alerts.memory(alert.asset)
        while 0 < alert.wake_ms <= at_ms:
            if alert.wake_ms == alert.lapse_ms:
                alert = self.responses.lapse(alert, memory, at_ms, open_alerts.log)
            elif alert.wake_ms == alert.flap_ms:
                alert = self.flapping.tell(alert, memory, at_ms, open_alerts.log)
            elif alert.closed_ms:
                others = open_alerts.on(alert.asset)
                alert = self.escalation.tell_over(alert, others, memory, at_ms, open_alerts.log)
            else:
                alert = self.escalation.run(alert, memory, at_ms, open_alerts.log)
        open_alerts.enter(alert)

    def adopt(self, alert: Alert) -> Alert:
        """An episode from before a start; one whose asset or gateway is gone is as it was, until it is retired."""
        return self.escalation.adopt(alert) if self.inventory.knows(alert.asset) else alert

    def reset(self, alert: Alert, asked: Actor, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """T12: a latched episode is over, because a person has looked."""
        open_alerts.log.append(record("reset", alert, at_ms, {**asked.detail()}))
        self._close(alert, at_ms, "reset", open_alerts)
        self._release(open_alerts.standing(), alert.episode, at_ms, open_alerts)
        self.run(open_alerts.changed[alert.episode], at_ms, open_alerts)

    def watch(self, trouble: Trouble, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """The house about itself: a part of it needs a person (``problem`` says why), or works again (no problem)."""
        name = (trouble.rule, trouble.part)
        standing = next((alert for alert in open_alerts.standing() if (alert.rule, alert.subject) == name), None)
        if trouble.problem and standing is None:
            alert = begun(trouble.rule, trouble.part, {"problem": trouble.problem, **trouble.detail}, at_ms)
            alert = replace(alert, asset=self.inventory.county.id)
            open_alerts.log.append(record("raised", alert, at_ms, alert.detail))
            open_alerts.enter(self.escalation.begin(alert, at_ms, open_alerts.log))
        elif standing is not None and not trouble.problem:
            self._close(standing, at_ms, "recovered", open_alerts)

    def retire(self, alert: Alert, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """T16: its asset or rule is gone. A row for the audit, and one line to who was told of it lately."""
        ended = UNWATCHED if alert.asset in self.inventory.assets else RETIRED
        if alert.closed_ms:  # the word of its end waits, and nobody can say any more how that was
            known = ended != RETIRED or alert.ended == RETIRED  # another start moves the day of its end no more
            open_alerts.enter(alert if known else replace(alert, ended=ended, closed_ms=at_ms))
            return
        open_alerts.log.append(record("retired", alert, at_ms, {"reason": ended}))
        open_alerts.enter(replace(self.escalation.retire(alert, ended, at_ms, open_alerts.log), flap_ms=0))

    def _hear(self, finding: Finding, open_alerts: OpenAlerts) -> None:
        match finding.kind:
            case Found.RAISED:
                self._raise(_raised(finding), open_alerts)
            case Found.EMPTIED | Found.PARTLY_EMPTIED | Found.RUN_STATE | Found.WORK_BEGUN | Found.WORK_OVER:
                open_alerts.log.append(
                    Event(at_ms=finding.at_ms, event=finding.kind, asset=finding.asset, detail=finding.detail)
                )
                if finding.kind is Found.WORK_BEGUN:
                    self._quieten(finding.asset, finding.at_ms, open_alerts)
                elif finding.kind is Found.WORK_OVER:
                    self._release(open_alerts.on(finding.asset), finding.reason, finding.at_ms, open_alerts)
            case Found.STALE | Found.FRESH:
                pass  # of more than one asset: see ``_judge_silence``
            case _:
                alert = open_alerts.get(finding.episode)
                if alert is not None:
                    self._follow(alert, finding, open_alerts)
        flaps = open_alerts.get(finding.episode) if finding.flapping else None
        if flaps is not None:
            open_alerts.enter(self.flapping.begin(flaps, finding.at_ms, open_alerts.log, late=finding.late))

    @staticmethod
    def _raise(alert: Alert, open_alerts: OpenAlerts) -> None:
        open_alerts.log.append(record("raised", alert, alert.raised_ms, alert.detail))
        open_alerts.enter(alert)

    def _follow(self, alert: Alert, finding: Finding, open_alerts: OpenAlerts) -> None:
        """What a later sample did to an episode that is open."""
        at_ms, escalation = finding.at_ms, self.escalation
        match finding.kind:
            case Found.RECOVERING:
                open_alerts.enter(replace(alert, recovering=True))
            case Found.RELAPSED:
                open_alerts.enter(escalation.relapse(alert, at_ms))
            case Found.STEADY:
                open_alerts.log.append(record("steady", alert, at_ms, {}))
            case Found.CONFIRMED:
                open_alerts.enter(escalation.confirm(alert, at_ms, finding.detail or alert.detail, open_alerts.log))
            case Found.LATCHED:
                open_alerts.log.append(record("latched", alert, at_ms, {}))
                open_alerts.enter(replace(alert, recovering=False, latched=True))
            case Found.REIGNITED:
                open_alerts.log.append(record("reignited", alert, at_ms, finding.detail or {}))
                if finding.late:
                    open_alerts.log.append(record("held", alert, at_ms, {"reason": "late"}))
                    open_alerts.enter(escalation.rekindle(alert, finding.since_ms))
                else:
                    again = replace(alert, again_ms=finding.since_ms)
                    open_alerts.enter(escalation.reignite(again, at_ms, finding.detail or alert.detail))
            case _:
                if finding.late and alert.told:
                    open_alerts.log.append(record("dropped", alert, at_ms, {"reason": "late"}))
                    alert = replace(alert, told=())
                self._close(alert, at_ms, finding.reason or "recovered", open_alerts)

    def _close(self, alert: Alert, at_ms: Millis, reason: str, open_alerts: OpenAlerts) -> None:
        open_alerts.log.append(record("cleared", alert, at_ms, {"reason": reason}))
        if alert.flap_ms:
            open_alerts.log.append(record("dropped", alert, at_ms, {"reason": "cleared"}))
            alert = replace(alert, flap_ms=0)
        open_alerts.enter(self.escalation.close(alert, at_ms, reason))

    def _judge_silence(self, findings: Sequence[Finding], at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """What devices that fell silent or spoke again mean for the radio gateways and the areas that they are of."""
        moved = (each.device for each in findings if each.kind in (Found.STALE, Found.FRESH))
        gateways = dict.fromkeys(self.inventory.devices[device].radio_gateway for device in moved)
        for gateway in gateways:
            if gateway is not None:
                self._judge_gateway(gateway, at_ms, open_alerts)
        for area in self.outages.touched(findings):
            self._judge_area(area, at_ms, open_alerts)

    def _judge_gateway(self, gateway: str, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """Raises or clears ``gateway_offline`` from the silence of what the radio gateway carries."""
        rule = self.gateway_rule
        carried = [device for device in self.inventory.behind[gateway] if rule.counts(device)]
        stale = sum(device.id in open_alerts.silent for device in carried)
        down = open_alerts.cause(GATEWAY, gateway)
        if down is None and rule.is_down(stale, len(carried)):
            evidence: Detail = {"stale": stale, "devices": len(carried)}
            self._raise(begun(GATEWAY, gateway, evidence, at_ms, rule.severity), open_alerts)
        elif down is not None and rule.is_back(stale, len(carried)):
            self._close(down, at_ms, "recovered", open_alerts)

    def _judge_area(self, area: str, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """Raises, follows or ends the outage of an area. What lies below a standing one is judged when it is over."""
        outage = open_alerts.cause(OUTAGE, area)
        if outage is None:
            above = (node.id for node in self.inventory.lineage(area) if node.id != area)
            is_apart = not any(open_alerts.cause(OUTAGE, other) for other in above)
            if is_apart and (evidence := self.outages.dark(area, open_alerts.silent, open_alerts.seen_ms)) is not None:
                self._raise(begun(OUTAGE, area, evidence, at_ms), open_alerts)
        elif self.outages.is_back(outage, open_alerts.silent):
            self._close(outage, at_ms, "recovered", open_alerts)
            for below in self.outages.right_below(area):
                self._judge_area(below, at_ms, open_alerts)
        else:
            open_alerts.enter(self.outages.wider(outage, open_alerts.silent, at_ms, self.escalation.holds))

    def _explain_or_begin(self, episode: str, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        alert = open_alerts.changed[episode]
        if cause := self._cause(alert, open_alerts):
            open_alerts.enter(self.escalation.explain(alert, cause, at_ms, open_alerts.log))
        else:
            open_alerts.enter(self.escalation.begin(alert, at_ms, open_alerts.log))

    def _cause(self, alert: Alert, open_alerts: OpenAlerts) -> str:
        """What explains it: work on its asset, or another episode; empty when nothing does."""
        asset, state = self.inventory.assets.get(alert.asset), open_alerts.state_of(alert.asset)
        windows = () if state is None else state.windows
        if asset is not None and is_quiet_at_work(asset.kind, alert.rule) and (window := running(windows)):
            return window
        parent = parent_of(alert, open_alerts.explaining(), self.inventory, explains())
        return "" if parent is None else parent.episode

    def _quieten(self, asset: str, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """Work has begun: what it explains and that was open before it falls quiet."""
        for alert in open_alerts.on(asset):
            untold = not alert.parent and alert.episode in open_alerts.known
            if untold and (cause := self._cause(alert, open_alerts)):
                open_alerts.enter(self.escalation.explain(alert, cause, at_ms, open_alerts.log))

    def _explain_children(self, parent: Alert, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """What the new episode explains and that was open before it falls quiet."""
        if parent.rule not in explains():
            return
        beside: list[str] = []
        for child in open_alerts.standing():
            if not child.parent and child.episode in open_alerts.known:
                found = parent_of(child, (parent,), self.inventory, explains())
                if found is not None:
                    open_alerts.enter(self.escalation.explain(child, parent.episode, at_ms, open_alerts.log))
                    beside.append(child.rule)
        if beside:
            open_alerts.enter(replace(open_alerts.changed[parent.episode], beside=tuple(dict.fromkeys(beside))))

    def _release(self, among: Iterable[Alert], cause: str, at_ms: Millis, open_alerts: OpenAlerts) -> None:
        """T14: what an episode or work explained that is over is told after one interval, if it still stands."""
        for child in among:
            if child.parent != cause:
                continue
            if another := self._cause(child, open_alerts):
                open_alerts.enter(replace(child, parent=another))
                continue
            fresh_ms = max(at_ms + grace_ms(child, self.inventory), open_alerts.not_before_ms)
            told_by = open_alerts.get(cause) if child.rule in CONTINUES else None
            open_alerts.enter(self.escalation.unexplain(child, told_by, fresh_ms, at_ms, open_alerts.log))


def _raised(finding: Finding) -> Alert:
    return Alert(
        episode=finding.episode,
        rule=finding.rule,
        asset=finding.asset,
        device=finding.device,
        severity=Severity(finding.severity),
        raised_ms=finding.at_ms,
        since_ms=finding.since_ms,
        detail=finding.detail or {},
        owes=not finding.late,
    )
