"""The numbers of a delay and of flapping at their very edges, from the law and not from the table or the ladder.

Both of those ask the same ``Timing``, so neither finds out what is wrong in it.
"""

import msgspec
import pytest
from msgspec.structs import replace

from alerts.conditions.machine import (
    NOTICED_EVERY_MS,
    RAISE,
    Call,
    Instant,
    Machine,
    Move,
    Timing,
    advance,
    relapse,
)
from alerts.model import Condition

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(ms: int, *, late: bool = False) -> Instant:
    return Instant(ms, ms, late, 0)


def test_the_parameters_of_a_rule_that_gives_none_are_those_of_the_papers() -> None:
    assert Timing() == Timing(
        on_count=1,
        on_delay_ms=0,
        off_count=1,
        off_delay_ms=0,
        timer_promotes=True,
        latching=False,
        raises=3,
        raises_within_ms=HOUR,
        flaps=6,
        calm_ms=HOUR // 2,
        calm_most_ms=DAY,
        more_raises=4,
        more_within_ms=6 * HOUR,
        slow_raises=6,
        slow_within_ms=2 * DAY,
        left_ms=6 * HOUR,
    )


@pytest.mark.parametrize(
    ("raises", "within_ms", "flaps", "slow"),
    [
        (3, HOUR, True, False),
        (3, HOUR + 1, False, False),
        (4, 6 * HOUR, True, False),
        (4, 6 * HOUR + 1, False, False),
        (6, 2 * DAY, True, True),
        (6, 2 * DAY + 1, False, False),
        (2, 0, False, False),
    ],
)
def test_so_many_raises_in_so_long_are_flapping_and_one_millisecond_more_is_not(
    raises: int,
    within_ms: int,
    flaps: bool,  # noqa: FBT001 -- of the table
    slow: bool,  # noqa: FBT001 -- of the table
) -> None:
    last = 10 * DAY
    raised = (*[last - within_ms] * (raises - 1), last)
    assert Timing().is_slow(raised) is slow
    assert Timing().flaps_by(raised) is flaps


def test_none_is_not_too_many() -> None:
    assert not Timing().flaps_by(())


def test_what_came_before_the_last_so_many_makes_no_difference() -> None:
    long_ago = (0, 1, 2)
    assert not Timing().flaps_by((*long_ago, 10 * DAY))
    assert Timing().flaps_by((*long_ago, 10 * DAY, 10 * DAY + 1, 10 * DAY + 2))


@pytest.mark.parametrize("longest", ["raises_within_ms", "more_within_ms", "slow_within_ms"])
def test_raises_are_remembered_for_the_longest_of_the_windows(longest: str) -> None:
    timing = Timing(raises_within_ms=1, more_within_ms=2, slow_within_ms=3)
    assert replace(timing, **{longest: DAY}).longest_ms == DAY


@pytest.mark.parametrize("most", ["raises", "more_raises", "slow_raises"])
def test_as_many_raises_are_remembered_as_any_window_counts(most: str) -> None:
    timing = Timing(raises=1, more_raises=2, slow_raises=3)
    assert replace(timing, **{most: 9}).most_raises == 9


def test_an_off_delay_of_no_doubling_is_the_rules_own_and_doublings_end_at_twenty() -> None:
    timing = Timing(off_delay_ms=10, calm_ms=50, calm_most_ms=DAY)
    assert [timing.recovery_ms(doublings) for doublings in (0, 1, 2)] == [10, 100, 200]
    assert timing.recovery_ms(20) == timing.recovery_ms(40) == 50 << 20
    assert Timing(off_delay_ms=70, calm_ms=50).recovery_ms(1) == 140
    assert Timing(off_delay_ms=2 * DAY, calm_ms=50).recovery_ms(3) == 2 * DAY


def test_it_flaps_from_the_first_doubling_on_until_it_has_settled() -> None:
    assert [Machine(doublings=number).is_flapping for number in (0, 1, 2)] == [False, True, True]
    assert not Machine(doublings=1, settled=True).is_flapping


def test_it_begins_to_flap_at_the_move_of_which_the_crew_is_to_hear() -> None:
    assert Machine(noticed_ms=1, moved_ms=1).begins_flapping
    assert not Machine(noticed_ms=1, moved_ms=2).begins_flapping
    assert not Machine().begins_flapping


@pytest.mark.parametrize("condition", Condition)
def test_an_episode_runs_while_it_is_active_recovering_or_latched(condition: Condition) -> None:
    runs = condition in {Condition.ACTIVE, Condition.RECOVERING}
    assert Machine(condition).is_open is runs
    assert Machine(condition, latched=True).is_open


def test_a_machine_that_nothing_befell_is_normal_and_remembers_nothing() -> None:
    assert msgspec.to_builtins(Machine()) == [0, 0, 0, 0, 0, 0, 0, "", "", 0, False, False, (), 0, 0, False, False, 0]


def test_moves_and_calls_keep_their_numbers() -> None:
    assert [move.name for move in map(Move, range(9))] == [move.name for move in Move]
    assert [call.name for call in map(Call, range(5))] == ["NONE", "RAISE", "CLEAR", "BETWEEN", "END"]


@pytest.mark.parametrize(("after_ms", "heard"), [(NOTICED_EVERY_MS, True), (NOTICED_EVERY_MS - 1, False)])
def test_the_crew_hears_of_it_a_week_after_it_last_did_and_not_before(after_ms: int, heard: bool) -> None:  # noqa: FBT001 -- of the table
    told = Machine(Condition.RECOVERING, flaps=5, noticed_ms=DAY, moved_ms=DAY)
    assert NOTICED_EVERY_MS == 7 * DAY
    assert relapse(told, Timing(), DAY + after_ms).begins_flapping is heard


def test_a_span_of_calm_is_over_when_it_is_and_none_has_begun_in_the_instant_of_the_move() -> None:
    timing = Timing(left_ms=1)
    flapping = Machine(Condition.ACTIVE, doublings=2, moved_ms=DAY)
    found = [advance(flapping, RAISE, timing, at(DAY + ms), "")[0].doublings for ms in (-HOUR, 0, 1, 2, 3)]
    assert found == [2, 2, 1, 0, 0]


def test_raises_of_so_long_ago_are_forgotten_and_not_a_millisecond_sooner() -> None:
    timing = Timing()
    for ago_ms, kept in ((2 * DAY, 2), (2 * DAY + 1, 1)):
        raised, move = advance(Machine(raised_ms=(DAY,)), RAISE, timing, at(DAY + ago_ms), "e")
        assert (move, len(raised.raised_ms)) == (Move.RAISED, kept)


def test_of_several_episodes_of_one_second_each_has_its_own_name() -> None:
    names = []
    machine = Machine()
    for _ in range(4):
        machine, _ = advance(replace(machine, condition=Condition.NORMAL), RAISE, Timing(), at(DAY), "mint")
        names.append(machine.episode)
    assert names == ["mint", "mint-2", "mint-3", "mint-4"]
