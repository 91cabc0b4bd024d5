"""ChirpStack v4 events in JSON: ``application/{application}/device/{dev_eui}/event/{event}``.

Field names are those of ``UplinkEvent`` in ChirpStack's ``integration.proto``. A strict decoder reads what ChirpStack
itself writes; every other form that protobuf's JSON mapping allows is read more slowly, and both say the same. The
frame is always decoded by our own codec, never taken from ``object``.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from telemetry.codecs import Frame, codecs
from telemetry.diagnosis import kind, number_fault, parsed
from telemetry.envelopes import NATIVE_PROFILE, Envelope
from telemetry.inventory import Device, Inventory
from telemetry.reading import Millis, RefusedValue, Sample, Values
from telemetry.sequence import UNCOUNTED, fingerprint
from telemetry.wire import (
    MAX_COUNTER,
    Address,
    Decoded,
    Ignored,
    Reason,
    Rejected,
    Samples,
    Traffic,
    quoted,
)

T = TypeVar("T")

_TOPIC: Final = re.compile(r"application/[^/]{1,64}/device/([0-9a-fA-F]{16})/(event|command)/([^/]{1,64})")
_UP: Final = "up"
_EVENTS: Final = frozenset(
    {
        *(Traffic.JOIN, Traffic.ACK, Traffic.TXACK, Traffic.STATUS),
        *(Traffic.LOG, Traffic.LOCATION, Traffic.INTEGRATION),
    }
)
"""Events beside ``up``. Only a join is a sign of life; the others are the network's own words or repeat an uplink's.

