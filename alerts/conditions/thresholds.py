"""Parameters of rules that somebody changes while the gateway runs: for an area and all below it, or for one asset.

They lie over those of the rules file, place by place, and are kept over restarts. Who may change one and what is
written about it is whoever obeys; what a parameter means is its rule's.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from msgspec import Struct, field

from alerts.calendars import Calendar
from alerts.conditions.rule_set import Parameters, RuleSet
from alerts.conditions.state import Plan
from alerts.policy import PolicyFault
from alerts.undo import Undoable, UndoLog
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis

if TYPE_CHECKING:
    from alerts.conditions.rule import Rule

Value: TypeAlias = float | str | list[float]

MOST: Final = 500
"""So many parameters may differ at a time; whoever needs more wants another rules file."""
_NAME: Final = "figure"
"""How what people set is called where it does not fit: by the command's name."""


class ThresholdScope(StrEnum):
    """Whose figure it is."""  # as it stands in the API's document

    AREA = "area"
    ASSET = "asset"


class ThresholdKey(Struct, frozen=True):
    """One parameter of a rule at one place: what a threshold is known by."""

    place: ThresholdScope
    name: str
    rule: str
    parameter: str = field(name="figure")
    """Journals keep it under the operator's word."""


class Tuned(Struct, frozen=True, kw_only=True):
    """What a parameter was set to, by whom and why; without a value it is again what the file says."""

    at: ThresholdKey
    value: Value | None
    by: str
    reason: str
    since_ms: Millis


class Weighed(NamedTuple):
    """What a change would come to; nothing of it holds before ``Thresholds.accept``."""

    rules: RuleSet
    kept: Mapping[ThresholdKey, Tuned]
    plans: Mapping[str, Plan]
    """Of the assets that it concerns, and no others."""
    was: Any
    now: Any


class ThresholdInForce(NamedTuple):
    """A parameter as it counts for an asset: its value, where that is said (empty for all the county), who set it."""

    value: Any
    place: str
    tuned: Tuned | None


class Thresholds(Undoable):
    """The rule set of one county as it counts now: the file's, and over it what people have set."""

    def __init__(self, filed: RuleSet, inventory: Inventory, calendar: Calendar, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self.rules = filed
        self._filed = filed
        self._inventory = inventory
        self._calendar = calendar
        self._kept: Mapping[ThresholdKey, Tuned] = {}
        self.unfit: tuple[Tuned, ...] = ()
        """What was set once and fits the inventory or the rules no more; it does not count, and is kept."""

    def anew(self) -> "Thresholds":
        """The same file with nothing set over it."""
        return Thresholds(self._filed, self._inventory, self._calendar)

    def restore(self, kept: Iterable[Tuned]) -> None:
        """Takes over what was set before."""
        self._kept = {tuned.at: tuned for tuned in kept}
        rules, fitting, unfit = self._filed, dict[ThresholdKey, Tuned](), list[Tuned]()
        for at, tuned in self._kept.items():
            try:
                rules = self._over({**fitting, at: tuned})
            except PolicyFault:
                unfit.append(tuned)
            else:
                fitting[at] = tuned
        self.rules, self.unfit = rules, tuple(unfit)

    def list_tuned(self) -> list[Tuned]:
        """To be restored from."""
        return list(self._kept.values())

    def plan(self, asset: Asset) -> Plan:
        """What watches an asset now."""
        return self._plan(asset, self.rules)

    def standing(self, asset: Asset, rule: str, parameter: str) -> ThresholdInForce | None:
        """A parameter of a rule that watches the asset; ``None`` where none does or it has no such parameter."""
        watching = self.rules.of(asset).get(rule)
        if watching is None or not watching.applies(asset.kind) or parameter not in type(watching).model_fields:
            return None
        at = self.rules.place_of(asset, rule, parameter)
        place = ThresholdScope.ASSET if at == asset.id else ThresholdScope.AREA
        return ThresholdInForce(
            getattr(watching, parameter), at, self._kept.get(ThresholdKey(place, at, rule, parameter))
        )

    def weigh(self, wish: Tuned, plans: Mapping[str, Plan]) -> Weighed | str:
        """What a change comes to beside the present ``plans``; a sentence for a person when it cannot be."""
        at = wish.at
        kept = {key: tuned for key, tuned in self._kept.items() if key != at}
        if wish.value is not None:
            kept[at] = wish
        if len(kept) > max(MOST, len(self._kept)):
            return f"{MOST} figures differ already: put some into the rules file, and set them back here"
        unfit = {tuned.at for tuned in self.unfit} - {at}
        try:
            rules = self._over({key: tuned for key, tuned in kept.items() if key not in unfit})
        except PolicyFault as fault:
            return str(fault)
        was, now = (self._value_of(each, at) for each in (self.rules, rules))
        if now is None:
            return (
                f"{at.rule} has no figure {at.parameter}, or there is no {at.place} {at.name}; look into the rules file"
            )
        changed = ((asset.id, self._plan(asset, rules)) for asset in self._concerned(at))
        plans = {asset: plan for asset, plan in changed if plan.layout != plans[asset].layout}
        return Weighed(rules, kept, plans, was, now)

    def accept(self, weighed: Weighed) -> None:
        """It counts from now on."""
        self.rules, self._kept = weighed.rules, weighed.kept
        self.unfit = tuple(tuned for tuned in self.unfit if self._kept.get(tuned.at) == tuned)

    def area_of(self, at: ThresholdKey) -> str:
        """The area in which a parameter counts; empty where there is no such place."""
        if at.place is ThresholdScope.AREA:
            return at.name if at.name in self._inventory.areas else ""
        asset = self._inventory.assets.get(at.name)
        return "" if asset is None else asset.area

    def _over(self, kept: Mapping[ThresholdKey, Tuned]) -> RuleSet:
        layers: dict[ThresholdScope, dict[str, Parameters]] = {ThresholdScope.AREA: {}, ThresholdScope.ASSET: {}}
        for at, tuned in kept.items():
            layers[at.place].setdefault(at.name, {}).setdefault(at.rule, {})[at.parameter] = tuned.value
        return (
            self._filed.over(_NAME, layers[ThresholdScope.AREA], layers[ThresholdScope.ASSET]) if kept else self._filed
        )

    def _value_of(self, rules: RuleSet, at: ThresholdKey) -> Any:  # noqa: ANN401 -- a value is what its rule says it is
        area = self.area_of(at)
        rule: Rule | None = (
            rules.at(area, at.name if at.place is ThresholdScope.ASSET else "").get(at.rule) if area else None
        )
        parameters = {} if rule is None else rule.model_dump(mode="json", exclude={"kind"})
        return parameters.get(at.parameter)

    def _concerned(self, at: ThresholdKey) -> Iterable[Asset]:
        for asset in self._inventory.assets.values():
            if at.place is ThresholdScope.ASSET:
                if asset.id == at.name:
                    yield asset
            elif at.name in (area.id for area in self._inventory.lineage(asset.area)):
                yield asset

    def _plan(self, asset: Asset, rules: RuleSet) -> Plan:
        return Plan.of(asset, self._inventory.devices_of.get(asset.id, ()), rules.of(asset), self._calendar)
