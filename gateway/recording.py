"""A recording of uplinks as JSON lines: read one by one, or written as they come. No uplink is judged here."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from alerts.calendars import iso
from telemetry.reading import Millis
from telemetry.wire import Uplink


class RecordingFault(Exception):  # noqa: N818 -- a fault of the file, said in a sentence
    """A line that cannot be read; its text names the file, the line and the remedy."""


class _Line(Struct):
    received_at: datetime
    topic: str
    payload: str | None = None
    payload_b64: str | None = None


_LINE = msgspec.json.Decoder(_Line)


def read(lines: Iterable[bytes], name: str) -> Iterator[Uplink]:
    """The uplinks of a recording in its order; raises ``RecordingFault`` at the first line that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _uplink(line, f"{name}:{number}")


def written(uplink: Uplink) -> str:
    """One line of a recording, without its end."""
    said: dict[str, str] = {"received_at": iso(uplink.received_ms), "topic": uplink.topic}
    try:
        said["payload"] = uplink.payload.decode()
    except UnicodeDecodeError:
        said["payload_b64"] = base64.b64encode(uplink.payload).decode()
    return msgspec.json.encode(said).decode()


def millis(iso_utc: str) -> Millis:
    """The instant of an ISO 8601 time with its zone."""
    return round(datetime.fromisoformat(iso_utc).timestamp() * 1000)


def _uplink(raw: bytes, place: str) -> Uplink:
    try:
        line = _LINE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingFault(
            f"{place}: not an uplink ({error}); a line is JSON with received_at, topic and payload or payload_b64"
        ) from error
    if line.received_at.tzinfo is None:
        raise RecordingFault(f"{place}: received_at has no time zone; write it in UTC with a Z at its end")
    return Uplink(round(line.received_at.timestamp() * 1000), line.topic, _payload(line, place))


def _payload(line: _Line, place: str) -> bytes:
    if (line.payload is None) == (line.payload_b64 is None):
        raise RecordingFault(f"{place}: needs one of payload and payload_b64, and not both")
    if line.payload is not None:
        return line.payload.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(line.payload_b64 or "", validate=True)
    except binascii.Error as error:
        raise RecordingFault(f"{place}: payload_b64 is not base64 ({error})") from error
