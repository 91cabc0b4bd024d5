"""The page of today: what an inspector would find now, what needs a decision, what waits, how far the round is.

Pure: a projection, a scope, what the journal said about the cases, and an instant in; plain values for a template out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from alerts.alert import Alert
from alerts.exposure import POINTS_A_SITE
from alerts.model import Event
from gateway.desk.decisions import Place, Why, placed
from gateway.desk.projection import Projection
from gateway.desk.rounds import Round, Rounds
from gateway.desk.scope import Scope
from gateway.journal.case_reader import Message
from telemetry.inventory import Asset
from telemetry.reading import Millis

SHOWN: Final = 60
"""So many cases are shown in full; the others are counted, the page says so, and the list of assets has them."""
GONE_WRONG: Final = frozenset({"refused", "failed"})
_URGENT: Final = (Why.FIRE, Why.COOLED)


@dataclass(frozen=True, slots=True)
class Case:
    """One episode as the page shows it."""

    alert: Alert
    asset: Asset | None
    why: Why | None
    level_pct: float | None
    level_ms: Millis
    silent: bool
    explains: int = 0
    """How many others it keeps quiet, being their cause."""
    messages: tuple[Message, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class Fold:
    """What waits in one village."""

    area: str
    cases: list[Case] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """How many wait for what, the most first; nothing in particular is ``told``."""
        counted: dict[str, int] = {}
        for case in self.cases:
            name = case.alert.reason or ("told" if case.alert.told else "open")
            counted[name] = counted.get(name, 0) + 1
        return dict(sorted(counted.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an inspector would find now: sites over their line, and those of which nobody can know."""

    over: int
    unknown: int
    sites: int

    @property
    def points(self) -> float:
        """What that would cost."""
        return self.over * POINTS_A_SITE


@dataclass(frozen=True, slots=True)
class Morning:
    """The whole page."""

    at_ms: Millis
    exposure: Exposure
    decide: tuple[Case, ...]
    more: int
    in_hand: tuple[Case, ...]
    waiting: tuple[Fold, ...]
    doubtful: tuple[Case, ...]
    round: Round | None


def exposure(scope: Scope, projection: Projection, lines_pct: Mapping[str, float]) -> Exposure:
    """Sites over the line now; a site whose sensor is silent is neither over nor under (law L5)."""
    over = unknown = sites = 0
    for asset in scope.assets:
        line = lines_pct.get(asset.id)
        if line is None or asset.id not in projection.assets:
            continue
        sites += 1
        level = projection.assets[asset.id].level_pct
        if level is None or projection.silent(asset.id):
            unknown += 1
        elif level > line:
            over += 1
    return Exposure(over, unknown, sites)


def morning(
    scope: Scope,
    projection: Projection,
    lines_pct: Mapping[str, float],
    rounds: Rounds,
    messages: Iterable[Message],
    now_ms: Millis,
    answers: Mapping[str, str] = MappingProxyType({}),
) -> Morning:
    """Everything but the past of the cases, which only those that are shown need (``told``)."""
    wrong = {each.episode for each in messages if each.state in GONE_WRONG}
    explained: dict[str, int] = {}
    visible = [alert for alert in projection.open.values() if scope.sees(alert.asset)]
    for alert in visible:
        if alert.parent:
            explained[alert.parent] = explained.get(alert.parent, 0) + 1
    by_place: dict[Place, list[Case]] = {place: [] for place in Place}
    for alert in visible:
        asset = scope.inventory.assets.get(alert.asset)
        nobodys = (alert.episode,) if alert.step > 0 and not alert.told and alert.owes else ()
        place, why = placed(alert, asset, now_ms, wrong, nobodys, answers.get(alert.episode, ""))
        seen = projection.assets.get(alert.asset)
        by_place[place].append(
            Case(
                alert,
                asset,
                why,
                None if seen is None else seen.level_pct,
                0 if seen is None else seen.level_ms,
                projection.silent(alert.asset),
                explained.get(alert.episode, 0),
            )
        )
    decide = sorted(by_place[Place.DECIDE], key=lambda case: (case.why not in _URGENT, case.alert.raised_ms))
    return Morning(
        now_ms,
        exposure(scope, projection, lines_pct),
        tuple(decide[:SHOWN]),
        max(0, len(decide) - SHOWN),
        tuple(sorted(by_place[Place.IN_HAND], key=lambda case: case.alert.acked_ms)),
        tuple(_folded(scope, by_place[Place.WAITING])),
        tuple(sorted(by_place[Place.DOUBTFUL], key=lambda case: (case.alert.rule, case.alert.raised_ms))),
        rounds.of(scope.assets, projection, now_ms),
    )


def _folded(scope: Scope, cases: Iterable[Case]) -> list[Fold]:
    """By village, the fullest village first; in it the highest level first."""
    folds: dict[str, Fold] = {}
    for case in cases:
        area = scope.inventory.county.id if case.asset is None else case.asset.area
        folds.setdefault(area, Fold(area)).cases.append(case)
    for fold in folds.values():
        fold.cases.sort(key=lambda case: (-(case.level_pct or 0.0), case.alert.raised_ms))
    return sorted(folds.values(), key=lambda fold: -len(fold.cases))
