"""``python -m firmware_sim``: ``tell`` writes what a fleet says, what its inventory claims and what really was.

The three files are all that a scorer needs, whoever wrote them; ``matrix`` writes a scenario of one fault at plants of
every signal set. Nothing here decides what happens.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from firmware_sim.county import inventory_yaml
from firmware_sim.matrix import matrix, written
from firmware_sim.radio import TimedUplink
from firmware_sim.scenario import PLANT_FAULTS, Happening, Scenario, ScenarioError, load
from firmware_sim.traces import tell
from firmware_sim.truth_file import iso

SHIPPED: Final = Path(__file__).parent / "scenarios"


def main(arguments: list[str] | None = None) -> int:
    """Writes the files; 0 when all are written, 2 and a sentence when the scenario or a path cannot be used."""
    asked = argparse.ArgumentParser(prog="python -m firmware_sim", description=__doc__)
    verbs = asked.add_subparsers(dest="verb", required=True)
    wanted = verbs.add_parser("tell", help="write uplinks, inventory and truth of a scenario")
    wanted.add_argument("scenario", metavar="SCENARIO", help="a scenario file, or the name of one of the house")
    for name, what in (
        ("uplinks", "what the fleet says: a recording, one uplink a line"),
        ("inventory", "what the office claims: an inventory file"),
        ("truth", "what really was: one line a fact"),
    ):
        wanted.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=what)
    crossed = verbs.add_parser("matrix", help="write the scenario of one fault at plants of all fourteen signal sets")
    faults = [str(fault) for fault in PLANT_FAULTS]
    crossed.add_argument("fault", metavar="FAULT", choices=faults, help=", ".join(faults))
    crossed.add_argument("--seed", default="matrix", help="what is drawn depends on it alone")
    crossed.add_argument("--injections", type=int, default=10, metavar="N", help="plants of each set, each hit once")
    crossed.add_argument("--days", type=int, metavar="N", help="how long it runs; else 10, or 42 where it is learned")
    crossed.add_argument("--interval", type=int, default=600, metavar="S", help="seconds between a plant's samples")
    crossed.add_argument("--to", type=Path, required=True, metavar="FILE", help="the scenario file")
    options = asked.parse_args(arguments)
    try:
        said = _tell(options) if options.verb == "tell" else _cross(options)
    except (ScenarioError, ValidationError, OSError) as fault:
        asked.exit(2, f"{asked.prog}: {fault}\n")
    sys.stdout.write(said + "\n")
    return 0


def _tell(options: argparse.Namespace) -> str:
    scenario = find(options.scenario)
    run = tell(scenario, Path(options.scenario).stem)
    options.inventory.write_text(inventory_yaml(scenario), "utf-8")
    said = _write(options.uplinks, map(recorded, run.uplinks))
    true = _write(options.truth, map(msgspec.json.encode, run.truth()))
    return f"{said} uplinks to {options.uplinks}, {true} lines of truth to {options.truth}"


def _cross(options: argparse.Namespace) -> str:
    scenario = matrix(Happening(options.fault), options.seed, options.injections, options.days, options.interval)
    options.to.write_text(written(scenario), "utf-8")
    return f"{options.fault} at {scenario.fleet.plants} plants to {options.to}"


def find(named: str) -> Scenario:
    """The scenario of a file, or of a name of the house. Raises ``ScenarioError`` if there is neither, or a bad one."""
    path = Path(named)
    if not path.is_file():
        shipped = {found.stem: found for found in sorted(SHIPPED.glob("*.yaml"))}
        if named not in shipped:
            raise ScenarioError(f"there is no scenario file {named!r}; those of the house are {', '.join(shipped)}")
        path = shipped[named]
    try:
        return load(path.read_text("utf-8"))
    except (ScenarioError, UnicodeDecodeError) as fault:
        raise ScenarioError(f"{path}: {fault}") from fault


def recorded(uplink: TimedUplink) -> bytes:
    """An uplink as a line of a recording (contracts/uplinks.example.jsonl)."""
    said: dict[str, Any] = {"received_at": iso(uplink.at_ms), "topic": uplink.topic, "payload": uplink.payload.decode()}
    return msgspec.json.encode(said)


def _write(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as out:
        for line in lines:
            out.write(line + b"\n")
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
