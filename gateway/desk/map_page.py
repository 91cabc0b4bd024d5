"""地图: the county's outline and its assets as one drawing, made of the inventory alone; no tiles from anywhere."""

from math import cos, radians
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from gateway.desk import looks
from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.visiting import Gate
from telemetry.inventory import Location

WIDTH: Final = 1000.0
MARGIN: Final = 36.0


class Sheet:
    """Degrees to places on a sheet of paper, so that a kilometre is as long either way."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        lons, lats = [lon for lon, _ in points] or [0.0], [lat for _, lat in points] or [0.0]
        self._west, self._north = min(lons), max(lats)
        self._narrow = cos(radians((max(lats) + min(lats)) / 2))
        wide = (max(lons) - min(lons)) * self._narrow
        tall = max(lats) - min(lats)
        self._scale = (WIDTH - 2 * MARGIN) / max(wide, tall * 0.6, 1e-6)
        self.height = round(tall * self._scale + 2 * MARGIN, 1)
        self._left = (WIDTH - wide * self._scale) / 2

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a point of the earth is."""
        x = self._left + (lon - self._west) * self._narrow * self._scale
        return round(x, 1), round(MARGIN + (self._north - lat) * self._scale, 1)


def routes(_desk: Desk, gate: Gate) -> APIRouter:
    """The map."""
    router = APIRouter()

    @router.get("/map")
    def sheet(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        shapes = [feature for feature in visit.present.shapes if visit.scope.sees_area(feature["id"])]
        corners = [(lon, lat) for shape in shapes for lon, lat in shape["geometry"]["coordinates"][0]]
        drawn = Sheet(corners)
        with visit.present.feed.present() as projection:
            dots = [
                (asset, looks.look(projection, asset), projection.assets[asset.id], *_at(drawn, asset.location))
                for asset in visit.scope.assets
                if asset.location is not None
            ]
        dots.sort(key=lambda dot: -looks.rank(dot[1]))  # the worst is drawn last and lies on top
        counts: dict[str, int] = {}
        for dot in dots:
            counts[dot[1]] = counts.get(dot[1], 0) + 1
        return leaf(
            visit,
            "map.html",
            "map",
            shapes=[_shape(drawn, shape) for shape in shapes],
            dots=dots,
            counts=dict(sorted(counts.items(), key=lambda item: looks.rank(item[0]))),
            height=drawn.height,
            unplaced=sum(asset.location is None for asset in visit.scope.assets),
        )

    return router


def _at(drawn: Sheet, place: Location) -> tuple[float, float]:
    return drawn.place(place.lon, place.lat)


def _shape(drawn: Sheet, shape: dict[str, Any]) -> dict[str, Any]:
    ring = [drawn.place(lon, lat) for lon, lat in shape["geometry"]["coordinates"][0]]
    xs = [x for x, _ in ring]
    return {
        "name": shape["properties"]["name"],
        "level": shape["properties"]["level"],
        "points": " ".join(f"{x},{y}" for x, y in ring),
        "x": round((min(xs) + max(xs)) / 2, 1),
        "top": min(y for _, y in ring),
    }
