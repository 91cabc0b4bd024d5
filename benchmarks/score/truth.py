"""The truth of a run as its file tells it (docs/score.md): visits, levels, run states, lies and faults of each asset.

Whoever wrote the file: a simulator, or a person who was there. Nothing here has heard what the platform said.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from telemetry.reading import Millis


class TruthFault(Exception):  # noqa: N818 -- a fault of the file, said in a sentence
    """A line that cannot be read; its text names the file, the line and the remedy."""


class _Line(Struct, frozen=True, tag_field="truth", kw_only=True):
    """One line; keys that it does not know are left unread."""


class WorldLine(_Line, frozen=True, tag="world", kw_only=True):
    """Which run it was, and from when to when."""

    scenario: str
    seed: int | str
    world: str = "plain"
    from_: datetime = msgspec.field(name="from")
    to: datetime


class SiteLine(_Line, frozen=True, tag="site", kw_only=True):
    """What really stands there: of a bin its floor in mm, of a plant its signals by name."""

    asset: str
    kind: str
    interval_s: float
    floor_mm: float = 0
    per_day_pct: float = 0
    signals: str = ""
    design_m3d: float = 0


class VisitLine(_Line, frozen=True, tag="visit", kw_only=True):
    """Somebody came, found so much and left so much, in % of the true height."""

    asset: str
    at: datetime
    found_pct: float
    left_pct: float


class MissedLine(_Line, frozen=True, tag="missed", kw_only=True):
    """Somebody should have come then and did not."""

    asset: str
    at: datetime


class LevelsLine(_Line, frozen=True, tag="levels", kw_only=True):
    """The true level, step by step, in % of the true height."""

    asset: str
    from_: datetime = msgspec.field(name="from")
    step_s: float
    fill_pct: list[float]


class CrossingsLine(_Line, frozen=True, tag="crossings", kw_only=True):
    """For each step, when each line would be crossed if nobody came from then on; ``None`` where not within 7 days."""

    asset: str
    from_: datetime = msgspec.field(name="from")
    step_s: float
    two_thirds_at: list[datetime | None]
    overflow_at: list[datetime | None]


class RunsLine(_Line, frozen=True, tag="runs", kw_only=True):
    """What a plant did, step by step: its state by name, the level of its well in mm, its flow in m³/h."""

    asset: str
    from_: datetime = msgspec.field(name="from")
    step_s: float
    state: list[str]
    level_mm: list[float]
    flow_m3h: list[float]


class LieLine(_Line, frozen=True, tag="lie", kw_only=True):
    """A sensor says what is not so; ``wrong_from`` is when it was first more than 8 points wrong."""

    asset: str
    device: str = ""
    lie: str
    from_: datetime = msgspec.field(name="from")
    to: datetime | None = None
    wrong_from: datetime | None = None


class FaultLine(_Line, frozen=True, tag="fault", kw_only=True):
    """Something is out of order, or hot, or silent."""

    asset: str
    device: str = ""
    fault: str
    from_: datetime = msgspec.field(name="from")
    to: datetime | None = None


_AnyLine: TypeAlias = (
    WorldLine | SiteLine | VisitLine | MissedLine | LevelsLine | CrossingsLine | RunsLine | LieLine | FaultLine
)
_LINE: Final = msgspec.json.Decoder(_AnyLine)
NEVER: Final[Millis] = 1 << 60
"""The end of what does not end within a run."""


@dataclass(frozen=True, slots=True)
class Visit:
    """As the line, in milliseconds."""

    at_ms: Millis
    found_pct: float
    left_pct: float


@dataclass(frozen=True, slots=True)
class Span:
    """A lie or a fault, by its name."""

    name: str
    asset: str
    device: str
    from_ms: Millis
    to_ms: Millis
    wrong_ms: Millis | None = None
    """Of a lie: since when it is more than 8 points wrong."""


class Curve:
    """A value over time, as steps: each holds until the next."""

    __slots__ = ("at_ms", "values")

    def __init__(self, points: Iterable[tuple[Millis, float]]) -> None:
        ordered = sorted(points, key=lambda point: point[0])
        self.at_ms = [at_ms for at_ms, _ in ordered]
        self.values = [value for _, value in ordered]

    def at(self, ms: Millis) -> float:
        """The value then; before the first point that one's, and 0 of a curve without any."""
        place = bisect_right(self.at_ms, ms) - 1
        return self.values[max(place, 0)] if self.values else 0.0

    def within(self, from_ms: Millis, to_ms: Millis) -> list[float]:
        """Every value that held at some time of [from, to]."""
        first, last = bisect_right(self.at_ms, from_ms), bisect_right(self.at_ms, to_ms)
        return [self.at(from_ms), *self.values[first:last]]

    def first_at_least(self, value: float, from_ms: Millis, to_ms: Millis) -> Millis | None:
        """When it first is so high in [from, to], or nothing."""
        if self.values and self.at(from_ms) >= value:
            return from_ms
        for place in range(bisect_right(self.at_ms, from_ms), bisect_right(self.at_ms, to_ms)):
            if self.values[place] >= value:
                return self.at_ms[place]
        return None


@dataclass(slots=True)
class Crossings:
    """When lines would be crossed, by the instant from which on nobody comes."""

    at_ms: list[Millis] = field(default_factory=list)
    two_thirds_ms: list[Millis | None] = field(default_factory=list)

    def two_thirds(self, ms: Millis) -> Millis | None:
        """The crossing of two thirds had nobody come from the last step before ``ms`` on."""
        place = bisect_right(self.at_ms, ms) - 1
        return self.two_thirds_ms[place] if place >= 0 else None


