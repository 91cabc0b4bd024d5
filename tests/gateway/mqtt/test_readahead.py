"""The read-ahead does what stock paho does, on any chunking of any stream, and acknowledges in one write."""

from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from gateway.mqtt.link import Version
from gateway.mqtt.readahead import MAX_BYTES, MAX_MESSAGES, WHOLE_BYTES, Arrivals, ReadAhead, StockReader, suits
from gateway.mqtt.source import _add, _client, _shortcut
from telemetry.wire import MAX_PAYLOAD_BYTES, Uplink

PINGRESP = b"\xd0\x00"


class PaperSocket:
    """Has received ``chunks``, one a call; then nothing more, or (``ends``) the end of the stream."""

    def __init__(self, chunks: Sequence[bytes], *, ends: bool = False) -> None:
        self.chunks = [chunk for chunk in chunks if chunk]
        self.ends = ends
        self.writes: list[bytes] = []

    def recv(self, size: int) -> bytes:
        if not self.chunks:
            if self.ends:
                return b""
            raise BlockingIOError
        piece, rest = self.chunks[0][:size], self.chunks[0][size:]
        self.chunks[:1] = [rest] if rest else []
        return piece

    def readable(self, _sock: object) -> bool:
        return bool(self.chunks) or self.ends

    def send(self, packet: bytes) -> int:
        self.writes.append(bytes(packet))
        return len(packet)

    def close(self) -> None:
        pass


def length(size: int) -> bytes:
    found = b""
    while True:
        size, low = divmod(size, 128)
        found += bytes([low | (0x80 if size else 0)])
        if not size:
            return found


def publish(topic: bytes, payload: bytes, mid: int, properties: bytes | None, flags: int = 0) -> bytes:
    """``mid`` 0 is QoS 0; ``properties`` None is MQTT 3.1.1; ``flags`` are dup and retain."""
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if mid else b"")
    body += b"" if properties is None else length(len(properties)) + properties
    body += payload
    return bytes([0x30 | (0x02 if mid else 0) | flags]) + length(len(body)) + body


def read(chunks: Sequence[bytes], *, mqtt5: bool, shortcut: bool, ends: bool) -> tuple[object, ...]:
    arrivals = Arrivals()
    client = _client(Version.FIVE if mqtt5 else Version.THREE, "paper")
    client.on_message = lambda _client, _data, message: _add(arrivals, message)
    sock = PaperSocket(chunks, ends=ends)
    vars(client)["_sock"] = sock
    reader = ReadAhead(client, mqtt5=mqtt5) if shortcut else StockReader(client, sock.readable)
    reader.read(arrivals)
    closed = client.socket() is None
    reader.ack([mid for mid in arrivals.mids if mid])
    vars(client)["_sock"] = None
    return arrivals.uplinks, arrivals.mids, b"".join(sock.writes), closed


PROPERTIES = st.sampled_from([b"", b"\x01\x01", b"\x26\x00\x01a\x00\x01b", b"\x26\x00\x03abc\x00\x96" + b"v" * 150])


@st.composite
def streams(draw: st.DrawFn, *, mqtt5: bool) -> list[bytes]:
    def packet() -> bytes:
        topic = draw(st.one_of(st.text(min_size=1, max_size=40).map(str.encode), st.binary(min_size=1, max_size=8)))
        payload = draw(
            st.one_of(st.binary(max_size=300), st.sampled_from([b"x" * 20_000, b"y" * 70_000, b"z" * 16_370]))
        )
        mid = draw(st.integers(0, 65_535))
        flags = draw(st.sampled_from([0, 1, 9] if mid else [0, 1]) if mid else st.sampled_from([0, 1]))
        return publish(topic, payload, mid, draw(PROPERTIES) if mqtt5 else None, flags)

    packets = [packet() if draw(st.integers(0, 5)) else PINGRESP for _ in range(draw(st.integers(0, 12)))]
    stream = b"".join(packets)
    stream = stream[: len(stream) - draw(st.integers(0, 3))]
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@pytest.mark.parametrize("mqtt5", [True, False])
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_stream_in_any_chunks_gives_what_stock_paho_gives(mqtt5: bool, data: st.DataObject) -> None:  # noqa: FBT001 parametrised
    chunks = data.draw(streams(mqtt5=mqtt5))
    ends = data.draw(st.booleans())
    assert read(chunks, mqtt5=mqtt5, shortcut=True, ends=ends) == read(chunks, mqtt5=mqtt5, shortcut=False, ends=ends)


