"""Between what escalation owes and what leaves: every message but P1 waits its turn in its number's mailbox.

What leaves is addressed here: on whose phone, as a text or a call, opened by whose name. Nothing is lost here: a
message leaves by itself, in a text for several, or ends with a reason (law L9).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.model import BEGUN, URGENT, Detail, Event, Log, MessageKind, Owed, Severity
from alerts.notify import texts
from alerts.notify.closings import ANSWERED_OVER
from alerts.notify.digest import Digest
from alerts.notify.lists import EMPTIERS, LIST, of_standing
from alerts.notify.mailbox import Mailbox, MailboxRules, coded
from alerts.notify.message_writer import contradiction
from alerts.notify.texts import DOUBT, Texts
from alerts.operations.absences import ABSENCE, Absences
from alerts.topology import CONTINUES, EXPLAINS, OUTAGE, burns_over
from telemetry.inventory import Inventory
from telemetry.phone import dialled
from telemetry.reading import Millis
from telemetry.terms import Role

TEXT: Final = "sms"
CALL: Final = "voice"
CALLS_MS: Final[tuple[Millis, ...]] = (0, 120_000, 300_000)
"""A fire is called out so long after its text, until somebody acknowledges it (alerting.md §4)."""
_CALLED_FOR: Final = (MessageKind.FIRST, MessageKind.ESCALATION, MessageKind.FRESH)


def addressed(owed: Owed, inventory: Inventory, texts: Texts, *, calls: bool) -> tuple[Owed, ...]:
    """The message as it leaves, and the calls beside it where ``calls`` can be made at all."""
    person = inventory.people.get(owed.to)
    if person is None or owed.channel != TEXT:
        return (owed,)
    phone = inventory.phone_of[person.id]
    shared = person.relay is not None or len(inventory.reached_at(phone)) > 1
    text = owed.text
    if shared and owed.template in texts:
        text = texts.compose(owed.template, owed.variables, person.name)
    written = replace(owed, phone=phone, text=text)
    if not calls:
        return (written,)
    if person.by_voice:
        written = replace(written, channel=CALL)
    if owed.severity != Severity.P1 or owed.kind not in _CALLED_FOR:
        return (written,)
    first = 1 if person.by_voice else 0  # the message itself is the first call
    rest = enumerate(CALLS_MS[first:], start=1 + first)
    spoken = (
        replace(written, channel=CALL, call=number, not_before_ms=owed.at_ms + after_ms) for number, after_ms in rest
    )
    return (written, *spoken)


_STEPS = frozenset({*BEGUN, MessageKind.REPEAT, MessageKind.ESCALATION})
_CAPPED = frozenset({Role.CLEANER, Role.COLLECTOR})
_BY_LEVEL = frozenset(rule for rule, explained in EXPLAINS.items() if not CONTINUES.isdisjoint(explained))
"""What a level raises and an emptying ends, and after which another rule may go on."""
_OVER = frozenset({"cleared", "retired"})
"""What ends an outage, and the storm that it was."""


@dataclass(frozen=True)
class Pending:
    """The one of one county. It keeps no state: boxes go in and come out."""

    inventory: Inventory
    sorting: MailboxRules
    digest: Digest
    absences: Absences

    def post(self, log: Log, boxes: Mapping[str, Mailbox]) -> tuple[list[Mailbox], Log]:
        """The mailboxes that are others now, with what the log owes in them; and the log with what waits, and why."""
        changed: dict[str, Mailbox] = {}
        left: Log = []
        for said in self._there(log):
            if not isinstance(said, Owed) or said.severity == Severity.P1:
                left.append(said)
                if isinstance(said, Event) and said.rule == OUTAGE and said.event in _OVER:
                    changed |= self._calmed(said, {**boxes, **changed})
                elif isinstance(said, Event) and self._may_outrun(said):
                    outrun, rows = self._outrun(said, {**boxes, **changed})
                    changed |= outrun
                    left += rows
                continue
            key = dialled(said.phone)
            before = changed.get(key) or boxes.get(key) or Mailbox(key)
            if self.sorting.has(before, said):  # who stands in was told it for themselves
                left.append(_unsaid(said, said.at_ms, "told_already"))
                continue
            box = changed[key] = self.sorting.taken(before, said, capped=key in self._capped)
            if said.covers and said.kind is MessageKind.CLEARED:
                gone = (each for each in before.pending if each not in box.pending)
                left += [_about(each, "superseded", said.at_ms, said.key) for each in gone]
            if said not in box.pending:
                left.append(_about(said, "dropped", said.at_ms, "never_told"))
            elif box.due_ms > said.at_ms:
                left.append(_about(said, "held", said.at_ms, box.reason, until_ms=box.due_ms))
        return list(changed.values()), left

    def _there(self, log: Log) -> Iterator[Event | Owed]:
        """The log with what is owed to somebody absent owed to who stands in, who gets nothing twice."""
        keys = {said.key for said in log if isinstance(said, Owed)}
        for said in log:
            there = self.absences.instead(said.to, said.at_ms) if isinstance(said, Owed) else ""
            if not isinstance(said, Owed) or there == said.to:
                yield said
                continue
            yield _about(said, "absent", said.at_ms, "absent", to=there)
            instead = replace(said, to=there, phone=self.inventory.phone_of[there])
            if instead.key not in keys:
                keys.add(instead.key)
                yield instead

    def ring(
        self, phone: str, boxes: Mapping[str, Mailbox], alerts: Mapping[str, Alert], at_ms: Millis
    ) -> tuple[list[Mailbox], Log]:
        """What ``release`` makes of a number's mailbox, once what waits in it for somebody absent has moved on."""
        box = boxes[phone]
        strays = [each for each in box.pending if self.absences.instead(each.to, at_ms) != each.to]
        kept = tuple(each for each in box.pending if each not in strays)
        moved, said = self.post(
            [replace(each, at_ms=at_ms) for each in strays], {**boxes, phone: replace(box, pending=kept)}
        )
        others = {other.phone: other for other in moved}
        box, log = self.release(others.pop(phone, replace(box, pending=kept)), alerts, at_ms)
        return [*others.values(), box], [*said, *log]

    def _calmed(self, over: Event, boxes: Mapping[str, Mailbox]) -> dict[str, Mailbox]:
        """Those whom the outage kept in a storm, after its end."""
        storming = (box for box in boxes.values() if over.episode in box.outages)
        return {
            box.phone: self.sorting.calmed(box, over.episode, over.at_ms, capped=box.phone in self._capped)
            for box in storming
        }

    def _may_outrun(self, event: Event) -> bool:
        """Whether it may make a closing word untrue: it stands again, or the bin was emptied or is below its line."""
        match event.event:
            case "raised":
                return event.rule in self._closing
            case "cleared":
                return event.rule in CONTINUES
            case name:
                return name == "emptied"

    def _outrun(self, event: Event, boxes: Mapping[str, Mailbox]) -> tuple[dict[str, Mailbox], Log]:
        """Closing words, still waiting, that an event makes untrue; who needs one about a level gets the true one."""
        again, over = event.event == "raised", event.event == "cleared"
        changed, rows = dict[str, Mailbox](), list[Event | Owed]()
        for box in boxes.values():
            untrue = [each for each in box.pending if each.asset == event.asset and self._is_untrue(each, event)]
            if not untrue:
                continue
            rows += [_about(each, "superseded", event.at_ms, event.event) for each in untrue]
            kept = tuple(each for each in box.pending if each not in untrue)
            capped = box.phone in self._capped
            if not again and (over or not capped):  # who empties bins knows that it is emptied
                name = ANSWERED_OVER if over else ""
                kept += tuple(self._ended(each, name, event.at_ms) for each in untrue)
            changed[box.phone] = self.sorting.filed(replace(box, pending=kept), event.at_ms, capped=capped)
        return changed, rows

    def _is_untrue(self, owed: Owed, event: Event) -> bool:
        """Whether an event on its asset has overtaken a closing word: it stands again, or was seen to be emptied."""
        if event.event == "raised":
            ends = owed.kind is MessageKind.CLEARED
            return ends and (owed.rule == event.rule or burns_over(event.rule, owed.rule))
        return self._is_of_a_level(owed) and (event.event != "cleared" or event.episode in owed.covers)

    def _is_of_a_level(self, owed: Owed) -> bool:
        """Whether it says how high a level stands that was higher."""
        by_level = owed.kind is MessageKind.CLEARED and owed.rule in _BY_LEVEL
        return by_level and owed.template != self.sorting.policies.of(owed.rule).cleared_text

    def _ended(self, owed: Owed, name: str, at_ms: Millis) -> Owed:
        """The same message in the words of its rule for an emptying, or in those of another text."""
        catalogue, calendar, asset = self.digest.texts, self.digest.calendar, self.inventory.assets[owed.asset]
        facts = {"day": texts.day(calendar, at_ms), "time": texts.clock(calendar, at_ms), **texts.names(asset)}
        said = catalogue.word(name or self.sorting.policies.of(owed.rule).cleared_text, facts)
        sleeps = self.sorting.is_night(at_ms) and not self.sorting.is_night(owed.at_ms)
        owed_ms = owed.at_ms if sleeps else at_ms  # what was owed by day wakes nobody
        return replace(owed, at_ms=owed_ms, text=said.text, template=said.template, variables=said.variables, covers=())

    def readdress(
        self, boxes: Iterable[Mailbox], successors: Callable[[Owed, Millis], Sequence[str]], at_ms: Millis
    ) -> tuple[list[Mailbox], Log]:
        """After a start: what waits for somebody with another number by now follows them; for who left, successors."""
        changed, log = {box.phone: box for box in boxes}, list[Event | Owed]()
        for box in list(changed.values()):
            strays = tuple(each for each in box.pending if dialled(self._number(each)) != box.phone)
            if not strays:
                continue
            kept = tuple(each for each in box.pending if each not in strays)
            changed[box.phone] = self.sorting.filed(replace(box, pending=kept), at_ms, capped=box.phone in self._capped)
            moved = [replace(each, phone=self._number(each)) for each in strays if self._number(each)]
            for each in strays:
                if not self._number(each):
                    people = [one for one in successors(each, at_ms) if not self._waits(each, one, changed)]
                    moved += [replace(each, to=one, phone=self.inventory.phone_of[one]) for one in people]
                    log.append(self.left(each, at_ms, people))
            others, said = self.post([*moved], changed)
            changed |= {other.phone: other for other in others}
            log += said
        return list(changed.values()), log

    @staticmethod
    def left(owed: Owed, at_ms: Millis, people: Sequence[str]) -> Event:
        """Why it never reaches its person, who is not there any more, and who is told instead."""
        detail: Detail = {"reason": "person_left", "person": owed.to, "step": owed.step, "to": ",".join(people)}
        return replace(
            _about(owed, "superseded" if owed.severity in URGENT else "dropped", at_ms, "person_left"), detail=detail
        )

    def _number(self, owed: Owed) -> str:
        return self.inventory.phone_of.get(owed.to, "")

    def _waits(self, owed: Owed, person: str, boxes: Mapping[str, Mailbox]) -> bool:
        """Whether the same is on its way to somebody already."""
        box = boxes.get(dialled(self.inventory.phone_of.get(person, "")))
        return box is not None and any(each.episode == owed.episode and each.to == person for each in box.pending)

    def release(self, box: Mailbox, alerts: Mapping[str, Alert], at_ms: Millis) -> tuple[Mailbox, Log]:
        """Lets leave what may, and says of the rest why not yet, of what is of no use any more why not at all."""
        capped, log = box.phone in self._capped, list[Event | Owed]()
        wanted: list[Owed] = []
        for each in box.pending:
            reason = self.no_longer_owed(each, alerts, at_ms)
            if reason:
                log.append(_unsaid(each, at_ms, reason))
            else:
                wanted.append(self._doubted(of_standing(each, alerts, self.inventory, self.digest.texts), alerts))
        box = self.sorting.filed(replace(box, pending=tuple(wanted)), at_ms, capped=capped)
        if not wanted:
            return self.sorting.emptied(box, at_ms, (), {}, capped=capped), log
        if box.due_ms > at_ms:
            log.extend(_about(each, "held", at_ms, box.reason, until_ms=box.due_ms) for each in wanted)
            return box, log
        releases = self.sorting.releases(box, at_ms, capped=capped)
        waits = [each for each, release in zip(wanted, releases, strict=True) if release.at_ms > at_ms]
        waits += [each for each in self._asleep(wanted, at_ms) if each not in waits]
        about = {each.episode: each.asset for each in wanted}
        wanted, waiting = _first_the_outage([each for each in wanted if each not in waits])
        waiting += waits
        if not box.storm_ms:  # in a storm one text counts them all
            wanted = _listed(wanted, at_ms, log)
        leaving = list(self._texts(box, wanted, alerts, at_ms))
        if box.phone in self._crews:
            leaving, asked = coded(leaving, box.questions, partial(_is_open, alerts), self.digest.texts, at_ms)
            box = replace(box, questions=asked)
        for text in leaving:
            log.extend(
                _about(each, "folded", at_ms, text.key)
                for each in wanted
                if each.episode in text.covers and each.to == text.to and each.key != text.key
            )
        log.extend(leaving)
        box = self.sorting.emptied(box, at_ms, leaving, about, capped=capped)
        box = self.sorting.filed(replace(box, pending=tuple(waiting)), at_ms, capped=capped)
        log.extend(_about(each, "held", at_ms, box.reason, until_ms=box.due_ms) for each in waiting)
        return box, log

    def _doubted(self, owed: Owed, alerts: Mapping[str, Alert]) -> Owed:
        """A step that waited while somebody answered that it is not so says it as well."""
        alert = alerts.get(owed.episode)
        said = "" if alert is None or owed.kind not in _STEPS else contradiction(alert, owed.to, self.inventory)
        if not said or owed.variables.get(DOUBT) == said or owed.template not in self.digest.texts:
            return owed
        wording = self.digest.texts.word(owed.template, {**owed.variables, DOUBT: said})
        return replace(owed, text=wording.text, variables=wording.variables)

    def _asleep(self, wanted: list[Owed], at_ms: Millis) -> list[Owed]:
        """What waits for the morning although something else is told now: what was owed by day wakes nobody."""
        night = self.sorting.is_night
        return [each for each in wanted if night(at_ms) and not night(each.at_ms)]

    def _texts(self, box: Mailbox, wanted: list[Owed], alerts: Mapping[str, Alert], at_ms: Millis) -> list[Owed]:
        if all(each.rule == OUTAGE for each in wanted):
            return list(self.digest.of_outages(wanted, alerts, at_ms))
        if box.storm_ms and len(wanted) > 1:
            return list(self.digest.of_storm(wanted, min(each.at_ms for each in wanted), at_ms))
        return list(self.digest.together(wanted, alerts, at_ms))

    def no_longer_owed(self, owed: Owed, alerts: Mapping[str, Alert], at_ms: Millis) -> str:
        """Why something owed is of no use any more at its last moment before it leaves; empty when it still is."""
        return no_longer_owed(owed, alerts) or ("outdated" if self._is_of_yesterday(owed, at_ms) else "")

    def _is_of_yesterday(self, owed: Owed, at_ms: Millis) -> bool:
        """Whether it is a list of places to go to from a day that is over: what still stands is in the next."""
        midnight = self.digest.calendar.midnight
        return owed.template == EMPTIERS and midnight(owed.at_ms) != midnight(at_ms)

    @cached_property
    def _closing(self) -> frozenset[str]:
        """The rules whose end is told, and by which it may wait."""
        rules = self.sorting.policies.rules
        return frozenset(rule for rule, policy in rules.items() if policy.cleared_text)

    @cached_property
    def _crews(self) -> frozenset[str]:
        """The numbers of crews, whose several plants one digit cannot tell apart."""
        at = self.inventory.people_at
        duties = {phone: [duty.role for each in people for duty in each.duties] for phone, people in at.items()}
        return frozenset(phone for phone, roles in duties.items() if roles and set(roles) == {Role.CREW})

    @cached_property
    def _capped(self) -> frozenset[str]:
        """The numbers of those who do the emptying."""
        return frozenset(
            phone
            for phone, people in self.inventory.people_at.items()
            if all(person.duties and all(duty.role in _CAPPED for duty in person.duties) for person in people)
        )


