"""What the boards are told of an installation: addresses, secrets from their files, and the episodes of the journal."""

from contextlib import closing
from pathlib import Path

import pytest

from dashboards.annotations import Episode
from dashboards.push import GrafanaAccess
from gateway import boards, imports
from gateway.journal.entry import AlertRow, Entry
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.settings import Settings, SettingsFault

COUNTY = imports.checked(Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml")
NOW_MS = 1_795_334_400_000
DAY_MS = 86_400_000


def settings(folder: Path, grafana: dict[str, str] | None = None, **influxdb: str) -> Settings:
    (folder / "influxdb-read").write_text("reads\n", "utf-8")
    (folder / "grafana").write_text("lets in\n", "utf-8")
    given = {"url": "http://127.0.0.1:8086", "org": "cunjing", "bucket": "telemetry", "token_file": folder / "influxdb"}
    return Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:1", "topics": ["#"]},
            "journal": {"path": folder / "journal.db"},
            "inventory": {"path": folder / "inventory.yaml"},
            "influxdb": {**given, **influxdb},
            "grafana": {"url": "http://127.0.0.1:3000", **(grafana or {"token_file": str(folder / "grafana")})},
        }
    )


def test_the_installations_own_addresses_serve_where_no_others_are_named(tmp_path: Path) -> None:
    here = boards.installation(settings(tmp_path))
    assert (here.influxdb_url, here.desk_url) == ("http://127.0.0.1:8086", "http://127.0.0.1:8080")
    assert (here.org, here.bucket, here.token) == ("cunjing", "telemetry", "reads")
    assert "reads" not in repr(here)


def test_addresses_as_seen_from_grafana_and_from_browsers_go_before(tmp_path: Path) -> None:
    named = {
        "influxdb_url": "http://influxdb:8086",
        "desk_url": "http://office:8080",
        "token_file": str(tmp_path / "grafana"),
    }
    here = boards.installation(settings(tmp_path, named))
    assert (here.influxdb_url, here.desk_url) == ("http://influxdb:8086", "http://office:8080")


def test_one_gets_in_by_token_or_by_name(tmp_path: Path) -> None:
    secret = tmp_path / "grafana"
    assert boards.entrance(settings(tmp_path)) == GrafanaAccess("http://127.0.0.1:3000", "lets in", str(secret))
    named = {"username": "admin", "password_file": str(secret)}
    assert boards.entrance(settings(tmp_path, named)) == GrafanaAccess(
        "http://127.0.0.1:3000", "lets in", str(secret), "admin"
    )


def test_what_is_not_configured_is_said(tmp_path: Path) -> None:
    bare = settings(tmp_path).model_copy(update={"influxdb": None, "grafana": None})
    with pytest.raises(SettingsFault, match=r"there is no \[influxdb\].*add it"):
        boards.installation(bare)
    with pytest.raises(SettingsFault, match=r"there is no \[grafana\].*add it"):
        boards.entrance(bare)
    with pytest.raises(SettingsFault, match=r"\[influxdb\] reader_token_file = .* cannot be read"):
        boards.installation(settings(tmp_path, reader_token_file=str(tmp_path / "none")))
    with pytest.raises(SettingsFault, match=r"\[grafana\] token_file = .* cannot be read"):
        boards.entrance(settings(tmp_path, {"token_file": str(tmp_path / "none")}))


def row(number: int, rule: str, asset: str, severity: str, raised_days: float, cleared_days: float | None) -> AlertRow:
    raised_ms = NOW_MS - round(raised_days * DAY_MS)
    cleared_ms = None if cleared_days is None else NOW_MS - round(cleared_days * DAY_MS)
    return AlertRow(
        f"{rule}/{asset}/{number}", rule, asset, "", severity, raised_ms, cleared_ms, b"", cleared_ms is not None
    )


def test_what_stood_in_ninety_days_is_told_by_its_name(tmp_path: Path) -> None:
    rows = [
        row(1, "fire", "ytan-03", "P1", 2, None),
        row(2, "overflow", "ytan-03", "P2", 5, 4),
        row(3, "overflow", "ytan-03", "P2", 95, 89),
        row(4, "overflow", "ytan-03", "P2", 95, 91),
        row(5, "stopped", "gone", "P2", 100, None),
        row(6, "over_two_thirds", "ytan-03", "P3", 2, None),
        row(7, "unheard_of", next(iter(COUNTY.radio_gateways)), "P2", 1, None),
    ]
    path = tmp_path / "journal.db"
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(alerts={each.episode: each for each in rows}))
    with closing(JournalReader.open(path)) as reader:
        found = boards.episodes(reader, COUNTY, NOW_MS)
    gateway = next(iter(COUNTY.radio_gateways.values()))
    assert [(each.episode.rpartition("/")[2], each.text) for each in found] == [
        ("5", "停机：gone"),
        ("3", "满溢：柳潭3号池（村部东侧）"),
        ("2", "满溢：柳潭3号池（村部东侧）"),
        ("1", "火警：柳潭3号池（村部东侧）"),
        ("7", f"unheard_of：{gateway.name}"),
    ]
    assert found[3] == Episode("fire/ytan-03/1", "P1", NOW_MS - 2 * DAY_MS, None, "火警：柳潭3号池（村部东侧）")
