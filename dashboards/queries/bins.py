"""Questions about pools and bins: how full, for how long over the line, how often emptied, how hot."""

from typing import Final

from dashboards.queries.county import LEVELS, LINE_PCT
from dashboards.queries.language import (
    ASSET,
    DAILY,
    IN_RANGE,
    INTERVAL,
    MOST_BARS,
    PICKED,
    RAW,
    TOWN,
    VILLAGE,
    WINDOW,
    Flux,
    InfluxQL,
    count_each,
    flux,
    group,
    joined,
    keep,
    let,
    percent,
    pipe,
    points,
    raw,
    rename,
    select,
    sort,
    union,
    wide,
    windows,
)
from dashboards.queries.names import ASSET_NAMES, BY_TOWN, NEWEST, OF_ASSETS, TOWN_NAMES, VILLAGE_NAMES, there
from telemetry.series import Measurement
from telemetry.terms import AssetKind

BIN: Final = Measurement.BIN
CHOSEN: Final = (TOWN, VILLAGE, ASSET)
MOST_CURVES: Final = 12
"""More lines than these nobody can read, nor a browser draw: the fullest are drawn."""


def by_village() -> Flux:
    """For each village: bins over the line, below it, and those of which nothing was heard for seven days."""
    return flux(
        NEWEST,
        VILLAGE_NAMES,
        LEVELS,
        let(
            "bins",
            there("kind", where=OF_ASSETS, chosen=(TOWN, VILLAGE)),
            f'filter(fn: (r) => r._value == "{AssetKind.BIN}")',
            keep("asset", "village"),
        ),
        let(
            "found",
            union(
                "bins |> map(fn: (r) => ({r with level: -1.0}))",
                "levels |> map(fn: (r) => ({asset: r.asset, village: r.village, level: r._value}))",
            ),
            group("asset", "village"),
            'max(column: "level")',
            group("village"),
            count_each(
                {
                    "over": f"r.level > {LINE_PCT}",
                    "below": f"r.level >= 0.0 and r.level <= {LINE_PCT}",
                    "unknown": "r.level < 0.0",
                }
            ),
            "group()",
        ),
        pipe(
            joined("found", "villages", "village"),
            keep("village_name", "over", "below", "unknown"),
            sort("over", falling=True),
            f"limit(n: {MOST_BARS})",
        ),
    )


def fullest(most: int = 20) -> Flux:
    """The fullest of the chosen bins, by name."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        _fullest(most),
        pipe(joined("fullest", "assets", "asset"), keep("name", "fill"), sort("fill", falling=True)),
    )


def levels() -> Flux:
    """The curves of the chosen bins, of the fullest where more are chosen than can be read.

    Which are drawn is told InfluxDB as a pattern: that it can look up, while a list it would hold against each reading.
    """
    return flux(
        'import "regexp"',
        'import "strings"',
        NEWEST,
        _fullest(MOST_CURVES),
        let("most", "fullest", 'findColumn(fn: (key) => true, column: "asset")'),
        'drawn = regexp.compile(v: "^(" + strings.joinStr(arr: most, v: "|") + ")$")',
        let(
            "curves",
            points(RAW, BIN, "fill_pct", chosen=CHOSEN),
            "filter(fn: (r) => r.asset =~ drawn)",
            windows(WINDOW, "mean"),
            keep("_time", "_value", "asset"),
        ),
        let(
            "called",
            there("name", where=f"{OF_ASSETS} and r.asset =~ drawn"),
            keep("asset", "_value"),
            rename(_value="name"),
        ),
        pipe(joined("curves", "called", "asset"), group("name"), 'keep(columns: ["_time", "_value", "name"])'),
    )


def emptyings(most: int = 200) -> Flux:
    """Emptyings and parts of one, the newest first."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        _emptied(most),
        pipe(
            joined("emptied", "assets", "asset"),
            rename(_time="at", emptied_from_pct="from", emptied_to_pct="to"),
            keep("at", "name", "from", "to", "asset"),
            sort("at", falling=True),
        ),
    )


def emptied_notes(most: int = 500) -> Flux:
    """The same as annotations: when, and what they say."""
    return flux(
        'import "math"',
        NEWEST,
        ASSET_NAMES,
        _emptied(most),
        pipe(
            joined("emptied", "assets", "asset"),
            'map(fn: (r) => ({_time: r._time, text: r.name + " 清空：" + string(v: math.round(x: r.emptied_from_pct))'
            ' + "% → " + string(v: math.round(x: r.emptied_to_pct)) + "%"}))',
            sort("_time"),
        ),
    )


def emptied_a_day() -> Flux:
    """Whole emptyings in each town, by day."""
    return flux(
        NEWEST,
        TOWN_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "emptyings", chosen=CHOSEN),
            group("town", "_time"),
            "sum()",
            keep("_time", "town", "_value"),
        ),
        BY_TOWN,
    )


def over_share_by_village() -> Flux:
    """The share of known time that a village's bins were over the line."""
    return flux(
        NEWEST,
        VILLAGE_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "known_min", "over_min", chosen=CHOSEN),
            group("village", "_field"),
            "sum()",
            wide("village"),
            "filter(fn: (r) => r.known_min > 0.0)",
            f"map(fn: (r) => ({{village: r.village, share: {percent('over_min', 'known_min')}}}))",
        ),
        pipe(
            joined("found", "villages", "village"),
            keep("village_name", "share"),
            sort("share", falling=True),
            f"limit(n: {MOST_BARS})",
        ),
    )


def chronic(most: int = 30) -> Flux:
    """The bins that were over the line longest: share of known time, hours, and emptyings meanwhile."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        let(
            "found",
            points(DAILY, Measurement.BIN_DAY, "known_min", "over_min", "emptyings", chosen=CHOSEN),
            group("asset", "_field"),
            "sum()",
            wide("asset"),
            "filter(fn: (r) => r.over_min > 0.0)",
            f"map(fn: (r) => ({{r with share: {percent('over_min', 'known_min')}, hours: r.over_min / 60.0}}))",
            sort("hours", falling=True),
            f"limit(n: {most})",
        ),
        pipe(
            joined("found", "assets", "asset"),
            keep("name", "share", "hours", "emptyings", "asset"),
            sort("hours", falling=True),
        ),
    )


def temperature(function: str, called: str) -> InfluxQL:
    """How hot it is in the chosen bins."""
    columns = f'{function}("temperature_c")'
    return select(columns, raw(BIN), PICKED, alias=called, by=INTERVAL, chosen=CHOSEN)


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


def _emptied(most: int) -> str:
    """``emptied``: the newest emptyings in the range, each a row."""
    return let(
        "emptied",
        points(RAW, BIN, "emptied_from_pct", "emptied_to_pct", since=IN_RANGE, chosen=CHOSEN),
        "group()",
        'pivot(rowKey: ["_time", "asset"], columnKey: ["_field"], valueColumn: "_value")',
        sort("_time", falling=True),
        f"limit(n: {most})",
    )
