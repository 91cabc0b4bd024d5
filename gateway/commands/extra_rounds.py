"""加收, done on the loop's thread: an extra round ordered or cancelled, kept over a restart, and known to what waits.

It joins extra rounds, county and entry, and decides nothing: what is possible is ``alerts.operations.extra_rounds``.
"""

from typing import Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.conditions.state import Memory
from alerts.episodes.responses import Responses
from alerts.model import Actor, Detail, Event, Log
from alerts.operations.extra_rounds import EXTRA, ExtraRound
from alerts.refusals import Refused
from gateway.commands.command import Context, NotPossible, PersonalCommand, SignedCommand, UnknownPerson
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

EXTRAS: Final = "extra_rounds"
"""The small mark that keeps them over a restart."""


class ExtraDone(Struct, frozen=True):
    """It is ordered, or cancelled, and durable since ``at_ms``."""

    at_ms: Millis
    event: str
    extra: ExtraRound


class ExtraList(Struct, frozen=True):
    """The extra rounds that are not over for long."""

    at_ms: Millis
    extras: tuple[ExtraRound, ...]


ExtraVerdict: TypeAlias = ExtraDone | UnknownPerson | NotPossible


class OrderExtraRound(SignedCommand[ExtraVerdict], frozen=True, kw_only=True):
    """加收: an extra round for a village or a bin."""

    place: str
    from_ms: Millis
    until_ms: Millis
    reason: str = ""

    def act(self, context: Context, now_ms: Millis) -> ExtraVerdict:
        """See ``arrange``."""
        return arrange(self, context.pipeline, now_ms)


class CancelExtraRound(SignedCommand[ExtraVerdict], frozen=True, kw_only=True):
    """An extra round is cancelled."""

    extra: str

    def act(self, context: Context, now_ms: Millis) -> ExtraVerdict:
        """See ``arrange``."""
        return arrange(self, context.pipeline, now_ms)


class ListExtraRounds(PersonalCommand[ExtraList], frozen=True):
    """Which extra rounds there are."""

    def act(self, context: Context, now_ms: Millis) -> ExtraList:
        """Nothing is changed by it."""
        return ExtraList(now_ms, context.pipeline.extras.list_current(now_ms))


def arrange(wish: OrderExtraRound | CancelExtraRound, pipeline: Pipeline, now_ms: Millis) -> ExtraVerdict:
    """The verdict on a wish, to hand back once it is durable."""
    if wish.by not in pipeline.county.inventory.people:
        return UnknownPerson()
    if isinstance(wish, CancelExtraRound):
        found = pipeline.extras.end(wish.extra, now_ms)
    else:
        start_ms = max(wish.from_ms, now_ms)
        wanted = ExtraRound(
            id="", place=wish.place, start_ms=start_ms, end_ms=wish.until_ms, reason=wish.reason, by=wish.by
        )
        found = pipeline.extras.add(wanted, now_ms)
    if isinstance(found, Refused):
        return NotPossible(found.sentence, found.why)
    event = "extra_cancelled" if isinstance(wish, CancelExtraRound) else "extra_ordered"
    pipeline.changes.log.append(_row(event, found, wish.actor, pipeline, now_ms))
    _let_know(found, pipeline, now_ms)
    pipeline.entry.meta[EXTRAS] = msgspec.json.encode(pipeline.extras.list_current(now_ms)).decode()
    return ExtraDone(now_ms, event, found)


def restore(pipeline: Pipeline, mark: str | None) -> None:
    """Takes them over at a start."""
    if mark:
        pipeline.extras.restore(msgspec.json.decode(mark, type=list[ExtraRound]))


def _let_know(extra: ExtraRound, pipeline: Pipeline, now_ms: Millis) -> None:
    """What waits for a bin's next round waits for the one that is next by now."""
    county, bins = pipeline.county, {asset.id: asset for asset in pipeline.extras.bins(extra.place)}

    def awaits(hands: Responses, alert: Alert, _memory: Memory | None, _log: Log) -> Alert:
        return replace(alert, round_ms=hands.escalation.holds.round_due(bins[alert.asset], now_ms))

    waiting = [alert for alert in county.alerts.values() if alert.asset in bins and alert.round_ms]
    for alert in waiting:
        county.respond(alert.episode, awaits, now_ms, pipeline.changes)


def _row(event: str, extra: ExtraRound, asked: Actor, pipeline: Pipeline, now_ms: Millis) -> Event:
    inventory = pipeline.county.inventory
    asset = extra.place if extra.place in inventory.assets else inventory.county.id
    detail: Detail = {
        **asked.detail(),
        "place": extra.place,
        "from_ms": extra.start_ms,
        "until_ms": extra.end_ms,
        "said": extra.reason,
    }
    return Event(at_ms=now_ms, event=event, rule=EXTRA, asset=asset, episode=extra.id, detail=detail)
