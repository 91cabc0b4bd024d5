"""Questions of the morning: what an inspector would find now, how far the round is, what to collect first, where.

A site counts with its last level of the last seven days; one that has not spoken for longer says nothing.
"""

from typing import Final

from alerts.conditions.bins import EMPTY_PCT
from alerts.model import RUN_CODES, RunState
from alerts.rules.over_two_thirds import POINTS_A_SITE, OverTwoThirds
from dashboards.queries import episodes
from dashboards.queries.language import (
    HOUR,
    HOURLY,
    LATELY,
    MOST_BARS,
    PICKED,
    RAW,
    SHANGHAI,
    TOWN,
    VILLAGE,
    Flux,
    InfluxQL,
    flux,
    group,
    joined,
    keep,
    let,
    merged,
    newest,
    pipe,
    points,
    rename,
    rollup,
    select,
    sort,
    tell,
    union,
)
from dashboards.queries.names import NEWEST, OF_ASSETS, TOWN_NAMES, VILLAGE_NAMES, there
from telemetry.series import NONE, Measurement
from telemetry.terms import AssetKind

BIN: Final = Measurement.BIN
LINE_PCT: Final[float] = OverTwoThirds.model_fields["raise_pct"].default
"""The county's line, as the rule has it."""

UNKNOWN, FINE, SILENT, OVER, FULL, HOT, FIRE = range(7)
"""How a bin looks, from what says nothing to what is worst: of several the highest is shown."""

_HERE: Final = (TOWN, VILLAGE)
_SOME_BARS: Final = f"limit(n: {MOST_BARS})"
LEVELS: Final = let(
    "levels",
    points(RAW, BIN, "fill_pct", since=LATELY),
    "last()",
    newest("asset"),
    'keep(columns: ["asset", "village", "town", "_value", "_time"])',
)
"""``levels``: the last known level of each bin."""


def exposure() -> InfluxQL:
    """此刻来查: how many sites are over the line now, and the points they would cost."""
    last = select('last("exposure_points") AS "points"', f'"{BIN}"', "time >= now() - 7d", alias="").text.removesuffix(
        " "
    )
    columns = f'sum("points") / {POINTS_A_SITE} AS "sites", sum("points") AS "points"'
    return InfluxQL(f'SELECT {columns} FROM ({last} GROUP BY "asset")', "$col")


def exposure_by_hour() -> InfluxQL:
    """Its curve, as the mean of each hour, for whole towns."""
    source = rollup(HOURLY, Measurement.TOWN_HOUR)
    return select('sum("exposure_points")', source, PICKED, alias="扣分", by=HOUR, chosen=(TOWN,))


def exposure_by_town() -> Flux:
    """Sites over the line now, by town."""
    return flux(
        NEWEST,
        TOWN_NAMES,
        let(
            "found",
            points(RAW, BIN, "exposure_points", since=LATELY),
            "last()",
            newest("asset"),
            group("town"),
            f"reduce(identity: {{sites: 0.0}}, fn: (r, accumulator) => "
            f"({{sites: accumulator.sites + r._value / {POINTS_A_SITE}}}))",
            "group()",
        ),
        pipe(joined("found", "towns", "town"), keep("town_name", "sites"), sort("sites", falling=True)),
    )


def round_so_far() -> Flux:
    """The round that runs or ran last: how many bins it has to empty, how many of them are done, how many are left.

    Done is emptied since the round began, or so low now that nobody has to stop there. Lunar days are not known here.
    """
    total = "reduce(identity: {due: 0.0, done: 0.0}, fn: (r, accumulator) => "
    total += "({due: accumulator.due + 1.0, done: accumulator.done + r.done}))"
    return flux(*_round(), pipe("bins", total, "map(fn: (r) => ({r with left: r.due - r.done}))"))


def round_by_village() -> Flux:
    """The same by village: one without anything done is one that nobody has been to."""
    return flux(
        *_round(),
        VILLAGE_NAMES,
        let(
            "found",
            "bins",
            group("village"),
            "reduce(identity: {done: 0.0, left: 0.0}, fn: (r, accumulator) => "
            "({done: accumulator.done + r.done, left: accumulator.left + 1.0 - r.done}))",
            "group()",
        ),
        pipe(
            joined("found", "villages", "village"),
            keep("village_name", "done", "left"),
            sort("left", falling=True),
            _SOME_BARS,
        ),
    )


