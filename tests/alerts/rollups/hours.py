"""A small county to fold: readings by the minute of one hour, and the folded rows."""

from collections.abc import Iterable
from typing import TypeVar

from alerts.build import assemble
from alerts.calendars import HOUR_MS
from alerts.rollups.assets import Followed
from alerts.rollups.rows import Period, Row
from telemetry.reading import Millis, Reading, TimeSource, Values
from telemetry.series import Measurement
from tests.laws.test_restart_laws import COUNTY, POLICY_FILES

MINUTE: Millis = 60_000
TEN: Millis = 1_795_399_200_000
"""2026-11-23 10:00 in the county."""
KNOWN = dict.fromkeys(COUNTY.devices, TEN - 30 * 24 * HOUR_MS)
PLANS = assemble(COUNTY, POLICY_FILES)[0].plans

R = TypeVar("R")


def hour(number: int = 0) -> Period:
    """The hour from ten, or so many later."""
    start_ms = TEN + number * HOUR_MS
    return Period(start_ms, start_ms + HOUR_MS)


def said(device: str, minute: float, seq: int | None = None, delay_ms: Millis = 0, **values: float) -> Reading:
    """What a device measured at a minute after ten."""
    at_ms = TEN + round(minute * MINUTE)
    asset = COUNTY.devices[device].asset
    return Reading(
        device,
        asset,
        1,
        round(minute * 60) if seq is None else seq,
        at_ms,
        at_ms + delay_ms,
        TimeSource.OK,
        late=False,
        values=Values(**values),
    )


def level(minute: float, fill_pct: float) -> Reading:
    """The pool's level: 1,200 mm to its floor, 1,000 mm from there to full."""
    return said("s-pool", minute, distance_mm=1_200.0 - 10.0 * fill_pct)


def followed(asset: str) -> Followed:
    return Followed(PLANS[asset], KNOWN)


def folded(asset: str, readings: Iterable[Reading], hours: int = 1) -> list[dict[tuple[Measurement, str], Row]]:
    """The rows of the hours from ten on, by subject."""
    told, carry, found = list(readings), None, []
    one = followed(asset)
    for number in range(hours):
        window = hour(number)
        own = [reading for reading in told if window.start_ms <= reading.observed_ms < window.end_ms]
        rows, carry = one.fold(carry, own, window)
        found.append({(row.measurement, row.subject): row.row for row in rows})
    return found


def rows(kind: type[R], asset: str, readings: Iterable[Reading], hours: int = 1) -> list[R]:
    """The rows of one kind, hour by hour."""
    return [row for each in folded(asset, readings, hours) for row in each.values() if isinstance(row, kind)]
