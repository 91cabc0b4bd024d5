"""How things look on every board: units, thresholds, and words and colours as the SDK wants them.

Colour never says anything alone: a state has its word, a level its line, a marker its sign.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard

from alerts.model import RUN_CODES
from alerts.rules.overflow import Overflow
from dashboards.queries import county
from dashboards.words import BAD, LOOKS, RUNS, WARNING, Word

PERCENT: Final = "percent"
COUNT: Final = "none"
SITES: Final = "suffix: 处"
POINTS: Final = "suffix: 分"
TIMES: Final = "suffix: 次"
DEVICES: Final = "suffix: 个"
PLANTS: Final = "suffix: 座"
DAYS: Final = "suffix: 天"
HOURS: Final = "suffix: 小时"
MINUTES: Final = "suffix: 分钟"
SECONDS: Final = "suffix: 秒"
CELSIUS: Final = "celsius"
CUBIC_M: Final = "suffix: m³"
CUBIC_M_H: Final = "suffix: m³/h"
CUBIC_M_DAY: Final = "suffix: m³/d"
AMPERE: Final = "suffix: A"
MILLIMETRE: Final = "suffix: mm"
DBM: Final = "suffix: dBm"
DB: Final = "suffix: dB"
MESSAGES: Final = "suffix: 条"
AT: Final = "time:M月D日 HH:mm"
TEXT: Final = "string"

FULL_PCT: Final[float] = Overflow.model_fields["raise_pct"].default
"""From here on a bin overflows, as the rule has it."""


def words(named: Mapping[str, Word] | Mapping[str, str]) -> list[dashboard.ValueMapping]:
    """Each value in words, with its colour where it has one."""
    results = {}
    for place, (value, word) in enumerate(named.items()):
        text, color = word if isinstance(word, tuple) else (word, None)
        results[value] = dashboard.ValueMappingResult(text=text, color=color, index=place)
    return [dashboard.ValueMap(options=results)]


def is_coloured(mapping: dashboard.ValueMapping) -> bool:
    """Whether its words have colours of their own."""
    return isinstance(mapping, dashboard.ValueMap) and any(each.color for each in mapping.options.values())


def run_words() -> list[dashboard.ValueMapping]:
    """A plant's state, from its code."""
    return words({f"{RUN_CODES[state]:.0f}": word for state, word in RUNS.items()})


def look_words() -> list[dashboard.ValueMapping]:
    """A bin's look, from its number."""
    return words({str(look): word for look, word in LOOKS.items()})


def steps(first: str, *more: tuple[float, str]) -> dashboard.ThresholdsConfig:
    """Colours that begin at their values; the first holds below all of them."""
    begins: Sequence[tuple[float | None, str]] = [(None, first), *more]
    return dashboard.ThresholdsConfig(
        mode=dashboard.ThresholdsMode.ABSOLUTE, steps=[dashboard.Threshold(value, color) for value, color in begins]
    )


LEVEL_STEPS: Final = ((county.LINE_PCT, WARNING), (FULL_PCT, BAD))
"""The county's line and the overflow, both from their rules."""
