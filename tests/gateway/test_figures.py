"""Figures set while the gateway runs: on its own line over a real journal file, through restarts."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from alerts.build import PolicyFiles
from alerts.conditions.thresholds import ThresholdScope
from alerts.model import Event, Owed
from gateway import imports, shipped
from gateway.commands.command import Done, NotPossible, UnknownPerson
from gateway.commands.thresholds import SetFigure
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.wire import Uplink
from tests.acting import do
from tests.strategies import wire_bytes
from tests.virtual_line import VirtualLine

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml"
COUNTY: Final = imports.checked(GOLDEN)
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
BEGIN: Final = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai
DEVICE: Final = "bin-0003"
BIN: Final = COUNTY.devices[DEVICE].asset
AREA: Final = COUNTY.assets[BIN].area
BY: Final = "dispatch-wu"


def county(change: Callable[[dict[str, Any]], None]) -> Inventory:
    document = yaml.safe_load(GOLDEN.read_text("utf-8"))
    change(document)
    parsed = parse(yaml.safe_dump(document, allow_unicode=True), "county.yaml", imports.profiles())
    assert parsed.inventory is not None, [str(fault) for fault in parsed.faults]
    return parsed.inventory


class Scene:
    """A line, and a bin of which samples come."""

    def __init__(self, path: Path, inventory: Inventory = COUNTY) -> None:
        self.path = path
        self.line = VirtualLine(path, inventory, shipped.policy_files(), BEGIN)
        self._seq = 0

    def sample(self, at_ms: int, distance_mm: int) -> None:
        self._seq += 1
        sample = {"v": 1, "boot": 1, "seq": self._seq, "ts": at_ms, "readings": {"distance_mm": distance_mm}}
        self.line.take([Uplink(at_ms, f"cunjing/v1/xiang/{DEVICE}/telemetry", wire_bytes(sample))])
        self.advance(at_ms)

    def advance(self, at_ms: int) -> None:
        self.line.pipeline.advance(at_ms)
        self.line.commit()

    def set(self, value: object, at_ms: int = BEGIN, **other: object) -> object:
        wish = {
            "place": ThresholdScope.ASSET,
            "name": BIN,
            "rule": "over_two_thirds",
            "figure": "raise_pct",
            "value": value,
        }
        verdict = do(
            SetFigure(**{**wish, "by": BY, "reason": "market day", **other}),  # type: ignore[arg-type] # some are wrong
            self.line.pipeline,
            at_ms,
        )
        self.line.commit()
        return verdict

    def line_pct(self, asset: str = BIN) -> float:
        plan = self.line.pipeline.county.plans[asset]
        return float(plan.slots[plan.place["over_two_thirds"]].rule.raise_pct)  # type: ignore[attr-defined] # a bin's

    def events(self, *names: str) -> list[Event]:
        return [each for each in self.line.said if isinstance(each, Event) and each.event in names]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "journal.db")


def test_a_lower_line_judges_the_last_level_and_one_more_sample_raises(scene: Scene) -> None:
    scene.sample(BEGIN, 600)
    scene.sample(BEGIN + MINUTE, 600)
    assert scene.events("raised") == []
    assert scene.set(58, BEGIN + 2 * MINUTE) == Done(BEGIN + 2 * MINUTE, "figure_set")
    assert scene.events("raised") == [], "the last level counts once, and it takes two"
    scene.sample(BEGIN + 3 * MINUTE, 600)
    assert [event.rule for event in scene.events("raised")] == ["over_two_thirds"]


def test_what_was_set_is_written_with_who_from_where_and_why(scene: Scene) -> None:
    scene.set(58, channel="api", origin="127.0.0.1")
    (event,) = scene.events("figure_set")
    assert (event.rule, event.asset) == ("over_two_thirds", BIN)
    assert event.detail == {
        "by": BY,
        "channel": "api",
        "origin": "127.0.0.1",
        "place": "asset",
        "name": BIN,
        "figure": "raise_pct",
        "was": "66.7",
        "now": "58.0",
        "reason": "market day",
    }
    with closing(sqlite3.connect(scene.path)) as journal:
        assert journal.execute("SELECT count(*) FROM event WHERE event = 'figure_set'").fetchone() == (1,)


def test_an_area_counts_below_it_and_what_is_nearer_wins(tmp_path: Path) -> None:
    def move(document: dict[str, Any]) -> None:
        next(asset for asset in document["assets"] if asset["id"] == "ytan-04")["area"] = "chetian"

    scene = Scene(tmp_path / "journal.db", county(move))

    def lines() -> list[float]:
        return [scene.line_pct(asset) for asset in (BIN, "ytan-04")]

    scene.set(57, place=ThresholdScope.AREA, name=AREA)
    assert lines() == [57, 66.7]
    scene.set(60, place=ThresholdScope.AREA, name="wushi")
    assert lines() == [57, 60]
    scene.set(56)
    assert lines() == [56, 60]
    scene.line.restart(BEGIN + MINUTE)
    assert lines() == [56, 60]


@pytest.mark.parametrize("snapshot", [False, True])
def test_it_counts_after_a_restart_and_judges_nothing_twice(scene: Scene, *, snapshot: bool) -> None:
    scene.sample(BEGIN, 600)
    scene.set(58, BEGIN + MINUTE)
    scene.line.commit(snapshot=snapshot)
    before = dict(scene.line.pipeline.county.states)
    scene.line.restart(BEGIN + 2 * MINUTE)
    assert scene.line_pct() == 58
    assert scene.line.pipeline.county.states[BIN].machines == before[BIN].machines
    scene.sample(BEGIN + 3 * MINUTE, 600)
    assert len(scene.events("raised")) == 1
    assert len(scene.events("figure_set")) == 1


def test_what_was_not_committed_was_not_set(scene: Scene) -> None:
    wish = SetFigure(
        place=ThresholdScope.ASSET,
        name=BIN,
        rule="over_two_thirds",
        figure="raise_pct",
        value=58,
        by=BY,
        reason="market day",
    )
    assert isinstance(do(wish, scene.line.pipeline, BEGIN), Done)
    scene.line.restart(BEGIN + MINUTE)
    assert scene.line_pct() == 66.7


def test_a_raised_alert_recovers_under_a_higher_line(scene: Scene) -> None:
    for minute in range(2):
        scene.sample(BEGIN + minute * MINUTE, 480)
    assert len(scene.events("raised")) == 1
    scene.set(90, BEGIN + 2 * MINUTE)
    scene.set(80, BEGIN + 2 * MINUTE, figure="clear_pct")
    scene.sample(BEGIN + 3 * MINUTE, 480)
    scene.sample(BEGIN + 4 * MINUTE, 480)
    assert [event.event for event in scene.events("cleared")] == ["cleared"]


def test_without_a_value_the_file_counts_again(scene: Scene) -> None:
    scene.set(58)
    assert scene.set(None) == Done(BEGIN, "figure_set")
    assert scene.line_pct() == 66.7
    assert scene.set(None) == Done(BEGIN, "unchanged")
    scene.line.restart(BEGIN + MINUTE)
    assert scene.line_pct() == 66.7


def test_silence_is_measured_by_the_new_value_at_once(scene: Scene) -> None:
    scene.sample(BEGIN, 900)
    scene.set(0.5, rule="offline", figure="battery_intervals")
    scene.set(60, rule="offline", figure="battery_least_s")
    interval_ms = COUNTY.devices[DEVICE].interval_s * 1000
    scene.advance(BEGIN + interval_ms // 2 + 2 * MINUTE)
    assert [event.device for event in scene.events("raised") if event.asset == BIN] == [DEVICE]


def test_the_line_of_the_score_follows(scene: Scene) -> None:
    lines = scene.line.pipeline._lists.lines_pct
    scored = next(asset for asset in lines if asset in scene.line.pipeline.county.plans)
    scene.set(59, name=scored)
    assert lines[scored] == 59


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"by": "cleaner-li"}, "cleaner-li is no dispatcher of asset"),
        ({"name": "nowhere"}, "no asset 'nowhere'"),
        ({"place": ThresholdScope.AREA, "name": "nowhere"}, "no area 'nowhere'"),
        ({"rule": "fyre"}, "no such rule; known are"),
        ({"figure": "raise"}, "no such key"),
        ({"figure": "kind"}, "Input should be 'over_two_thirds'"),
        ({"figure": "kind", "value": "over_two_thirds"}, "has no figure kind"),
        ({"value": 120}, "less than 100"),
        ({"value": "much"}, "valid number"),
        ({"value": [60.0]}, "valid number"),
        ({"rule": "no_power", "figure": "off_delay_s"}, "it watches no bin"),
        ({"rule": "gateway_offline", "figure": "least", "value": 4}, "counts for the whole county"),
        ({"reason": ""}, "the reason is missing"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_and_changes_nothing(scene: Scene, wrong: dict[str, object], said: str) -> None:
    before = dict(scene.line.pipeline.county.plans)
    verdict = scene.set(**{"value": 58, **wrong})  # type: ignore[arg-type] # some are wrong
    assert isinstance(verdict, NotPossible)
    assert said in verdict.reason
    assert scene.line.pipeline.county.plans == before
    assert scene.events("figure_set") == []
    assert scene.line.pipeline.thresholds.list_tuned() == []


def test_a_stranger_sets_nothing(scene: Scene) -> None:
    assert scene.set(58, by="nobody") == UnknownPerson()
    assert scene.line_pct() == 66.7


def test_a_figure_of_what_is_gone_does_not_stop_a_start_and_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "journal.db")
    scene.set(58)
    scene.set(57, place=ThresholdScope.AREA, name=AREA)

    def retire(document: dict[str, Any]) -> None:
        document["assets"] = [asset for asset in document["assets"] if asset["id"] != BIN]
        document["devices"] = [device for device in document["devices"] if device["asset"] != BIN]

    without = county(retire)
    scene.line._inventory = without
    scene.line.restart(BEGIN + MINUTE)
    scene.line.commit()
    (unfit,) = scene.events("figure_unfit")
    assert (unfit.detail or {})["name"] == BIN
    neighbour = next(asset.id for asset in without.bins_in[AREA])
    assert scene.line_pct(neighbour) == 57
    scene.line._inventory = COUNTY
    scene.line.restart(BEGIN + 2 * MINUTE)
    assert scene.line_pct() == 58, "the asset is back, and so is its value"


def test_a_person_may_lie_over_what_the_file_says_for_the_same_place(tmp_path: Path) -> None:
    policy_files = shipped.policy_files()
    text = f"assets: {{{BIN}: {{over_two_thirds: {{raise_pct: 60, clear_pct: 45}}}}}}"
    line = VirtualLine(
        tmp_path / "journal.db", COUNTY, PolicyFiles(text, policy_files.escalation, policy_files.texts), BEGIN
    )
    wish = SetFigure(
        place=ThresholdScope.ASSET,
        name=BIN,
        rule="over_two_thirds",
        figure="raise_pct",
        value=50,
        by=BY,
        reason="market day",
    )
    assert isinstance(do(wish, line.pipeline, BEGIN), Done)
    rule = line.pipeline.thresholds.rules.of(COUNTY.assets[BIN])["over_two_thirds"]
    assert (rule.raise_pct, rule.clear_pct) == (50, 45)  # type: ignore[attr-defined] # a bin's
    assert [each for each in line.pipeline.changes.log if isinstance(each, Owed)] == []