def to_collect(most: int = 30) -> Flux:
    """What to collect: open alerts of two thirds and overflow, ordered by fill times the hours it has waited."""
    return flux(
        episodes.STRINGS,
        NEWEST,
        VILLAGE_NAMES,
        episodes.standing(TOWN, VILLAGE),
        LEVELS,
        let(
            "waiting",
            'open |> filter(fn: (r) => r.rule == "over_two_thirds" or r.rule == "overflow")',
            group("asset", "place", "village"),
            'max(column: "hours")',
            keep("asset", "place", "village", "hours", "raised"),
        ),
        let("full", "levels", keep("asset", "_value"), rename(_value="fill")),
        let("both", joined("full", "waiting", "asset"), "map(fn: (r) => ({r with score: r.fill * r.hours}))"),
        pipe(
            joined("both", "villages", "village"),
            keep("place", "village_name", "fill", "hours", "raised", "score", "asset"),
            sort("score", falling=True),
            f"limit(n: {most})",
        ),
    )


def bins_on_the_map() -> Flux:
    """Every bin with a place: where it is, how it looks now, and a sign for that."""
    looks = {"overflow": FULL, "hot_ash": HOT, "fire": FIRE, "offline": SILENT}
    looking = ", ".join(f'"{rule}": {look}.0' for rule, look in looks.items())
    signs = {SILENT: "失", OVER: "过", FULL: "满", HOT: "热", FIRE: "火", UNKNOWN: "？"}
    signing = ", ".join(f'"{look}": "{sign}"' for look, sign in signs.items())
    over = f"if r._value > {LINE_PCT} then {OVER}.0 else {FINE}.0"
    worst = pipe(
        union(
            f"{_of_kind(AssetKind.BIN)} |> map(fn: (r) => ({{asset: r.asset, look: {UNKNOWN}.0}}))",
            f"levels |> map(fn: (r) => ({{asset: r.asset, look: {over}}}))",
            "open |> map(fn: (r) => ({asset: r.asset, look: dict.get(dict: looks, key: r.rule,"
            f" default: {UNKNOWN}.0)}}))",
        ),
        group("asset"),
        'max(column: "look")',
        "group()",
        tell("asset", "look", "string(v: int(v: r.look))"),
    )
    return flux(
        episodes.STRINGS,
        'import "dict"',
        NEWEST,
        f"looks = [{looking}]",  # no if after else: InfluxDB fails where two of its answers stand in one village
        f"signs = [{signing}]",
        episodes.standing(*_HERE),
        LEVELS,
        pipe(
            merged("asset", worst, *_on_the_map(AssetKind.BIN)),
            "filter(fn: (r) => exists r.kind and exists r.look and exists r.lat and exists r.lon)",
            "map(fn: (r) => ({name: r.name, asset: r.asset, lat: float(v: r.lat), lon: float(v: r.lon),"
            ' look: float(v: r.look), sign: dict.get(dict: signs, key: r.look, default: "")}))',
        ),
    )


def plants_on_the_map() -> Flux:
    """Every plant with a place, and what it is doing."""
    states = pipe(
        points(RAW, Measurement.PLANT, "run_state", since=episodes.AS_LONG_AS_KEPT),
        "last()",
        "group()",
        tell("asset", "run_state", "string(v: r._value)"),
    )
    unknown = f"if exists r.run_state then float(v: r.run_state) else {float(RUN_CODES[RunState.UNKNOWN])}"
    return flux(
        NEWEST,
        pipe(
            merged("asset", states, *_on_the_map(AssetKind.PLANT)),
            "filter(fn: (r) => exists r.kind and exists r.lat and exists r.lon)",
            "map(fn: (r) => ({name: r.name, asset: r.asset, lat: float(v: r.lat), lon: float(v: r.lon),"
            f" run_state: {unknown}}}))",
        ),
    )


