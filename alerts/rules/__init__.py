"""What may be wrong with an asset; one file a rule, each exports ``RULE``. Found by walking this folder."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from alerts.conditions.rule import PlantRule, Rule, SilenceRule
from alerts.model import URGENT
from alerts.topology import OUTAGE
from telemetry.terms import AssetKind

ORDER: Final = ("fire", "overflow", "hot_ash", "over_two_thirds", "no_power", "level_high", "stopped", "offline")
"""Parents before children, so that who inhibits whom is known when the child is judged; other rules follow by name."""


@cache
def rules() -> Mapping[str, type[Rule]]:
    """Every rule class by its kind, parents first."""
    found = {name: import_module(f"{__name__}.{name}").RULE for _, name, _ in iter_modules(__path__)}
    rank = {kind: place for place, kind in enumerate(ORDER)}
    order = sorted(found, key=lambda kind: (rank.get(kind, len(ORDER)), kind))
    return MappingProxyType({kind: found[kind] for kind in order})


@cache
def explains() -> Mapping[str, frozenset[str]]:
    """A cause and the rules that it keeps quiet; an outage explains those within it as well.

    What no rule names as its cause keeps nothing quiet; fire, level_high and overflow name none.
    """
    causes = {cause for rule in rules().values() for cause in rule.explained_by}
    found = {cause: {kind for kind, rule in rules().items() if cause in rule.explained_by} for cause in causes}
    found[OUTAGE].add(OUTAGE)
    return MappingProxyType({cause: frozenset(kinds) for cause, kinds in found.items()})


def burns_over(rule: str, ended: str) -> bool:
    """Whether what ``ended`` is not over for anybody while ``rule`` stands: hot ash is not out in a bin that burns."""
    return rule == "fire" and ended in explains()[rule]


@cache
def is_quiet_at_work(kind: AssetKind, rule: str) -> bool:
    """Whether declared work at such an asset keeps an alert of the rule quiet."""
    found = rules().get(rule)
    return kind is AssetKind.BIN if found is None else kind in found.quiet_at_work


@cache
def doubted() -> frozenset[str]:
    """Rules about an instrument, not about what it looks at."""
    return frozenset({OUTAGE, *(kind for kind, rule in rules().items() if rule.of_instrument)})


@cache
def _about_plants() -> Mapping[str, type[PlantRule]]:
    """Rules about what a plant does, and not about an instrument there."""
    own = {kind: rule for kind, rule in rules().items() if issubclass(rule, PlantRule) and not rule.of_instrument}
    return MappingProxyType(own)


@cache
def of_plants() -> frozenset[str]:
    """Rules about a plant itself, its silence among them: nobody knows then whether it runs."""
    silence = (kind for kind, rule in rules().items() if issubclass(rule, SilenceRule))
    return frozenset({*_about_plants(), *silence})


def symptom(rule: str) -> str:
    """What is wrong with a plant of which such an alert stands, in a word; empty for what is not wrong with a plant."""
    found = _about_plants().get(rule)
    return "" if found is None else found.symptom or found.called


@cache
def plant_troubles() -> tuple[str, ...]:
    """What somebody has to go to a plant for, the worst first: what runs over the edge is seen by everybody."""
    own = _about_plants()
    urgent = (kind for kind, rule in own.items() if rule.model_fields["severity"].default in URGENT)
    return tuple(sorted(urgent, key=lambda kind: (own[kind].rank, kind)))
