"""Days, by hand, from the rows of their hours; a day is a local date, however many hours that has."""

from dataclasses import replace as changed
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from alerts.calendars import HOUR_MS, Calendar
from alerts.rollups import days
from alerts.rollups.days import Hour
from alerts.rollups.rows import BinRow, DeviceRow, Period, PlantDayRow, PlantRow, TownRow, day_at, hour_at, starts
from tests.alerts.rollups.hours import TEN
from tests.laws.test_restart_laws import COUNTY

CALENDAR = Calendar.of(COUNTY.county)
MIDNIGHT = TEN - 10 * HOUR_MS
BIN = BinRow(10.0, 20.0, 15.0, 20.0, 2, 60.0, 0.0, 0, 0.0)
UNSEEN = BinRow(None, None, None, None, 0, 0.0, 0.0, 0, None)
PLANT = PlantRow(1.0, 600.0, 1, 600.0, 3_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2)
DEVICE = DeviceRow(3, 3.0, 80.0, -90.0, None, 1.0)


def at(hour: int, row: BinRow | PlantRow | DeviceRow | TownRow) -> Hour:
    return Hour(MIDNIGHT + hour * HOUR_MS, row)


def test_a_bins_day_is_its_hours_each_counting_by_its_samples() -> None:
    third = BinRow(5.0, 70.0, 55.0, 60.0, 6, 45.0, 30.0, 1, 1 / 3)
    row = days.of_bin([at(7, BIN), at(8, UNSEEN), at(9, third), at(12, UNSEEN)], CALENDAR)
    assert row == BinRow(5.0, 70.0, 45.0, 60.0, 8, 105.0, 30.0, 1, 1 / 3)


def test_a_bins_exposure_is_the_mean_of_the_hours_in_which_inspectors_come() -> None:
    hours = [at(hour, replace(BIN, exposure_points=0.5 if hour in {7, 8, 17, 18} else 0.0)) for hour in range(24)]
    row = days.of_bin(hours, CALENDAR)
    assert row is not None
    assert row.exposure_points == pytest.approx(2 * 0.5 / 10)
    night = days.of_bin([at(3, replace(BIN, exposure_points=0.5))], CALENDAR)
    assert night is not None
    assert night.exposure_points is None


def test_a_plants_day_adds_up_and_is_held_against_its_design() -> None:
    design = COUNTY.assets["plant"].plant
    assert design is not None
    hours = [at(0, PLANT), at(1, replace(PLANT, volume_m3=None)), at(2, replace(PLANT, volume_m3=9.0, run_state=1))]
    assert days.of_plant(hours, design) == PlantDayRow(
        10.0, 1_800.0, 3, 1_800.0, 9_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1, 100 * 10 / 50
    )
    unknown = days.of_plant([at(0, replace(PLANT, volume_m3=None))], design)
    assert unknown is not None
    assert (unknown.volume_m3, unknown.load_pct) == (None, None)


def test_a_devices_day_weighs_its_hours_by_what_was_received() -> None:
    weak = DeviceRow(1, 3.0, 78.0, -110.0, -3.0, 9.0)
    row = days.of_device([at(0, DEVICE), at(1, weak), at(2, DeviceRow(0, 3.0, None, None, None, None))])
    assert row == DeviceRow(4, 9.0, 78.0, -95.0, -3.0, 3.0)


def test_a_towns_day_is_the_mean_of_the_hours_in_which_inspectors_come() -> None:
    hours = [at(hour, TownRow(4.0, 2.0 if hour < 13 else 1.0, 1.0 if hour < 13 else 0.5)) for hour in range(24)]
    assert days.of_town(hours, CALENDAR) == TownRow(4.0, 1.5, 0.75)
    assert days.of_town(hours[:8], CALENDAR) is None


def test_nothing_gives_no_day() -> None:
    design = COUNTY.assets["plant"].plant
    assert design is not None
    assert days.of_plant([], design) is None
    assert days.of_bin([], CALENDAR) is None
    assert days.of_device([]) is None


@pytest.mark.parametrize(
    ("zone", "at_ms", "hours"),
    [
        ("Asia/Shanghai", TEN, 24),
        ("Europe/Berlin", 1_774_778_400_000, 23),  # 2026-03-29
        ("Europe/Berlin", 1_792_922_400_000, 25),  # 2026-10-25
        ("Asia/Kolkata", TEN, 24),
    ],
)
def test_a_day_has_as_many_hours_as_begin_in_it(zone: str, at_ms: int, hours: int) -> None:
    calendar = changed(CALENDAR, zone=ZoneInfo(zone))
    day = day_at(calendar, at_ms)
    assert len(starts(day.hours)) == hours
    assert calendar.local(day.start_ms).time().isoformat() == "00:00:00"
    dates = {calendar.local(start_ms).date() for start_ms in starts(day.hours)}
    assert dates == {calendar.local(at_ms).date()}
    assert day_at(calendar, day.hours.end_ms).hours.start_ms == day.hours.end_ms, "days leave no hour out"


def test_an_hour_is_full_and_without_its_end() -> None:
    assert hour_at(TEN) == hour_at(TEN + HOUR_MS - 1) == Period(TEN, TEN + HOUR_MS)
    assert hour_at(TEN - 1) == Period(TEN - HOUR_MS, TEN)
