"""Which episodes and cases need somebody in the office to decide something, and why; the rest only waits. Pure.

It reads what stage two and the ledger have decided and decides nothing about anybody's text.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from alerts.alert import Alert
from alerts.ledger.case import Case, State
from gateway.journal.ledger import OVERDUE
from telemetry.inventory import Asset
from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
LATE_STEP: Final = 2
"""From this step on the emptier and the dispatcher have been told, and it is still not done."""

HOUSE_RULES: Final = frozenset({"series_paused", "house_deaf", "house_stuck", "clock_stepped"})
PLANT_RULES: Final = frozenset({"stopped", "no_power", "not_restarted", "level_high", "dry_run", "low_flow", "offline"})
DOUBTFUL_RULES: Final = frozenset(
    {
        "offline",
        "gateway_offline",
        "area_outage",
        "tilted",
        "stuck",
        "blocked",
        "battery_low",
        "flooded_device",
        "clock_drift",
        "meter_fault",
    }
)
"""What is wrong with an instrument, not with what it looks at."""


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
    if alert.rule in DOUBTFUL_RULES:
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
        (is_plant and alert.rule in PLANT_RULES, DecisionReason.PLANT),
        (alert.rule in HOUSE_RULES, DecisionReason.HOUSE),
        (alert.rule == "number_dead", DecisionReason.NUMBER),
        (alert.episode in unreached, DecisionReason.UNREACHABLE),
        (alert.episode in nobodys, DecisionReason.NOBODY),
        (answer in _ANSWERS, _ANSWERS.get(answer)),
        (alert.rule == "over_two_thirds" and alert.missed > 0, DecisionReason.MISSED),
        (alert.rule == "over_two_thirds" and alert.step >= LATE_STEP, DecisionReason.LATE),
    )
    return next((why for holds, why in asked if holds), None)
