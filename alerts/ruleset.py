"""Which rules watch an asset, with which figures: the shape of ``config/rules.yaml``.

Defaults stand in the rules themselves; a file changes them for all, for an area and below, or for one asset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerts.policy import PolicyFault, document, fault
from alerts.rule import Rule
from alerts.rules import rules
from telemetry.inventory import Asset, Inventory

Figures: TypeAlias = dict[str, dict[str, Any]]
"""Figures by rule."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Figures = Field(default_factory=dict)
    areas: dict[str, Figures] = Field(default_factory=dict)
    assets: dict[str, Figures] = Field(default_factory=dict)


KINDS: Final[Mapping[str, type[Rule]]] = rules()


@dataclass(frozen=True)
class RuleSet:
    """Every rule for every asset. ``version`` changes when any figure does."""

    common: Mapping[str, Rule]
    version: str
    _areas: Mapping[str, Figures]
    _assets: Mapping[str, Figures]
    _inventory: Inventory
    _all: Figures

    def of(self, asset: Asset) -> Mapping[str, Rule]:
        """The rules of an asset: the county's, changed from the widest area to the nearest, then by its own."""
        layers = [self._areas[area.id] for area in self._inventory.lineage(asset.area) if area.id in self._areas][::-1]
        layers += [self._assets[asset.id]] if asset.id in self._assets else []
        if not layers:
            return self.common
        return {kind: _built(kind, (self._all, *layers)) for kind in KINDS}


def load(text: str, name: str, inventory: Inventory) -> RuleSet:
    """Reads a rules file; an empty text gives the defaults. Raises ``PolicyFault`` naming the place and the remedy."""
    raw = document(text, name) if text.strip() else {}
    try:
        figures = _File.model_validate(raw)
        for place, layer in _layers(figures):
            _check(name, place, layer)
    except ValidationError as error:
        raise fault(name, error) from error
    for area in figures.areas:
        if area not in inventory.areas:
            raise PolicyFault(f"{name}: areas.{area}: the inventory has no such area; use an area's id")
    for asset in figures.assets:
        if asset not in inventory.assets:
            raise PolicyFault(f"{name}: assets.{asset}: the inventory has no such asset; use an asset's id")
    common = {kind: _built(kind, (figures.rules,)) for kind in KINDS}
    said = repr([rule.model_dump() for rule in common.values()]) + figures.model_dump_json()
    return RuleSet(
        common, sha256(said.encode()).hexdigest()[:16], figures.areas, figures.assets, inventory, figures.rules
    )


def _layers(figures: _File) -> list[tuple[str, Figures]]:
    return [
        ("rules", figures.rules),
        *((f"areas.{area}", layer) for area, layer in figures.areas.items()),
        *((f"assets.{asset}", layer) for asset, layer in figures.assets.items()),
    ]


def _check(name: str, place: str, layer: Figures) -> None:
    for kind, values in layer.items():
        if kind not in KINDS:
            raise PolicyFault(f"{name}: {place}.{kind}: no such rule; known are {', '.join(sorted(KINDS))}")
        try:
            KINDS[kind].model_validate(values)
        except ValidationError as error:
            raise fault(f"{name}: {place}.{kind}", error) from error


def _built(kind: str, layers: tuple[Figures, ...]) -> Rule:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer.get(kind, {})
    return KINDS[kind].model_validate(merged)
