"""The kinds of panel that the boards are made of: stats, curves, bars, tables, a time line, a map.

Each takes what it asks and how its columns are called; what is the same on every board is decided here once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.models import (
    barchart,
    bargauge,
    common,
    dashboard,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)

from dashboards import looks, words
from dashboards.asking import source_of, target
from dashboards.queries.language import Query
from dashboards.variables import DESK

NOTHING: Final = "无数据"


@dataclass(frozen=True)
class Column:
    """A column of a table or a stat beside others: the field, what people call it, and how it looks."""

    field: str
    label: str
    unit: str = looks.TEXT
    decimals: int | None = None
    width: int | None = None
    mappings: Sequence[dashboard.ValueMapping] = ()
    steps: dashboard.ThresholdsConfig | None = None
    to_desk: bool = False
    """Whether a click leads to the asset on the desk; the row needs its id in ``asset``."""
    hidden: bool = False
    bar: bool = False
    color: str | None = None
    in_tooltip: bool = True


@dataclass(frozen=True)
class AxisScale:
    """What the values of curves are measured in, where their axis begins and ends, and the lines drawn at ``steps``."""

    unit: str
    decimals: int | None = None
    least: float | None = 0
    most: float | None = None
    steps: dashboard.ThresholdsConfig | None = None


HIDDEN_ASSET: Final = Column("asset", "编号", hidden=True)
"""The id that links need and people do not."""


def stats(title: str, about: str, *asked: Query, columns: Sequence[Column]) -> dashboard.Panel:
    """Single numbers beside each other, each with its name."""
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME,
        reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=""),
        orientation=common.VizOrientation.VERTICAL,
    )
    return _panel("stat", title, about, asked, options, column_config(columns))


def curves(
    title: str,
    about: str,
    *asked: Query,
    scale: AxisScale,
    label: str = "",
    bars: bool = False,
    stacked: bool = False,
    colors: Mapping[str, str] | None = None,
) -> dashboard.Panel:
    """Values over time; ``label`` names the label that series are called by."""
    custom = timeseries.FieldConfig(
        draw_style=common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE,
        fill_opacity=60 if bars else 5,
        line_width=1,
        point_size=4,
        show_points=common.VisibilityMode.NEVER if bars else common.VisibilityMode.AUTO,
        stacking=common.StackingConfig(
            mode=common.StackingMode.NORMAL if stacked else common.StackingMode.NONE, group="A"
        ),
        thresholds_style=common.GraphThresholdsStyleConfig(
            mode=common.GraphThresholdsStyleMode.DASHED if scale.steps else common.GraphThresholdsStyleMode.OFF
        ),
        axis_border_show=True,
    )
    defaults = dashboard.FieldConfig(
        display_name=f"${{__field.labels.{label}}}" if label else None,
        unit=scale.unit,
        decimals=scale.decimals,
        min_val=scale.least,
        max_val=scale.most,
        thresholds=scale.steps or looks.steps(words.GOOD),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.PALETTE_CLASSIC),
        no_value=NOTHING,
        custom=custom,
    )
    fixed = [
        dashboard.DashboardFieldConfigSourceOverrides(
            matcher=dashboard.MatcherConfig("byName", name),
            properties=[dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})],
        )
        for name, color in (colors or {}).items()
    ]
    options = timeseries.Options(
        legend=_legend(),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING),
    )
    config = dashboard.FieldConfigSource(defaults=defaults, overrides=fixed)
    return _panel("timeseries", title, about, asked, options, config)


def gauges(title: str, about: str, asked: Query, *, value: Column, most: float | None = 100) -> dashboard.Panel:
    """A bar for each row, under the row's name, coloured by its value, which stands beside it."""
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=common.ReduceDataOptions(values=True, limit=50, calcs=[], fields=""),
    )
    defaults = dashboard.FieldConfig(
        unit=value.unit,
        decimals=value.decimals,
        min_val=0,
        max_val=most,
        thresholds=value.steps or looks.steps(words.CALM),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS),
        no_value=NOTHING,
    )
    return _panel("bargauge", title, about, (asked,), options, dashboard.FieldConfigSource(defaults, []))


def bars(
    title: str, about: str, asked: Query, *, by: str, columns: Sequence[Column], stacked: bool = True
) -> dashboard.Panel:
    """A group of bars for each row, named by the column ``by``."""
    options = barchart.Options(
        x_field=by,
        orientation=common.VizOrientation.AUTO,
        stacking=common.StackingMode.NORMAL if stacked else common.StackingMode.NONE,
        show_value=common.VisibilityMode.AUTO,
        legend=_legend(),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.NONE),
    )
    config = column_config(columns, barchart.FieldConfig(line_width=1, fill_opacity=80))
    return _panel("barchart", title, about, (asked,), options, config)


