"""What the visitor is told: the county as it stands, built from what the gateway committed. No drawing, no I/O.

Levels are seen with the engine's own eyes (``alerts.conditions.bins``), so the picture cannot disagree with the alerts.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.conditions import bins
from alerts.conditions.bins import BinMemory
from alerts.model import Event
from gateway.journal.entry import Entry
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis, Reading

LINE_PCT: Final = 66.7
SHOWN: Final = 200


class Look(StrEnum):
    """How a bin looks from the street, worst last."""

    UNHEARD = "unheard"
    FINE = "fine"
    OVER = "over"
    FULL = "full"
    HOT = "hot"
    SILENT = "silent"


@dataclass(slots=True)
class BinSeen:
    """One bin on the picture."""

    asset: Asset
    memory: BinMemory = field(default_factory=BinMemory)
    open: dict[str, str] = field(default_factory=dict)
    """Open episodes, by episode, to their rule."""

    @property
    def look(self) -> Look:
        """Silence is shown before all else, since nothing else is known then; and a level is never taken for empty."""
        rules = set(self.open.values())
        for rule, look in (
            ("offline", Look.SILENT),
            ("fire", Look.HOT),
            ("hot_ash", Look.HOT),
            ("overflow", Look.FULL),
        ):
            if rule in rules:
                return look
        if self.memory.fill_pct < 0:
            return Look.UNHEARD
        return Look.OVER if "over_two_thirds" in rules else Look.FINE


@dataclass(slots=True)
class PlantSeen:
    """One plant on the picture."""

    asset: Asset
    run: str = "unknown"
    flow_m3h: float | None = None
    level_mm: float | None = None
    since_ms: Millis = 0


@dataclass(frozen=True, slots=True)
class SentText:
    """One SMS as it went out."""

    at_ms: Millis
    to: str
    phone: str
    text: str


@dataclass(frozen=True, slots=True)
class ChronicleLine:
    """One line of the chronicle."""

    at_ms: Millis
    event: str
    rule: str
    asset: str
    severity: str
    reason: str


class DemoStory:
    """The county's present and the last of its past. Fed by the gateway's thread, read by the drawing one."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.bins = {asset.id: BinSeen(asset) for asset in inventory.assets.values() if asset.bin is not None}
        self.plants = {asset.id: PlantSeen(asset) for asset in inventory.assets.values() if asset.plant is not None}
        self.lines: deque[ChronicleLine] = deque(maxlen=SHOWN)
        self.told: deque[SentText] = deque(maxlen=SHOWN)
        self.unsaid: deque[ChronicleLine | SentText] = deque()
        """What a log without a picture has still to say; whoever shows the story empties it."""
        self.open: dict[str, ChronicleLine] = {}
        self.readings = self.raised = self.cleared = self.emptied = self.held = self.texts = 0

    def commit(self, entry: Entry) -> None:
        """Takes in one transaction of the gateway."""
        for reading in entry.readings:
            self._see(reading)
        self.readings += len(entry.readings)
        for event in entry.events:
            self._hear(event)

    def tell(self, texts: Iterable[SentText]) -> None:
        """Takes in texts that went out."""
        for told in texts:
            self.told.append(told)
            self.unsaid.append(told)
            self.texts += 1

    @property
    def over(self) -> int:
        """How many bins stand over the line now, as far as anybody can know."""
        return sum(seen.look in (Look.OVER, Look.FULL) for seen in self.bins.values())

    def _see(self, reading: Reading) -> None:
        if (seen := self.bins.get(reading.asset)) is not None and seen.asset.bin is not None:
            if reading.observed_ms >= seen.memory.fill_ms:
                _, seen.memory = bins.look(seen.asset.bin, seen.memory, reading)
        elif (plant := self.plants.get(reading.asset)) is not None:
            values = reading.values
            plant.flow_m3h = plant.flow_m3h if values.flow_m3h is None else values.flow_m3h
            plant.level_mm = plant.level_mm if values.level_mm is None else values.level_mm

    def _hear(self, event: Event) -> None:
        detail = event.detail or {}
        line = ChronicleLine(
            event.at_ms, event.event, event.rule, event.asset, event.severity, str(detail.get("reason", ""))
        )
        match event.event:
            case "raised":
                self.raised += 1
                self.open[event.episode] = line
                if (seen := self.bins.get(event.asset)) is not None:
                    seen.open[event.episode] = event.rule
            case "cleared":
                self.cleared += 1
                self.open.pop(event.episode, None)
                if (seen := self.bins.get(event.asset)) is not None:
                    seen.open.pop(event.episode, None)
            case "emptied":
                self.emptied += 1
            case "held":
                self.held += 1
            case "run_state":
                self.plants[event.asset].run = str(detail.get("to", "unknown"))
                self.plants[event.asset].since_ms = event.at_ms
                return
            case "partly_emptied" | "acked" | "reset" | "inhibited" | "round_missed":
                pass
            case _:
                return
        self.lines.append(line)
        self.unsaid.append(line)
