"""Every question of every board on a real InfluxDB with a week of a county, asked of it and through a real Grafana.

A panel that is empty fails, and so does a number that cannot be. What the morning's page says is held to the journal.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from math import isfinite
from pathlib import Path
from threading import Event
from time import time

import pytest

from alerts.build import assemble
from alerts.calendars import iso
from alerts.model import RUN_CODES
from alerts.rules.over_two_thirds import POINTS_A_SITE, lines_pct
from dashboards import looks
from dashboards.push import Grafana, pushed
from dashboards.queries import county, names
from dashboards.sources import FLUX, Installation
from gateway import shipped
from gateway.influx.answers import WriteVerdict, verdict
from gateway.influx.points import Points
from gateway.influx.server import Server
from gateway.settings import Influxdb
from telemetry.terms import AssetKind, Level
from tests.board_questions import (
    Question,
    Row,
    asked_directly,
    asked_through_grafana,
    note_questions,
    numbers,
    panel_questions,
    variable_questions,
)
from tests.county_week import HOUR_MS, Week
from tests.grafana_entrance import entrance
from tests.rolled_week import drain
from tests.series_line import made_ready, series_line
from tests.servers import ADMIN_TOKEN, ORG, GrafanaServer, InfluxServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.influxdb, pytest.mark.grafana]

PORTION = 5_000
WEEK_MS = 7 * 24 * HOUR_MS
PANELS = panel_questions()
VARIABLES = variable_questions()

RANGES = {
    looks.PERCENT: (0, 100),
    looks.SITES: (0, 60),
    looks.POINTS: (0, 30),
    looks.TIMES: (0, 200),
    looks.DEVICES: (0, 60),
    looks.PLANTS: (0, 10),
    looks.DAYS: (0, 10),
    looks.HOURS: (0, 200),
    looks.MINUTES: (0, 7 * 24 * 60),
    looks.SECONDS: (-60, 8 * 3_600),
    looks.CELSIUS: (-20, 400),
    looks.CUBIC_M: (0, 500),
    looks.CUBIC_M_H: (0, 60),
    looks.CUBIC_M_DAY: (1, 500),
    looks.AMPERE: (0, 40),
    looks.MILLIMETRE: (0, 5_000),
    looks.DBM: (-140, -20),
    looks.DB: (-30, 20),
    looks.MESSAGES: (0, 500),
    "suffix: 件": (0, 300),
    looks.COUNT: (0, 20_000),
    looks.TEXT: (0, 7),
    "": (0, 200),
}
"""What a number may be in this county of 48 bins and 4 plants, by its unit."""
WIDER = {"负荷率": (0, 300), "实收比例": (0, 150), "地图": (0, 120)}
"""Panels whose numbers may be more than their unit alone allows."""


@pytest.fixture(scope="module")
def influx(influxd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A real InfluxDB for the whole of this file."""
    server = InfluxServer(influxd, tmp_path_factory.mktemp("influx"))
    with running(server):
        server.set_up()
        yield server


@pytest.fixture(scope="module")
def week(rolled_week: Week, tmp_path_factory: pytest.TempPathFactory) -> Week:
    return rolled_week.copied(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="module")
def chosen(influx: InfluxServer, week: Week, tmp_path_factory: pytest.TempPathFactory) -> Influxdb:
    """InfluxDB with the week in it, as the gateway writes it, with its names and its rollups."""
    settings = made_ready(influx, tmp_path_factory.mktemp("secrets"))
    with series_line(week, settings) as line:
        line.drain()
    assert drain(week, settings).filed == []
    write(settings, settings.daily_bucket, facts(week, week.begins_ms))
    return settings


@pytest.fixture(scope="module")
def grafana(grafana_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrafanaServer]:
    server = GrafanaServer(grafana_home, tmp_path_factory.mktemp("grafana"))
    with running(server):
        yield server


@pytest.fixture(scope="module")
def shown(grafana: GrafanaServer, influx: InfluxServer, chosen: Influxdb) -> GrafanaServer:
    """Grafana with our boards and data sources, pushed."""
    token = chosen.reader_file.read_text("utf-8").strip()
    here = Installation(influx.url, ORG, chosen.bucket, token, "http://desk:8080")
    assert all(step.is_well for step in pushed(Grafana(entrance(grafana)), here, Event().wait))
    return grafana


def write(settings: Influxdb, bucket: str, lines: list[bytes]) -> None:
    with Server(settings, ADMIN_TOKEN) as server:
        for at in range(0, len(lines), PORTION):
            assert verdict(server.write(bucket, lines[at : at + PORTION])) is WriteVerdict.STORED


