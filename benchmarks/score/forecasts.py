"""How forecasts of two thirds are joined with when it would have been crossed had nobody come (docs/score.md).

A forecast is asked where it says eleven to thirteen hours from now.
"""

from datetime import datetime
from typing import Final

from benchmarks.score.join import HOUR_MS, LINES
from benchmarks.score.said import Said, Story
from benchmarks.score.tally import Tally, name_case
from benchmarks.score.truth import Truth, millis
from telemetry.reading import Millis

ASKED_H: Final = (11.0, 13.0)
HORIZON_H: Final = 7 * 24.0
"""The truth looks no further; what is crossed later counts as then."""


def moment(said: Said, name: str) -> Millis | None:
    """An instant out of the detail of a forecast, if it says one."""
    written = (said.detail or {}).get(name)
    return millis(datetime.fromisoformat(written)) if isinstance(written, str) else None


def judge_forecasts(truth: Truth, story: Story, tally: Tally) -> None:
    """Errors in hours, whether the interval covers, and the same against what was really crossed."""
    line = LINES["over_two_thirds"]
    for asset, said in story.events["forecast"].items():
        crossings, curve = truth.crossings.get(asset), truth.levels.get(asset)
        for each in said:
            foretold_ms = moment(each, "two_thirds_at")
            if crossings is None or curve is None or foretold_ms is None:
                continue
            if not ASKED_H[0] <= (foretold_ms - each.at_ms) / HOUR_MS <= ASKED_H[1]:
                continue
            crossed_ms = crossings.two_thirds(each.at_ms)
            true_ms = each.at_ms + round(HORIZON_H * HOUR_MS) if crossed_ms is None else crossed_ms
            error_h = abs(foretold_ms - true_ms) / HOUR_MS
            tally.of("forecast.error").errors_h.append(error_h)
            low_ms, high_ms = moment(each, "low_at"), moment(each, "high_at")
            covered = low_ms is not None and high_ms is not None and low_ms <= true_ms <= high_ms
            case = "" if covered else name_case(asset, each.at_ms, f"{error_h:.1f} h off")
            tally.of("forecast.cover").add(hit=covered, case=case)
            really_ms = curve.first_at_least(line, each.at_ms, each.at_ms + round(HORIZON_H * HOUR_MS))
            if really_ms is not None and crossed_ms is not None and really_ms <= crossed_ms + HOUR_MS:
                tally.of("forecast.error_really").errors_h.append(abs(foretold_ms - really_ms) / HOUR_MS)
