"""``make storm SEED=n DAYS=m``: lives through a seed, or through seed after seed, and prints what came of it.

With ``SEED`` it prints all that the seed expands to, so many days long; without, it lives through seeds of a few days
each, from ``FROM`` on, until ``DAYS`` county-days are over. What it finds is cut down and written to a file that
``FILE=…`` replays. ``VARIANT=t1`` breaks the gateway on purpose (``faults/``).
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.storm.days import DAYS, live
from tests.storm.shrink import shrunk
from tests.storm.steps import Seeded, dump, expand, load
from tests.storm.storm import Storm, Violation

FOUND: Final = Path(__file__).parent / "found"


def main() -> int:
    """The exit code: 0 where the laws hold."""
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--variant", default="")
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.file is not None:
        return _one(load(asked.file.read_text("utf-8")))
    if asked.seed is not None:
        return _one(expand(asked.seed, asked.days, asked.variant))
    return _many(asked.first, asked.days, asked.variant)


def _one(seeded: Seeded) -> int:
    try:
        storm = live(seeded)
    except Violation as found:
        return _report(seeded, found)
    print("\n".join(storm.printed))
    return 0


def _many(seed: int, days: int, variant: str) -> int:
    began_s, lived, counts = time.monotonic(), 0, Counter[str]()
    while lived < days:
        seeded = expand(seed, DAYS, variant)
        try:
            storm: Storm = live(seeded)
        except Violation as found:
            return _report(seeded, found)
        counts += storm.counts
        lived, seed = lived + DAYS + 1, seed + 1
        if seed % 10 == 0:
            rates = ", ".join(f"{counts[name] / lived:.1f} {name}" for name in ("faults", "texts", "commands"))
            print(f"{lived} county-days, {rates} a day, {time.monotonic() - began_s:.0f} s", flush=True)
    return 0


def _report(seeded: Seeded, found: Violation) -> int:
    print(f"seed {seeded.seed}, {seeded.days} days: {found}")
    print("cutting it down ...", flush=True)
    small = shrunk(seeded, found.law)
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{found.law.replace(' ', '-')}-{seeded.seed}.jsonl"
    path.write_text(dump(small), "utf-8")
    print("\n".join(map(str, small.steps)))
    print(dump(small))
    print(f"make storm FILE={path.relative_to(Path.cwd())}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
