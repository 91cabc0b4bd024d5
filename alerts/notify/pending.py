"""Between what escalation owes and what leaves: every message but P1 waits its turn in its number's mailbox.

What leaves is addressed here: on whose phone, as a text or a call, opened by whose name. How a mailbox fills, empties
and storms stands here as well; what holds a message in it is ``stages``. Nothing is lost: a message leaves by itself,
in a text for several, or ends with a reason (law L9).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS
from alerts.model import BEGUN, URGENT, Detail, Event, Log, MessageKind, Owed, Severity
from alerts.notify import texts
from alerts.notify.digest import Digest
from alerts.notify.holds import Holds
from alerts.notify.lists import LIST, of_standing
from alerts.notify.mailbox import MOST_LEFT, Left, Mailbox, coded, left_of
from alerts.notify.message_writer import contradiction
from alerts.notify.stages import (
    APART,
    TOGETHER,
    WANTED,
    Release,
    WaitingMessage,
    begins_urgent,
    drop_known,
    hand_to_stand_in,
    walk,
)
from alerts.notify.texts import ANSWERED_OVER, DOUBT, Texts
from alerts.operations.absences import Absences
from alerts.rules import burns_over, explains
from alerts.topology import CONTINUES, OUTAGE
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
    if shared and texts.speaks(owed.template, owed.variables):
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
_BY_LEVEL = frozenset(rule for rule, explained in explains().items() if not CONTINUES.isdisjoint(explained))
"""What a level raises and an emptying ends, and after which another rule may go on."""
_OVER = frozenset({"cleared", "retired"})
"""What ends an outage, and the storm that it was."""
_LEAST_SHARE: Final = 2


@dataclass(frozen=True)
class MailboxRules:
    """The rules by which the numbers of one county are told."""

    holds: Holds

    def taken(self, box: Mailbox, owed: Owed) -> Mailbox:
        """The box with one more message; a closing word meets the first word that never left, and both are gone.

        But one that asks for something all the same leaves in its place.
        """
        now_ms, telling = owed.at_ms, self.holds.policies.telling
        if owed.kind is MessageKind.CLEARED:
            unsaid = tuple(each for each in box.pending if each.episode == owed.episode and each.to == owed.to)
            if any(each.kind in BEGUN for each in unsaid):
                box = replace(box, pending=tuple(each for each in box.pending if each not in unsaid))
                if not owed.covers:
                    return replace(box, due_ms=box.due_ms if box.pending else 0)
        cried = (*self._recent(box, now_ms), now_ms)
        if owed.rule == OUTAGE and owed.kind in BEGUN and owed.episode not in box.outages:
            box = replace(box, outages=(*box.outages, owed.episode))
        if len(cried) > telling.storm_begins or box.outages:
            storm_ms = box.storm_ms or now_ms
        else:
            storm_ms = box.storm_ms if len(cried) > telling.storm_ends or box.pending else 0
        pending = (*box.pending, owed)
        box = replace(box, pending=pending, cried_ms=cried[-(telling.storm_begins + 1) :], storm_ms=storm_ms)
        return self.filed(box, now_ms)

    def filed(self, box: Mailbox, now_ms: Millis) -> Mailbox:
        """The box with the instant at which the first of what is pending may leave, and why not before."""
        if not box.pending:
            return replace(box, due_ms=0, reason="")
        release = min(self.releases(box, now_ms), key=lambda release: release.at_ms)
        return replace(box, due_ms=release.at_ms, reason=release.reason)

    def emptied(self, box: Mailbox, now_ms: Millis, texts: Sequence[Owed], about: Mapping[str, str]) -> Mailbox:
        """The box after all that is pending in it left in these texts; ``about`` has the asset of each episode.

        There may be none, if nothing of it was worth a text any more.
        """
        over = list(box.over_since(self.holds.calendar.midnight(now_ms)))
        for text in texts:
            assets = tuple(dict.fromkeys(about.get(each, "") for each in text.covers or (text.episode,)))
            if self._room(box, text, now_ms).at_ms > now_ms:
                over.append(now_ms)
            left = (
                *(each for each in left_of(box) if each.at_ms > now_ms - DAY_MS),
                Left(now_ms, assets, _counts(text), _tells(text), text.key),
            )
            box = replace(box, left=left[-MOST_LEFT:], left_ms=tuple(each.at_ms for each in left[-MOST_LEFT:]))
        storm_ms = 0 if self._is_calm(box, now_ms) else box.storm_ms
        return replace(box, pending=(), due_ms=0, reason="", over_ms=tuple(over), storm_ms=storm_ms)

    def untaken(self, box: Mailbox, key: str, now_ms: Millis) -> Mailbox:
        """The box after a text that no provider took: nobody got it, and it counts for no budget."""
        gone = [each for each in left_of(box) if each.key == key]
        if not gone:
            return box
        left = tuple(each for each in left_of(box) if each not in gone)
        over = list(box.over_ms)
        for each in gone:
            if each.at_ms in over:
                over.remove(each.at_ms)
        box = replace(box, left=left, left_ms=tuple(each.at_ms for each in left), over_ms=tuple(over))
        return self.filed(box, now_ms)

    def calmed(self, box: Mailbox, outage: str, now_ms: Millis) -> Mailbox:
        """The box after the end of an outage, which may be the end of its storm."""
        box = replace(box, outages=tuple(each for each in box.outages if each != outage))
        return self.filed(replace(box, storm_ms=0) if self._is_calm(box, now_ms) else box, now_ms)

    def _is_calm(self, box: Mailbox, now_ms: Millis) -> bool:
        return not box.outages and len(self._recent(box, now_ms)) < self.holds.policies.telling.storm_ends

    def _recent(self, box: Mailbox, now_ms: Millis) -> tuple[Millis, ...]:
        return tuple(at for at in box.cried_ms if at > now_ms - self.holds.policies.telling.storm_window)

    def releases(self, box: Mailbox, now_ms: Millis) -> list[Release]:
        """When each of what is pending may leave: the latest of all that holds it back, with its reason."""
        holds, all_of_it = self.holds, WaitingMessage(box.pending[0], now_ms, box)
        together = walk(TOGETHER, holds, all_of_it, Release(now_ms))
        wakes = any(holds.is_night(each.at_ms) for each in box.pending)  # it was let through the night
        rooms = [self._room(box, each, now_ms) for each in box.pending]
        passes = [self._passes(box, each, room, now_ms) for each, room in zip(box.pending, rooms, strict=True)]
        oldest_ms = min((each.at_ms for each, over in zip(box.pending, passes, strict=True) if over), default=0)
        waiting = (
            WaitingMessage(each, now_ms, box, room=room, oldest_ms=oldest_ms if over else 0, wakes=wakes)
            for each, room, over in zip(box.pending, rooms, passes, strict=True)
        )
        return [walk(APART, holds, each, together) for each in waiting]

    def _passes(self, box: Mailbox, owed: Owed, room: Release, now_ms: Millis) -> bool:
        """Whether it is a P2 of an asset that is not told today: it leaves soon, above what the number may get."""
        midnight = self.holds.calendar.midnight(now_ms)
        told = (each.assets for each in box.left if each.tells and each.at_ms >= midnight)
        return room.at_ms > now_ms and begins_urgent(owed) and not any(owed.asset in assets for assets in told)

    def _room(self, box: Mailbox, owed: Owed, now_ms: Millis) -> Release:
        """When the budget of the number, and the share of the asset in it, have room for one more text."""
        telling, left = self.holds.policies.telling, left_of(box)
        waits = [Release(_free_ms(left, owed, now_ms, span, most), "budget") for span, most in telling.budget.items()]
        if box.phone in self.capped:  # who carries the bins gets few texts a day; what is more waits for the morning
            midnight = self.holds.calendar.midnight(now_ms)
            today = [each for each in left if each.at_ms >= midnight]
            if _free_ms(today, owed, now_ms, DAY_MS, telling.cap_a_day) > now_ms:
                waits.append(
                    Release(self.holds.calendar.next_time(midnight + DAY_MS, self.holds.policies.morning), "daily_cap")
                )
        return max(waits, key=lambda release: release.at_ms)

    @cached_property
    def capped(self) -> frozenset[str]:
        """The numbers of those who do the emptying."""
        return frozenset(
            phone
            for phone, people in self.holds.inventory.people_at.items()
            if all(person.duties and all(duty.role in _CAPPED for duty in person.duties) for person in people)
        )


def _counts(owed: Owed) -> bool:
    """Whether a text counts for the share of its asset: escalations, closing words and answers do not."""
    return owed.kind not in (MessageKind.ESCALATION, MessageKind.CLEARED, MessageKind.NOTICE)


def _tells(owed: Owed) -> bool:
    """Whether a text tells of a P2 that stands: two thirds, a list, a closing word and an answer are no word of one."""
    urgent = owed.severity in URGENT
    return urgent and owed.rule != LIST and owed.kind not in (MessageKind.CLEARED, MessageKind.NOTICE)


def _free_ms(left: Sequence[Left], owed: Owed, now_ms: Millis, span: Millis, most: int) -> Millis:
    """From when on fewer than ``most`` texts have left within ``span``, and fewer than half about this asset.

    Texts about one asset fill no more than that half for the others, however many they were.
    """
    if not left:
        return now_ms
    share = max(_LEAST_SHARE, most // 2)
    for at_ms in sorted({now_ms, *(each.at_ms + span for each in left if each.at_ms + span > now_ms)}):
        within = [each for each in left if at_ms - span < each.at_ms]
        own = Counter(each.assets[0] for each in within if each.counts and len(each.assets) == 1)
        beside = len(within) - own.total()
        if beside + sum(min(count, share) for count in own.values()) >= most:
            continue
        if not _counts(owed) or own[owed.asset] < share:
            return at_ms
    return now_ms


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
            known = drop_known(self.sorting.holds, WaitingMessage(said, said.at_ms, before), Release(said.at_ms))
            if known.reason:
                left.append(_unsaid(said, said.at_ms, known.reason))
                continue
            box = changed[key] = self.sorting.taken(before, said)
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
            there = self._instead(said, said.at_ms) if isinstance(said, Owed) else Release(said.at_ms)
            if not isinstance(said, Owed) or not there.to:
                yield said
                continue
            yield _about(said, "absent", said.at_ms, there.reason, to=there.to)
            instead = replace(said, to=there.to, phone=self.inventory.phone_of[there.to])
            if instead.key not in keys:
                keys.add(instead.key)
                yield instead

    def _instead(self, owed: Owed, at_ms: Millis) -> Release:
        return hand_to_stand_in(self.sorting.holds, WaitingMessage(owed, at_ms), Release(at_ms))

    def ring(
        self, phone: str, boxes: Mapping[str, Mailbox], alerts: Mapping[str, Alert], at_ms: Millis
    ) -> tuple[list[Mailbox], Log]:
        """What ``release`` makes of a number's mailbox, once what waits in it for somebody absent has moved on."""
        box = boxes[phone]
        strays = [each for each in box.pending if self._instead(each, at_ms).to]
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
        return {box.phone: self.sorting.calmed(box, over.episode, over.at_ms) for box in storming}

    def _may_outrun(self, event: Event) -> bool:
        """Whether it may make a closing word untrue: it stands again, or the bin was emptied or is below its line."""
        if event.event == "raised":
            return event.rule in self._closing
        return event.event == "emptied" or (event.event == "cleared" and event.rule in CONTINUES)

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
            # who empties bins knows that it is emptied
            if not again and (over or box.phone not in self.sorting.capped):
                name = ANSWERED_OVER if over else ""
                kept += tuple(self._ended(each, name, event.at_ms) for each in untrue)
            changed[box.phone] = self.sorting.filed(replace(box, pending=kept), event.at_ms)
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
        return by_level and owed.template != self.sorting.holds.policies.of(owed.rule).cleared_text

    def _ended(self, owed: Owed, name: str, at_ms: Millis) -> Owed:
        """The same message in the words of its rule for an emptying, or in those of another text."""
        catalogue, calendar, asset = self.digest.texts, self.digest.calendar, self.inventory.assets[owed.asset]
        facts = {"day": texts.day(calendar, at_ms), "time": texts.clock(calendar, at_ms), **texts.names(asset)}
        said = catalogue.word(name or self.sorting.holds.policies.of(owed.rule).cleared_text, facts)
        owed_ms = self.sorting.holds.owed_anew_ms(owed.at_ms, at_ms)
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
            changed[box.phone] = self.sorting.filed(replace(box, pending=kept), at_ms)
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
        event = "superseded" if owed.severity in URGENT else "dropped"
        return _about(owed, event, at_ms, "person_left", to=",".join(people))

    def _number(self, owed: Owed) -> str:
        return self.inventory.phone_of.get(owed.to, "")

    def _waits(self, owed: Owed, person: str, boxes: Mapping[str, Mailbox]) -> bool:
        """Whether the same is on its way to somebody already."""
        box = boxes.get(dialled(self.inventory.phone_of.get(person, "")))
        return box is not None and any(each.episode == owed.episode and each.to == person for each in box.pending)

    def release(self, box: Mailbox, alerts: Mapping[str, Alert], at_ms: Millis) -> tuple[Mailbox, Log]:
        """Lets leave what may, and says of the rest why not yet, of what is of no use any more why not at all."""
        log = list[Event | Owed]()
        wanted: list[Owed] = []
        for each in box.pending:
            reason = self.no_longer_owed(each, alerts, at_ms)
            if reason:
                log.append(_unsaid(each, at_ms, reason))
            else:
                wanted.append(self._doubted(of_standing(each, alerts, self.inventory, self.digest.texts), alerts))
        box = self.sorting.filed(replace(box, pending=tuple(wanted)), at_ms)
        if not wanted:
            return self.sorting.emptied(box, at_ms, (), {}), log
        if box.due_ms > at_ms:
            log.extend(_about(each, "held", at_ms, box.reason, until_ms=box.due_ms) for each in wanted)
            return box, log
        releases = self.sorting.releases(box, at_ms)
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
        alone = {text.key for text in leaving}  # a list or a closing word may speak of what is told beside it as well
        for text in leaving:
            log.extend(
                _about(each, "folded", at_ms, text.key)
                for each in wanted
                if each.episode in text.covers and each.to == text.to and each.key not in alone
            )
        log.extend(leaving)
        box = self.sorting.emptied(box, at_ms, leaving, about)
        box = self.sorting.filed(replace(box, pending=tuple(waiting)), at_ms)
        log.extend(_about(each, "held", at_ms, box.reason, until_ms=box.due_ms) for each in waiting)
        return box, log

    def _doubted(self, owed: Owed, alerts: Mapping[str, Alert]) -> Owed:
        """A step that waited while somebody answered that it is not so says it as well."""
        alert = alerts.get(owed.episode)
        said = "" if alert is None or owed.kind not in _STEPS else contradiction(alert, owed.to, self.inventory)
        if not said or owed.variables.get(DOUBT) == said or not self.digest.texts.speaks(owed.template, owed.variables):
            return owed
        wording = self.digest.texts.word(owed.template, {**owed.variables, DOUBT: said})
        return replace(owed, text=wording.text, variables=wording.variables)

    def _asleep(self, wanted: list[Owed], at_ms: Millis) -> list[Owed]:
        """What waits for the morning although something else is told now: what was owed by day wakes nobody."""
        anew_ms = self.sorting.holds.owed_anew_ms
        return [each for each in wanted if anew_ms(each.at_ms, at_ms) != at_ms]

    def _texts(self, box: Mailbox, wanted: list[Owed], alerts: Mapping[str, Alert], at_ms: Millis) -> list[Owed]:
        if all(each.rule == OUTAGE for each in wanted):
            return list(self.digest.of_outages(wanted, alerts, at_ms))
        if box.storm_ms and len(wanted) > 1:
            return list(self.digest.of_storm(wanted, min(each.at_ms for each in wanted), at_ms))
        return list(self.digest.together(wanted, alerts, at_ms))

    def no_longer_owed(self, owed: Owed, alerts: Mapping[str, Alert], at_ms: Millis) -> str:
        """Why something owed is of no use any more at its last moment before it leaves; empty when it still is."""
        return walk(WANTED, self.sorting.holds, WaitingMessage(owed, at_ms, alerts=alerts), Release(at_ms)).reason

    @cached_property
    def _closing(self) -> frozenset[str]:
        """The rules whose end is told, and by which it may wait."""
        rules = self.sorting.holds.policies.rules
        return frozenset(rule for rule, policy in rules.items() if policy.cleared_text)

    @cached_property
    def _crews(self) -> frozenset[str]:
        """The numbers of crews, whose several plants one digit cannot tell apart."""
        at = self.inventory.people_at
        duties = {phone: [duty.role for each in people for duty in each.duties] for phone, people in at.items()}
        return frozenset(phone for phone, roles in duties.items() if roles and set(roles) == {Role.CREW})


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


def _unsaid(owed: Owed, at_ms: Millis, reason: str) -> Event:
    """Why it will never leave; of what is urgent and stands, something else has taken its place."""
    stands = owed.severity in URGENT and reason != "cleared"
    return _about(owed, "superseded" if stands else "dropped", at_ms, reason)


def _about(owed: Owed, event: str, at_ms: Millis, reason: str, *, until_ms: Millis = 0, to: str | None = None) -> Event:
    detail: Detail = {"reason": reason, "person": owed.to, "step": owed.step}
    if until_ms:
        detail["until_ms"] = until_ms
    if to is not None:
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
