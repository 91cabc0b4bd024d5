"""设备健康: which sensors are still heard, and which will be silent soon."""

from dashboards import looks, variables, words
from dashboards.board import Board, PlacedPanel
from dashboards.panels import HIDDEN_ASSET, AxisScale, Column, curves, gauges, rows, stats
from dashboards.queries import devices
from telemetry.terms import AssetKind

_BATTERY_STEPS = looks.steps(words.BAD, (devices.LOW_PCT, words.NOTICE), (50, words.GOOD))

BOARD = Board(
    uid="cunjing-devices",
    title="设备健康",
    about="每个设备：多久没来数据，电还有多少，信号和时钟好不好。",
    since="now-7d",
    refresh="5m",
    episodes=False,
    variables=(variables.town(), variables.village(), variables.asset("资产", (AssetKind.BIN, AssetKind.PLANT))),
    panels=(
        PlacedPanel(
            stats(
                "设备",
                "没按时来：超过三个上报间隔没有数据。电量低、时钟不准和告警用的是同一个数。",
                devices.now(),
                columns=(
                    Column("devices", "来过数据", looks.DEVICES, 0, color=words.CALM),
                    Column("silent", "没按时来", looks.DEVICES, 0, steps=looks.steps(words.GOOD, (1, words.ASIDE))),
                    Column("low", "电量低", looks.DEVICES, 0, steps=looks.steps(words.GOOD, (1, words.WARNING))),
                    Column("drifting", "时钟不准", looks.DEVICES, 0, steps=looks.steps(words.GOOD, (1, words.NOTICE))),
                ),
            ),
            14,
            5,
        ),
        PlacedPanel(
            gauges(
                "电量最低的20个",
                "20%以下要准备换电池。",
                devices.lowest_batteries(),
                value=Column("battery", "电量", looks.PERCENT, 0, steps=_BATTERY_STEPS),
            ),
            10,
            17,
        ),
        PlacedPanel(
            rows(
                "每个设备",
                "最久没来数据的在前。点名称到值班台。",
                devices.table(),
                columns=(
                    Column("name", "装在哪里", width=120, to_desk=True),
                    Column("device", "设备", width=110),
                    Column("silent_h", "多久没来", looks.HOURS, 1, width=110),
                    Column("battery_pct", "电量", looks.PERCENT, 0, steps=_BATTERY_STEPS, bar=True),
                    Column("rssi_dbm", "信号", looks.DBM, 0, width=100),
                    Column("snr_db", "信噪比", looks.DB, 1, width=90),
                    Column("clock_lag_s", "钟差", looks.SECONDS, 0, width=90),
                    HIDDEN_ASSET,
                ),
            ),
            14,
            12,
        ),
        PlacedPanel(
            curves(
                "在线率（按乡镇）",
                "每天收到的条数÷应收的条数。",
                devices.online_by_town(),
                scale=AxisScale(looks.PERCENT, 0, most=100),
                label="town_name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            curves(
                "信号（按乡镇）",
                "每小时的平均信号强度，越接近零越好。",
                devices.signal_by_town(),
                scale=AxisScale(looks.DBM, 0, least=None),
                label="town_name",
            ),
            12,
            8,
        ),
        PlacedPanel(
            gauges(
                "钟差最大的20个",
                "设备的钟和我们的钟差几秒，快慢都算。一分钟以上算不准。",
                devices.largest_lags(),
                value=Column(
                    "lag", "钟差", looks.SECONDS, 0, steps=looks.steps(words.GOOD, (devices.DRIFT_S, words.WARNING))
                ),
                most=None,
            ),
            8,
            12,
        ),
        PlacedPanel(
            curves(
                "多久送到",
                "一小时里，一半的、95%的数据在几秒内送到。",
                devices.delays(50, "一半"),
                devices.delays(95, "95%"),
                scale=AxisScale(looks.SECONDS),
            ),
            8,
            12,
        ),
        PlacedPanel(
            curves(
                "电量（逐日）",
                "所选设备里最低的和平均的。",
                devices.battery_by_day("min", "最低"),
                devices.battery_by_day("mean", "平均"),
                scale=AxisScale(
                    looks.PERCENT, 0, most=100, steps=looks.steps(words.BAD, (devices.LOW_PCT, words.GOOD))
                ),
            ),
            8,
            12,
        ),
    ),
)
