"""How an asset looks at a glance, worst first; and charts as SVG, so that a phone has nothing to compute. Pure.

Silence is shown before all else, since nothing else is known then; and a level is never taken for empty (law L5). Only
numbers and marks; every word in them comes from the template.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.desk.projection import Projection
from telemetry.inventory import Asset
from telemetry.reading import Millis

BIN_LOOKS = ("fire", "hot", "full", "over")
_BY_RULE = {"fire": "fire", "hot_ash": "hot", "overflow": "full", "over_two_thirds": "over"}
_SHAPES = {"over": "triangle", "full": "square", "fire": "diamond", "hot": "diamond", "silent": "question"}
_WORST_FIRST = ("fire", "hot", "full", "stopped", "no_power", "over", "meter_fault", "silent", "maintenance")


def look(projection: Projection, asset: Asset) -> str:
    """The name of its look, as the catalogue has it under ``looks``."""
    rules = {alert.rule for alert in projection.of_asset.get(asset.id, {}).values()}
    if "fire" in rules:
        return "fire"
    if "offline" in rules:
        return "silent"
    seen = projection.assets[asset.id]
    if asset.plant is not None:
        return "silent" if seen.run == "offline" else "unheard" if seen.run == "unknown" else seen.run
    found = {_BY_RULE[rule] for rule in rules if rule in _BY_RULE}
    worst = next((name for name in BIN_LOOKS if name in found), None)
    return worst or ("fine" if seen.level_pct is not None else "unheard")


def shape(name: str, asset: Asset) -> str:
    """What a look is drawn as on a map, for those who do not see its colour; a plant is always a square with waves."""
    return "waves" if asset.plant is not None else "point" if name == "unheard" else _SHAPES.get(name, "round")


def rank(name: str) -> int:
    """Where a look stands among all of them, the worst first."""
    return _WORST_FIRST.index(name) if name in _WORST_FIRST else len(_WORST_FIRST)


Point = tuple[Millis, float | None]
"""An instant and a value; ``None`` breaks the line, because nothing was heard."""


@dataclass(frozen=True, slots=True)
class PlotArea:
    """A rectangle in which time runs to the right and values rise."""

    width: float
    height: float
    from_ms: Millis
    to_ms: Millis
    low: float = 0.0
    high: float = 100.0

    def x(self, at_ms: Millis) -> float:
        """Where an instant is."""
        return round((at_ms - self.from_ms) / max(1, self.to_ms - self.from_ms) * self.width, 1)

    def y(self, value: float) -> float:
        """Where a value is; what is beyond the frame lies on its edge."""
        share = (value - self.low) / (self.high - self.low or 1.0)
        return round((1.0 - min(max(share, 0.0), 1.0)) * self.height, 1)


def path(frame: PlotArea, points: Iterable[Point]) -> str:
    """The line through the points as an SVG path, with a gap where a value is missing."""
    said, drawing = [], False
    for at_ms, value in points:
        if value is None:
            drawing = False
            continue
        said.append(f"{'L' if drawing else 'M'}{frame.x(at_ms)} {frame.y(value)}")
        drawing = True
    return "".join(said)


def area(frame: PlotArea, points: Sequence[Point]) -> str:
    """What lies under the line, each unbroken stretch for itself."""
    said, run = [], []
    for point in (*points, (0, None)):
        if point[1] is not None:
            run.append((frame.x(point[0]), frame.y(point[1])))
            continue
        if len(run) > 1:
            line = "L".join(f"{x} {y}" for x, y in run)
            said.append(f"M{run[0][0]} {frame.height}L{line}L{run[-1][0]} {frame.height}Z")
        run = []
    return "".join(said)


SPARK: Final = (120.0, 28.0)


@dataclass(frozen=True, slots=True)
class Spark:
    """A small trend: its line, where the line of two thirds lies, and its last point."""

    path: str
    line_y: float
    x: float
    y: float
    width: float = SPARK[0]
    height: float = SPARK[1]


def spark(points: Sequence[Point], line_pct: float, from_ms: Millis, to_ms: Millis) -> Spark | None:
    """The trend of a level; ``None`` without two values to draw a line between."""
    known = [(at_ms, value) for at_ms, value in points if value is not None]
    if len(known) < 2:  # noqa: PLR2004 -- a line has two ends
        return None
    frame = PlotArea(SPARK[0] - 4, SPARK[1] - 4, from_ms, to_ms)
    last_ms, last = known[-1]
    return Spark(path(frame, points), frame.y(line_pct), frame.x(last_ms), frame.y(last))
