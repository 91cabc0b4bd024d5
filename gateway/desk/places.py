"""Where something is, as people say it: the sites and areas that somebody may see, found by a few words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.desk.scope import Scope
from telemetry.terms import Level

MOST = 12


@dataclass(frozen=True, slots=True)
class Spot:
    """An asset or an area under the words by which it is chosen."""

    label: str
    asset: str = ""
    area: str = ""
    also: str = ""
    """Other words that people may use for it."""

    @property
    def id(self) -> str:
        """What a form says for it."""
        return f"asset:{self.asset}" if self.asset else f"area:{self.area}"


def found(scope: Scope, words: str, most: int = MOST) -> list[Spot]:
    """What these words may mean, what they begin before what they are a part of."""
    parts = words.lower().split()
    if not parts:
        return []
    hits = [spot for spot in _spots(scope) if all(part in f"{spot.label} {spot.also}".lower() for part in parts)]
    hits.sort(key=lambda spot: (spot.label != words.strip(), not spot.also.lower().startswith(parts[0])))
    return hits[:most]


def meant(scope: Scope, words: str) -> Spot | None:
    """The one that is meant beyond doubt: the only one, or the only one that is called just so."""
    hits = found(scope, words, 2)
    just_so = [spot for spot in found(scope, words) if words.strip() in (spot.label, *spot.also.split())]
    if len(just_so) == 1:
        return just_so[0]
    return hits[0] if len(hits) == 1 else None


def by_id(scope: Scope, name: str) -> Spot | None:
    """The one that a form named."""
    return next((spot for spot in _spots(scope) if spot.id == name), None)


def _spots(scope: Scope) -> Iterator[Spot]:
    for asset in scope.assets:
        town = scope.town_of(asset.area)
        where = f"（{asset.landmark}）" if asset.landmark else ""
        yield Spot(f"{town} {asset.name}{where}".strip(), asset=asset.id, also=f"{asset.short} {asset.name} {asset.id}")
    for area in scope.inventory.areas.values():
        if scope.sees_area(area.id):
            town = "" if area.level is Level.TOWN else scope.town_of(area.id)
            yield Spot(f"{town} {area.name}".strip(), area=area.id, also=f"{area.name} {area.id}")
