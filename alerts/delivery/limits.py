"""Limits of providers on texts of one template to one number: which was met, and when it opens again.

Pure. What becomes of a text that a limit keeps is ``delivery``; our own caps, below the provider's, are there, too.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.reading import Millis

_CHINA: Final = timezone(timedelta(hours=8))
_A_MONTH_MOST: Final = timedelta(days=32)


class Limited(NamedTuple):
    """A text to a number that a provider did not take, since it had had enough of its like; ``at_ms`` is when."""

    via: str
    template: str
    reason: str
    at_ms: Millis

    @property
    def opens_ms(self) -> Millis:
        """When the provider may take one again."""
        return LIMITS[self.reason](self.at_ms)


def _next_day(at_ms: Millis) -> Millis:
    local = datetime.fromtimestamp(at_ms / 1_000, _CHINA)
    return _to_ms(datetime(local.year, local.month, local.day, tzinfo=_CHINA) + timedelta(days=1))


def _next_month(at_ms: Millis) -> Millis:
    local = datetime.fromtimestamp(at_ms / 1_000, _CHINA)
    return _to_ms((datetime(local.year, local.month, 1, tzinfo=_CHINA) + _A_MONTH_MOST).replace(day=1))


def _to_ms(moment: datetime) -> Millis:
    return int(moment.timestamp()) * 1_000


LIMITS: Final[Mapping[str, Callable[[Millis], Millis]]] = MappingProxyType(
    {
        "limit_minute": lambda at_ms: at_ms + 60_000,
        "limit_hour": lambda at_ms: at_ms + 3_600_000,
        "limit_day": _next_day,
        "limit_month": _next_month,
    }
)
"""By the reason that a channel gives: when a limit that was met at an instant opens. Days and months are China's."""
