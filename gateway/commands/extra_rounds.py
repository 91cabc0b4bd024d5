"""加收, done on the loop's thread: an extra round ordered or cancelled, kept over a restart, and known to what waits.

It joins extra rounds, county and entry, and decides nothing: what is possible is ``alerts.operations.extra_rounds``.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import iso
from alerts.conditions.state import Memory
from alerts.episodes.responses import Responses
from alerts.model import Actor, Detail, Event, Log, Refused
from alerts.operations.extra_rounds import EXTRA, ExtraRound
from gateway.commands.command import Context, Done, PersonalCommand, SignedCommand
from gateway.commands.fields import ID, CommandRoute, CommandWords, MomentField, TextField
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

EXTRAS: Final = "extra_rounds"
"""The small mark that keeps them over a restart."""


class ExtraDone(Done, frozen=True):
    """It is ordered, or cancelled."""

    extra: ExtraRound


class ExtraList(Struct, frozen=True):
    """The extra rounds that are not over for long."""

    at_ms: Millis
    extras: tuple[ExtraRound, ...]


class OrderExtraRound(SignedCommand[ExtraDone], frozen=True, kw_only=True):
    """加收: an extra round for a village or a bin."""

    place: str
    until_ms: Millis
    from_ms: Millis = 0
    reason: str = ""

    def carry_out(self, context: Context, now_ms: Millis) -> ExtraDone | Refused:
        """From now on, or later."""
        wanted = ExtraRound(
            id="",
            place=self.place,
            start_ms=max(self.from_ms, now_ms),
            end_ms=self.until_ms,
            reason=self.reason,
            by=self.by,
        )
        return _settle(
            context.pipeline.extras.add(wanted, now_ms), "extra_ordered", self.actor, context.pipeline, now_ms
        )


class CancelExtraRound(SignedCommand[ExtraDone], frozen=True, kw_only=True):
    """An extra round is cancelled."""

    extra: str

    def carry_out(self, context: Context, now_ms: Millis) -> ExtraDone | Refused:
        """It neither holds texts nor is missed."""
        ended = context.pipeline.extras.end(self.extra, now_ms)
        return _settle(ended, "extra_cancelled", self.actor, context.pipeline, now_ms)


class ListExtraRounds(PersonalCommand[ExtraList], frozen=True):
    """Which extra rounds there are."""

    def act(self, context: Context, now_ms: Millis) -> ExtraList:
        """Nothing is changed by it."""
        return ExtraList(now_ms, context.pipeline.extras.list_current(now_ms))


def _settle(
    found: ExtraRound | Refused, event: str, actor: Actor, pipeline: Pipeline, now_ms: Millis
) -> ExtraDone | Refused:
    """Its row for the audit, what waits for it, and the mark."""
    if isinstance(found, Refused):
        return found
    inventory = pipeline.inventory
    asset = found.place if found.place in inventory.assets else inventory.county.id
    detail: Detail = {
        **actor.detail(),
        "place": found.place,
        "from_ms": found.start_ms,
        "until_ms": found.end_ms,
        "said": found.reason,
    }
    row = Event(at_ms=now_ms, event=event, rule=EXTRA, asset=asset, episode=found.id, detail=detail)
    pipeline.say(row)
    _let_know(found, pipeline, now_ms)
    pipeline.keep(EXTRAS, pipeline.extras.list_current(now_ms))
    return ExtraDone(now_ms, event, found)


def _let_know(extra: ExtraRound, pipeline: Pipeline, now_ms: Millis) -> None:
    """What waits for a bin's next round waits for the one that is next by now."""
    bins = {asset.id: asset for asset in pipeline.extras.bins(extra.place)}

    def awaits(hands: Responses, alert: Alert, _memory: Memory | None, _log: Log) -> Alert:
        return replace(alert, round_ms=hands.escalation.holds.round_due(bins[alert.asset], now_ms))

    waiting = [alert for alert in pipeline.county.alerts.values() if alert.asset in bins and alert.round_ms]
    for alert in waiting:
        pipeline.respond(alert.episode, awaits, now_ms)


@dataclass(frozen=True)
class ExtraBody:
    """An extra round as it is kept; times in ISO 8601 UTC."""

    extra: str
    place: str
    begins: str
    ends: str
    reason: str
    by: str

    @classmethod
    def of(cls, said: ExtraDone | ExtraRound) -> Self:
        """That one, or the one that was ordered or cancelled."""
        kept = said.extra if isinstance(said, ExtraDone) else said
        return cls(kept.id, kept.place, iso(kept.start_ms), iso(kept.end_ms), kept.reason, kept.by)


@dataclass(frozen=True)
class ExtrasBody:
    """The extra rounds that are not over for long."""

    at: str
    extras: list[ExtraBody]

    @classmethod
    def of(cls, said: ExtraList) -> Self:
        """As the loop listed them."""
        return cls(iso(said.at_ms), [ExtraBody.of(each) for each in said.extras])


COMMANDS: Final = (
    CommandRoute(
        ListExtraRounds,
        "/api/v1/extra-rounds",
        "extras",
        "What begins first first.",
        method="GET",
        place=21,
        answer=ExtrasBody,
    ),
    CommandRoute(
        OrderExtraRound,
        "/api/v1/extra-rounds",
        "order",
        "加收: answers when it is durable.",
        "OrderBody",
        """Where (an area or a bin), from when to when (ISO 8601 with its zone); ``by`` orders it.

Without ``begins`` from now on.""",
        {
            "place": ID,
            "ends": MomentField("until_ms"),
            "by": ID,
            "begins": MomentField("from_ms"),
            "reason": TextField(200, strip=True),
        },
        status=HTTPStatus.CREATED,
        place=21,
        answer=ExtraBody,
    ),
    CommandRoute(
        CancelExtraRound,
        "/api/v1/extra-rounds/end",
        "cancel",
        "取消加收: it neither holds nor is missed; answers when it is durable.",
        "CancelBody",
        "Which extra round is cancelled; ``by`` says so.",
        {"extra": TextField(200, 1), "by": ID},
        place=21,
        answer=ExtraBody,
    ),
)

_EXTRA: Final = ("extra", "加收")
"""How the audit of the desk calls both."""
WORDS: Final = (
    CommandWords(OrderExtraRound, _EXTRA, {"extra_ordered": ("加收", "已加收，等这一班来清")}),
    CommandWords(CancelExtraRound, _EXTRA, {"extra_cancelled": ("取消加收", "已取消加收")}),
)
