"""The demo on a terminal: the county, its alerts and the texts as they go out, drawn anew a few times a second.

Words, Chinese first, and drawing only; what is shown is ``story``. Texts that leave the house are in ``config/``.
"""

from collections.abc import Mapping
from typing import Final

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.calendars import Calendar
from dashboards import words
from gateway.demo.story import BinSeen, ChronicleLine, DemoStory, Look, SentText
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


_SEVERITY = {"P1": "bold white on red", "P2": "bold red", "P3": "yellow", "P4": "dim"}


def picture(
    story: DemoStory, calendar: Calendar, now_ms: Millis, speed: float, height: int, link: str
) -> RenderableType:
    """The whole screen at this instant."""
    layout = Layout()
    layout.split_column(
        Layout(_header(story, calendar, now_ms, speed), size=3),
        Layout(name="middle"),
        Layout(Columns([Text(desk(link), style="cyan"), Text("Ctrl-C 结束", style="dim")]), size=1),
    )
    layout["middle"].split_row(Layout(name="county", ratio=5), Layout(name="said", ratio=6))
    layout["county"].split_column(
        Layout(_bins(story), size=len(_villages(story)) + 2),
        Layout(_open(story, calendar), name="open"),
        Layout(_plants(story, calendar), size=len(story.plants) + 2),
    )
    rows = max(4, height - 6)
    layout["said"].split_column(
        Layout(_texts(story, calendar, rows // 2), ratio=1), Layout(_chronicle(story, calendar, rows // 2), ratio=1)
    )
    return layout


def _header(story: DemoStory, calendar: Calendar, now_ms: Millis, speed: float) -> Panel:
    text = Text.assemble(
        ("村净 ", "bold"),
        f"{story.inventory.county.name}  ",
        (calendar.local(now_ms).strftime("%m月%d日 %H:%M"), "bold cyan"),
        (f"（快{speed:g}倍）   ", "dim"),
        ("此刻过线 ", ""),
        (f"{story.over}处", "bold yellow"),
        f"   已发短信 {story.texts}   读数 {story.readings}",
    )
    return Panel(text, border_style="cyan")


def _villages(story: DemoStory) -> dict[str, list[BinSeen]]:
    """The bins of each village that has some, by its name."""
    found: dict[str, list[BinSeen]] = {}
    for seen in story.bins.values():
        found.setdefault(story.inventory.areas[seen.asset.area].name, []).append(seen)
    return found


def _bins(story: DemoStory) -> Panel:
    lines = [
        Text.assemble((f"{village} ", "bold"), *(_cell(one) for one in seen))
        for village, seen in _villages(story).items()
    ]
    return Panel(Group(*lines), title="垃圾池和桶（装了百分之几）", subtitle=LEGEND, border_style="green")


def _open(story: DemoStory, calendar: Calendar) -> Panel:
    """What is wrong now, the gravest first."""
    table = Table.grid(padding=(0, 2))
    for line in sorted(story.open.values(), key=lambda line: (line.severity, line.at_ms)):
        rule = Text(RULES.get(line.rule, line.rule), style=_SEVERITY.get(line.severity, ""))
        table.add_row(rule, name(story, line), clock(calendar, line.at_ms) + "起")
    return Panel(table, title=f"未解除 {len(story.open)}", border_style="yellow")


def _cell(seen: BinSeen) -> Text:
    sign, style = LOOKS[seen.look]
    level = " --" if seen.look is Look.UNHEARD else f"{seen.memory.fill_pct:3.0f}"
    return Text(f"{level}{sign} ", style=style)


def _plants(story: DemoStory, calendar: Calendar) -> Panel:
    table = Table.grid(padding=(0, 1))
    for _ in range(5):
        table.add_column(no_wrap=True)
    for plant in story.plants.values():
        flow = "" if plant.flow_m3h is None else f"{plant.flow_m3h:.1f}方/时"
        level = "" if plant.level_mm is None else f"水位{plant.level_mm / 1000:.2f}米"
        since = clock(calendar, plant.since_ms) + "起" if plant.since_ms else ""
        style = {"stopped": "bold red", "no_power": "bold red", "offline": "bright_black", "running": "green"}
        run = Text(RUNS[plant.run], style=style.get(plant.run, ""))
        table.add_row(plant.asset.short, run, since, flow, level)
    return Panel(table, title="污水站", border_style="blue")


def _texts(story: DemoStory, calendar: Calendar, rows: int) -> Panel:
    lines: list[RenderableType] = []
    for told in list(story.told)[-max(1, rows // 3) :]:
        person = story.inventory.people.get(told.to)
        name = told.to if person is None else person.name
        lines.append(Text(f"{clock(calendar, told.at_ms)} → {name} {told.phone}", style="dim"))
        lines.append(Text(told.text, style="bold"))
    return Panel(Group(*lines) if lines else Text("还没有", style="dim"), title="发出的短信", border_style="magenta")


def _chronicle(story: DemoStory, calendar: Calendar, rows: int) -> Panel:
    lines = [_occurrence(story, calendar, line) for line in list(story.lines)[-max(1, rows - 3) :]]
    return Panel(Group(*lines) if lines else Text("还没有", style="dim"), title="发生了什么", border_style="white")


def _occurrence(story: DemoStory, calendar: Calendar, line: ChronicleLine) -> Text:
    """One line of the chronicle; what is raised has the colour of its severity, what is over is green."""
    styles = {"raised": _SEVERITY.get(line.severity, ""), "cleared": "green"}
    said = f"{clock(calendar, line.at_ms)} {chronicle(story, line)}"
    return Text(said, style=styles.get(line.event, ""), no_wrap=True, overflow="ellipsis")
