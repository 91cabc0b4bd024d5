"""The six boards: committed as they are made, within the classic schema, our lint and the contract of the series."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.model import RUN_CODES
from alerts.rules import rules
from alerts.rules.over_two_thirds import POINTS_A_SITE, OverTwoThirds
from dashboards import checking, committed, lint, schema, words
from dashboards.board import classic
from dashboards.boards import boards
from dashboards.queries import county, language
from gateway.influx.bootstrap import POLICY
from gateway.influx.points import STATES
from gateway.settings import Influxdb
from telemetry.reading import QUANTITIES
from telemetry.series import TAGS, Measurement

ROOT = Path(__file__).parents[2]
SERIES = (ROOT / "docs" / "series.md").read_text("utf-8")
DOCUMENTS = committed.documents()
TITLES = ["县域总览", "垃圾桶", "污水站", "设备健康", "告警复盘", "平台自监控"]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in DOCUMENTS.items():
        for panel in document["panels"]:
            yield f"{name}: {panel['title']}", panel


def questions() -> Iterator[str]:
    """Every query of every panel, variable and annotation."""
    for document in DOCUMENTS.values():
        yield from (target["query"] for panel in document["panels"] for target in panel.get("targets", []))
        yield from (each["query"] for each in document["templating"]["list"] if each["type"] == "query")
        yield from (
            each["target"]["query"] for each in document["annotations"]["list"] if "query" in each.get("target", {})
        )


def test_there_are_six_boards_and_each_is_one_file() -> None:
    assert sorted(board.title for board in boards().values()) == sorted(TITLES)
    files = {path.stem for path in (ROOT / "dashboards" / "boards").glob("*.py")} - {"__init__"}
    assert files == set(boards()) == set(DOCUMENTS)


def test_what_is_committed_is_what_the_boards_make() -> None:
    assert list(checking.differences()) == []


@pytest.mark.parametrize("name", sorted(boards()))
def test_a_board_is_made_the_same_each_time(name: str) -> None:
    board = boards()[name]
    assert classic(board) == classic(board) == committed.texts()[name]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_board_passes_the_classic_schema_and_our_lint(name: str) -> None:
    assert list(schema.faults(DOCUMENTS[name])) == []
    assert list(lint.faults(DOCUMENTS[name])) == []


def test_the_sdk_is_of_the_right_epoch() -> None:
    assert {document["schemaVersion"] for document in DOCUMENTS.values()} == {42}


def test_uids_are_all_different() -> None:
    assert len({document["uid"] for document in DOCUMENTS.values()}) == len(DOCUMENTS)


def test_choices_go_from_the_large_to_the_small() -> None:
    for document in DOCUMENTS.values():
        shown = [each["name"] for each in document["templating"]["list"] if each["type"] == "query"]
        assert shown == ["town", "village", "asset"][: len(shown)]
        assert [each["label"] for each in document["templating"]["list"]][2:4] == ["乡镇", "村"][: len(shown)]


def test_the_line_of_two_thirds_is_the_rules_own() -> None:
    line = OverTwoThirds.model_fields["raise_pct"].default
    assert line == county.LINE_PCT
    drawn = {
        step["value"]
        for title, panel in panels()
        if "满度曲线" in title
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    }
    assert line in drawn
    assert any(f"> {line}" in question for question in questions())
    assert f'/ {POINTS_A_SITE} AS "sites"' in county.exposure().text


def test_buckets_and_policy_are_called_as_they_are_made() -> None:
    chosen = Influxdb.model_validate({"url": "http://x:1", "org": "o", "bucket": "b", "token_file": "t"})
    for made, asked in (
        (chosen.bucket, language.RAW),
        (chosen.hourly_bucket, language.HOURLY),
        (chosen.daily_bucket, language.DAILY),
    ):
        assert asked.replace(language.RAW, chosen.bucket) == made
    assert language.POLICY == POLICY


def test_every_field_that_is_asked_for_is_in_the_contract() -> None:
    known = {*re.findall(r"`([a-z0-9_]+)`", SERIES), *QUANTITIES}
    asked = {field for question in questions() for field in re.findall(r'_field == "(\w+)"', question)}
    columns = {
        column
        for question in questions()
        if question.startswith("SELECT")
        for column in re.findall(r'\((?:DISTINCT )?"(\w+)"', question)
    } - {"points", "n"}
    assert len(asked | columns) > 30
    assert sorted((asked | columns) - known) == []


def test_no_question_chooses_among_more_than_two() -> None:
    """InfluxDB 2.7 answers an if after an else with "vectors must be equal length" where some rows take either."""
    asked = [question for question in questions() if "else if" in question]
    assert asked == [], "look it up in a dictionary (dict.get)"


def test_every_measurement_that_is_asked_for_exists() -> None:
    asked = {name for question in questions() for name in re.findall(r'_measurement == "(\w+)"', question)}
    assert asked <= set(Measurement)
    assert len(asked) >= 7


def test_only_tags_are_chosen_by() -> None:
    chosen = {tag for question in questions() for tag in re.findall(r"r\.(\w+) =~", question)}
    assert chosen <= set(TAGS)


def test_every_rule_run_state_and_state_of_an_episode_has_a_word() -> None:
    assert set(rules()) <= set(words.RULES)
    assert set(words.RUNS) == set(RUN_CODES)
    ends = {"cleared", "reset", "retired"}
    assert set(words.ANSWERS) == STATES - ends


def test_colour_never_says_anything_alone() -> None:
    for title, panel in panels():
        mappings = panel.get("fieldConfig", {}).get("defaults", {}).get("mappings", [])
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            mappings += [one for each in override["properties"] if each["id"] == "mappings" for one in each["value"]]
        for mapping in mappings:
            assert all(result["text"] for result in mapping["options"].values()), title


def test_a_row_leads_to_its_asset_on_the_desk() -> None:
    leading = 0
    for title, panel in panels():
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for each in override["properties"]:
                if each["id"] == "links":
                    (link,) = each["value"]
                    assert link["url"] == "${desk:raw}/assets/${__data.fields.asset}", title
                    assert '"asset"' in panel["targets"][0]["query"], title
                    leading += 1
    assert leading >= 8


def test_the_map_asks_nobody_for_tiles() -> None:
    (options,) = [panel["options"] for _, panel in panels() if panel["type"] == "geomap"]
    assert options["basemap"]["type"] == "geojson"
    assert options["basemap"]["config"]["src"] == "public/maps/cunjing.geojson"
    assert {layer["type"] for layer in options["layers"]} == {"markers"}
    assert options["tooltip"]["mode"] == "details"


def test_nothing_on_a_board_is_on_another_server() -> None:
    for document in DOCUMENTS.values():
        urls = set(re.findall(r"https?://[\w.:]+", json.dumps(document)))
        assert urls <= {"http://127.0.0.1:8080"}


def test_two_rates_stand_beside_each_other() -> None:
    """正常运行率 is never shown without 在线率 (domain.md §3)."""
    for title, panel in panels():
        shown = json.dumps(panel, ensure_ascii=False)
        if "正常运行率" in shown:
            assert "在线率" in shown, title
