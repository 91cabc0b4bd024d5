"""Every transition that a person asks of a case, as a table and a few guards: a case and a wish in, the next case out.

Nothing is raised: what is impossible is a ``Refusal``. Timers, telemetry and texts are ``book``'s and ``notices``'.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec.structs import replace

from alerts.calendars import Calendar, iso
from alerts.ledger.case import UNDER_WAY, UNFINISHED, Case, CaseCommand, CaseVerb, Deed, LedgerRefusal, Refusal, State
from alerts.policy import LedgerPolicy
from telemetry.inventory import Inventory
from telemetry.reading import Millis

FROM: Final[Mapping[CaseVerb, frozenset[State]]] = MappingProxyType(
    {
        CaseVerb.ASSIGN: UNDER_WAY | {State.DEFERRED},
        CaseVerb.START: (UNDER_WAY - {State.DOING}) | {State.DEFERRED},
        CaseVerb.FIX: UNDER_WAY | {State.DEFERRED},
        CaseVerb.VERIFY: frozenset({State.FIXED}),
        CaseVerb.CLOSE: frozenset({State.VERIFIED}),
        CaseVerb.DEFER: UNDER_WAY | {State.DEFERRED},
        CaseVerb.REOPEN: frozenset({State.FIXED, State.VERIFIED, State.CLOSED}),
        CaseVerb.NOTE: frozenset(State),
    }
)
"""From which states a verb leads on; any other is refused."""

_REMEDY: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.OPEN: "assign it, start it, or say that it is fixed",
        State.ASSIGNED: "start it, or say that it is fixed",
        State.DOING: "say that it is fixed, or defer it with a reason",
        State.FIXED: "verify it, or reopen it with a reason",
        State.VERIFIED: "close it, or reopen it with a reason",
        State.CLOSED: "reopen it with a reason, or register a new case",
        State.DEFERRED: "start it, assign it anew, or say that it is fixed",
        State.REOPENED: "assign it, start it, or say that it is fixed",
    }
)
"""What is possible instead."""


class MoveFacts(NamedTuple):
    """What a transition may look at besides its case."""

    inventory: Inventory
    policy: LedgerPolicy
    calendar: Calendar
    sees: Callable[[Case], bool]
    """Whether a sensor sees that a case is done, so that no person need, or may, say so."""


def deadline_ms(desk: MoveFacts, rule: str, from_ms: Millis) -> Millis:
    """By when a rule wants it done."""
    asked = desk.policy.of(rule)
    return desk.calendar.counted(from_ms, asked.within, asked.hours)


def wished(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case | Refusal:
    """The case after what a person asks, or why not."""
    if case.state not in FROM[wish.verb]:
        if wish.verb is CaseVerb.CLOSE and case.state in UNFINISHED:
            sentence = f"{case.id} is {case.state}: only what is verified is closed; first {_REMEDY[case.state]}"
            return Refusal(LedgerRefusal.NOT_VERIFIED, sentence)
        return Refusal(LedgerRefusal.WRONG_STATE, f"{case.id} is {case.state}: {_REMEDY[case.state]}")
    return _DO[wish.verb](case, wish, at_ms, desk)


def deed(case: Case, wish: CaseCommand, at_ms: Millis, now: Case) -> Deed:
    """The line that a wish leaves in the history."""
    said = "; ".join(part for part in (_details(wish), wish.proof, wish.reason) if part)
    return Deed(
        case=case.id,
        at_ms=at_ms,
        deed=wish.verb,
        by=wish.by,
        channel=wish.channel,
        origin=wish.origin,
        was=case.state,
        now=now.state,
        reason=said,
    )


def verified(case: Case, at_ms: Millis, desk: MoveFacts) -> Case:
    """Somebody or something has seen that it is done; it closes by itself when nobody objects for a while."""
    return replace(case, state=State.VERIFIED, verified_ms=at_ms, due_ms=at_ms + desk.policy.close_after, until_ms=0)


def closed(case: Case, at_ms: Millis, desk: MoveFacts) -> Case:
    """销号; it is remembered for as long as the same matter would count as 前清后起."""
    return replace(case, state=State.CLOSED, closed_ms=at_ms, due_ms=at_ms + desk.policy.recurs_within)


def _assign(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case | Refusal:
    owner = wish.to or case.owner
    if not owner:
        return Refusal(
            LedgerRefusal.OWNER_MISSING, f"{case.id} has nobody yet: name a person of the inventory to whom it goes"
        )
    if owner not in desk.inventory.people:
        return Refusal(LedgerRefusal.UNKNOWN_OWNER, f"the inventory has no person {owner}: name one of its ids")
    rule = wish.rule or case.rule
    if wish.rule and wish.rule not in desk.policy.rules:
        return Refusal(LedgerRefusal.UNKNOWN_RULE, f"there is no rule {wish.rule} for cases: {_known(desk)}")
    if wish.deadline_ms and wish.deadline_ms <= at_ms:
        return Refusal(
            LedgerRefusal.BAD_TIME, f"the deadline {iso(wish.deadline_ms)} is past: name one that is to come"
        )
    due_ms = wish.deadline_ms or case.deadline_ms
    if due_ms <= at_ms or (rule != case.rule and not wish.deadline_ms):
        due_ms = deadline_ms(desk, rule, at_ms)
    seen_ms = case.seen_ms if rule == case.rule else 0
    assigned = replace(case, state=State.ASSIGNED, owner=owner, rule=rule, seen_ms=seen_ms, until_ms=0)
    return replace(assigned, deadline_ms=due_ms, due_ms=due_ms)


def _start(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case:
    return replace(_taken(case, wish, at_ms, desk), state=State.DOING)


def _fix(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case:
    """A claim; what a sensor has seen since the case was opened proves it at once."""
    taken = _taken(case, wish, at_ms, desk)
    fixed = replace(
        taken,
        state=State.FIXED,
        fixed_ms=at_ms,
        proof=wish.proof or case.proof,
        due_ms=max(taken.deadline_ms, at_ms + desk.policy.verify_within),
    )
    return verified(fixed, at_ms, desk) if fixed.seen_ms else fixed


def _verify(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case | Refusal:
    if desk.sees(case):
        return Refusal(LedgerRefusal.SENSOR_DECIDES, f"{case.id} is verified by its sensor: wait for its next samples")
    if not wish.proof.strip():
        return Refusal(
            LedgerRefusal.PROOF_MISSING, f"no sensor sees {case.id}: say in proof how you know that it is done"
        )
    return replace(verified(case, at_ms, desk), proof=wish.proof)


def _close(case: Case, _wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case:
    return closed(case, at_ms, desk)


def _defer(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case | Refusal:
    if not wish.reason.strip():
        return Refusal(LedgerRefusal.REASON_MISSING, f"{case.id} is deferred only for a reason: say what it waits for")
    latest_ms = at_ms + desk.policy.longest_deferral
    if not at_ms < wish.until_ms <= latest_ms:
        sentence = f"{case.id} is deferred until a time to come, at the latest {iso(latest_ms)}: name until when"
        return Refusal(LedgerRefusal.BAD_TIME, sentence)
    back = case.back if case.state is State.DEFERRED else State.DOING if case.state is State.DOING else State.ASSIGNED
    return replace(
        case,
        state=State.DEFERRED,
        owner=case.owner or wish.by,
        back=back,
        reason=wish.reason,
        until_ms=wish.until_ms,
        deadline_ms=wish.until_ms,
        due_ms=wish.until_ms,
    )


def _reopen(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case | Refusal:
    if not wish.reason.strip():
        return Refusal(
            LedgerRefusal.REASON_MISSING, f"{case.id} is reopened only for a reason: say what is wrong again"
        )
    due_ms = deadline_ms(desk, case.rule, at_ms)
    return replace(
        case,
        state=State.REOPENED,
        reason=wish.reason,
        reopened=case.reopened + 1,
        deadline_ms=due_ms,
        due_ms=due_ms,
        level=0,
        seen_ms=0,
        fixed_ms=0,
        verified_ms=0,
        closed_ms=0,
        until_ms=0,
    )


def _note(case: Case, wish: CaseCommand, _at_ms: Millis, _desk: MoveFacts) -> Case | Refusal:
    if not wish.reason.strip():
        return Refusal(LedgerRefusal.NOTE_MISSING, f"nothing to note about {case.id}: say it in reason")
    return case


def _taken(case: Case, wish: CaseCommand, at_ms: Millis, desk: MoveFacts) -> Case:
    """Whoever takes up what is nobody's answers for it; what was deferred gets the rule's time anew."""
    due_ms = deadline_ms(desk, case.rule, at_ms) if case.state is State.DEFERRED else case.deadline_ms
    return replace(
        case,
        owner=case.owner or wish.by,
        deadline_ms=due_ms,
        due_ms=due_ms if case.state is State.DEFERRED else case.due_ms,
        until_ms=0,
    )


def _details(wish: CaseCommand) -> str:
    said = (
        f"to {wish.to}" if wish.to else "",
        f"by {wish.rule}" if wish.rule else "",
        f"due {iso(wish.deadline_ms)}" if wish.deadline_ms else "",
        f"until {iso(wish.until_ms)}" if wish.until_ms else "",
    )
    return ", ".join(part for part in said if part)


def _known(desk: MoveFacts) -> str:
    return f"known are {', '.join(sorted(desk.policy.rules)) or 'none'}"


_Do = Callable[[Case, CaseCommand, Millis, MoveFacts], Case | Refusal]
_DO: Final[Mapping[CaseVerb, _Do]] = MappingProxyType(
    {
        CaseVerb.ASSIGN: _assign,
        CaseVerb.START: _start,
        CaseVerb.FIX: _fix,
        CaseVerb.VERIFY: _verify,
        CaseVerb.CLOSE: _close,
        CaseVerb.DEFER: _defer,
        CaseVerb.REOPEN: _reopen,
        CaseVerb.NOTE: _note,
    }
)
