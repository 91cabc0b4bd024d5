"""地图: each town's outline and its assets as one drawing, made of the inventory alone, and what its script reads.

The drawings are for paper and for browsers without scripts; to the script no word is left. Only what the visitor may
see is in either, and the page may ask for nothing from elsewhere but the tiles that the operator has named.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import cos, radians
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from alerts.notify.texts import tenths
from gateway.desk import drawing
from gateway.desk.auth import Gate
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.projection import Projection
from gateway.desk.users import UserRole
from gateway.desk.view import HEADERS, html, lay_out, policy
from gateway.desk.words import word
from telemetry.terms import Level

WIDTH: Final = 600.0
MARGIN: Final = 40.0
TALLEST: Final = 1.1
"""Of its width: a town that lies north and south is drawn smaller, not longer."""
LABEL: Final = (84.0, 22.0)


class MapSheet:
    """Degrees to places on a sheet of paper, so that a kilometre is as long either way."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        lons, lats = [lon for lon, _ in points] or [0.0], [lat for _, lat in points] or [0.0]
        self._west, self._north = min(lons), max(lats)
        self._narrow = cos(radians((max(lats) + min(lats)) / 2))
        wide = max((max(lons) - min(lons)) * self._narrow, 1e-6)
        tall = max(max(lats) - min(lats), 1e-6)
        self._scale = min((WIDTH - 2 * MARGIN) / wide, (WIDTH * TALLEST - 2 * MARGIN) / tall)
        self.height = round(tall * self._scale + 2 * MARGIN, 1)
        self._left = (WIDTH - wide * self._scale) / 2

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a point of the earth is."""
        x = self._left + (lon - self._west) * self._narrow * self._scale
        return round(x, 1), round(MARGIN + (self._north - lat) * self._scale, 1)


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The map, its legend, and the map for its script."""
    router = APIRouter()

    @router.get("/map")
    def sheets(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        seen = _seen(visit)
        page = lay_out(
            visit,
            "map.html",
            "/map",
            tiles=desk.tiles,
            towns=list(_towns(visit, seen)),
            counts=_counts(seen),
            unplaced=sum(asset.location is None for asset in visit.scope.assets),
        )
        if desk.tiles is not None:
            page.headers.update(policy(desk.tiles.origin))
        return page

    @router.get("/map/legend")
    def legend(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        return html("legend.html", counts=_counts(_seen(visit)))

    @router.get("/map/sites")
    def sites(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        with visit.present.feed.present() as projection:
            found = list(_sites(visit, projection))
        found.sort(key=lambda site: site["above"])  # the worst is put down last
        return JSONResponse({"outlines": list(_outlines(visit)), "sites": found}, headers=HEADERS)

    return router


PAGE: Final = Page(path="/map", role=UserRole.VIEWER, menu=MenuPlace("地图", 20), routes=routes)


def _seen(visit: Visit) -> list[Any]:
    """Each site that has a place, with its look; the worst is drawn last and lies on top."""
    with visit.present.feed.present() as projection:
        seen = [
            (asset, drawing.look(projection, asset), projection.assets[asset.id])
            for asset in visit.scope.assets
            if asset.location is not None
        ]
    return sorted(seen, key=lambda dot: -drawing.rank(dot[1]))


def _counts(seen: list[Any]) -> dict[str, int]:
    """How many look so, the worst look first."""
    found = Counter(look for _, look, _ in seen)
    return dict(sorted(found.items(), key=lambda item: drawing.rank(item[0])))


def _towns(visit: Visit, seen: list[Any]) -> Iterable[dict[str, Any]]:
    """A drawing for each town that is seen, with its villages and all that stands in it."""
    inventory = visit.present.inventory
    inside: dict[str, list[dict[str, Any]]] = {}
    for shape in visit.present.shapes:
        town = inventory.town_of(shape["id"])
        if visit.scope.sees_area(shape["id"]):
            inside.setdefault(town, []).append(shape)
    for town, shapes in inside.items():
        drawn = MapSheet([(lon, lat) for shape in shapes for lon, lat in shape["geometry"]["coordinates"][0]])
        here = {shape["id"] for shape in shapes}
        villages = [_shape(drawn, shape) for shape in shapes if shape["properties"]["level"] != Level.TOWN]
        yield {
            "name": inventory.areas[town].name if town else inventory.county.name,
            "height": drawn.height,
            "outline": [_shape(drawn, shape) for shape in shapes if shape["properties"]["level"] == Level.TOWN],
            "villages": _kept_apart(villages),
            "dots": [
                (asset, look, drawing.shape(look, asset), each, *drawn.place(asset.location.lon, asset.location.lat))
                for asset, look, each in seen
                if asset.area in here
            ],
        }


def _shape(drawn: MapSheet, shape: dict[str, Any]) -> dict[str, Any]:
    ring = [drawn.place(lon, lat) for lon, lat in shape["geometry"]["coordinates"][0]]
    xs = [x for x, _ in ring]
    return {
        "name": shape["properties"]["name"],
        "points": " ".join(f"{x},{y}" for x, y in ring),
        "x": round((min(xs) + max(xs)) / 2, 1),
        "y": min(y for _, y in ring) - 6,
    }


def _kept_apart(villages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The names of villages that overlap stand one below the other."""
    wide, high = LABEL
    placed: list[dict[str, Any]] = []
    for village in sorted(villages, key=lambda each: (each["y"], each["x"])):
        while any(abs(village["x"] - other["x"]) < wide and abs(village["y"] - other["y"]) < high for other in placed):
            village["y"] += high
        placed.append(village)
    return placed


def _outlines(visit: Visit) -> Iterator[dict[str, Any]]:
    """Towns before villages, which lie on them; latitude first, as on a map."""
    for shape in visit.present.shapes:
        if visit.scope.sees_area(shape["id"]):
            yield {
                "name": shape["properties"]["name"],
                "level": shape["properties"]["level"],
                "ring": [(lat, lon) for lon, lat in shape["geometry"]["coordinates"][0]],
            }


def _sites(visit: Visit, projection: Projection) -> Iterator[dict[str, Any]]:
    for asset in visit.scope.assets:
        if asset.location is None:
            continue
        look = drawing.look(projection, asset)
        level = None if asset.bin is None else projection.assets[asset.id].level_pct  # unknown is not empty (law L5)
        said = f"{asset.short} {word('looks', look)}"
        yield {
            "id": asset.id,
            "place": (asset.location.lat, asset.location.lon),
            "look": look,
            "shape": drawing.shape(look, asset),
            "level": level,
            "said": said if level is None else f"{said} {tenths(level)}",
            "above": -drawing.rank(look),
        }
