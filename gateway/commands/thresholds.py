"""``cunjing figure``: a rule's parameter that a dispatcher sets for an area or an asset, on the loop's thread.

It is judged, remembered and written down here. What it comes to is decided in ``alerts.conditions.thresholds``;
nothing is durable before the loop commits.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from alerts.conditions.thresholds import ThresholdKey, ThresholdScope, Tuned, Value, Weighed
from alerts.model import Event, Refused
from gateway.commands.command import Context, Done, SignedCommand
from gateway.commands.fields import (
    PERSON,
    PRINTED,
    CommandRoute,
    CommandWords,
    DoneBody,
    EitherField,
    ListField,
    NumberField,
    TextField,
)
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

TUNED: Final = "figures"
"""The small mark that keeps over a restart which parameters people have set."""
SET: Final = "figure_set"
UNFIT: Final = "figure_unfit"


class SetFigure(SignedCommand[Done], frozen=True, kw_only=True):
    """A parameter of a rule is another for an area and all below it, or for an asset; without a value, the file's."""

    place: ThresholdScope
    name: str
    rule: str
    figure: str
    value: Value | None
    reason: str

    def carry_out(self, context: Context, now_ms: Millis) -> Done | Refused:
        """The value counts from now on, and the last levels are judged by it (T3); told is what follows from that."""
        pipeline = context.pipeline
        county, thresholds = pipeline.county, pipeline.thresholds
        at = ThresholdKey(self.place, self.name, self.rule, self.figure)
        area = thresholds.area_of(at)
        if not area:
            return Refused("figure_nowhere", f"the inventory has no {at.place} {at.name!r}; use its id")
        if not _may(county.inventory, self.by, area):
            return Refused("figure_not_yours", f"{self.by} is no dispatcher of {at.place} {at.name}; ask one who is")
        if not self.reason:
            return Refused("figure_reason", "say why it is set: the reason is missing")
        tuned = Tuned(at=at, value=self.value, by=self.by, reason=self.reason, since_ms=now_ms)
        weighed = thresholds.weigh(tuned, county.plans)
        if isinstance(weighed, str):
            return Refused("figure_not_fit", weighed)
        pipeline.say(_written(self, weighed, now_ms))
        county.replan(weighed.plans, now_ms, pipeline.changes)
        thresholds.accept(weighed)
        pipeline.follow()
        pipeline.keep(TUNED, thresholds.list_tuned())
        return Done(now_ms, SET if weighed.was != weighed.now else "unchanged")


def tell_unfit(pipeline: Pipeline, at_ms: Millis) -> None:
    """A parameter for what the inventory or the rules have no more does not count, and a row says so (law L9)."""
    for tuned in pipeline.thresholds.unfit:
        detail = {"place": str(tuned.at.place), "name": tuned.at.name, "figure": tuned.at.parameter, "by": tuned.by}
        pipeline.say(Event(at_ms=at_ms, event=UNFIT, rule=tuned.at.rule, detail={**detail}))


def _may(inventory: Inventory, by: str, area: str) -> bool:
    above = {each.id for each in inventory.lineage(area)}
    return any(duty.role is Role.DISPATCHER and duty.area in above for duty in inventory.people[by].duties)


def _written(wish: SetFigure, weighed: Weighed, now_ms: Millis) -> Event:
    detail = {
        **wish.actor.detail(),
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
    """A value as it is written in a file."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@dataclass(frozen=True)
class FigureResult(DoneBody):
    """It counts, durably; ``at_ms`` is epoch milliseconds."""


_NAME: Final = TextField(64, 1, r"^[A-Za-z0-9._-]+$")

COMMANDS: Final = (
    CommandRoute(
        SetFigure,
        "/api/v1/figures",
        "set_figure",
        "Sets a figure; the last level is judged by it, and whoever must be told is told.",
        "FigureBody",
        "One figure of a rule, as ``rules.yaml`` names it, for an area and below or for one asset; ``null`` undoes it.",
        {
            "place": ThresholdScope,
            "name": _NAME,
            "rule": _NAME,
            "figure": _NAME,
            "value": EitherField((NumberField(), _NAME, ListField(NumberField(), 8), None)),
            "by": PERSON,
            "reason": TextField(60, 1, PRINTED),
        },
        place=0,
        answer=FigureResult,
    ),
)

WORDS: Final = (
    CommandWords(
        SetFigure,
        ("figure", "改指标"),
        {SET: ("改指标", "已改，从现在起按新数判断")},
        {
            "figure_nowhere": "资产册里没有这个地方",
            "figure_not_yours": "这里不归您调度，请管这里的调度来改",
            "figure_reason": "要写事由",
            "figure_not_fit": "规则不收这个数，请看规则文件里的范围",
        },
    ),
)
