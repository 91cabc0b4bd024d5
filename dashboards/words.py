"""The Chinese words for states, rules and answers, and a colour each. No SDK: annotations and the demo say them too."""

from collections.abc import Mapping
from typing import Final

from alerts.model import RunState
from alerts.rules import rules
from dashboards.queries import county

GOOD: Final = "green"
NOTICE: Final = "yellow"
WARNING: Final = "orange"
BAD: Final = "red"
WORST: Final = "dark-red"
CALM: Final = "blue"
ASIDE: Final = "purple"
GREY: Final = "#8e8e8e"

Word = tuple[str, str]
"""What it is called, and its colour."""

RUNS: Final[Mapping[str, Word]] = {
    RunState.UNKNOWN: ("未知", GREY),
    RunState.RUNNING: ("运行", GOOD),
    RunState.IDLE: ("待机", CALM),
    RunState.STOPPED: ("停机", BAD),
    RunState.NO_POWER: ("停电", WORST),
    RunState.METER_FAULT: ("仪表故障", WARNING),
    RunState.OFFLINE: ("失联", ASIDE),
    RunState.MAINTENANCE: ("检修", NOTICE),
}
LOOKS: Final[Mapping[int, Word]] = {
    county.UNKNOWN: ("不明", GREY),
    county.FINE: ("正常", GOOD),
    county.SILENT: ("失联", ASIDE),
    county.OVER: ("过三分之二", WARNING),
    county.FULL: ("满溢", BAD),
    county.HOT: ("热灰", WORST),
    county.FIRE: ("火警", WORST),
}
_NO_RULE: Final[Mapping[str, str]] = {
    "not_collected": "漏清",
    "area_outage": "大片失联",
    "clock_drift": "时钟不准",
    "stuck": "读数不动",
    "blocked": "探头被挡",
    "series_paused": "数据库停收",
    "house_deaf": "收不到设备消息",
    "number_dead": "手机收不到短信",
    "house_stuck": "短信或计时卡住",
}
"""What episodes and cases are of beside the rules of ``alerts/rules/``, each of which says its own word."""
_WORST_FIRST: Final = (
    *("fire", "overflow", "hot_ash", "over_two_thirds", "not_collected", "no_power", "not_restarted", "level_high"),
    *("stopped", "low_flow", "dry_run", "meter_fault", "offline", "gateway_offline", "area_outage", "battery_low"),
    *("flooded_device", "clock_drift", "tilted"),
)
"""How the boards list them; whatever is not here comes after, rules first."""
_CALLED: Final = {**{kind: rule.called for kind, rule in rules().items()}, **_NO_RULE}
RULES: Final[Mapping[str, str]] = {kind: _CALLED[kind] for kind in dict.fromkeys((*_WORST_FIRST, *_CALLED))}
SEVERITIES: Final[Mapping[str, Word]] = {
    "P1": ("一级", WORST),
    "P2": ("二级", BAD),
    "P3": ("三级", WARNING),
    "P4": ("四级", CALM),
}
ANSWERS: Final[Mapping[str, Word]] = {
    "raised": ("没人确认", BAD),
    "reignited": ("复燃，没人确认", WORST),
    "acked": ("已确认", GOOD),
}
