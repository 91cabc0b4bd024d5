"""The shape of a rollup: which window of time it is of, and one frozen row, its fields named as in docs/series.md.

An hour begins at the full hour UTC. A day is a local date: the hours that begin in it, however many those are. ``None``
is a field that is absent: nothing was heard that could say it, which is never the same as zero (law L5).
"""

from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

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


class BinRow(Struct, frozen=True, gc=False):
    """How full a bin was, and for how long it was known and over the line."""

    fill_min_pct: float | None
    fill_max_pct: float | None
    fill_mean_pct: float | None
    fill_last_pct: float | None
    samples: int
    known_min: float
    over_min: float
    emptyings: int
    exposure_points: float | None


class PlantRow(Struct, frozen=True, gc=False):
    """How much went through a plant, and what it did meanwhile."""

    volume_m3: float | None
    running_s: float
    starts: int
    state_running_s: float
    state_idle_s: float
    state_stopped_s: float
    state_no_power_s: float
    state_meter_fault_s: float
    state_offline_s: float
    state_maintenance_s: float
    state_unknown_s: float
    run_state: int


class PlantDayRow(PlantRow, frozen=True, gc=False):
    """The same for a day, against what the plant was built for."""

    load_pct: float | None


class DeviceRow(Struct, frozen=True, gc=False):
    """How well a device was heard, and what it said of itself."""

    received: int
    expected: float
    battery_min_pct: float | None
    rssi_mean_dbm: float | None
    snr_mean_db: float | None
    delay_mean_s: float | None


class TownRow(Struct, frozen=True, gc=False):
    """How many of a town's sites were over the line, on the mean."""

    sites: float
    sites_over: float
    exposure_points: float


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
