"""The page of today: what an inspector would find now, the one list of all work, what waits, how far the round is.

Work is episodes, cases of the ledger that are of no open episode, and people who wait for a call, in the order of their
deadlines, fires first; which of it needs a decision of the office, and why, is said first. Pure: a projection, a scope,
what the journal has, and an instant in; plain values out. Nothing is decided here about anybody's text.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from alerts.alert import Alert
from alerts.answers import Caller
from alerts.calendars import HOUR_MS
from alerts.ledger.case import Case, State
from alerts.model import Event, Severity
from alerts.rules import doubted, of_plants
from alerts.rules.over_two_thirds import POINTS_A_SITE
from gateway.desk.projection import Projection
from gateway.desk.rounds import Round, Rounds
from gateway.desk.scope import UserScope
from gateway.journal.ledger import OVERDUE
from gateway.journal.notifications import MessageRow
from telemetry.inventory import Asset
from telemetry.reading import Millis

LATE_STEP: Final = 2
"""From this step on the emptier and the dispatcher have been told, and it is still not done."""

HOUSE_RULES: Final = frozenset({"series_paused", "house_deaf", "house_stuck", "clock_stepped"})


class DecisionReason(StrEnum):
    """Why a case needs a decision, the most urgent first."""

    FIRE = "fire"
    COOLED = "cooled"
    HOT_ASH = "hot_ash"
    OVERFLOW = "overflow"
    PLANT = "plant"
    HOUSE = "house"
    NUMBER = "number"
    UNREACHABLE = "unreachable"
    NOBODY = "nobody"
    DECLINED = "declined"
    CALLBACK = "callback"
    DOUBTED = "doubted"
    MISSED = "missed"
    LATE = "late"
    OVERDUE = "overdue"
    RETURNED = "returned"
    """Its deferral is over, and it is not done."""
    UNASSIGNED = "unassigned"
    REOPENED = "reopened"
    UNVERIFIED = "unverified"
    """Somebody says that it is done, no sensor sees it, and nobody has looked."""
    CALLER = "caller"


FIRES: Final = (DecisionReason.FIRE, DecisionReason.COOLED)
"""They stand above all else until a person has reset them."""
_ANSWERS: Final = {
    str(each): each for each in (DecisionReason.DECLINED, DecisionReason.CALLBACK, DecisionReason.DOUBTED)
}
"""What somebody answered that only the office can settle."""


class TodaySection(StrEnum):
    """Where on the page of today an episode stands."""

    DECIDE = "decide"
    """Somebody in the office has to do something."""
    IN_HAND = "in_hand"
    """Somebody has acknowledged it, or wants quiet about it for a while."""
    WAITING = "waiting"
    """A round, a person told in time, or the end of a hold will do."""
    DOUBTFUL = "doubtful"
    """An instrument that may not tell the truth."""


def placed(
    alert: Alert,
    asset: Asset | None,
    now_ms: Millis,
    unreached: Collection[str] = (),
    nobodys: Collection[str] = (),
    answer: str = "",
    late: DecisionReason | None = None,
) -> tuple[TodaySection, DecisionReason | None]:
    """Where an episode stands; ``unreached`` and ``nobodys`` name those whose people could not be told.

    ``answer`` is the last that somebody answered to a text about it, ``late`` why its case is late, if it is.
    """
    why = _why(alert, asset, now_ms, unreached, nobodys, answer) or late
    if late is not None or why in FIRES:
        return (
            TodaySection.DECIDE,
            why,
        )  # whoever has seen to it: a person has to reset a fire, and what is late is not done
    if (alert.acked_ms or alert.shelved_until_ms) and why is not None:
        return TodaySection.IN_HAND, why
    if why is not None:
        return TodaySection.DECIDE, why
    if alert.rule in doubted():
        return TodaySection.DOUBTFUL, None
    return (TodaySection.IN_HAND if alert.acked_ms or alert.shelved_until_ms else TodaySection.WAITING), None


def lateness(case: Case, now_ms: Millis, resumed_ms: Millis = 0) -> DecisionReason | None:
    """Why a case is late; ``None`` while it has time. ``resumed_ms`` is when its deferral was last over."""
    if case.state not in OVERDUE or not 0 < case.deadline_ms <= now_ms:
        return None
    is_back = case.state is not State.FIXED and resumed_ms >= case.deadline_ms
    return DecisionReason.RETURNED if is_back else DecisionReason.OVERDUE


def placed_case(
    case: Case, late: DecisionReason | None, *, by_sensor: bool
) -> tuple[TodaySection, DecisionReason | None]:
    """Where a case stands that is of no open episode; ``by_sensor`` a sensor is to see that it is done."""
    if case.state is State.FIXED and not by_sensor:
        return TodaySection.DECIDE, DecisionReason.UNVERIFIED
    if late is not None:
        return TodaySection.DECIDE, late
    match case.state:
        case State.DEFERRED:
            return TodaySection.WAITING, None
        case State.OPEN:
            return TodaySection.DECIDE, DecisionReason.UNASSIGNED
        case State.REOPENED:
            return TodaySection.DECIDE, DecisionReason.REOPENED
        case _:
            return TodaySection.IN_HAND, None


def _why(
    alert: Alert,
    asset: Asset | None,
    now_ms: Millis,
    unreached: Collection[str],
    nobodys: Collection[str],
    answer: str,
) -> DecisionReason | None:
    if alert.rule == "fire":
        return DecisionReason.COOLED if alert.latched else DecisionReason.FIRE
    if alert.parent:
        return None  # its cause is told and stands on the page itself
    is_plant = asset is not None and asset.plant is not None
    asked = (  # in the order of urgency
        (alert.rule == "hot_ash", DecisionReason.HOT_ASH),
        (alert.rule == "overflow" and now_ms - alert.raised_ms > HOUR_MS, DecisionReason.OVERFLOW),
        (is_plant and alert.rule in of_plants() and alert.severity is not Severity.P4, DecisionReason.PLANT),
        (alert.rule in HOUSE_RULES, DecisionReason.HOUSE),
        (alert.rule == "number_dead", DecisionReason.NUMBER),
        (alert.episode in unreached, DecisionReason.UNREACHABLE),
        (alert.episode in nobodys, DecisionReason.NOBODY),
        (answer in _ANSWERS, _ANSWERS.get(answer)),
        (alert.rule == "over_two_thirds" and alert.missed > 0, DecisionReason.MISSED),
        (alert.rule == "over_two_thirds" and alert.step >= LATE_STEP, DecisionReason.LATE),
    )
    return next((why for holds, why in asked if holds), None)


SHOWN: Final = 60
"""So many cases are shown in full; the others are counted, the page says so, and the list of assets has them."""
GONE_WRONG: Final = frozenset({"refused", "failed"})


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """One episode as the page shows it, with its case of the ledger where it has one."""

    alert: Alert
    asset: Asset | None
    why: DecisionReason | None
    level_pct: float | None
    level_ms: Millis
    silent: bool
    ledger: Case | None = None
    temperature_c: float | None = None
    """What was measured last, of a fire."""
    explains: int = 0
    """How many others it keeps quiet, being their cause."""
    messages: tuple[MessageRow, ...] = ()
    events: tuple[Event, ...] = ()
    kind: ClassVar[str] = "episode"

    @property
    def due_ms(self) -> Millis:
        """By when it is to be done; what has no case is due at once."""
        return self.alert.raised_ms if self.ledger is None else self.ledger.deadline_ms


@dataclass(frozen=True, slots=True)
class Matter:
    """One case of the ledger that is of no open episode."""

    ledger: Case
    asset: Asset | None
    why: DecisionReason | None
    kind: ClassVar[str] = "matter"

    @property
    def due_ms(self) -> Millis:
        """By when it is to be done."""
        return self.ledger.deadline_ms


@dataclass(frozen=True, slots=True)
class CallOwed:
    """Somebody who waits for a call; ``asset`` is that of the episode that they answered about, where there is one."""

    caller: Caller
    asset: Asset | None
    matter: Case | None = None
    """The case that they answered about, where it was one."""
    why: DecisionReason = DecisionReason.CALLER
    kind: ClassVar[str] = "call"

    @property
    def due_ms(self) -> Millis:
        """By when they expect it."""
        return self.caller.due_ms


Work: TypeAlias = EpisodeCard | Matter | CallOwed


@dataclass(frozen=True, slots=True)
class CasesKept:
    """What the journal has of the ledger for the page; see ``LedgerReader``."""

    of_episode: Mapping[str, Case]
    others: Sequence[Case]
    """Those of no open episode, what is due first first."""
    resumed_ms: Mapping[str, Millis]
    """When the deferral of a case was last over."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the journal has of all that work: nothing of it is anybody's living memory."""

    messages: Sequence[MessageRow]
    answers: Mapping[str, str]
    """The last that somebody answered, by episode."""
    ledger: CasesKept
    callers: Sequence[Caller]
    by_sensor: Callable[[Case], bool]
    """Whether a sensor is to see that a case is done."""


