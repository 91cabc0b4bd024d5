"""The shape of a rollup: which window of time it is of, and one frozen row, its fields named as in docs/series.md.

An hour begins at the full hour UTC. A day is a local date: the hours that begin in it, however many those are. ``None``
is a field that is absent: nothing was heard that could say it, which is never the same as zero (law L5).
"""

from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, TypeAlias

from msgspec import Struct

from alerts.calendars import HOUR_MS, Calendar
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement

_ORDER: Final = attrgetter("observed_ms", "boot", "seq", "device", "received_ms")


class Period(Struct, frozen=True, gc=False):
    """From … to …, the end not included."""

    start_ms: Millis
    end_ms: Millis


class Day(Struct, frozen=True, gc=False):
    """A local date: it stands at its midnight, and is made of whole hours."""

    start_ms: Millis
    hours: Period


def hour_at(at_ms: Millis) -> Period:
    """The hour in which an instant lies."""
    start_ms = at_ms - at_ms % HOUR_MS
    return Period(start_ms, start_ms + HOUR_MS)


def day_at(calendar: Calendar, at_ms: Millis) -> Day:
    """The day of an instant; that of a reading is the day in which its hour begins."""
    date = calendar.local(at_ms).date()
    midnight, next_midnight = (calendar.instant(day, time()) for day in (date, date + timedelta(days=1)))
    return Day(midnight, Period(_full_hour(midnight), _full_hour(next_midnight)))


def starts(window: Period) -> range:
    """Where the hours of a window begin."""
    return range(window.start_ms, window.end_ms, HOUR_MS)


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Each reading once, by the time it counts for: neither the order of arrival nor a repetition is left."""
    seen: set[tuple[str, int, int, Millis]] = set()
    ordered: list[Reading] = []
    for reading in sorted(readings, key=_ORDER):
        name = (reading.device, reading.boot, reading.seq, reading.observed_ms)  # one frame may tell of several times
        if name not in seen:
            seen.add(name)
            ordered.append(reading)
    return ordered


def _full_hour(at_ms: Millis) -> Millis:
    """The instant itself if it is a full hour, else the next one."""
    return -(-at_ms // HOUR_MS) * HOUR_MS


class DayFold(StrEnum):
    """What a day's field is of its hours' that can say it: declared with the field, carried out by ``days``."""

    TOTAL = "total"
    LEAST = "least"
    MOST = "most"
    LAST = "last"
    BY_SAMPLES = "samples"
    """The mean, each hour counting as often as that field of it says."""
    BY_RECEIVED = "received"
    INSPECTED = "inspected"
    """The mean of the hours that inspectors come in."""


class BinRow(Struct, frozen=True, gc=False):
    """How full a bin was, and for how long it was known and over the line."""

    fill_min_pct: Annotated[float | None, DayFold.LEAST]
    fill_max_pct: Annotated[float | None, DayFold.MOST]
    fill_mean_pct: Annotated[float | None, DayFold.BY_SAMPLES]
    fill_last_pct: Annotated[float | None, DayFold.LAST]
    samples: Annotated[int, DayFold.TOTAL]
    known_min: Annotated[float, DayFold.TOTAL]
    over_min: Annotated[float, DayFold.TOTAL]
    emptyings: Annotated[int, DayFold.TOTAL]
    exposure_points: Annotated[float | None, DayFold.INSPECTED]


class PlantRow(Struct, frozen=True, gc=False):
    """How much went through a plant, and what it did meanwhile."""

    volume_m3: Annotated[float | None, DayFold.TOTAL]
    running_s: Annotated[float, DayFold.TOTAL]
    starts: Annotated[int, DayFold.TOTAL]
    state_running_s: Annotated[float, DayFold.TOTAL]
    state_idle_s: Annotated[float, DayFold.TOTAL]
    state_stopped_s: Annotated[float, DayFold.TOTAL]
    state_no_power_s: Annotated[float, DayFold.TOTAL]
    state_meter_fault_s: Annotated[float, DayFold.TOTAL]
    state_offline_s: Annotated[float, DayFold.TOTAL]
    state_maintenance_s: Annotated[float, DayFold.TOTAL]
    state_unknown_s: Annotated[float, DayFold.TOTAL]
    run_state: Annotated[int, DayFold.LAST]


class PlantDayRow(PlantRow, frozen=True, gc=False):
    """The same for a day, against what the plant was built for."""

    load_pct: float | None


class DeviceRow(Struct, frozen=True, gc=False):
    """How well a device was heard, and what it said of itself."""

    received: Annotated[int, DayFold.TOTAL]
    expected: Annotated[float, DayFold.TOTAL]
    battery_min_pct: Annotated[float | None, DayFold.LEAST]
    rssi_mean_dbm: Annotated[float | None, DayFold.BY_RECEIVED]
    snr_mean_db: Annotated[float | None, DayFold.BY_RECEIVED]
    delay_mean_s: Annotated[float | None, DayFold.BY_RECEIVED]


class TownRow(Struct, frozen=True, gc=False):
    """How many of a town's sites were over the line, on the mean."""

    sites: Annotated[float, DayFold.INSPECTED]
    sites_over: Annotated[float, DayFold.INSPECTED]
    exposure_points: Annotated[float, DayFold.INSPECTED]


Row: TypeAlias = BinRow | PlantRow | PlantDayRow | DeviceRow | TownRow


class Rollup(NamedTuple):
    """A row with what it is about: an asset's, device's or town's id, and where its window begins."""

    measurement: Measurement
    subject: str
    start_ms: Millis
    row: Row


HOURS: Final[Mapping[Measurement, type[Row]]] = MappingProxyType(
    {
        Measurement.BIN_HOUR: BinRow,
        Measurement.PLANT_HOUR: PlantRow,
        Measurement.DEVICE_HOUR: DeviceRow,
        Measurement.TOWN_HOUR: TownRow,
    }
)
DAYS: Final[Mapping[Measurement, type[Row]]] = MappingProxyType(
    {
        Measurement.BIN_DAY: BinRow,
        Measurement.PLANT_DAY: PlantDayRow,
        Measurement.DEVICE_DAY: DeviceRow,
        Measurement.TOWN_DAY: TownRow,
    }
)
ROWS: Final[Mapping[Measurement, type[Row]]] = MappingProxyType({**HOURS, **DAYS})
"""Every measurement of a rollup, with the row that it has."""

DAY_OF: Final[Mapping[Measurement, Measurement]] = MappingProxyType(dict(zip(HOURS, DAYS, strict=True)))
"""Which daily measurement is made of an hourly one."""
