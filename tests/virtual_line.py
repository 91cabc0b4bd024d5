"""The gateway's own line on a virtual clock over a real journal file: what a process remembers dies with it.

Nothing is judged here; a test says when uplinks come, when the line is deaf, and when it is started again.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from alerts.alert import Alert
from alerts.build import PolicyFiles
from alerts.conditions.state import AssetState
from alerts.model import Event, Owed  # noqa: TC001 -- they make an alias that is there at run time
from gateway import start
from gateway.journal.entry import Entry, Rolled
from gateway.journal.writer import Journal
from gateway.pipeline import BUG, Pipeline
from gateway.rollups.scope import ROLLUPS
from gateway.tracks import Track
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.wire import Uplink

Memory: TypeAlias = tuple[dict[str, AssetState], list[Alert], dict[str, Track]]


class VirtualLine:
    """One gateway after the other on the same journal; ``said`` is everything that became durable, in order."""

    pipeline: Pipeline
    kind: type[Pipeline] = Pipeline

    def __init__(self, path: Path, inventory: Inventory, policy_files: PolicyFiles, at_ms: Millis) -> None:
        self._path = path
        self._inventory = inventory
        self._policy_files = policy_files
        self._journal = Journal.open(path)
        self._journal.admit([ROLLUPS])
        self.said: list[Event | Owed] = []
        self.resume(at_ms)
        self.listen(at_ms, None, started=True)
        self.commit()  # as the loop does in its first turn: since when a device is known survives

    def take(self, uplinks: Iterable[Uplink]) -> None:
        """Uplinks, not yet durable."""
        for uplink in uplinks:
            self.pipeline.take(uplink)

    def commit(self, *, snapshot: bool = False) -> None:
        """Everything since the last commit becomes durable."""
        said = list(self.pipeline.changes.log)
        entry, _ = self.pipeline.finish()
        assert [row.detail for row in entry.quarantined if row.reason == BUG] == [], "our own mistake"
        if snapshot:
            entry.snapshot = self.pipeline.snapshot()
        self._journal.commit(entry)
        self.said += said

    def keep(self, rolled: Rolled) -> None:
        """Rollups become durable, in a turn of their own."""
        self._journal.commit(Entry(rolled=[rolled]))

    def listen(self, at_ms: Millis, deaf_since_ms: Millis | None, *, started: bool) -> None:
        """The subscription stands."""
        self.pipeline.county.listen(at_ms, deaf_since_ms, self.pipeline.changes, started=started)

    def close(self) -> None:
        """The process is gone, with whatever it had not committed."""
        self._journal.close()

    def resume(self, at_ms: Millis) -> None:
        """A process is there that knows what the journal says."""
        restored = self._journal.restore()
        self.pipeline = start.resumed(
            self._inventory, self._policy_files, self._journal, restored, at_ms, kind=self.kind
        )

    def restart(self, at_ms: Millis, deaf_since_ms: Millis | None = None) -> None:
        """Gone and back; without ``deaf_since_ms`` in no time at all."""
        self.close()
        self._journal = Journal.open(self._path)
        self.resume(at_ms)
        self.listen(at_ms, at_ms if deaf_since_ms is None else deaf_since_ms, started=True)

    def known_ms(self) -> dict[str, Millis]:
        """Since when each device is known, as the journal says."""
        return self._journal.restore().known

    def memory(self) -> Memory:
        """All that the process remembers; alerts in the order in which they are decided."""
        county = self.pipeline.county
        return county.states, list(county.alerts.values()), self.pipeline.tracks
