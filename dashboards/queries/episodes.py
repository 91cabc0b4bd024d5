"""Questions about alerts: what stands now, how soon people answered, and where the same thing comes again.

An episode's fields say everything but where it is, so its points are made rows first. Its last word decides whether it
stands; what began more than ninety days ago is not in the raw bucket any more.
"""

from typing import Final

from dashboards.queries.language import (
    ASSET,
    DAILY_WINDOWS,
    PICKED,
    RAW,
    TOWN,
    VILLAGE,
    Flux,
    InfluxQL,
    count_each,
    flux,
    group,
    joined,
    keep,
    let,
    pipe,
    points,
    raw,
    select,
    sort,
    union,
)
from dashboards.queries.names import NEWEST, VILLAGE_NAMES
from telemetry.series import Measurement

ALERT: Final = Measurement.ALERT
OVER_AND_DONE: Final = ("cleared", "reset", "retired")
WAITS: Final = ("raised", "reignited")
"""The words after which somebody has still to acknowledge it."""
AS_LONG_AS_KEPT: Final = "-90d"
STRINGS: Final = 'import "strings"'
"""What ``standing`` needs; imports open a question."""
_BEGAN: Final = """\
began = (episode, otherwise) => {
  length = strings.strlen(v: episode)
  part = (from, to) => strings.substring(v: episode, start: length - 16 + from, end: length - 16 + to)
  date = part(from: 0, to: 4) + "-" + part(from: 4, to: 6) + "-" + part(from: 6, to: 8)
  clock = part(from: 9, to: 11) + ":" + part(from: 11, to: 13) + ":" + part(from: 13, to: 15)
  return if episode =~ /\\/[0-9]{8}T[0-9]{6}Z$/ then time(v: date + "T" + clock + "Z") else otherwise
}"""
"""When an episode was raised: its id ends with that, …/20261122T004001Z; of any other id one knows the last change."""
_ONE_ROW_EACH: Final = (
    'pivot(rowKey: ["_time", "asset", "device", "village"], columnKey: ["_field"], valueColumn: "_value")'
)
_TEXTS: Final = ("state", "rule", "severity", "episode", "place")
_ENDED: Final = " or ".join(f'r.state == "{state}"' for state in OVER_AND_DONE)
_UNANSWERED: Final = " or ".join(f'r.state == "{state}"' for state in WAITS)
_EVERYWHERE: Final = (TOWN, VILLAGE, ASSET)
_DAY_NS: Final = 86_400_000_000_000
_SHANGHAI_NS: Final = 8 * 3_600_000_000_000
_AGAIN: Final = """\
reduce(
    identity: {times: 0, days: 0, day: 0, last_raised: time(v: 0), place: ""},
    fn: (r, accumulator) => ({
      times: accumulator.times + 1,
      days: accumulator.days + (if r.day == accumulator.day then 0 else 1),
      day: r.day,
      last_raised: r._time,
      place: r.place,
    }),
  )"""
"""How often and on how many different days, of rows in order of time."""


def standing(*chosen: str) -> str:
    """``open``: each episode that stands, as it was last changed, with the hours since it was raised.

    One table of texts: a pivot in each of thousands takes twice as long. When it was raised is told by its id.
    """
    return "\n".join(
        (
            _BEGAN,
            let(
                "open",
                points(RAW, ALERT, *_TEXTS, since=AS_LONG_AS_KEPT, chosen=chosen),
                "group()",
                _ONE_ROW_EACH,
                sort("_time", falling=True),
                'unique(column: "episode")',
                f"filter(fn: (r) => not ({_ENDED}))",
                "map(fn: (r) => ({r with raised: began(episode: r.episode, otherwise: r._time)}))",
                "map(fn: (r) => ({r with hours: float(v: int(v: now()) - int(v: r.raised)) / 3600000000000.0}))",
            ),
        )
    )


def counts() -> Flux:
    """How many fires, overflowing bins, standing plants, silent devices, and unanswered alerts above P4 there are now.

    Nothing at all if nothing was heard for a day: silence is not well-being (law L5).
    """
    counted = {rule: f'r.rule == "{rule}"' for rule in ("fire", "overflow", "stopped", "offline")}
    counted["unanswered"] = f'({_UNANSWERED}) and r.severity != "P4"'
    return flux(
        STRINGS,
        let(
            "heard",
            points(RAW, Measurement.DEVICE, "delay_s", since="-1d"),
            "last()",
            "group()",
            "limit(n: 1)",
            'map(fn: (r) => ({rule: "", state: "", severity: ""}))',
        ),
        standing(TOWN, VILLAGE),
        let("found", "open", keep("rule", "state", "severity")),
        pipe(union("heard", "found"), count_each(counted)),
    )


def waiting(most: int = 50) -> Flux:
    """What stands above P4, the most urgent and oldest first."""
    return flux(
        STRINGS,
        standing(TOWN, VILLAGE),
        pipe(
            'open |> filter(fn: (r) => r.severity != "P4")',
            keep("severity", "place", "rule", "state", "raised", "hours", "asset"),
            sort("severity", "raised"),
            f"limit(n: {most})",
        ),
    )