def _of_kind(kind: AssetKind) -> str:
    return pipe(there("kind", where=OF_ASSETS, chosen=_HERE), f'filter(fn: (r) => r._value == "{kind}")', "group()")


def _on_the_map(kind: AssetKind) -> tuple[str, ...]:
    """That an asset is of this kind, what it is called, and where it stands if it has a place."""
    called = pipe(there("name", where=OF_ASSETS, chosen=_HERE), "group()", tell("asset", "name", "r._value"))
    places = [
        pipe(there(field, where=OF_ASSETS, chosen=_HERE), "group()", tell("asset", field, "string(v: r._value)"))
        for field in ("lat", "lon")
    ]
    return pipe(_of_kind(kind), tell("asset", "kind", "r._value")), called, *places


_RUNNING: Final = """\
slots = if length(arr: said) == 0 then [] else strings.split(v: said[0], t: ",")
today = date.truncate(t: now(), unit: 1d)
yesterday = date.sub(d: 1d, from: today)
minute = (at) =>
  int(v: strings.substring(v: at, start: 0, end: 2)) * 60 + int(v: strings.substring(v: at, start: 3, end: 5))
begin = (slot, day) => {
  parts = strings.split(v: slot, t: "=")
  return {slot: parts[0], begin: time(v: int(v: day) + minute(at: parts[1]) * 60000000000)}
}
all = array.concat(
  arr: array.map(arr: slots, fn: (x) => begin(slot: x, day: yesterday)),
  v: array.map(arr: slots, fn: (x) => begin(slot: x, day: today)),
)
begun = array.filter(arr: all, fn: (x) => x.begin <= now())
running = array.from(rows: array.concat(arr: [{slot: "", begin: time(v: 0)}], v: begun))
  |> sort(columns: ["begin"])
  |> last(column: "begin")
  |> findRecord(fn: (key) => true, idx: 0)
weekday = string(v: if date.weekDay(t: running.begin) == 0 then 7 else date.weekDay(t: running.begin))"""
"""``running``: the round that began last, by the county's clock, from what the county ``tell`` of its rounds."""


def _round() -> tuple[str, ...]:
    """``bins``: those that the round has to empty, each with 1 for done or 0."""
    on_it = "exists r.slots and exists r.days and strings.containsStr(v: r.days, substr: weekday)"
    on_it += ' and strings.containsStr(v: "," + r.slots + ",", substr: "," + running.slot + ",")'
    is_done = "map(fn: (r) => ({asset: r.asset, village: r.village, due: 0.0, done: 1.0}))"
    emptied = pipe(
        points(RAW, BIN, "emptied_to_pct", since="date.sub(d: 1s, from: running.begin)"),
        f"filter(fn: (r) => r._value <= {EMPTY_PCT})",
        "last()",
        "group()",
    )
    low = pipe(points(RAW, BIN, "fill_pct", since=LATELY), "last()", f"filter(fn: (r) => r._value <= {EMPTY_PCT})")
    return (
        episodes.STRINGS,
        'import "timezone"',
        NEWEST,
        f"option location = timezone.fixed(offset: {SHANGHAI})",
        let(
            "said",
            there("slots", where=f'r.asset == "{NONE}"'),
            'findColumn(fn: (key) => true, column: "_value")',
        ),
        _RUNNING,
        let(
            "due",
            there("slots", "days", where=OF_ASSETS, chosen=_HERE),
            "group()",
            'pivot(rowKey: ["asset", "village"], columnKey: ["_field"], valueColumn: "_value")',
            f"filter(fn: (r) => {on_it})",
            "map(fn: (r) => ({asset: r.asset, village: r.village, due: 1.0, done: 0.0}))",
        ),
        let(
            "bins",
            union("due", pipe(emptied, is_done), pipe(low, "group()", is_done)),
            group("asset", "village"),
            "reduce(identity: {due: 0.0, done: 0.0}, fn: (r, accumulator) => "
            "({due: accumulator.due + r.due, done: if r.done > 0.0 then 1.0 else accumulator.done}))",
            "group()",
            "filter(fn: (r) => r.due > 0.0)",
        ),
    )
