"""One seed from its scenario to its counts: told, heard, replayed with an office, judged by what really was.

Nothing of one seed is known to another, so that each has a process of its own.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.score import baselines, faults, forecasts, heard, join, said, truth
from benchmarks.score.county import Size, scenario_yaml
from benchmarks.score.office import Office
from benchmarks.score.tally import Tally
from firmware_sim.__main__ import main as firmware_sim
from gateway import imports, logs, shipped
from gateway.replay import read, replay
from telemetry.inventory import Inventory

SAID_BY: Final = ("platform", "threshold", "drop")


class ScoreFault(Exception):  # noqa: N818 -- a fault of what is given, said in a sentence
    """It cannot be scored; the text says why and what to do."""


class Scored(Struct):
    """What a run came to, by who said it."""

    seed: str
    world: str
    assets: int
    uplinks: int
    said: int
    tallies: dict[str, Tally]


def score_seed(size: Size, seed: str, world: str) -> Scored:
    """Makes the three files of a seed in a folder that is gone afterwards, and scores them."""
    with tempfile.TemporaryDirectory(prefix="cunjing-score-") as name:
        folder = Path(name)
        scenario, uplinks, inventory, true = (
            folder / each for each in ("county.yaml", "uplinks.jsonl", "inventory.yaml", "truth.jsonl")
        )
        scenario.write_text(scenario_yaml(size, seed, world), "utf-8")
        told = ["tell", str(scenario), "--uplinks", str(uplinks), "--inventory", str(inventory), "--truth", str(true)]
        firmware_sim(told)
        return score_files(uplinks, inventory, true)


def score_files(uplinks: Path, inventory: Path, true: Path, events: Path | None = None) -> Scored:
    """Scores three files, whoever wrote them; without ``events`` the platform is asked what it says.

    Raises ``TruthFault``, ``SayingFault``, ``RecordingFault`` and ``SettingsFault``.
    """
    logs.configure(level=logging.ERROR)
    county = imports.checked(inventory)
    with true.open("rb") as lines:
        known = truth.read(lines, str(true))
    strangers = sorted(known.sites.keys() - county.assets.keys())
    if strangers:
        raise ScoreFault(f"{true}: the inventory has no {strangers[0]}; give the files of one run")
    floors = {site.asset: site.floor_mm for site in known.sites.values()}
    blind = [heard.Blind(lie.asset, lie.from_ms, lie.to_ms) for lie in faults.join_blind(known)]
    with uplinks.open("rb") as lines:
        in_time = takewhile(lambda uplink: uplink.received_ms <= known.ends_ms, read(lines, str(uplinks)))
        ears = heard.listen(in_time, county, floors, blind)
    if events is None:
        with uplinks.open("rb") as lines:
            ours = list(ask_platform(lines, str(uplinks), county, known))
    else:
        with events.open("rb") as lines:
            ours = [said.parse(line, f"{events}:{nth}") for nth, line in enumerate(lines, 1) if line.strip()]
    spoken = {"platform": ours, **baselines.speak(ears, county)}
    return Scored(
        str(known.world.seed),
        known.world.world,
        len(known.sites),
        sum(len(ear.samples) for ear in ears.values()),
        len(ours),
        {
            name: judge(known, said.sort_out(lines), ears, county, thought=name == "platform")
            for name, lines in spoken.items()
        },
    )


KEPT: Final = frozenset({"raised", "ascertained", "cleared", "reset", "emptied", "partly_emptied", "owed", "forecast"})


def ask_platform(lines: Iterable[bytes], name: str, county: Inventory, known: truth.Truth) -> Iterator[said.Said]:
    """What ``cunjing replay --verbose`` prints, as far as it is judged, with an office that acts on it."""
    office = Office(known, county)
    uplinks = read(lines, name)
    said_on = replay(uplinks, county, shipped.policy_files(), until_ms=known.ends_ms, verbose=True, people=office)
    for line in said_on:
        told = said.parse(line)
        if told.event in KEPT:
            office.listen(told)
            yield told


def judge(
    known: truth.Truth, story: said.Story, ears: dict[str, heard.Ear], county: Inventory, *, thought: bool
) -> Tally:
    """Everything that is counted of one who spoke; a baseline says nothing of devices, plants and hours to come."""
    tally = Tally()
    for episode in story.episodes.values():
        if episode.asset in ears:
            episode.since_ms = ears[episode.asset].reaches_back(episode.raised_ms)
    join.judge_emptyings(known, story, ears, tally)
    join.judge_lines(known, story, ears, tally)
    join.judge_line_texts(known, story, tally)
    join.judge_fires(known, story, ears, tally)
    if thought:
        faults.judge_all(known, story, ears, county, tally)
        forecasts.judge_forecasts(known, story, tally)
    return tally


def keep(scored: Scored, path: Path) -> None:
    """Written whole or not at all, so that a run goes on where it was ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(scored))
    half.replace(path)


def kept(path: Path) -> Scored | None:
    """What an earlier run kept."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scored)
    except (OSError, msgspec.DecodeError):
        return None
