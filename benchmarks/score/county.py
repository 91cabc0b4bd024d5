"""The counties that are scored: how large, how long, what happens in them by order, and from which seeds.

Orders are drawn per seed by a generator of their own, so that the simulator's chance is not moved by them.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from firmware_sim.scenario import Scenario

ROOT: Final = Path(__file__).parents[2]
STARTS: Final = datetime(2026, 11, 1, 16, tzinfo=UTC)
"""Monday, midnight in Shanghai: the heating season has begun."""
TUNING_SEEDS: Final = ("tuning-1", "tuning-2", "tuning-3")
"""Detectors may be looked at with these. A result that counts is never made from them."""
SCORING_IS_NOT: Final = frozenset({*TUNING_SEEDS, "floor"})
"""All seeds that somebody knows, those of tests among them."""
WORLDS: Final = ("plain", "real")
TROUBLES: Final[Mapping[str, float]] = {
    "stuck": 0.1,  # one sensor in ten lies
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


SIZES: Final = {
    "small": Size("small", 1, 7, 60, 6, 12),
    "default": Size("default", 3, 28, 100, 12, 16),
    "full": Size("full", 30, 56, 300, 12, 32),
}


def commit() -> str:
    """The commit that is checked out. Raises ``NoSeeds`` where there is none."""
    try:
        said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise NoSeeds(
            f"{ROOT} is no checkout: scoring seeds come from its commit. Name some: make score SEEDS='a b c'"
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


def worlds() -> tuple[str, ...]:
    """The worlds that the simulator has."""
    return WORLDS if "world" in Scenario.model_fields else WORLDS[:1]


def scenario_yaml(size: Size, seed: str, world: str = "plain") -> str:
    """The scenario of a seed, as a file."""
    draw = Random(f"{seed}/score")
    gateways = -(-size.villages // 4)
    told: dict[str, Any] = {
        "seed": seed,
        "start": STARTS.isoformat().replace("+00:00", "Z"),
        "hours": size.days * 24,
        "fleet": {"towns": 1, "villages": size.villages, "bins": size.bins, "plants": size.plants, "feeders": 4},
        "events": [*_of_bins(size, draw), *_of_plants(size, draw), *_of_gateways(size, gateways, draw)],
    }
    if world != "plain":
        told["world"] = world
    return yaml.safe_dump(told, allow_unicode=True, sort_keys=False)


def _event(kind: str, target: str, at: float, **more: float) -> dict[str, Any]:
    return {
        "at": round(at, 3),
        "kind": kind,
        "target": target,
        **{name: round(value, 2) for name, value in more.items()},
    }


def _of_bins(size: Size, draw: Random) -> list[dict[str, Any]]:
    """A tenth of the sensors sticks; some tilt, die or run low; ash is poured in and now and then something burns."""
    bins, hours = [f"bin-{nth + 1:04}" for nth in range(size.bins)], size.days * 24
    deck, found = draw.sample(bins, len(bins)), []  # each bin has one lasting trouble at most
    for kind, share in TROUBLES.items():
        for _ in range(max(1, round(share * size.bins))):
            at = 0 if kind == "never_installed" else draw.uniform(0.05, 0.6) * hours
            more = {"size": draw.choice((-3.0, -1.0, 2.0))} if kind == "clock_wrong" else {}
            found.append(_event(kind, deck.pop(), at, **more))
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


def _of_gateways(size: Size, gateways: int, draw: Random) -> list[dict[str, Any]]:
    """Each is dark once a month."""
    hours = size.days * 24
    return [
        _event("gateway_outage", f"g{nth + 1:02}", draw.uniform(0.05, 0.9) * hours, hours=draw.uniform(1, 12))
        for nth in range(gateways)
        for _ in range(max(1, size.days // 30))
    ]
