"""Forecasts against when the line would have been crossed had nobody come (``benchmarks/score/forecasts.py``)."""

from typing import Any

import pytest

from benchmarks.score.forecasts import judge_forecasts
from benchmarks.score.tally import Tally
from tests.score.made import bin_site, counted, event, levels, story, true
from tests.small_county import iso

WOULD = {"truth": "crossings", "asset": "a", "from": iso(0), "step_s": 3_600}


def judged(would: list[float | None], **detail: float) -> Tally:
    crossed: list[Any] = [None if hours is None else iso(hours) for hours in would]
    truth = true(bin_site(), levels(*[50.0] * 48), {**WOULD, "two_thirds_at": crossed, "overflow_at": crossed})
    said = event("forecast", 0.5, detail={f"{name}_at": iso(hours) for name, hours in detail.items()})
    tally = Tally()
    judge_forecasts(truth, story(said), tally)
    return tally


@pytest.mark.parametrize(("says", "asked"), [(11.4, False), (11.6, True), (13.4, True), (13.6, False)])
def test_it_is_asked_when_it_says_eleven_to_thirteen_hours(says: float, asked: bool) -> None:  # noqa: FBT001 -- the case and its double
    assert bool(judged([12, 12], two_thirds=says).of("forecast.error").errors_h) is asked


@pytest.mark.parametrize(("low", "high", "covers"), [(10, 14, 1), (10, 11, 0), (13, 14, 0)])
def test_the_interval_covers_what_would_have_been(low: float, high: float, covers: int) -> None:
    tally = judged([12.5, 12.5], two_thirds=13, low=low, high=high)
    assert tally.of("forecast.error").errors_h == [pytest.approx(0.5)]
    assert counted(tally, "forecast.cover") == (covers, 1)


def test_a_line_that_would_not_be_crossed_within_a_week_counts_as_crossed_then() -> None:
    assert judged([None, None], two_thirds=12.5).of("forecast.error").errors_h == [pytest.approx(156)]


def test_a_forecast_of_nothing_is_not_asked() -> None:
    assert judged([12, 12]).counts == {}
