"""What may be wrong with an asset; one file a rule, each exports ``RULE``. Found by walking this folder."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from alerts.conditions.rule import Rule

ORDER: Final = ("fire", "overflow", "hot_ash", "over_two_thirds", "no_power", "level_high", "stopped", "offline")
"""Parents before children, so that who inhibits whom is known when the child is judged; other rules follow by name."""


def rules() -> dict[str, type[Rule]]:
    """Every rule class by its kind, parents first."""
    found = {name: import_module(f"{__name__}.{name}").RULE for _, name, _ in iter_modules(__path__)}
    rank = {kind: place for place, kind in enumerate(ORDER)}
    return {kind: found[kind] for kind in sorted(found, key=lambda kind: (rank.get(kind, len(ORDER)), kind))}
