"""请回电 and 已回电, done on the loop's thread: who waits for a call, kept over a restart, and who has called them.

It joins callers, county and entry, and decides nothing: who waits is ``alerts.answers``.
"""

from collections.abc import Iterable
from typing import Final

from alerts.answers import Caller, Reply
from alerts.model import Detail, Event, Refused
from gateway.commands.command import Context, Done, SignedCommand
from gateway.commands.fields import CommandWords
from gateway.pipeline import Pipeline
from telemetry.phone import dialled
from telemetry.reading import Millis

CALLERS: Final = "callers"
"""The small mark that keeps them over a restart."""


class CalledBack(SignedCommand[Done], frozen=True, kw_only=True):
    """已回电: a person has called somebody who asked for it; ``caller`` is their id in the list of those who wait."""

    caller: str

    def carry_out(self, context: Context, now_ms: Millis) -> Done | Refused:
        """A second one of the same is refused with its reason. Their number stands in the answer itself."""
        pipeline = context.pipeline
        caller = pipeline.callers.call(self.caller)
        if caller is None:
            sentence = f"nobody waits for a call as {self.caller}: somebody has called already; look at the list again"
            return Refused("no_caller", sentence)
        alert = pipeline.county.alerts.get(caller.episode)
        detail: Detail = {**self.actor.detail(), "caller": caller.id, "since_ms": caller.since_ms}
        if caller.person:
            detail["person"] = caller.person
        row = Event(
            at_ms=now_ms,
            event="called_back",
            rule="" if alert is None else alert.rule,
            asset=pipeline.inventory.county.id if alert is None else alert.asset,
            episode=caller.episode,
            detail=detail,
        )
        pipeline.say(row)
        pipeline.keep(CALLERS, pipeline.callers.list_waiting())
        return Done(now_ms, "called_back")


def ask(said: Reply, person: str, about: Iterable[str], pipeline: Pipeline, now_ms: Millis) -> None:
    """Somebody answered 0; ``about`` are the episodes or cases that they were told of, of which the first counts."""
    known = pipeline.county.alerts.keys() | pipeline.ledger.cases.keys()
    episode = next((each for each in about if each in known), "")
    name = f"{said.channel}:{said.number}"
    if pipeline.callers.ask(
        Caller(id=name, phone=dialled(said.phone) or said.phone, since_ms=now_ms, person=person, episode=episode)
    ):
        pipeline.keep(CALLERS, pipeline.callers.list_waiting())


WORDS: Final = (
    CommandWords(
        CalledBack,
        ("called", "回电"),
        {"called_back": ("已回电", "已记下，回过电话了")},
        {"no_caller": "已经有人回过电话了，请刷新看看"},
    ),
)
