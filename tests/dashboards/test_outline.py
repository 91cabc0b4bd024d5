"""The map's outlines: convex, around every asset with a margin, and made of nothing but the inventory."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards.outline import MARGIN_M, METRES_A_DEGREE, Point, hull, outline
from gateway import imports
from telemetry.inventory import Location

INVENTORY = imports.checked(Path(__file__).parents[2] / "config" / "inventory.example.yaml")
POINTS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=40)


def left_of(start: Point, end: Point, point: Point) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


@given(POINTS)
def test_a_hull_is_convex_and_holds_every_point(points: list[Point]) -> None:
    corners = hull(points)
    assert set(corners) <= set(points)
    assert len(set(corners)) == len(corners)
    if len(corners) > 2:
        edges = list(pairwise([*corners, corners[0]]))
        assert all(left_of(start, end, point) >= 0 for start, end in edges for point in points)
        assert all(left_of(a, b, c) > 0 for (a, b), (_, c) in zip(edges, [*edges[1:], edges[0]], strict=True))


@given(POINTS, st.randoms())
def test_a_hull_does_not_depend_on_the_order_or_on_repetition(points: list[Point], random: Any) -> None:  # noqa: ANN401 -- Hypothesis' own
    mixed = [*points, *points]
    random.shuffle(mixed)
    assert hull(mixed) == hull(points)


def rings() -> dict[str, list[Point]]:
    return {
        feature["id"]: [(lon, lat) for lon, lat in feature["geometry"]["coordinates"][0]]
        for feature in outline(INVENTORY)["features"]
    }


def test_each_town_and_village_with_a_place_has_one_closed_ring_towns_first() -> None:
    features = outline(INVENTORY)["features"]
    assert [(each["id"], each["properties"]) for each in features] == [
        ("shiqiao", {"name": "石桥镇", "level": "town"}),
        ("meiling", {"name": "梅岭村", "level": "village"}),
    ]
    for ring in rings().values():
        assert ring[0] == ring[-1]
        assert len(ring) >= 4


def test_an_asset_lies_inside_with_its_margin() -> None:
    at = INVENTORY.assets["meiling-01"].location
    assert at is not None
    for ring in rings().values():
        south, north = min(lat for _, lat in ring), max(lat for _, lat in ring)
        assert (at.lat - south) * METRES_A_DEGREE >= MARGIN_M * 0.99
        assert (north - at.lat) * METRES_A_DEGREE >= MARGIN_M * 0.99


def test_an_asset_on_a_border_lies_in_both_villages() -> None:
    border = replace(INVENTORY.assets["meiling-03"], location=Location(27.74, 112.63))
    moved = replace(INVENTORY, assets={**INVENTORY.assets, border.id: border})
    assert [each["id"] for each in outline(moved)["features"]] == ["shiqiao", "meiling", "zhuyuan"]


def test_a_county_without_places_has_no_outline_and_it_is_plain_json() -> None:
    nowhere = {asset.id: replace(asset, location=None) for asset in INVENTORY.assets.values()}
    assert outline(replace(INVENTORY, assets=nowhere)) == {"type": "FeatureCollection", "features": []}
    assert json.loads(json.dumps(outline(INVENTORY))) == outline(INVENTORY)
