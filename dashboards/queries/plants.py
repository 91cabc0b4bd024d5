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
    newest,
    pipe,
    points,
    rename,
    sort,
    wide,
    windows,
)
from dashboards.queries.names import ASSET_NAMES, THERE
from telemetry.series import NONE, Measurement

PLANT: Final = Measurement.PLANT
CHOSEN: Final = (TOWN, VILLAGE, ASSET)
STATES: Final = ("running", "idle", "stopped", "no_power", "meter_fault", "offline", "maintenance", "unknown")


def states() -> Flux:
    """What each plant did: the state in which it entered the range, then each window's last one."""
    return flux(
        THERE,
        ASSET_NAMES,
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
        let("changes", "union(tables: [before, within])"),
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
    return flux(
        THERE,
        ASSET_NAMES,
        let(
            "running",
            points(HOURLY, Measurement.PLANT_HOUR, *state_fields, chosen=CHOSEN),
            group("asset", "_field"),
            "sum()",
            wide("asset"),
            f"map(fn: (r) => ({{asset: r.asset, total: {total}, good: r.state_running_s + r.state_idle_s}}))",
            "filter(fn: (r) => r.total > 0.0)",
            "map(fn: (r) => ({asset: r.asset, running: 100.0 * r.good / r.total}))",
        ),
        let(
            "online",
            points(HOURLY, Measurement.DEVICE_HOUR, "received", "expected", chosen=CHOSEN),
            group("asset", "_field"),
            "sum()",
            wide("asset"),
            "filter(fn: (r) => r.expected > 0.0)",
            "map(fn: (r) => ({asset: r.asset, share: 100.0 * r.received / r.expected}))",
            "map(fn: (r) => ({asset: r.asset, online: if r.share > 100.0 then 100.0 else r.share}))",
        ),
        let("both", joined("running", "online", "asset")),
        pipe(joined("both", "assets", "asset"), keep("name", "running", "online"), sort("running")),
    )


def measured(field: str) -> Flux:
    """A quantity of each plant, as the mean of each window."""
    return flux(
        THERE,
        ASSET_NAMES,
        let(
            "found",
            points(RAW, PLANT, field, chosen=CHOSEN),
            windows(WINDOW, "mean"),
            keep("_time", "_value", "asset"),
        ),
        _BY_NAME,
    )


def a_day(field: str, per: float = 1.0) -> Flux:
    """A daily figure of each plant."""
    return flux(
        THERE,
        ASSET_NAMES,
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
    return flux(
        THERE,
        ASSET_NAMES,
        let(
            "states",
            points(RAW, PLANT, "run_state", since=AS_LONG_AS_KEPT, chosen=CHOSEN),
            "last()",
            keep("asset", "_value", "_time"),
            rename(_value="run_state", _time="changed"),
        ),
        let(
            "flows",
            points(RAW, PLANT, "flow_m3h", since="-7d", chosen=CHOSEN),
            "last()",
            newest("asset"),
            keep("asset", "_value", "_time"),
            rename(_value="flow", _time="heard"),
        ),
        let(
            "designs",
            f'there |> filter(fn: (r) => r._field == "design_m3d" and r.asset != "{NONE}")',
            keep("asset", "_value"),
            rename(_value="design"),
        ),
        let("running", joined("states", "flows", "asset")),
        let("known", joined("running", "designs", "asset")),
        pipe(
            joined("known", "assets", "asset"),
            keep("name", "run_state", "changed", "flow", "design", "heard", "asset"),
            sort("run_state", falling=True),
        ),
    )


_BEFORE_RANGE: Final = "date.sub(d: 90d, from: v.timeRangeStart), stop: v.timeRangeStart"
_NOT_COUNTED: Final = ("state_maintenance_s", "state_offline_s")
_BY_NAME: Final = pipe(
    joined("found", "assets", "asset"), group("name"), 'keep(columns: ["_time", "_value", "name"])', sort("_time")
)
