"""A village's week: how often its bins were over two thirds, how long at most, and where it stands among the town's.

Pure counting over crossings that are handed in; who is told and when is ``lists``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Level

WEEK_MS: Final[Millis] = 7 * 86_400_000
_REPEATED: Final = 2


class Crossing(NamedTuple):
    """A time for which a bin was over two thirds; ``until_ms`` is ``None`` while it is."""

    asset: str
    since_ms: Millis
    until_ms: Millis | None


class Week(NamedTuple):
    """What became of a village's bins in it. ``worst`` is the bin that crossed most often, if it did more than once."""

    crossings: int
    longest_ms: Millis
    worst: str
    rank: int
    """1 is the best of the town's villages that have bins; equal ones share a rank."""
    villages: int


def weeks(inventory: Inventory, crossings: Iterable[Crossing], from_ms: Millis, to_ms: Millis) -> Mapping[str, Week]:
    """The week of every village that has bins, by its area."""
    times: dict[str, list[Crossing]] = {area: [] for area, bins in _bins(inventory).items() if bins}
    for each in crossings:
        asset = inventory.assets.get(each.asset)
        if asset is not None and asset.area in times and _lasted_ms(each, from_ms, to_ms) > 0:
            times[asset.area].append(each)
    over_ms = {area: sum(_lasted_ms(each, from_ms, to_ms) for each in found) for area, found in times.items()}
    made: dict[str, Week] = {}
    for area, found in times.items():
        rivals = [over_ms[other] for other in times if _town(inventory, other) == _town(inventory, area)]
        often = Counter(each.asset for each in found).most_common(1)
        made[area] = Week(
            len(found),
            max((_lasted_ms(each, from_ms, to_ms) for each in found), default=0),
            often[0][0] if often and often[0][1] >= _REPEATED else "",
            1 + sum(rival < over_ms[area] for rival in rivals),
            len(rivals),
        )
    return made


def _town(inventory: Inventory, area: str) -> str:
    return next((node.id for node in inventory.lineage(area) if node.level is Level.TOWN), "")


def _bins(inventory: Inventory) -> Mapping[str, int]:
    """How many bins each village has."""
    villages = (area.id for area in inventory.areas.values() if area.level is Level.VILLAGE)
    return {area: len(inventory.bins_in.get(area, ())) for area in villages}


def _lasted_ms(crossing: Crossing, from_ms: Millis, to_ms: Millis) -> Millis:
    until_ms = to_ms if crossing.until_ms is None else min(crossing.until_ms, to_ms)
    return max(0, until_ms - max(crossing.since_ms, from_ms))
