"""The truth as a file: it says what the physics did, in the shape that a scorer reads, and changes no uplink."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.__main__ import find, main
from firmware_sim.county import inventory_yaml
from firmware_sim.diary import BinDiary, PlantDiary, PumpState
from firmware_sim.scenario import DAY_MS, HOUR_MS, Scenario, load
from firmware_sim.traces import tell, trace
from firmware_sim.truth_file import HORIZON_MS, OVERFLOW_PCT, TWO_THIRDS_PCT, iso, reaches
from gateway.replay import millis, read
from telemetry.reading import Millis

TEXT = """
seed: truth
start: 2026-11-22T16:00:00Z
hours: 60
fleet: {towns: 1, villages: 4, bins: 20, plants: 3, meter_only: 0}
events:
  - {at: 5, kind: stuck, target: bin-0003}
  - {at: 6, kind: plant_stop, target: plant-0001, hours: 4}
  - {at: 7, kind: power_cut, target: plant-0002, hours: 2}
  - {at: 8, kind: dead_sensor, target: bin-0004}
  - {at: 9, kind: fire, target: bin-0005}
  - {at: 3, kind: gateway_outage, target: g01, hours: 3}
  - {kind: never_installed, target: bin-0006}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(TEXT)


@pytest.fixture(scope="module")
def rows(scenario: Scenario) -> list[dict[str, Any]]:
    return list(tell(scenario, "truth").truth())


def of(rows: list[dict[str, Any]], truth: str, **wanted: object) -> list[dict[str, Any]]:
    return [row for row in rows if row["truth"] == truth and all(row[key] == value for key, value in wanted.items())]


def filled(*knots: tuple[Millis, float, float]) -> BinDiary:
    diary = BinDiary()
    for knot in knots:
        diary.note(*knot)
    return diary


def test_who_keeps_diaries_says_the_same_bytes(scenario: Scenario) -> None:
    assert list(tell(scenario, "truth").uplinks) == list(trace(scenario))


def test_three_files_say_what_the_fleet_says_what_is_claimed_and_what_was(tmp_path: Path) -> None:
    story, said = tmp_path / "story.yaml", {key: tmp_path / key for key in ("uplinks", "inventory", "truth")}
    story.write_text(TEXT, "utf-8")
    assert main(["tell", str(story), *(part for key, path in said.items() for part in (f"--{key}", str(path)))]) == 0
    scenario = load(TEXT)
    recording = said["uplinks"].read_bytes().splitlines()
    heard = [(uplink.received_ms, uplink.topic, uplink.payload) for uplink in read(recording, "uplinks")]
    assert heard == [tuple(uplink) for uplink in trace(scenario)]
    assert said["inventory"].read_text("utf-8") == inventory_yaml(scenario)
    first = json.loads(said["truth"].read_text("utf-8").splitlines()[0])
    assert first == {
        "truth": "world",
        "scenario": "story",
        "seed": "truth",
        "world": "plain",
        "from": "2026-11-22T16:00:00.000Z",
        "to": "2026-11-25T04:00:00.000Z",
    }


