"""Who explains whom: an alert whose cause is told already is kept quiet. A table and one look-up, nothing else."""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.alert import Alert
from telemetry.inventory import Inventory

GATEWAY: Final = "gateway_offline"
OUTAGE: Final = "area_outage"

CONTINUES: Final = frozenset({"over_two_thirds"})
"""Told in its parent's words: when the parent was and clears, its chain goes on without a new first message."""


def parent_of(
    child: Alert, candidates: Iterable[Alert], inventory: Inventory, explains: Mapping[str, frozenset[str]]
) -> Alert | None:
    """The open alert that explains ``child``, if there is one; ``explains`` says which rules keep which quiet."""
    for parent in candidates:
        if child.rule in explains.get(parent.rule, ()) and not parent.closed_ms and _touches(parent, child, inventory):
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