@dataclass(slots=True)
class Runs:
    """What a plant really did."""

    states: list[tuple[Millis, Millis, str]] = field(default_factory=list)
    """From, to, and the state by its name, in time order."""
    level_mm: Curve = field(default_factory=lambda: Curve(()))

    def running_since(self, from_ms: Millis, for_ms: Millis) -> Millis | None:
        """When it has run for so long in all since then, or nothing."""
        left = for_ms
        for begins, ends, state in self.states:
            if state != "running" or ends <= from_ms:
                continue
            ran = ends - max(begins, from_ms)
            if ran >= left:
                return max(begins, from_ms) + left
            left -= ran
        return None


@dataclass(slots=True)
class Truth:
    """All of it, each asset's in time order."""

    world: WorldLine
    begins_ms: Millis
    ends_ms: Millis
    sites: dict[str, SiteLine] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    missed: dict[str, list[Millis]] = field(default_factory=lambda: defaultdict(list))
    levels: dict[str, Curve] = field(default_factory=dict)
    crossings: dict[str, Crossings] = field(default_factory=lambda: defaultdict(Crossings))
    runs: dict[str, Runs] = field(default_factory=lambda: defaultdict(Runs))
    lies: list[Span] = field(default_factory=list)
    faults: list[Span] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[SiteLine]:
        """The bins, or the plants."""
        return [site for site in self.sites.values() if site.kind == kind]


def millis(at: datetime) -> Millis:
    """The instant, in whole milliseconds."""
    return round(at.timestamp() * 1000)


def read(lines: Iterable[bytes], name: str) -> Truth:
    """The truth of a file. Raises ``TruthFault`` at the first line that is none, or where no world is named."""
    decoded = [_decode(line, f"{name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    worlds = [line for line in decoded if isinstance(line, WorldLine)]
    if len(worlds) != 1:
        raise TruthFault(f'{name}: has {len(worlds)} lines {{"truth":"world",…}}; it needs exactly one')
    world = worlds[0]
    truth = Truth(world, millis(world.from_), millis(world.to))
    points: dict[str, list[tuple[Millis, float]]] = defaultdict(list)
    wells: dict[str, list[tuple[Millis, float]]] = defaultdict(list)
    for line in decoded:
        _place(line, truth, points, wells)
    for asset, visits in truth.visits.items():
        visits.sort(key=lambda visit: visit.at_ms)
        points[asset] += _around(visits)
    truth.levels = {asset: Curve(found) for asset, found in points.items()}
    for plant, found in wells.items():
        truth.runs[plant].level_mm = Curve(found)
        truth.runs[plant].states.sort()
    return truth


def _around(visits: list[Visit]) -> Iterable[tuple[Millis, float]]:
    """A visit changes the level between two steps of its curve."""
    for visit in visits:
        yield visit.at_ms - 1, visit.found_pct
        yield visit.at_ms, visit.left_pct


def _decode(raw: bytes, place: str) -> _AnyLine:
    try:
        line: _AnyLine = _LINE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TruthFault(f"{place}: not a line of truth ({error}); docs/score.md says what one looks like") from error
    for name in ("from_", "at", "to", "wrong_from"):
        moment = getattr(line, name, None)
        if moment is not None and moment.tzinfo is None:
            raise TruthFault(f"{place}: {name.strip('_')} has no time zone; write it in UTC with a Z at its end")
    return line


def _place(
    line: _AnyLine,
    truth: Truth,
    points: dict[str, list[tuple[Millis, float]]],
    wells: dict[str, list[tuple[Millis, float]]],
) -> None:
    """One line to where it belongs."""
    match line:
        case SiteLine():
            truth.sites[line.asset] = line
        case VisitLine():
            truth.visits[line.asset].append(Visit(millis(line.at), line.found_pct, line.left_pct))
        case MissedLine():
            truth.missed[line.asset].append(millis(line.at))
        case LevelsLine():
            points[line.asset] += _steps(line, line.fill_pct)
        case CrossingsLine():
            _add_crossings(truth.crossings[line.asset], line)
        case RunsLine():
            wells[line.asset] += _steps(line, line.level_mm)
            truth.runs[line.asset].states += [
                (at_ms, at_ms + round(line.step_s * 1000), str(state).lower())
                for at_ms, state in _steps(line, line.state)
            ]
        case LieLine():
            wrong = line.wrong_from
            truth.lies.append(_span(line, line.lie, None if wrong is None else millis(wrong)))
        case FaultLine():
            truth.faults.append(_span(line, line.fault, None))


def _steps(line: LevelsLine | RunsLine | CrossingsLine, values: list[Any]) -> list[tuple[Millis, Any]]:
    begins, step = millis(line.from_), round(line.step_s * 1000)
    return [(begins + number * step, value) for number, value in enumerate(values)]


def _add_crossings(crossings: Crossings, line: CrossingsLine) -> None:
    begins = _steps(line, line.two_thirds_at)
    place = bisect_left(crossings.at_ms, begins[0][0]) if begins else 0
    crossings.at_ms[place:place] = [at_ms for at_ms, _ in begins]
    crossings.two_thirds_ms[place:place] = [None if crossed is None else millis(crossed) for _, crossed in begins]


def _span(line: LieLine | FaultLine, name: str, wrong_ms: Millis | None) -> Span:
    ends = NEVER if line.to is None else millis(line.to)
    return Span(name, line.asset, line.device, millis(line.from_), ends, wrong_ms)
