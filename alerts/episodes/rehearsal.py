"""Who would be told, and when, if this stood now: a supposed case, taken through the telling of a real one.

It runs the county's own office and mailboxes on values of its own and keeps nothing, so that what it says is what would
be. The bounds of alerting.md §4 stand here as well, in one table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Final, NamedTuple, Protocol

from alerts.alert import Alert
from alerts.calendars import DAY_MS, MINUTE_MS, stamp
from alerts.conditions.finding import Finding, Found
from alerts.conditions.rule import BY_DAY, Rule
from alerts.conditions.state import Memory
from alerts.episodes.decide import Decider
from alerts.episodes.open_alerts import OpenAlerts
from alerts.model import URGENT, Detail, Event, Log, Owed
from alerts.notify.lists import Lists, Sight
from alerts.notify.mailbox import Mailbox
from alerts.notify.pending import Pending
from alerts.notify.stages import ROUND_PENDING
from alerts.rules import rules
from alerts.rules.stopped import BY_DEMAND
from alerts.timers import NEVER
from telemetry.inventory import Asset
from telemetry.reading import Millis
from telemetry.terms import Hours

AHEAD_MS: Final[Millis] = 2 * DAY_MS
"""How far it looks by itself."""
LARGE_M3D: Final = 100.0


class Foreseen(NamedTuple):
    """Everything that would be said of a case: ``told`` are the texts in the order in which they leave.

    ``reasons`` are the rows that say why somebody is not told, or not yet. ``bound_ms`` is by when somebody must be
    told, or 0 where no bound is given.
    """

    episode: str
    told: tuple[Owed, ...]
    reasons: tuple[Event, ...]
    bound_ms: Millis

    @property
    def is_in_time(self) -> bool:
        """Whether somebody is told within the bound."""
        return not self.bound_ms or any(each.at_ms <= self.bound_ms for each in self.told)


class Stands(Sight, Protocol):
    """What stands in the county, with what waits for each number; nothing of it is changed."""

    boxes: dict[str, Mailbox]


@dataclass(slots=True)
class _Supposed:
    """What stands with the case that is supposed; of the assets what is so anyway."""

    memory: Callable[[str], Memory | None]
    hears: Callable[[str], bool]
    alerts: dict[str, Alert]
    boxes: dict[str, Mailbox]
    log: Log = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The telling of one county as it stands; ``open_alerts`` makes the view of its open alerts for one input."""

    decider: Decider
    pending: Pending
    lists: Lists
    stands: Stands
    open_alerts: Callable[[Mapping[str, Alert]], OpenAlerts]

    def foresee(self, raised: Finding, *, first: bool = False) -> Foreseen:
        """What follows if this was found, for two days, or until the ``first`` text leaves.

        Nothing that was open before falls due meanwhile, nobody answers, and no sample comes.
        """
        now = _Supposed(self.stands.memory, self.stands.hears, {**self.stands.alerts}, {**self.stands.boxes})
        open_alerts = self.open_alerts(now.alerts)
        self.decider.decide((raised,), raised.at_ms, open_alerts)
        self._settle(open_alerts, now)
        list_ms = self.lists.next_ms(raised.at_ms) or NEVER
        while True:
            alert = now.alerts.get(raised.episode)
            wake_ms = alert.wake_ms if alert is not None and alert.wake_ms else NEVER
            box_ms, phone = min(
                ((box.due_ms, box.phone) for box in now.boxes.values() if box.due_ms), default=(NEVER, "")
            )
            at_ms = min(wake_ms, box_ms, list_ms)
            told_ms = min((said.at_ms for said in now.log if isinstance(said, Owed)), default=NEVER)
            if at_ms > raised.at_ms + AHEAD_MS or (first and at_ms > told_ms):
                break
            if at_ms == list_ms:  # at one instant lists are made first, and mailboxes ring last, as in the pipeline
                self._list(raised.episode, list_ms, now)
                list_ms = self.lists.next_ms(list_ms) or NEVER
            elif at_ms == wake_ms:
                open_alerts = self.open_alerts(now.alerts)
                self.decider.run(now.alerts[raised.episode], at_ms, open_alerts)
                self._settle(open_alerts, now)
            else:
                self._deliver(self.pending.ring(phone, now.boxes, now.alerts, at_ms), now)
        about = [said for said in now.log if _is_about(said, raised.episode)]
        return Foreseen(
            raised.episode,
            tuple(said for said in about if isinstance(said, Owed)),
            tuple(said for said in about if isinstance(said, Event) and (said.detail or {}).get("reason")),
            self._bound_ms(now.alerts.get(raised.episode), raised.at_ms, about),
        )

    def _list(self, episode: str, due_ms: Millis, now: _Supposed) -> None:
        """A list that speaks of the case is a text about it; the others are none of ours."""
        made = (each for each in self.lists.made(due_ms, due_ms, now, lambda _: ()) if episode in each.covers)
        self._deliver(self.pending.post([*made], now.boxes), now)

    def _deliver(self, made: tuple[list[Mailbox], Log], now: _Supposed) -> None:
        changed, said = made
        now.boxes.update((box.phone, box) for box in changed)
        now.log += said

    def _settle(self, open_alerts: OpenAlerts, now: _Supposed) -> None:
        now.alerts.update(open_alerts.changed)
        self._deliver(self.pending.post(open_alerts.log, now.boxes), now)

    def _bound_ms(self, alert: Alert | None, at_ms: Millis, said: Log) -> Millis:
        """By when somebody must be told. What is on trial, or explained by what is told, has no bound of its own."""
        holds = self.decider.escalation.holds
        if alert is None or alert.severity not in URGENT or alert.parent or holds.trials.of_alert(alert) > at_ms:
            return 0
        asset = self.decider.inventory.assets.get(alert.asset)
        bound_ms = bound(alert.rule, asset, at_ms, holds.calendar.is_within, holds.calendar.next_time)
        rows = (each.detail or {} for each in said if isinstance(each, Event))  # a later step's wait is nobody's excuse
        waits = (row for row in rows if row.get("reason") == ROUND_PENDING and row.get("step") == 0)
        ends = [until for row in waits if isinstance(until := row.get("until_ms"), int)]
        return max((bound_ms, *ends)) if bound_ms else 0


