"""The rules about a plant beside its stop, at the edges of their numbers: meter, dry run, restart, low days, units."""

from collections.abc import Iterable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.conditions.finding import Found
from alerts.model import RunState, Severity
from telemetry.inventory import PlantDesign
from telemetry.reading import Values
from tests.alerts.rules.signals import EVERY, MIDNIGHT, Watched, plan_of

RATED: Final = 10.0
DESIGN: Final = PlantDesign(design_m3d=50.0, low_cutoff_m3h=0.1, rated_current_a=RATED, start_level_mm=900.0)


def told(*samples: dict[str, float] | None, design: PlantDesign = DESIGN) -> Watched:
    """One sample every ten minutes; ``None`` is one that was lost."""
    watched = Watched(plan_of(design))
    for number, sample in enumerate(samples):
        if sample is not None:
            watched.hear(MIDNIGHT + number * EVERY, Values(**sample))
    return watched


def dead(amps: float, **more: float) -> dict[str, float]:
    return {"flow_m3h": 0.0, "volume_m3": 5.0, "pump_current_a": amps} | more


WELL: Final = {"flow_m3h": 6.0, "volume_m3": 5.0, "pump_current_a": 7.0}


@pytest.mark.parametrize(("amps", "raised"), [(3.9, False), (4.0, True), (12.0, True), (12.1, False), (0.4, False)])
def test_only_a_pump_under_load_says_that_the_meter_should_see_water(amps: float, raised: bool) -> None:  # noqa: FBT001 -- of the table
    watched = told(WELL, *[dead(amps)] * 6)
    assert watched.at("meter_fault") == ([MIDNIGHT + 3 * EVERY] if raised else [])


def test_starts_of_a_pump_add_up_however_short_they_are() -> None:
    watched = told(WELL, *[dead(7.0), dead(0.0), dead(0.0)] * 5)
    assert watched.at("meter_fault") == [MIDNIGHT + 7 * EVERY]
    assert watched.at("stopped") == []
    assert watched.state.run == RunState.METER_FAULT


def test_no_frame_alone_makes_a_meter_broken_and_lost_ones_count_for_nothing() -> None:
    assert told(WELL, dead(7.0), *[dead(0.0)] * 10).at("meter_fault") == []
    assert told(WELL, None, None, None, None, dead(7.0), *[dead(0.0)] * 10).at("meter_fault") == []
    alone = [dead(0.0), dead(7.0), None, dead(0.0)] * 2
    assert told(WELL, *alone).at("meter_fault") == []


def test_a_run_bit_alone_is_no_load() -> None:
    bit = {"flow_m3h": 0.0, "volume_m3": 5.0, "pump_on": 1.0}
    assert told(*[bit] * 12).at("meter_fault") == []


def test_a_frozen_rate_needs_a_flat_totaliser_and_half_an_hour() -> None:
    frozen = {"flow_m3h": 3.0, "volume_m3": 5.0}
    assert told(*[frozen] * 6).at("meter_fault") == [MIDNIGHT + 3 * EVERY]
    assert told(*[{"flow_m3h": 3.0}] * 12).at("meter_fault") == []
    assert told(*[{"flow_m3h": 0.09, "volume_m3": 5.0}] * 12).at("meter_fault") == []
    moving = [{"flow_m3h": 3.0 + number / 100, "volume_m3": 5.0} for number in range(12)]
    assert told(*moving[:6]).at("meter_fault") == []
    assert told(*moving).at("meter_fault") == [MIDNIGHT + 6 * EVERY], "more than 3 m³ are more than a coarse totaliser"


def test_a_rate_that_was_frozen_and_moves_is_well_so_that_a_stop_is_seen() -> None:
    rest = {"flow_m3h": 0.0, "volume_m3": 5.0}
    watched = told(*[{"flow_m3h": 3.0, "volume_m3": 5.0}] * 6, *[rest] * 90)
    assert watched.at("meter_fault", Found.CLEARED) == [MIDNIGHT + 9 * EVERY]
    assert watched.at("stopped") != []


def test_a_meter_is_well_after_half_an_hour_of_water_and_by_no_rest() -> None:
    rising = [{"flow_m3h": 6.0 + number / 10, "volume_m3": 6.0 + number, "pump_current_a": 7.0} for number in range(4)]
    watched = told(WELL, *[dead(7.0)] * 5, *[dead(0.0)] * 20)
    assert watched.at("meter_fault", Found.CLEARED) == []
    watched = told(WELL, *[dead(7.0)] * 5, *rising)
    assert watched.at("meter_fault", Found.CLEARED) == [MIDNIGHT + 9 * EVERY]


