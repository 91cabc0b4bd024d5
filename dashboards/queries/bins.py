"""Questions about pools and bins: how full, for how long over the line, how often emptied, how hot."""

from typing import Final

from dashboards.queries.county import LEVELS, LINE_PCT
from dashboards.queries.language import (
    ASSET,
    DAILY,
    IN_RANGE,
    NO_DEVICE,
    RAW,
    TOWN,
    VILLAGE,
    WINDOW,
    Flux,
    flux,
    group,
    joined,
    keep,
    let,
    pipe,
    points,
    rename,
    sort,
    wide,
    windows,
)
from dashboards.queries.names import ASSET_NAMES, THERE, VILLAGE_NAMES
from telemetry.series import NONE, Measurement
from telemetry.terms import Kind

BIN: Final = Measurement.BIN
CHOSEN: Final = (TOWN, VILLAGE, ASSET)
MOST_CURVES: Final = 12
"""More lines than these nobody can read, nor a browser draw: the fullest are drawn."""


def by_village() -> Flux:
    """For each village: bins over the line, below it, and those of which nothing was heard for seven days."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        LEVELS,
        let(
            "bins",
            f'there |> filter(fn: (r) => r._field == "kind" and r.asset != "{NONE}" and {NO_DEVICE}'
            " and r.town =~ /^${town:regex}$/ and r.village =~ /^${village:regex}$/)",
            f'filter(fn: (r) => r._value == "{Kind.BIN}")',
            keep("asset", "village"),
        ),
        let(
            "found",
            "union(tables: [bins |> map(fn: (r) => ({r with level: -1.0})),"
            " levels |> map(fn: (r) => ({asset: r.asset, village: r.village, level: r._value}))])",
            group("asset", "village"),
            'max(column: "level")',
            group("village"),
            "reduce(identity: {over: 0.0, below: 0.0, unknown: 0.0}, fn: (r, accumulator) => ({"
            f"over: accumulator.over + (if r.level > {LINE_PCT} then 1.0 else 0.0), "
            f"below: accumulator.below + (if r.level >= 0.0 and r.level <= {LINE_PCT} then 1.0 else 0.0), "
            "unknown: accumulator.unknown + (if r.level < 0.0 then 1.0 else 0.0)}))",
            "group()",
        ),
        pipe(
            joined("found", "villages", "village"),
            keep("village_name", "over", "below", "unknown"),
            sort("over", falling=True),
        ),
    )


def fullest(most: int = 20) -> Flux:
    """The fullest of the chosen bins, by name."""
    return flux(
        THERE,
        ASSET_NAMES,
        _fullest(most),
        pipe(joined("fullest", "assets", "asset"), keep("name", "fill"), sort("fill", falling=True)),
    )


def levels() -> Flux:
    """The curves of the chosen bins, of the fullest where more are chosen than can be read."""
    return flux(
        THERE,
        ASSET_NAMES,
        _fullest(MOST_CURVES),
        let("drawn", 'fullest |> findColumn(fn: (key) => true, column: "asset")'),
        let(
            "curves",
            points(RAW, BIN, "fill_pct", chosen=CHOSEN),
            "filter(fn: (r) => contains(value: r.asset, set: drawn))",
            windows(WINDOW, "mean"),
            keep("_time", "_value", "asset"),
        ),
        pipe(joined("curves", "assets", "asset"), group("name"), 'keep(columns: ["_time", "_value", "name"])'),
    )


def emptyings(most: int = 200) -> Flux:
    """Emptyings and parts of one, the newest first."""
    return flux(
        THERE,
        ASSET_NAMES,
        _emptied(),
        pipe(
            joined("emptied", "assets", "asset"),
            rename(_time="at", emptied_from_pct="from", emptied_to_pct="to"),
            keep("at", "name", "from", "to", "asset"),
            sort("at", falling=True),
            f"limit(n: {most})",
        ),
    )


def emptied_notes() -> Flux:
    """The same as annotations: when, and what they say."""
    return flux(
        'import "math"',
        THERE,
        ASSET_NAMES,
        _emptied(),
        pipe(
            joined("emptied", "assets", "asset"),
            'map(fn: (r) => ({_time: r._time, text: r.name + " 清空：" + string(v: math.round(x: r.emptied_from_pct))'
            ' + "% → " + string(v: math.round(x: r.emptied_to_pct)) + "%"}))',
            sort("_time"),
        ),
    )


def emptied_a_day() -> Flux:
    """Whole emptyings in each village, by day."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "emptyings", chosen=CHOSEN),
            group("village", "_time"),
            "sum()",
            keep("_time", "village", "_value"),
        ),
        _by_village("found"),
    )


def over_share_by_village() -> Flux:
    """The share of known time that a village's bins were over the line."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "known_min", "over_min", chosen=CHOSEN),
            group("village", "_field"),
            "sum()",
            wide("village"),
            "filter(fn: (r) => r.known_min > 0.0)",
            "map(fn: (r) => ({village: r.village, share: 100.0 * r.over_min / r.known_min}))",
        ),
        pipe(joined("found", "villages", "village"), keep("village_name", "share"), sort("share", falling=True)),
    )


def chronic(most: int = 30) -> Flux:
    """The bins that were over the line longest: share of known time, hours, and emptyings meanwhile."""
    return flux(
        THERE,
        ASSET_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "known_min", "over_min", "emptyings", chosen=CHOSEN),
            group("asset", "_field"),
            "sum()",
            wide("asset"),
            "filter(fn: (r) => r.over_min > 0.0)",
            "map(fn: (r) => ({r with share: 100.0 * r.over_min / r.known_min, hours: r.over_min / 60.0}))",
        ),
        pipe(
            joined("found", "assets", "asset"),
            keep("name", "share", "hours", "emptyings", "asset"),
            sort("hours", falling=True),
            f"limit(n: {most})",
        ),
    )


def hottest() -> Flux:
    """The highest temperature in each village."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        let(
            "found",
            points(RAW, BIN, "temperature_c", chosen=CHOSEN),
            group("village"),
            windows(WINDOW, "max"),
            keep("_time", "village", "_value"),
        ),
        _by_village("found"),
    )


def _fullest(most: int) -> str:
    """``fullest``: the chosen bins with the highest last level."""
    return let(
        "fullest",
        points(RAW, BIN, "fill_pct", since="-7d", chosen=CHOSEN),
        "last()",
        keep("asset", "_value"),
        rename(_value="fill"),
        sort("fill", falling=True),
        f"limit(n: {most})",
    )


def _emptied() -> str:
    """``emptied``: emptyings in the range, each a row."""
    return let(
        "emptied",
        points(RAW, BIN, "emptied_from_pct", "emptied_to_pct", since=IN_RANGE, chosen=CHOSEN),
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        "group()",
    )


def _by_village(stream: str) -> str:
    """One series a village, under its name."""
    return pipe(
        joined(stream, "villages", "village"),
        group("village_name"),
        'keep(columns: ["_time", "_value", "village_name"])',
        sort("_time"),
    )
