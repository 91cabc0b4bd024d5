"""How samples travel: encoded as the device does, delayed, lost, repeated, or kept until the way is free again.

A LoRaWAN device speaks once and forgets; a native one keeps what it could not send and sends it later as a list.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from firmware_sim.firmware import Measured
from firmware_sim.physics import now_in
from firmware_sim.scenario import DAY_MS, HOUR_MS, Radio
from firmware_sim.story import Span
from telemetry.codecs.milesight_em400 import CODEC as EM400
from telemetry.reading import Millis
from telemetry.wire import MAX_SAMPLES

APPLICATION: Final = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"
KEPT_SAMPLES: Final = 2_000
"""What a native device's flash holds; the oldest goes first."""

LATE_MS: Final = (10 * 60_000, 3 * HOUR_MS)
DUPLICATE_MS: Final = (1_000, 48_000)
LATENCY_MS: Final = (300, 1_700)


class TimedUplink(NamedTuple):
    """An uplink and the instant at which it reaches the broker; they sort by that instant, then by topic and bytes."""

    at_ms: Millis
    topic: str
    payload: bytes


class RadioPace(NamedTuple):
    """How fast the county lives: after ``start_ms`` its time passes ``speed`` times as fast as the written one."""

    start_ms: Millis
    speed: float

    def written(self, at_ms: Millis) -> Millis:
        """The instant that is written down for an instant of the county's life."""
        return at_ms if self.speed == 1 else self.start_ms + round((at_ms - self.start_ms) / self.speed)


@dataclass(frozen=True, slots=True)
class Link:
    """A device's way to the broker: where its radio gateway is dark, how much is lost, how wrong its clock is.

    In a fade the share of its ``size`` is lost, whatever is lost else; a slow clock loses ``size`` minutes a day.
    """

    radio: Radio
    loss: float
    outages: tuple[Span, ...]
    wrong_clock: tuple[Span, ...]
    pace: RadioPace
    fades: tuple[Span, ...] = ()
    slow_clock: tuple[Span, ...] = ()


Encode: TypeAlias = Callable[[Measured, Millis], bytes]


def lorawan(samples: Iterable[Measured], dev_eui: str, link: Link, rng: Random) -> Iterator[TimedUplink]:
    """What ChirpStack publishes of a LoRaWAN device, in time order. What is lost is lost for good."""
    topic = f"application/{APPLICATION}/device/{dev_eui}/event/up"
    encode = _chirpstack(dev_eui, rng)
    waiting: list[TimedUplink] = []
    for sample in samples:
        yield from _due(waiting, sample.at_ms)
        if _lost(sample.at_ms, link, rng):
            continue
        at_ms = sample.at_ms + _between(LATENCY_MS, rng)
        _send(waiting, TimedUplink(at_ms, topic, encode(sample, link.pace.written(at_ms))), link, rng)
    yield from _due(waiting, None)


