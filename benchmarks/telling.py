"""A county's life on the virtual clock through the gateway's own line: what was raised, who was texted, what was so.

Counts, never timings, so that a test may hold them; the simulator's truth is joined here and told to nobody.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from random import Random
from typing import Final

from alerts.calendars import DAY_MS, MINUTE_MS, Calendar
from alerts.model import Event, MessageKind, Owed, Severity
from alerts.notify.lists import FILL_RULES, LIST
from firmware_sim import county
from firmware_sim.scenario import Happening, Scenario
from firmware_sim.story import SLOTS, truth
from firmware_sim.traces import trace
from gateway import shipped, start
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, obey
from gateway.desk.projection import Projection
from gateway.imports import profiles
from gateway.pipeline import BUG, Pipeline
from gateway.replay import Memory
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink

ANSWERED_AFTER_MS: Final = 25 * MINUTE_MS
SOON_MS: Final = 2 * 60 * MINUTE_MS
"""A text about a bin that is emptied so soon was of no use."""


class NotSeen(Exception):  # noqa: N818 -- a finding, with what is missing
    """An episode stands and the desk does not show it, or an uplink hit a mistake of ours."""


@dataclass
class Lived:
    """A stretch of a county's life."""

    inventory: Inventory
    begins_ms: Millis
    days: float
    texts: list[Owed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    answered: int = 0
    """So many of the texts were answered, or need no answer."""

    def raised(self) -> list[Event]:
        """Every episode, as it was raised."""
        return [event for event in self.events if event.event == "raised"]


def inventory_of(story: Scenario) -> Inventory:
    """The scenario's county as a gateway has it."""
    found = parse(county.inventory_yaml(story), "county.yaml", profiles())
    if found.inventory is None:
        raise NotSeen(f"the simulated county is no county: {found.faults[0]}")
    return found.inventory


def uplinks_of(story: Scenario) -> Iterator[Uplink]:
    """What the broker brings, until the run ends."""
    for at_ms, topic, payload in trace(story):
        if at_ms < story.end_ms:
            yield Uplink(at_ms, topic, payload)


def live(story: Scenario, uplinks: Iterable[Uplink] | None = None, *, answered: float = 0.0) -> Lived:
    """The whole run, a minute at a time; the desk's projection is kept beside it and compared at each minute's end.

    ``answered``: this share of those who are told what to do answers 1 after 25 minutes. What they do is the
    simulator's truth anyway.
    """
    inventory = inventory_of(story)
    memory = Memory()
    pipeline = start.anew(inventory, shipped.policy_files(), memory, story.start_ms)
    pipeline.county.listen(story.start_ms, None, pipeline.changes, started=True)
    desk = Projection.of(inventory, pipeline.county.states, ())
    lived, draw = Lived(inventory, story.start_ms, story.hours / 24), Random(story.seed)
    for minute, batch in groupby(uplinks or uplinks_of(story), key=lambda uplink: uplink.received_ms // MINUTE_MS):
        for uplink in batch:
            pipeline.take(uplink)
        pipeline.advance((minute + 1) * MINUTE_MS - 1)
        if answered:
            _answer(pipeline, lived, (minute + 1) * MINUTE_MS - 1, lambda: draw.random() < answered)
        _commit(pipeline, memory, desk, lived)
    pipeline.advance(story.end_ms)
    _commit(pipeline, memory, desk, lived)
    return lived


def _answer(pipeline: Pipeline, lived: Lived, at_ms: Millis, answers: Callable[[], bool]) -> None:
    """Who was told 25 minutes ago, and not of a list or of something that is over, has seen it and may say so."""
    while lived.answered < len(lived.texts) and lived.texts[lived.answered].at_ms <= at_ms - ANSWERED_AFTER_MS:
        text = lived.texts[lived.answered]
        lived.answered += 1
        if text.rule != LIST and text.kind is not MessageKind.CLEARED and answers():
            for episode in text.covers or (text.episode,):
                order = EpisodeCommand(verb=EpisodeVerb.ACK, episode=episode, by=text.to, channel="sms")
                obey(order, pipeline.county, at_ms, pipeline.changes)


def _commit(pipeline: Pipeline, memory: Memory, desk: Projection, lived: Lived) -> None:
    entry, _ = pipeline.finish()
    mistakes = [row.detail for row in entry.quarantined if row.reason == BUG]
    if mistakes:
        raise NotSeen(mistakes[0])
    memory.keep(entry)
    lived.texts += entry.owed
    lived.events += entry.events
    desk.apply(entry)
    standing = {name for name, alert in pipeline.county.alerts.items() if not alert.closed_ms}
    if standing != desk.open.keys():
        raise NotSeen(f"not on the desk: {sorted(standing ^ desk.open.keys())[:3]}")


@dataclass(frozen=True)
class TellingCounts:
    """What a stretch of life came to."""

    per_day: tuple[int, ...]
    """Texts a day, lists and P1 among them."""
    lists_per_day: tuple[int, ...]
    by_role: dict[str, tuple[int, ...]]
    most_cleaner_day: int
    """The most texts that one cleaner or driver had on one day, P1 apart."""
    about_bins: int
    useless: int
    """Of those, texts all of whose bins their ordinary round empties within two hours."""
    useless_by: dict[str, int]
    """The same by rule and kind."""
    by_kind: dict[str, int]
    """Texts by rule, kind and role."""
    raised: dict[str, int]

    @property
    def useless_share(self) -> float:
        """Of the texts about bins."""
        return self.useless / self.about_bins if self.about_bins else 0.0


def count(story: Scenario, lived: Lived) -> TellingCounts:
    """The table's counts."""
    calendar = Calendar.of(lived.inventory.county)
    roles = {person.id: str(person.duties[0].role) for person in lived.inventory.people.values() if person.duties}
    days = range(max(1, round(lived.days)))
    first = calendar.midnight(lived.begins_ms)

    def day(owed: Owed) -> int:
        return (owed.at_ms - first) // DAY_MS

    told = [owed for owed in lived.texts if owed.rule != LIST]
    per_role: dict[str, Counter[int]] = defaultdict(Counter)
    hands: Counter[tuple[str, int]] = Counter()
    for owed in lived.texts:
        role = roles.get(owed.to, "?")
        per_role[role][day(owed)] += 1
        if role in {"cleaner", "collector"} and owed.severity != Severity.P1:
            hands[owed.to, day(owed)] += 1
    about = [owed for owed in told if bins_of(owed) and owed.kind is not MessageKind.CLEARED]
    rounds = _rounds(story)
    useless = [owed for owed in about if all(_soon(rounds, asset, owed.at_ms) for asset in bins_of(owed))]
    return TellingCounts(
        per_day=_each(days, Counter(map(day, lived.texts))),
        lists_per_day=_each(days, Counter(day(owed) for owed in lived.texts if owed.rule == LIST)),
        by_role={role: _each(days, found) for role, found in sorted(per_role.items())},
        most_cleaner_day=max(hands.values(), default=0),
        about_bins=len(about),
        useless=len(useless),
        useless_by=dict(
            Counter(f"{owed.rule} {owed.kind} {roles.get(owed.to, '?')}" for owed in useless).most_common()
        ),
        by_kind=dict(
            Counter(f"{owed.rule} {owed.kind} {roles.get(owed.to, '?')}" for owed in lived.texts).most_common()
        ),
        raised=dict(Counter(event.rule for event in lived.raised()).most_common()),
    )


def bins_of(owed: Owed) -> set[str]:
    """The bins whose level a text speaks of."""
    spoken = (episode.split("/") for episode in owed.covers or (owed.episode,) if episode.count("/") >= 2)
    return {asset for rule, asset, *_ in spoken if rule in FILL_RULES}


def _each(days: range, found: Counter[int]) -> tuple[int, ...]:
    return tuple(found[day] for day in days)


def _rounds(story: Scenario) -> dict[str, list[Millis]]:
    """When a truck on its ordinary round really emptied each bin."""
    found: dict[str, list[Millis]] = defaultdict(list)
    for fact in truth(story):
        if fact.kind is Happening.EMPTIED and _in_a_slot(fact.start_ms):
            found[fact.asset].append(fact.start_ms)
    return found


def _in_a_slot(at_ms: Millis) -> bool:
    in_day = (at_ms + 8 * 60 * MINUTE_MS) % DAY_MS
    return any(begins <= in_day < ends for begins, ends in SLOTS.values())


def _soon(rounds: Mapping[str, list[Millis]], asset: str, at_ms: Millis) -> bool:
    visits = rounds.get(asset, [])
    place = bisect_right(visits, at_ms)
    return place < len(visits) and visits[place] <= at_ms + SOON_MS
