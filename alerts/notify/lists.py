"""The lists of the day: what is over in the order of the route, and what the office wants to know at its four times.

A village's week is counted from its crossings. From what stands at an instant to messages owed. When they are made is
data, who makes them keeps no state.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS, HOUR_MS, Calendar, RoundSlot, stamp
from alerts.conditions.bins import EMPTY_PCT, BinMemory
from alerts.conditions.state import Memory
from alerts.model import MessageKind, Owed
from alerts.notify import texts
from alerts.notify.holds import Holds
from alerts.notify.texts import EMPTIERS, Texts
from alerts.people import EMPTIER, holders
from alerts.rules import plant_troubles
from alerts.rules.over_two_thirds import POINTS_A_SITE
from alerts.windows import is_window
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis
from telemetry.terms import Level, Role

WEEK_MS: Final[Millis] = 7 * DAY_MS
_REPEATED: Final = 2


class Crossing(NamedTuple):
    """A time for which a bin was over two thirds; ``until_ms`` is ``None`` while it is."""

    asset: str
    since_ms: Millis
    until_ms: Millis | None


class Week(NamedTuple):
    """What became of a village's bins in it. ``worst`` is the bin that crossed most often, if it did more than once."""

    crossings: int
    longest_ms: Millis
    worst: str
    rank: int
    """1 is the best of the town's villages that have bins; equal ones share a rank."""
    villages: int


def weeks(inventory: Inventory, crossings: Iterable[Crossing], from_ms: Millis, to_ms: Millis) -> Mapping[str, Week]:
    """The week of every village that has bins, by its area."""
    villages = (area.id for area in inventory.areas.values() if area.level is Level.VILLAGE)
    times: dict[str, list[Crossing]] = {area: [] for area in villages if inventory.bins_in.get(area)}
    for each in crossings:
        asset = inventory.assets.get(each.asset)
        if asset is not None and asset.area in times and _lasted_ms(each, from_ms, to_ms) > 0:
            times[asset.area].append(each)
    over_ms = {area: sum(_lasted_ms(each, from_ms, to_ms) for each in found) for area, found in times.items()}
    made: dict[str, Week] = {}
    for area, found in times.items():
        rivals = [over_ms[other] for other in times if _town(inventory, other) == _town(inventory, area)]
        often = Counter(each.asset for each in found).most_common(1)
        made[area] = Week(
            len(found),
            max((_lasted_ms(each, from_ms, to_ms) for each in found), default=0),
            often[0][0] if often and often[0][1] >= _REPEATED else "",
            1 + sum(rival < over_ms[area] for rival in rivals),
            len(rivals),
        )
    return made


def _town(inventory: Inventory, area: str) -> str:
    return next((node.id for node in inventory.lineage(area) if node.level is Level.TOWN), "")


def _lasted_ms(crossing: Crossing, from_ms: Millis, to_ms: Millis) -> Millis:
    until_ms = to_ms if crossing.until_ms is None else min(crossing.until_ms, to_ms)
    return max(0, until_ms - max(crossing.since_ms, from_ms))


LIST: Final = "list"
"""What a list is filed under, in the place of a rule and of an episode."""
FILL_RULES: Final = frozenset({"over_two_thirds", "overflow"})
MOST_TROUBLES: Final = 3
"""So many kinds are named in a list, that it stays one SMS on a usual day."""
_MONDAY: Final = 0
_FIRST_STOPS: Final = 2


Crossings: TypeAlias = Callable[[Millis], Iterable[Crossing]]
"""The times over two thirds that ended since an instant, or have not."""