def facts(week: Week, at_ms: int) -> list[bytes]:
    known, _ = assemble(week.inventory, shipped.policy_files())
    return [line for line, _ in Points(week.inventory, lines_pct(known.plans)).of_inventory(at_ms)]


def now_ms() -> int:
    return int(time() * 1_000)


def ask(influx: InfluxServer, question: Question, **chosen: str | list[str]) -> list[Row]:
    now = now_ms()
    return asked_directly(influx, question, now - WEEK_MS, now, **chosen)


def panel(title: str, column: str = "") -> Question:
    return next(each for each in PANELS if each.title == title and column in each.text)


def assert_plausible(question: Question, found: list[tuple[str, float]]) -> None:
    for unit, value in found:
        low, high = WIDER.get(question.title, RANGES[unit])
        assert isfinite(value)
        assert low <= value <= high, f"{question}: {value} {unit}"


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("question", PANELS, ids=str)
def test_a_panel_is_not_empty_and_its_numbers_can_be(question: Question, influx: InfluxServer) -> None:
    rows = ask(influx, question)
    assert rows, question.text
    found = list(numbers(question, rows))
    assert found, "a panel shows numbers"
    assert_plausible(question, found)


@pytest.mark.parametrize("question", PANELS, ids=str)
def test_grafana_gets_the_same_panel(question: Question, influx: InfluxServer, shown: GrafanaServer) -> None:
    now = now_ms()
    frames = asked_through_grafana(shown, question, now - WEEK_MS, now)
    rows = sum(len(fields[0]["values"]) for fields in frames)
    direct = asked_directly(influx, question, now - WEEK_MS, now)
    assert rows == (len(direct) if question.source == FLUX else len(list(numbers(question, direct)))) > 0
    found = [
        (question.units.get(field["name"], question.unit), value)
        for fields in frames
        for field in fields
        if field["type"] == "number" and question.alias is None
        for value in field["values"]
        if value is not None
    ]
    assert_plausible(question, found)


@pytest.mark.parametrize("question", [each for each in PANELS if each.source == FLUX], ids=str)
def test_nothing_that_people_read_is_an_id(question: Question, week: Week, shown: GrafanaServer) -> None:
    now = now_ms()
    ids = {*week.inventory.assets, *week.inventory.areas}
    for fields in asked_through_grafana(shown, question, now - WEEK_MS, now):
        for field in fields:
            assert not ids & set((field.get("labels") or {}).values()), "a series is called by a name"
            if field["type"] == "string" and field["name"] not in ("asset", "device"):
                assert not ids & set(field["values"]), field["name"]


@pytest.mark.parametrize("question", note_questions(), ids=str)
def test_emptyings_are_drawn_across_the_curves(question: Question, week: Week, shown: GrafanaServer) -> None:
    now = now_ms()
    (fields,) = asked_through_grafana(shown, question, now - WEEK_MS, now)
    columns = {field["type"]: field["values"] for field in fields}
    happened = count(week, "event IN ('emptied', 'partly_emptied') AND at_ms >= ?", now - WEEK_MS)
    assert len(columns["time"]) == len(columns["string"]) == min(happened, 500) > 100
    assert all("清空：" in text for text in columns["string"])


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("question", VARIABLES, ids=str)
def test_a_variable_lists_what_the_inventory_has(question: Question, week: Week, influx: InfluxServer) -> None:
    kinds = [kind for kind in AssetKind if f'r.kind == "{kind}"' in question.text]
    inventory = week.inventory
    wanted = {
        "town": {area.id: area.name for area in inventory.areas.values() if area.level is Level.TOWN},
        "village": {area.id: area.name for area in inventory.areas.values() if area.level is Level.VILLAGE},
        "asset": {each.id: each.short for each in inventory.assets.values() if each.kind in kinds},
    }[question.title]
    listed = dict(choices(ask(influx, question)))
    assert listed.keys() == wanted.keys()
    assert all(text.startswith(wanted[value]) for value, text in listed.items())


@pytest.mark.usefixtures("chosen")
def test_villages_and_assets_are_those_of_what_was_chosen_above(week: Week, influx: InfluxServer) -> None:
    town = next(area.id for area in week.inventory.areas.values() if area.level is Level.TOWN)
    below = {
        area.id
        for area in week.inventory.areas.values()
        if area.level is Level.VILLAGE and town in {node.id for node in week.inventory.lineage(area.id)}
    }
    villages = next(each for each in VARIABLES if each.title == "village")
    assert dict(choices(ask(influx, villages, town=town))).keys() == below
    some = sorted(below)[:2]
    assets = next(each for each in VARIABLES if each.title == "asset" and each.board == "bins")
    wanted = {each.id for each in week.inventory.assets.values() if each.area in some and each.kind is AssetKind.BIN}
    assert dict(choices(ask(influx, assets, town=town, village=some))).keys() == wanted