def test_a_plant_with_priority_is_told_at_once_that_its_meter_is_broken() -> None:
    plan = plan_of(DESIGN)
    rule = next(slot.rule for slot in plan.slots if slot.rule.kind == "meter_fault")
    assert rule.severity_of(plan.asset, {}) is Severity.P4


@pytest.mark.parametrize(
    ("amps", "by"), [(0.4, None), (0.5, "dry"), (3.9, "dry"), (4.0, None), (12.0, None), (12.1, "jam")]
)
def test_a_pump_idles_or_is_jammed_at_the_edges_of_its_current(amps: float, by: str | None) -> None:
    watched = told(*[dead(amps)] * 3)
    assert watched.at("dry_run") == ([] if by is None else [MIDNIGHT + EVERY])
    assert [(each.detail or {}).get("by") for each in watched.found if each.rule == "dry_run"] == [by] * (
        by is not None
    )


def test_what_flows_is_neither_and_nothing_is_without_a_rated_current_or_by_one_frame() -> None:
    flowing = [{"volume_m3": float(number), "pump_current_a": 2.0} for number in range(6)]
    assert told(*flowing[1:]).at("dry_run") in ([], [MIDNIGHT + EVERY])
    assert told({"volume_m3": 0.0}, *flowing[1:]).at("dry_run") == []
    assert told(*[dead(2.0)] * 6, design=PlantDesign(50.0)).at("dry_run") == []
    assert told(dead(2.0), *[dead(0.0)] * 6).at("dry_run") == []
    assert told(*[dead(2.0, pump_on=0.0)] * 6).at("dry_run") == []
    assert told(dead(2.0), dead(7.0), dead(2.0), dead(7.0)).at("dry_run") == []


def test_what_it_draws_when_water_flows_is_neither_idling_nor_a_jam_and_a_dead_meter_is_seen_by_it() -> None:
    for amps in (3.0, 15.0):  # what its plate is said to say is wrong
        flowing = [{"flow_m3h": 3.0, "volume_m3": float(number), "pump_current_a": amps} for number in range(5)]
        watched = told(*flowing, *[dead(amps * 1.05, volume_m3=4.0)] * 6)
        assert watched.at("dry_run") == []
        assert watched.at("meter_fault") == [MIDNIGHT + 7 * EVERY]
        idle = told(*flowing, *[dead(amps * 0.7, volume_m3=4.0)] * 3)
        assert idle.at("dry_run") == ([MIDNIGHT + 6 * EVERY] if amps < 4 else [])


def after_a_cut(*minutes: float, back: int = 3, **then: float) -> Watched:
    """Power goes for half an hour and comes back; samples at these minutes after that."""
    watched = Watched(plan_of(DESIGN))
    watched.hear(MIDNIGHT, Values(mains_on=1.0, level_mm=950, flow_m3h=3.0))
    watched.hear(MIDNIGHT + EVERY, Values(mains_on=0.0))
    for minute in minutes:
        at_ms = MIDNIGHT + back * EVERY + round(minute * MINUTE_MS)
        watched.hear(at_ms, Values(mains_on=1.0, flow_m3h=0.0, **then))
    return watched


def test_half_an_hour_after_the_power_is_back_what_has_work_and_has_not_run_is_raised() -> None:
    back_ms = MIDNIGHT + 3 * EVERY
    assert after_a_cut(0, 10, 20, 30, level_mm=950).at("not_restarted") == [back_ms + 30 * MINUTE_MS]
    assert after_a_cut(0, 10, 20, 29, level_mm=950).at("not_restarted") == []
    assert after_a_cut(0, 10, 20, 30, level_mm=899).at("not_restarted") == []
    assert after_a_cut(0, 10, 20, 30, 40, level_mm=950, pump_current_a=7.0).at("not_restarted") == []
    assert after_a_cut(0, 10, 20, 30, 40, level_mm=950, pump_on=1.0).at("not_restarted") == []


