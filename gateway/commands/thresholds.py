"""A figure that a dispatcher sets for an area or an asset, on the loop's thread: judged, remembered, written down.

What a figure comes to is decided in ``alerts.conditions.thresholds``; nothing is durable before the loop commits.
"""

from typing import Final

import msgspec

from alerts.conditions.thresholds import Figure, ThresholdScope, Tuned, Value, Weighed
from alerts.model import Event
from gateway.commands.command import Context, Done, NotPossible, PersonalCommand, UnknownPerson, Verdict
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

FIGURES: Final = "figures"
"""The small mark that keeps over a restart which figures people have set."""
SET: Final = "figure_set"
UNFIT: Final = "figure_unfit"


class SetFigure(PersonalCommand[Verdict], frozen=True, kw_only=True):
    """A figure of a rule is another for an area and all below it, or for an asset; without a value, the file's again.

    ``channel`` and ``origin`` are as in ``EpisodeCommand``.
    """

    place: ThresholdScope
    name: str
    rule: str
    figure: str
    value: Value | None
    by: str
    reason: str
    channel: str = "desk"
    origin: str = ""

    def act(self, context: Context, now_ms: Millis) -> Verdict:
        """See ``set_figure``."""
        return set_figure(self, context.pipeline, now_ms)


def decode_tuned(meta: dict[str, str]) -> list[Tuned]:
    """What the journal remembers of it."""
    return msgspec.json.decode(meta.get(FIGURES, "[]"), type=list[Tuned])


def tell_unfit(pipeline: Pipeline, at_ms: Millis) -> None:
    """A figure for what the inventory or the rules have no more does not count, and a row says so (law L9)."""
    for tuned in pipeline.thresholds.unfit:
        detail = {"place": str(tuned.at.place), "name": tuned.at.name, "figure": tuned.at.figure, "by": tuned.by}
        pipeline.changes.log.append(Event(at_ms=at_ms, event=UNFIT, rule=tuned.at.rule, detail={**detail}))


def set_figure(wish: SetFigure, pipeline: Pipeline, now_ms: Millis) -> Verdict:
    """The figure counts from now on, and the last levels are judged by it (T3); told is what follows from that."""
    county, thresholds = pipeline.county, pipeline.thresholds
    if wish.by not in county.inventory.people:
        return UnknownPerson()
    at = Figure(wish.place, wish.name, wish.rule, wish.figure)
    area = thresholds.area_of(at)
    if not area:
        return NotPossible(f"the inventory has no {at.place} {at.name!r}; use its id", "figure_nowhere")
    if not _may(county.inventory, wish.by, area):
        return NotPossible(f"{wish.by} is no dispatcher of {at.place} {at.name}; ask one who is", "figure_not_yours")
    if not wish.reason:
        return NotPossible("say why it is set: the reason is missing", "figure_reason")
    tuned = Tuned(at=at, value=wish.value, by=wish.by, reason=wish.reason, since_ms=now_ms)
    weighed = thresholds.weigh(tuned, county.plans)
    if isinstance(weighed, str):
        return NotPossible(weighed, "figure_not_fit")
    pipeline.changes.log.append(_written(wish, weighed, now_ms))
    county.refigure(weighed.plans, now_ms, pipeline.changes)
    thresholds.accept(weighed)
    pipeline.follow()
    pipeline.entry.meta[FIGURES] = msgspec.json.encode(thresholds.list_tuned()).decode()
    return Done(now_ms, SET if weighed.was != weighed.now else "unchanged")


def _may(inventory: Inventory, by: str, area: str) -> bool:
    above = {each.id for each in inventory.lineage(area)}
    return any(duty.role is Role.DISPATCHER and duty.area in above for duty in inventory.people[by].duties)


def _written(wish: SetFigure, weighed: Weighed, now_ms: Millis) -> Event:
    detail = {
        "by": wish.by,
        "channel": wish.channel,
        **({"origin": wish.origin} if wish.origin else {}),
        "place": str(wish.place),
        "name": wish.name,
        "figure": wish.figure,
        "was": _plain(weighed.was),
        "now": _plain(weighed.now),
        "reason": wish.reason,
    }
    asset = wish.name if wish.place is ThresholdScope.ASSET else ""
    return Event(at_ms=now_ms, event=SET, rule=wish.rule, asset=asset, detail={**detail})


def _plain(value: object) -> str:
    """A figure as it is written in a file."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
