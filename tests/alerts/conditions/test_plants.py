"""What a plant's sample means, at the edges of each number: flow, demand, a pump that rests, and what grows old."""

from datetime import time
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from alerts.conditions import plants
from alerts.conditions.habits import FlowDays
from alerts.conditions.plants import PlantMemory, PlantSight, look
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis, Reading, TimeSource, Values
from telemetry.terms import DutyCycle, Hours

DESIGN: Final = PlantDesign(design_m3d=48, rated_current_a=10.0, start_level_mm=900)
"""A tenth of a cubic metre an hour is its cut-off."""
CALENDAR: Final = Calendar(ZoneInfo("Asia/Shanghai"), {})
NOON: Final[Millis] = 1_795_320_000_000  # 2026-11-22T04:00:00Z, a Sunday, and noon there
MIDNIGHT: Final = NOON + 12 * HOUR_MS
FRESH: Final = 30 * MINUTE_MS
COUNTED: Final = count()


def see(
    values: Values,
    memory: PlantMemory = PlantMemory(),  # noqa: B008 -- frozen
    design: PlantDesign = DESIGN,
    at_ms: Millis = NOON,
) -> tuple[PlantSight, PlantMemory]:
    reading = Reading("d", "p", 1, next(COUNTED), at_ms, at_ms, TimeSource.OK, late=False, values=values)
    return look(design, CALENDAR, FRESH, memory, reading)


@pytest.mark.parametrize(
    ("before", "values", "flowing"),
    [
        (None, {"flow_m3h": plants.cutoff_m3h(DESIGN)}, True),
        (None, {"flow_m3h": 0.099}, False),
        (None, {}, None),
        (None, {"volume_m3": 5.0}, None),
        (None, {"volume_m3": 5.0, "flow_m3h": 1.0}, True),
        (5.0, {"volume_m3": 5.1}, True),
        (5.0, {"volume_m3": 5.0}, False),
        (5.0, {"volume_m3": 5.0, "flow_m3h": 1.0}, False),
        (5.0, {"volume_m3": 4.0}, None),
        (5.0, {"volume_m3": 4.0, "flow_m3h": 1.0}, True),
        (5.0, {"flow_m3h": 0.0}, False),
    ],
)
def test_the_totaliser_decides_whether_water_flows_else_the_rate(
    before: float | None,
    values: dict[str, float],
    flowing: bool | None,  # noqa: FBT001 -- of the table
) -> None:
    sight, after = see(Values(**values), PlantMemory(first_ms=1, volume_m3=before))
    assert sight.flowing is flowing
    assert (after.flowing, after.last_flow_ms) == (bool(flowing), NOON if flowing else 0)
    assert after.metered is (flowing is not None)
    assert after.volume_m3 == values.get("volume_m3", before)


def test_a_meter_has_its_own_cutoff_or_a_twentieth_of_the_mean() -> None:
    assert plants.cutoff_m3h(DESIGN) == pytest.approx(0.1)
    assert plants.cutoff_m3h(PlantDesign(design_m3d=48, low_cutoff_m3h=0.0)) == 0.0


def test_what_flowed_before_flows_on_until_a_sample_says_otherwise() -> None:
    memory = PlantMemory(flowing=True, last_flow_ms=7, starts_ms=(1, 2), metered=True)
    _, silent = see(Values(mains_on=1.0), memory)
    assert (silent.flowing, silent.last_flow_ms, silent.starts_ms, silent.metered) == (True, 7, (1, 2), True)
    _, on = see(Values(flow_m3h=1.0), memory)
    assert (on.flowing, on.last_flow_ms, on.starts_ms) == (True, NOON, (1, 2))
    _, off = see(Values(flow_m3h=0.0), memory)
    assert (off.flowing, off.last_flow_ms, off.starts_ms) == (False, 7, (1, 2))
    _, anew = see(Values(flow_m3h=1.0), off)
    assert anew.starts_ms == (2, NOON)


