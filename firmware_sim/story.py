"""What happens to each site: the truck's visits, what is ordered or goes wrong, the reboots a device has of itself.

The plan is made before anything is measured and holds what the gateway is never told; ``truth`` lists it for a scorer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple

from firmware_sim.fleet import AnySite, BinSite, Fleet, feeder_id, fleet, gateway_id
from firmware_sim.mishaps import happenings
from firmware_sim.scenario import (
    DAY_MS,
    HOUR_MS,
    LOCAL_OFFSET_MS,
    MANNERS,
    PLANT_FAULTS,
    Happening,
    Scenario,
    ScenarioError,
    ScriptedEvent,
)
from telemetry.reading import Millis

MINUTE_MS: Final = 60_000
FOREVER: Final[Millis] = 1 << 60
"""The end of what does not end within a run."""

SLOTS: Final[Mapping[str, tuple[Millis, Millis]]] = MappingProxyType(
    {"am": (7 * HOUR_MS, 11 * HOUR_MS), "pm": (14 * HOUR_MS + 30 * MINUTE_MS, 16 * HOUR_MS + 30 * MINUTE_MS)}
)
"""When a round's truck is out, in milliseconds of the local day."""

BEFORE_SLOT_END_MS: Final = 15 * MINUTE_MS
"""A driver is through a little before the slot ends."""

ON_DEMAND_PCT: Final = 78.0
"""How full a pool without rounds is, in the median, when somebody comes (Edinburgh, 10,000 collections: 81)."""

PARTLY_GOES: Final = (40.0, 65.0)
"""What share of the content, in %, a half-hearted visit takes."""

_BIN_EVENTS: Final = frozenset(
    {
        Happening.EMPTIED,
        Happening.PARTLY_EMPTIED,
        Happening.MISSED_ROUND,
        Happening.FAST_FILL,
        Happening.HOT_ASH,
        Happening.FIRE,
        Happening.TILTED,
        Happening.BATTERY_LOW,
        Happening.STUCK,
    }
)
_PLANT_EVENTS: Final = frozenset(PLANT_FAULTS)
_VISITS: Final = frozenset({Happening.EMPTIED, Happening.PARTLY_EMPTIED, Happening.MISSED_ROUND})


class Truth(NamedTuple):
    """What really was: its kind, the asset (or radio gateway) and device it concerns, and when.

    ``end_ms`` is ``None`` for what went on when the run ended; what takes no time ends when it starts.
    """

    start_ms: Millis
    kind: Happening
    asset: str
    device: str
    end_ms: Millis | None


class Span(NamedTuple):
    """One stretch of something: from ``start_ms`` up to, not including, ``end_ms``; ``size`` as its kind means it."""

    start_ms: Millis
    end_ms: Millis
    size: float


class TruckVisit(NamedTuple):
    """The truck stands at a site at ``at_ms`` and takes ``takes_pct`` of its content; 0 where it should have come."""

    at_ms: Millis
    kind: Happening
    takes_pct: float


@dataclass(frozen=True, slots=True)
class Story:
    """All that happens at one site: visits in time order, and spans by kind, each in time order."""

    visits: tuple[TruckVisit, ...] = ()
    spans: Mapping[Happening, tuple[Span, ...]] = field(default_factory=dict)

    def of(self, kind: Happening) -> tuple[Span, ...]:
        """The spans of one kind; most sites have none."""
        return self.spans.get(kind, ())


