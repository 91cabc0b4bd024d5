"""The run of a score: which seeds, which jobs, anybody's three files, and what an ended run goes on from."""

import json
from pathlib import Path

import msgspec
import pytest

from benchmarks.score import county, running
from benchmarks.score.__main__ import main, summary
from benchmarks.score.county import SCORING_IS_NOT, SIZES, TUNING_SEEDS, NoSeeds, jobs, scoring_seeds
from benchmarks.score.tally import Tally
from firmware_sim.scenario import load
from gateway.replay import written
from tests.gateway.test_wishes import hot
from tests.score.made import bin_site, event, fault, levels
from tests.small_county import COUNTY, iso


def test_seeds_that_count_come_from_the_commit_and_are_nobodys() -> None:
    seeds = scoring_seeds("0123456789abcdef", 3)
    assert seeds == ("0123456789ab-1", "0123456789ab-2", "0123456789ab-3")
    assert not SCORING_IS_NOT & set(seeds)
    assert set(TUNING_SEEDS) < SCORING_IS_NOT


def test_outside_a_checkout_seeds_have_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(NoSeeds, match=r"is no checkout: scoring seeds come from its commit\. Name some: make score"):
        county.commit(tmp_path)


@pytest.mark.parametrize("world", county.WORLDS)
@pytest.mark.parametrize("size", [size for size in SIZES.values() if size.bins], ids=lambda size: size.name)
def test_every_size_is_a_scenario_and_the_same_each_time(size: county.Size, world: str) -> None:
    text = county.scenario_yaml(size, "tuning-1", world)
    scenario = load(text)
    assert (scenario.fleet.bins, scenario.hours, str(scenario.world)) == (size.bins, size.days * 24, world)
    assert text == county.scenario_yaml(size, "tuning-1", world)
    assert text != county.scenario_yaml(size, "tuning-2", world)


def test_a_full_score_has_its_plants_apart() -> None:
    full = jobs(SIZES["full"], ("a", "b"), ("plain", "real"))
    assert [job.name for job in full if job.part != "plants"] == ["plain-a", "plain-b", "real-a", "real-b"]
    assert len([job for job in full if job.part == "plants"]) == 15
    assert [job.part for job in jobs(SIZES["default"], ("a",), ("real",))] == ["real"]


def files(folder: Path) -> list[str]:
    """A bin that burns, three times hot, and what really was."""
    world = {"truth": "world", "scenario": "made", "seed": "made", "world": "plain", "from": iso(0), "to": iso(3)}
    truth = [world, bin_site(), levels(*[12.0] * 3), fault("fire", 0.2, 0.9, asset="a")]
    texts = {
        "uplinks": map(written, hot(10, 80, 80, 20, 20, 20)),
        "inventory": [COUNTY],
        "truth": (json.dumps(row) for row in truth),
    }
    asked = []
    for name, lines in texts.items():
        (folder / name).write_text("\n".join(lines), "utf-8")
        asked += [f"--{name}", str(folder / name)]
    return [*asked, "--out", str(folder / "score.json")]


def aims(folder: Path, sayer: str = "platform") -> dict[str, tuple[int, int]]:
    found = json.loads((folder / "score.json").read_text("utf-8"))["worlds"]["plain"][sayer]["aims"]
    return {row["count"]: (row["hits"], row["of"]) for row in found}


def test_anybodys_three_files_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path)) == 0
    assert aims(tmp_path)["fire.recall"] == aims(tmp_path, "threshold")["fire.recall"] == (1, 1)
    assert aims(tmp_path, "drop")["fire.recall"] == (0, 1)
    shown = capsys.readouterr().out
    assert "fire, at the sample that shows it" in shown
    assert "none said" in shown, "nobody forecasts yet"
    assert "undecided" in shown


def test_what_was_said_may_be_given_instead_of_asked_for(tmp_path: Path) -> None:
    said = tmp_path / "events"
    said.write_text("", "utf-8")
    assert main([*files(tmp_path), "--events", str(said)]) == 0
    assert aims(tmp_path)["fire.recall"] == (0, 1)
    said.write_bytes(msgspec.json.encode(event("raised", 1 / 3, rule="fire")))
    assert main([*files(tmp_path), "--events", str(said)]) == 0
    assert aims(tmp_path)["fire.recall"] == (1, 1)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("truth", "{", "truth:1: not a line of truth"),
        ("uplinks", "{", "uplinks:1: not an uplink"),
        ("inventory", "county: 1", "county"),
        ("events", "{", "events:1: not a line of `cunjing replay`"),
    ],
)
def test_a_bad_file_ends_it_with_a_sentence(
    name: str, text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = files(tmp_path)
    (tmp_path / "events").write_text("", "utf-8")
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--events", str(tmp_path / "events")])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_files_of_two_runs_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = files(tmp_path)
    truth = tmp_path / "truth"
    truth.write_text(truth.read_text("utf-8") + "\n" + json.dumps(bin_site("elsewhere")), "utf-8")
    with pytest.raises(SystemExit):
        main(asked)
    assert "the inventory has no elsewhere; give the files of one run" in capsys.readouterr().err


def one(seed: str, hits: int, of: int) -> running.Scored:
    tally = Tally()
    for nth in range(of):
        tally.of("emptied.recall").add(hit=nth < hits, case="" if nth < hits else f"{seed} missed")
    return running.Scored(seed, "", "plain", 1, 1, 1, dict.fromkeys(running.SAID_BY, tally))


def test_runs_are_added_up_whatever_their_order() -> None:
    runs = [one("a", 3, 4), one("b", 5, 6)]
    found = summary("x", "-", runs)
    (row,) = (row for row in found["worlds"]["plain"]["drop"]["aims"] if row["count"] == "emptied.recall")
    assert (row["hits"], row["of"], row["cases"]) == (8, 10, ["a missed", "b missed"])
    assert summary("x", "-", runs[::-1]) == found


def test_what_was_kept_is_read_again_and_half_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "plain-a.json"
    assert running.kept(path) is None
    running.keep(one("a", 3, 4), path)
    assert running.kept(path) == one("a", 3, 4)
    path.write_bytes(path.read_bytes()[:-10])
    assert running.kept(path) is None
