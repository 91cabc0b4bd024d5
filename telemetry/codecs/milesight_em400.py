"""Milesight EM400-MUD, -UDL and -TLD: ultrasonic or laser distance, temperature, tilt and battery.

The layout is the maker's (Milesight-IoT/SensorDecoders, em-series/em400-mud, README): id, type and a little-endian
value, again and again. Thresholds set in the device are not used here: its alarm bytes are read over.
"""

from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.codecs import Codec, Frame
from telemetry.diagnosis import number_fault
from telemetry.reading import Values
from telemetry.wire import Reason, Rejected


class _Channel(NamedTuple):
    """One quantity's place in a frame: ``steps`` are the steps of a unit, ``size`` counts the alarm byte if any."""

    quantity: str
    value: Struct
    steps: int
    size: int


_KEY_SIZE: Final = 2
_BYTE: Final = Struct("<B")
_SIGNED: Final = Struct("<h")
_UNSIGNED: Final = Struct("<H")

_CHANNELS: Final[Mapping[bytes, _Channel]] = MappingProxyType(
    {
        b"\x01\x75": _Channel("battery_pct", _BYTE, 1, 1),
        b"\x03\x67": _Channel("temperature_c", _SIGNED, 10, 2),
        b"\x04\x82": _Channel("distance_mm", _UNSIGNED, 1, 2),
        b"\x05\x00": _Channel("tilt_flag", _BYTE, 1, 1),
        b"\x83\x67": _Channel("temperature_c", _SIGNED, 10, 3),
        b"\x84\x82": _Channel("distance_mm", _UNSIGNED, 1, 3),
    }
)

_ABOUT_ITSELF: Final[Mapping[bytes, int]] = MappingProxyType(
    {
        b"\xff\x01": 1,  # protocol version
        b"\xff\x09": 2,  # hardware version
        b"\xff\x0a": 2,  # firmware version
        b"\xff\x0b": 1,  # power on
        b"\xff\x0f": 1,  # LoRaWAN class
        b"\xff\x16": 8,  # serial number
        b"\xff\xfe": 1,  # reset event
        b"\xff\xff": 2,  # TSL version
    }
)

_SENT: Final = (b"\x01\x75", b"\x03\x67", b"\x04\x82", b"\x05\x00")
"""The channels of a periodic report, in the device's order."""


def _decode(frame: bytes, _f_port: int) -> Frame | Rejected:
    """Any port will do: it is a setting of the device."""
    if not frame:
        return Rejected(Reason.NO_READINGS, "the frame is empty")
    values: dict[str, float] = {}
    at = 0
    while at < len(frame):
        key = frame[at : at + _KEY_SIZE]
        channel = _CHANNELS.get(key)
        size = _ABOUT_ITSELF.get(key) if channel is None else channel.size
        if size is None and len(key) == _KEY_SIZE:
            return _frame(values, unknown=key)
        at += _KEY_SIZE
        if size is None or at + size > len(frame):
            return Rejected(Reason.BAD_FRAME, f"the frame ends in the middle of channel {key.hex(' ')}")
        if channel is not None:
            value = channel.value.unpack_from(frame, at)[0] / channel.steps
            fault = number_fault(channel.quantity, value)
            if fault is not None:
                return fault
            values[channel.quantity] = value
        at += size
    return _frame(values)


def _frame(values: Mapping[str, float], unknown: bytes = b"") -> Frame | Rejected:
    if values:
        return Frame(Values(**values), partial=bool(unknown))
    if unknown:
        return Rejected(Reason.NO_READINGS, f"the frame opens with the unknown channel {unknown.hex(' ')}")
    return Rejected(Reason.NO_READINGS, "the frame tells of the device itself (as after a join) and measures nothing")


def _encode(values: Values) -> bytes:
    """A periodic report: battery in 1 %, temperature in 0.1 °C, distance in 1 mm, tilt 0 or 1."""
    frame = b""
    left = {name for name in values.__struct_fields__ if getattr(values, name) is not None}
    for key in _SENT:
        channel = _CHANNELS[key]
        if channel.quantity in left:
            left.remove(channel.quantity)
            frame += key + channel.value.pack(round(getattr(values, channel.quantity) * channel.steps))
    if left:
        raise ValueError(f"an EM400 does not measure {', '.join(sorted(left))}")
    return frame


CODEC: Final = Codec(profile="milesight-em400", f_port=85, decode=_decode, encode=_encode)