@pytest.mark.parametrize(
    ("design", "at_ms", "values", "demand"),
    [
        (DESIGN, NOON, {}, False),
        (DESIGN, NOON, {"float_high": 1.0}, True),
        (DESIGN, NOON, {"float_high": 0.0}, False),
        (DESIGN, NOON, {"level_mm": 900}, True),
        (DESIGN, NOON, {"level_mm": 899}, False),
        (PlantDesign(48), NOON, {"level_mm": 5000}, False),
        (PlantDesign(48, DutyCycle.CONTINUOUS), NOON, {}, True),
        (PlantDesign(48, DutyCycle.CONTINUOUS, rest_days=frozenset({6})), NOON, {"float_high": 1.0}, False),
        (PlantDesign(48, DutyCycle.CONTINUOUS, rest_days=frozenset({0})), NOON, {}, True),
        (PlantDesign(48, DutyCycle.CONTINUOUS, duty_windows=(Hours(time(8), time(9)),)), NOON, {}, False),
        (PlantDesign(48, duty_windows=(Hours(time(8), time(9)), Hours(time(11), time(13)))), NOON, {}, True),
    ],
)
def test_there_is_a_reason_to_pump_by_float_level_hours_or_duty_and_none_on_a_day_of_rest(
    design: PlantDesign,
    at_ms: Millis,
    values: dict[str, float],
    demand: bool,  # noqa: FBT001 -- of the table
) -> None:
    assert see(Values(**values), design=design, at_ms=at_ms)[0].demand is demand


@pytest.mark.parametrize(
    ("design", "values", "stalled"),
    [
        (DESIGN, {"pump_current_a": 0.49}, True),
        (DESIGN, {"pump_current_a": 0.5}, False),
        (DESIGN, {"pump_current_a": 0.49, "pump_on": 1.0}, True),
        (DESIGN, {"pump_on": 0.0}, True),
        (DESIGN, {"pump_on": 1.0}, False),
        (DESIGN, {}, False),
        (PlantDesign(48, start_level_mm=900), {"pump_current_a": 0.0}, False),
        (PlantDesign(48, start_level_mm=900), {"pump_current_a": 9.0, "pump_on": 0.0}, True),
    ],
)
def test_the_well_is_high_and_the_pump_does_nothing(
    design: PlantDesign,
    values: dict[str, float],
    stalled: bool,  # noqa: FBT001 -- of the table
) -> None:
    _, after = see(Values(level_mm=900, **values), design=design)
    assert after.stalled_ms == (NOON if stalled else 0)
    assert see(Values(level_mm=899, **values), design=design)[1].stalled_ms == 0
    assert see(Values(level_mm=900, **values), replace(after, stalled_ms=5), design)[1].stalled_ms == (
        5 if stalled else 0
    )


@pytest.mark.parametrize(
    ("design", "memory", "runs"),
    [
        (DESIGN, PlantMemory(), False),
        (DESIGN, PlantMemory(flowing=True), True),
        (DESIGN, PlantMemory(pump_on=True), True),
        (DESIGN, PlantMemory(pump_on=False), False),
        (DESIGN, PlantMemory(pump_current_a=3.0), False),
        (DESIGN, PlantMemory(pump_current_a=3.1), True),
        (PlantDesign(48), PlantMemory(pump_current_a=3.1), False),
        (PlantDesign(48, rated_current_a=0.5), PlantMemory(), False),
    ],
)
def test_it_runs_by_flow_run_bit_or_a_third_of_its_current(
    design: PlantDesign,
    memory: PlantMemory,
    runs: bool,  # noqa: FBT001 -- of the table
) -> None:
    assert plants.runs(design, memory) is runs


def test_a_sample_that_does_not_speak_of_it_leaves_what_is_fresh() -> None:
    fresh = NOON - FRESH
    before = PlantMemory(
        first_ms=1,
        level_mm=950.0,
        float_high=True,
        level_ms=fresh,
        drive_ms=fresh,
        mains_on=False,
        pump_on=True,
        pump_current_a=4.0,
    )
    for mains_on in (False, True, None):
        _, after = see(Values(), replace(before, mains_on=mains_on))
        assert after == replace(before, mains_on=mains_on)
    _, old = see(Values(), before, at_ms=NOON + 1)
    assert (old.level_mm, old.float_high, old.pump_on, old.pump_current_a) == (None, False, None, None)
    assert (old.level_ms, old.drive_ms, old.mains_on, old.first_ms) == (fresh, fresh, False, 1)
    _, level_alone = see(Values(), replace(before, level_ms=fresh + 1), at_ms=NOON + 1)
    assert (level_alone.level_mm, level_alone.float_high) == (950.0, True)
    assert (level_alone.pump_on, level_alone.pump_current_a) == (None, None)
    _, drive_alone = see(Values(), replace(before, drive_ms=fresh + 1), at_ms=NOON + 1)
    assert (drive_alone.level_mm, drive_alone.pump_on, drive_alone.pump_current_a) == (None, True, 4.0)


