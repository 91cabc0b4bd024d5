"""Questions about ourselves, from what InfluxDB has of us: what arrives, how late, and how fresh the rollups are."""

from typing import Final

from dashboards.queries.language import (
    DAILY,
    EVER,
    HOUR,
    HOURLY,
    PICKED,
    RAW,
    TOWN,
    Flux,
    InfluxQL,
    flux,
    group,
    keep,
    let,
    pipe,
    points,
    raw,
    rollup,
    select,
    sort,
    union,
    windows,
)
from dashboards.queries.names import BY_TOWN, NEWEST, TOWN_NAMES
from telemetry.series import Measurement

DEVICE: Final = Measurement.DEVICE
CHOSEN: Final = (TOWN,)
LATE_S: Final = 7_200
"""From here on a message is late (alerting.md §1)."""
_AGE: Final = "float(v: int(v: now()) - int(v: r._time))"


def last_message() -> Flux:
    """Seconds since the newest reading."""
    return flux(
        pipe(
            points(RAW, DEVICE, "delay_s", since="-30d", chosen=CHOSEN),
            "last()",
            "group()",
            sort("_time"),
            "last()",
            f"map(fn: (r) => ({{seconds: {_AGE} / 1000000000.0}}))",
        )
    )


def freshness() -> Flux:
    """Hours since the newest hourly rollup ended, and days since the inventory was imported."""
    ages = [
        pipe(
            points(HOURLY, Measurement.DEVICE_HOUR, "expected", since="-30d", chosen=CHOSEN),
            "last()",
            "group()",
            sort("_time"),
            "last()",
            f'map(fn: (r) => ({{_field: "rollup_h", _value: {_AGE} / 3600000000000.0 - 1.0}}))',
        ),
        pipe(
            points(DAILY, Measurement.ASSET, "name", since=EVER, chosen=()),
            "last()",
            "group()",
            sort("_time"),
            "last()",
            f'map(fn: (r) => ({{_field: "inventory_d", _value: {_AGE} / 86400000000000.0}}))',
        ),
    ]
    return flux(
        pipe(
            union(*ages),
            "map(fn: (r) => ({r with at: 0}))",
            'pivot(rowKey: ["at"], columnKey: ["_field"], valueColumn: "_value")',
            'drop(columns: ["at"])',
        )
    )


def messages_a_minute() -> InfluxQL:
    """What arrives, by the minute in which it was measured."""
    return select('count("delay_s")', raw(DEVICE), PICKED, alias="每分钟", by="1m", fill="0", chosen=CHOSEN)


def messages_by_town() -> Flux:
    """The same by town and hour."""
    return flux(
        NEWEST,
        TOWN_NAMES,
        let(
            "found",
            points(HOURLY, Measurement.DEVICE_HOUR, "received", chosen=CHOSEN),
            group("town"),
            windows(HOUR, "sum"),
            keep("_time", "_value", "town"),
        ),
        BY_TOWN,
    )


def delay(columns: str, called: str) -> InfluxQL:
    """How late messages came, by ten minutes."""
    return select(columns, raw(DEVICE), PICKED, alias=called, by="10m", chosen=CHOSEN)


def late() -> InfluxQL:
    """Messages that came more than two hours late, by hour."""
    return select(
        'count("delay_s")', raw(DEVICE), PICKED, f'"delay_s" > {LATE_S}', alias="迟到", by=HOUR, chosen=CHOSEN
    )


def arrived_of_expected() -> InfluxQL:
    """How much of what was due arrived, by hour."""
    source = rollup(HOURLY, Measurement.DEVICE_HOUR)
    share = '100 * sum("received") / sum("expected")'
    return select(share, source, PICKED, alias="实收比例", by=HOUR, chosen=CHOSEN)


def clock_lag(columns: str, called: str) -> InfluxQL:
    """How far devices' clocks are behind ours, by hour."""
    return select(columns, raw(DEVICE), PICKED, alias=called, by=HOUR, chosen=CHOSEN)


def speaking_devices() -> InfluxQL:
    """How many different devices were heard in each hour."""
    heard = select('count("delay_s") AS "n"', raw(DEVICE), PICKED, alias="", chosen=CHOSEN).text
    inner = f'{heard} GROUP BY time({HOUR}), "device" fill(none)'
    return InfluxQL(f'SELECT count("n") FROM ({inner}) WHERE {PICKED} GROUP BY time({HOUR}) fill(none)', "在报设备")
