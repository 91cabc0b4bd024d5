"""The county's outline for the map, made of nothing but where its assets stand: no map of anybody else's. Pure.

Each village and town is the smallest convex shape around its assets with a margin. It shows who belongs together, not
where a border runs.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import cos, pi, radians, sin
from typing import Any, Final

from telemetry.inventory import Inventory, Location
from telemetry.terms import Level

MARGIN_M: Final = 250.0
CORNERS: Final = 12
"""So many points stand around each asset, at the margin from it."""
METRES_A_DEGREE: Final = 111_320.0
DECIMALS: Final = 5
"""About a metre."""

Point = tuple[float, float]
"""Longitude and latitude, in GeoJSON's order."""


def outline(inventory: Inventory) -> dict[str, Any]:
    """GeoJSON with a polygon for each town and village that has an asset with a place; towns first, they lie below."""
    places = _places(inventory)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": area.id,
                "properties": {"name": area.name, "level": str(level)},
                "geometry": {"type": "Polygon", "coordinates": [_ring(places[area.id])]},
            }
            for level in (Level.TOWN, Level.VILLAGE)
            for area in inventory.areas.values()
            if area.level is level and area.id in places
        ],
    }


def hull(points: Iterable[Point]) -> list[Point]:
    """The corners of the smallest convex shape around the points, against the clock; fewer than three as they are."""
    ordered = sorted(set(points))
    if len(ordered) <= 2:  # noqa: PLR2004 -- a shape has three corners
        return ordered
    return _chain(ordered)[:-1] + _chain(reversed(ordered))[:-1]


def _chain(ordered: Iterable[Point]) -> list[Point]:
    found: list[Point] = []
    for point in ordered:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
            found.pop()
        found.append(point)
    return found


def _turn(before: Point, at: Point, after: Point) -> float:
    """Above 0 where the way turns left."""
    return (at[0] - before[0]) * (after[1] - before[1]) - (at[1] - before[1]) * (after[0] - before[0])


def _places(inventory: Inventory) -> dict[str, list[Location]]:
    """Where the assets of each area and of all below it stand; one on a border stands in both."""
    found: dict[str, list[Location]] = {}
    for asset in inventory.assets.values():
        if asset.location is not None:
            areas = {node.id for own in asset.areas for node in inventory.lineage(own)}
            for area in areas:
                found.setdefault(area, []).append(asset.location)
    return found


def _ring(places: Iterable[Location]) -> list[list[float]]:
    outermost = hull((place.lon, place.lat) for place in places)  # what stands inside adds no corner
    corners = hull(point for place in outermost for point in _around(*place))
    ring = [[round(lon, DECIMALS), round(lat, DECIMALS)] for lon, lat in corners]
    closed = [*ring, ring[0]]
    return [closed[0], *(here for before, here in pairwise(closed) if here != before)]


def _around(lon: float, lat: float) -> Iterator[Point]:
    tall = MARGIN_M / METRES_A_DEGREE
    wide = tall / cos(radians(lat))
    for corner in range(CORNERS):
        angle = 2 * pi * corner / CORNERS
        yield lon + wide * cos(angle), lat + tall * sin(angle)