def native(samples: Iterable[Measured], topic: str, link: Link, rng: Random) -> Iterator[TimedUplink]:
    """What a native device publishes, in time order: single samples, or lists of what it had to keep."""
    skew_ms = _between((-8_000, 8_000), rng)
    waiting: list[TimedUplink] = []
    kept: list[Any] = []
    for sample in samples:
        yield from _due(waiting, sample.at_ms)
        wrong = now_in(link.wrong_clock, sample.at_ms) if link.wrong_clock else None
        off_ms = skew_ms if wrong is None else round(wrong.size * HOUR_MS)
        slow = now_in(link.slow_clock, sample.at_ms) if link.slow_clock else None
        if slow is not None:
            off_ms -= round((sample.at_ms - slow.start_ms) * slow.size * 60_000 / DAY_MS)
        kept.append(
            {
                "v": 1,
                "boot": sample.boot,
                "seq": sample.seq,
                "ts": link.pace.written(sample.at_ms) + off_ms,
                "up": sample.up_s if link.pace.speed == 1 else round(sample.up_s / link.pace.speed),
                "readings": sample.values,
            }
        )
        if _lost(sample.at_ms, link, rng):
            del kept[:-KEPT_SAMPLES]
            continue
        at_ms = sample.at_ms + _between(LATENCY_MS, rng)
        for i in range(0, len(kept), MAX_SAMPLES):
            some = kept[i : i + MAX_SAMPLES]
            payload = msgspec.json.encode(some if len(kept) > 1 else some[0])
            _send(waiting, TimedUplink(at_ms + i // MAX_SAMPLES * 200, topic, payload), link, rng)
        kept.clear()
    yield from _due(waiting, None)


def _between(span: tuple[int, int], rng: Random) -> int:
    low, high = span
    return low + int((high - low) * rng.random())


def _lost(at_ms: Millis, link: Link, rng: Random) -> bool:
    fade = now_in(link.fades, at_ms) if link.fades else None
    unlucky = rng.random() < (link.loss if fade is None else fade.size)
    return unlucky or bool(link.outages and now_in(link.outages, at_ms))


def _send(waiting: list[TimedUplink], uplink: TimedUplink, link: Link, rng: Random) -> None:
    """Put an uplink on its way; now and then it is late, now and then the very same bytes come once more."""
    luck = rng.random()
    if luck < link.radio.late:
        uplink = uplink._replace(at_ms=uplink.at_ms + _between(LATE_MS, rng))
    heappush(waiting, uplink)
    if luck >= 1 - link.radio.duplicates:
        heappush(waiting, uplink._replace(at_ms=uplink.at_ms + _between(DUPLICATE_MS, rng)))


def _due(waiting: list[TimedUplink], until_ms: Millis | None) -> Iterator[TimedUplink]:
    while waiting and (until_ms is None or waiting[0].at_ms <= until_ms):
        yield heappop(waiting)


class _Reception(msgspec.Struct, rename="camel"):
    gateway_id: str
    uplink_id: int
    ns_time: str
    rssi: int
    snr: float
    channel: int
    location: dict[str, float]
    crc_status: str = "CRC_OK"


class _UplinkEvent(msgspec.Struct, rename="camel"):
    """ChirpStack v4's ``UplinkEvent`` in JSON, field by field in its order."""

    deduplication_id: str
    time: str
    device_info: msgspec.Raw
    dev_addr: str
    adr: bool
    dr: int
    f_cnt: int
    f_port: int
    confirmed: bool
    data: bytes
    rx_info: list[_Reception]
    tx_info: msgspec.Raw
    region_config_id: str = "cn470_10"


_TX_INFO: Final = msgspec.Raw(
    b'{"frequency":486300000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":10,"codeRate":"CR_4_5"}}}'
)


def _device_info(dev_eui: str) -> msgspec.Raw:
    about = {
        "tenantId": "8c5dbb5e-3a5c-4f6e-9f0a-0d8f0a3b6b01",
        "tenantName": "county",
        "applicationId": APPLICATION,
        "applicationName": "bins",
        "deviceProfileId": "1f0c4f0e-6d46-4d0d-8a3f-6e2f9a0c7a02",
        "deviceProfileName": "EM400-UDL",
        "deviceName": f"bin {dev_eui[-4:]}",
        "devEui": dev_eui,
        "deviceClassEnabled": "CLASS_A",
        "tags": {},
    }
    return msgspec.Raw(msgspec.json.encode(about))


def _chirpstack(dev_eui: str, rng: Random) -> Encode:
    """The network server's view of one device: a new address at each join, one radio gateway that hears it."""
    info = _device_info(dev_eui)
    gateway = f"24e124fffe{rng.getrandbits(24):06x}"
    rssi = -70 - int(rng.random() * 45)
    joined_at = -1
    dev_addr = ""

    def encode(sample: Measured, heard_ms: Millis) -> bytes:
        nonlocal joined_at, dev_addr
        if sample.boot != joined_at:
            joined_at, dev_addr = sample.boot, f"{0x48000000 | rng.getrandbits(25):08x}"
        noise = rng.getrandbits(128)
        bits = f"{noise:032x}"
        time = datetime.fromtimestamp(heard_ms / 1000, UTC).isoformat(timespec="milliseconds")
        heard = rssi + noise % 9 - 4
        return msgspec.json.encode(
            _UplinkEvent(
                deduplication_id=f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}",
                time=time,
                device_info=info,
                dev_addr=dev_addr,
                adr=True,
                dr=2,
                f_cnt=sample.seq,
                f_port=EM400.f_port,
                confirmed=False,
                data=EM400.encode(sample.values),
                rx_info=[
                    _Reception(gateway, noise & 0xFFFF, time, heard, (noise % 240) / 10 - 12, noise & 7, {})  # dB, dBm
                ],
                tx_info=_TX_INFO,
            )
        )

    return encode
