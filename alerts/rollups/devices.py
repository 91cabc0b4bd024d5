"""What an hour of a device comes to: how many readings there were and should be, and what it said of itself."""

from collections.abc import Sequence
from statistics import fmean

from alerts.rollups.rows import DeviceRow
from alerts.rollups.windows import Period
from telemetry.inventory import Device
from telemetry.reading import Millis, Reading


def fold(device: Device, known_ms: Millis, readings: Sequence[Reading], window: Period) -> DeviceRow | None:
    """The row of a window, from the device's own readings in it; ``None`` before it was known, unless it spoke."""
    followed_ms = window.end_ms - max(window.start_ms, known_ms)
    if followed_ms <= 0 and not readings:
        return None
    values = [reading.values for reading in readings]
    return DeviceRow(
        len(readings),
        max(0, followed_ms) / (device.interval_s * 1_000),
        min((each.battery_pct for each in values if each.battery_pct is not None), default=None),
        _mean([each.rssi_dbm for each in values if each.rssi_dbm is not None]),
        _mean([each.snr_db for each in values if each.snr_db is not None]),
        _mean([(reading.received_ms - reading.observed_ms) / 1_000 for reading in readings]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