def stories(scenario: Scenario) -> Iterator[tuple[AnySite, Story]]:
    """Each site of the county with what happens to it.

    Raises ``ScenarioError`` for an event whose target is not there, or to which its kind cannot happen.
    """
    stands = fleet(scenario)
    ordered = _by_site(scenario, stands)
    for site in stands.sites:
        rng = Random(f"{scenario.seed}/{site.device}/story")
        events = ordered.get(site.device, [])
        spans: dict[Happening, list[Span]] = {}
        for event in events:
            if event.kind not in _VISITS:
                for kind, span in _spans(scenario, event):
                    spans.setdefault(kind, []).append(span)
        visits = tuple(sorted(_visits(scenario, site, events, rng))) if isinstance(site, BinSite) else ()
        spans.setdefault(Happening.REBOOT, []).extend(_reboots(scenario, rng))
        yield site, Story(visits, {kind: tuple(sorted(found)) for kind, found in spans.items() if found})


def truth(scenario: Scenario) -> tuple[Truth, ...]:
    """Everything that really happens in the run, in time order. It is for scorers and never reaches an uplink."""
    sites = chain.from_iterable(_truths(site, story, scenario.end_ms) for site, story in stories(scenario))
    return tuple(sorted((*sites, *_outages(scenario)), key=lambda found: found[:4]))


def _truths(site: AnySite, story: Story, end_ms: Millis) -> Iterator[Truth]:
    for visit in story.visits:
        yield Truth(visit.at_ms, visit.kind, site.asset, site.device, visit.at_ms)
    for kind, spans in story.spans.items():
        if kind is not Happening.GATEWAY_OUTAGE:
            for span in spans:
                if span.start_ms < end_ms:
                    yield _true(span, kind, site.asset, site.device, end_ms)


def _outages(scenario: Scenario) -> Iterator[Truth]:
    """A radio gateway's outage is one fact, however many devices are behind it."""
    for event in happenings(scenario):
        if event.kind is Happening.GATEWAY_OUTAGE:
            yield _true(_span(scenario, event), event.kind, event.target, "", scenario.end_ms)


def _true(span: Span, kind: Happening, asset: str, device: str, end_ms: Millis) -> Truth:
    return Truth(span.start_ms, kind, asset, device, span.end_ms if span.end_ms <= end_ms else None)


def _span(scenario: Scenario, event: ScriptedEvent) -> Span:
    manner = MANNERS[event.kind]
    hours = manner.hours if event.hours is None else event.hours
    size = manner.size if event.size is None else event.size
    start_ms = scenario.instant(event.at)
    return Span(start_ms, FOREVER if hours is None else start_ms + round(hours * HOUR_MS), size)


def _spans(scenario: Scenario, event: ScriptedEvent) -> Iterator[tuple[Happening, Span]]:
    """An event's span; a pump that does not come back after a power cut is the cut and then the pump."""
    span = _span(scenario, event)
    if event.kind is Happening.NOT_RESTARTED:
        back_ms = min(span.start_ms + round(span.size * HOUR_MS), span.end_ms)
        yield Happening.POWER_CUT, Span(span.start_ms, back_ms, 0)
        span = span._replace(start_ms=back_ms)
    yield event.kind, span


def _by_site(scenario: Scenario, stands: Fleet) -> dict[str, list[ScriptedEvent]]:
    """What is ordered or goes wrong, under each device it touches: its own, its radio gateway's, its feeder's."""
    groups: dict[str, list[AnySite]] = {site.device: [site] for site in stands.sites}
    groups |= {gateway_id(grid): [] for grid in stands.grids}
    groups |= {feeder_id(number): [] for number in range(len(stands.towns) * stands.feeders)}
    for site in stands.bins:
        groups[site.radio_gateway].append(site)
    for plant in stands.plants:
        groups[plant.feeder].append(plant)
    gateways = {gateway_id(grid) for grid in stands.grids}
    found: dict[str, list[ScriptedEvent]] = {}
    for i, event in enumerate(happenings(scenario)):
        if event.target not in groups:
            raise ScenarioError(f"events.{i}.target: there is no {event.target} in this fleet")
        if (event.target in gateways) is not (event.kind is Happening.GATEWAY_OUTAGE):
            raise ScenarioError(f"events.{i}: {event.kind} cannot happen to {event.target}")
        for touched in groups[event.target]:
            if event.kind in (_PLANT_EVENTS if isinstance(touched, BinSite) else _BIN_EVENTS):
                raise ScenarioError(f"events.{i}: {event.kind} cannot happen to {event.target}")
            found.setdefault(touched.device, []).append(event)
    return found


