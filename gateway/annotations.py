"""While the gateway runs, keeps on Grafana's boards what stands: the episodes of P1 and P2, from the journal.

It asks Grafana only when an episode began or ended, and once an hour in case somebody deleted one there. Nothing waits
for it, and it never raises: what is wrong is told on ``/readyz`` and, when it changes, in the log.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from dashboards.annotations import Episode
from dashboards.push import Grafana, sync_annotations
from gateway import boards
from gateway.health import Health, Part
from gateway.journal.database import JournalUnavailable
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.settings import Settings, SettingsFault
from telemetry.inventory import Inventory
from telemetry.reading import Millis

_log = logger(__name__)

PART: Final = "boards"
"""What it is called on ``/readyz``."""
EVERY_S: Final = 60.0
LOOKED_OVER_MS: Final = 3_600_000


class Annotations:
    """For one thread alone, which calls ``keep`` each minute."""

    def __init__(
        self,
        settings: Settings,
        inventory: Inventory,
        health: Health,
        now_ms: Callable[[], Millis],
        asked: Callable[[Settings], Grafana] = lambda settings: Grafana(boards.entrance(settings)),
    ) -> None:
        """``asked`` makes the way into Grafana anew after each trouble: a person may have mended the secret."""
        self._settings = settings
        self._inventory = inventory
        self._health = health
        self._now_ms = now_ms
        self._asked = asked
        self._grafana: Grafana | None = None
        self._there: list[Episode] | None = None
        self._looked_ms = 0
        self._tell(Part(ready=True, state="no episode was put on the boards yet"))

    def keep(self) -> None:
        """Opens and closes what began and ended since; writes nothing when nothing did."""
        now_ms = self._now_ms()
        try:
            wanted = _episodes(self._settings.journal.path, self._inventory, now_ms)
            if wanted == self._there and now_ms - self._looked_ms < LOOKED_OVER_MS:
                return
            self._sync(wanted, now_ms)
        except SettingsFault as fault:
            self._tell(Part(ready=False, state=str(fault)))
        except JournalUnavailable:
            return  # the journal's own part says so

    def _sync(self, wanted: list[Episode], now_ms: Millis) -> None:
        self._grafana = self._grafana or self._asked(self._settings)
        step = sync_annotations(self._grafana, wanted, now_ms)
        if step.is_well:
            self._there, self._looked_ms = wanted, now_ms
            self._tell(Part(ready=True, state=f"episodes are kept on the boards at {_url(self._settings)}"))
        else:
            self._there = self._grafana = None
            self._tell(Part(ready=False, state=step.said))

    def _tell(self, part: Part) -> None:
        if part != self._health.parts.get(PART) and not part.ready:
            _log.warning(PART, state=part.state)
        self._health.report(PART, part)


def _episodes(journal: Path, inventory: Inventory, now_ms: Millis) -> list[Episode]:
    with closing(JournalReader.open(journal)) as reader:
        found: Sequence[Episode] = boards.episodes(reader, inventory, now_ms)
        return list(found)


def _url(settings: Settings) -> str:
    return "" if settings.grafana is None else settings.grafana.url
