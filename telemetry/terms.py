"""The words by which an inventory tells its rows apart: levels, roles, kinds, spans of the day. No row stands here."""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum


class Level(StrEnum):
    """How high an area stands in the tree: county above town above grid above village."""

    TOWN = "town"
    GRID = "grid"
    VILLAGE = "village"


class Role(StrEnum):
    """What a person answers for. ``emptier`` is derived: the collector of a bin's route, else its cleaner."""

    CLEANER = "cleaner"
    COLLECTOR = "collector"
    CREW = "crew"
    DISPATCHER = "dispatcher"
    VILLAGE_HEAD = "village_head"
    TOWN_LEADER = "town_leader"


class AssetKind(StrEnum):
    """What an asset is."""

    BIN = "bin"
    PLANT = "plant"


class Power(StrEnum):
    """What keeps a device alive; it decides how soon silence is news."""

    BATTERY = "battery"
    MAINS = "mains"


class Container(StrEnum):
    """How people call a bin: 池 for a pool, 桶 for a bin."""

    POOL = "pool"
    BIN = "bin"


class DutyCycle(StrEnum):
    """Whether a plant is expected to run all day or only when water comes."""

    CONTINUOUS = "continuous"
    INTERMITTENT = "intermittent"


@dataclass(frozen=True, slots=True)
class Hours:
    """A span of local time of day, ``start`` included, ``end`` not; it may run over midnight."""

    start: time
    end: time

    def __contains__(self, at: time) -> bool:
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end
