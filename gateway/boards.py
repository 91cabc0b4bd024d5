"""What the boards need of an installation: places and secrets from the configuration, episodes from the journal.

Nothing is pushed here; that is ``dashboards/push.py``.
"""

from typing import Final

from alerts.notify import texts
from dashboards.annotations import DAYS, SHOWN, Episode
from dashboards.installation import Installation
from dashboards.push import GrafanaAccess
from dashboards.words import RULES
from gateway.client import desk_url
from gateway.journal.reader import JournalReader
from gateway.settings import Settings, SettingsFault, read_secret
from telemetry.inventory import Inventory
from telemetry.reading import Millis

DAY_MS: Final = 86_400_000


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
