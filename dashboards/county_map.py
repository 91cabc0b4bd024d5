"""The county's map: villages as outlines of our own, bins and plants as markers, and no tile from anywhere.

Grafana draws what it finds under ``OUTLINE_SRC`` in its own public folder; without that file the markers stand alone.
"""

from typing import Any, Final

from grafana_foundation_sdk.models import common, dashboard, geomap

from dashboards import looks, words
from dashboards.asking import source_of, target
from dashboards.panels import Column, column_config
from dashboards.queries.language import Query

OUTLINE_SRC: Final = "public/maps/cunjing.geojson"
_CIRCLE: Final = "img/icons/marker/circle.svg"
_SQUARE: Final = "img/icons/marker/square.svg"


def county_map(title: str, about: str, bins: Query, plants: Query) -> dashboard.Panel:
    """Where things are and how they look now: bins are round, plants square, each with a sign or a word."""
    outlines = common.MapLayerOptions(
        type_val="geojson",
        name="乡镇和村",
        config={
            "src": OUTLINE_SRC,
            "rules": [],
            "style": {
                "color": {"fixed": words.GREY},
                "opacity": 0.1,
                "lineWidth": 1,
                "text": {"mode": "field", "field": "name", "fixed": ""},
                "textConfig": {"fontSize": 12, "textAlign": "center", "textBaseline": "middle"},
            },
        },
        tooltip=False,
    )
    options = geomap.Options(
        view=geomap.MapViewConfig(id_val="fit", lat=0, lon=0, zoom=12, max_zoom=18, padding=10, all_layers=True),
        controls=geomap.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=False, show_attribution=False, show_scale=True, show_debug=False
        ),
        basemap=outlines,
        layers=[
            _markers("垃圾桶", "A", _CIRCLE, color="look", text="sign"),
            _markers("污水站", "B", _SQUARE, color="run_state", text="name"),
        ],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )
    config = column_config(
        (
            Column("name", "名称", to_desk=True),
            Column("look", "桶况", mappings=looks.look_words()),
            Column("run_state", "运行状态", mappings=looks.run_words()),
            Column("sign", "记号", in_tooltip=False),
            Column("lat", "纬度", in_tooltip=False),
            Column("lon", "经度", in_tooltip=False),
            Column("asset", "编号", in_tooltip=False),
        )
    )
    return dashboard.Panel(
        type_val="geomap",
        title=title,
        description=about,
        datasource=source_of(bins),
        targets=[target(bins, "A"), target(plants, "B")],
        options=options,
        field_config=config,
    )


def _markers(name: str, ref_id: str, symbol: str, *, color: str, text: str) -> common.MapLayerOptions:
    style: dict[str, Any] = {
        "size": {"fixed": 8, "min": 2, "max": 15},
        "color": {"field": color, "fixed": words.GREY},
        "opacity": 0.8,
        "symbol": {"mode": "fixed", "fixed": symbol},
        "text": {"mode": "field", "field": text, "fixed": ""},
        "textConfig": {"fontSize": 11, "textAlign": "left", "textBaseline": "middle", "offsetX": 10, "offsetY": 0},
    }
    return common.MapLayerOptions(
        type_val="markers",
        name=name,
        config={"style": style, "showLegend": True},
        location=common.FrameGeometrySource(
            mode=common.FrameGeometrySourceMode.COORDS, latitude="lat", longitude="lon"
        ),
        filter_data={"id": "byRefId", "options": ref_id},
        tooltip=True,
    )
