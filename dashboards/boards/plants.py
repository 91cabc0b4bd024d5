"""污水站: what each plant did, how much went through, and how far one may believe it."""

from dashboards import looks, variables, words
from dashboards.board import Board, PlacedPanel
from dashboards.panels import HIDDEN_ASSET, AxisScale, Column, bars, curves, prose, rows, time_line
from dashboards.queries import plants
from telemetry.terms import AssetKind

BOARD = Board(
    uid="cunjing-plants",
    title="污水站",
    about="每座污水站：运行还是停机，数据齐不齐，一天多少水，负荷多少。",
    since="now-7d",
    refresh="5m",
    variables=(variables.town(), variables.village(), variables.asset("污水站", (AssetKind.PLANT,))),
    panels=(
        PlacedPanel(
            time_line(
                "运行状态",
                "失联不等于停机：收不到数据时不知道在不在运行。",
                plants.states(),
                label="name",
                named=looks.run_words(),
            ),
            24,
            9,
        ),
        PlacedPanel(
            bars(
                "正常运行率和在线率",
                "正常运行率＝（运行＋待机）÷（全部时间－检修－失联）。在线率＝收到的条数÷应收的条数。两个要一起看。",
                plants.rates(),
                by="name",
                stacked=False,
                columns=(
                    Column("name", "污水站"),
                    Column("running", "正常运行率", looks.PERCENT, 1, color=words.GOOD),
                    Column("online", "在线率", looks.PERCENT, 1, color=words.CALM),
                ),
            ),
            10,
            9,
        ),
        PlacedPanel(
            prose(
                "口径",
                "- **正常运行率**＝（运行＋待机）÷（全部时间－检修－失联）\n"
                "- **在线率**＝收到的条数÷应收的条数；在线率低时，正常运行率说明不了问题\n"
                "- **负荷率**＝一天的水量÷设计日处理量\n"
                "- 累计流量变小是换表或清零，不算水量",
            ),
            5,
            9,
        ),
        PlacedPanel(
            rows(
                "此刻",
                "状态和从什么时候起，最近一次流量，最近一次数据。点名称到值班台。",
                plants.now(),
                columns=(
                    Column("name", "名称", width=100, to_desk=True),
                    Column("run_state", "状态", width=90, mappings=looks.run_words()),
                    Column("changed", "从", looks.AT, width=125),
                    Column("flow", "流量", looks.CUBIC_M_H, 1, width=100),
                    Column("design", "设计", looks.CUBIC_M_DAY, 0, width=90),
                    Column("heard", "最近数据", looks.AT),
                    HIDDEN_ASSET,
                ),
            ),
            9,
            9,
        ),
        PlacedPanel(
            curves(
                "流量",
                "出水流量计的瞬时值。",
                plants.measured("flow_m3h"),
                scale=AxisScale(looks.CUBIC_M_H),
                label="name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "每天水量",
                "累计流量一天里增加的数。",
                plants.a_day("volume_m3"),
                scale=AxisScale(looks.CUBIC_M, 0),
                label="name",
                bars=True,
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "负荷率",
                "一天的水量占设计日处理量的比例。长期低于20%是“晒太阳”。",
                plants.a_day("load_pct"),
                scale=AxisScale(looks.PERCENT, 0, steps=looks.steps(words.WARNING, (20, words.GOOD), (100, words.BAD))),
                label="name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "每天运行时间",
                "有水流、有电流或有运行信号的时间。",
                plants.a_day("running_s", per=3_600.0),
                scale=AxisScale(looks.HOURS, 1, most=24),
                label="name",
                bars=True,
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "水泵电流",
                "有电流没水流，像空转。",
                plants.measured("pump_current_a"),
                scale=AxisScale(looks.AMPERE),
                label="name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "水位",
                "集水池的水位。",
                plants.measured("level_mm"),
                scale=AxisScale(looks.MILLIMETRE, 0),
                label="name",
            ),
            12,
            8,
        ),
    ),
)
