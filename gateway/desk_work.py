"""What people ask of the ledger, done on the loop's thread: a verdict to hand back once it is durable.

It joins ledger and county where one word concerns both, and decides nothing about either.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.conditions.state import Memory
from alerts.episodes.responses import Responses
from alerts.ledger.case import Case, CaseVerb, Refusal, State, Why
from alerts.ledger.moves import FROM
from alerts.model import Actor, Log, Severity
from gateway.commands import (
    CaseCommand,
    CaseDone,
    CaseVerdict,
    CommandVerdict,
    Done,
    EndTrial,
    EpisodeCommand,
    EpisodeVerb,
    NotPossible,
    Register,
    UnknownCase,
    UnknownPerson,
)
from gateway.orders import end_trial, obey
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

TRIALS: Final = "trials"
"""The small mark that keeps over a restart which trials were ended."""
_AT: Final = {State.FIXED: 1, State.VERIFIED: 2}
"""How far 办结 has come already."""
_WAITS: Final = frozenset({Why.SENSOR_DECIDES, Why.PROOF_MISSING})
"""What is said to be done waits: for the sensor, or for somebody who has seen it."""

_SEEN_TO: Final = frozenset({CaseVerb.START, CaseVerb.FIX, CaseVerb.DEFER})
"""Somebody is at it, so that the chain of the case's episode stops (T9)."""


def done(wish: Register | CaseCommand, pipeline: Pipeline, now_ms: Millis, knows: Callable[[str], bool]) -> CaseVerdict:
    """登记, or something about a case."""
    if wish.by not in pipeline.county.inventory.people:
        return UnknownPerson()
    if isinstance(wish, Register):
        case: Case | Refusal | None = pipeline.ledger.register(wish, now_ms)
    elif wish.verb is CaseVerb.FIX and _burns(pipeline.ledger.cases.get(wish.case), pipeline):
        return NotPossible(f"{wish.case} is a fire that still burns: nobody can have put it out yet", "still_hot")
    else:
        case = pipeline.ledger.act(wish, now_ms)
    match case:
        case None:
            return UnknownCase(settled=isinstance(wish, CaseCommand) and knows(wish.case))
        case Refusal(why, sentence):
            return NotPossible(sentence, why)
        case Case():
            if isinstance(wish, CaseCommand) and wish.verb in _SEEN_TO and case.standing:
                _see(case, Actor(wish.by, wish.channel, wish.origin), pipeline, now_ms)
            return CaseDone(now_ms, case)


def _burns(case: Case | None, pipeline: Pipeline) -> bool:
    """Whether a case is of a fire that has not cooled."""
    if case is None or not case.standing or case.severity != Severity.P1:
        return False
    return pipeline.county.is_open(case.episode) and not pipeline.county.may_reset(case.episode)


def _see(case: Case, asked: Actor, pipeline: Pipeline, now_ms: Millis) -> None:
    """The chain of the case's episode stops: for as long as an acknowledgement holds, or as it was deferred."""
    county, until_ms = pipeline.county, case.until_ms

    def seen(hands: Responses, alert: Alert, _memory: Memory | None, log: Log) -> Alert:
        return hands.acknowledge(alert, asked, now_ms, log, until_ms)

    if county.is_open(case.episode) and (until_ms or not county.alerts[case.episode].acked_ms):
        county.respond(case.episode, seen, now_ms, pipeline.changes)
        pipeline.follow()


def finished(command: EpisodeCommand, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """办结: what an episode was about is done. Its case is closed if that was seen, or if a person says how they know.

    Where a sensor sees it, the sensor decides, and the case waits for it. A fire is over only when somebody has looked.
    """
    case = pipeline.ledger.of_episode(command.episode)
    if command.by not in pipeline.county.inventory.people:
        return UnknownPerson()
    if pipeline.county.is_open(command.episode) and pipeline.county.alerts[command.episode].severity is Severity.P1:
        return _fire_finished(command, case, pipeline, now_ms)
    if case is None:
        return NotPossible(f"{command.episode} has no case in the ledger: a sensor's own trouble has none", "no_case")
    steps = [CaseVerb.FIX, CaseVerb.VERIFY, CaseVerb.CLOSE]
    said: CaseVerdict = CaseDone(now_ms, case)
    for verb in steps[_AT.get(case.state, 0) :]:
        proof = command.reason if verb is not CaseVerb.CLOSE else ""
        wish = CaseCommand(
            verb=verb, case=case.id, by=command.by, channel=command.channel, origin=command.origin, proof=proof
        )
        if case.state in FROM[verb]:
            said = done(wish, pipeline, now_ms, lambda _: True)
        if not isinstance(said, CaseDone):
            break
        case = said.case
    refused = isinstance(said, NotPossible) and said.why not in _WAITS
    return said if refused and isinstance(said, NotPossible) else Done(now_ms, f"case_{case.state}")


def _fire_finished(command: EpisodeCommand, case: Case | None, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """办结 of a fire is its reset (T12): whoever asks says who has looked, and what was seen there."""
    looked, reason = command.looked.strip(), command.reason.strip()
    if not looked:
        return NotPossible(f"{command.episode} is a fire: name who has been there and looked, in looked", "no_looked")
    if not reason:
        return NotPossible(f"{command.episode} is a fire: say in reason what was seen there", "fire_reason")
    if not pipeline.county.may_reset(command.episode):
        sentence = f"{command.episode} still burns or is hot: wait until two samples in a row are below its clear_c"
        return NotPossible(sentence, "still_hot")
    if case is not None and case.state in FROM[CaseVerb.FIX]:
        proof = f"{looked}看过：{reason}"
        wish = CaseCommand(
            verb=CaseVerb.FIX, case=case.id, by=command.by, channel=command.channel, origin=command.origin, proof=proof
        )
        pipeline.ledger.act(wish, now_ms)
    verdict = obey(
        replace(command, verb=EpisodeVerb.RESET, looked=looked, reason=reason),
        pipeline.county,
        now_ms,
        pipeline.changes,
    )
    pipeline.follow()
    return verdict


def trial_ended(wish: EndTrial, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """转正式, remembered in the same transaction as what follows from it."""
    verdict = end_trial(wish, pipeline.county, pipeline.trials, now_ms, pipeline.changes)
    if isinstance(verdict, Done):
        pipeline.entry.meta[TRIALS] = msgspec.json.encode(pipeline.trials.kept()).decode()
    return verdict


def answered(command: EpisodeCommand, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """An answer to a text of the ledger: 1 from its owner says that it is done; nothing else is asked there."""
    case = pipeline.ledger.cases[command.episode]
    if command.verb is not EpisodeVerb.ACK:
        return NotPossible(f"{command.verb} is not possible for a case of the ledger: use its own verbs")
    if command.by != case.owner:
        return Done(now_ms, "unchanged")
    wish = CaseCommand(verb=CaseVerb.FIX, case=case.id, by=command.by, channel=command.channel, origin=command.origin)
    fixed = done(wish, pipeline, now_ms, lambda _: True)
    return Done(now_ms, "fixed" if isinstance(fixed, CaseDone) else "unchanged")
