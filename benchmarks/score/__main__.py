"""The run: ``python -m benchmarks.score [--size S] [--seeds "A B"]``, or one run's own three files.

Ends with 0 when it scored, whatever it found; with 2 and a sentence when it could not.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.score import aims, county, running, table
from benchmarks.score.said import SayingFault
from benchmarks.score.tally import Tally
from benchmarks.score.truth import TruthFault
from gateway.replay import RecordingFault
from gateway.settings import SettingsFault

RESULTS: Final = Path(__file__).parents[1] / "results"
KEPT: Final = RESULTS / ".score"
FAULTS: Final = (county.NoSeeds, running.ScoreFault, TruthFault, SayingFault, RecordingFault, SettingsFault, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Scores, prints the tables, writes the file."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.score", description=__doc__)
    asked.add_argument("--size", choices=county.SIZES, default="default")
    asked.add_argument("--seeds", default="", help="names of seeds, apart by spaces; else they come from the commit")
    asked.add_argument("--world", choices=county.WORLDS, action="append", help="may be given again; else all there are")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; one a core without it")
    asked.add_argument("--out", type=Path, help="the JSON file; else benchmarks/results/score-SIZE.json")
    for name in ("uplinks", "inventory", "truth"):
        asked.add_argument(f"--{name}", type=Path, metavar="FILE", help="score this run; all three are needed")
    asked.add_argument("--events", type=Path, metavar="FILE", help="what was said of it; else the platform is asked")
    options = asked.parse_args(arguments)
    files = [options.uplinks, options.inventory, options.truth]
    if any(files) and not all(files):
        asked.error("give --uplinks, --inventory and --truth together")
    try:
        if all(files):
            scored = [running.score_files(options.uplinks, options.inventory, options.truth, options.events)]
            found = summary("files", "-", scored)
        else:
            found = score(options)
    except FAULTS as fault:
        asked.exit(2, f"{asked.prog}: {fault}\n")
    table.show(found)
    out = options.out or (None if all(files) else RESULTS / f"score-{options.size}.json")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


def score(options: argparse.Namespace) -> dict[str, Any]:
    """All seeds of all worlds, a process a core; what an earlier run of the same commit kept is not done again."""
    size, of = county.SIZES[options.size], "-"
    seeds = tuple(options.seeds.split())
    if not seeds:
        of = county.commit()
        seeds = county.scoring_seeds(of, size.seeds)
    folder = KEPT / of if of != "-" and county.is_clean() else None
    wanted = [(seed, world) for world in options.world or county.worlds() for seed in seeds]
    return summary(size.name, of, _each(size, wanted, folder, options.jobs), asdict(size))


def _each(size: county.Size, wanted: list[tuple[str, str]], folder: Path | None, jobs: int) -> Iterator[running.Scored]:
    paths = {each: folder / f"{size.name}-{each[1]}-{each[0]}.json" for each in wanted} if folder else {}
    left = []
    for each in wanted:
        before = running.kept(paths[each]) if folder else None
        if before is None:
            left.append(each)
        else:
            yield before
    with ProcessPoolExecutor(jobs) as pool:
        running_now = {pool.submit(running.score_seed, size, *each): each for each in left}
        for done in as_completed(running_now):
            scored = done.result()
            if folder:
                running.keep(scored, paths[running_now[done]])
            print(f"{scored.world} {scored.seed}: {scored.uplinks} uplinks, {scored.said} sayings", file=sys.stderr)
            yield scored


def summary(size: str, of: str, runs: Iterable[running.Scored], scope: dict[str, Any] | None = None) -> dict[str, Any]:
    """All runs added up, ready for a file and the tables."""
    worlds: dict[str, dict[str, Tally]] = {}
    seeds = set()
    for run in runs:
        seeds.add(run.seed)
        for name, tally in run.tallies.items():
            worlds.setdefault(run.world, {}).setdefault(name, Tally()).join(tally)
    return {
        "size": size,
        "scope": scope,
        "commit": of,
        "seeds": sorted(seeds),
        "tuning_seeds": list(county.TUNING_SEEDS),
        "worlds": {
            world: {
                name: {"aims": aims.list_aims(tallies[name]), "kinds": aims.list_kinds(tallies[name])}
                for name in running.SAID_BY
            }
            for world, tallies in sorted(worlds.items())
        },
    }


if __name__ == "__main__":
    sys.exit(main())
