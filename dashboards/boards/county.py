"""县域总览: what the dispatcher must see in the morning, on one page."""

from dashboards import looks, variables, words
from dashboards.board import Board, PlacedPanel
from dashboards.county_map import county_map
from dashboards.panels import HIDDEN_ASSET, AxisScale, Column, bars, curves, gauges, rows, stats
from dashboards.queries import county, episodes

BOARD = Board(
    uid="cunjing-county",
    title="县域总览",
    about="早上一眼看全：此刻来查会扣几分，哪里满了、停了、失联了，这一班清到哪里，先清哪几处。",
    since="now-24h",
    refresh="5m",
    variables=(variables.town(), variables.village()),
    panels=(
        PlacedPanel(
            stats(
                "此刻来查",
                "按每处计分垃圾池最近一次的满度：超过三分之二的处数，每处0.5分。这是自查数，不是考核成绩。",
                county.exposure(),
                columns=(
                    Column("sites", "过线", looks.SITES, 0, steps=looks.steps(words.GOOD, (1, words.WARNING))),
                    Column("points", "约扣", looks.POINTS, 1, steps=looks.steps(words.GOOD, (0.5, words.WARNING))),
                ),
            ),
            6,
            6,
        ),
        PlacedPanel(
            stats(
                "此刻要处理",
                "还没了结的告警件数。没人确认：一到三级里还没有人答复的。一天收不到任何数据时这里不显示0。",
                episodes.counts(),
                columns=(
                    Column("fire", "火警", looks.SITES, 0, steps=looks.steps(words.GOOD, (1, words.WORST))),
                    Column("overflow", "满溢", looks.SITES, 0, steps=looks.steps(words.GOOD, (1, words.BAD))),
                    Column("stopped", "停机", looks.PLANTS, 0, steps=looks.steps(words.GOOD, (1, words.BAD))),
                    Column("offline", "失联", looks.DEVICES, 0, steps=looks.steps(words.GOOD, (1, words.ASIDE))),
                    Column(
                        "unanswered", "没人确认", "suffix: 件", 0, steps=looks.steps(words.GOOD, (1, words.WARNING))
                    ),
                ),
            ),
            10,
            6,
        ),
        PlacedPanel(
            stats(
                "这一班清运",
                "正在清或刚清完的一班：应清、已清、还剩。满度已在15%以下的算清过。按农历逢集清运的点不在内。",
                county.round_so_far(),
                columns=(
                    Column("due", "应清", looks.SITES, 0, color=words.CALM),
                    Column("done", "已清", looks.SITES, 0, color=words.GOOD),
                    Column("left", "还剩", looks.SITES, 0, steps=looks.steps(words.GOOD, (1, words.WARNING))),
                ),
            ),
            8,
            6,
        ),
        PlacedPanel(
            rows(
                "先清哪里",
                "过三分之二或满溢还没清的点，按满度乘以等待时间排。点名称到值班台。",
                county.to_collect(),
                columns=(
                    Column("place", "地点", width=230, to_desk=True),
                    Column("village_name", "村", width=90),
                    Column(
                        "fill", "满度", looks.PERCENT, 0, steps=looks.steps(words.GOOD, *looks.LEVEL_STEPS), bar=True
                    ),
                    Column("hours", "等了", looks.HOURS, 1, width=110),
                    Column("raised", "从", looks.AT, width=130),
                    Column("score", "满度×小时", looks.COUNT, 0, width=100),
                    HIDDEN_ASSET,
                ),
            ),
            13,
            11,
        ),
        PlacedPanel(
            county_map(
                "地图",
                "圆点是垃圾桶（池），方点是污水站。过、满、热、火、失是记号；没有字的是正常。底图只有本县的村界示意。",
                county.bins_on_the_map(),
                county.plants_on_the_map(),
            ),
            11,
            20,
        ),
        PlacedPanel(
            rows(
                "还没了结的告警",
                "一到三级，急的在前，久的在前。点名称到值班台。",
                episodes.waiting(),
                columns=(
                    Column("severity", "级别", width=70, mappings=looks.words(words.SEVERITIES)),
                    Column("place", "地点", width=200, to_desk=True),
                    Column("rule", "什么事", width=100, mappings=looks.words(words.RULES)),
                    Column("state", "答复", width=110, mappings=looks.words(words.ANSWERS)),
                    Column("raised", "从", looks.AT, width=130),
                    Column("hours", "已过", looks.HOURS, 1),
                    HIDDEN_ASSET,
                ),
            ),
            13,
            9,
        ),
        PlacedPanel(
            curves(
                "来查扣分（逐小时，按乡镇）",
                "每小时里过线的点的平均数乘0.5分。只按乡镇选，不按村选。",
                county.exposure_by_hour(),
                scale=AxisScale(looks.POINTS, 1),
                colors={"扣分": words.WARNING},
            ),
            12,
            8,
        ),
        PlacedPanel(
            bars(
                "这一班清运（按村）",
                "已清为零的村还没人去过。",
                county.round_by_village(),
                by="village_name",
                columns=(
                    Column("village_name", "村"),
                    Column("done", "已清", looks.SITES, 0, color=words.GOOD),
                    Column("left", "还剩", looks.SITES, 0, color=words.WARNING),
                ),
            ),
            6,
            8,
        ),
        PlacedPanel(
            gauges(
                "此刻过线（按乡镇）",
                "计分的垃圾池里超过三分之二的处数。",
                county.exposure_by_town(),
                value=Column(
                    "sites", "过线", looks.SITES, 0, steps=looks.steps(words.GOOD, (1, words.WARNING), (5, words.BAD))
                ),
                most=None,
            ),
            6,
            8,
        ),
    ),
)
