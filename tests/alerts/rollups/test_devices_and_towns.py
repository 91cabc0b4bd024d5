"""A device's and a town's hours, by hand, and whose sites a town's are."""

import pytest
from msgspec.structs import replace

from alerts.rollups.assets import Followed
from alerts.rollups.hours import fold_device, fold_town, scored_sites
from alerts.rollups.rows import BinRow, DeviceRow, PlantRow, TownRow
from telemetry.series import Measurement
from tests.alerts.rollups.hours import KNOWN, MINUTE, PLANS, TEN, folded, hour, level, rows, said
from tests.laws.test_restart_laws import COUNTY

POOL = COUNTY.devices["s-pool"]
UNSEEN = BinRow(None, None, None, None, 0, 0.0, 0.0, 0, None)


def test_a_device_is_counted_once_a_reading_and_averaged() -> None:
    heard = [
        said("s-pool", 0, battery_pct=80.0, rssi_dbm=-90.0, snr_db=4.0, delay_ms=1_000),
        said("s-pool", 20, battery_pct=79.0, rssi_dbm=-110.0, delay_ms=2_000),
        said("s-pool", 40, temperature_c=20.0, delay_ms=6_000),
    ]
    (row,) = rows(DeviceRow, "pool", [*heard, *heard])
    assert row == DeviceRow(3, 3.0, 79.0, -100.0, 4.0, 3.0)


def test_a_silent_device_has_a_row_and_nothing_in_it() -> None:
    assert rows(DeviceRow, "pool", []) == [DeviceRow(0, 3.0, None, None, None, None)]


def test_a_repeat_that_came_later_does_not_count_as_delay() -> None:
    (row,) = rows(DeviceRow, "pool", [said("s-pool", 5, delay_ms=60_000), said("s-pool", 5, delay_ms=1_000)])
    assert (row.received, row.delay_mean_s) == (1, 1.0)


@pytest.mark.parametrize(("known", "expected"), [(-60, 3.0), (0, 3.0), (20, 2.0), (50, 0.5)])
def test_only_what_was_known_of_the_hour_is_expected(known: int, expected: float) -> None:
    row = fold_device(POOL, TEN + known * MINUTE, [], hour())
    assert row is not None
    assert row.expected == expected


def test_before_it_was_known_there_is_no_row_unless_it_spoke() -> None:
    assert fold_device(POOL, TEN + 60 * MINUTE, [], hour()) is None
    assert fold_device(POOL, TEN + 60 * MINUTE, [level(0, 30)], hour()) == DeviceRow(1, 0.0, None, None, None, 0.0)


def test_an_asset_is_followed_from_the_first_thing_that_is_known_of_it() -> None:
    later = Followed(PLANS["pool"], dict.fromkeys(KNOWN, TEN + 70 * MINUTE))
    assert later.fold(None, [], hour()) == ((), None)
    assert len(later.fold(None, [], hour(1)).rows) == 2
    assert len(later.fold(None, [level(0, 30)], hour()).rows) == 2


def test_a_plants_time_counts_from_then_on() -> None:
    later = Followed(PLANS["plant"], dict.fromkeys(KNOWN, TEN + 45 * MINUTE))
    silent, spoken = (later.fold(None, told, hour()).rows[0].row for told in ([], [said("m-plant", 30, flow_m3h=3.0)]))
    assert isinstance(silent, PlantRow)
    assert silent.state_unknown_s == 15 * 60.0
    assert isinstance(spoken, PlantRow)
    assert (spoken.state_running_s, spoken.state_unknown_s) == (30 * 60.0, 0.0)


def test_each_device_of_an_asset_has_its_own_row() -> None:
    (found,) = folded("plant", [said("m-radio", 0, level_mm=500.0)])
    received = {subject: row.received for (_, subject), row in found.items() if isinstance(row, DeviceRow)}
    assert received == {"m-plant": 0, "m-radio": 1}
    assert next(iter(found)) == (Measurement.PLANT_HOUR, "plant")


def test_a_reading_of_a_device_that_is_gone_is_left_out() -> None:
    gone = replace(level(0, 90), device="s-road")
    assert rows(BinRow, "pool", [gone]) == [UNSEEN]


def test_a_town_counts_its_known_sites_and_the_share_of_their_time_over_the_line() -> None:
    half = replace(UNSEEN, known_min=60.0, over_min=30.0)
    short = replace(UNSEEN, known_min=20.0, over_min=20.0)
    under = replace(UNSEEN, known_min=60.0)
    assert fold_town([half, short, under, UNSEEN]) == TownRow(3.0, 1.5, 0.75)
    assert fold_town([UNSEEN]) == TownRow(0.0, 0.0, 0.0)


def test_a_towns_sites_are_the_bins_below_it_that_count() -> None:
    assert scored_sites(COUNTY) == {"qingshi": {"pool", "road", "round"}}
