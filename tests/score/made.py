"""Truths, stories and ears made by hand, in hours after the run's beginning, for the rules of join."""

from typing import Any

import msgspec

from benchmarks.score import heard, said, truth
from benchmarks.score.tally import Tally
from telemetry.reading import Values
from tests.small_county import at, iso

INTERVAL_S = 1_200


def true(*rows: dict[str, Any], hours: float = 48) -> truth.Truth:
    """A truth of these rows, with its world before them."""
    world = {"truth": "world", "scenario": "made", "seed": 1, "world": "plain", "from": iso(0), "to": iso(hours)}
    return truth.read([msgspec.json.encode(row) for row in (world, *rows)], "made")


def bin_site(asset: str = "a", interval_s: int = INTERVAL_S) -> dict[str, Any]:
    return {"truth": "site", "asset": asset, "kind": "bin", "floor_mm": 1000, "interval_s": interval_s}


def plant_site(signals: str, asset: str = "p", design_m3d: float = 50) -> dict[str, Any]:
    more = {"interval_s": 600, "design_m3d": design_m3d, "signals": signals}
    return {"truth": "site", "asset": asset, "kind": "plant", **more}


def levels(*pct: float, asset: str = "a", begins: float = 0) -> dict[str, Any]:
    """One level an hour."""
    return {"truth": "levels", "asset": asset, "from": iso(begins), "step_s": 3_600, "fill_pct": list(pct)}


def visit(hours: float, found: float, left: float, asset: str = "a") -> dict[str, Any]:
    return {"truth": "visit", "asset": asset, "at": iso(hours), "found_pct": found, "left_pct": left}


def fault(name: str, begins: float, ends: float | None = None, asset: str = "p") -> dict[str, Any]:
    to = None if ends is None else iso(ends)
    return {"truth": "fault", "asset": asset, "device": "d", "fault": name, "from": iso(begins), "to": to}


def lie(name: str, begins: float, wrong: float | None, ends: float | None = None, asset: str = "a") -> dict[str, Any]:
    to, since = (None if hours is None else iso(hours) for hours in (ends, wrong))
    row = {"truth": "lie", "asset": asset, "device": "d", "lie": name, "from": iso(begins), "to": to}
    return {**row, "wrong_from": since}


def event(name: str, hours: float, asset: str = "a", rule: str = "", **more: Any) -> said.Said:  # noqa: ANN401 -- as lines
    """A line of the platform; an episode is named after its rule and asset."""
    line = {
        "at": iso(hours),
        "event": name,
        "asset": asset,
        "rule": rule,
        "episode": more.pop("episode", f"{rule}/{asset}"),
    }
    return said.parse(msgspec.json.encode({**line, **more}))


def story(*lines: said.Said) -> said.Story:
    return said.sort_out(lines)


def ears(*hours: float, **values: float) -> dict[str, heard.Ear]:
    """Readings of the bin at these hours, each received as it is taken."""
    ear = heard.Ear()
    for each in hours:
        ear.hear(heard.HeardSample(at(each), at(each), Values(**values)), usable=True)
    return {"a": ear}


def every_20_minutes(until: float = 48) -> list[float]:
    return [nth / 3 for nth in range(int(until * 3) + 1)]


def counted(tally: Tally, name: str) -> tuple[int, int]:
    """Hits and trials."""
    count = tally.counts.get(name)
    return (0, 0) if count is None else (count.hits, count.of)
