"""Milesight EM400-MUD, -UDL and -TLD: ultrasonic or laser distance, temperature, tilt and battery.

The layout is the maker's (Milesight-IoT/SensorDecoders, em-series/em400-mud and -tld): id, type and a little-endian
value, again and again. Thresholds set in the device are not used here: its alarm bytes are read over, as are its words
about itself and its answers to downlinks.
"""

from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.codecs import F_PORT, Codec, Frame, Record, Said, Settings
from telemetry.diagnosis import number_fault
from telemetry.reading import RefusedValue, Values
from telemetry.wire import Ignored, Reason, Rejected, Traffic


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

_ANSWERS: Final[Mapping[int, int]] = MappingProxyType(
    {
        0x02: 2,  # collection interval
        0x03: 2,  # report interval
        0x06: 9,  # threshold alarm
        0x10: 1,  # reboot
        0x13: 1,  # whether the installation height is used
        0x1C: 2,  # how often a failed measurement is tried again
        0x28: 1,  # status asked for
        0x3E: 1,  # whether a tilt stops the measurement
        0x4A: 1,  # time asked for
        0x56: 1,  # time-of-flight detection
        0x70: 2,  # height from which something is there
        0x71: 1,  # working mode
        0x77: 2,  # installation height
        0xA1: 1,  # whether a tilt is reported
        0xA2: 2,  # disassembly alarm
        0xA3: 1,  # priority of SIM cards
        0xA4: 1,  # interval of convergence
    }
)
"""Bytes after a downlink's answer, by its type. Older firmware answers under ``fe``, newer under ``ff``."""

_READ_OVER: Final[Mapping[bytes, int]] = MappingProxyType(
    {bytes((answering, kind)): size for kind, size in _ANSWERS.items() for answering in (0xFE, 0xFF)}
    | {
        b"\x88\x00": 1,  # disassembly alarm of the -TLD: the bin was moved, which nothing here watches
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
"""Bytes after a channel that measures nothing."""

_SENT: Final = (b"\x01\x75", b"\x03\x67", b"\x04\x82", b"\x05\x00")
"""The channels of a periodic report, in the device's order."""


def _decode(payload: bytes, _port: int, _settings: Settings) -> Said:
    values: dict[str, float] = {}
    refused: dict[str, RefusedValue] = {}
    at = 0
    while at < len(payload):
        key = payload[at : at + _KEY_SIZE]
        channel = _CHANNELS.get(key)
        size = _READ_OVER.get(key) if channel is None else channel.size
        if size is None and len(key) == _KEY_SIZE:
            return _said(values, refused, unknown=key.hex(" "))
        at += _KEY_SIZE
        if size is None or at + size > len(payload):
            return Rejected(Reason.BAD_FRAME, f"the frame ends in the middle of channel {key.hex(' ')}")
        if channel is not None:
            value = channel.value.unpack_from(payload, at)[0] / channel.steps
            fault = number_fault(channel.quantity, value)
            if fault is None:
                values[channel.quantity] = value
            else:
                refused[channel.quantity] = fault
        at += size
    return _said(values, refused)


def _said(values: Mapping[str, float], refused: Mapping[str, RefusedValue], unknown: str = "") -> Said:
    """Values if one of them counts; of a channel that came twice the last that could be read counts."""
    faults = tuple(refused.values())
    if values:
        return Frame((Record(Values(**values), faults),), unknown)
    if faults:
        return Rejected(faults[0].reason, faults[0].detail)
    if unknown:
        return Rejected(Reason.NO_READINGS, f"the frame measures nothing before its unknown channel {unknown}")
    return Ignored(Traffic.INFORMATION, alive=True)


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


CODEC: Final = Codec(profile="milesight-em400", settings={F_PORT: 85}, decode_own=_decode, encode=_encode)
