"""Until when somebody is told of a standing P1 or P2, as alerting.md §4 says it: written a second time, by hand.

Instants in epoch milliseconds, local time Asia/Shanghai. Nothing here asks the house.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from telemetry.inventory import Asset
from telemetry.reading import Millis
from tests.telling_county import MINUTE

ZONE: Final = ZoneInfo("Asia/Shanghai")


def bound_ms(kind: str, asset: Asset, at_ms: Millis) -> Millis:
    """alerting.md §4, by hand."""
    hour = local(at_ms).hour
    large = asset.plant is not None and asset.plant.design_m3d >= 100
    if kind == "fire":
        return at_ms + 2 * MINUTE
    if kind == "level_high" and large:
        return at_ms + 15 * MINUTE
    if kind == "overflow":
        by_day, within, morning = 6 <= hour < (21 if asset.roadside else 19), 15 * MINUTE, (6, 45)
    elif kind == "hot_ash":
        by_day, within, morning = 6 <= hour < 21, 15 * MINUTE, (6, 45)
    else:
        by_day, within, morning = 6 <= hour < 21, 45 * MINUTE, (7, 15)
    bound_ms = at_ms + within if by_day else _next(at_ms, *morning)
    return max(bound_ms, waited_for_ms(kind, asset, at_ms))


def waited_for_ms(kind: str, asset: Asset, at_ms: Millis) -> Millis:
    """Until when a round of its own is waited for, by day or from half past six on; 0 for what waits for none."""
    by_day = 6 <= local(at_ms).hour < (21 if asset.roadside else 19)
    return _own_round_ms(asset, at_ms if by_day else _next(at_ms, 6, 30)) if kind == "overflow" else 0


def _own_round_ms(asset: Asset, at_ms: Millis) -> Millis:
    """Half an hour after the end of a round of its own that runs then or begins within the hour."""
    if asset.collection is None:
        return 0
    ends = [(7, 0, 11, 0), (14, 30, 16, 30)]
    for begin_hour, begin_minute, end_hour, end_minute in ends:
        day = local(at_ms).replace(hour=0, minute=0)
        begin = day + timedelta(hours=begin_hour, minutes=begin_minute)
        end = day + timedelta(hours=end_hour, minutes=end_minute)
        if begin - timedelta(hours=1) <= local(at_ms) < end:
            return round(end.timestamp() * 1_000) + 30 * MINUTE
    return 0


def _next(at_ms: Millis, hour: int, minute: int) -> Millis:
    found = local(at_ms).replace(hour=hour, minute=minute, second=0)
    if found < local(at_ms):
        found += timedelta(days=1)
    return round(found.timestamp() * 1_000)


def local(at_ms: Millis) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, tz=ZONE)