def _reboots(scenario: Scenario, rng: Random) -> Iterator[Span]:
    if scenario.radio.reboots_per_month == 0:
        return
    mean_ms = 30 * DAY_MS / scenario.radio.reboots_per_month
    at = scenario.start_ms
    while (at := at + round(rng.expovariate(1) * mean_ms)) < scenario.end_ms:
        yield Span(at, at, 0)


def _visits(scenario: Scenario, site: BinSite, events: list[ScriptedEvent], rng: Random) -> Iterator[TruckVisit]:
    """Rounds or visits on demand, less those a scenario takes away, and those it orders."""
    missed = [scenario.instant(event.at) for event in events if event.kind is Happening.MISSED_ROUND]
    yield from _rounds(scenario, site.rounds, missed, rng) if site.rounds else _on_demand(scenario, site, rng)
    for event in events:
        if event.kind in _VISITS - {Happening.MISSED_ROUND}:
            takes = 97.0 if event.kind is Happening.EMPTIED else _span(scenario, event).size
            yield TruckVisit(scenario.instant(event.at), event.kind, takes)


def _rounds(scenario: Scenario, names: tuple[str, ...], missed: list[Millis], rng: Random) -> Iterator[TruckVisit]:
    midnight = (scenario.start_ms + LOCAL_OFFSET_MS) // DAY_MS * DAY_MS - LOCAL_OFFSET_MS
    waiting = sorted(missed)
    while midnight < scenario.end_ms:
        for name in names:
            begins, ends = SLOTS[name]
            earliest = max(midnight + begins, scenario.start_ms)  # a run that starts within a slot still sees all of it
            latest = midnight + ends - BEFORE_SLOT_END_MS
            luck, at, share, thorough = rng.random(), rng.random(), rng.uniform(*PARTLY_GOES), rng.uniform(94, 100)
            if earliest >= latest:
                continue
            kind = _outcome(scenario, luck)
            if waiting and waiting[0] < midnight + ends:
                waiting.pop(0)
                kind = Happening.MISSED_ROUND
            at_ms = earliest + round((latest - earliest) * at)
            takes = {Happening.EMPTIED: thorough, Happening.PARTLY_EMPTIED: share, Happening.MISSED_ROUND: 0.0}
            if at_ms < scenario.end_ms:
                yield TruckVisit(at_ms, kind, takes[kind])
        midnight += DAY_MS


def _outcome(scenario: Scenario, luck: float) -> Happening:
    if luck < scenario.rounds.skipped:
        return Happening.MISSED_ROUND
    if luck < scenario.rounds.skipped + scenario.rounds.partial:
        return Happening.PARTLY_EMPTIED
    return Happening.EMPTIED


def _on_demand(scenario: Scenario, site: BinSite, rng: Random) -> Iterator[TruckVisit]:
    """Between 07:00 and 17:00, when whoever empties the pool expects it to be full enough."""
    days = (ON_DEMAND_PCT - site.fill_pct) / site.per_day_pct
    while True:
        local = scenario.start_ms + LOCAL_OFFSET_MS + round(max(0.4, days) * DAY_MS)
        midnight, in_day = local - local % DAY_MS, local % DAY_MS
        at_ms = midnight - LOCAL_OFFSET_MS + 7 * HOUR_MS + in_day * 10 // 24
        if at_ms >= scenario.end_ms:
            return
        yield TruckVisit(at_ms, Happening.EMPTIED, rng.uniform(94, 100))
        days = max(0.4, days) + max(0.6, ON_DEMAND_PCT / site.per_day_pct * rng.lognormvariate(0, 0.2))
