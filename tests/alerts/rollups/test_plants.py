"""A plant's hours, by hand. It is built for 50 m³/d (cut-off 0.104 m³/h); its devices are silent after 20 minutes."""

import pytest

from alerts.model import RUN_CODES, RunState
from alerts.rollups.rows import PlantRow
from telemetry.reading import Reading
from tests.alerts.rollups.hours import folded, rows, said


def meter(minute: float, volume_m3: float) -> Reading:
    return said("m-plant", minute, volume_m3=volume_m3)


def rate(minute: float, flow_m3h: float) -> Reading:
    return said("m-plant", minute, flow_m3h=flow_m3h)


def every_ten(first: int, last: int) -> list[int]:
    return list(range(first, last + 1, 10))


def test_volume_is_what_the_totaliser_rose_by() -> None:
    (row,) = rows(PlantRow, "plant", [meter(0, 100.0), meter(10, 100.5), meter(20, 102.0)])
    assert row.volume_m3 == 2.0


def test_the_first_rise_of_an_hour_counts_from_the_last_value_before_it() -> None:
    found = rows(PlantRow, "plant", [meter(50, 100.0), meter(70, 103.0), meter(110, 104.0)], hours=2)
    assert [row.volume_m3 for row in found] == [0.0, 4.0]


def test_a_fall_is_a_reset_and_adds_nothing() -> None:
    (row,) = rows(PlantRow, "plant", [meter(0, 100.0), meter(10, 104.0), meter(20, 1.0), meter(30, 3.5)])
    assert row.volume_m3 == 4.0 + 2.5


def test_no_value_is_no_volume_and_not_zero() -> None:
    found = rows(PlantRow, "plant", [meter(0, 100.0), said("m-radio", 70, level_mm=500.0)], hours=2)
    assert [row.volume_m3 for row in found] == [0.0, None]


def test_without_a_totaliser_the_rate_is_integrated_until_the_meter_is_silent() -> None:
    found = rows(PlantRow, "plant", [rate(0, 6.0), rate(10, 3.0), rate(50, 6.0)], hours=2)
    assert [row.volume_m3 for row in found] == [6.0 / 6 + 3.0 * 25 / 60 + 6.0 / 6, 6.0 * 15 / 60]


def test_a_rate_below_the_cut_off_is_noise_and_a_negative_one_no_volume() -> None:
    (row,) = rows(PlantRow, "plant", [rate(0, 0.1), rate(20, -4.0), rate(40, 3.0)])
    assert row.volume_m3 == 1.0


def test_once_there_is_a_totaliser_the_rate_adds_nothing() -> None:
    both = [said("m-plant", 0, volume_m3=100.0, flow_m3h=6.0), said("m-plant", 20, volume_m3=101.0, flow_m3h=6.0)]
    (row,) = rows(PlantRow, "plant", both)
    assert row.volume_m3 == 1.0


def test_running_holds_from_sample_to_sample_and_ends_with_silence() -> None:
    found = rows(PlantRow, "plant", [rate(0, 3.0), rate(10, 0.0), rate(20, 3.0), rate(40, 3.0)], hours=2)
    assert [row.running_s for row in found] == [600.0 + 2 * 1_200.0, 300.0]
    assert [row.starts for row in found] == [1, 0]


def test_current_and_run_bit_are_running_too() -> None:
    current = [said("m-plant", 0, pump_current_a=6.0), said("m-plant", 10, pump_current_a=0.0)]
    bit = [said("m-plant", 20, pump_on=1.0), said("m-plant", 30, pump_on=0.0)]
    (row,) = rows(PlantRow, "plant", [*current, *bit])
    assert (row.running_s, row.starts) == (1_200.0, 1)


def test_what_ran_before_we_knew_and_after_a_silence_did_not_begin_then() -> None:
    found = rows(PlantRow, "plant", [rate(0, 3.0), rate(90, 3.0)], hours=2)
    assert [row.starts for row in found] == [0, 0]


def test_run_states_share_the_hour() -> None:
    flowing = [rate(minute, 3.0) for minute in every_ten(0, 20)]
    still = [rate(minute, 0.0) for minute in every_ten(30, 30)]
    (row,) = rows(PlantRow, "plant", [*flowing, *still])
    assert (row.state_running_s, row.state_idle_s, row.state_offline_s) == (30 * 60.0, 25 * 60.0, 5 * 60.0)
    assert row.run_state == RUN_CODES[RunState.OFFLINE]


def test_power_is_lost_with_its_sample_and_back_two_minutes_after_it_is() -> None:
    mains = [said("m-plant", 0, mains_on=1.0), said("m-plant", 10, mains_on=0.0), said("m-plant", 20, mains_on=1.0)]
    (row,) = rows(PlantRow, "plant", [*mains, said("m-plant", 30, mains_on=1.0)])
    assert row.state_no_power_s == 12 * 60.0


def test_a_pump_that_rests_under_a_high_level_is_stopped_after_an_hour() -> None:
    stalled = [said("m-plant", minute, level_mm=950.0, pump_current_a=0.0) for minute in every_ten(0, 110)]
    found = rows(PlantRow, "plant", stalled, hours=2)
    assert [row.state_stopped_s for row in found] == [0.0, 3_600.0]
    assert [row.run_state for row in found] == [RUN_CODES[RunState.IDLE], RUN_CODES[RunState.STOPPED]]


def test_silence_is_offline_and_never_a_stop() -> None:
    found = rows(PlantRow, "plant", [rate(0, 3.0)], hours=12)
    assert sum(row.state_stopped_s for row in found) == 0.0
    assert [row.state_offline_s for row in found] == [2_100.0] + [3_600.0] * 11


def test_what_was_never_heard_is_unknown() -> None:
    (row,) = rows(PlantRow, "plant", [])
    assert (row.state_unknown_s, row.run_state, row.volume_m3) == (3_600.0, RUN_CODES[RunState.UNKNOWN], None)


@pytest.mark.parametrize("minutes", [(0, 59), (5, 30, 31), (0, 10, 20, 30, 40, 50)])
def test_the_states_of_an_hour_are_the_hour(minutes: tuple[int, ...]) -> None:
    for row in rows(PlantRow, "plant", [rate(minute, minute % 4) for minute in minutes], hours=3):
        states = [getattr(row, name) for name in row.__struct_fields__ if name.startswith("state_")]
        assert sum(states) == 3_600.0


def test_a_state_has_a_field_and_a_number_of_its_own() -> None:
    fields = {
        name.removeprefix("state_").removesuffix("_s")
        for name in PlantRow.__struct_fields__
        if name.startswith("state_")
    }
    assert fields == set(RunState)
    assert sorted(RUN_CODES.values()) == list(range(len(RunState)))


def test_a_plants_carry_comes_back_as_it_was() -> None:
    whole = [rate(minute, 3.0 if minute % 40 else 0.0) for minute in range(0, 180, 10)]
    assert folded("plant", whole, hours=3) == folded("plant", list(reversed(whole)), hours=3)
