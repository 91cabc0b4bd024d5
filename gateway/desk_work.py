"""What people ask of the ledger, done on the loop's thread: a verdict to hand back once it is durable.

It joins ledger and county where one word concerns both, and decides nothing about either.
"""

from collections.abc import Callable
from typing import Final

from alerts.ledger.case import Case, Refusal
from alerts.ledger.case import Verb as CaseVerb
from gateway.commands import (
    CaseCommand,
    CaseDone,
    CaseVerdict,
    Command,
    Done,
    NotPossible,
    Register,
    UnknownCase,
    UnknownPerson,
    Verb,
    Verdict,
)
from gateway.orders import obey
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

_SEEN_TO: Final = frozenset({CaseVerb.START, CaseVerb.FIX, CaseVerb.DEFER})
"""Somebody is at it, so that the chain of the case's episode stops (T9)."""


def done(wish: Register | CaseCommand, pipeline: Pipeline, now_ms: Millis, knows: Callable[[str], bool]) -> CaseVerdict:
    """登记, or something about a case."""
    if wish.by not in pipeline.county.inventory.people:
        return UnknownPerson()
    if isinstance(wish, Register):
        case: Case | Refusal | None = pipeline.ledger.register(wish, now_ms)
    else:
        case = pipeline.ledger.act(wish, now_ms)
    match case:
        case None:
            return UnknownCase(settled=isinstance(wish, CaseCommand) and knows(wish.case))
        case Refusal(_, sentence):
            return NotPossible(sentence)
        case Case():
            if isinstance(wish, CaseCommand) and wish.verb in _SEEN_TO and case.standing:
                seen = Command(
                    verb=Verb.ACK, episode=case.episode, by=wish.by, channel=wish.channel, origin=wish.origin
                )
                obey(seen, pipeline.county, now_ms, pipeline.changes)
                pipeline.follow()
            return CaseDone(now_ms, case)


def answered(command: Command, pipeline: Pipeline, now_ms: Millis) -> Verdict:
    """An answer to a text of the ledger: 1 from its owner says that it is done; nothing else is asked there."""
    case = pipeline.ledger.cases[command.episode]
    if command.verb is not Verb.ACK:
        return NotPossible(f"{command.verb} is not possible for a case of the ledger: use its own verbs")
    if command.by != case.owner:
        return Done(now_ms, "unchanged")
    wish = CaseCommand(verb=CaseVerb.FIX, case=case.id, by=command.by, channel=command.channel, origin=command.origin)
    fixed = done(wish, pipeline, now_ms, lambda _: True)
    return Done(now_ms, "fixed" if isinstance(fixed, CaseDone) else "unchanged")
