"""The tables that people read of a score: its aims beside the baselines, and every kind by itself."""

from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

WIDTH: Final = 190
_SIGNS: Final = {"met": "met", "missed": "MISSED", "undecided": "undecided"}


def show(found: dict[str, Any], console: Console | None = None) -> None:
    """Prints what ``summary`` made."""
    out = console or Console(width=WIDTH)
    for world, sayers in found["worlds"].items():
        out.print(_aims(found, world, sayers))
        for name, each in sayers.items():
            out.print(_kinds(f"{world}: {name}", each["kinds"]))


def _aims(found: dict[str, Any], world: str, sayers: dict[str, Any]) -> Table:
    table = Table(title=f"{world} · {found['size']} · commit {found['commit'][:12]} · {len(found['seeds'])} seeds")
    for column in ("aim", "", *sayers):
        table.add_column(column)
    rows = zip(*(each["aims"] for each in sayers.values()), strict=True)
    for row in rows:
        table.add_row(row[0]["says"], _aim(row[0]), *(_reached(each) for each in row))
    return table


def _aim(row: dict[str, Any]) -> str:
    low, high = row["least"], row["most"]
    if row["unit"] == "share":
        low, high = (None if each is None else each * 100 for each in (low, high))
    unit = " %" if row["unit"] == "share" else f" {row['unit']}"
    if low is not None and high is not None:
        return f"{low:g}–{high:g}{unit}"
    return "" if low is None and high is None else f"≥ {low:g}{unit}" if high is None else f"≤ {high:g}{unit}"


def _reached(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "none said" if row["count"].startswith("forecast") else "—"
    verdict = _SIGNS.get(row["verdict"], "")
    if row["unit"] == "share":
        return f"{_share(row)} {verdict}"
    shown = f"{_number(row['value'])} [{_number(row['low'])}–{_number(row['high'])}]"
    return f"{shown} ({row['of'] if row['unit'] == 'h' else row['hits']}) {verdict}"


def _share(cell: dict[str, Any]) -> str:
    bounds = f"[{100 * cell['low']:.1f}–{100 * cell['high']:.1f}]"
    return f"{100 * cell['value']:.1f} {bounds} ({cell['hits']}/{cell['of']})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _kinds(title: str, kinds: Iterable[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for column in ("kind", "recall %", "precision %", "p50 min", "p95 min", "false a month", "false texts a month"):
        table.add_column(column)
    for row in kinds:
        shares = [_share(row[name]) if row[name] else "" for name in ("recall", "precision")]
        delays = ["" if row[name] is None else _number(row[name]) for name in ("p50_min", "p95_min")]
        rates = [_rate(row[name]) for name in ("false", "false_texts")]
        table.add_row(row["kind"], *shares, *delays, *rates)
    return table


def _rate(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    return f"{_number(cell['value'])} [{_number(cell['low'])}–{_number(cell['high'])}] ({cell['hits']})"
