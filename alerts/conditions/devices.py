"""A device's signs of life: when it was first known and last seen, and what it said of itself. No rule stands here."""

from msgspec import Struct
from msgspec.structs import replace

from alerts.conditions.traffic import SILENT, HourlyTraffic
from telemetry.reading import Millis, Reading


class DeviceMemory(Struct, frozen=True, gc=False, array_like=True):
    """A device's signs of life. ``known``, ``seen`` are receive time, ``observed`` is event time; 0 is never."""

    known_ms: Millis
    seen_ms: Millis = 0
    observed_ms: Millis = 0
    shift_ms: Millis = 0
    """Our own downtime since it was last seen: it could not have been heard."""
    battery_pct: float | None = None
    boot: int = -1
    seq: int = -1
    """Which sample was processed last."""
    bridged_ms: Millis = 0
    """Up to when a silence was bridged by a sign of life that carried no sample; 0 once a sample has come."""
    traffic: HourlyTraffic = SILENT
    """How much it says."""

    def in_order(self, reading: Reading) -> Reading:
        """A device's next sample is never older than the one before: its clock jumped back, time did not."""
        if (
            reading.observed_ms >= self.observed_ms
            or reading.late
            or (reading.boot == self.boot and reading.seq < self.seq)
        ):
            return reading
        return replace(reading, observed_ms=self.observed_ms)


def hear(memory: DeviceMemory, reading: Reading, *, older: bool) -> DeviceMemory:
    """The memory after a message; one older than the last processed is a sign of life and nothing else."""
    if older:
        return replace(memory, seen_ms=reading.received_ms, shift_ms=0)
    battery = reading.values.battery_pct
    return DeviceMemory(
        memory.known_ms,
        reading.received_ms,
        reading.observed_ms,
        0,
        memory.battery_pct if battery is None else battery,
        reading.boot,
        reading.seq,
        0,
        memory.traffic,
    )
