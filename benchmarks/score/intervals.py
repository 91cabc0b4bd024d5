"""Exact intervals of shares (Clopper and Pearson 1934), and whether one settles an aim. Plain numbers, nothing else.

The bounds are quantiles of beta distributions. The incomplete beta function is summed as a continued fraction by
Lentz's method (DLMF 8.17.22) and turned round by bisection, so that no library is needed for it.
"""

from enum import StrEnum
from math import comb, exp, lgamma, log, log1p
from typing import Final, NamedTuple

LEVEL: Final = 0.95
"""Of the intervals, two-sided."""
_TINY: Final = 1e-300
_STEPS: Final = 10_000
_CLOSE: Final = 1e-14
_HALVINGS: Final = 100


class Verdict(StrEnum):
    """What an interval says of an aim."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "undecided"
    NONE = "—"
    """There is no aim, or nothing was counted."""


class Aim(NamedTuple):
    """A bound from below, from above, or both; in the unit of the share or rate it is about."""

    least: float | None = None
    most: float | None = None


class Interval(NamedTuple):
    """A share or rate with its exact bounds."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        """The same in another unit."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


def clopper_pearson(hits: int, of: int, level: float = LEVEL) -> Interval:
    """The share ``hits`` of ``of`` and its exact interval. Raises ``ValueError`` unless 0 ≤ hits ≤ of and of > 0."""
    if of <= 0 or not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share; count hits among at least one trial")
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else beta_quantile(tail, hits, of - hits + 1)
    high = 1.0 if hits == of else beta_quantile(1 - tail, hits + 1, of - hits)
    return Interval(hits / of, low, high)


def settle(found: Interval | None, aim: Aim | None) -> Verdict:
    """Whether the whole interval lies within the aim, the whole of it outside, or the aim within it.

    No sample can show a share of exactly 1: there all that was counted has to be so.
    """
    if found is None or aim is None:
        return Verdict.NONE
    if aim.least == 1:
        return Verdict.MET if found.value == 1 else Verdict.MISSED
    least = float("-inf") if aim.least is None else aim.least
    most = float("inf") if aim.most is None else aim.most
    if found.low >= least and found.high <= most:
        return Verdict.MET
    if found.high < least or found.low > most:
        return Verdict.MISSED
    return Verdict.UNDECIDED


def median_interval(values: list[float], level: float = LEVEL) -> Interval | None:
    """The median, with the order statistics between which the true one lies at least so surely; nothing of none."""
    of = len(values)
    if not of:
        return None
    ordered, middle = sorted(values), of // 2
    median = ordered[middle] if of % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    below, rank = 0.0, 0
    tail = (1 - level) / 2
    while rank < middle and (below := below + exp(_log_choose(of, rank) - of * log(2))) <= tail:
        rank += 1
    if not rank:  # so few that only all of them hold it
        return Interval(median, ordered[0], ordered[-1])
    return Interval(median, ordered[rank - 1], ordered[of - rank])


def _log_choose(of: int, some: int) -> float:
    return log(comb(of, some)) if of < 500 else lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution of ``a`` and ``b`` has ``share`` of its mass below."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1 and positive ``a``, ``b``."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):  # there the fraction converges fast; on the other side the mirrored one does
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction, from its front (modified Lentz)."""
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _apart(1 + term * d)
            c = _apart(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < _CLOSE:
            return value
    raise ValueError(f"the incomplete beta function of {x}, {a}, {b} does not converge")


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
