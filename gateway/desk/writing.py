"""How times, spans and numbers of telephones are written for people in the county. Pure; an instant is an argument."""

from collections.abc import Callable
from typing import Any, Final

from alerts.calendars import DAY_MS, MINUTE_MS, Calendar
from telemetry.reading import Millis

_HOUR_MS: Final = 60 * MINUTE_MS


def span(ms: Millis) -> str:
    """5分钟, 3小时20分, 2天4小时: how long something has lasted."""
    minutes = max(0, ms // MINUTE_MS)
    if minutes < 60:  # noqa: PLR2004 -- an hour
        return f"{minutes}分钟"
    if ms < DAY_MS:
        rest = minutes % 60
        return f"{minutes // 60}小时{f'{rest}分' if rest else ''}"
    rest = ms % DAY_MS // _HOUR_MS
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
