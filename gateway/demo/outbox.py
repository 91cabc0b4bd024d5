"""Reads the demo's outbox folder: what the outbox channel has delivered, each text once. It never writes there."""

import json
from pathlib import Path

from gateway.demo.story import Told
from gateway.recording import millis


class Outbox:
    """The folder, and what of it was seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()

    def fresh(self) -> list[Told]:
        """Texts that were not there when last asked, in the order of their names."""
        names = sorted(path.name for path in self._folder.glob("*.json") if path.name not in self._seen)
        self._seen.update(names)
        return [self._read(name) for name in names]

    def _read(self, name: str) -> Told:
        text = json.loads((self._folder / name).read_text("utf-8"))
        return Told(millis(text["at"]), text["to"], text["phone"], text["text"])
