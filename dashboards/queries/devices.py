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
    flux,
    group,
    joined,
    keep,
    let,
    pipe,
    points,
    raw,
    rename,
    rollup,
    select,
    sort,
    wide,
)
from dashboards.queries.names import ASSET_NAMES, THERE, VILLAGE_NAMES
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


def now() -> Flux:
    """How many devices there are, how many are silent, low on battery, or wrong about the time."""
    counted = {
        "devices": "true",
        "silent": "r.quiet > 1.0",
        "low": f"r.battery >= 0.0 and r.battery <= {LOW_PCT}",
        "drifting": f"r.lag > {DRIFT_S} or r.lag < -{DRIFT_S}",
    }
    zeros = ", ".join(f"{name}: 0.0" for name in counted)
    sums = ", ".join(f"{name}: accumulator.{name} + (if {test} then 1.0 else 0.0)" for name, test in counted.items())
    return flux(
        THERE,
        *_devices(),
        pipe(
            "devices",
            "map(fn: (r) => ({r with battery: if exists r.battery_pct then r.battery_pct else -1.0,"
            " lag: if exists r.clock_lag_s then r.clock_lag_s else 0.0}))",
            f"reduce(identity: {{{zeros}}}, fn: (r, accumulator) => ({{{sums}}}))",
        ),
    )


def table(most: int = 5_000) -> Flux:
    """Every device: of which asset, how long ago heard, battery, signal, clock. The longest silent first."""
    return flux(
        THERE,
        ASSET_NAMES,
        *_devices(),
        pipe(
            joined("devices", "assets", "asset"),
            keep("name", "device", "silent_h", "battery_pct", "rssi_dbm", "snr_db", "clock_lag_s", "asset"),
            sort("silent_h", falling=True),
            f"limit(n: {most})",
        ),
    )


def lowest_batteries(most: int = 20) -> Flux:
    """The lowest batteries, by the name of their asset."""
    return flux(
        THERE,
        ASSET_NAMES,
        let("found", _last("battery_pct"), rename(_value="battery")),
        pipe(
            joined("found", "assets", "asset"),
            keep("name", "battery"),
            sort("battery"),
            f"limit(n: {most})",
        ),
    )


def largest_lags(most: int = 20) -> Flux:
    """The clocks that are most wrong, either way."""
    return flux(
        THERE,
        ASSET_NAMES,
        let(
            "found",
            _last("clock_lag_s"),
            "map(fn: (r) => ({asset: r.asset, lag: if r._value < 0.0 then -r._value else r._value}))",
        ),
        pipe(joined("found", "assets", "asset"), keep("name", "lag"), sort("lag", falling=True), f"limit(n: {most})"),
    )


def online_by_village() -> Flux:
    """在线率 of each village, by day: what arrived of what was due."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        let(
            "found",
            points(DAILY, Measurement.DEVICE_DAY, "received", "expected", chosen=CHOSEN),
            group("village", "_time", "_field"),
            "sum()",
            wide("village", "_time"),
            "filter(fn: (r) => r.expected > 0.0)",
            "map(fn: (r) => ({village: r.village, _time: r._time, share: 100.0 * r.received / r.expected}))",
            "map(fn: (r) => ({r with _value: if r.share > 100.0 then 100.0 else r.share}))",
        ),
        _BY_VILLAGE,
    )


def signal_by_village() -> Flux:
    """The mean signal of each village's devices, by hour."""
    return flux(
        THERE,
        VILLAGE_NAMES,
        let(
            "found",
            points(HOURLY, Measurement.DEVICE_HOUR, "rssi_mean_dbm", chosen=CHOSEN),
            group("village", "_time"),
            "mean()",
            keep("_time", "_value", "village"),
        ),
        _BY_VILLAGE,
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


def _devices() -> tuple[str, ...]:
    """``devices``: each with its last values, hours of silence, and that silence over three of its intervals.

    One that was never heard is not in it: there is nothing to say of it but its alert.
    """
    return (
        let(
            "values",
            points(RAW, DEVICE, "battery_pct", "rssi_dbm", "snr_db", "clock_lag_s", since=_LOOKED_BACK, chosen=CHOSEN),
            "last()",
            keep("device", "_field", "_value"),
        ),
        let(
            "heard",
            points(RAW, DEVICE, "delay_s", since=_LOOKED_BACK, chosen=CHOSEN),
            "last()",
            'map(fn: (r) => ({device: r.device, _field: "silent_h",'
            " _value: float(v: int(v: now()) - int(v: r._time)) / 3600000000000.0}))",
            "group()",
        ),
        let(
            "intervals",
            f'there |> filter(fn: (r) => r._field == "interval_s" and r.device != "{NONE}")',
            keep("asset", "device", "_value"),
            rename(_value="interval_s"),
        ),
        let("said", "union(tables: [values, heard])", wide("device"), "filter(fn: (r) => exists r.silent_h)"),
        let(
            "devices",
            joined("said", "intervals", "device"),
            f"map(fn: (r) => ({{r with quiet: r.silent_h * 3600.0 / (r.interval_s * {SILENT_INTERVALS})}}))",
        ),
    )


_BY_VILLAGE: Final = pipe(
    joined("found", "villages", "village"),
    group("village_name"),
    'keep(columns: ["_time", "_value", "village_name"])',
    sort("_time"),
)
