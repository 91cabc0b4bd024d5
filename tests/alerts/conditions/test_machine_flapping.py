"""Data that flap: whatever a sensor does, an asset is raised three times in an hour at most, and survives restarts."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.build import KINDS
from alerts.conditions.machine import (
    CLEAR,
    IDLE,
    RAISE,
    Call,
    Instant,
    Machine,
    Move,
    Timing,
    Verdict,
    advance,
    expire,
    postpone,
)
from alerts.conditions.rule_set import load
from alerts.model import Condition
from alerts.policy import PolicyFault
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from tests.scenario_file import FOLDER

MINUTE = 60_000
HOUR = 60 * MINUTE
TIMING = Timing(on_count=1, off_count=1, off_delay_ms=2 * MINUTE)
CALLS = st.sampled_from([Call.RAISE, Call.RAISE, Call.CLEAR, Call.END, Call.BETWEEN, Call.NONE])
LIVES = st.lists(st.tuples(CALLS, st.sampled_from([1, 2, 3, 5, 8, 31])), min_size=20, max_size=120)
"""Restless ones: what moves once a day has no law to break."""


def lived(life: list[tuple[Call, int]], timing: Timing = TIMING) -> list[tuple[int, Move, Machine]]:
    """A machine through calls so many minutes apart, written down and read back after each."""
    machine, at_ms, moves = IDLE, 0, []
    for call, minutes in life:
        at_ms += minutes * MINUTE
        if 0 < machine.wake_ms <= at_ms:
            machine, move = expire(machine, timing, f"{at_ms}")
            moves.append((at_ms, move, machine))
        at = Instant(at_ms, at_ms, late=False, feeder=0)
        machine, move = advance(machine, Verdict(call), timing, at, f"{at_ms}")
        machine = msgspec.msgpack.decode(msgspec.msgpack.encode(machine), type=Machine)
        moves.append((at_ms, move, machine))
    return moves


@given(LIVES)
def test_nothing_is_raised_more_than_three_times_in_an_hour(life: list[tuple[Call, int]]) -> None:
    raised = [at_ms for at_ms, move, _ in lived(life) if move is Move.RAISED]
    for first, fourth in zip(raised, raised[3:], strict=False):
        assert fourth - first > HOUR


@given(LIVES)
def test_what_flaps_is_over_only_after_its_whole_delay_without_a_relapse(life: list[tuple[Call, int]]) -> None:
    moves = lived(life)
    for (_, _, before), (at_ms, move, _) in pairwise(moves):
        if move in {Move.CLEARED, Move.STEADY} and before.doublings:
            since = before.clear_since_ms if before.condition is Condition.RECOVERING else before.moved_ms
            assert at_ms - since >= TIMING.recovery_ms(before.doublings) >= HOUR


def test_an_episode_flaps_from_its_sixth_relapse_on_and_again_after_six_more() -> None:
    life = [(Call.RAISE, 1), *[(Call.CLEAR, 1), (Call.RAISE, 1)] * 12]
    states = [machine for _, move, machine in lived(life) if move in {Move.RAISED, Move.RELAPSED}]
    assert [machine.doublings for machine in states] == [0] * 6 + [1] * 6 + [2]
    assert [machine.begins_flapping for machine in states].index(True) == 6
    assert sum(machine.begins_flapping for machine in states) == 1


@pytest.mark.parametrize(
    ("off_min", "doublings", "hours"),
    [(2, 0, 2 / 60), (2, 1, 1), (60, 1, 2), (60, 3, 8), (60, 9, 24), (2000, 5, 2000 / 60)],
)
def test_an_off_delay_is_doubled_up_to_a_day(off_min: int, doublings: int, hours: float) -> None:
    timing = replace(TIMING, off_delay_ms=off_min * MINUTE)
    assert timing.recovery_ms(doublings) == round(hours * HOUR)


def test_a_gap_in_the_data_makes_nothing_steady() -> None:
    *_, (at_ms, _, flapping) = lived([(Call.RAISE, 1), *[(Call.CLEAR, 1), (Call.RAISE, 1)] * 6])
    later = Instant(at_ms + 5 * HOUR, at_ms + 5 * HOUR, late=False, feeder=0)
    after, move = advance(postpone(flapping, 5 * HOUR), RAISE, TIMING, later, "later")
    assert (move, after.doublings) == (Move.NONE, 1)


def raised_every(hours: float, times: int, timing: Timing = TIMING) -> list[Machine]:
    """A machine as it stands after each of so many raises; in between all is well for as long as it takes."""
    machine, raised = IDLE, []
    for number in range(times):
        at_ms = round(number * hours * HOUR)
        machine, move = advance(machine, RAISE, timing, _at(at_ms), f"{at_ms}")
        assert move is Move.RAISED
        raised.append(machine)
        machine, _ = advance(machine, CLEAR, timing, _at(at_ms + MINUTE), "")
        machine, _ = expire(machine, timing, "")
    return raised


def _at(at_ms: int) -> Instant:
    return Instant(at_ms, at_ms, late=False, feeder=0)


@pytest.mark.parametrize(
    ("hours", "flaps_at", "slow"),
    [
        (0.5, 3, False),  # three in an hour
        (2, 4, False),  # four in six hours
        (2.01, 6, True),  # not quite: six in 48
        (9.6, 6, True),
        (9.61, 0, False),
    ],
)
def test_it_flaps_by_three_raises_in_an_hour_four_in_six_or_six_in_two_days(
    hours: float,
    flaps_at: int,
    slow: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    raised = raised_every(hours, 6)
    flapping = [number for number, machine in enumerate(raised, start=1) if machine.is_flapping]
    assert flapping[:1] == ([flaps_at] if flaps_at else [])
    if flaps_at:
        assert raised[flaps_at - 1].begins_flapping
        assert raised[flaps_at - 1].slow is slow


@pytest.mark.parametrize(("days", "heard"), [(6.9, 1), (7, 2)])
def test_the_crew_hears_it_once_a_week_at_most(days: float, heard: int) -> None:
    first = raised_every(2, 4)[-1]
    again, at_ms = first, first.noticed_ms
    begun = 1
    for turn in range(4):  # it was calm for days, and begins again
        then = at_ms + round(days * 24 * HOUR) + turn * 2 * HOUR - 3 * 2 * HOUR
        again = replace(again, condition=Condition.NORMAL)
        again, _ = advance(again, RAISE, TIMING, _at(then), f"{then}")
        begun += again.begins_flapping
    assert again.is_flapping
    assert begun == heard


@pytest.mark.parametrize(("slow", "span"), [(False, 6 * HOUR), (True, 48 * HOUR)])
def test_each_calm_span_halves_the_off_delay_and_the_first_ends_the_flapping(slow: bool, span: int) -> None:  # noqa: FBT001 -- both
    active = Machine(condition=Condition.ACTIVE, doublings=3, slow=slow, moved_ms=HOUR, episode="e")
    seen = []
    for at_ms in (HOUR + span - 1, HOUR + span, HOUR + 2 * span - 1, HOUR + 2 * span, HOUR + 3 * span):
        active, move = advance(active, RAISE, TIMING, _at(at_ms), "")
        seen.append((active.doublings, active.is_flapping, move is Move.STEADY, TIMING.recovery_ms(active.doublings)))
    assert seen == [
        (3, True, False, 4 * HOUR),
        (2, False, True, 2 * HOUR),
        (2, False, False, 2 * HOUR),
        (1, False, False, HOUR),
        (0, False, False, 2 * MINUTE),
    ]


@pytest.fixture(scope="module")
def village() -> Inventory:
    file = FOLDER / "counties" / "village.yaml"
    parsed = parse(file.read_text("utf-8"), file.name, frozenset({"native"}))
    assert parsed.inventory is not None
    return parsed.inventory


def test_one_plant_may_be_given_other_parameters(village: Inventory) -> None:
    text = "assets: {plant: {no_power: {flapping_raises: 5, flapping_within_h: 2}}}"
    rules = load(text, "rules.yaml", village, KINDS)
    timing = rules.of(village.assets["plant"])["no_power"].timing
    assert (timing.raises, timing.raises_within_ms) == (5, 2 * HOUR)
    assert rules.of(village.assets["clock-plant"])["no_power"].timing.raises == 3
    assert "no_power" in KINDS


@pytest.mark.parametrize(
    "parameter", ["flapping_raises: 1", "flapping_within_h: 0", "flapping_relapses: 1", "flapping_calm_most_h: 25"]
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(village: Inventory, parameter: str) -> None:
    with pytest.raises(PolicyFault, match=rf"rules.yaml: rules.no_power: {parameter.partition(':')[0]}: "):
        load(f"rules: {{no_power: {{{parameter}}}}}", "rules.yaml", village, KINDS)
