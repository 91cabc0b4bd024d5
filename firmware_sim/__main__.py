"""``python -m firmware_sim tell SCENARIO``: what a fleet says, what its inventory claims and what really was, as files.

The three files are all that a scorer needs, whoever wrote them. Nothing here decides what happens.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from firmware_sim.county import inventory_yaml
from firmware_sim.radio import TimedUplink
from firmware_sim.scenario import Scenario, ScenarioError, load
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
    options = asked.parse_args(arguments)
    try:
        scenario = find(options.scenario)
        telling = tell(scenario, Path(options.scenario).stem)
        options.inventory.write_text(inventory_yaml(scenario), "utf-8")
        said = _write(options.uplinks, map(recorded, telling.uplinks))
        true = _write(options.truth, map(msgspec.json.encode, telling.truth()))
    except (ScenarioError, OSError) as fault:
        asked.exit(2, f"{asked.prog}: {fault}\n")
    sys.stdout.write(f"{said} uplinks to {options.uplinks}, {true} lines of truth to {options.truth}\n")
    return 0


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
