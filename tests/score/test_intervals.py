"""Exact intervals against published figures and their own definition (``benchmarks/score/intervals.py``)."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.score.intervals import (
    Aim,
    Interval,
    Verdict,
    beta_quantile,
    clopper_pearson,
    incomplete_beta,
    median_interval,
    settle,
)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.30849711),  # 1 - 0.025 ** (1 / 10)
        (10, 10, 0.69150289, 1.0),
        (5, 10, 0.18708603, 0.81291397),
        (1, 20, 0.00126509, 0.24873278),
    ],
)
def test_known_bounds(hits: int, of: int, low: float, high: float) -> None:
    found = clopper_pearson(hits, of)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-6)


def binomial_at_least(hits: int, of: int, share: float) -> float:
    return sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits, of + 1))


@given(st.integers(1, 60).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_bounds_are_where_the_tails_of_the_binomial_come_to_2_5_percent(trials: tuple[int, int]) -> None:
    hits, of = trials
    found = clopper_pearson(hits, of)
    assert found.low <= found.value <= found.high
    if hits:
        assert binomial_at_least(hits, of, found.low) == pytest.approx(0.025, rel=1e-6)
    if hits < of:
        assert 1 - binomial_at_least(hits + 1, of, found.high) == pytest.approx(0.025, rel=1e-6)


@given(st.floats(0.001, 0.999), st.floats(0.1, 5_000), st.floats(0.1, 5_000))
def test_a_quantile_is_the_inverse(share: float, a: float, b: float) -> None:
    found = beta_quantile(share, a, b)
    if 1e-6 < found < 1 - 1e-6:  # beyond, a double has no room between one point and the next
        assert incomplete_beta(found, a, b) == pytest.approx(share, abs=1e-6)


def test_of_very_many_trials_too() -> None:
    found = clopper_pearson(30, 2_000_000).times(1_000_000)
    assert [found.low, found.high] == pytest.approx([10.12, 21.41], abs=0.01)  # half of Garwood's for 30


@pytest.mark.parametrize(("hits", "of"), [(0, 0), (3, 2), (-1, 5)])
def test_what_is_no_share_is_refused(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(hits, of)


@pytest.mark.parametrize(
    ("found", "aim", "verdict"),
    [
        (Interval(0.99, 0.985, 0.995), Aim(least=0.98), Verdict.MET),
        (Interval(0.99, 0.97, 0.995), Aim(least=0.98), Verdict.UNDECIDED),
        (Interval(0.9, 0.85, 0.95), Aim(least=0.98), Verdict.MISSED),
        (Interval(0.1, 0.0, 0.2), Aim(most=0.3), Verdict.MET),
        (Interval(0.3, 0.2, 0.4), Aim(most=0.3), Verdict.UNDECIDED),
        (Interval(0.5, 0.4, 0.6), Aim(most=0.3), Verdict.MISSED),
        (Interval(0.8, 0.77, 0.84), Aim(0.75, 0.85), Verdict.MET),
        (Interval(0.9, 0.87, 0.94), Aim(0.75, 0.85), Verdict.MISSED),
        (Interval(1.0, 0.7, 1.0), Aim(least=1), Verdict.MET),
        (Interval(0.99, 0.97, 1.0), Aim(least=1), Verdict.MISSED),
        (None, Aim(least=1), Verdict.NONE),
        (Interval(1.0, 0.7, 1.0), None, Verdict.NONE),
    ],
)
def test_an_aim_is_settled_only_by_the_whole_interval(
    found: Interval | None, aim: Aim | None, verdict: Verdict
) -> None:
    assert settle(found, aim) is verdict


def test_a_median_lies_between_order_statistics() -> None:
    found = median_interval([float(value) for value in range(1, 101)])
    assert found == Interval(50.5, 40.0, 61.0)  # the 40th and the 61st of a hundred
    assert median_interval([1.0, 2.0, 9.0]) == Interval(2.0, 1.0, 9.0), "so few that only all of them hold it"
    assert median_interval([]) is None