def test_power_that_goes_again_begins_anew_and_ends_nothing() -> None:
    watched = after_a_cut(0, 10, 20, level_mm=950)
    watched.hear(MIDNIGHT + 6 * EVERY - MINUTE_MS, Values(mains_on=0.0))
    watched.hear(MIDNIGHT + 7 * EVERY, Values(mains_on=1.0, level_mm=950, flow_m3h=0.0))
    watched.hear(MIDNIGHT + 8 * EVERY, Values(mains_on=1.0, level_mm=950, flow_m3h=0.0))
    watched.hear(MIDNIGHT + 9 * EVERY, Values(mains_on=1.0, level_mm=950, flow_m3h=0.0))
    assert watched.at("not_restarted") == []
    watched.hear(MIDNIGHT + 10 * EVERY, Values(mains_on=1.0, level_mm=950, flow_m3h=0.0))
    assert watched.at("not_restarted") == [MIDNIGHT + 10 * EVERY]
    watched.hear(MIDNIGHT + 11 * EVERY, Values(mains_on=0.0))
    assert watched.at("not_restarted", Found.CLEARED) == []


def days(rates: Iterable[float | None], *, by_rate: float = 1.0) -> Watched:
    """Whole days by the hour at one flow each, with a totaliser; ``None``: half of the day is silent over midnight."""
    watched = Watched(plan_of(DESIGN, HOUR_MS))
    volume = 100.0
    for number, rate in enumerate(rates):
        for hour in range(12 if rate is None else 24):
            volume += rate or 0.0
            flow = (rate or 0.0) * by_rate
            values = Values(volume_m3=volume, flow_m3h=flow)
            watched.hear(MIDNIGHT + number * DAY_MS + hour * HOUR_MS, values)
    return watched


def test_two_low_days_are_raised_and_one_is_not() -> None:
    month = [1.0] * 28
    assert days([*month, 0.29, 1.0, 0.29, 1.0]).at("low_flow") == []
    assert days([*month, 0.29, 0.29, 1.0]).at("low_flow") == [MIDNIGHT + 30 * DAY_MS]
    assert days([*month, 0.31, 0.31, 0.31, 1.0]).at("low_flow") == []
    over = days([*month, 0.2, 0.2, 0.4, 0.55, 1.0])
    assert over.at("low_flow", Found.CLEARED) == [MIDNIGHT + 32 * DAY_MS]


def test_days_that_are_not_known_confirm_nothing_and_clear_nothing() -> None:
    month = [1.0] * 28
    assert days([*month, 0.2, None, 1.0]).at("low_flow") == []
    assert days([*month, 0.2, None, 0.2, 0.2, 1.0]).at("low_flow") != []
    assert days([1.0, 0.2, 0.2, 0.2]).at("low_flow") == [], "nothing is usual yet"


@pytest.mark.parametrize(
    ("by_rate", "raised"), [(1.0, False), (2.9, False), (3.6, True), (1 / 3.6, True), (0.4, False)]
)
def test_a_rate_in_another_unit_is_found_after_a_whole_day(by_rate: float, raised: bool) -> None:  # noqa: FBT001 -- of the table
    watched = days([1.0, 1.0, 1.0], by_rate=by_rate)
    assert watched.at("unit_error") == ([MIDNIGHT + 25 * HOUR_MS] if raised else [])


def test_units_agree_again_after_a_day() -> None:
    watched = days([1.0, 1.0, 1.0], by_rate=3.6)
    volume = watched.memory.volume_m3 or 0.0
    for hour in range(49):
        watched.hear(MIDNIGHT + 3 * DAY_MS + hour * HOUR_MS, Values(volume_m3=volume + 1 + hour, flow_m3h=1.0))
    assert watched.at("unit_error", Found.CLEARED) == [MIDNIGHT + 97 * HOUR_MS]


@settings(max_examples=20)
@given(
    st.sets(st.integers(0, 29)), st.sampled_from(["meter_fault", "dry_run", "not_restarted", "unit_error", "low_flow"])
)
def test_a_sound_plant_is_called_nothing_whatever_of_it_is_lost(lost: set[int], rule: str) -> None:
    cycle = [(3.0, 7.0, 700.0), (3.0, 7.1, 500.0), (0.0, 0.0, 450.0), (0.0, 0.0, 600.0), (0.0, 0.0, 800.0)]
    volume, samples = 10.0, list[dict[str, float] | None]()
    for number in range(30):
        flow, amps, level = cycle[number % 5]
        volume += flow / 6
        said = {"flow_m3h": flow, "volume_m3": volume, "pump_current_a": amps, "level_mm": level, "mains_on": 1.0}
        samples.append(None if number in lost else said)
    assert told(*samples).at(rule) == []
