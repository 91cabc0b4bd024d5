"""The demo's words on the terminal: Chinese first. Texts that leave the house are not here, they are in ``config/``."""

from collections.abc import Mapping
from typing import Final

from alerts.calendars import Calendar
from dashboards import words
from gateway.demo.story import ChronicleLine, DemoStory, Look, SentText
from telemetry.reading import Millis

RULES: Final[Mapping[str, str]] = words.RULES
RUNS: Final[Mapping[str, str]] = {state: word for state, (word, _) in words.RUNS.items()}
LOOKS: Final[Mapping[Look, tuple[str, str]]] = {
    Look.UNHEARD: ("·", "dim"),
    Look.FINE: (" ", "green"),
    Look.OVER: ("▲", "bold yellow"),
    Look.FULL: ("■", "bold red"),
    Look.HOT: ("♨", "bold red"),
    Look.SILENT: ("?", "bright_black"),
}
"""A sign and a colour each: colour never says anything alone."""
LEGEND: Final = "▲过三分之二  ■满溢  ♨热  ?失联（不等于空）"
_REASONS: Final[Mapping[str, str]] = {
    "grouped": "几件并成一条，稍后发",
    "budget": "这个号码短信太多，稍后并成一条",
    "daily_cap": "今天已发满，明早再发",
    "storm": "告警太多，改发汇总",
    "round_pending": "等这班来清，先不发",
    "trial": "试用期，先不发",
    "quiet": "夜里不发，早上六点半发",
    "hours": "等到早上再发",
    "weekly_list": "进每周清单，不单发",
    "recovering": "正在好转，先看看",
    "late": "迟到的数据，不补发",
    "emptied": "已清运",
    "recovered": "已恢复",
    "cycles": "已恢复",
    "reset": "已复位",
}
_EVENTS: Final[Mapping[str, str]] = {
    "raised": "发现",
    "cleared": "解除",
    "emptied": "已清运",
    "partly_emptied": "清了一部分",
    "held": "暂不发短信",
    "inhibited": "原因已另报",
    "round_missed": "这班漏清",
    "acked": "已确认",
    "reset": "已复位",
}


def clock(calendar: Calendar, at_ms: Millis) -> str:
    """08:41."""
    return calendar.local(at_ms).strftime("%H:%M")


def name(story: DemoStory, line: ChronicleLine) -> str:
    """柳潭3号: what it is about, as people call it."""
    asset = story.inventory.assets.get(line.asset)
    if asset is not None:
        return asset.short
    place = story.inventory.radio_gateways.get(line.asset) or story.inventory.areas.get(line.asset)
    return line.asset if place is None else place.name


def chronicle(story: DemoStory, line: ChronicleLine) -> str:
    """柳潭3号 暂不发短信 过三分之二（等这班来清，先不发）."""
    why = _REASONS.get(line.reason, "")
    rule = RULES.get(line.rule, line.rule)
    return f"{name(story, line)} {_EVENTS[line.event]} {rule}{f'（{why}）' if why else ''}".replace("  ", " ").rstrip()


def tell_line(story: DemoStory, calendar: Calendar, what: ChronicleLine | SentText) -> str:
    """One line of the plain log."""
    at = clock(calendar, what.at_ms)
    if isinstance(what, ChronicleLine):
        return f"{at} {chronicle(story, what)}"
    person = story.inventory.people.get(what.to)
    return f"{at} 短信 → {what.to if person is None else person.name} {what.phone}：{what.text}"


def desk(link: str) -> str:
    """Where the visitor looks, and that it is theirs alone."""
    return f"值班台：{link}（只在这台机器上，演示结束就没有了）"


def summary(story: DemoStory, begun: str, ended: str) -> str:
    """The last line: what happened."""
    return (
        f"演示结束（{begun}—{ended}）：收到{story.readings}条读数，发现{story.raised}次、解除{story.cleared}次，"
        f"清运{story.emptied}次，暂不发{story.held}次，发出短信{story.texts}条。"
    )