@pytest.mark.parametrize("question", VARIABLES, ids=str)
def test_grafana_gets_the_choices_as_one_column_of_texts(question: Question, shown: GrafanaServer) -> None:
    (fields,) = asked_through_grafana(shown, question, now_ms() - WEEK_MS, now_ms())
    (field,) = fields
    assert field["type"] == "string"
    assert all(text.count("|") == 1 for text in field["values"])


def choices(rows: list[Row]) -> Iterator[tuple[str, str]]:
    """As Grafana takes them apart by the variable's pattern."""
    assert names.CHOICE == r"/^(?<text>.*)\|(?<value>.*)$/"
    for row in rows:
        text, _, value = row["_value"].rpartition("|")
        yield value, text


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("question", PANELS, ids=str)
def test_one_town_one_village_and_one_asset_can_be_chosen(question: Question, week: Week, influx: InfluxServer) -> None:
    """What is chosen reaches every question as a regular expression that both languages take."""
    one = next(each for each in week.inventory.assets.values() if each.kind is AssetKind.BIN)
    town = next(area.id for area in week.inventory.lineage(one.area) if area.level is Level.TOWN)
    everything = ask(influx, question)
    some = ask(influx, question, town=town, village=[one.area, "nowhere"], asset=[one.id, "nothing"])
    assert len(some) <= len(everything)


def count(week: Week, where: str, *given: object) -> int:
    with closing(sqlite3.connect(week.journal)) as journal:
        found: int = journal.execute(f"SELECT count(*) FROM event WHERE {where}", given).fetchone()[0]  # noqa: S608 -- conditions of this file
        return found


def last_levels(week: Week) -> dict[str, float]:
    """The level that each bin last counted as, by the journal."""
    query = "SELECT name, judged_pct FROM reading JOIN asset ON asset.id = reading.asset"
    query += " WHERE judged_pct IS NOT NULL ORDER BY observed_ms"
    with closing(sqlite3.connect(week.journal)) as journal:
        return dict(journal.execute(query).fetchall())


def standing(week: Week) -> list[tuple[str, str, str, bool]]:
    """Rule, asset, severity and whether it was answered, of each episode that stands, by the journal."""
    query = """
        SELECT rule, asset, severity,
               EXISTS (SELECT 1 FROM event WHERE event.episode = alert.episode AND event = 'acked')
        FROM alert WHERE cleared_ms IS NULL
    """
    with closing(sqlite3.connect(week.journal)) as journal:
        return [(rule, asset, severity, bool(acked)) for rule, asset, severity, acked in journal.execute(query)]


@pytest.mark.usefixtures("chosen")
def test_the_exposure_is_what_the_last_levels_make_it(week: Week, influx: InfluxServer) -> None:
    known, _ = assemble(week.inventory, shipped.policy_files())
    lines = lines_pct(known.plans)
    over = [asset for asset, level in last_levels(week).items() if asset in lines and level > lines[asset]]
    assert over, "some site of the week is over the line at its end"
    (row,) = ask(influx, panel("此刻来查"))
    assert (row["sites"], row["points"]) == (len(over), len(over) * POINTS_A_SITE)
    by_town = ask(influx, panel("此刻过线（按乡镇）"))
    assert sum(town["sites"] for town in by_town) == len(over)


@pytest.mark.usefixtures("chosen")
def test_what_is_to_be_dealt_with_is_what_stands_in_the_journal(week: Week, influx: InfluxServer) -> None:
    there = standing(week)
    rules = Counter(rule for rule, *_ in there)
    (row,) = ask(influx, panel("此刻要处理"))
    for rule in ("fire", "overflow", "stopped", "offline"):
        assert row[rule] == rules[rule]
    assert row["unanswered"] == sum(severity != "P4" and not answered for _, _, severity, answered in there) > 0
    listed = ask(influx, panel("还没了结的告警"))
    assert sorted((each["rule"], each["asset"]) for each in listed) == sorted(
        (rule, asset) for rule, asset, severity, _ in there if severity != "P4"
    )
    assert [each["severity"] for each in listed] == sorted(each["severity"] for each in listed)


