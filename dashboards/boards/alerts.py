"""告警复盘: how soon people answered and things were put right, and where the same thing comes again."""

from dashboards import looks, variables, words
from dashboards.board import Board, PlacedPanel
from dashboards.panels import HIDDEN_ASSET, AxisScale, Column, curves, rows, stats
from dashboards.queries import episodes
from telemetry.terms import AssetKind

_COLORS = dict(words.SEVERITIES.values())

BOARD = Board(
    uid="cunjing-alerts",
    title="告警复盘",
    about="多快有人确认，多快了结，哪个村慢，哪里反复。",
    since="now-30d",
    refresh="15m",
    variables=(variables.town(), variables.village(), variables.asset("资产", (AssetKind.BIN, AssetKind.PLANT))),
    panels=(
        PlacedPanel(
            stats(
                "这段时间",
                "确认用时和了结用时都从发现算起，取中间的一件。",
                episodes.how_many("raised", "raised"),
                episodes.minutes_until("acked", "acked"),
                episodes.minutes_until("cleared", "cleared"),
                episodes.minutes_until("cleared", "slow", "percentile", ", 90"),
                columns=(
                    Column("raised", "发现", "suffix: 件", 0, color=words.CALM),
                    Column("acked", "确认用时", looks.MINUTES, 0, steps=looks.steps(words.GOOD, (240, words.WARNING))),
                    Column(
                        "cleared", "了结用时", looks.MINUTES, 0, steps=looks.steps(words.GOOD, (480, words.WARNING))
                    ),
                    Column(
                        "slow",
                        "九成在此之内了结",
                        looks.MINUTES,
                        0,
                        steps=looks.steps(words.GOOD, (1_440, words.WARNING)),
                    ),
                ),
            ),
            12,
            6,
        ),
        PlacedPanel(
            curves(
                "每10分钟新告警",
                "10分钟里超过10件，一个人就看不过来了。",
                episodes.raised_in_ten_minutes(),
                scale=AxisScale("suffix: 件", 0, steps=looks.steps(words.GOOD, (10, words.BAD))),
                bars=True,
            ),
            12,
            6,
        ),
        PlacedPanel(
            curves(
                "每天新告警（按级别）",
                "一级是火警，四级进每周清单。",
                *(episodes.raised_a_day(severity, word) for severity, (word, _) in words.SEVERITIES.items()),
                scale=AxisScale("suffix: 件", 0),
                bars=True,
                stacked=True,
                colors=_COLORS,
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "确认和了结用时（逐日）",
                "每天确认的、了结的，从发现算起的分钟数，取中间的一件。",
                episodes.minutes_until_by_day("acked", "确认"),
                episodes.minutes_until_by_day("cleared", "了结"),
                scale=AxisScale(looks.MINUTES, 0),
            ),
            12,
            8,
        ),
        PlacedPanel(
            rows(
                "按村",
                "每个村的件数和用时（中间的一件）。",
                episodes.by_village(),
                columns=(
                    Column("village_name", "村", width=110),
                    Column("raised", "发现", "suffix: 件", 0, width=100),
                    Column("acked_min", "确认用时", looks.MINUTES, 0, width=130),
                    Column("cleared_min", "了结用时", looks.MINUTES, 0),
                ),
            ),
            8,
            10,
        ),
        PlacedPanel(
            rows(
                "按事由",
                "每种告警的件数和用时（中间的一件）。",
                episodes.by_rule(),
                columns=(
                    Column("rule", "什么事", width=110, mappings=looks.words(words.RULES)),
                    Column("raised", "发现", "suffix: 件", 0, width=100),
                    Column("acked_min", "确认用时", looks.MINUTES, 0, width=130),
                    Column("cleared_min", "了结用时", looks.MINUTES, 0),
                ),
            ),
            8,
            10,
        ),
        PlacedPanel(
            rows(
                "反复的点",
                "同一处同一件事发生两次以上，天数多的在前。点名称到值班台。",
                episodes.offenders(),
                columns=(
                    Column("place", "地点", width=170, to_desk=True),
                    Column("rule", "什么事", width=100, mappings=looks.words(words.RULES)),
                    Column("times", "次数", looks.TIMES, 0, width=75),
                    Column("days", "天数", looks.DAYS, 0, width=75),
                    Column("last_raised", "最近一次", looks.AT),
                    HIDDEN_ASSET,
                ),
            ),
            8,
            10,
        ),
        PlacedPanel(
            rows(
                "最久没了结的",
                "各级都在内，久的在前。点名称到值班台。",
                episodes.longest(),
                columns=(
                    Column("raised", "从", looks.AT, width=130),
                    Column("hours", "已过", looks.HOURS, 0, width=110),
                    Column("severity", "级别", width=70, mappings=looks.words(words.SEVERITIES)),
                    Column("rule", "什么事", width=110, mappings=looks.words(words.RULES)),
                    Column("place", "地点", width=230, to_desk=True),
                    Column("state", "答复", mappings=looks.words(words.ANSWERS)),
                    HIDDEN_ASSET,
                ),
            ),
            24,
            9,
        ),
    ),
)
