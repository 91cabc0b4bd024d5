"""平台自监控: whether what arrives is complete, in time and worked up, from what InfluxDB has of us."""

from dashboards import looks, variables, words
from dashboards.board import Board, PlacedPanel
from dashboards.panels import AxisScale, Column, curves, stats
from dashboards.queries import episodes, own

BOARD = Board(
    uid="cunjing-own",
    title="平台自监控",
    about="平台自己好不好：数据来得齐不齐、快不快，汇总算到哪里。",
    since="now-24h",
    refresh="5m",
    episodes=False,
    variables=(variables.town(), variables.village()),
    panels=(
        PlacedPanel(
            stats(
                "最近一条数据",
                "离现在多久。一直变大，先看电脑、网络和消息服务器。",
                own.last_message(),
                columns=(
                    Column(
                        "seconds",
                        "前",
                        looks.SECONDS,
                        0,
                        steps=looks.steps(words.GOOD, (600, words.WARNING), (1_800, words.BAD)),
                    ),
                ),
            ),
            6,
            6,
        ),
        PlacedPanel(
            stats(
                "汇总和名册",
                "每小时的汇总在整点后几分钟算出。名册：最近一次导入。",
                own.freshness(),
                columns=(
                    Column(
                        "rollup_h",
                        "汇总算到几小时前",
                        looks.HOURS,
                        1,
                        steps=looks.steps(words.GOOD, (2, words.WARNING)),
                    ),
                    Column("inventory_d", "名册导入于几天前", looks.DAYS, 0, color=words.CALM),
                ),
            ),
            8,
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
            10,
            6,
        ),
        PlacedPanel(
            curves(
                "每分钟数据", "按测量的时间数。", own.messages_a_minute(), scale=AxisScale(looks.MESSAGES, 0), bars=True
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "每小时数据（按乡镇）",
                "一个乡镇整片掉下来，多半是停电或断网。",
                own.messages_by_town(),
                scale=AxisScale(looks.MESSAGES, 0),
                label="town_name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "多久送到",
                "从测量到收到的秒数，每10分钟一算。",
                own.delay('percentile("delay_s", 50)', "一半"),
                own.delay('percentile("delay_s", 95)', "95%"),
                own.delay('max("delay_s")', "最慢"),
                scale=AxisScale(looks.SECONDS, 0),
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "迟到的数据",
                "测量两小时以后才收到的，只记历史，不发短信。",
                own.late(),
                scale=AxisScale(looks.MESSAGES, 0),
                bars=True,
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "实收比例",
                "每小时收到的条数÷应收的条数，超过100%是补发。",
                own.arrived_of_expected(),
                scale=AxisScale(looks.PERCENT, 0),
            ),
            8,
            8,
        ),
        PlacedPanel(
            curves("在报设备", "每小时来过数据的设备数。", own.speaking_devices(), scale=AxisScale(looks.DEVICES, 0)),
            8,
            8,
        ),
        PlacedPanel(
            curves(
                "钟差",
                "设备的钟比我们的慢几秒，补发的旧数据也算在最慢里。",
                own.clock_lag('percentile("clock_lag_s", 50)', "一半"),
                own.clock_lag('percentile("clock_lag_s", 95)', "95%"),
                scale=AxisScale(looks.SECONDS, 0, least=None),
            ),
            8,
            8,
        ),
    ),
)
