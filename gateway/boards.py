"""What the boards need of an installation: places and secrets from the configuration, episodes from the journal.

While the gateway runs, the episodes that stand are kept on them. Grafana is asked only when one began or ended, and
once an hour in case somebody deleted one there. Nothing waits for it, and it never raises: what is wrong is told on
``/readyz`` and, when it changes, in the log. How anything is pushed is in ``dashboards/push.py``.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Final

from alerts.calendars import DAY_MS
from alerts.notify import texts
from dashboards.annotations import DAYS, SHOWN, Episode
from dashboards.push import Grafana, GrafanaAccess, sync_annotations
from dashboards.sources import Installation
from dashboards.words import RULES
from gateway.client import desk_url
from gateway.health import Health, Part
from gateway.journal.database import JournalUnavailable
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.settings import Settings, SettingsFault, read_secret
from telemetry.inventory import Inventory
from telemetry.reading import Millis

_log = logger(__name__)

PART: Final = "boards"
"""What it is called on ``/readyz``."""
EVERY_S: Final = 60.0
LOOKED_OVER_MS: Final = 3_600_000


def installation(settings: Settings) -> Installation:
    """Where InfluxDB and the desk are for Grafana and browsers; ``SettingsFault`` when InfluxDB is not configured."""
    chosen = settings.influxdb
    if chosen is None:
        raise SettingsFault(["there is no [influxdb], and boards show what it has; add it (see gateway.example.toml)"])
    grafana = settings.grafana
    return Installation(
        influxdb_url=(grafana and grafana.influxdb_url) or chosen.url,
        org=chosen.org,
        bucket=chosen.bucket,
        token=read_secret(chosen.reader_file, "[influxdb] reader_token_file"),
        desk_url=(grafana and grafana.desk_url) or desk_url(settings.desk.listen),
    )


def entrance(settings: Settings) -> GrafanaAccess:
    """How one gets into Grafana; ``SettingsFault`` when it is not configured or its secret cannot be read."""
    chosen = settings.grafana
    if chosen is None:
        raise SettingsFault(["there is no [grafana], so nothing says where it is; add it (see gateway.example.toml)"])
    ca_file = None if chosen.ca_file is None else str(chosen.ca_file)
    if chosen.token_file is not None:
        token = read_secret(chosen.token_file, "[grafana] token_file")
        return GrafanaAccess(chosen.url, token, str(chosen.token_file), ca_file=ca_file, org_id=chosen.org_id)
    assert chosen.password_file is not None  # noqa: S101 -- the settings allow one of the two ways
    password = read_secret(chosen.password_file, "[grafana] password_file")
    return GrafanaAccess(chosen.url, password, str(chosen.password_file), chosen.username, ca_file, chosen.org_id)


def episodes(reader: JournalReader, inventory: Inventory, now_ms: Millis) -> list[Episode]:
    """What has to be on the boards as annotations: P1 and P2 of ninety days. May raise ``JournalUnavailable``."""
    return [
        Episode(
            episode=spell.episode,
            severity=spell.severity,
            raised_ms=spell.raised_ms,
            cleared_ms=spell.cleared_ms,
            text=f"{RULES.get(spell.rule, spell.rule)}：{_place(inventory, spell.asset)}",
        )
        for spell in reader.episodes(SHOWN, now_ms - DAYS * DAY_MS)
    ]


def _place(inventory: Inventory, asset: str) -> str:
    """What people call it; the id of one that is not in the inventory any more."""
    found = inventory.assets.get(asset)
    if found is not None:
        return texts.place(found)
    place = inventory.radio_gateways.get(asset) or inventory.areas.get(asset)
    return asset if place is None else place.name


class Annotations:
    """For one thread alone, which calls ``keep`` each minute."""

    def __init__(
        self,
        settings: Settings,
        inventory: Inventory,
        health: Health,
        now_ms: Callable[[], Millis],
        asked: Callable[[Settings], Grafana] = lambda settings: Grafana(entrance(settings)),
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
            with closing(JournalReader.open(self._settings.journal.path)) as reader:
                wanted = episodes(reader, self._inventory, now_ms)
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
            url = self._settings.grafana and self._settings.grafana.url
            self._tell(Part(ready=True, state=f"episodes are kept on the boards at {url or ''}"))
        else:
            self._there = self._grafana = None
            self._tell(Part(ready=False, state=step.said))

    def _tell(self, part: Part) -> None:
        if part != self._health.parts.get(PART) and not part.ready:
            _log.warning(PART, state=part.state)
        self._health.report(PART, part)
