"""What the script of the map reads: outlines and sites as they look now, each with the words that are shown of it.

Only what the visitor may see is in it. No drawing is made here, and no word is left to the script.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from alerts.notify.texts import tenths
from gateway.desk import looks
from gateway.desk.present import Desk, Visit
from gateway.desk.projection import Projection
from gateway.desk.rendering import HEADERS
from gateway.desk.visiting import Gate
from gateway.desk.words import word


def routes(_desk: Desk, gate: Gate) -> APIRouter:
    """The map for its script."""
    router = APIRouter()

    @router.get("/map/sites")
    def sites(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        with visit.present.feed.present() as projection:
            found = list(_sites(visit, projection))
        found.sort(key=lambda site: site["above"])  # the worst is put down last
        return JSONResponse({"outlines": list(_outlines(visit)), "sites": found}, headers=HEADERS)

    return router


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
        look = looks.look(projection, asset)
        level = None if asset.bin is None else projection.assets[asset.id].level_pct  # unknown is not empty (law L5)
        said = f"{asset.short} {word('looks', look)}"
        yield {
            "id": asset.id,
            "place": (asset.location.lat, asset.location.lon),
            "look": look,
            "shape": looks.shape(look, asset),
            "level": level,
            "said": said if level is None else f"{said} {tenths(level)}",
            "above": -looks.rank(look),
        }
