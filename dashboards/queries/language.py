"""How a question is put together: buckets, measurements, what the variables choose; in Flux and in InfluxQL.

Names of measurements are ``telemetry.series``'s. Grafana fills ``${…}`` with an explicit format each, so that one
choice, several and all of them come out the same in either language and in every version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from telemetry.series import NONE, Measurement

BUCKET: Final = "bucket"
"""The hidden constant that holds the raw bucket's name; the others are named after it."""
RAW: Final = f"${{{BUCKET}:raw}}"
HOURLY: Final = f"{RAW}_1h"
DAILY: Final = f"{RAW}_1d"
POLICY: Final = "autogen"
"""The retention policy under which InfluxQL finds each bucket."""

TOWN: Final = "town"
VILLAGE: Final = "village"
ASSET: Final = "asset"

IN_RANGE: Final = "v.timeRangeStart, stop: v.timeRangeStop"
"""What the time picker chose."""
WINDOW: Final = "v.windowPeriod"
"""As wide as a point of the panel, in Flux."""
INTERVAL: Final = "$__interval"
"""The same in InfluxQL."""
MOST_BARS: Final = 40
"""More villages than these nobody can read on one panel: the worst are shown."""
LATELY: Final = "-7d"
"""How far back a last known value is looked for: what is older says nothing about now."""
EVER: Final = "0"
DAY: Final = "1d"
HOUR: Final = "1h"
SHANGHAI: Final = "8h"
"""The county's clock is this much ahead of UTC, all year."""


@dataclass(frozen=True, slots=True)
class Flux:
    """A question in Flux."""

    text: str


@dataclass(frozen=True, slots=True)
class InfluxQL:
    """A question in InfluxQL; ``alias`` names its series (``$col`` by column)."""

    text: str
    alias: str


Query = Flux | InfluxQL


def flux(*statements: str) -> Flux:
    """Statements one after the other, imports first."""
    return Flux("\n".join(statements))


def let(name: str, *steps: str) -> str:
    """A stream of tables under a name."""
    return f"{name} = {pipe(*steps)}"


def pipe(*steps: str) -> str:
    """Steps, each fed with what the one before gives."""
    return "\n  |> ".join(steps)


def points(
    bucket: str,
    measurement: Measurement,
    *fields: str,
    since: str = IN_RANGE,
    chosen: tuple[str, ...] = (TOWN, VILLAGE),
) -> str:
    """The points of some fields of a measurement, for the towns, villages or assets that are chosen on the board."""
    named = " or ".join(f'r._field == "{field}"' for field in fields)
    where = [f'r._measurement == "{measurement}"', f"({named})" if len(fields) > 1 else named]
    where += [f"r.{tag} =~ /^${{{tag}:regex}}$/" for tag in chosen]
    wanted = " and ".join(part for part in where if part)
    return pipe(f'from(bucket: "{bucket}")', f"range(start: {since})", f"filter(fn: (r) => {wanted})")


def keep(*columns: str) -> str:
    """These columns and no other, in one table."""
    return pipe("group()", f"keep(columns: [{', '.join(map(_quoted, columns))}])")


def group(*columns: str) -> str:
    """One table for each of these."""
    return f"group(columns: [{', '.join(map(_quoted, columns))}])"


def sort(*columns: str, falling: bool = False) -> str:
    """Rows in the order of these columns."""
    return f"sort(columns: [{', '.join(map(_quoted, columns))}], desc: {'true' if falling else 'false'})"


def rename(**columns: str) -> str:
    """Columns under other names."""
    named = ", ".join(f'{old}: "{new}"' for old, new in columns.items())
    return f"rename(columns: {{{named}}})"


def wide(*rows: str) -> str:
    """A row for each of these, with a column for each field."""
    keys = ", ".join(map(_quoted, rows))
    return pipe(group(*rows), f'pivot(rowKey: [{keys}], columnKey: ["_field"], valueColumn: "_value")', "group()")


def windows(every: str, function: str) -> str:
    """One value for each window of time that has any; it stands at the window's beginning."""
    return f'aggregateWindow(every: {every}, fn: {function}, createEmpty: false, timeSrc: "_start")'


def newest(*columns: str) -> str:
    """The newest row for each of these, whichever series had it, in one table."""
    return pipe(group(*columns), sort("_time"), "last()", "group()")


def joined(left: str, right: str, *on: str) -> str:
    """Rows of two named streams that agree in these columns; nothing at all when one of them is empty."""
    return f"join(tables: {{left: {left}, right: {right}}}, on: [{', '.join(map(_quoted, on))}])"


def union(*streams: str) -> str:
    """All their rows in one table; without the last step Flux may keep them apart."""
    return pipe(f"union(tables: [{', '.join(streams)}])", "group()")


def count_each(tests: Mapping[str, str]) -> str:
    """How many rows pass each of these tests, all in one row."""
    zeros = ", ".join(f"{name}: 0.0" for name in tests)
    sums = ", ".join(f"{name}: accumulator.{name} + (if {test} then 1.0 else 0.0)" for name, test in tests.items())
    return f"reduce(identity: {{{zeros}}}, fn: (r, accumulator) => ({{{sums}}}))"


def tell(key: str, field: str, value: str) -> str:
    """Rows as what is said of a key: a field and its value, in words whatever it was."""
    return f'map(fn: (r) => ({{{key}: r.{key}, _field: "{field}", _value: {value}}}))'


def percent(part: str, whole: str) -> str:
    """A column's share of another in per cent; divided first, for 100 x / x is 100.00000000000001 for some x."""
    return f"100.0 * (r.{part} / r.{whole})"


def merged(key: str, *streams: str) -> str:
    """One row for each key, with a column of text for each field that one of the streams has ``tell`` of it.

    Cheaper than joining by a factor of ten where there are thousands, and no stream has to have rows.
    """
    return pipe(union(*streams), f'pivot(rowKey: ["{key}"], columnKey: ["_field"], valueColumn: "_value")')


def select(
    columns: str,
    source: str,
    *where: str,
    alias: str,
    by: str = "",
    fill: str = "none",
    chosen: tuple[str, ...] = (TOWN, VILLAGE),
) -> InfluxQL:
    """One SELECT; ``by`` is the width of its windows, ``chosen`` as for ``points``."""
    wanted = [*where, *(f'"{tag}" =~ /^${{{tag}:regex}}$/' for tag in chosen)]
    grouped = f" GROUP BY time({by}) fill({fill})" if by else ""
    return InfluxQL(f"SELECT {columns} FROM {source} WHERE {' AND '.join(wanted)}{grouped}", alias)


def raw(measurement: Measurement) -> str:
    """A measurement of the data source's own database, for InfluxQL."""
    return f'"{measurement}"'


def rollup(bucket: str, measurement: Measurement) -> str:
    """A measurement of another database, for InfluxQL."""
    return f'"{bucket}"."{POLICY}"."{measurement}"'


PICKED: Final = "$timeFilter"
"""What the time picker chose, for InfluxQL."""
DAILY_WINDOWS: Final = f"{DAY}, -{SHANGHAI}"
"""Days of the county, for InfluxQL; it needs no time zone table for them."""
NO_DEVICE: Final = f'r.device == "{NONE}"'
NO_ASSET: Final = f'r.asset == "{NONE}"'


def _quoted(name: str) -> str:
    return f'"{name}"'
