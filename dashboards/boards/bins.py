"""垃圾桶: how full each village is, for how long over the line, and when it was emptied."""

from dashboards import looks, variables, words
from dashboards.board import Board, Note, PlacedPanel
from dashboards.panels import HIDDEN_ASSET, AxisScale, Column, bars, curves, gauges, rows
from dashboards.queries import bins
from telemetry.terms import AssetKind

_FILL_STEPS = looks.steps(words.GOOD, *looks.LEVEL_STEPS)

BOARD = Board(
    uid="cunjing-bins",
    title="垃圾桶",
    about="每个村的垃圾池和垃圾桶：现在多满，过线多久，什么时候清的。",
    since="now-7d",
    refresh="5m",
    variables=(variables.town(), variables.village(), variables.asset("桶（池）", (AssetKind.BIN,))),
    notes=(Note("清空", bins.emptied_notes(), words.GOOD),),
    panels=(
        PlacedPanel(
            bars(
                "各村此刻",
                "最近一次的满度，过线多的村在前。不明：七天没有数据，不等于空。",
                bins.by_village(),
                by="village_name",
                columns=(
                    Column("village_name", "村"),
                    Column("over", "过三分之二", looks.SITES, 0, color=words.WARNING),
                    Column("below", "没过线", looks.SITES, 0, color=words.GOOD),
                    Column("unknown", "不明", looks.SITES, 0, color=words.GREY),
                ),
            ),
            14,
            10,
        ),
        PlacedPanel(
            gauges(
                "此刻最满的20处",
                "黄线是三分之二，红线是满溢。",
                bins.fullest(),
                value=Column("fill", "满度", looks.PERCENT, 0, steps=_FILL_STEPS),
            ),
            10,
            20,
        ),
        PlacedPanel(
            curves(
                "满度曲线",
                "虚线是三分之二和满溢，和告警用的是同一个数。选得多时只画最满的12处。",
                bins.levels(),
                scale=AxisScale(looks.PERCENT, 0, most=100, steps=_FILL_STEPS),
                label="name",
            ),
            14,
            10,
        ),
        PlacedPanel(
            gauges(
                "过线时间占比（按村）",
                "有数据的时间里，过三分之二的占多少。没有数据的时间不算。",
                bins.over_share_by_village(),
                value=Column(
                    "share",
                    "占比",
                    looks.PERCENT,
                    1,
                    steps=looks.steps(words.GOOD, (5, words.NOTICE), (15, words.WARNING)),
                ),
            ),
            8,
            9,
        ),
        PlacedPanel(
            curves(
                "每天清空次数（按乡镇）",
                "整次清空，清一部分的不算。",
                bins.emptied_a_day(),
                scale=AxisScale(looks.TIMES, 0),
                label="town_name",
                bars=True,
                stacked=True,
            ),
            8,
            9,
        ),
        PlacedPanel(
            curves(
                "温度",
                "所选的点里最高的和居中的。50度左右像热灰，70度以上按火警处理。",
                bins.temperature("max", "最高"),
                bins.temperature("median", "居中"),
                scale=AxisScale(
                    looks.CELSIUS,
                    0,
                    least=None,
                    steps=looks.steps(words.GOOD, (50, words.WARNING), (70, words.BAD)),
                ),
            ),
            8,
            9,
        ),
        PlacedPanel(
            rows(
                "过线最久的点",
                "所选时间里过三分之二的小时数。点名称到值班台。",
                bins.chronic(),
                columns=(
                    Column("name", "名称", width=140, to_desk=True),
                    Column("hours", "过线", looks.HOURS, 1, width=120),
                    Column("share", "占有数据时间", looks.PERCENT, 1, bar=True),
                    Column("emptyings", "清空", looks.TIMES, 0, width=100),
                    HIDDEN_ASSET,
                ),
            ),
            12,
            10,
        ),
        PlacedPanel(
            rows(
                "清空记录",
                "仪器看到的清空，新的在前。",
                bins.emptyings(),
                columns=(
                    Column("at", "时间", looks.AT, width=140),
                    Column("name", "名称", width=140, to_desk=True),
                    Column("from", "清前", looks.PERCENT, 0, width=90),
                    Column("to", "清后", looks.PERCENT, 0),
                    HIDDEN_ASSET,
                ),
            ),
            12,
            10,
        ),
    ),
)
