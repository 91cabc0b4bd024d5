"""ChirpStack v4 uplink events in JSON: ``application/{application}/device/{dev_eui}/event/up``.

Field names are those of ``UplinkEvent`` in ChirpStack's ``integration.proto``, where ``devAddr`` stands at the top;
fields equal to zero may be missing. The frame is always decoded by our own codec, never taken from ``object``.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from telemetry.codecs import codecs
from telemetry.diagnosis import number_fault
from telemetry.envelopes import NATIVE_PROFILE, Envelope
from telemetry.inventory import Device, Inventory
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import MAX_COUNTER, Address, Decoded, Reason, Rejected, Samples

_TOPIC: Final = re.compile(r"application/[^/]{1,64}/device/([0-9a-fA-F]{16})/event/up")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _DeviceInfo(Struct, gc=False, rename="camel"):
    dev_eui: str


class _Reception(Struct, gc=False):
    """How one radio gateway heard the frame."""

    rssi: float | None = None
    snr: float | None = None


class _UplinkEvent(Struct, gc=False, rename="camel"):
    device_info: _DeviceInfo
    dev_addr: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}\Z")]
    f_cnt: Annotated[int, Meta(ge=0, le=MAX_COUNTER)] = 0
    f_port: Annotated[int, Meta(ge=0, le=255)] = 0
    time: Annotated[datetime, Meta(tz=True)] | None = None
    data: bytes = b""
    rx_info: list[_Reception] = []


_events = msgspec.json.Decoder(_UplinkEvent)


def _read(payload: bytes, device: Device) -> Decoded:
    """One frame is one sample: boot = devAddr, seq = fCnt. A device without a DevEUI may be read under any."""
    try:
        payload.decode()
        event = _events.decode(payload)
    except msgspec.ValidationError as fault:
        return Rejected(Reason.BAD_ENVELOPE, f"a ChirpStack uplink: {fault}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        return Rejected(Reason.NOT_JSON, f"a ChirpStack uplink: {fault}")
    if device.dev_eui not in (None, event.device_info.dev_eui.lower()):
        return Rejected(Reason.BAD_ENVELOPE, f"deviceInfo.devEui is not {device.dev_eui}, as the topic says")
    codec = codecs().get(device.profile)
    if codec is None:
        return Rejected(Reason.UNKNOWN_PROFILE, f"{device.id}: no codec for the profile {device.profile}")
    frame = codec.decode(event.data, event.f_port)
    if isinstance(frame, Rejected):
        return frame
    values = _with_signal(frame.values, event.rx_info)
    boot = int(event.dev_addr, 16)
    return Samples(device.id, (Sample(boot, event.f_cnt, values, _millis(event.time), partial=frame.partial),))


def _with_signal(values: Values, receptions: Iterable[_Reception]) -> Values:
    """The values with the strongest reception beside them; a figure that is missing or absurd is left out."""
    heard = [
        (one.rssi, one.snr) for one in receptions if one.rssi is not None and number_fault("rssi_dbm", one.rssi) is None
    ]
    if not heard:
        return values
    rssi, snr = max(heard, key=lambda one: one[0])
    if snr is not None and number_fault("snr_db", snr) is not None:
        snr = None
    return replace(values, rssi_dbm=rssi, snr_db=snr)


def _millis(time: datetime | None) -> Millis | None:
    """The network server's clock; a time before 1970 is that of a server without one."""
    if time is None:
        return None
    millis = (time - _EPOCH) // _MILLISECOND
    return millis if millis >= 0 else None


def _topics(_inventory: Inventory) -> Iterable[str]:
    """None can be foreseen: the application's id is ChirpStack's own."""
    return ()


def _match(topic: str, inventory: Inventory) -> Address | Rejected | None:
    parts = _TOPIC.fullmatch(topic)
    if parts is None:
        return None
    dev_eui = parts[1].lower()
    device = inventory.by_dev_eui.get(dev_eui)
    if device is None:
        return Rejected(Reason.UNKNOWN_DEVICE, f"no device with the DevEUI {dev_eui} in the inventory")
    if device.profile == NATIVE_PROFILE:
        return Rejected(
            Reason.WRONG_ENVELOPE,
            f"{device.id} has the profile {NATIVE_PROFILE} in the inventory, but came through ChirpStack",
        )
    return Address(device, _read)


ENVELOPE: Final = Envelope(name="chirpstack", topics=_topics, match=_match, read=_read)