def rows(title: str, about: str, asked: Query, *, columns: Sequence[Column]) -> dashboard.Panel:
    """A table with these columns in this order."""
    order = {column.field: place for place, column in enumerate(columns)}
    custom = table.FieldConfig(
        align=common.FieldTextAlignment.AUTO, cell_options=common.TableAutoCellOptions(), inspect=False
    )
    config = column_config(columns, custom)
    panel = _panel("table", title, about, (asked,), table.Options(cell_height=common.TableCellHeight.SM), config)
    panel.transformations = [
        dashboard.DataTransformerConfig(
            "organize", options={"excludeByName": {}, "indexByName": order, "renameByName": {}}
        )
    ]
    return panel


def time_line(
    title: str, about: str, asked: Query, *, label: str, named: list[dashboard.ValueMapping]
) -> dashboard.Panel:
    """A line for each series, coloured and worded by the state it was in."""
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        row_height=0.9,
        merge_values=True,
        align_value=common.TimelineValueAlignment.LEFT,
        legend=_legend(),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE, sort=common.SortOrder.NONE),
        per_page=20,
    )
    defaults = dashboard.FieldConfig(
        display_name=f"${{__field.labels.{label}}}",
        unit=looks.TEXT,
        mappings=named,
        thresholds=looks.steps(words.GREY),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS),
        no_value=NOTHING,
        custom=statetimeline.FieldConfig(line_width=0, fill_opacity=80),
    )
    return _panel("state-timeline", title, about, (asked,), options, dashboard.FieldConfigSource(defaults, []))


def prose(title: str, content: str) -> dashboard.Panel:
    """Text that has to stand beside the numbers."""
    options = text.Options(mode=text.TextMode.MARKDOWN, content=content)
    return dashboard.Panel(type_val="text", title=title, options=options)


def _panel(
    kind: str, title: str, about: str, asked: Sequence[Query], options: object, config: dashboard.FieldConfigSource
) -> dashboard.Panel:
    return dashboard.Panel(
        type_val=kind,
        title=title,
        description=about,
        datasource=source_of(asked[0]),
        targets=[target(query, "ABCDEF"[place]) for place, query in enumerate(asked)],
        options=options,
        field_config=config,
    )


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=[],
    )


def column_config(columns: Sequence[Column], custom: object = None) -> dashboard.FieldConfigSource:
    """How each column is called and looks."""
    defaults = dashboard.FieldConfig(
        unit=looks.COUNT,
        thresholds=looks.steps(words.CALM),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS),
        mappings=[],
        no_value=NOTHING,
        custom=custom,
    )
    overrides = [
        dashboard.DashboardFieldConfigSourceOverrides(
            matcher=dashboard.MatcherConfig("byName", column.field),
            properties=[dashboard.DynamicConfigValue(name, value) for name, value in _looks(column)],
        )
        for column in columns
    ]
    return dashboard.FieldConfigSource(defaults=defaults, overrides=overrides)


def _looks(column: Column) -> list[tuple[str, Any]]:
    """Whatever of it is not as by default, as Grafana's overrides."""
    link = {"title": "到值班台看", "url": f"{DESK}/assets/${{__data.fields.asset}}", "targetBlank": True}
    coloured = any(looks.is_coloured(mapping) for mapping in column.mappings)
    bar = common.TableBarGaugeCellOptions(mode=common.BarGaugeDisplayMode.BASIC)
    everything: list[tuple[bool, str, Any]] = [
        (True, "displayName", column.label),
        (True, "unit", column.unit),
        (column.decimals is not None, "decimals", column.decimals),
        (column.width is not None, "custom.width", column.width),
        (bool(column.mappings), "mappings", list(column.mappings)),
        (coloured, "custom.cellOptions", common.TableColorTextCellOptions()),
        (column.steps is not None, "thresholds", column.steps),
        (column.bar, "custom.cellOptions", bar),
        (column.bar, "min", 0),
        (column.bar, "max", 100),
        (column.color is not None, "color", {"mode": "fixed", "fixedColor": column.color}),
        (column.to_desk, "links", [link]),
        (not column.in_tooltip, "custom.hideFrom", {"legend": True, "tooltip": True, "viz": False}),
        (column.hidden, "custom.hidden", True),
    ]
    return [(name, value) for holds, name, value in everything if holds]