def _first_the_outage(wanted: list[Owed]) -> tuple[list[Owed], list[Owed]]:
    """What leaves now and what waits for the next text: the word of an outage comes alone and before all else."""
    outages = [each for each in wanted if each.rule == OUTAGE]
    if not any(each.kind in BEGUN for each in outages):
        return wanted, []
    return outages, [each for each in wanted if each.rule != OUTAGE]


def _listed(wanted: list[Owed], at_ms: Millis, log: Log) -> list[Owed]:
    """What a list that leaves now speaks of need not be told beside it."""
    lists = [each for each in wanted if each.rule == LIST and each.covers]
    kept: list[Owed] = []
    for each in wanted:
        found = next((one for one in lists if each.episode in one.covers and each.to == one.to), None)
        if found is None or each.kind not in BEGUN:
            kept.append(each)
        else:
            log.append(_about(each, "folded", at_ms, found.key))
    return kept


def _is_open(alerts: Mapping[str, Alert], episode: str) -> bool:
    """Whether an answer about it would still change something."""
    alert = alerts.get(episode)
    return alert is not None and not (alert.closed_ms or alert.acked_ms)


def no_longer_owed(owed: Owed, alerts: Mapping[str, Alert]) -> str:
    """Why a message that has not left yet is of no use any more; empty when it still is."""
    is_list = owed.kind is MessageKind.DIGEST and not owed.covers
    is_end = owed.kind is MessageKind.CLEARED or owed.template == ANSWERED_OVER
    if is_end or not owed.episode or is_list or owed.rule == ABSENCE:
        return ""
    reasons = [_over(alerts.get(episode)) for episode in owed.covers or (owed.episode,)]
    if owed.kind is MessageKind.NOTICE:  # it says how things stand, also to who acknowledged them
        reasons = [reason if reason == "cleared" else "" for reason in reasons]
    return reasons[0] if all(reasons) else ""


def _over(alert: Alert | None) -> str:
    if alert is None or alert.closed_ms:
        return "cleared"
    if alert.shelved_until_ms:
        return "shelved"
    return "acknowledged" if alert.is_seen_to else "inhibited" if alert.parent else ""


def _unsaid(owed: Owed, at_ms: Millis, reason: str) -> Event:
    """Why it will never leave; of what is urgent and stands, something else has taken its place."""
    stands = owed.severity in URGENT and reason != "cleared"
    return _about(owed, "superseded" if stands else "dropped", at_ms, reason)


def _about(owed: Owed, event: str, at_ms: Millis, reason: str, *, until_ms: Millis = 0, to: str = "") -> Event:
    detail: Detail = {"reason": reason, "person": owed.to, "step": owed.step}
    if until_ms:
        detail["until_ms"] = until_ms
    if to:
        detail["to"] = to
    return Event(
        at_ms=at_ms,
        event=event,
        rule=owed.rule,
        asset=owed.asset,
        episode=owed.episode,
        severity=owed.severity,
        detail=detail,
    )
