"""What a day comes to, from the rows of its hours: sums, extremes, and means weighted by samples.

What concerns the score is the mean of the hours that begin from 08 to before 18 by the county's clock.
"""

from collections.abc import Sequence
from datetime import time
from statistics import fmean
from typing import Final, NamedTuple, TypeVar

from alerts.calendars import Calendar
from alerts.rollups.hours import mean
from alerts.rollups.rows import BinRow, DeviceRow, PlantDayRow, PlantRow, Row, TownRow
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis
from telemetry.terms import Hours

INSPECTED: Final = Hours(time(8), time(18))
"""When inspectors come (domain.md §1 row 4)."""

R = TypeVar("R", bound=Row)


class Hour(NamedTuple):
    """Where an hour begins, and its row."""

    start_ms: Millis
    row: Row


def of_bin(hours: Sequence[Hour], calendar: Calendar) -> BinRow | None:
    """The day of a bin, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, BinRow)
    if not rows:
        return None
    inspected = [row.exposure_points for row in _of_kind(_inspected(hours, calendar), BinRow)]
    return BinRow(
        min((row.fill_min_pct for row in rows if row.fill_min_pct is not None), default=None),
        max((row.fill_max_pct for row in rows if row.fill_max_pct is not None), default=None),
        _weighted([(row.fill_mean_pct, row.samples) for row in rows]),
        next((row.fill_last_pct for row in reversed(rows) if row.fill_last_pct is not None), None),
        sum(row.samples for row in rows),
        sum(row.known_min for row in rows),
        sum(row.over_min for row in rows),
        sum(row.emptyings for row in rows),
        mean([points for points in inspected if points is not None]),
    )


def of_plant(hours: Sequence[Hour], design: PlantDesign) -> PlantDayRow | None:
    """The day of a plant, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, PlantRow)
    if not rows:
        return None
    volumes = [row.volume_m3 for row in rows if row.volume_m3 is not None]
    volume = sum(volumes) if volumes else None
    return PlantDayRow(
        volume,
        sum(row.running_s for row in rows),
        sum(row.starts for row in rows),
        sum(row.state_running_s for row in rows),
        sum(row.state_idle_s for row in rows),
        sum(row.state_stopped_s for row in rows),
        sum(row.state_no_power_s for row in rows),
        sum(row.state_meter_fault_s for row in rows),
        sum(row.state_offline_s for row in rows),
        sum(row.state_maintenance_s for row in rows),
        sum(row.state_unknown_s for row in rows),
        rows[-1].run_state,
        None if volume is None else 100.0 * volume / design.design_m3d,
    )


def of_device(hours: Sequence[Hour]) -> DeviceRow | None:
    """The day of a device, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, DeviceRow)
    if not rows:
        return None
    return DeviceRow(
        sum(row.received for row in rows),
        sum(row.expected for row in rows),
        min((row.battery_min_pct for row in rows if row.battery_min_pct is not None), default=None),
        _weighted([(row.rssi_mean_dbm, row.received) for row in rows]),
        _weighted([(row.snr_mean_db, row.received) for row in rows]),
        _weighted([(row.delay_mean_s, row.received) for row in rows]),
    )


def of_town(hours: Sequence[Hour], calendar: Calendar) -> TownRow | None:
    """The day of a town, from its hours in order; ``None`` if it had none that inspectors come in."""
    rows = _of_kind(_inspected(hours, calendar), TownRow)
    if not rows:
        return None
    return TownRow(
        fmean(row.sites for row in rows),
        fmean(row.sites_over for row in rows),
        fmean(row.exposure_points for row in rows),
    )


def _of_kind(hours: Sequence[Hour], kind: type[R]) -> list[R]:
    return [hour.row for hour in hours if isinstance(hour.row, kind)]


def _inspected(hours: Sequence[Hour], calendar: Calendar) -> list[Hour]:
    return [hour for hour in hours if calendar.is_within(hour.start_ms, INSPECTED)]


def _weighted(means: Sequence[tuple[float | None, int]]) -> float | None:
    """The mean of means, each counting as often as it has samples."""
    told = [(mean, weight) for mean, weight in means if mean is not None]
    weight = sum(each for _, each in told)
    return sum(mean * each for mean, each in told) / weight if weight else None
