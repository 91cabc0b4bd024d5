"""What is written down while a site lives: its level, what was brought, who came, and where its sensor said otherwise.

Filled by the physics and the firmware as they go, with no chance and no opinion of its own: keeping a diary changes no
byte of what a device says. What a scorer reads is made of it in ``truth_file``.
"""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

from telemetry.reading import Millis


class PumpState(IntEnum):
    """What a plant really does; one number, so that a month of it stays small."""

    RUNNING = 0
    IDLE = 1
    STOPPED = 2
    NO_POWER = 3


class LieKind(StrEnum):
    """In what way a bin's sensor, or the figures it is judged by, can say what is not so."""

    STUCK = "stuck"


@dataclass(slots=True)
class Lie:
    """One lie of a bin's sensor; ``wrong_ms`` is the first sample that was too far from the truth, if any was."""

    kind: LieKind
    start_ms: Millis
    end_ms: Millis
    wrong_ms: Millis | None = None


class DiaryVisit(NamedTuple):
    """Somebody emptied: when, and how full it was before and after, in %."""

    at_ms: Millis
    found_pct: float
    left_pct: float


@dataclass(slots=True)
class BinDiary:
    """A bin's life as knots in time order; between two knots everything runs straight.

    ``gained`` is everything that came in since the start, in %, as if the bin had no brim and nobody came.
    """

    at_ms: "array[int]" = field(default_factory=lambda: array("q"))
    pct: "array[float]" = field(default_factory=lambda: array("d"))
    gained: "array[float]" = field(default_factory=lambda: array("d"))
    visits: list[DiaryVisit] = field(default_factory=list)
    lies: list[Lie] = field(default_factory=list)

    def note(self, at_ms: Millis, pct: float, brought_pct: float) -> None:
        """Write down a knot: the level in %, and what was brought since the one before."""
        self.gained.append(self.gained[-1] + brought_pct if self.gained else 0.0)
        self.at_ms.append(at_ms)
        self.pct.append(pct)

    def note_visit(self, at_ms: Millis, found_pct: float, left_pct: float) -> None:
        """Write down that somebody came: two knots of one instant."""
        self.note(at_ms, found_pct, 0.0)
        self.note(at_ms, left_pct, 0.0)
        self.visits.append(DiaryVisit(at_ms, found_pct, left_pct))

    def look_up(self, at_ms: Millis) -> tuple[int, float]:
        """The last knot not after an instant, and which share of the way to the next has been gone."""
        knots = self.at_ms
        i = bisect_right(knots, at_ms) - 1
        if i + 1 >= len(knots):
            return i, 0.0
        return i, (at_ms - knots[i]) / (knots[i + 1] - knots[i])

    def level_at(self, at_ms: Millis) -> float:
        """How full it really was, in %; at a visit what was left."""
        i, share = self.look_up(at_ms)
        return self.pct[i] + share * (self.pct[i + 1] - self.pct[i]) if share else self.pct[i]

    def gained_at(self, at_ms: Millis) -> float:
        """What had come in since the start, in %."""
        i, share = self.look_up(at_ms)
        return self.gained[i] + share * (self.gained[i + 1] - self.gained[i]) if share else self.gained[i]


@dataclass(slots=True)
class PlantDiary:
    """A plant's life in stretches in which the pump's state and flow do not change; the level runs straight."""

    at_ms: "array[int]" = field(default_factory=lambda: array("q"))
    level_mm: "array[float]" = field(default_factory=lambda: array("d"))
    flow_m3h: "array[float]" = field(default_factory=lambda: array("d"))
    state: "array[int]" = field(default_factory=lambda: array("b"))

    def note(self, at_ms: Millis, level_mm: float, flow_m3h: float, state: PumpState) -> None:
        """Write down the beginning of a stretch."""
        self.at_ms.append(at_ms)
        self.level_mm.append(level_mm)
        self.flow_m3h.append(flow_m3h)
        self.state.append(state)

    def look(self, at_ms: Millis) -> tuple[PumpState, float, float]:
        """State, level in mm and flow in m³/h at an instant."""
        i = bisect_right(self.at_ms, at_ms) - 1
        level = self.level_mm[i]
        if i + 1 < len(self.at_ms):
            passed = self.at_ms[i + 1] - self.at_ms[i]
            level += (self.level_mm[i + 1] - level) * (at_ms - self.at_ms[i]) / passed if passed else 0.0
        return PumpState(self.state[i]), level, self.flow_m3h[i]