@pytest.mark.parametrize("mqtt5", [True, False])
@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_garbage_never_raises(mqtt5: bool, chunks: list[bytes]) -> None:  # noqa: FBT001 parametrised
    read(chunks, mqtt5=mqtt5, shortcut=True, ends=True)


@pytest.mark.parametrize("mqtt5", [True, False])
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_of_a_packet_beyond_all_bounds_the_beginning_is_an_uplink_and_the_next_is_read(
    mqtt5: bool,  # noqa: FBT001 parametrised
    data: st.DataObject,
) -> None:
    """In any chunks, with and without acknowledgement; what stock paho would gather as a whole."""
    topic, mid = data.draw(st.binary(min_size=1, max_size=60)), data.draw(st.sampled_from([0, 7]))
    properties = data.draw(PROPERTIES) if mqtt5 else None
    larger = WHOLE_BYTES + data.draw(st.integers(0, 3))
    vast = publish(topic, b"{" + b"v" * larger, mid, properties)
    stream = publish(b"a", b"1", 1, b"" if mqtt5 else None) + vast + publish(b"b", b"2", 2, b"" if mqtt5 else None)
    near = st.sampled_from([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, len(stream) - 8, len(stream) - 9])
    cuts = sorted(data.draw(st.lists(st.one_of(near, st.integers(0, len(stream))), max_size=6)))
    chunks = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    uplinks, mids, writes, closed = read(chunks, mqtt5=mqtt5, shortcut=True, ends=False)
    beginning = b"{" + b"v" * MAX_PAYLOAD_BYTES
    said = topic.decode("utf-8", "backslashreplace")
    assert uplinks == [Uplink(0, "a", b"1"), Uplink(0, said, beginning, larger + 1), Uplink(0, "b", b"2")]
    assert (mids, closed) == ([1, mid, 2], False)
    assert writes == b"".join(b"\x40\x02" + each.to_bytes(2, "big") for each in (1, mid, 2) if each)


@pytest.mark.parametrize("version", list(Version))
def test_the_installed_paho_passes_the_exam(version: Version) -> None:
    assert _shortcut(version)


def test_a_paho_without_the_private_names_fails_the_exam_quietly() -> None:
    class OtherPaho:
        def socket(self) -> None:
            return None

    assert not suits(lambda _: OtherPaho(), mqtt5=True)  # type: ignore[arg-type, return-value] # a stand-in for paho


def test_all_acknowledgements_go_out_in_one_write_in_arrival_order() -> None:
    client = _client(Version.FIVE, "paper")
    sock = PaperSocket([publish(b"t", b"{}", mid, b"") for mid in (7, 65_535, 1)])
    vars(client)["_sock"] = sock
    arrivals = Arrivals()
    reader = ReadAhead(client, mqtt5=True)
    reader.read(arrivals)
    reader.ack(arrivals.mids)
    vars(client)["_sock"] = None
    assert sock.writes == [b"\x40\x02\x00\x07\x40\x02\xff\xff\x40\x02\x00\x01"]


@pytest.mark.parametrize(("payload", "expected"), [(b"x", MAX_MESSAGES), (b"x" * 10_000, MAX_BYTES // 10_000 + 1)])
def test_a_batch_is_bounded_and_says_that_more_is_left(payload: bytes, expected: int) -> None:
    client = _client(Version.THREE, "paper")
    packets = [publish(b"t", payload, mid + 1, None) for mid in range(1_500)]
    vars(client)["_sock"] = PaperSocket([b"".join(packets)])
    reader = ReadAhead(client, mqtt5=False)
    mids: list[int] = []
    while True:
        arrivals = Arrivals()
        reader.read(arrivals)
        mids += arrivals.mids
        if not reader.left:
            break
        assert len(arrivals.mids) == expected
    vars(client)["_sock"] = None
    assert mids == list(range(1, 1_501))


def test_a_topic_that_is_not_utf8_stays_recognisable() -> None:
    uplinks, *_ = read([publish(b"a/\xff", b"", 1, None)], mqtt5=False, shortcut=True, ends=False)
    assert uplinks[0].topic == "a/\\xff"  # type: ignore[index] # they are bytes here