@dataclass(slots=True)
class Fold:
    """What waits in one village."""

    area: str
    cases: list[EpisodeCard] = field(default_factory=list)

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
    decide: tuple[Work, ...]
    more: int
    in_hand: tuple[EpisodeCard | Matter, ...]
    deferred: tuple[Matter, ...]
    """What waits for a reason until a day (备案)."""
    waiting: tuple[Fold, ...]
    doubtful: tuple[EpisodeCard, ...]
    round: Round | None


def exposure(scope: UserScope, projection: Projection, lines_pct: Mapping[str, float]) -> Exposure:
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
    scope: UserScope,
    projection: Projection,
    lines_pct: Mapping[str, float],
    rounds: Rounds,
    kept: Records,
    now_ms: Millis,
) -> Morning:
    """Everything but the past of the cases, which only those that are shown need (``told``)."""
    ledger = kept.ledger
    of_id = {case.id: case for case in ledger.others}
    waiting = [replace(each, matter=of_id.get(each.caller.episode)) for each in calls(kept.callers, scope, projection)]
    called = {call.caller.episode for call in waiting}
    wrong = {each.episode for each in kept.messages if each.state in GONE_WRONG}
    explained: dict[str, int] = {}
    visible = [alert for alert in projection.open.values() if scope.sees(alert.asset)]
    for alert in visible:
        if alert.parent:
            explained[alert.parent] = explained.get(alert.parent, 0) + 1
    by_place: dict[TodaySection, list[EpisodeCard]] = {place: [] for place in TodaySection}
    for alert in visible:
        asset = scope.inventory.assets.get(alert.asset)
        nobodys = (alert.episode,) if alert.step > 0 and not alert.told and alert.owes else ()
        case = ledger.of_episode.get(alert.episode)
        answer = kept.answers.get(alert.episode, "")
        if answer == DecisionReason.CALLBACK and alert.episode in called:
            answer = ""  # whoever answered it stands in the list themselves
        late = None if case is None else lateness(case, now_ms, ledger.resumed_ms.get(case.id, 0))
        place, why = placed(alert, asset, now_ms, wrong, nobodys, answer, late)
        seen = projection.assets.get(alert.asset)
        by_place[place].append(
            EpisodeCard(
                alert,
                asset,
                why,
                None if seen is None else seen.level_pct,
                0 if seen is None else seen.level_ms,
                projection.silent(alert.asset),
                case,
                seen.temperature_c if seen is not None and why in FIRES else None,
                explained.get(alert.episode, 0),
            )
        )
    matters = _matters(scope, ledger, kept.by_sensor, now_ms)
    work: list[Work] = [*by_place[TodaySection.DECIDE], *matters[TodaySection.DECIDE], *waiting]
    decide = sorted(work, key=_urgency)
    return Morning(
        now_ms,
        exposure(scope, projection, lines_pct),
        tuple(decide[:SHOWN]),
        max(0, len(decide) - SHOWN),
        tuple(sorted([*by_place[TodaySection.IN_HAND], *matters[TodaySection.IN_HAND]], key=_urgency)),
        tuple(matters[TodaySection.WAITING]),
        tuple(_folded(scope, by_place[TodaySection.WAITING])),
        tuple(sorted(by_place[TodaySection.DOUBTFUL], key=lambda case: (case.alert.rule, case.alert.raised_ms))),
        rounds.of(scope.assets, projection, now_ms),
    )


