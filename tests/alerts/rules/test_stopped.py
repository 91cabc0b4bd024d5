"""Which silence of a plant is a stop, whatever signals it has: a sign more never means an alarm less."""

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.conditions.finding import Found
from alerts.conditions.state import pack, unpack
from alerts.model import RunState
from alerts.rules.stopped import Stopped
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis, Values
from tests.alerts.rules.signals import EVERY, LARGER, MIDNIGHT, SETS, Told, Watched, plan_of, seen_by, watch

RATED: Final = 7.2
START: Final = 900.0
LIMIT_H: Final = {15.0: 24, 50.0: 12, 120.0: 4}
"""By what the plant was built for, in m³ a day."""


def design(m3d: float = 50.0) -> PlantDesign:
    return PlantDesign(design_m3d=m3d, low_cutoff_m3h=0.1, rated_current_a=RATED, start_level_mm=START)


def life(
    m3d: float, runs: int, run: int, rest: int, rises_in: int, hours: float, *, stops: bool = True
) -> Iterator[tuple[Millis, Told]]:
    """So many runs of so many samples with rests between, then a trip (or nothing to pump) for some hours.

    ``rises_in`` samples later, well before the limit of its size, the water is at start level; without a stop never.
    """
    at_ms, volume = MIDNIGHT + 6 * HOUR_MS, 100.0
    flow = m3d / 10
    for _ in range(runs):
        for sample in range(run):
            volume += flow / 6
            yield at_ms, _told(flow, volume, START - 50 - 20 * sample, 6.1)
            at_ms += EVERY
        for sample in range(rest):
            yield at_ms, _told(0.0, volume, 400 + 300 * sample / rest, 0.0)
            at_ms += EVERY
    for sample in range(round(hours * 6)):
        level = 400 + 500 * (sample + 1) / rises_in if stops else 400 + 3 * (sample % 7)
        yield at_ms, _told(0.0, volume, level, 0.02)
        at_ms += EVERY


def _told(flow: float, volume: float, level: float, current: float) -> Told:
    return {
        "flow_m3h": flow,
        "volume_m3": volume,
        "level_mm": level,
        "float_high": float(level >= START + 300),
        "pump_current_a": current,
        "pump_on": float(current > 1),
        "mains_on": 1.0,
    }


lives = st.tuples(
    st.sampled_from(sorted(LIMIT_H)), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(2, 10)
)


@settings(max_examples=20)
@given(lives)
def test_what_some_signals_find_every_larger_set_finds_no_later(drawn: tuple[float, int, int, int, int]) -> None:
    m3d, runs, run, rest, rises_in = drawn
    told = list(life(m3d, runs, run, rest, rises_in, LIMIT_H[m3d] + 3))
    plan = plan_of(design(m3d))
    found = {name: watch(plan, told, signals).at("stopped") for name, signals in SETS.items()}
    for small, large in LARGER:
        if found[small]:
            assert found[large], (small, large)
            assert found[large][0] <= found[small][0], (small, large)
    assert all(bool(found[name]) is (name != "mains") for name in SETS)
    flowed_ms = max(at_ms for at_ms, said in told if said["flow_m3h"])
    assert found["flow"][0] == flowed_ms + LIMIT_H[m3d] * HOUR_MS


@settings(max_examples=20)
@given(lives, st.sampled_from(["level_mm", "float_high", "pump_current_a", "pump_on"]), st.data())
def test_a_sign_that_is_frozen_all_the_time_is_as_if_it_were_not_there(
    drawn: tuple[float, int, int, int, int], sign: str, data: st.DataObject
) -> None:
    m3d, runs, run, rest, rises_in = drawn
    assume(runs > 2 or run > 4)  # or nothing has shown yet that it stands still
    value = {"level_mm": 400.0, "float_high": 0.0, "pump_current_a": 0.0, "pump_on": 0.0}[sign]
    told = list(life(m3d, runs, run, rest, rises_in, LIMIT_H[m3d] + 3))
    frozen = [(at_ms, {**said, sign: value}) for at_ms, said in told]
    signals = SETS[data.draw(st.sampled_from(["flow", "flow+mains", "totaliser only"]))]
    if sign == "float_high":
        signals |= {"level_mm"}  # a float alone cannot be told from one that is never reached
    plan = plan_of(design(m3d))
    assert watch(plan, frozen, signals | {sign}).at("stopped")[0] <= watch(plan, told, signals).at("stopped")[0]


