"""The ledger of one county: every unsettled case, told one input at a time. It follows what was said, and says more.

The only mutable thing of the ledger. It never touches an alert, so that a fault here costs nobody a text about one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from alerts.calendars import Calendar
from alerts.ledger import moves, notices, opening
from alerts.ledger.case import (
    UNFINISHED,
    Case,
    CaseCommand,
    CaseVerb,
    Deed,
    LedgerRefusal,
    Origin,
    Refusal,
    Register,
    State,
    Word,
)
from alerts.ledger.event_handler import EventHandler
from alerts.ledger.moves import MoveFacts
from alerts.ledger.notices import Notices, Text
from alerts.ledger.opening import CaseNumbers
from alerts.ledger.shelf import Shelf, Written, closing, line
from alerts.model import Detail, Event, Log, Owed
from alerts.notify.message_writer import RETIRED
from alerts.notify.texts import Texts
from alerts.policy import LedgerPolicy, Policies
from alerts.undo import UndoLog
from telemetry.inventory import Inventory
from telemetry.reading import Millis

MOST_UNSETTLED: Final = 50_000
"""Cases that people may have standing at once (law L10); what a sensor finds is not bounded by it."""


class Ledger:
    """Cases and their timers. Not thread-safe: the loop that owns the county owns it."""

    def __init__(
        self,
        inventory: Inventory,
        policies: Policies,
        calendar: Calendar,
        texts: Texts,
        hears: Callable[[str], bool],
        undo: UndoLog | None = None,
    ) -> None:
        """``hears`` says whether any device of an asset speaks."""
        undo = UndoLog() if undo is None else undo
        self._shelf = Shelf(undo)
        self.timers = self._shelf.timers
        """When ``advance`` has something to do."""
        self._hears = hears
        self._desk = MoveFacts(inventory, policies.ledger, calendar, self._sees)
        self._notices = Notices(inventory, policies.ledger, policies.quiet, calendar, texts)
        self._numbers = CaseNumbers(calendar, undo)
        self._hearing = EventHandler(self._shelf, self._desk, policies, self._numbers, self._notices)

    @property
    def policy(self) -> LedgerPolicy:
        """What each rule asks of a case."""
        return self._desk.policy

    @property
    def cases(self) -> Mapping[str, Case]:
        """Every unsettled case by its id."""
        return self._shelf.cases

    def restore(self, cases: Iterable[Case], numbers: Mapping[tuple[str, str], int]) -> None:
        """Takes over what was kept; ``numbers`` are the highest of each (day, town)."""
        self._numbers.restore(numbers)
        for case in cases:
            self._shelf.seat(self._sought(case))

    def _sought(self, case: Case) -> Case:
        """A case of nobody's as it would stand if this program had opened it: older ones asked nobody for somebody."""
        unheard = not (case.owner or case.words or case.said or case.level)
        if case.state is State.OPEN and case.origin is not Origin.TELEMETRY and unheard:
            return self._notices.seek(case, case.opened_ms)
        return case

    def rename(self, renamed: Mapping[str, str]) -> None:
        """What is about an asset that has another id by now is about that one; ``renamed``: new ids by old."""
        for case in list(self._shelf.cases.values()):
            if case.asset in renamed:
                self._shelf.enter(replace(case, asset=renamed[case.asset]))

    def retire(self, at_ms: Millis) -> None:
        """T16 at a start: cases about what is no longer there end with it: an asset, a radio gateway, an area."""
        for case in list(self._shelf.cases.values()):
            is_gone = case.asset and not self._desk.inventory.knows(case.asset)
            if is_gone and case.state is not State.CLOSED:
                self._hearing.end(case, at_ms, RETIRED)

    def advance(self, now_ms: Millis, log: Log) -> None:
        """Everything that is due by ``now_ms``, in the order of its instants."""
        while self.ring(now_ms, log):
            pass

    def ring(self, now_ms: Millis, log: Log) -> bool:
        """The first thing that is due by ``now_ms``; false when nothing is."""
        case = self._shelf.due(now_ms)
        if case is not None:
            self._turn(case, case.wake_ms, log)
        return case is not None

    def skip(self, now_ms: Millis) -> None:
        """What ``ring`` would do next is not done, and not due again until its case is entered anew."""
        self._shelf.due(now_ms)

    def hear(self, said: Event | Owed) -> None:
        """What the county has said: an episode raised, seen to or over, an emptying, somebody told."""
        self._hearing.hear(said)

    def register(self, wish: Register, at_ms: Millis) -> Case | Refusal:
        """登记; with a key that was asked before, the case that came of it."""
        known = self._shelf.of_key(wish.key)
        if known is not None:
            return known
        standing = len(self._shelf.cases)
        if standing >= MOST_UNSETTLED:
            return Refusal(
                LedgerRefusal.FULL, f"{standing} cases stand already: close some before you register another"
            )
        place = opening.placed(wish, self._desk)
        if isinstance(place, Refusal):
            return place
        case = opening.registered(wish, place, self._numbers.next(place.town, at_ms), at_ms, self._desk)
        case = self._notices.seek(replace(case, recurs=self._hearing.before(case)), at_ms)
        self._shelf.enter(
            case,
            Deed(
                case=case.id,
                at_ms=at_ms,
                deed="registered",
                by=wish.by,
                channel=wish.channel,
                origin=wish.origin,
                now=case.state,
                reason=case.what,
            ),
        )
        return case

    def of_episode(self, episode: str) -> Case | None:
        """The unsettled case of an episode."""
        return self._shelf.of_episode(episode)

    def act(self, wish: CaseCommand, at_ms: Millis) -> Case | Refusal | None:
        """What a person asks of a case; ``None`` when no such case is unsettled."""
        case = self._shelf.cases.get(wish.case)
        if case is None:
            return None
        after = moves.wished(case, wish, at_ms, self._desk)
        if isinstance(after, Refusal):
            return after
        lines = [moves.deed(case, wish, at_ms, after)]
        if wish.verb is CaseVerb.FIX and after.state is State.VERIFIED:
            lines = [
                moves.deed(case, wish, at_ms, replace(after, state=State.FIXED)),
                line(after, "verified", at_ms, State.FIXED, "seen before it was said"),
            ]
        if wish.verb is CaseVerb.ASSIGN:
            after = self._notices.give(case, after, wish.by, at_ms)
        elif wish.verb is CaseVerb.DEFER:
            after = self._notices.word(Text.DEFERRED, after, (after.owner,), at_ms)
        elif wish.verb is CaseVerb.REOPEN and not after.owner:
            after = self._notices.seek(after, at_ms)
        after = self._notices.drop_search(after)
        self._shelf.enter(after, *lines)
        return self._shelf.cases.get(after.id, after)

    def is_wanted(self, said: Owed) -> bool | None:
        """Whether a text of the ledger that is still with the courier is worth sending; ``None``: not the ledger's."""
        case = self._shelf.cases.get(said.episode)
        if case is None:
            return None
        return self._notices.is_true(case, said.template, said.to) if said.template else case.state in UNFINISHED

    def take(self) -> Written:
        """What was written since the last call."""
        return self._shelf.take()

    def _turn(self, case: Case, due_ms: Millis, log: Log) -> None:
        word = next((word for word in case.words if word.at_ms == due_ms), None)
        if word is not None:
            self._say(case, word, due_ms, log)
        elif case.state is State.DEFERRED:
            back = replace(case, state=case.back, until_ms=0)  # its deadline is now, so that it is overdue at once
            self._shelf.enter(back, line(back, "resumed", due_ms, case.state, case.reason))
        elif case.state is State.VERIFIED:
            self._shelf.enter(moves.closed(case, due_ms, self._desk), closing(case, due_ms, "nobody objected"))
        elif case.state is State.CLOSED:
            self._shelf.enter(replace(case, settled=True, due_ms=0, words=()))
        else:
            self._overdue(case, due_ms, log)

    def _overdue(self, case: Case, due_ms: Millis, log: Log) -> None:
        """Exactly at its instant, one level up; while an episode's own chain speaks, only the record says so."""
        rungs = list(self._notices.above(case))
        to = rungs[case.level] if case.level < len(rungs) else ()
        level = case.level + 1
        again_ms = due_ms + self._desk.policy.overdue_every if level < len(rungs) else 0
        after = replace(case, level=level, due_ms=again_ms)
        if not case.standing:
            after = self._notices.word(Text.OVERDUE, after, to, due_ms, level)
        detail: Detail = {
            "case": case.id,
            "level": level,
            "owner": case.owner,
            "to": list(to),
            "deadline_ms": case.deadline_ms,
        }
        log.append(
            Event(
                at_ms=due_ms,
                event="case_overdue",
                rule=case.rule,
                asset=case.asset,
                episode=case.episode,
                severity=case.severity,
                detail=detail,
            )
        )
        self._shelf.enter(after, line(after, "overdue", due_ms, case.state, f"level {level}: {', '.join(to)}"))

    def _say(self, case: Case, word: Word, at_ms: Millis, log: Log) -> None:
        """A text leaves if what it says is still so."""
        owed = list(self._notices.owed(case, word, at_ms))
        if owed:
            log += owed
            if word.text == Text.ASSIGNED:
                case = replace(case, asked=(*case.asked, *(each.to for each in owed if each.to not in case.asked)))
        else:
            detail: Detail = {"case": case.id, "reason": case.state.value, "text": word.text}
            log.append(Event(at_ms=at_ms, event="dropped", rule=case.rule, asset=case.asset, detail=detail))
        self._shelf.enter(notices.without(case, word))

    def _sees(self, case: Case) -> bool:
        """Whether a sensor is to say that it is done: one that speaks, or one whose silence is the matter itself."""
        asked, inventory = self._desk.policy.of(case.rule), self._desk.inventory
        if case.standing and asked.of_silence:
            return True
        if case.asset not in inventory.devices_of or not (asked.seen or case.standing):
            return False
        return self._hears(case.asset)
