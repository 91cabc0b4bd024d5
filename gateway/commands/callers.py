"""请回电 and 已回电, done on the loop's thread: who waits for a call, kept over a restart, and who has called them.

It joins callers, county and entry, and decides nothing: who waits is ``alerts.operations.callers``.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from alerts.answers import Reply
from alerts.model import Detail, Event
from alerts.operations.callers import Caller
from gateway.commands.command import Context, Done, NotPossible, SignedCommand, UnknownPerson, Verdict
from gateway.pipeline import Pipeline
from telemetry.phone import dialled
from telemetry.reading import Millis

CALLERS: Final = "callers"
"""The small mark that keeps them over a restart."""


class CalledBack(SignedCommand[Verdict], frozen=True, kw_only=True):
    """已回电: a person has called somebody who asked for it; ``caller`` is their id in the list of those who wait."""

    caller: str

    def act(self, context: Context, now_ms: Millis) -> Verdict:
        """See ``call_back``."""
        return call_back(self, context.pipeline, now_ms)


def ask(said: Reply, person: str, about: Iterable[str], pipeline: Pipeline, now_ms: Millis) -> None:
    """Somebody answered 0; ``about`` are the episodes or cases that they were told of, of which the first counts."""
    known = pipeline.county.alerts.keys() | pipeline.ledger.cases.keys()
    episode = next((each for each in about if each in known), "")
    name = f"{said.channel}:{said.number}"
    if pipeline.callers.ask(
        Caller(id=name, phone=dialled(said.phone) or said.phone, since_ms=now_ms, person=person, episode=episode)
    ):
        _keep(pipeline)


def call_back(wish: CalledBack, pipeline: Pipeline, now_ms: Millis) -> Verdict:
    """The verdict on a wish, to hand back once it is durable. A second one of the same is refused with its reason."""
    if wish.by not in pipeline.county.inventory.people:
        return UnknownPerson()
    caller = pipeline.callers.call(wish.caller)
    if caller is None:
        sentence = f"nobody waits for a call as {wish.caller}: somebody has called already; look at the list again"
        return NotPossible(sentence, "no_caller")
    pipeline.changes.log.append(_row(caller, wish, pipeline, now_ms))
    _keep(pipeline)
    return Done(now_ms, "called_back")


def restore(pipeline: Pipeline, mark: str | None) -> None:
    """Takes them over at a start."""
    if mark:
        pipeline.callers.restore(waiting(mark))


def waiting(mark: str) -> tuple[Caller, ...]:
    """Those whom a mark keeps, whoever has waited longest first."""
    return msgspec.json.decode(mark, type=tuple[Caller, ...])


def _keep(pipeline: Pipeline) -> None:
    pipeline.entry.meta[CALLERS] = msgspec.json.encode(pipeline.callers.list_waiting()).decode()


def _row(caller: Caller, wish: CalledBack, pipeline: Pipeline, now_ms: Millis) -> Event:
    """For the audit, and for the story of what they answered; their number stands in the answer itself."""
    alert = pipeline.county.alerts.get(caller.episode)
    detail: Detail = {
        **wish.actor.detail(),
        "caller": caller.id,
        "since_ms": caller.since_ms,
    }
    if caller.person:
        detail["person"] = caller.person
    return Event(
        at_ms=now_ms,
        event="called_back",
        rule="" if alert is None else alert.rule,
        asset=pipeline.county.inventory.county.id if alert is None else alert.asset,
        episode=caller.episode,
        detail=detail,
    )