@settings(max_examples=20)
@given(lives, st.data())
def test_a_rest_that_is_told_is_no_stop_however_much_of_it_is_missing(
    drawn: tuple[float, int, int, int, int], data: st.DataObject
) -> None:
    m3d, runs, run, rest, rises_in = drawn
    told = list(life(m3d, runs, run, rest, rises_in, 3 * LIMIT_H[m3d], stops=False))
    dropped = data.draw(st.sets(st.integers(0, len(told) - 1), max_size=len(told)))
    name = data.draw(st.sampled_from(["flow+level", "flow+level+current", "level+current", "all"]))
    heard = [one for number, one in enumerate(told) if number not in dropped]
    assert watch(plan_of(design(m3d)), heard, SETS[name]).at("stopped") == []


@settings(max_examples=20)
@given(lives, st.integers(2, 20), st.sampled_from(["flow", "flow+current", "flow+level+current", "current"]))
def test_what_comes_after_a_newer_one_changes_nothing(
    drawn: tuple[float, int, int, int, int], lag: int, name: str
) -> None:
    m3d, runs, run, rest, rises_in = drawn
    told = list(seen_by(life(m3d, runs, run, rest, rises_in, LIMIT_H[m3d] + 3), SETS[name]))
    plan = plan_of(design(m3d))
    lost, mixed = Watched(plan), Watched(plan)
    for number, (at_ms, values) in enumerate(told):
        if number % 5:
            lost.hear(at_ms, values)
            mixed.hear(at_ms, values)
        if number >= lag and not (number - lag) % 5:
            mixed.hear(*told[number - lag], received_ms=at_ms)
    assert mixed.at("stopped") == lost.at("stopped")


@settings(max_examples=10)
@given(st.sampled_from([2, 3, 6]), st.integers(1, 3), st.sampled_from(["flow", "flow+current", "current", "run bit"]))
def test_delays_grow_with_time(times: int, runs: int, name: str) -> None:
    told = list(seen_by(life(50.0, runs, 3, 2, 6, 15), SETS[name]))
    plan, slow = (
        plan_of(design()),
        plan_of(design(), times * EVERY, stopped=Stopped(flow_alone_h=(24.0, 12.0 * times, 4.0))),
    )
    first, scaled = Watched(plan), Watched(slow)
    begin = told[0][0]
    for at_ms, values in told:
        first.hear(at_ms, values)
        scaled.hear(begin + times * (at_ms - begin), values)
    (raised,) = first.at("stopped")
    assert scaled.at("stopped") == [begin + times * (raised - begin)]


def cycles(watched: Watched, begin_ms: Millis, days: float, flows: int, rests: int) -> Millis:
    """Runs of so many samples and rests of so many, for some days; when the last sample was."""
    at_ms, number = begin_ms, 0
    while at_ms < begin_ms + days * DAY_MS:
        watched.hear(at_ms, Values(flow_m3h=12.0 if number % (flows + rests) < flows else 0.0))
        at_ms, number = at_ms + EVERY, number + 1
    return at_ms - EVERY


def still(watched: Watched, from_ms: Millis, hours: float) -> None:
    for number in range(1, round(hours * 6) + 1):
        watched.hear(from_ms + number * EVERY, Values(flow_m3h=0.0))


def test_a_plant_that_never_rests_long_is_missed_sooner_once_that_is_known() -> None:
    watched = Watched(plan_of(design(120.0)))
    last_ms = cycles(watched, MIDNIGHT, 5, 2, 4)  # pauses of 50 min, six a quarter of a day
    begun_ms = cycles(watched, last_ms + EVERY, 2 * EVERY / DAY_MS, 2, 0)
    still(watched, begun_ms, 5)
    assert watched.at("stopped") == [begun_ms + 75 * MINUTE_MS]
    young = Watched(plan_of(design(120.0)))
    begun_ms = cycles(young, MIDNIGHT, 0.5, 2, 0)
    still(young, begun_ms, 5)
    assert young.at("stopped") == [begun_ms + 4 * HOUR_MS]


