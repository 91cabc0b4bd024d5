"""A start under another inventory or policy files than the journal knows: nothing fails, nothing is told twice."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alerts.build import PolicyFiles
from alerts.model import Event, Owed
from alerts.notify.lists import LIST
from gateway import shipped, start
from gateway.imports import profiles
from gateway.journal.writer import Journal
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink

COUNTY = (Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml").read_text("utf-8")
BEGIN: Millis = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai
MINUTE = 60_000
HOUR = 60 * MINUTE


def county(change: Callable[[dict], None] = lambda _: None) -> Inventory:  # type: ignore[type-arg] # YAML as it comes
    document = yaml.safe_load(COUNTY)
    change(document)
    parsed = parse(yaml.safe_dump(document, allow_unicode=True), "county.yaml", profiles())
    assert parsed.inventory is not None, [str(fault) for fault in parsed.faults]
    return parsed.inventory


def over(pipeline: Pipeline, at_ms: Millis, seq: int, distance_mm: int = 480) -> None:
    sample = {"v": 1, "boot": 1, "seq": seq, "ts": at_ms, "readings": {"distance_mm": distance_mm}}
    pipeline.take(Uplink(at_ms, "cunjing/v1/xiang/bin-0003/telemetry", json.dumps(sample).encode()))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal in which the pool ytan-03 is over two thirds and its cleaner has been told."""
    path = tmp_path / "journal.db"
    opened = Journal.open(path)
    pipeline = start.anew(county(), shipped.policy_files(), opened, BEGIN)
    pipeline.county.listen(BEGIN, None, pipeline.changes, started=True)
    over(pipeline, BEGIN, 1)
    over(pipeline, BEGIN + MINUTE, 2)
    pipeline.advance(BEGIN + MINUTE)
    entry, _ = pipeline.finish()
    assert [owed.to for owed in entry.owed] == ["cleaner-li"]
    entry.snapshot = pipeline.snapshot()
    opened.commit(entry)
    opened.close()
    return path


def resumed(path: Path, inventory: Inventory, policy_files: PolicyFiles, until_ms: Millis) -> list[Event | Owed]:
    opened = Journal.open(path)
    pipeline = start.resumed(inventory, policy_files, opened, opened.restore(), BEGIN + 2 * MINUTE)
    pipeline.county.listen(BEGIN + 2 * MINUTE, BEGIN + MINUTE, pipeline.changes, started=True)
    pipeline.advance(until_ms)
    said = list(pipeline.changes.log)
    opened.commit(pipeline.finish()[0])
    opened.close()
    return said


def told(said: list[Event | Owed]) -> list[tuple[str, int]]:
    """Who was told of an episode; lists come whatever was changed."""
    return [(owed.to, owed.step) for owed in said if isinstance(owed, Owed) and owed.rule != LIST]


def test_the_same_county_goes_on(journal: Path) -> None:
    assert told(resumed(journal, county(), shipped.policy_files(), BEGIN + 5 * HOUR)) == [("dispatch-wu", 1)]


def test_somebody_who_left_is_told_no_more(journal: Path) -> None:
    def leave(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
        people = document["people"]
        gone = next(person for person in people if person["id"] == "cleaner-li")
        people.remove(gone)
        for person in people:
            person.pop("stand_in", None)
        people.append({**gone, "id": "cleaner-new", "phone": "13900000099"})

    assert told(resumed(journal, county(leave), shipped.policy_files(), BEGIN + 5 * HOUR)) == [("dispatch-wu", 1)]


def test_of_an_asset_that_is_gone_whoever_was_told_hears_one_line(journal: Path) -> None:
    def retire(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
        document["assets"] = [asset for asset in document["assets"] if asset["id"] != "ytan-03"]
        document["devices"] = [device for device in document["devices"] if device["asset"] != "ytan-03"]

    said = resumed(journal, county(retire), shipped.policy_files(), BEGIN + 5 * HOUR)
    events = [event.event for event in said if isinstance(event, Event) and event.rule == "over_two_thirds"]
    assert events == ["retired", "held"]
    assert told(said) == [("cleaner-li", 0)]


def test_of_a_pool_whose_sensor_is_gone_whoever_was_told_hears_one_line(journal: Path) -> None:
    def unscrew(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
        document["devices"] = [device for device in document["devices"] if device["asset"] != "ytan-03"]

    said = resumed(journal, county(unscrew), shipped.policy_files(), BEGIN + 5 * HOUR)
    events = [event.event for event in said if isinstance(event, Event) and event.asset == "ytan-03"]
    assert events == ["retired", "held"]
    assert told(said) == [("cleaner-li", 0)]


def with_rules(text: str) -> PolicyFiles:
    policy_files = shipped.policy_files()
    return PolicyFiles(text, policy_files.escalation, policy_files.texts)


def conditions(path: Path, rules: str) -> list[str]:
    """Where over_two_thirds stands on the pool right after a start under these rules."""
    opened = Journal.open(path)
    pipeline = start.resumed(county(), with_rules(rules), opened, opened.restore(), BEGIN + 2 * MINUTE)
    pipeline.county.listen(BEGIN + 2 * MINUTE, BEGIN + MINUTE, pipeline.changes, started=True)
    opened.close()
    plan, state = pipeline.county.plans["ytan-03"], pipeline.county.states["ytan-03"]
    machine = state.machines[plan.place["over_two_thirds"]]
    assert pipeline.changes.log == []
    return [machine.condition.name, str(machine.count)]


def test_a_changed_threshold_judges_the_last_level_again(journal: Path) -> None:
    assert conditions(journal, "") == ["ACTIVE", "0"]
    assert conditions(journal, "rules: {over_two_thirds: {raise_pct: 70}}") == ["ACTIVE", "0"]
    assert conditions(journal, "rules: {over_two_thirds: {raise_pct: 90, clear_pct: 80}}") == ["RECOVERING", "1"]


def test_a_level_that_was_below_the_line_counts_once_when_the_line_comes_down(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    opened = Journal.open(path)
    pipeline = start.anew(county(), shipped.policy_files(), opened, BEGIN)
    pipeline.county.listen(BEGIN, None, pipeline.changes, started=True)
    over(pipeline, BEGIN, 1, distance_mm=600)
    entry, _ = pipeline.finish()
    entry.snapshot = pipeline.snapshot()
    opened.commit(entry)
    opened.close()
    assert conditions(path, "") == ["NORMAL", "0"]
    assert conditions(path, "rules: {over_two_thirds: {raise_pct: 58, clear_pct: 50}}") == ["PENDING", "1"]


def test_an_escalation_that_became_shorter_ends(journal: Path) -> None:
    policy_files = shipped.policy_files()
    document = yaml.safe_load(policy_files.escalation)
    document["rules"]["over_two_thirds"]["steps"] = document["rules"]["over_two_thirds"]["steps"][:1]
    shorter = PolicyFiles(policy_files.rules, yaml.safe_dump(document, allow_unicode=True), policy_files.texts)
    assert told(resumed(journal, county(), shorter, BEGIN + 5 * HOUR)) == []