@pytest.mark.parametrize(("named", "said"), [("no_such", "no scenario file 'no_such'"), ("bad.yaml", "hours: Field")])
def test_a_scenario_that_cannot_be_told_ends_with_a_sentence(
    named: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("{seed: 1, start: 2026-11-22T16:00:00Z}", "utf-8")
    wanted = named if named == "no_such" else str(tmp_path / named)
    files = [part for key in ("uplinks", "inventory", "truth") for part in (f"--{key}", str(tmp_path / key))]
    with pytest.raises(SystemExit) as ended:
        main(["tell", wanted, *files])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_scenario_of_the_house_is_found_by_its_name() -> None:
    assert find("ordinary_week").seed == "ordinary-week"


def test_lines_are_sorted_and_speak_of_every_site(rows: list[dict[str, Any]]) -> None:
    assert rows[0]["truth"] == "world"
    assert len(of(rows, "site", kind="bin")) == 20
    assert len(of(rows, "site", kind="plant")) == 3
    instants = [row.get("from") or row["at"] for row in rows if row["truth"] not in {"world", "site"}]
    assert instants == sorted(instants)


def test_every_ordered_fault_stands_in_the_truth(rows: list[dict[str, Any]], scenario: Scenario) -> None:
    told = {(row["fault"], row["device"] or row["asset"], row["from"], row["to"]) for row in of(rows, "fault")}
    hour = [iso(scenario.start_ms + n * HOUR_MS) for n in range(20)]
    assert {
        ("trip", "plant-0001", hour[6], hour[10]),
        ("power_cut", "plant-0002", hour[7], hour[9]),
        ("dead_sensor", "bin-0004", hour[8], None),
        ("fire", "bin-0005", hour[9], hour[10]),
        ("gateway_outage", "g01", hour[3], hour[6]),
        ("never_installed", "bin-0006", hour[0], None),
    } <= told


def test_levels_run_through_the_silence_of_a_device(rows: list[dict[str, Any]], scenario: Scenario) -> None:
    silent = {row["asset"] for row in of(rows, "fault") if row["fault"] in {"dead_sensor", "never_installed"}}
    assert len(silent) == 2
    for asset in silent:
        days = of(rows, "levels", asset=asset)
        assert [row["from"] for row in days] == [iso(scenario.start_ms + n * DAY_MS) for n in range(3)]
        levels = [pct for row in days for pct in row["fill_pct"]]
        assert len(levels) == 360
        assert len(set(levels[-72:])) > 10, "it fills on"


def test_levels_fall_at_visits_and_nowhere_else(rows: list[dict[str, Any]], scenario: Scenario) -> None:
    visits = defaultdict(list)
    for row in of(rows, "visit"):
        visits[row["asset"]].append(row)
    assert sum(map(len, visits.values())) > 20
    for asset, told in visits.items():
        levels = [pct for row in of(rows, "levels", asset=asset) for pct in row["fill_pct"]]
        falls = sum(after < before for before, after in pairwise(levels))
        assert falls <= len(told)
        assert all(row["left_pct"] < row["found_pct"] for row in told if row["found_pct"] > 1)
        for row in told:
            i = next(i for i in range(360) if iso(scenario.start_ms + i * 600_000) >= row["at"])
            assert row["left_pct"] - 0.1 <= levels[i] <= row["left_pct"] + 8


def test_a_round_that_did_not_come_is_missed_and_no_visit(rows: list[dict[str, Any]]) -> None:
    missed = {(row["asset"], row["at"]) for row in of(rows, "missed")}
    assert missed
    assert not missed & {(row["asset"], row["at"]) for row in of(rows, "visit")}


def test_a_stuck_sensor_is_wrong_from_the_first_sample_that_is_eight_points_off(
    rows: list[dict[str, Any]], scenario: Scenario
) -> None:
    (lie,) = of(rows, "lie")
    assert (lie["lie"], lie["device"], lie["to"]) == ("stuck", "bin-0003", None)
    assert lie["from"] == iso(scenario.start_ms + 5 * HOUR_MS)
    levels = [pct for row in of(rows, "levels", asset=lie["asset"]) for pct in row["fill_pct"]]
    frozen, wrong = (
        levels[next(i for i in range(360) if iso(scenario.start_ms + i * 600_000) >= at)]
        for at in (lie["from"], lie["wrong_from"])
    )
    assert abs(wrong - frozen) > 5


def test_nobody_coming_a_line_is_crossed_after_the_last_level_below_it() -> None:
    diary = filled((0, 40, 0), (HOUR_MS, 50, 10), (2 * HOUR_MS, 60, 10))
    diary.note_visit(2 * HOUR_MS, 60, 0)
    diary.note(12 * HOUR_MS, 50, 50)
    assert reaches(diary, 0, 45) == HOUR_MS // 2
    assert reaches(diary, 0, 65) == 3 * HOUR_MS, "the visit is not held against it"
    assert reaches(diary, 2 * HOUR_MS, 45) == 11 * HOUR_MS, "and what it took is gone from then on"
    assert reaches(diary, HOUR_MS, 50) == HOUR_MS, "who stands on the line has crossed it"
    assert reaches(diary, 0, 140) is None
    assert reaches(filled((0, 0, 0), (HORIZON_MS + HOUR_MS, 80, 80)), 0, 79.9) is None, "beyond a week nobody asks"


def test_crossings_agree_with_the_levels_until_somebody_comes(rows: list[dict[str, Any]]) -> None:
    checked = 0
    for row in of(rows, "crossings"):
        levels = of(rows, "levels", asset=row["asset"])
        instants = [at for one in levels for at in _instants(one)]
        pct = [pct for one in levels for pct in one["fill_pct"]]
        visits = sorted(one["at"] for one in of(rows, "visit", asset=row["asset"]))
        for hour, at in zip(_instants(row, "two_thirds_at"), row["two_thirds_at"], strict=True):
            until = next((visit for visit in visits if visit > hour), "9")
            if at is None or at >= until:
                continue
            for instant, level in zip(instants, pct, strict=True):
                if hour <= instant < until and instant != at:
                    assert (level >= TWO_THIRDS_PCT - 0.06) if instant > at else (level <= TWO_THIRDS_PCT + 0.06)
            checked += 1
        assert len(row["overflow_at"]) == len(row["two_thirds_at"])
        for third, over in zip(row["two_thirds_at"], row["overflow_at"], strict=True):
            assert over is None or third <= over
    assert checked > 20
    assert TWO_THIRDS_PCT < OVERFLOW_PCT


def _instants(row: dict[str, Any], key: str = "fill_pct") -> list[str]:
    from_ms = millis(row["from"])
    return [iso(from_ms + i * row["step_s"] * 1000) for i in range(len(row[key]))]


def test_a_plants_runs_say_what_it_did(rows: list[dict[str, Any]]) -> None:
    def states(device: str) -> list[str]:
        (asset,) = (row["asset"] for row in of(rows, "site", device=device))
        return [state for row in of(rows, "runs", asset=asset) for state in row["state"]]

    assert set(states("plant-0001")[36:60]) == {"STOPPED"}
    assert set(states("plant-0002")[42:54]) == {"NO_POWER"}
    assert {"RUNNING", "IDLE"} == set(states("plant-0003"))
    for row in of(rows, "runs"):
        assert all(
            (flow > 0) is (state == "RUNNING") for state, flow in zip(row["state"], row["flow_m3h"], strict=True)
        )
        assert len(row["level_mm"]) == len(row["state"])


def test_a_stretchs_level_runs_straight() -> None:
    diary = PlantDiary()
    diary.note(0, 300, 0, PumpState.IDLE)
    diary.note(HOUR_MS, 900, 5, PumpState.RUNNING)
    assert diary.look(HOUR_MS // 2) == (PumpState.IDLE, 600, 0)
    assert diary.look(HOUR_MS) == (PumpState.RUNNING, 900, 5)
