"""Our own JSON: ``cunjing/v1/{county}/{device}/{telemetry|status|cmd}`` (design.md §5).

A strict decoder reads what is flawless, which is nearly everything; whatever it will not take goes to ``diagnosis``,
which finds what is wrong, or that only an unknown key was in the way. No range is written here.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from telemetry.diagnosis import FIRMWARE, diagnose, diagnose_status
from telemetry.envelopes import NATIVE_PROFILE, Envelope
from telemetry.inventory import Device, Inventory
from telemetry.reading import QUANTITIES, Sample, Values
from telemetry.wire import (
    MAX_CLOCK,
    MAX_COUNTER,
    MAX_SAMPLES,
    Address,
    Decoded,
    Ignored,
    Reader,
    Reason,
    Rejected,
    Samples,
    Status,
    Traffic,
    quoted,
)

_TOPIC: Final = re.compile(r"cunjing/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/(telemetry|status|cmd)")

_Counter = Annotated[int, Meta(ge=0, le=MAX_COUNTER)]
_DeviceMillis = Annotated[int, Meta(ge=0, le=MAX_CLOCK)]


class _Flawless(Struct, gc=False, forbid_unknown_fields=True):
    """A sample with nothing to complain of: known keys only, every value of the right type and in its range."""

    v: Literal[1]
    boot: _Counter
    seq: _Counter
    readings: Values
    ts: _DeviceMillis | None = None
    up: Annotated[float, Meta(ge=0, le=MAX_CLOCK)] | None = None


class _Status(Struct, gc=False):
    """A status as it stands on the wire; keys we do not know are ignored."""

    online: bool
    boot: _Counter | None = None
    fw: Annotated[str, Meta(pattern=rf"^{FIRMWARE.pattern}\Z")] | None = None
    ts: _DeviceMillis | None = None


_flawless = msgspec.json.Decoder(_Flawless | Annotated[list[_Flawless], Meta(min_length=1, max_length=MAX_SAMPLES)])
_status = msgspec.json.Decoder(_Status)
_fields = msgspec.structs.astuple
_ALL_QUANTITIES: Final = len(QUANTITIES)
_REQUIRED_KEYS: Final = 4


def _read_telemetry(payload: bytes, device: Device) -> Decoded:
    try:
        wire = _flawless.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return diagnose(payload, device.id)
    if isinstance(wire, _Flawless):
        pairs = _pairs(wire)
        samples: tuple[Sample, ...] = (Sample(wire.boot, wire.seq, wire.readings, wire.ts, wire.up),)
    else:
        each = [_pairs(one) for one in wire]
        pairs = sum(each) if all(each) else 0
        samples = tuple([Sample(one.boot, one.seq, one.readings, one.ts, one.up) for one in wire])
    return Samples(device.id, samples) if payload.count(b":") == pairs else diagnose(payload, device.id)


def _pairs(wire: _Flawless) -> int:
    """How many pairs of a sample became a field with a value: the colons that it should have; 0 without readings.

    No known key and no number holds a colon. If there are more, then a key stood there twice or a value was null,
    which the decoder lets pass and we do not.
    """
    spoken = _ALL_QUANTITIES - _fields(wire.readings).count(None)
    return spoken and _REQUIRED_KEYS + spoken + (wire.ts is not None) + (wire.up is not None)


def _read_status(payload: bytes, device: Device) -> Decoded:
    try:
        wire = _status.decode(payload)
    except msgspec.ValidationError:
        found = diagnose_status(payload)
        return found if isinstance(found, Rejected) else Status(device.id, *found)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        return Rejected(Reason.NOT_JSON, f"a status: {fault}")
    return Status(device.id, wire.online, wire.boot, wire.fw, wire.ts)


def _read_command(_payload: bytes, _device: Device) -> Decoded:
    """Our own words, coming back to us."""
    return Ignored(Traffic.COMMAND)


_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {"telemetry": _read_telemetry, "status": _read_status, "cmd": _read_command}
)


def _topics(inventory: Inventory) -> Iterator[str]:
    for device in inventory.devices.values():
        for kind in _READERS:
            yield f"cunjing/v1/{inventory.county.id}/{device.id}/{kind}"


def _match(topic: str, inventory: Inventory) -> Address | Rejected | None:
    parts = _TOPIC.fullmatch(topic)
    if parts is None:
        return None
    county, name, kind = parts.groups()
    if county != inventory.county.id:
        return Rejected(Reason.UNKNOWN_TOPIC, f"county {quoted(county)} is not ours, {inventory.county.id} is")
    device = inventory.devices.get(name)
    if device is None:
        return Rejected(Reason.UNKNOWN_DEVICE, f"no device {quoted(name)} in the inventory")
    if device.profile != NATIVE_PROFILE:
        return Rejected(
            Reason.WRONG_ENVELOPE,
            f"{device.id} has the profile {device.profile} in the inventory, but came in the native envelope",
        )
    return Address(device, _READERS[kind])


ENVELOPE: Final = Envelope(name="native", topics=_topics, match=_match, read=_read_telemetry)
