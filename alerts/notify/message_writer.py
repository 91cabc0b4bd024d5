"""What is written of an episode: messages owed in the catalogue's words, and with which word it closes.

The facts are evidence and times turned into the catalogue's words; that somebody emptied a bin is said only where that
was seen. Whether and when anything is written is ``escalation``'s.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from alerts.alert import Alert
from alerts.answers import Asked
from alerts.calendars import HOUR_MS, MINUTE_MS, Calendar
from alerts.conditions import plants
from alerts.conditions.bins import BinMemory, emptied_ms
from alerts.conditions.plants import NO_LOAD_SHARE, PlantMemory
from alerts.conditions.state import Memory
from alerts.model import MessageKind, Owed
from alerts.notify import texts
from alerts.notify.schedule import soon
from alerts.notify.texts import CODE, DOUBT, Texts, Wording
from alerts.policy import Policy, StepPolicy
from alerts.rules import burns_over, explains, symptom
from alerts.rules.stopped import METER_FAULT
from alerts.topology import CONTINUES
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

HOUSE: Final = "值班电脑"
"""Where it is when the house speaks of itself."""
HOLDS: Final = "是"
"""A fact that is no word of a text, but that makes a part of it true."""
LESS: Final = "不到1"
"""As many hours as a chain counts that was hurried because nobody could be told before."""
OF_HOUSE: Final = ("person", "count", "hours", "jump")
"""Facts that whoever raised such a notice has written down."""


EMPTIED: Final = "emptied"
RAISED_AGAIN: Final = "raised_again"
PARAMETERS_CHANGED: Final = "figures_changed"
INHIBITED: Final = "inhibited"
RETIRED: Final = "retired"
"""Text C23: what it is about is there no more."""
UNWATCHED: Final = "unwatched"
"""What it is about is there, but no rule or sensor watches it any more: nobody knows how it stands."""


class Closing(NamedTuple):
    """Which text closes an episode, and the episode that goes on after it; else why there is nothing to say."""

    text: str
    goes_on: str = ""
    unsaid: str = ""
    by_emptying: bool = False
    """Whether an emptying ended it: who empties the bin need not hear so."""


def is_emptied(alert: Alert, memory: Memory | None) -> bool:
    """Whether the bin was seen to be emptied, at its end or since it began."""
    return alert.ended == EMPTIED or emptied_ms(memory) >= alert.since_ms > 0


def choose(
    alert: Alert, policy: Policy, memory: Memory | None, line_pct: float | None, others: Iterable[Alert]
) -> Closing:
    """What to say of an episode that is over while these ``others`` stand on its asset; levels in percent."""
    if alert.ended in (RETIRED, UNWATCHED):
        return Closing(alert.ended)
    standing = {other.rule: other for other in others}
    if alert.rule in standing:
        return Closing("", unsaid=RAISED_AGAIN)
    if any(burns_over(rule, alert.rule) for rule in standing):
        return Closing("", unsaid=INHIBITED)
    by_level = isinstance(memory, BinMemory) and not CONTINUES.isdisjoint(explains().get(alert.rule, ()))
    if by_level and is_emptied(alert, memory):
        return Closing(policy.cleared_text, by_emptying=True)
    if alert.ended == PARAMETERS_CHANGED:
        return Closing("", unsaid=PARAMETERS_CHANGED)
    if not isinstance(memory, BinMemory) or not by_level:
        is_refuted = alert.ended == METER_FAULT and policy.refuted_text
        return Closing(policy.refuted_text if is_refuted else policy.cleared_text)
    goes_on = next((standing[rule].episode for rule in sorted(CONTINUES) if rule in standing), "")
    if goes_on or line_pct is None or memory.fill_pct > line_pct:
        return Closing(policy.receded_text, goes_on)
    return Closing(policy.below_text)


@dataclass(frozen=True, slots=True)
class Witness:
    """Where facts come from."""

    inventory: Inventory
    calendar: Calendar
    lines_pct: Mapping[str, float]
    """The line of each bin, as it is drawn now."""
    storm_window_ms: Millis
    """How often at most a storm is told of."""

    def facts(self, alert: Alert, memory: Memory | None, at_ms: Millis, deadline_ms: Millis) -> dict[str, str]:
        """Every fact of a case at the instant a text about it leaves; a fact that is not known is empty."""
        calendar = self.calendar
        since = alert.lasting_ms
        passed = max(0, at_ms - since)
        told = "、".join(self.inventory.people[person].name for person in alert.told if person in self.inventory.people)
        return {
            **self._of_asset(alert, memory),
            "day": texts.day(calendar, at_ms),
            "time": texts.clock(calendar, at_ms),
            "since_day": texts.day(calendar, since),
            "since_time": texts.clock(calendar, since),
            "cooled": "",
            **self._of_cooled(alert, memory, at_ms),
            "hours": str(passed // HOUR_MS) if passed >= HOUR_MS else LESS,
            "minutes": _counted((at_ms - max(alert.raised_ms, alert.again_ms, alert.lapsed_ms)) // MINUTE_MS),
            "deadline": texts.deadline(calendar, deadline_ms),
            "deadline_time": texts.deadline_time(calendar, deadline_ms, since),
            "deadline_part": texts.deadline_part(calendar, deadline_ms),
            "told": told,
            "symptom": symptom(alert.rule),
            "village": "、".join(self._of_the_village(alert)),
            "missed": texts.counted(alert.missed) if alert.missed > 1 else "",
            "sound": HOLDS if set(alert.beside) <= {"offline"} else "",
            "window": texts.span(self.storm_window_ms),
            "office_phone": self.inventory.county.office_phone or "",
            **self._of_house(alert, at_ms),
        }

    def _of_cooled(self, alert: Alert, memory: Memory | None, at_ms: Millis) -> dict[str, str]:
        """What a fire was that has cooled and that nobody has looked at: its warmth of now alone would be no alarm."""
        if not alert.latched or not isinstance(memory, BinMemory) or memory.temperature_c is None:
            return {}
        began, now = (texts.day(self.calendar, each_ms) for each_ms in (alert.again_ms or alert.since_ms, at_ms))
        was_c = alert.detail.get("temperature_c")
        then = f"曾到{round(was_c)}度" if isinstance(was_c, float) and was_c > memory.temperature_c else "曾报火"
        return {"heat": f"{began if began != now else ''}{then}", "cooled": f"现在{round(memory.temperature_c)}度"}

    def _of_the_village(self, alert: Alert) -> Iterator[str]:
        """Who of those told speaks for the village that it is in."""
        asset = self.inventory.assets.get(alert.asset)
        areas = frozenset(() if asset is None else asset.areas)
        for person in (self.inventory.people[each] for each in alert.told if each in self.inventory.people):
            if any(duty.role is Role.VILLAGE_HEAD and duty.area in areas for duty in person.duties):
                yield person.name

    def _of_house(self, alert: Alert, at_ms: Millis) -> dict[str, str]:
        """What a notice of the house about itself says: for how long, and of whom."""
        if alert.asset != self.inventory.county.id:
            return {}
        said = {name: str(alert.detail.get(name) or "") for name in OF_HOUSE}
        return said | {"minutes": str((at_ms - alert.lasting_ms) // MINUTE_MS)}

    def _of_asset(self, alert: Alert, memory: Memory | None) -> dict[str, str]:
        asset = self.inventory.known_asset(alert.asset)
        if asset is None:
            gateway, area = self.inventory.radio_gateways.get(alert.asset), self.inventory.areas.get(alert.asset)
            name = "" if gateway is None else gateway.name.removesuffix("网关")
            where = {"gateway": name, "area": "" if area is None else area.name}
            return {**self.names(alert.asset), **where, "devices": str(alert.detail.get("stale", ""))}
        return {
            **self.names(alert.asset),
            **(self._of_bin(asset, memory) if isinstance(memory, BinMemory) else {}),
            **(self._of_plant(asset, alert, memory) if asset.plant is not None else {}),
        }

    def _of_plant(self, asset: Asset, alert: Alert, memory: Memory | None) -> dict[str, str]:
        """What is seen of it now, and what was measured when the episode was raised."""
        amps, share = (alert.detail.get(name) for name in ("pump_current_a", "share"))
        rated = None if asset.plant is None else asset.plant.rated_current_a
        return {
            "signs": "，".join(_signs(asset, memory)),
            "blind": _blind(memory),
            "works": HOLDS if _is_driven(memory) and set(alert.beside) <= {"offline"} else "",
            "amps": f"{amps:.1f}" if isinstance(amps, float) else "",
            "rated": "" if rated is None else f"{rated:.1f}".removesuffix(".0"),
            "share": texts.share(share) if isinstance(share, float) else "",
        }

    def names(self, name: str) -> dict[str, str]:
        """What people call an asset; a radio gateway, an area or the house is spoken of as of any other place."""
        asset = self.inventory.known_asset(name)
        if asset is not None:
            return texts.names(asset)
        known = self.inventory.radio_gateways.get(name) or self.inventory.areas.get(name)
        short = HOUSE if known is None else known.name
        return {"place": short, "short": short, "container": ""}

    def _of_bin(self, asset: Asset, memory: BinMemory) -> dict[str, str]:
        warmth = "" if memory.temperature_c is None else str(round(memory.temperature_c))
        line_pct = self.lines_pct.get(asset.id)
        line = texts.LINE if line_pct is None or memory.fill_pct <= line_pct else texts.line(line_pct)
        is_above = line_pct is not None and memory.fill_pct > line_pct
        return {
            "scored": HOLDS if asset.bin is not None and asset.bin.counts_for_score else "",
            "level": texts.tenths(memory.fill_pct) if memory.fill_pct >= 0 else "",
            "line": line,
            "crossed": f"过{line}" if is_above else "",
            "temperature": warmth,
            "heat": f"{warmth}度" if warmth else "着火",
        }


def _counted(number: int) -> str:
    """Nothing where there is nothing to count."""
    return str(number) if number > 0 else ""


def _blind(memory: Memory | None) -> str:
    """Whether neither a pump nor a level has ever said anything."""
    return HOLDS if isinstance(memory, PlantMemory) and not memory.sensed else ""


def _is_driven(memory: Memory | None) -> bool:
    """Whether a pump has ever been heard of, so that nothing wrong beside it means that it is well."""
    return isinstance(memory, PlantMemory) and memory.drive_ms > 0


def _signs(asset: Asset, memory: Memory | None) -> list[str]:
    """有电，提升泵没电流，水位高: what is seen now, in the order a crew would ask."""
    design = asset.plant
    if design is None or not isinstance(memory, PlantMemory):
        return []
    said: list[str] = []
    if memory.mains_on:
        said.append("有电")
    if memory.pump_current_a is not None and design.rated_current_a is not None:
        idle = memory.pump_current_a < NO_LOAD_SHARE * design.rated_current_a
        said.append("提升泵没电流" if idle else "提升泵有电流但不出水")
    elif memory.pump_on is False:
        said.append("提升泵没转")
    if memory.float_high or plants.is_high(design, memory.level_mm):
        said.append("水位高")
    return said


RESTART: Final = 100
"""A chain that begins anew (T14, a fire that flares up again) numbers its messages from the next hundred."""


def next_chain(alert: Alert) -> int:
    """The first number of a chain that begins anew."""
    return (alert.repeat // RESTART + 1) * RESTART


@dataclass(frozen=True, slots=True)
class MessageWriter:
    """The writer of one county."""

    inventory: Inventory
    witness: Witness
    texts: Texts

    def step_text(
        self, alert: Alert, step: StepPolicy, memory: Memory | None, at_ms: Millis, deadline_ms: Millis, to: str
    ) -> Wording:
        """What a step says to somebody: of what flared up again that it did, and what others answered to it."""
        name = step.text
        by_evidence = f"{name}_{alert.detail.get('by')}"
        if by_evidence in self.texts:
            name = by_evidence
        if alert.again_ms and f"{name}_again" in self.texts:
            name = f"{name}_again"
        if self.texts.hurries(name):
            deadline_ms = soon(self.witness.calendar, at_ms, deadline_ms)
        facts = self.witness.facts(alert, memory, at_ms, deadline_ms)
        return self.texts.word(name, facts | {DOUBT: contradiction(alert, to, self.inventory)})

    def text(self, alert: Alert, name: str, memory: Memory | None, at_ms: Millis, deadline_ms: Millis) -> Wording:
        """A text of the catalogue about an episode."""
        return self.texts.word(name, self.witness.facts(alert, memory, at_ms, deadline_ms))

    def repeated(
        self, asked: Asked, alert: Alert, memory: Memory | None, at_ms: Millis, deadline_ms: Millis, to: str
    ) -> Wording:
        """The words that somebody else got, for who goes instead: as it is now, with what others answered to it."""
        if self.texts.hurries(asked.template):
            deadline_ms = soon(self.witness.calendar, at_ms, deadline_ms)
        said = {name: fact for name, fact in asked.variables.items() if name not in (CODE, DOUBT)}
        now = {name: fact for name, fact in self.witness.facts(alert, memory, at_ms, deadline_ms).items() if fact}
        doubt = {DOUBT: contradiction(alert, to, self.inventory)}
        return self.texts.word(asked.template, {name: now.get(name, said[name]) for name in said} | doubt)

    def owed(self, alert: Alert, step: int, person: str, kind: MessageKind, said: Wording, at_ms: Millis) -> Owed:
        """One message to one person."""
        return Owed(
            at_ms=at_ms,
            rule=alert.rule,
            asset=alert.asset,
            episode=alert.episode,
            severity=alert.severity,
            kind=kind,
            step=step,
            repeat=_number(alert, kind),
            to=person,
            phone=self.inventory.phone_of[person],
            channel="sms",
            text=said.text,
            template=said.template,
            variables=said.variables,
        )


def contradiction(alert: Alert, to: str, inventory: Inventory) -> str:
    """李大姐说没满: what somebody else answered to it last; empty if nobody says otherwise."""
    others = (each for each in reversed(alert.doubts) if each.person != to and each.person in inventory.people)
    return next((f"{inventory.people[each.person].name}说{each.said}" for each in others), "")


def _number(alert: Alert, kind: MessageKind) -> int:
    """What tells a message from its like of the same step: repeats count, chains count in hundreds, the end is once."""
    if kind is MessageKind.CLEARED:
        return 0
    return alert.repeat if kind is MessageKind.REPEAT else alert.repeat - alert.repeat % RESTART
