"""Which rules watch an asset, with which parameters: the shape of ``config/rules.yaml``.

Defaults stand in the rules themselves; a file changes them for all, for an area and below, or for one asset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerts.conditions.rule import Rule, RuleScope
from alerts.policy import PolicyFault, document, fault
from telemetry.inventory import Asset, Inventory

Parameters: TypeAlias = dict[str, dict[str, Any]]
"""The values that are said for each rule's parameters, by rule and parameter."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Parameters = Field(default_factory=dict)
    areas: dict[str, Parameters] = Field(default_factory=dict)
    assets: dict[str, Parameters] = Field(default_factory=dict)


@dataclass(frozen=True)
class RuleSet:
    """Every rule for every asset. ``version`` changes when any parameter does."""

    kinds: Mapping[str, type[Rule]]
    """Every rule there is, parents first."""
    common: Mapping[str, Rule]
    version: str
    _file: _File
    _inventory: Inventory

    def of(self, asset: Asset) -> Mapping[str, Rule]:
        """The rules of an asset: the county's, changed from the widest area to the nearest, then by its own."""
        return self.at(asset.area, asset.id)

    def at(self, area: str, asset: str = "") -> Mapping[str, Rule]:
        """The rules that count in an area, or for one asset in it."""
        said = self._file
        layers = [said.areas[above.id] for above in self._inventory.lineage(area) if above.id in said.areas][::-1]
        layers += [said.assets[asset]] if asset in said.assets else []
        if not layers:
            return self.common
        return {kind: _built(rule, (said.rules, *layers)) for kind, rule in self.kinds.items()}

    def contradiction(self) -> str:
        """Where parameters that were said at several places meet and contradict another; empty when they do nowhere."""
        said, assets = self._file, self._inventory.assets
        places = [("rules", self.common)]
        places += [(f"areas.{area}", self.at(area)) for area in said.areas]
        places += [(f"assets.{asset}", self.at(assets[asset].area, asset)) for asset in said.assets]
        found = ((f"{place}.{kind}", rule.contradiction()) for place, there in places for kind, rule in there.items())
        return next((f"{where}: {wrong}" for where, wrong in found if wrong), "")

    def place_of(self, asset: Asset, kind: str, parameter: str) -> str:
        """Where the value that counts for an asset is said: at its own id, the nearest area's, or nowhere."""
        said = self._file
        areas = ((area.id, said.areas.get(area.id, {})) for area in self._inventory.lineage(asset.area))
        layers = ((asset.id, said.assets.get(asset.id, {})), *areas)  # an asset may be called as its area is
        return next((place for place, layer in layers if parameter in layer.get(kind, {})), "")

    def over(self, name: str, areas: Mapping[str, Parameters], assets: Mapping[str, Parameters]) -> "RuleSet":
        """The same with these parameters over its own, place by place. Raises ``PolicyFault`` as ``load`` does."""
        said = self._file
        file = _File(
            rules=said.rules, areas=_over(said.areas, areas), assets=_over(said.assets, assets)
        )  # what the file says has been checked, and is checked again: a layer is valid as a whole or not at all
        return _made(file, name, self._inventory, self.kinds)


def load(text: str, name: str, inventory: Inventory, kinds: Mapping[str, type[Rule]]) -> RuleSet:
    """Reads a rules file about these kinds; an empty text gives the defaults.

    Raises ``PolicyFault`` naming the place and the remedy.
    """
    raw = document(text, name) if text.strip() else {}
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise fault(name, error) from error
    return _made(file, name, inventory, kinds)


def _made(file: _File, name: str, inventory: Inventory, kinds: Mapping[str, type[Rule]]) -> RuleSet:
    for place, layer in _layers(file):
        _check(name, place, layer, kinds)
    for area, layer in file.areas.items():
        if area not in inventory.areas:
            raise PolicyFault(f"{name}: areas.{area}: the inventory has no such area; use an area's id")
        _watches(name, f"areas.{area}", layer, None, kinds)
    for asset, layer in file.assets.items():
        if asset not in inventory.assets:
            raise PolicyFault(f"{name}: assets.{asset}: the inventory has no such asset; use an asset's id")
        _watches(name, f"assets.{asset}", layer, inventory.assets[asset], kinds)
    common = {kind: _built(rule, (file.rules,)) for kind, rule in kinds.items()}
    said = repr([rule.model_dump() for rule in common.values()]) + file.model_dump_json()
    made = RuleSet(kinds, common, sha256(said.encode()).hexdigest()[:16], file, inventory)
    wrong = made.contradiction()
    if wrong:
        raise PolicyFault(f"{name}: {wrong}")
    return made


def _watches(name: str, place: str, layer: Parameters, asset: Asset | None, kinds: Mapping[str, type[Rule]]) -> None:
    """A parameter that nothing would ever look at is a mistake, not a wish."""
    for kind in layer:
        rule = _built(kinds[kind], ())
        if rule.scope is RuleScope.RADIO_GATEWAY:
            raise PolicyFault(f"{name}: {place}.{kind}: it counts for the whole county; write it under rules")
        if asset is not None and not rule.applies(asset.kind):
            raise PolicyFault(f"{name}: {place}.{kind}: it watches no {asset.kind}; remove it")


def _over(below: Mapping[str, Parameters], above: Mapping[str, Parameters]) -> dict[str, Parameters]:
    merged = {place: {**layer} for place, layer in below.items()}
    for place, layer in above.items():
        for kind, values in layer.items():
            at = merged.setdefault(place, {})
            at[kind] = at.get(kind, {}) | values
    return merged


def _layers(file: _File) -> list[tuple[str, Parameters]]:
    return [
        ("rules", file.rules),
        *((f"areas.{area}", layer) for area, layer in file.areas.items()),
        *((f"assets.{asset}", layer) for asset, layer in file.assets.items()),
    ]


def _check(name: str, place: str, layer: Parameters, kinds: Mapping[str, type[Rule]]) -> None:
    for kind, values in layer.items():
        if kind not in kinds:
            raise PolicyFault(f"{name}: {place}.{kind}: no such rule; known are {', '.join(sorted(kinds))}")
        try:
            kinds[kind].model_validate(values)
        except ValidationError as error:
            raise fault(f"{name}: {place}.{kind}", error) from error


def _built(rule: type[Rule], layers: tuple[Parameters, ...]) -> Rule:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer.get(rule.model_fields["kind"].default, {})
    return rule.model_validate(merged)