def test_what_a_sample_says_is_remembered_with_its_instant() -> None:
    sight, after = see(
        Values(level_mm=100, float_high=1.0, pump_current_a=2.0, pump_on=1.0, mains_on=1.0, flow_m3h=0.0, volume_m3=3.0)
    )
    assert after == PlantMemory(
        first_ms=NOON,
        volume_m3=3.0,
        metered=True,
        sensed=True,
        level_mm=100,
        float_high=True,
        level_ms=NOON,
        drive_ms=NOON,
        mains_on=True,
        pump_on=True,
        pump_current_a=2.0,
        meter_ms=NOON,
        rate_m3h=0.0,
        float_ms=NOON,
        level_moved_ms=NOON,
        days=FlowDays(MIDNIGHT),
    )
    assert (sight.memory, sight.observed_ms, sight.values.level_mm) == (after, NOON, 100)
    _, off = see(Values(float_high=0.0, pump_on=0.0, mains_on=0.0), after)
    assert (off.float_high, off.pump_on, off.mains_on) == (False, False, False)


@pytest.mark.parametrize(
    ("value", "senses", "level", "drive"),
    [
        ("level_mm", True, True, False),
        ("float_high", True, True, False),
        ("pump_current_a", True, False, True),
        ("pump_on", True, False, True),
        ("blower_current_a", True, False, False),
        ("mains_on", False, False, False),
        ("flow_m3h", False, False, False),
    ],
)
def test_each_value_speaks_of_its_own(value: str, senses: bool, level: bool, drive: bool) -> None:  # noqa: FBT001 -- of the table
    _, after = see(Values(**{value: 0.0}))
    assert (after.sensed, after.level_ms, after.drive_ms) == (senses, NOON * level, NOON * drive)
    assert see(Values(), PlantMemory(sensed=True))[1].sensed


def test_a_gap_moves_what_is_counted_and_nothing_that_never_was() -> None:
    assert plants.postpone(PlantMemory(), DAY_MS) == PlantMemory()
    moved = plants.postpone(PlantMemory(first_ms=1, last_flow_ms=2, stalled_ms=3, level_ms=4, drive_ms=5), 10)
    assert moved == PlantMemory(first_ms=11, last_flow_ms=12, stalled_ms=13, level_ms=4, drive_ms=5, is_gap_broken=True)


def test_of_a_plant_of_which_nothing_was_heard_nothing_is_remembered() -> None:
    assert PlantMemory() == PlantMemory(
        first_ms=0,
        volume_m3=None,
        metered=False,
        sensed=False,
        flowing=False,
        last_flow_ms=0,
        starts_ms=(0, 0),
        stalled_ms=0,
        level_mm=None,
        float_high=False,
        level_ms=0,
        drive_ms=0,
        mains_on=None,
        pump_on=None,
        pump_current_a=None,
    )


@pytest.mark.parametrize(
    ("design", "heard", "unseen"),
    [
        (DESIGN, "flow_m3h", "no_current no_level no_mains"),
        (DESIGN, "volume_m3 pump_current_a level_mm mains_on", ""),
        (DESIGN, "level_mm", "no_run no_meter no_current no_mains"),
        (DESIGN, "pump_on float_high", "no_meter no_current no_mains"),
        (PlantDesign(48), "flow_m3h pump_current_a level_mm mains_on", "no_rated_current no_start_level"),
        (PlantDesign(48, DutyCycle.CONTINUOUS), "flow_m3h mains_on", "no_current"),
        (PlantDesign(48, duty_windows=(Hours(time(8), time(9)),)), "flow_m3h mains_on level_mm", "no_current"),
    ],
)
def test_what_a_set_of_signals_cannot_show_is_known(design: PlantDesign, heard: str, unseen: str) -> None:
    assert plants.list_unseen(design, heard.split()) == unseen.split()
