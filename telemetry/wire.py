"""From the bytes of one uplink to what they say, or the reason why not.

``decode`` never raises on any bytes; nothing here knows rules, time of day or what was said before.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from telemetry.inventory import Device
from telemetry.reading import Millis, RefusedValue, Sample

MAX_PAYLOAD_BYTES: Final = 65_536
MAX_SAMPLES: Final = 100
MAX_COUNTER: Final = 2**32 - 1
"""The highest ``boot`` and ``seq``."""
MAX_CLOCK: Final = 2**53
"""The highest ``ts`` (ms) and ``up`` (s): what a JSON number carries without loss."""


class Reason(StrEnum):
    """Why bytes are refused; few, so that each can be a label of a metric."""

    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_DEVICE = "unknown_device"
    WRONG_ENVELOPE = "wrong_envelope"
    UNKNOWN_PROFILE = "unknown_profile"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    BAD_ENVELOPE = "bad_envelope"
    EMPTY_LIST = "empty_list"
    TOO_MANY = "too_many"
    BAD_SAMPLE = "bad_sample"
    NO_READINGS = "no_readings"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    BAD_FRAME = "bad_frame"
    ENCRYPTED = "encrypted"


class Uplink(Struct, frozen=True, gc=False):
    """What arrived: topic, bytes and the instant it reached us. Nothing in it is trusted.

    Of a payload beyond all bounds only the beginning is there, which is too large as well; ``whole_bytes`` is then how
    large all of it was, else 0.
    """

    received_ms: Millis
    topic: str
    payload: bytes
    whole_bytes: int = 0


class Rejected(Struct, frozen=True, gc=False):
    """Why bytes were refused: ``reason`` is one of a few names fit for a metric, ``detail`` a sentence for a person."""

    reason: str
    detail: str


class Samples(Struct, frozen=True, gc=False):
    """What a device measured: its good samples in wire order, those refused with the reason, and unknown keys counted.

    There is at least one good sample: an uplink without any is ``Rejected``.
    """

    device: str
    samples: tuple[Sample, ...]
    refused: tuple[Rejected, ...] = ()
    unknown_keys: int = 0


class Traffic(StrEnum):
    """What normal traffic without a measurement is about; few, so that each can be a label of a metric."""

    MAC = "mac"
    PORT = "port"
    INFORMATION = "information"
    JOIN = "join"
    ACK = "ack"
    TXACK = "txack"
    STATUS = "status"
    LOG = "log"
    LOCATION = "location"
    INTEGRATION = "integration"
    COMMAND = "command"
    OTHER = "other"


class Ignored(Struct, frozen=True, gc=False):
    """Normal traffic that measures nothing: counted by kind, never quarantined.

    It is ``alive`` if the device itself spoke: that renews when it was last seen and is no sample. ``device`` and
    ``sample`` then say who it was and by what it is known again; the sample has no value in it. ``detail`` is a
    sentence where a person may have to mend something.
    """

    kind: Traffic
    alive: bool = False
    detail: str = ""
    device: str = ""
    sample: Sample | None = None


class Status(Struct, frozen=True, gc=False):
    """A device's retained status; stored, it moves no deadline. What could not be read of it is ``refused`` alone."""

    device: str
    online: bool
    boot: int | None = None
    fw: str | None = None
    ts_ms: Millis | None = None
    refused: tuple[RefusedValue, ...] = ()


Decoded: TypeAlias = Samples | Status | Ignored | Rejected


Reader: TypeAlias = Callable[[bytes, Device], Decoded]
"""Reads one payload of a known device. It answers on any bytes and never raises."""


class Address(NamedTuple):
    """Where a topic leads: the device that speaks, and who reads what it says there."""

    device: Device
    read: Reader


class Resolver(Protocol):
    """Who knows where a topic leads (``directory.Directory``)."""

    def resolve(self, topic: str) -> Address | Ignored | Rejected:
        """The address that a topic names, or that nothing is measured there, or why it names none."""


def decode(uplink: Uplink, directory: Resolver) -> Decoded:
    """What an uplink says. Whatever its topic and bytes are, this answers and never raises."""
    if len(uplink.payload) > MAX_PAYLOAD_BYTES:
        whole_bytes = uplink.whole_bytes or len(uplink.payload)
        return Rejected(Reason.TOO_LARGE, f"{whole_bytes} bytes; at most {MAX_PAYLOAD_BYTES} are read")
    address = directory.resolve(uplink.topic)
    if isinstance(address, Ignored | Rejected):
        return address
    return address.read(uplink.payload, address.device)


def quoted(text: str) -> str:
    """A stranger's text made fit for a sentence: escaped, and cut at 80 characters."""
    return ascii(text if len(text) <= _QUOTED else text[:_QUOTED] + "…")


_QUOTED: Final = 80
