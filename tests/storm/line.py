"""The gateway of the storm: the real line, whose deaths are counted, and whose entries the desk's projection hears.

A variant of it, broken on purpose, is a subclass of it (``faults/``). Nothing is judged here.
"""

import math
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.desk.projection import Projection
from gateway.journal.entry import Entry
from gateway.journal.restore import Restored
from gateway.journal.writer import Journal
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from tests.telling_line import TellingLine


@dataclass(frozen=True)
class Weather:
    """The statements that the journal refuses: each of so many, with a chance, the same for the same seed."""

    begin: int
    most: int
    chance: float

    def __contains__(self, statement: object) -> bool:
        assert isinstance(statement, int)
        within = self.begin < statement <= self.begin + self.most
        return within and random.Random(statement).random() < self.chance


@cache
def _empty() -> bytes:
    """A journal in which nothing is yet: made once, for the schema takes longer than an hour of the county."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with closing(Journal.open(path)):
            pass
        return path.read_bytes()


class StormLine(TellingLine):
    """One process after the other, each with a desk that looks on."""

    deaths = 0
    """How often one ended and another began, for whatever reason."""
    ended_by_itself = 0
    """How often one ended although nobody killed it."""
    projection: Projection
    inventory: Inventory
    reborn: Callable[[Millis], None] = staticmethod(lambda _away_ms: None)
    """Told how long nobody listened, before the next process begins."""

    def _begin(self) -> None:
        if not self._path.exists():
            self._path.write_bytes(_empty())
        super()._begin()

    def _pipeline(self, restored: Restored) -> Pipeline:
        self.inventory = self._inventory
        pipeline = super()._pipeline(restored)
        standing = [alert for alert in pipeline.county.alerts.values() if not alert.closed_ms]
        self.projection = Projection.of(self._inventory, pipeline.county.states, standing)
        return pipeline

    def _reborn(self, away_ms: Millis) -> None:
        self.deaths += 1
        if self.hand.commits_left < 0 and not self._is_killed:
            self.ended_by_itself += 1
        self.reborn(away_ms)
        super()._reborn(away_ms)

    def kill(self, away_ms: Millis) -> None:
        """See ``TellingLine.kill``."""
        self._is_killed = True
        super().kill(away_ms)
        self._is_killed = False

    def end(self, away_ms: Millis) -> None:
        """See ``TellingLine.end``."""
        self._is_killed = True
        super().end(away_ms)
        self._is_killed = False

    _is_killed = False
    _beat_ms = -1

    def _turn(self) -> None:
        """A heartbeat an instant, and no snapshot because a slow machine took its time: the same run on any."""
        self.loop._beat_at_s = math.inf if self.hand.at_ms == self._beat_ms else -math.inf
        self.loop._snapshot_at_s = math.inf
        self._beat_ms = self.hand.at_ms
        self.loop.turn()

    def _show(self, entry: Entry) -> None:
        self.projection.apply(entry)
