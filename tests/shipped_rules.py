"""``python -m tests.shipped_rules``: ``config/rules.yaml`` made anew, each rule with what it says of itself.

The values are the rules' own defaults; nothing is set here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alerts.conditions.rule import Rule
from alerts.rules import rules

FILE: Final = Path(__file__).parents[1] / "config" / "rules.yaml"
_HEAD: Final = """\
# When an alert is raised and cleared. These are the built-in figures; name this file as [alerts] rules to change them.
# An area's figures count for everything in and below it, an asset's own win over them; what a dispatcher sets with
# `cunjing figure` lies over this file, place by place. Times are in seconds (_s) or hours (_h). "on" is what raises,
# "off" what clears: so many samples in a row, for so long.
rules:
"""
_TAIL: Final = """\
# Every rule takes these besides (T15): so many raises within one of three windows, or six relapses in one episode, and
# its data flap. It is then not over before its off-delay, at least calm_h, has passed doubled (once more each time, to
# a day). After left_h without a move (the slow window, if it flapped in that) it flaps no more:
#   flapping_raises: 3, flapping_within_h: 1, flapping_more_raises: 4, flapping_more_within_h: 6,
#   flapping_slow_raises: 6, flapping_slow_within_h: 48, flapping_left_h: 6,
#   flapping_relapses: 6, flapping_calm_h: 0.5, flapping_calm_most_h: 24
areas: {}       # for example {liutan: {over_two_thirds: {raise_pct: 60}}}
assets: {}
"""


def made() -> str:
    """The whole file."""
    return _HEAD + "".join("\n".join((*_lines(rule), "")) for rule in rules().values()) + _TAIL


def _lines(rule: type[Rule]) -> Iterator[str]:
    """A rule with its parameters: severity, its own, then those that every rule has and it has otherwise."""
    common, own = Rule.model_fields, rule.model_fields
    parameters = {name: field for name, field in own.items() if name not in common} | {
        name: field for name, field in own.items() if name in common and field.default != common[name].default
    }
    parameters = {"severity": parameters.pop("severity")} | parameters
    del parameters["kind"]
    says = (rule.__doc__ or "").splitlines()[0].replace("``", "")
    yield f"  # {says}{' It stays open until somebody resets it.' if rule.latching else ''}"
    yield f"  {own['kind'].default}:"
    for name, field in parameters.items():
        said = list(field.default) if isinstance(field.default, tuple) else field.default
        yield f"    {name}: {said}" + (f"  # {field.description}" if field.description else "")


if __name__ == "__main__":
    FILE.write_text(made(), "utf-8")