``ack`` and ``status`` (DevStatusAns) are made out of an uplink for which ChirpStack publishes ``up`` as well, under the
same ``deduplicationId``: counted here, one message of the device would be two.
"""
_MAX_PORT: Final = 255
_ADDRESS: Final = re.compile(r"[0-9a-fA-F]{8}")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?|NaN|-?Infinity", re.ASCII)
_TO_STANDARD: Final = str.maketrans("-_", "+/")


class _Reception(Struct, gc=False):
    """How one radio gateway heard the frame. A value that is left out is zero, as everywhere in protobuf."""

    rssi: float = 0.0
    snr: float = 0.0


class _DeviceInfo(Struct, gc=False, rename="camel"):
    dev_eui: str


class _Written(Struct, gc=False):
    """An event as ChirpStack writes it. One that has a field under its other name is not for this decoder."""

    device_info: _DeviceInfo = field(name="deviceInfo")
    dev_addr: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}\Z")] = field(name="devAddr")
    f_cnt: Annotated[int, Meta(ge=0, le=MAX_COUNTER)] = field(name="fCnt", default=0)
    f_port: Annotated[int, Meta(ge=0, le=_MAX_PORT)] = field(name="fPort", default=0)
    time: str = ""
    data: bytes = b""
    rx_info: list[_Reception] = field(name="rxInfo", default_factory=list)
    deduplication_id: str = field(name="deduplicationId", default="")
    join_server_context: dict[str, Any] | None = field(name="joinServerContext", default=None)
    other_f_cnt: None = field(name="f_cnt", default=None)
    other_f_port: None = field(name="f_port", default=None)
    other_rx_info: None = field(name="rx_info", default=None)
    other_deduplication_id: None = field(name="deduplication_id", default=None)
    other_join_server_context: None = field(name="join_server_context", default=None)


class ChirpStackEvent(NamedTuple):
    """What is read of an ``up`` or ``join`` event; ``refused`` are optional parts that cannot be read."""

    dev_eui: str
    dev_addr: int
    f_cnt: int
    f_port: int
    time_ms: Millis | None
    data: bytes
    receptions: list[_Reception]
    deduplication_id: str
    encrypted: bool
    refused: tuple[RefusedValue, ...]


class _UnreadableError(ValueError):
    """A field holds what it cannot; the sentence names it."""


_written = msgspec.json.Decoder(_Written)


def event(payload: bytes) -> ChirpStackEvent | Rejected:
    """An event in any form that protobuf's JSON mapping allows, or why it is none. Never raises."""
    try:
        payload.decode()
        wire = _written.decode(payload)
    except msgspec.ValidationError:
        return _by_the_mapping(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        return Rejected(Reason.NOT_JSON, f"a ChirpStack event: {fault}")
    time_ms, refused = _optional("time", _millis, wire.time)
    return ChirpStackEvent(
        wire.device_info.dev_eui.lower(),
        int(wire.dev_addr, 16),
        wire.f_cnt,
        wire.f_port,
        time_ms,
        wire.data,
        wire.rx_info,
        wire.deduplication_id,
        wire.join_server_context is not None,
        refused,
    )


def _by_the_mapping(payload: bytes) -> ChirpStackEvent | Rejected:
    """The same by protobuf's JSON mapping: names in both spellings, numbers as strings, ``null`` for nothing."""
    document = parsed(payload)
    if isinstance(document, Rejected):
        return Rejected(document.reason, f"a ChirpStack event: {document.detail}")
    try:
        return _read_table(_table(document, "an event"))
    except _UnreadableError as fault:
        return Rejected(Reason.BAD_ENVELOPE, f"a ChirpStack event: {fault}")


def _read_table(table: dict[str, Any]) -> ChirpStackEvent:
    """What tells whose frame it is, and the frame, must be readable; anything beside them is refused alone."""
    about = _table(_named(table, "deviceInfo"), "deviceInfo")
    address = _text(_named(table, "devAddr"), "devAddr")
    if not _ADDRESS.fullmatch(address):
        raise _UnreadableError(f"devAddr must be 8 hexadecimal digits, not {quoted(address)}")
    time_ms, no_time = _optional("time", lambda: _millis(_text(_named(table, "time"), "time")))
    receptions, no_receptions = _optional("rxInfo", lambda: _receptions(_named(table, "rxInfo")))
    name = "deduplicationId"
    deduplication_id, no_id = _optional(name, lambda: _text(_named(table, name), name))
    return ChirpStackEvent(
        _text(_named(about, "devEui"), "devEui").lower(),
        int(address, 16),
        _whole(_named(table, "fCnt"), "fCnt", MAX_COUNTER),
        _whole(_named(table, "fPort"), "fPort", _MAX_PORT),
        time_ms,
        _bytes(_named(table, "data")),
        receptions or [],
        deduplication_id or "",
        _named(table, "joinServerContext") is not None,
        (*no_time, *no_receptions, *no_id),
    )


def _optional(subject: str, read: Callable[..., T], *given: str) -> tuple[T | None, tuple[RefusedValue, ...]]:
    """Something beside the frame, or ``None`` with why it cannot be read: it costs only itself."""
    try:
        return read(*given), ()
    except _UnreadableError as fault:
        return None, (RefusedValue(subject, Reason.BAD_ENVELOPE, str(fault)),)


def _named(table: dict[str, Any], name: str) -> Any:  # noqa: ANN401 -- JSON, looked at by whoever asks
    """A field's value by either of its names, as protobuf has it: ``fCnt`` or ``f_cnt``."""
    other = re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
    if name != other and name in table and other in table:
        raise _UnreadableError(f"{name} stands there twice, once as {other}")
    return table.get(name, table.get(other))


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _UnreadableError(f"{name} must be an object, not {kind(value)}")
    return value


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _UnreadableError(f"{name} must be a string, not {kind(value)}")
    return value


def _whole(value: object, name: str, most: int) -> int:
    number = _number(value, name)
    if not (0 <= number <= most and number == int(number)):
        raise _UnreadableError(f"{name} must be an integer in 0…{most}, not {number:.20g}")
    return int(number)


def _number(value: object, name: str) -> float:
    """A number, or one in a string, exact where it is an integer."""
    if value is None:
        return 0
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnreadableError(
            f"{name} must be a number, not {quoted(value) if isinstance(value, str) else kind(value)}"
        )
    return value


def _bytes(value: object) -> bytes:
    """Base64 in the standard or the URL's alphabet, padded or not."""
    text = _text(value, "data").rstrip("=").translate(_TO_STANDARD)
    try:
        return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (Base64Error, ValueError) as fault:
        raise _UnreadableError(f"data is not base64: {fault}") from None


def _receptions(value: object) -> list[_Reception]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _UnreadableError(f"rxInfo must be a list, not {kind(value)}")
    return [_reception(one) for one in value]


def _reception(value: object) -> _Reception:
    heard = _table(value, "each of rxInfo")
    return _Reception(_number(_named(heard, "rssi"), "rssi"), _number(_named(heard, "snr"), "snr"))


def _millis(text: str) -> Millis | None:
    """RFC 3339, to the millisecond; 1970 or earlier is the time of a server without a clock."""
    if not text:
        return None
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise _UnreadableError(f"time must be like 2026-11-22T00:00:00.123Z, not {quoted(text)}")
    whole, fraction, zone = parts.groups()
    try:
        seconds = int(datetime.fromisoformat(whole + zone).timestamp())  # whole seconds, so that a float holds them
    except ValueError as fault:
        raise _UnreadableError(f"time is none: {fault}") from None
    millis = seconds * 1_000 + (int(f"{fraction}00"[:3]) if fraction else 0)
    return millis if millis > 0 else None


def _read(payload: bytes, device: Device) -> Decoded:
    """One frame of a device: session = devAddr, seq = fCnt. A device without a DevEUI may be read under any."""
    said = event(payload)
    if isinstance(said, Rejected):
        return said
    if device.dev_eui not in (None, said.dev_eui):
        return Rejected(Reason.BAD_ENVELOPE, f"deviceInfo.devEui is not {device.dev_eui}, as the topic says")
    codec = codecs().get(device.profile)
    if codec is None:
        return Rejected(Reason.UNKNOWN_PROFILE, f"{device.id}: no codec for the profile {device.profile}")
    if said.encrypted and said.f_port and said.data:
        detail = f"{device.id}: ChirpStack has no AppSKey to decrypt the frame with; have the join server hand it over"
        return Rejected(Reason.ENCRYPTED, detail)
    frame = codec.decode(said.data, said.f_port, device.settings)
    if isinstance(frame, Rejected):
        return frame
    sample = Sample(
        said.dev_addr,
        said.f_cnt,
        Values(),
        said.time_ms,
        refused=said.refused,
        fingerprint=fingerprint(said.deduplication_id, said.data),
    )
    if isinstance(frame, Ignored):
        return replace(frame, device=device.id, sample=sample)
    return Samples(device.id, _samples(frame, sample, said.receptions))


def _samples(frame: Frame, bare: Sample, receptions: Iterable[_Reception]) -> tuple[Sample, ...]:
    """A sample for each record; how the frame was heard belongs to the one that was taken when it was sent."""
    made = []
    for record in frame.records:
        values, refused = record.values, (*record.refused, *bare.refused)
        if record.ts_ms is None:
            values, unheard = _with_signal(values, receptions)
            refused += unheard
        ts_ms = bare.ts_ms if record.ts_ms is None else record.ts_ms
        made.append(
            Sample(bare.boot, bare.seq, values, ts_ms, None, frame.partial, refused, bare.fingerprint),
        )
    return tuple(made)


def _with_signal(values: Values, receptions: Iterable[_Reception]) -> tuple[Values, tuple[RefusedValue, ...]]:
    """The values with the strongest reception beside them, and the absurd ones, which are left out.

    An ``rssi`` of zero was left out by the network server: no antenna hears so much.
    """
    refused: dict[str, RefusedValue] = {}
    rssi_dbm = snr_db = None
    for one in receptions:
        fault = number_fault("rssi_dbm", one.rssi) if one.rssi else None
        if fault is not None:
            refused[fault.subject] = fault
        elif one.rssi and (rssi_dbm is None or one.rssi > rssi_dbm):
            rssi_dbm, snr_db = float(one.rssi), float(one.snr)
    if rssi_dbm is None or snr_db is None:
        return values, tuple(refused.values())
    fault = number_fault("snr_db", snr_db)
    if fault is not None:
        refused[fault.subject], snr_db = fault, None
    return replace(values, rssi_dbm=rssi_dbm, snr_db=snr_db), tuple(refused.values())


def _read_join(payload: bytes, device: Device) -> Ignored:
    """A join is a sign of life of whoever it names; one that cannot be read is nobody's."""
    said = event(payload)
    if isinstance(said, Rejected) or device.dev_eui not in (None, said.dev_eui):
        return Ignored(Traffic.JOIN)
    mark = fingerprint(said.deduplication_id, b"")
    sample = Sample(said.dev_addr, UNCOUNTED, Values(), said.time_ms, refused=said.refused, fingerprint=mark)
    return Ignored(Traffic.JOIN, alive=True, device=device.id, sample=sample)


def _topics(_inventory: Inventory) -> Iterable[str]:
    """None can be foreseen: the application's id is ChirpStack's own."""
    return ()


def _match(topic: str, inventory: Inventory) -> Address | Ignored | Rejected | None:
    parts = _TOPIC.fullmatch(topic)
    if parts is None:
        return None
    dev_eui, branch, name = parts[1].lower(), parts[2], parts[3]
    device = inventory.by_dev_eui.get(dev_eui)
    if branch == "command":
        return Ignored(Traffic.COMMAND)
    if name == Traffic.JOIN and device is not None and device.profile != NATIVE_PROFILE:
        return Address(device, _read_join)
    if name != _UP:
        return Ignored(Traffic(name) if name in _EVENTS else Traffic.OTHER)
    if device is None:
        return Rejected(Reason.UNKNOWN_DEVICE, f"no device with the DevEUI {dev_eui} in the inventory")
    if device.profile == NATIVE_PROFILE:
        return Rejected(
            Reason.WRONG_ENVELOPE,
            f"{device.id} has the profile {NATIVE_PROFILE} in the inventory, but came through ChirpStack",
        )
    return Address(device, _read)


ENVELOPE: Final = Envelope(name="chirpstack", topics=_topics, match=_match, read=_read)