def test_a_night_in_which_it_always_rests_is_no_stop_once_thirty_are_known() -> None:
    """(E8) Six hours of rest each night are longer than the 4 h of its size, and raise until they are known."""
    watched, by_night = Watched(plan_of(design(120.0))), [0, 0]
    for day in range(45):
        begin_ms = MIDNIGHT + 6 * HOUR_MS + day * DAY_MS
        for number in range(17 * 6):
            watched.hear(begin_ms + number * EVERY, Values(flow_m3h=12.0))
        still(watched, begin_ms + (17 * 6 - 1) * EVERY, 7 - 1 / 6)
        raised = len(watched.at("stopped"))
        by_night.append(raised)
    assert by_night[-1] == by_night[34], "no more of them after thirty nights"
    assert by_night[-1] >= 29


def test_a_pump_that_ran_since_doubts_the_meter_before_it_is_known_to_be_broken() -> None:
    watched, at_ms, volume = Watched(plan_of(design())), MIDNIGHT, 0.0
    for number in range(6 * 24 * 6):
        runs, at_ms = number % 6 == 0, MIDNIGHT + number * EVERY
        volume += runs
        watched.hear(at_ms, Values(volume_m3=volume, pump_current_a=6.1 * runs))
    for number in range(1, 3 * 6 + 1):  # the meter is dead: the pump goes on as before
        watched.hear(at_ms + number * EVERY, Values(volume_m3=volume, pump_current_a=6.1 * (number % 6 == 1)))
    assert watched.at("stopped") == []
    assert len(watched.at("meter_fault")) == 1


def test_a_pause_that_no_habit_made_teaches_nothing() -> None:
    """No power, no data: neither says how long it is used to rest."""
    watched = Watched(plan_of(design(120.0)))
    watched.hear(MIDNIGHT, Values(flow_m3h=12.0, mains_on=1.0))
    watched.hear(MIDNIGHT + EVERY, Values(flow_m3h=0.0, mains_on=0.0))
    watched.hear(MIDNIGHT + 2 * EVERY, Values(flow_m3h=0.0, mains_on=1.0))
    watched.hear(MIDNIGHT + 3 * EVERY, Values(flow_m3h=12.0, mains_on=1.0))
    assert not any(watched.memory.gaps)
    watched.hear(MIDNIGHT + 4 * EVERY, Values(flow_m3h=0.0))
    watched.hear(MIDNIGHT + 40 * EVERY, Values(flow_m3h=0.0))
    watched.hear(MIDNIGHT + 41 * EVERY, Values(flow_m3h=12.0))
    assert not any(watched.memory.gaps)
    watched.hear(MIDNIGHT + 42 * EVERY, Values(flow_m3h=0.0))
    watched.hear(MIDNIGHT + 43 * EVERY, Values(flow_m3h=12.0))
    assert [len(each) for each in watched.memory.gaps] == [0, 2, 0, 0]


def test_what_was_learned_is_kept_over_a_start() -> None:
    watched = Watched(plan_of(design(120.0)))
    cycles(watched, MIDNIGHT, 2, 2, 4)
    again = unpack(watched.plan, pack(watched.plan, watched.state), {"d": MIDNIGHT})
    assert again.memory == watched.memory
    assert len(pack(watched.plan, watched.state)) < 2_000


def test_what_an_older_version_kept_is_read_and_goes_on() -> None:
    watched = Watched(plan_of(design()))
    watched.hear(MIDNIGHT, Values(flow_m3h=3.0, level_mm=700.0))
    memory = watched.memory
    old = replace(memory, meter_ms=0, level_moved_ms=0, rate_m3h=None)
    watched.state = replace(watched.state, memory=old)
    watched.hear(MIDNIGHT + EVERY, Values(flow_m3h=0.0, level_mm=700.0))
    assert watched.state.run == RunState.IDLE
    assert watched.memory.level_moved_ms == MIDNIGHT + EVERY


@pytest.mark.parametrize("value", [0.5, 99.9])
def test_a_totaliser_that_is_reset_or_replaced_is_never_negative_and_counts_from_there(value: float) -> None:
    watched = Watched(plan_of(design()))
    for number in range(12 * 6):
        watched.hear(MIDNIGHT + number * EVERY, Values(volume_m3=100.0 + number))
    reset_ms = MIDNIGHT + 12 * 6 * EVERY
    for number in range(12 * 6 + 1):
        watched.hear(reset_ms + number * EVERY, Values(volume_m3=value + number))
    assert watched.memory.volume_m3 == value + 12 * 6
    assert watched.memory.days.last is None, "the first day begins with the first word"
    assert watched.at("stopped") == []
    assert all(each.kind is not Found.RAISED for each in watched.found)
