"""The counties that are scored: how large, how long, what happens in them by order, and from which seeds.

Orders are drawn per seed by a generator of their own, so that the simulator's chance is not moved by them. In a real
world most of it happens by itself.
"""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import yaml

from firmware_sim.scenario import PLANT_FAULTS

ROOT: Final = Path(__file__).parents[2]
STARTS: Final = datetime(2026, 11, 1, 16, tzinfo=UTC)
"""Monday, midnight in Shanghai: the heating season has begun."""
TUNING_SEEDS: Final = ("tuning-1", "tuning-2", "tuning-3")
"""Detectors may be looked at with these. A result that counts is never made from them."""
SCORING_IS_NOT: Final = frozenset({*TUNING_SEEDS, "floor"})
"""All seeds that somebody knows, those of tests among them."""
WORLDS: Final = ("plain", "real")
VILLAGES_A_GATEWAY: Final = 4
LYING: Final = 0.1
"""The share of sensors that lie for good in a plain world; a real one has its own."""
TROUBLES: Final[Mapping[str, float]] = {
    "tilted": 0.03,
    "dead_sensor": 0.03,
    "battery_low": 0.03,
    "clock_wrong": 0.02,
    "never_installed": 0.01,
}
"""The share of bins to which each lasting trouble comes by order."""


class NoSeeds(Exception):  # noqa: N818 -- said in a sentence
    """There is no commit to take seeds from; its text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is scored."""

    name: str
    seeds: int
    days: int
    bins: int
    plants: int
    villages: int
    injections: int = 0
    """So many of each fault at each set of signals, beside the counties; with 0 plants are scored in these alone."""


SIZES: Final = {
    "small": Size("small", 1, 7, 60, 6, 12),
    "default": Size("default", 3, 28, 100, 12, 16),
    "full": Size("full", 30, 56, 300, 12, 32, injections=10),
    "plants": Size("plants", 0, 0, 0, 0, 0, injections=10),
}
APART: Final = "plants"
"""What the runs are called in which only plants stand, each fault in one of its own."""


class Job(NamedTuple):
    """One run: a seed of a world, or a fault at plants of every set of signals."""

    part: str
    seed: str
    fault: str = ""

    @property
    def name(self) -> str:
        """As a file is called."""
        return "-".join(filter(None, (self.part, self.fault, self.seed)))


def commit(root: Path = ROOT) -> str:
    """The commit that is checked out. Raises ``NoSeeds`` where there is none."""
    try:
        said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise NoSeeds(
            f"{root} is no checkout: scoring seeds come from its commit. Name some: make score SEEDS='a b c'"
        ) from None
    return said.stdout.strip()


def is_clean() -> bool:
    """Whether what runs is what was committed."""
    told = ["git", "status", "--porcelain", "--untracked-files=no"]
    said = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.returncode == 0 and not said.stdout.strip()


def scoring_seeds(of: str, number: int) -> tuple[str, ...]:
    """So many seeds that nobody knew before the commit ``of`` was made."""
    return tuple(f"{of[:12]}-{nth + 1}" for nth in range(number))


def jobs(size: Size, seeds: tuple[str, ...], worlds: Iterable[str]) -> list[Job]:
    """Every run of a size, the longest first: what plants must learn takes six weeks."""
    apart = [Job(APART, seeds[0], str(fault)) for fault in PLANT_FAULTS] if size.injections else []
    return [*apart, *(Job(world, seed) for world in worlds for seed in seeds if size.bins)]


def scenario_yaml(size: Size, seed: str, world: str = "plain") -> str:
    """The scenario of a seed, as a file."""
    draw = Random(f"{seed}/score")
    events = [*_of_devices(size, draw)]
    told: dict[str, Any] = {
        "seed": seed,
        "start": STARTS.isoformat().replace("+00:00", "Z"),
        "hours": size.days * 24,
        "fleet": {"towns": 1, "villages": size.villages, "bins": size.bins, "plants": size.plants, "feeders": 4},
    }
    if world == "plain":
        events += [*_of_bins(size, draw), *_of_plants(size, draw), *_of_gateways(size, draw)]
    else:
        told["world"] = world
    return yaml.safe_dump({**told, "events": events}, allow_unicode=True, sort_keys=False)


def _event(kind: str, target: str, at: float, **more: float) -> dict[str, Any]:
    return {
        "at": round(at, 3),
        "kind": kind,
        "target": target,
        **{name: round(value, 2) for name, value in more.items()},
    }


def _of_devices(size: Size, draw: Random) -> list[dict[str, Any]]:
    """Some tilt, die, run low or go wrong; each has one lasting trouble at most."""
    hours, found = size.days * 24, []
    deck = draw.sample(_bins(size), size.bins)
    for kind, share in TROUBLES.items():
        for _ in range(max(1, round(share * size.bins))):
            at = 0 if kind == "never_installed" else draw.uniform(0.05, 0.6) * hours
            more = {"size": draw.choice((-3.0, -1.0, 2.0))} if kind == "clock_wrong" else {}
            found.append(_event(kind, deck.pop(), at, **more))
    return found


def _bins(size: Size) -> list[str]:
    return [f"bin-{nth + 1:04}" for nth in range(size.bins)]


def _of_bins(size: Size, draw: Random) -> list[dict[str, Any]]:
    """A tenth of the sensors sticks; ash is poured in, and now and then something burns."""
    bins, hours = _bins(size), size.days * 24
    found = [
        _event("stuck", each, draw.uniform(0.05, 0.6) * hours) for each in draw.sample(bins, round(LYING * size.bins))
    ]
    months = size.bins * size.days / 30
    for _ in range(max(2, round(0.25 * months))):
        at, target = draw.uniform(6, hours - 6), draw.choice(bins)
        found.append(_event("hot_ash", target, at, hours=4, size=draw.uniform(56, 68)))
    for _ in range(max(2, round(0.15 * months))):
        at, target = draw.uniform(6, hours - 6), draw.choice(bins)
        found.append(_event("fire", target, at, hours=draw.uniform(0.5, 2), size=draw.uniform(110, 220)))
    return found


def _of_plants(size: Size, draw: Random) -> list[dict[str, Any]]:
    """Pumps that trip and power that fails, one after the other at each plant (simulator.md, somewhat oftener)."""
    found, hours = [], size.days * 24
    for nth in range(size.plants):
        target, at = f"plant-{nth + 1:04}", draw.uniform(12, 120)
        while at < hours - 48:
            if draw.random() < 0.5:
                lasts = draw.uniform(26, 40)
                found.append(_event("plant_stop", target, at, hours=lasts))
            else:
                lasts = draw.uniform(0.3, 6)
                found.append(_event("power_cut", target, at, hours=lasts))
            at += lasts + draw.uniform(72, 240)
    return found


def _of_gateways(size: Size, draw: Random) -> list[dict[str, Any]]:
    """Each is dark once a month."""
    hours, gateways = size.days * 24, -(-size.villages // VILLAGES_A_GATEWAY)
    return [
        _event("gateway_outage", f"g{nth + 1:02}", draw.uniform(0.05, 0.9) * hours, hours=draw.uniform(1, 12))
        for nth in range(gateways)
        for _ in range(max(1, size.days // 30))
    ]