def _urgency(work: Work) -> tuple[bool, Millis]:
    """Fires first, then what is due first."""
    return work.why not in FIRES, work.due_ms


def _matters(
    scope: UserScope, ledger: CasesKept, by_sensor: Callable[[Case], bool], now_ms: Millis
) -> dict[TodaySection, list[Matter]]:
    found: dict[TodaySection, list[Matter]] = {place: [] for place in TodaySection}
    for case in ledger.others:
        if scope.sees_within(case.within):
            late = lateness(case, now_ms, ledger.resumed_ms.get(case.id, 0))
            place, why = placed_case(case, late, by_sensor=by_sensor(case))
            found[place].append(Matter(case, scope.inventory.assets.get(case.asset), why))
    return found


def calls(callers: Iterable[Caller], scope: UserScope, projection: Projection) -> list[CallOwed]:
    """Who waits for a call: those of whom what they answered, or else who they are, lies within the scope."""
    people = {person.id for person in scope.people}
    found: list[CallOwed] = []
    for caller in callers:
        alert = projection.open.get(caller.episode)
        if scope.sees(alert.asset) if alert is not None else scope.is_whole or caller.person in people:
            found.append(CallOwed(caller, None if alert is None else scope.inventory.assets.get(alert.asset)))
    return found


def _folded(scope: UserScope, cases: Iterable[EpisodeCard]) -> list[Fold]:
    """By village, the fullest village first; in it the highest level first."""
    folds: dict[str, Fold] = {}
    for case in cases:
        area = scope.inventory.county.id if case.asset is None else case.asset.area
        folds.setdefault(area, Fold(area)).cases.append(case)
    for fold in folds.values():
        fold.cases.sort(key=lambda case: (-(case.level_pct or 0.0), case.alert.raised_ms))
    return sorted(folds.values(), key=lambda fold: -len(fold.cases))
