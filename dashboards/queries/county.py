"""Questions of the morning: what an inspector would find now, how far the round is, what to collect first, where.

A site counts with its last level of the last seven days; one that has not spoken for longer says nothing.
"""

from typing import Final

from alerts.bins import EMPTY_PCT
from alerts.exposure import POINTS_A_SITE
from alerts.model import RUN_CODES, RunState
from alerts.rules.over_two_thirds import OverTwoThirds
from dashboards.queries import episodes
from dashboards.queries.language import (
    HOUR,
    HOURLY,
    LATELY,
    NO_DEVICE,
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
    newest,
    pipe,
    points,
    rename,
    rollup,
    select,
    sort,
)
from dashboards.queries.names import THERE, TOWN_NAMES, VILLAGE_NAMES
from telemetry.series import NONE, Measurement
from telemetry.terms import Kind

BIN: Final = Measurement.BIN
LINE_PCT: Final[float] = OverTwoThirds.model_fields["raise_pct"].default
"""The county's line, as the rule has it."""

UNKNOWN, FINE, SILENT, OVER, FULL, HOT, FIRE = range(7)
"""How a bin looks, from what says nothing to what is worst: of several the highest is shown."""

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
        THERE,
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
        pipe(joined("found", "villages", "village"), keep("village_name", "done", "left"), sort("left", falling=True)),
    )


def to_collect(most: int = 30) -> Flux:
    """What to collect: open alerts of two thirds and overflow, ordered by fill times the hours it has waited."""
    return flux(
        THERE,
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
    looking = " else ".join(f'if r.rule == "{rule}" then {look}.0' for rule, look in looks.items())
    signs = {SILENT: "失", OVER: "过", FULL: "满", HOT: "热", FIRE: "火", UNKNOWN: "？"}
    signing = " else ".join(f'if r.look == {look}.0 then "{sign}"' for look, sign in signs.items())
    return flux(
        THERE,
        _located(Kind.BIN),
        episodes.standing(TOWN, VILLAGE),
        LEVELS,
        let(
            "looks",
            "union(tables: ["
            f"located |> map(fn: (r) => ({{asset: r.asset, look: {UNKNOWN}.0}})),"
            f"levels |> map(fn: (r) => ({{asset: r.asset, look: if r._value > {LINE_PCT} then {OVER}.0"
            f" else {FINE}.0}})),"
            f"open |> map(fn: (r) => ({{asset: r.asset, look: {looking} else {UNKNOWN}.0}}))])",
            group("asset"),
            'max(column: "look")',
            "group()",
        ),
        pipe(
            joined("looks", "located", "asset"),
            f'map(fn: (r) => ({{r with sign: {signing} else ""}}))',
            keep("name", "lat", "lon", "look", "sign", "asset"),
        ),
    )


def plants_on_the_map() -> Flux:
    """Every plant with a place, and what it is doing."""
    unknown = RUN_CODES[RunState.UNKNOWN]
    return flux(
        THERE,
        _located(Kind.PLANT),
        let(
            "states",
            "union(tables: ["
            f"located |> map(fn: (r) => ({{asset: r.asset, at: time(v: 0), run_state: {unknown}}})),"
            + pipe(points(RAW, Measurement.PLANT, "run_state", since=episodes.AS_LONG_AS_KEPT), "last()", "group()")
            + " |> map(fn: (r) => ({asset: r.asset, at: r._time, run_state: r._value}))])",
            group("asset"),
            sort("at"),
            'last(column: "run_state")',
            "group()",
        ),
        pipe(joined("states", "located", "asset"), keep("name", "lat", "lon", "run_state", "asset")),
    )


def _located(kind: Kind) -> str:
    """``located``: the chosen assets of a kind that have a place on the map."""
    wanted = ("name", "kind", "lat", "lon")
    fields = " or ".join(f'r._field == "{field}"' for field in wanted)
    return let(
        "located",
        f'there |> filter(fn: (r) => r.asset != "{NONE}" and {NO_DEVICE} and ({fields})'
        f" and r.town =~ /^${{town:regex}}$/ and r.village =~ /^${{village:regex}}$/)",
        'pivot(rowKey: ["asset"], columnKey: ["_field"], valueColumn: "_value")',
        "group()",
        f'filter(fn: (r) => r.kind == "{kind}" and exists r.lat)',
        'keep(columns: ["asset", "name", "lat", "lon"])',
    )


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
"""``running``: the round that began last, by the county's clock, from what the county ``said`` of its rounds."""


def _round() -> tuple[str, ...]:
    """``bins``: those that the round has to empty, each with 1 for done or 0."""
    return (
        'import "strings"',
        'import "timezone"',
        THERE,
        f"option location = timezone.fixed(offset: {SHANGHAI})",
        let(
            "said",
            f'there |> filter(fn: (r) => r._field == "slots" and r.asset == "{NONE}")',
            'findColumn(fn: (key) => true, column: "_value")',
        ),
        _RUNNING,
        let(
            "due",
            f'there |> filter(fn: (r) => r.asset != "{NONE}" and (r._field == "slots" or r._field == "days")'
            f" and r.town =~ /^${{town:regex}}$/ and r.village =~ /^${{village:regex}}$/)",
            'pivot(rowKey: ["asset", "village"], columnKey: ["_field"], valueColumn: "_value")',
            "group()",
            "filter(fn: (r) => exists r.days and strings.containsStr(v: r.days, substr: weekday)"
            ' and strings.containsStr(v: "," + r.slots + ",", substr: "," + running.slot + ","))',
        ),
        LEVELS,
        let(
            "emptied",
            points(RAW, BIN, "emptied_to_pct", since="date.sub(d: 1s, from: running.begin)"),
            f"filter(fn: (r) => r._value <= {EMPTY_PCT})",
            "last()",
            "group()",
        ),
        let(
            "bins",
            "union(tables: ["
            "due |> map(fn: (r) => ({asset: r.asset, village: r.village, due: 1.0, done: 0.0})),"
            "emptied |> map(fn: (r) => ({asset: r.asset, village: r.village, due: 0.0, done: 1.0})),"
            f"levels |> filter(fn: (r) => r._value <= {EMPTY_PCT})"
            " |> map(fn: (r) => ({asset: r.asset, village: r.village, due: 0.0, done: 1.0}))])",
            group("asset", "village"),
            "reduce(identity: {due: 0.0, done: 0.0}, fn: (r, accumulator) => "
            "({due: accumulator.due + r.due, done: if r.done > 0.0 then 1.0 else accumulator.done}))",
            "group()",
            "filter(fn: (r) => r.due > 0.0)",
        ),
    )
