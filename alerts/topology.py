"""Who explains whom: an alert whose cause is told already is kept quiet. A table and one look-up, nothing else."""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.alert import Alert
from telemetry.inventory import Inventory

GATEWAY: Final = "gateway_offline"
OUTAGE: Final = "area_outage"

EXPLAINS: Final[Mapping[str, frozenset[str]]] = {
    OUTAGE: frozenset({OUTAGE, GATEWAY, "offline"}),
    GATEWAY: frozenset({"offline", "stopped", "no_power", "not_restarted", "low_flow", "dry_run", "meter_fault"}),
    "no_power": frozenset({"stopped", "low_flow", "dry_run", "meter_fault", "offline"}),
    "overflow": frozenset({"over_two_thirds", "not_collected"}),
    "fire": frozenset({"hot_ash"}),
}
"""A parent and the rules it keeps quiet; fire, level_high and overflow are in no set: nothing keeps them quiet.

An outage says nothing of what a plant's own sensors said before they fell silent, and power cuts have a better word.
"""

CONTINUES: Final = frozenset({"over_two_thirds"})
"""Told in its parent's words: when the parent was and clears, its chain goes on without a new first message."""


def burns_over(rule: str, ended: str) -> bool:
    """Whether what ``ended`` is not over for anybody while ``rule`` stands: hot ash is not out in a bin that burns."""
    return rule == "fire" and ended in EXPLAINS[rule]


def parent_of(child: Alert, candidates: Iterable[Alert], inventory: Inventory) -> Alert | None:
    """The open alert that explains ``child``, if there is one."""
    for parent in candidates:
        if child.rule in EXPLAINS.get(parent.rule, ()) and not parent.closed_ms and _touches(parent, child, inventory):
            return parent
    return None


def areas_of(alert: Alert, inventory: Inventory) -> tuple[str, ...]:
    """Where an episode is: the areas of its asset or radio gateway, or the area itself; none for the county's."""
    asset, gateway = inventory.assets.get(alert.asset), inventory.radio_gateways.get(alert.asset)
    if asset is not None:
        return asset.areas
    if gateway is not None:
        return (gateway.area,)
    return (alert.asset,) if alert.asset in inventory.areas else ()


def _touches(parent: Alert, child: Alert, inventory: Inventory) -> bool:
    if parent.rule == OUTAGE:
        around = (node.id for area in areas_of(child, inventory) for node in inventory.lineage(area))
        return parent.asset != child.asset and parent.asset in around
    if parent.rule == GATEWAY:
        device = inventory.devices.get(child.device)
        return device is not None and device.radio_gateway == parent.asset
    return parent.asset == child.asset