def longest(most: int = 20) -> Flux:
    """What has stood longest, of every severity."""
    return flux(
        STRINGS,
        standing(*_EVERYWHERE),
        pipe(
            "open",
            keep("severity", "place", "rule", "state", "raised", "hours", "asset"),
            sort("raised"),
            f"limit(n: {most})",
        ),
    )


def raised_in_ten_minutes() -> InfluxQL:
    """New alerts in each ten minutes; more than ten are more than a person can follow (ISA-18.2)."""
    return select('count("after_s")', raw(ALERT), PICKED, "\"state\" = 'raised'", alias="新告警", by="10m", fill="0")


def raised_a_day(severity: str, called: str) -> InfluxQL:
    """New alerts of a severity, by day."""
    return select(
        'count("after_s")',
        raw(ALERT),
        PICKED,
        "\"state\" = 'raised'",
        f"\"severity\" = '{severity}'",
        alias=called,
        by=DAILY_WINDOWS,
        chosen=_EVERYWHERE,
    )


def how_many(state: str, called: str) -> InfluxQL:
    """How many changes to this state there were."""
    return select('count("after_s")', raw(ALERT), PICKED, f"\"state\" = '{state}'", alias=called, chosen=_EVERYWHERE)


def minutes_until(state: str, called: str, function: str = "median", more: str = "") -> InfluxQL:
    """Minutes from raising to a state, over the whole range."""
    return select(
        f'{function}("after_s"{more}) / 60',
        raw(ALERT),
        PICKED,
        f"\"state\" = '{state}'",
        alias=called,
        chosen=_EVERYWHERE,
    )


def minutes_until_by_day(state: str, called: str) -> InfluxQL:
    """The same, by day."""
    return select(
        'median("after_s") / 60',
        raw(ALERT),
        PICKED,
        f"\"state\" = '{state}'",
        alias=called,
        by=DAILY_WINDOWS,
        chosen=_EVERYWHERE,
    )


def by_rule() -> Flux:
    """For each rule: how often it was raised, and the median minutes until it was acknowledged and cleared."""
    return flux(_changes(), *_review("rule"), pipe("review", sort("raised", falling=True)))


def by_village(most: int = 100) -> Flux:
    """The same for each village."""
    return flux(
        NEWEST,
        VILLAGE_NAMES,
        _changes(),
        *_review("village"),
        pipe(
            joined("review", "villages", "village"),
            keep("village_name", "raised", "acked_min", "cleared_min"),
            sort("raised", falling=True),
            f"limit(n: {most})",
        ),
    )


def offenders(least: int = 2, most: int = 30) -> Flux:
    """Where the same rule was raised again: how often, and on how many different days of the county."""
    return flux(
        _changes(),
        pipe(
            'changes |> filter(fn: (r) => r.state == "raised")',
            f"map(fn: (r) => ({{r with day: (int(v: r._time) + {_SHANGHAI_NS}) / {_DAY_NS}}}))",
            group("asset", "rule"),
            sort("_time"),
            _AGAIN,
            f"filter(fn: (r) => r.times >= {least})",
            keep("place", "rule", "times", "days", "last_raised", "asset"),
            sort("days", "times", falling=True),
            f"limit(n: {most})",
        ),
    )


def _changes() -> str:
    """``changes``: every change of an episode in the range as a row."""
    return let(
        "changes",
        union(
            pipe(points(RAW, ALERT, *_TEXTS, chosen=_EVERYWHERE), "group()"),
            pipe(points(RAW, ALERT, "after_s", chosen=_EVERYWHERE), "toString()", "group()"),
        ),
        _ONE_ROW_EACH,
        "map(fn: (r) => ({r with after_s: float(v: r.after_s)}))",
    )


def _review(by: str) -> tuple[str, ...]:
    """``review``: a row for each of these with its number of episodes and the median minutes of both answers."""
    medians = [
        pipe(
            f'changes |> filter(fn: (r) => r.state == "{state}")',
            group(by),
            'median(column: "after_s")',
            f'map(fn: (r) => ({{{by}: r.{by}, _field: "{state}_min", _value: r.after_s / 60.0}}))',
            "group()",
        )
        for state in ("acked", "cleared")
    ]
    raised = pipe(
        'changes |> filter(fn: (r) => r.state == "raised")',
        group(by),
        'count(column: "after_s")',
        f'map(fn: (r) => ({{{by}: r.{by}, _field: "raised", _value: float(v: r.after_s)}}))',
        "group()",
    )
    return (
        let("acked", medians[0]),
        let("cleared", medians[1]),
        let("raised", raised),
        let(
            "review",
            union("raised", "acked", "cleared"),
            f'pivot(rowKey: ["{by}"], columnKey: ["_field"], valueColumn: "_value")',
            "group()",
        ),
    )
