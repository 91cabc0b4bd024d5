"""When nobody listened between two turns: by a clock that was set, or by time that passed (law L13)."""

import pytest

from gateway.clock import Deafness, Face, between

BEFORE = Face(1_000_000_000, 50.0, 1_000_000.0)
HOUR_S = 3_600


def after(at_ms: int, gone_s: float, set_s: float = 0.0) -> Face:
    return Face(BEFORE.at_ms + at_ms, BEFORE.monotonic_s + gone_s, BEFORE.wall_s + gone_s + set_s)


@pytest.mark.parametrize(("gone_s", "set_s"), [(1, 0), (60, 0), (1, 5), (1, -5), (59, 0.9)])
def test_turns_that_follow_each_other_are_none(gone_s: float, set_s: float) -> None:
    assert between(BEFORE, after(round(gone_s * 1_000), gone_s, set_s)) is None


def test_a_clock_set_forward_moves_ours() -> None:
    now = after(1_000 + 3 * HOUR_S * 1_000, 1, 3 * HOUR_S)
    assert between(BEFORE, now) == Deafness(BEFORE.at_ms, now.at_ms, 3 * HOUR_S * 1_000, 3 * HOUR_S * 1_000)


def test_a_clock_set_back_does_not() -> None:
    now = after(1_000, 1, -3 * HOUR_S)
    assert between(BEFORE, now) == Deafness(BEFORE.at_ms, now.at_ms, -3 * HOUR_S * 1_000, 0)


def test_a_machine_that_comes_back_to_what_we_told_was_set_and_moves_nothing() -> None:
    """As after a start with a dead battery: the journal's last instant was gone on from."""
    now = after(1_000, 1, 700 * 24 * HOUR_S)
    assert between(BEFORE, now) == Deafness(BEFORE.at_ms, now.at_ms, 700 * 24 * HOUR_S * 1_000, 0)


def test_a_machine_that_stood_still_was_not_set() -> None:
    now = after(90_000, 90)
    assert between(BEFORE, now) == Deafness(BEFORE.at_ms, now.at_ms)


def test_the_demo_is_deaf_by_real_seconds_not_by_its_own() -> None:
    assert between(BEFORE, after(300_000, 1)) is None
    assert between(BEFORE, after(90 * 300_000, 90)) == Deafness(BEFORE.at_ms, BEFORE.at_ms + 90 * 300_000)
