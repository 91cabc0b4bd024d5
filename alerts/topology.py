"""Who explains whom: an alert whose cause is told already is kept quiet. A table and one look-up, nothing else."""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.alert import Alert
from telemetry.inventory import Device

GATEWAY: Final = "gateway_offline"

EXPLAINS: Final[Mapping[str, frozenset[str]]] = {
    GATEWAY: frozenset({"offline", "stopped", "no_power", "not_restarted", "low_flow", "dry_run", "meter_fault"}),
    "no_power": frozenset({"stopped", "low_flow", "dry_run", "meter_fault", "offline"}),
    "overflow": frozenset({"over_two_thirds", "not_collected"}),
    "fire": frozenset({"hot_ash"}),
}
"""A parent and the rules it keeps quiet; fire, level_high and overflow are in no set: nothing keeps them quiet."""

CONTINUES: Final = frozenset({"over_two_thirds"})
"""Told in its parent's words already: when the parent clears, its chain goes on without a new first message."""


def parent_of(child: Alert, candidates: Iterable[Alert], devices: Mapping[str, Device]) -> Alert | None:
    """The open alert that explains ``child``, if there is one."""
    for parent in candidates:
        if child.rule in EXPLAINS.get(parent.rule, ()) and not parent.closed_ms and _touches(parent, child, devices):
            return parent
    return None


def _touches(parent: Alert, child: Alert, devices: Mapping[str, Device]) -> bool:
    if parent.rule == GATEWAY:
        device = devices.get(child.device)
        return device is not None and device.radio_gateway == parent.asset
    return parent.asset == child.asset
