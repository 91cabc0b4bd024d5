"""Questions about sewage plants: what they do, how much goes through, and what of it one may believe.

正常运行率 is never asked without 在线率: a plant that says nothing does not run well (domain.md §3).
"""

from typing import Final

from dashboards.queries.episodes import AS_LONG_AS_KEPT
from dashboards.queries.language import (
    ASSET,
    DAILY,
    HOURLY,
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
    merged,
    newest,
    percent,
    pipe,
    points,
    sort,
    tell,
    union,
    wide,
    windows,
)
from dashboards.queries.names import NEWEST, OF_ASSETS, PLANT_NAMES, there
from telemetry.series import Measurement

PLANT: Final = Measurement.PLANT
CHOSEN: Final = (TOWN, VILLAGE, ASSET)
STATES: Final = ("running", "idle", "stopped", "no_power", "meter_fault", "offline", "maintenance", "unknown")


def states() -> Flux:
    """What each plant did: the state in which it entered the range, then each window's last one."""
    return flux(
        NEWEST,
        PLANT_NAMES,
        let(
            "before",
            points(RAW, PLANT, "run_state", since=_BEFORE_RANGE, chosen=CHOSEN),
            "last()",
            "map(fn: (r) => ({r with _time: v.timeRangeStart}))",
            keep("_time", "_value", "asset"),
        ),
        let(
            "within",
            points(RAW, PLANT, "run_state", chosen=CHOSEN),
            windows(WINDOW, "last"),
            keep("_time", "_value", "asset"),
        ),
        let("changes", union("before", "within")),
        pipe(
            joined("changes", "assets", "asset"),
            group("name"),
            sort("_time"),
            'keep(columns: ["_time", "_value", "name"])',
        ),
    )


def rates() -> Flux:
    """正常运行率 and 在线率 of each plant over the range, beside each other."""
    state_fields = tuple(f"state_{state}_s" for state in STATES)
    total = " + ".join(f"r.{field}" for field in state_fields if field not in _NOT_COUNTED)
    running = pipe(
        points(HOURLY, Measurement.PLANT_HOUR, *state_fields, chosen=CHOSEN),
        group("asset", "_field"),
        "sum()",
        wide("asset"),
        f"map(fn: (r) => ({{asset: r.asset, total: {total}, good: r.state_running_s + r.state_idle_s}}))",
        "filter(fn: (r) => r.total > 0.0)",
        tell("asset", "running", f"string(v: {percent('good', 'total')})"),
    )
    online = pipe(
        points(HOURLY, Measurement.DEVICE_HOUR, "received", "expected", chosen=CHOSEN),
        "sum()",
        "group()",
        group("asset", "_field"),
        "sum()",
        wide("asset"),
        "filter(fn: (r) => r.expected > 0.0)",
        f"map(fn: (r) => ({{asset: r.asset, share: {percent('received', 'expected')}}}))",
        tell("asset", "online", "string(v: if r.share > 100.0 then 100.0 else r.share)"),
    )
    return flux(
        NEWEST,
        pipe(
            merged("asset", running, online, _named_plants()),
            "filter(fn: (r) => exists r.running and exists r.online and exists r.name)",
            "map(fn: (r) => ({name: r.name, running: float(v: r.running), online: float(v: r.online)}))",
            sort("running"),
        ),
    )


def measured(field: str) -> Flux:
    """A quantity of each plant, as the mean of each window."""
    return flux(
        NEWEST,
        PLANT_NAMES,
        let(
            "found",
            points(RAW, PLANT, field, chosen=CHOSEN),
            windows(WINDOW, "mean"),
            keep("_time", "_value", "asset"),
        ),
        _BY_NAME,
    )


def a_day(field: str, per: float = 1.0) -> Flux:
    """A daily value of each plant."""
    return flux(
        NEWEST,
        PLANT_NAMES,
        let(
            "found",
            points(DAILY, Measurement.PLANT_DAY, field, chosen=CHOSEN),
            keep("_time", "_value", "asset"),
            f"map(fn: (r) => ({{r with _value: r._value / {per}}}))",
        ),
        _BY_NAME,
    )


def now() -> Flux:
    """Each plant now: its state and since when, its last flow, and when it was last heard."""
    state = pipe(points(RAW, PLANT, "run_state", since=AS_LONG_AS_KEPT, chosen=CHOSEN), "last()", "group()")
    flow = pipe(points(RAW, PLANT, "flow_m3h", since="-7d", chosen=CHOSEN), "last()", newest("asset"))
    design = pipe(there("design_m3d", where=OF_ASSETS, chosen=CHOSEN), "group()")
    number, instant = "string(v: r._value)", "string(v: int(v: r._time))"
    return flux(
        NEWEST,
        pipe(
            merged(
                "asset",
                pipe(state, tell("asset", "run_state", number)),
                pipe(state, tell("asset", "changed", instant)),
                pipe(flow, tell("asset", "flow", number)),
                pipe(flow, tell("asset", "heard", instant)),
                pipe(design, tell("asset", "design", number)),
                _named_plants(),
            ),
            "filter(fn: (r) => exists r.run_state and exists r.heard and exists r.design and exists r.name)",
            _NOW,
            sort("run_state", falling=True),
        ),
    )


def _named_plants() -> str:
    """What every chosen asset is called; of those that are no plants nothing else is said."""
    return pipe(there("name", where=OF_ASSETS, chosen=CHOSEN), "group()", tell("asset", "name", "r._value"))


_NOW: Final = """\
map(fn: (r) => ({
    name: r.name,
    asset: r.asset,
    run_state: float(v: r.run_state),
    changed: time(v: int(v: r.changed)),
    flow: float(v: r.flow),
    design: float(v: r.design),
    heard: time(v: int(v: r.heard)),
  }))"""
_BEFORE_RANGE: Final = "date.sub(d: 90d, from: v.timeRangeStart), stop: v.timeRangeStart"
_NOT_COUNTED: Final = ("state_maintenance_s", "state_offline_s")
_BY_NAME: Final = pipe(
    joined("found", "assets", "asset"), group("name"), 'keep(columns: ["_time", "_value", "name"])', sort("_time")
)