_FIRE_MS: Final = 2 * MINUTE_MS
_SPILL_MS: Final = 15 * MINUTE_MS


def bound(
    rule: str,
    asset: Asset | None,
    at_ms: Millis,
    is_within: Callable[[Millis, Hours], bool],
    next_time: Callable[[Millis, time], Millis],
) -> Millis:
    """By when somebody must be told of a rule that stands on an asset since then; 0 where there is no bound."""
    if rule == "fire":
        return at_ms + _FIRE_MS
    plant = None if asset is None else asset.plant
    if rule == "level_high" and plant is not None and plant.design_m3d >= LARGE_M3D:
        return at_ms + _SPILL_MS
    found = rules().get(rule)
    given = None if found is None else found.bound
    if given is None:
        return 0
    by_day = given.by_day
    if rule == "overflow" and asset is not None and asset.roadside:
        by_day = BY_DAY
    if is_within(at_ms, by_day):
        return at_ms + given.within_ms
    return next_time(at_ms, given.else_at)


def supposed(rule: Rule, asset: Asset, device: str, at_ms: Millis) -> Finding:
    """The finding of a case that is only supposed, with the evidence that its rule would give at the least."""
    detail = dict(_EVIDENCE.get(rule.kind, {}))
    episode = f"{rule.kind}/{asset.id}/{stamp(at_ms)}-supposed"
    severity = rule.severity_of(asset, detail)
    return Finding(Found.RAISED, at_ms, asset.id, rule.kind, device, episode, severity, at_ms, detail=detail)


_EVIDENCE: Final[Mapping[str, Detail]] = {
    "overflow": {"fill_pct": 97.0},
    "over_two_thirds": {"fill_pct": 70.0},
    "fire": {"temperature_c": 75.0},
    "hot_ash": {"temperature_c": 55.0},
    "stopped": {"by": BY_DEMAND},
}


def _is_about(said: Event | Owed, episode: str) -> bool:
    return said.episode == episode or (isinstance(said, Owed) and episode in said.covers)
