"""Several messages to one person as one text: a missed round, plants on one line, what a storm brought, all sorts.

From messages and the episodes behind them to messages owed; when they leave is ``mailbox``. It keeps no state.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS, Calendar, stamp
from alerts.model import BEGUN, MessageKind, Owed
from alerts.notify import texts
from alerts.notify.lists import FILL_RULES, LIST
from alerts.notify.schedule import Schedule, soon
from alerts.notify.texts import Facts, Texts
from alerts.operations.absences import ABSENCE
from alerts.topology import OUTAGE
from telemetry.inventory import Inventory
from telemetry.reading import Millis

FILL_SEVERAL: Final = "fill_several"
OVERFLOW_SEVERAL: Final = "overflow_several"
DIGEST: Final = "digest"
"""What a text about all sorts is filed under, in the place of a rule."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The one who writes them for one county."""

    inventory: Inventory
    calendar: Calendar
    schedule: Schedule
    texts: Texts
    lines_pct: Mapping[str, float]
    """The line of each bin, as it is drawn now."""

    def together(self, pending: Sequence[Owed], alerts: Mapping[str, Alert], at_ms: Millis) -> Iterator[Owed]:
        """What leaves instead of these: for each person one text, and one more for each power line."""
        clusters: dict[tuple[str, str], list[Owed]] = {}
        for each in pending:
            goes_on = each.kind is MessageKind.CLEARED and each.covers  # it asks for something, and no 辛苦了 is due
            apart = each.episode if goes_on or each.rule in (LIST, ABSENCE) else self._feeder(each)
            clusters.setdefault((each.to, apart), []).append(each)
        for nth, cluster in enumerate(clusters.values()):
            said = replace(cluster[0], at_ms=at_ms) if len(cluster) == 1 else self._one(cluster, alerts, at_ms)
            # of two digests of one instant with one key the journal would keep only the first
            yield replace(said, repeat=nth) if said.rule == DIGEST else said

    def of_storm(self, pending: Sequence[Owed], since_ms: Millis, at_ms: Millis) -> Iterator[Owed]:
        """The same in a storm: how much of what, and no names."""
        people: dict[str, list[Owed]] = {}
        for each in pending:
            people.setdefault(each.to, []).append(each)
        for cluster in people.values():
            facts = {
                "since_day": texts.day(self.calendar, since_ms),
                "since_time": texts.clock(self.calendar, since_ms),
                "count": str(len(cluster)),
                "items": "，".join(self._counts(cluster)),
                "window": self._window(),
            }
            yield self._digest(cluster, "storm", facts, at_ms)

    def of_outages(self, pending: Sequence[Owed], alerts: Mapping[str, Alert], at_ms: Millis) -> Iterator[Owed]:
        """The outages of whole areas, each person told of all of them at once and of each as wide as it is now."""
        people: dict[str, list[Owed]] = {}
        for each in pending:
            people.setdefault(each.to, []).append(each)
        for cluster in people.values():
            found = [alerts[name] for name in _covered(cluster) if name in alerts]
            since_ms = min((alert.lasting_ms for alert in found), default=at_ms)
            facts = {
                "area": texts.listed([self._short(each) for each in _once(cluster)]),
                "since_day": texts.day(self.calendar, since_ms),
                "since_time": texts.clock(self.calendar, since_ms),
                "window": self._window(),
                "devices": str(sum(count for alert in found if isinstance(count := alert.detail.get("stale"), int))),
            }
            said = self.texts.word(OUTAGE, facts, segments=2)
            covers = _covered(cluster) if len(cluster) > 1 else ()
            lead = replace(cluster[0], at_ms=at_ms, text=said.text, covers=covers)
            yield replace(lead, template=said.template, variables=said.variables)

    def _one(self, cluster: Sequence[Owed], alerts: Mapping[str, Alert], at_ms: Millis) -> Owed:
        lead = cluster[0]
        known = [alerts[each.episode] for each in cluster if each.episode in alerts]
        deadline_ms = min((self._deadline_ms(alert, each, at_ms) for alert, each in _pairs(known, cluster)), default=0)
        since_ms = min((alert.since_ms for alert in known), default=at_ms)
        facts = {
            "day": texts.day(self.calendar, at_ms),
            "count": str(len(cluster)),
            "deadline": texts.deadline(self.calendar, deadline_ms or at_ms),
            "deadline_time": texts.deadline_time(self.calendar, deadline_ms or at_ms, at_ms),
            "time": texts.clock(self.calendar, at_ms),
            "since_day": texts.day(self.calendar, since_ms),
            "since_time": texts.clock(self.calendar, since_ms),
            "feeder": self._feeder(lead),
            "round": self._round(known, at_ms),
            "line": self._line(cluster),
        }
        name = self._name(cluster, known, facts["feeder"])
        if self.texts.hurries(name):
            near_ms = soon(self.calendar, at_ms, deadline_ms or at_ms)
            facts["deadline"] = texts.deadline(self.calendar, near_ms)
        short = len(cluster) > texts.MOST_PLACED or name.startswith("several")
        placed = _disputed_first(cluster)
        called = self._short if short else self._place
        over = self.texts.term("among_overflow", self.texts.term("overflow")) if name == FILL_SEVERAL else ""
        names = [f"{called(each)}{over if each.rule == 'overflow' else ''}{_doubt(each)}" for each in placed]
        items = [f"{self._short(each)}{self._word(each)}{_doubt(each)}" for each in placed]
        facts |= {"names": texts.listed(names), "items": texts.listed(items, "件")}
        if len({each.kind for each in cluster}) > 1:
            return self._digest(cluster, name, facts, at_ms)
        said = self.texts.word(name, facts, segments=2)
        return replace(
            lead,
            at_ms=at_ms,
            severity=min(each.severity for each in cluster),
            text=said.text,
            template=said.template,
            variables=said.variables,
            covers=_covered(cluster),
        )

    def _name(self, cluster: Sequence[Owed], alerts: Sequence[Alert], feeder: str) -> str:
        """Which text tells of them all: where they are of one kind its own, else the one for all sorts."""
        rules, kinds = {each.rule for each in cluster}, {each.kind for each in cluster}
        if kinds == {MessageKind.CLEARED}:
            return "power_back_feeder" if feeder else "several_over"
        if kinds == {MessageKind.ESCALATION}:
            return "several_late"
        if not kinds <= BEGUN:
            return "several"
        if rules == {"over_two_thirds"} and alerts and all(alert.missed for alert in alerts):
            return "rounds_missed"
        if rules == {"overflow"} and OVERFLOW_SEVERAL in self.texts:
            return OVERFLOW_SEVERAL
        if rules <= FILL_RULES:
            return FILL_SEVERAL
        if rules == {"no_power"}:
            return "no_power_feeder" if feeder else "no_power_several"
        return "stopped_several" if rules == {"stopped"} else "several"

    def _digest(self, cluster: Sequence[Owed], name: str, facts: Facts, at_ms: Millis) -> Owed:
        lead, said = cluster[0], self.texts.word(name, facts, segments=2)
        return Owed(
            at_ms=at_ms,
            rule=DIGEST,
            asset=self.inventory.county.id,
            episode=f"{DIGEST}/{lead.to}/{stamp(at_ms)}",
            severity=min(each.severity for each in cluster),
            kind=MessageKind.DIGEST,
            step=0,
            repeat=0,
            to=lead.to,
            phone=lead.phone,
            channel=lead.channel,
            text=said.text,
            template=said.template,
            variables=said.variables,
            covers=_covered(cluster),
        )

    def _window(self) -> str:
        """10分钟: how often at most a storm is told of."""
        return texts.span(self.schedule.holds.policies.telling.storm_window)

    def _line(self, cluster: Iterable[Owed]) -> str:
        """三分之二 where all of them are over it and it is their line, else 线."""
        over = {
            texts.line(self.lines_pct.get(each.asset, 0.0))
            if each.rule == "overflow"
            else each.variables.get("crossed", "").removeprefix("过")
            for each in cluster
        }
        return over.pop() or texts.LINE if len(over) == 1 else texts.LINE

    def _counts(self, cluster: Iterable[Owed]) -> list[str]:
        """停机2, 过线12: what matters most first; then what somebody disputes, by its name."""
        ranked = sorted(cluster, key=lambda each: each.severity)
        counts = [f"{word}{count}" for word, count in Counter(self._word(each) for each in ranked).items()]
        return [*counts, *(f"{self._short(each)}{doubt}" for each in ranked if (doubt := _doubt(each)))]

    def _word(self, owed: Owed) -> str:
        if owed.kind is not MessageKind.CLEARED:
            return self.texts.term(owed.rule)
        return self.texts.term(f"over_{owed.template}", self.texts.term(f"over_{owed.rule}"))

    def _place(self, owed: Owed) -> str:
        asset = self.inventory.known_asset(owed.asset)
        return self._short(owed) if asset is None else texts.called(asset)

    def _short(self, owed: Owed) -> str:
        asset = self.inventory.known_asset(owed.asset)
        if asset is not None:
            return asset.short
        place = self.inventory.radio_gateways.get(owed.asset) or self.inventory.areas.get(owed.asset)
        return "" if place is None else place.name

    def _feeder(self, owed: Owed) -> str:
        """The power line of a plant without power, by its name; nothing for anything else."""
        asset = self.inventory.assets.get(owed.asset)
        if owed.rule != "no_power" or asset is None or asset.plant is None or asset.plant.feeder is None:
            return ""
        return self.inventory.feeders[asset.plant.feeder].name

    def _round(self, alerts: Sequence[Alert], at_ms: Millis) -> str:
        """早班 or 下午班: the round that they were all missed in, by when it began."""
        asset = self.inventory.assets.get(alerts[0].asset) if alerts else None
        if asset is None:
            return ""
        slot = self.calendar.last_slot(asset, at_ms - DAY_MS, at_ms)
        return "" if slot is None else self.texts.round(self.calendar, slot)

    def _deadline_ms(self, alert: Alert, owed: Owed, at_ms: Millis) -> Millis:
        """What the message alone would have said, from now on."""
        return self.schedule.deadline_ms(replace(alert, step=owed.step, left_ms=alert.left_ms or at_ms), at_ms)


def _disputed_first(cluster: Sequence[Owed]) -> Sequence[Owed]:
    """Of more than can be named with certainty those that somebody disputes come first, so that no cut loses them."""
    return cluster if len(cluster) <= texts.MOST_PLACED else sorted(cluster, key=lambda each: not _doubt(each))


def _doubt(owed: Owed) -> str:
    """（李大姐说没满）, where somebody says so."""
    said = owed.variables.get(texts.DOUBT, "")
    return f"（{said}）" if said else ""


def _pairs(alerts: Iterable[Alert], cluster: Sequence[Owed]) -> Iterator[tuple[Alert, Owed]]:
    by_episode = {each.episode: each for each in cluster}
    return ((alert, by_episode[alert.episode]) for alert in alerts)


def _once(cluster: Iterable[Owed]) -> Iterable[Owed]:
    return {each.episode: each for each in cluster}.values()


def _covered(cluster: Iterable[Owed]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.episode for each in cluster))
