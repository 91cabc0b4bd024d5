"""Questions about sensors: when last heard, battery, signal, clock, and how much of what they owe arrived."""

from typing import Final

from alerts.rules.battery_low import BatteryLow
from dashboards.queries.language import (
    ASSET,
    DAILY,
    DAILY_WINDOWS,
    HOUR,
    HOURLY,
    PICKED,
    RAW,
    TOWN,
    VILLAGE,
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
    rollup,
    select,
    sort,
    union,
    wide,
    windows,
)
from dashboards.queries.names import ASSET_NAMES, BY_TOWN, NEWEST, TOWN_NAMES, there
from telemetry.series import NONE, Measurement

DEVICE: Final = Measurement.DEVICE
CHOSEN: Final = (TOWN, VILLAGE, ASSET)
LOW_PCT: Final[float] = BatteryLow.model_fields["plan_pct"].default
"""Where a battery is low, as the rule has it."""
DRIFT_S: Final = 60.0
"""Where a clock is wrong (alerting.md §3)."""
SILENT_INTERVALS: Final = 3.0
"""A device that missed so many intervals is silent on the board; when an alert is raised is its rule's affair."""
_LOOKED_BACK: Final = "-30d"
_AGE_H: Final = "float(v: int(v: now()) - int(v: r._time)) / 3600000000000.0"
_VALUES: Final = ("battery_pct", "rssi_dbm", "snr_db", "clock_lag_s")


def now() -> Flux:
    """How many devices there are, how many are silent, low on battery, or wrong about the time."""
    counted = {
        "devices": "true",
        "silent": "r.quiet > 1.0",
        "low": f"r.battery >= 0.0 and r.battery <= {LOW_PCT}",
        "drifting": f"r.lag > {DRIFT_S} or r.lag < -{DRIFT_S}",
    }
    return flux(
        NEWEST,
        _devices(),
        pipe(
            "devices",
            "map(fn: (r) => ({r with battery: if exists r.battery_pct then r.battery_pct else -1.0,"
            " lag: if exists r.clock_lag_s then r.clock_lag_s else 0.0}))",
            count_each(counted),
        ),
    )


def table(most: int = 300) -> Flux:
    """The devices that have been silent longest: of which asset, for how long, battery, signal, clock."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        _devices(),
        let("quietest", "devices", sort("silent_h", falling=True), f"limit(n: {most})"),
        pipe(
            joined("quietest", "assets", "asset"),
            keep("name", "device", "silent_h", "battery_pct", "rssi_dbm", "snr_db", "clock_lag_s", "asset"),
            sort("silent_h", falling=True),
        ),
    )


def lowest_batteries(most: int = 20) -> Flux:
    """The lowest batteries, by the name of their asset."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        let("found", _last("battery_pct"), rename(_value="battery"), sort("battery"), f"limit(n: {most})"),
        pipe(joined("found", "assets", "asset"), keep("name", "battery"), sort("battery")),
    )


def largest_lags(most: int = 20) -> Flux:
    """The clocks that are most wrong, either way."""
    return flux(
        NEWEST,
        ASSET_NAMES,
        let(
            "found",
            _last("clock_lag_s"),
            "map(fn: (r) => ({asset: r.asset, lag: if r._value < 0.0 then -r._value else r._value}))",
            sort("lag", falling=True),
            f"limit(n: {most})",
        ),
        pipe(joined("found", "assets", "asset"), keep("name", "lag"), sort("lag", falling=True)),
    )


def online_by_town() -> Flux:
    """在线率 of each town, by day: what arrived of what was due."""
    return flux(
        NEWEST,
        TOWN_NAMES,
        let(
            "found",
            points(DAILY, Measurement.DEVICE_DAY, "received", "expected", chosen=CHOSEN),
            group("town", "_time", "_field"),
            "sum()",
            wide("town", "_time"),
            "filter(fn: (r) => r.expected > 0.0)",
            f"map(fn: (r) => ({{town: r.town, _time: r._time, share: {percent('received', 'expected')}}}))",
            "map(fn: (r) => ({r with _value: if r.share > 100.0 then 100.0 else r.share}))",
        ),
        BY_TOWN,
    )


def signal_by_town() -> Flux:
    """The mean signal of each town's devices, by hour."""
    return flux(
        NEWEST,
        TOWN_NAMES,
        let(
            "found",
            points(HOURLY, Measurement.DEVICE_HOUR, "rssi_mean_dbm", chosen=CHOSEN),
            group("town"),
            windows(HOUR, "mean"),
            keep("_time", "_value", "town"),
        ),
        BY_TOWN,
    )


def delays(percent: int, called: str) -> InfluxQL:
    """How late messages come: so many percent of each hour's come sooner."""
    return select(f'percentile("delay_s", {percent})', raw(DEVICE), PICKED, alias=called, by=HOUR, chosen=CHOSEN)


def battery_by_day(function: str, called: str) -> InfluxQL:
    """All batteries by day."""
    source = rollup(DAILY, Measurement.DEVICE_DAY)
    return select(f'{function}("battery_min_pct")', source, PICKED, alias=called, by=DAILY_WINDOWS, chosen=CHOSEN)


def _last(field: str) -> str:
    return pipe(points(RAW, DEVICE, field, since=_LOOKED_BACK, chosen=CHOSEN), "last()", keep("asset", "_value"))


def _devices() -> str:
    """``devices``: each with its last values, hours of silence, and that silence over three of its intervals.

    One that was never heard is not in it: there is nothing to say of it but its alert.
    """
    values = pipe(
        points(RAW, DEVICE, *_VALUES, since=_LOOKED_BACK, chosen=CHOSEN),
        "last()",
        keep("device", "asset", "_field", "_value"),
    )
    heard = pipe(
        points(RAW, DEVICE, "delay_s", since=_LOOKED_BACK, chosen=CHOSEN),
        "last()",
        f'map(fn: (r) => ({{r with _field: "silent_h", _value: {_AGE_H}}}))',
        keep("device", "asset", "_field", "_value"),
    )
    intervals = pipe(
        there("interval_s", where=f'r.device != "{NONE}"', chosen=CHOSEN), keep("device", "asset", "_field", "_value")
    )
    return let(
        "devices",
        union(values, heard, intervals),
        'pivot(rowKey: ["device", "asset"], columnKey: ["_field"], valueColumn: "_value")',
        "filter(fn: (r) => exists r.silent_h and exists r.interval_s)",
        f"map(fn: (r) => ({{r with quiet: r.silent_h * 3600.0 / (r.interval_s * {SILENT_INTERVALS})}}))",
    )