class Sight(Protocol):
    """What stands in the county at an instant."""

    alerts: dict[str, Alert]

    def memory(self, asset: str) -> Memory | None:
        """What is remembered of an asset."""

    def hears(self, asset: str) -> bool:
        """Whether any device of it speaks."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of one county."""

    inventory: Inventory
    holds: Holds
    texts: Texts
    lines_pct: Mapping[str, float]

    @property
    def calendar(self) -> Calendar:
        """Local time."""
        return self.holds.calendar

    def next_ms(self, after_ms: Millis) -> Millis | None:
        """When the next of them is to be made; ``None`` where there are none."""
        times = self.holds.policies.lists.values()
        return min((self.calendar.next_time(after_ms + 1, at) for at in times), default=None)

    def made(self, due_ms: Millis, at_ms: Millis, sight: Sight, crossings: Crossings) -> list[Owed]:
        """Every list that was due at ``due_ms``, as things stand at ``at_ms`` and were in the week before."""
        makers: Mapping[str, Callable[[Sight, Millis], Iterable[Owed]]] = {
            "emptier": self._for_emptiers,
            "morning": lambda seen, at: self._for_dispatchers("list_morning", seen, at),
            "noon": self._after_round,
            "afternoon": lambda seen, at: self._for_dispatchers("list_afternoon", seen, at),
            "evening": lambda seen, at: self._for_dispatchers("list_evening", seen, at),
            "week": self._for_crews,
            "village": lambda _, at: self._for_villages(crossings, at),
        }
        clock = self.calendar.local(due_ms).time()
        due = [name for name, at in self.holds.policies.lists.items() if at == clock]
        return [owed for name in due for owed in makers[name](sight, at_ms)]

    def _for_emptiers(self, sight: Sight, at_ms: Millis) -> Iterator[Owed]:
        """What is over, to each who empties it, in the order of the route; else the fullest first."""
        found: dict[str, list[Alert]] = {}
        for alert in sight.alerts.values():
            asset = self.inventory.assets.get(alert.asset)
            if asset is None or alert.rule not in FILL_RULES or not self._stands(alert, at_ms):
                continue
            for holder in holders(self.inventory, EMPTIER, asset.areas, asset):
                found.setdefault(holder.person.id, []).append(alert)
        for person, alerts in found.items():
            alerts.sort(key=lambda alert: self._place(alert.asset, sight))
            assets = [self.inventory.assets[each] for each in dict.fromkeys(alert.asset for alert in alerts)]
            covers = tuple(alert.episode for alert in alerts)
            yield self._owed(person, EMPTIERS, _stops(assets), at_ms, covers)

    def _for_dispatchers(self, name: str, sight: Sight, at_ms: Millis) -> Iterator[Owed]:
        for person, scope in self._offices(Role.DISPATCHER):
            over = [asset for asset in scope if self._is_over(asset, sight)]
            standing = [alert for alert in sight.alerts.values() if alert.asset in {each.id for each in scope}]
            missed = [alert.asset for alert in standing if alert.missed and self._stands(alert, at_ms)]
            if name == "list_afternoon" and not over:
                continue
            named = [self.inventory.assets[each] for each in dict.fromkeys(missed)] if name == "list_morning" else over
            first = sorted(over, key=lambda asset: -self._level(asset, sight))[:_FIRST_STOPS]
            facts = {
                "over": str(len(over)),
                "full": str(_count(standing, "overflow")),
                "stopped": str(_count(standing, "stopped")),
                **self._troubled(standing),
                "silent": str(_count(standing, "offline")),
                "points": f"{sum(asset.id in self.lines_pct for asset in over) * POINTS_A_SITE:g}",
                "names": texts.named(first if name == "list_evening" else named),
            }
            if name == "list_afternoon":
                facts["time"] = self._reported(over, standing, at_ms)
            yield self._owed(person, name, facts, at_ms)

    def _reported(self, over: Sequence[Asset], standing: Sequence[Alert], at_ms: Millis) -> str:
        """When today the village hears of each of these that is not emptied by then; empty where not of all of them."""
        policy = self.holds.policies.of("over_two_thirds")
        step = next((step for step in policy.rounds if step.missed_rounds and step.at is not None), None)
        if step is None or step.at is None:
            return ""
        told_ms, grace = self.calendar.next_time(at_ms, step.at), self.holds.policies.round_grace
        if self.calendar.midnight(told_ms) != self.calendar.midnight(at_ms):
            return ""
        alerts = {alert.asset: alert for alert in standing if alert.rule == "over_two_thirds"}
        for asset in over:
            alert = alerts.get(asset.id)
            if alert is None or not self._stands(alert, at_ms) or not self.holds.has_rounds(alert) or alert.step != 1:
                return ""
            slots = takewhile(lambda slot: slot.end_ms + grace <= told_ms, self.calendar.slots(asset, at_ms - grace))
            if alert.missed + sum(slot.end_ms + grace > at_ms for slot in slots) < step.missed_rounds:
                return ""
        return texts.clock(self.calendar, told_ms)

    def _troubled(self, standing: Sequence[Alert]) -> Mapping[str, str]:
        """What is wrong with plants, the worst first; empty where they have at most stopped, which has its own word.

        Whatever another trouble of the plant explains is not said beside it.
        """
        troubling = plant_troubles()
        troubles = [alert for alert in standing if alert.rule in troubling and _counts(alert)]
        troubles = [alert for alert in troubles if alert.parent.partition("/")[0] not in troubling]
        counts = {rule: sum(alert.rule == rule for alert in troubles) for rule in troubling}
        named = [f"{self.texts.term(rule)}{count}" for rule, count in counts.items() if count]
        if all(alert.rule == "stopped" for alert in troubles):
            return {"troubled": "", "troubles": ""}
        more = "等" if len(named) > MOST_TROUBLES else ""
        return {
            "troubled": str(len({alert.asset for alert in troubles})),
            "troubles": "，".join(named[:MOST_TROUBLES]) + more,
        }

    def _after_round(self, sight: Sight, at_ms: Millis) -> Iterator[Owed]:
        """应清, 已清, 漏: of the round that ended last today."""
        midnight = self.calendar.midnight(at_ms)
        for person, scope in self._offices(Role.DISPATCHER):
            slots = ((asset, self.calendar.last_slot(asset, midnight, at_ms)) for asset in scope)
            rounds = [(asset, slot) for asset, slot in slots if slot is not None]
            left = [asset for asset, slot in rounds if not self._is_served(asset, slot, sight)]
            if not rounds:
                continue
            facts = {
                "round": self.texts.round(self.calendar, rounds[0][1]),
                "due": str(len(rounds)),
                "done": str(len(rounds) - len(left)),
                "left": str(len(left)),
                "names": texts.named(left),
            }
            yield self._owed(person, "list_noon" if left else "list_noon_done", facts, at_ms)

    def _for_crews(self, sight: Sight, at_ms: Millis) -> Iterator[Owed]:
        """On Mondays what is to be repaired: the county's small faults, by their kind."""
        if self.calendar.local(at_ms).weekday() != _MONDAY:
            return
        for person, scope in self._offices(Role.CREW):
            here = {asset.id for asset in scope}
            small = (alert for alert in sight.alerts.values() if alert.severity == "P4" and alert.asset in here)
            faults = [alert for alert in small if not alert.parent]  # whose cause is told is not repaired one by one
            if not faults:
                continue
            kinds = Counter(alert.rule for alert in faults)
            facts = {
                "count": str(len({alert.device or alert.asset for alert in faults})),
                "items": "，".join(f"{self.texts.term(rule)}{count}" for rule, count in kinds.items()),
                "short": self.inventory.assets[min(faults, key=lambda alert: alert.raised_ms).asset].short,
            }
            yield self._owed(person, "list_week", facts, at_ms)

    def _for_villages(self, crossings: Crossings, at_ms: Millis) -> Iterator[Owed]:
        """On Mondays the week of a village to its head; one in which nothing was over needs no word."""
        calendar = self.calendar
        if calendar.local(at_ms).weekday() != _MONDAY:
            return
        to_ms = calendar.midnight(at_ms)
        found = weeks(self.inventory, crossings(to_ms - WEEK_MS), to_ms - WEEK_MS, to_ms)
        for person in self.inventory.people.values():
            for area in {duty.area: None for duty in person.duties if duty.role is Role.VILLAGE_HEAD}:
                week = found.get(area or "")
                if week is None or not week.crossings:
                    continue
                facts = {
                    "day": texts.day(calendar, to_ms - 1),
                    "area": self.inventory.areas[area or ""].name,
                    "count": str(week.crossings),
                    "hours": str(max(1, round(week.longest_ms / HOUR_MS))),
                    "short": self.inventory.assets[week.worst].short if week.worst else "",
                    "villages": str(week.villages),
                    "rank": str(week.rank),
                }
                yield self._owed(person.id, "list_village", facts, at_ms)

    def _offices(self, role: Role) -> Iterator[tuple[str, Sequence[Asset]]]:
        """Who holds a role, and the assets of their areas."""
        for person in self.inventory.people.values():
            areas = {duty.area for duty in person.duties if duty.role is role and duty.area is not None}
            if areas:
                yield (
                    person.id,
                    [
                        asset
                        for asset in self.inventory.assets.values()
                        if not areas.isdisjoint(self.inventory.around(asset.areas))
                    ],
                )

    def _owed(
        self, person: str, name: str, facts: Mapping[str, str], at_ms: Millis, covers: tuple[str, ...] = ()
    ) -> Owed:
        said = self.texts.word(name, {"day": texts.day(self.calendar, at_ms), **facts}, segments=2)
        return Owed(
            at_ms=at_ms,
            rule=LIST,
            asset=self.inventory.county.id,
            episode=f"{LIST}/{person}/{stamp(at_ms)}",
            severity="P3",
            kind=MessageKind.DIGEST,
            step=0,
            repeat=0,
            to=person,
            phone=self.inventory.phone_of[person],
            channel="sms",
            text=said.text,
            template=said.template,
            variables=said.variables,
            covers=covers,
        )

    def _stands(self, alert: Alert, at_ms: Millis) -> bool:
        """Whether somebody may be told of it: not on trial, not seen to, not quiet for a cause."""
        quiet = alert.closed_ms or alert.is_seen_to or alert.shelved_until_ms or alert.parent or not alert.owes
        return not quiet and self.holds.trials.of_alert(alert) <= at_ms

    def _place(self, asset: str, sight: Sight) -> tuple[str, int, float, str]:
        """Where it stands in the list: by the route's stops, else by its level, else by its name."""
        route = self.inventory.route_of.get(asset)
        level = -self._level(self.inventory.assets[asset], sight)
        return ("", 0, level, asset) if route is None else (route.id, route.stops.index(asset), level, asset)

    @staticmethod
    def _level(asset: Asset, sight: Sight) -> float:
        memory = sight.memory(asset.id)
        return memory.fill_pct if isinstance(memory, BinMemory) else -1.0

    def _is_over(self, asset: Asset, sight: Sight) -> bool:
        """Over the line now, by a sensor that speaks."""
        line = self.lines_pct.get(asset.id)
        return line is not None and self._level(asset, sight) > line and sight.hears(asset.id)

    @staticmethod
    def _is_served(asset: Asset, slot: RoundSlot, sight: Sight) -> bool:
        """Emptied since the round began, or empty anyway (免清)."""
        memory = sight.memory(asset.id)
        if not isinstance(memory, BinMemory):
            return False
        return memory.emptied_ms >= slot.start_ms or 0 <= memory.fill_pct <= EMPTY_PCT


def _stops(assets: Sequence[Asset]) -> Mapping[str, str]:
    """The places to go to, as the list for who empties says them."""
    return {"count": str(len(assets)), "names": texts.named(assets)}


def of_standing(owed: Owed, alerts: Mapping[str, Alert], inventory: Inventory, catalogue: Texts) -> Owed:
    """A list for who empties that had to wait, without the places that are done by now."""
    standing = tuple(each for each in owed.covers if each in alerts and not alerts[each].closed_ms)
    if owed.template != EMPTIERS or standing in ((), owed.covers):
        return owed
    assets = [inventory.assets[each] for each in dict.fromkeys(alerts[name].asset for name in standing)]
    said = catalogue.word(EMPTIERS, {"day": owed.variables["day"], **_stops(assets)}, segments=2)
    return replace(owed, text=said.text, variables=said.variables, covers=standing)


def _count(alerts: Iterable[Alert], rule: str) -> int:
    """How many stand."""
    return sum(alert.rule == rule and _counts(alert) for alert in alerts)


def _counts(alert: Alert) -> bool:
    """Whether it stands; what declared work does by itself is no news."""
    return not alert.closed_ms and not is_window(alert.parent)
