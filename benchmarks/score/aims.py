"""What the counts of a run come to: each with its exact interval, its aim and whether that is settled.

The aims are those of issue F; none of them is moved to please a number.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from benchmarks.score.intervals import Aim, Interval, clopper_pearson, median_interval, settle
from benchmarks.score.tally import Count, Tally

MONTH_H: Final = 720.0
"""Of an asset; a month of a thousand bins is a thousand of these."""
MINUTE_MS: Final = 60_000


class Goal(NamedTuple):
    """One row of the aims: which count, in which unit, and the aim."""

    counted: str
    says: str
    aim: Aim
    unit: str = "share"
    factor: float = 1.0


def _rate(count: str, says: str, most: float, per: float = 1) -> Goal:
    unit = "a month" if per == 1 else f"in {per:g} months"
    return Goal(count, says, Aim(most=most), unit, MONTH_H * per)


GOALS: Final = (
    Goal("emptied.recall", "emptied: visits at ≥ 15 % that are said", Aim(least=0.98)),
    Goal("emptied.precision", "emptied: sayings that are so, one to one", Aim(least=0.98)),
    Goal("emptied.one_event", "one visit, one event", Aim(least=0.99)),
    Goal("emptied.closed_over_line", "closed as emptied while over two thirds", Aim(most=0.005)),
    Goal("over_two_thirds.noticed", "over_two_thirds noticed within 2 readings", Aim(least=0.995)),
    Goal("overflow.noticed", "overflow noticed within 2 readings", Aim(least=0.995)),
    Goal("over_two_thirds.sure", "over_two_thirds sure within 4 more", Aim(least=0.95)),
    Goal("overflow.sure", "overflow sure within 4 more", Aim(least=0.95)),
    _rate("lines.false_sure", "false sure alerts of a line, a bin", 0.3),
    _rate("lines.false_unsure", "false unsure alerts of a line, a bin", 3),
    _rate("lines.false_texts", "false texts about a line, a bin", 0.1),
    Goal("lies.named", "lying sensors named within 7 days", Aim(least=0.9)),
    _rate("honest_named.false", "honest sensors named, a bin", 0.02),
    Goal("fire.recall", "fire, at the sample that shows it", Aim(least=1)),
    Goal("fire.behind", "fires behind an unreset one (set apart)", Aim(most=0.02)),
    _rate("fire.false", "false fires, 1,000 bins", 1, 1_000),
    _rate("hot_ash.false", "false hot_ash, 1,000 bins", 10, 1_000),
    Goal("plants.recall", "plant faults that can be seen, in time", Aim(least=0.95)),
    Goal("plants.false_share", "plant alerts that are false", Aim(most=0.02)),
    _rate("offline of plants.false", "false offline, a plant", 1),
    Goal("forecast.error", "forecast of 11–13 h: median error", Aim(most=3), "h"),
    Goal("forecast.error_really", "  against what was really crossed", Aim(), "h"),
    Goal("forecast.cover", "forecast of 11–13 h: its 80 % interval covers", Aim(least=0.75, most=0.85)),
)

CASES_SHOWN: Final = 10
RECALLS: Final = ("recall", "noticed")
RATES: Final = ("false", "false_sure", "false_unsure", "false_texts")


def interval(count: Count, goal: Goal) -> Interval | None:
    """What a count comes to in its goal's unit; nothing where nothing was counted."""
    if goal.unit == "h":
        return median_interval(count.errors_h)
    return clopper_pearson(count.hits, count.of).times(goal.factor) if count.of else None


def percentile(values: Iterable[float], share: float) -> float | None:
    """The value below which so many of them lie (nearest rank); nothing of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def list_aims(tally: Tally) -> list[dict[str, Any]]:
    """Each aim with what was reached, ready for a file."""
    return [_row(goal, tally.counts.get(goal.counted, Count())) for goal in GOALS]


def _row(goal: Goal, count: Count) -> dict[str, Any]:
    found = interval(count, goal)
    trials = len(count.errors_h) if goal.unit == "h" else count.of
    aim = goal.aim if goal.aim != Aim() else None
    return {
        "count": goal.counted,
        "says": goal.says,
        "unit": goal.unit,
        "least": goal.aim.least,
        "most": goal.aim.most,
        "hits": count.hits,
        "of": trials,
        **_bounds(found),
        "verdict": str(settle(found, aim)),
        "cases": count.cases,
    }


def _bounds(found: Interval | None) -> Mapping[str, float | None]:
    if found is None:
        return {"value": None, "low": None, "high": None}
    return {name: round(value, 6) for name, value in found._asdict().items()}


def list_kinds(tally: Tally) -> list[dict[str, Any]]:
    """Each kind with recall, precision, delays in minutes, false alerts and false texts an asset and month."""
    names = {count.rpartition(".")[0] for count in tally.counts}
    rows = [_kind(name, tally.counts) for name in sorted(names - {"lines", "forecast", "honest_named", "plants"})]
    return [row for row in rows if any(row[column] for column in ("recall", "precision", "false", "false_texts"))]


def _kind(name: str, counts: Mapping[str, Count]) -> dict[str, Any]:
    def share(*kinds: str) -> dict[str, Any] | None:
        found = next((counts[f"{name}.{kind}"] for kind in kinds if f"{name}.{kind}" in counts), Count())
        if not found.of:
            return None
        shown = {"hits": found.hits, "of": found.of, **_bounds(clopper_pearson(found.hits, found.of))}
        return shown | {"cases": found.cases[:CASES_SHOWN]}

    def rate(*kinds: str) -> dict[str, Any] | None:
        found = [counts[f"{name}.{kind}"] for kind in kinds if f"{name}.{kind}" in counts]
        hits, hours = sum(count.hits for count in found), max((count.of for count in found), default=0)
        if not hours:
            return None
        per_month = clopper_pearson(min(hits, hours), hours).times(MONTH_H)
        return {"hits": hits, "of": hours, **_bounds(per_month)}

    delays = [delay for kind in RECALLS for delay in counts.get(f"{name}.{kind}", Count()).delays_ms]
    p50, p95 = percentile(delays, 0.5), percentile(delays, 0.95)
    return {
        "kind": name,
        "recall": share(*RECALLS),
        "precision": share("precision"),
        "p50_min": None if p50 is None else round(p50 / MINUTE_MS, 1),
        "p95_min": None if p95 is None else round(p95 / MINUTE_MS, 1),
        "false": rate("false", "false_sure", "false_unsure"),
        "false_texts": rate("false_texts"),
    }
