"""How the desk writes: what the code's names are called, out of its catalogue; times, spans and telephone numbers.

No sentence of a page stands here, and no clock is read: an instant is an argument. The catalogue is one file, but for
the words of a command, which stand beside it (``WORDS``): whoever adds one, or takes it out, opens no other file.

A name that the catalogue lacks is shown as it is, so that a new event is seen before somebody has found a word for it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from dashboards import words as boards
from gateway.commands import wordings
from telemetry.reading import QUANTITIES, Millis

CATALOGUE: Final = Path(__file__).with_name("words.zh-CN.yaml")


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """The whole file, and in its tables the words that a command brings with it."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text("utf-8"))
    for command in wordings():
        called, said = command.deed
        found["deeds"][called] = said
        found["events"] |= {name: row for name, (row, _) in command.becomes.items() if row}
        found["outcomes"] |= {name: answer for name, (_, answer) in command.becomes.items()}
        found["refusals"] |= command.refusals
    return found


def word(table: str, name: str) -> str:
    """What ``name`` is called; of a word with a sign, the word."""
    found = catalogue()[table].get(name, name)
    return found[1] if isinstance(found, list) else str(found)


def sign(table: str, name: str) -> str:
    """The sign in front of a word, which says the same to those who do not see its colour."""
    found = catalogue()[table].get(name, "")
    return str(found[0]) if isinstance(found, list) else ""


def rule(name: str) -> str:
    """What a rule is called, on the desk as on the boards."""
    return boards.RULES.get(name) or catalogue()["orders"].get(name) or word("notices", name)


def severity(name: str) -> str:
    """一级: how a severity is called."""
    return boards.SEVERITIES[name][0] if name in boards.SEVERITIES else name


def quantity(name: str, value: float) -> str:
    """距离 412 毫米."""
    called, unit = catalogue()["quantities"].get(name, [name, ""])
    if name in QUANTITIES and QUANTITIES[name].is_flag:
        return f"{called} {word('flags', 'yes' if value else 'no')}"
    shown = f"{value:.1f}".rstrip("0").rstrip(".")
    return f"{called} {shown}{f' {unit}' if unit else ''}"


def subject(name: str) -> str:
    """电量: what a value is called, or a part beside the values."""
    found = catalogue()["quantities"].get(name)
    return str(found[0]) if found else word("parts", name)


def moment(calendar: Calendar, typed: str) -> Millis | None:
    """The instant of ``2026-11-24T17:00`` in the county; ``None`` for what is no moment."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return round((at if at.tzinfo is not None else at.replace(tzinfo=calendar.zone)).timestamp() * 1000)


def span(ms: Millis) -> str:
    """5分钟, 3小时20分, 2天4小时: how long something has lasted."""
    minutes = max(0, ms // MINUTE_MS)
    if minutes < 60:  # noqa: PLR2004 -- an hour
        return f"{minutes}分钟"
    if ms < DAY_MS:
        rest = minutes % 60
        return f"{minutes // 60}小时{f'{rest}分' if rest else ''}"
    rest = ms % DAY_MS // HOUR_MS
    return f"{ms // DAY_MS}天{f'{rest}小时' if rest else ''}"


def masked(phone: str) -> str:
    """139****0001: enough to tell two people apart."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"  # noqa: PLR2004 -- shorter ones are not for showing


def clock(calendar: Calendar, now_ms: Millis) -> Callable[[Millis], str]:
    """How an instant is written on a page of ``now_ms``: the time alone today, else with its day."""
    today = calendar.local(now_ms).date()

    def written(at_ms: Millis) -> str:
        at = calendar.local(at_ms)
        if at.date() == today:
            return at.strftime("%H:%M")
        if abs((at.date() - today).days) == 1:
            return f"{'明天' if at.date() > today else '昨天'}{at:%H:%M}"
        return f"{at.month}月{at.day}日{at:%H:%M}"

    return written


def date_of(calendar: Calendar, now_ms: Millis) -> dict[str, Any]:
    """The day for the head of a page: 11月24日 星期二."""
    at = calendar.local(now_ms)
    return {"day": f"{at.month}月{at.day}日", "weekday": f"星期{'一二三四五六日'[at.weekday()]}", "time": f"{at:%H:%M}"}
