"""The demo on a terminal: the county, its alerts and the texts as they go out, drawn anew a few times a second.

Drawing only; what is shown is ``story``, in which words is ``words``.
"""

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.calendars import Calendar
from gateway.demo import words
from gateway.demo.story import BinSeen, ChronicleLine, DemoStory, Look
from telemetry.reading import Millis

_SEVERITY = {"P1": "bold white on red", "P2": "bold red", "P3": "yellow", "P4": "dim"}


def picture(
    story: DemoStory, calendar: Calendar, now_ms: Millis, speed: float, height: int, link: str
) -> RenderableType:
    """The whole screen at this instant."""
    layout = Layout()
    layout.split_column(
        Layout(_header(story, calendar, now_ms, speed), size=3), Layout(name="middle"), Layout(_footer(link), size=1)
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
    return Panel(Group(*lines), title="垃圾池和桶（装了百分之几）", subtitle=words.LEGEND, border_style="green")


def _open(story: DemoStory, calendar: Calendar) -> Panel:
    """What is wrong now, the gravest first."""
    table = Table.grid(padding=(0, 2))
    for line in sorted(story.open.values(), key=lambda line: (line.severity, line.at_ms)):
        rule = Text(words.RULES.get(line.rule, line.rule), style=_SEVERITY.get(line.severity, ""))
        table.add_row(rule, words.name(story, line), words.clock(calendar, line.at_ms) + "起")
    return Panel(table, title=f"未解除 {len(story.open)}", border_style="yellow")


def _cell(seen: BinSeen) -> Text:
    sign, style = words.LOOKS[seen.look]
    level = " --" if seen.look is Look.UNHEARD else f"{seen.memory.fill_pct:3.0f}"
    return Text(f"{level}{sign} ", style=style)


def _plants(story: DemoStory, calendar: Calendar) -> Panel:
    table = Table.grid(padding=(0, 1))
    for _ in range(5):
        table.add_column(no_wrap=True)
    for plant in story.plants.values():
        flow = "" if plant.flow_m3h is None else f"{plant.flow_m3h:.1f}方/时"
        level = "" if plant.level_mm is None else f"水位{plant.level_mm / 1000:.2f}米"
        since = words.clock(calendar, plant.since_ms) + "起" if plant.since_ms else ""
        style = {"stopped": "bold red", "no_power": "bold red", "offline": "bright_black", "running": "green"}
        run = Text(words.RUNS[plant.run], style=style.get(plant.run, ""))
        table.add_row(plant.asset.short, run, since, flow, level)
    return Panel(table, title="污水站", border_style="blue")


def _texts(story: DemoStory, calendar: Calendar, rows: int) -> Panel:
    lines: list[RenderableType] = []
    for told in list(story.told)[-max(1, rows // 3) :]:
        person = story.inventory.people.get(told.to)
        name = told.to if person is None else person.name
        lines.append(Text(f"{words.clock(calendar, told.at_ms)} → {name} {told.phone}", style="dim"))
        lines.append(Text(told.text, style="bold"))
    return Panel(Group(*lines) if lines else Text("还没有", style="dim"), title="发出的短信", border_style="magenta")


def _chronicle(story: DemoStory, calendar: Calendar, rows: int) -> Panel:
    lines = [_occurrence(story, calendar, line) for line in list(story.lines)[-max(1, rows - 3) :]]
    return Panel(Group(*lines) if lines else Text("还没有", style="dim"), title="发生了什么", border_style="white")


def _occurrence(story: DemoStory, calendar: Calendar, line: ChronicleLine) -> Text:
    """One line of the chronicle; what is raised has the colour of its severity, what is over is green."""
    styles = {"raised": _SEVERITY.get(line.severity, ""), "cleared": "green"}
    said = f"{words.clock(calendar, line.at_ms)} {words.chronicle(story, line)}"
    return Text(said, style=styles.get(line.event, ""), no_wrap=True, overflow="ellipsis")


def _footer(link: str) -> Columns:
    return Columns([Text(words.desk(link), style="cyan"), Text("Ctrl-C 结束", style="dim")])
