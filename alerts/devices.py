"""A device's signs of life: when it was first known and last seen, and what it said of itself. No rule stands here."""

from msgspec import Struct

from telemetry.reading import Millis, Reading


class DeviceMemory(Struct, frozen=True, gc=False, array_like=True):
    """A device's signs of life. ``known``, ``seen`` are receive time, ``observed`` is event time; 0 is never."""

    known_ms: Millis
    seen_ms: Millis = 0
    observed_ms: Millis = 0
    shift_ms: Millis = 0
    """Our own downtime since it was last seen: it could not have been heard."""
    battery_pct: float | None = None


def hear(memory: DeviceMemory, reading: Reading, *, older: bool) -> DeviceMemory:
    """The memory after a message; one older than the last processed is a sign of life and nothing else."""
    battery = reading.values.battery_pct
    return DeviceMemory(
        memory.known_ms,
        reading.received_ms,
        memory.observed_ms if older else reading.observed_ms,
        0,
        memory.battery_pct if older or battery is None else battery,
    )
