"""How an asset looks at a glance: one name for sign, word and colour, worst first. Pure.

Silence is shown before all else, since nothing else is known then; and a level is never taken for empty (law L5).
"""

from gateway.desk.projection import Projection
from telemetry.inventory import Asset

BIN_LOOKS = ("fire", "hot", "full", "over")
_BY_RULE = {"fire": "fire", "hot_ash": "hot", "overflow": "full", "over_two_thirds": "over"}
_SHAPES = {"over": "triangle", "full": "square", "fire": "diamond", "hot": "diamond", "silent": "question"}
_WORST_FIRST = ("fire", "hot", "full", "stopped", "no_power", "over", "meter_fault", "silent", "maintenance")


def look(projection: Projection, asset: Asset) -> str:
    """The name of its look, as the catalogue has it under ``looks``."""
    rules = {alert.rule for alert in projection.of_asset.get(asset.id, {}).values()}
    if "fire" in rules:
        return "fire"
    if "offline" in rules:
        return "silent"
    seen = projection.assets[asset.id]
    if asset.plant is not None:
        return "silent" if seen.run == "offline" else "unheard" if seen.run == "unknown" else seen.run
    found = {_BY_RULE[rule] for rule in rules if rule in _BY_RULE}
    worst = next((name for name in BIN_LOOKS if name in found), None)
    return worst or ("fine" if seen.level_pct is not None else "unheard")


def shape(name: str, asset: Asset) -> str:
    """What a look is drawn as on a map, for those who do not see its colour; a plant is always a square with waves."""
    return "waves" if asset.plant is not None else "point" if name == "unheard" else _SHAPES.get(name, "round")


def rank(name: str) -> int:
    """Where a look stands among all of them, the worst first."""
    return _WORST_FIRST.index(name) if name in _WORST_FIRST else len(_WORST_FIRST)
