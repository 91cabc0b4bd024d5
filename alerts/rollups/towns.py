"""What an hour of a town comes to: of its sites that count for the score, how many were over the line on the mean."""

from collections.abc import Iterable, Mapping
from math import fsum

from alerts.notify.exposure import POINTS_A_SITE
from alerts.rollups.rows import BinRow, TownRow
from telemetry.inventory import Inventory
from telemetry.terms import Level


def sites(inventory: Inventory) -> Mapping[str, frozenset[str]]:
    """The bins that count for the score, by town; each is counted once, in the first of its areas."""
    found: dict[str, set[str]] = {}
    for asset in inventory.assets.values():
        if asset.bin is None or not asset.bin.counts_for_score:
            continue
        for area in inventory.lineage(asset.area):
            if area.level is Level.TOWN:
                found.setdefault(area.id, set()).add(asset.id)
    return {town: frozenset(assets) for town, assets in found.items()}


def fold(rows: Iterable[BinRow]) -> TownRow:
    """The row of an hour, from the rows of the town's sites in it; a site counts for the time in which it is known."""
    known = [row for row in rows if row.known_min]
    over = fsum(row.over_min / row.known_min for row in known)
    return TownRow(float(len(known)), over, POINTS_A_SITE * over)