@pytest.mark.usefixtures("chosen")
def test_the_list_to_collect_is_ordered_by_fill_times_waiting(week: Week, influx: InfluxServer) -> None:
    listed = ask(influx, panel("先清哪里"))
    wanted = {asset for rule, asset, *_ in standing(week) if rule in ("over_two_thirds", "overflow")}
    assert {row["asset"] for row in listed} == wanted
    levels = last_levels(week)
    for row in listed:
        assert row["fill"] == pytest.approx(levels[row["asset"]])
        assert row["score"] == pytest.approx(row["fill"] * row["hours"])
    assert [row["score"] for row in listed] == sorted((row["score"] for row in listed), reverse=True)


@pytest.mark.usefixtures("chosen")
def test_the_map_shows_every_place_and_the_worst_that_is_known_of_it(week: Week, influx: InfluxServer) -> None:
    bins = {row["asset"]: row for row in ask(influx, panel("地图", "fill_pct"))}
    levels, there = last_levels(week), standing(week)
    looked = {"overflow": county.FULL, "hot_ash": county.HOT, "fire": county.FIRE, "offline": county.SILENT}
    for asset in week.inventory.assets.values():
        if asset.kind is AssetKind.BIN and asset.location is not None:
            over = levels[asset.id] > county.LINE_PCT
            looks_like = [county.OVER if over else county.FINE]
            looks_like += [looked[rule] for rule, name, *_ in there if name == asset.id and rule in looked]
            row = bins.pop(asset.id)
            assert row["look"] == max(looks_like)
            assert (row["lat"], row["lon"]) == (asset.location.lat, asset.location.lon)
            assert bool(row["sign"]) == (row["look"] != county.FINE)
    assert bins == {}
    plants = {row["asset"]: row["run_state"] for row in ask(influx, panel("地图", "run_state"))}
    with closing(sqlite3.connect(week.journal)) as journal:
        query = "SELECT asset, json_extract(detail, '$.to') FROM event WHERE event = 'run_state' ORDER BY id"
        assert plants == {asset: RUN_CODES[state] for asset, state in journal.execute(query)}


@pytest.mark.usefixtures("chosen")
def test_the_round_counts_what_is_due_and_what_is_done(week: Week, influx: InfluxServer) -> None:
    """Whatever round ran last when the test runs: due is who is on it, done is who was emptied since or is low."""
    (row,) = ask(influx, panel("这一班清运"))
    on = {
        name: sum(
            each.collection is not None and name in each.collection.rounds for each in week.inventory.assets.values()
        )
        for name in week.inventory.county.rounds
    }
    assert row["due"] in on.values()
    assert row["due"] == row["done"] + row["left"]
    assert row["done"] > 0
    villages = ask(influx, panel("这一班清运（按村）"))
    assert sum(each["done"] for each in villages) == row["done"]
    assert sum(each["left"] for each in villages) == row["left"]


@pytest.mark.usefixtures("chosen")
def test_what_was_retired_is_in_no_list_any_more(week: Week, influx: InfluxServer, chosen: Influxdb) -> None:
    """The newest import names exactly what there is. It stands for a moment and is taken back, for the other tests."""
    gone = next(iter(week.inventory.assets))
    left = {name: each for name, each in week.inventory.assets.items() if name != gone}
    devices = {name: each for name, each in week.inventory.devices.items() if each.asset != gone}
    at_ms = week.begins_ms + HOUR_MS
    write(
        chosen,
        chosen.daily_bucket,
        facts(replace(week, inventory=replace(week.inventory, assets=left, devices=devices)), at_ms),
    )
    try:
        listed = {
            value for question in VARIABLES if question.title == "asset" for value, _ in choices(ask(influx, question))
        }
        assert listed == left.keys()
        assert gone not in {row["asset"] for row in ask(influx, panel("地图", "fill_pct"))}
    finally:
        span = {"start": iso(at_ms), "stop": iso(at_ms + 1), "predicate": '_measurement="asset"'}
        influx.text("POST", "/api/v2/delete", params={"org": ORG, "bucket": chosen.daily_bucket}, json=span)
    assert gone in {row["asset"] for row in ask(influx, panel("地图", "fill_pct"))}


def test_a_fresh_installation_has_empty_panels_and_no_errors(influxd: Path, tmp_path: Path) -> None:
    """Nothing was ever measured: no panel may be a red triangle, and none may say zero (law L5)."""
    server = InfluxServer(influxd, tmp_path / "fresh")
    with running(server):
        server.set_up()
        made_ready(server, tmp_path / "secrets")
        for question in (*PANELS, *VARIABLES, *note_questions()):
            assert ask(server, question) == [], str(question)
