"""How bytes become uplinks: one large receive, PUBLISH packets decoded where they lie, one write for all PUBACKs.

Stock paho reads a packet in three or four calls and writes an acknowledgement in one; this costs it 30 to 50 µs a
message (traps P10, P11). Here everything that is not a plain QoS 1 PUBLISH is left to paho, which is handed the same
buffer through ``_sock_recv``; so there is one protocol engine, and a shortcut past it. The shortcut leans on private
names of paho, therefore ``suits`` compares it with the stock path before it is used. No paho is imported here.
"""

import select
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from telemetry.wire import MAX_PAYLOAD_BYTES, Uplink

MAX_MESSAGES: Final = 1_000
MAX_BYTES: Final = 262_144
WHOLE_BYTES: Final = 2_097_152
"""So large at most is a packet that is gathered whole; of a larger one only the beginning is kept."""
_TOPICS_KNOWN: Final = 65_536
_PUBLISH: Final = 0x30
_TYPE: Final = 0xF0
_PUBLISH_QOS_1: Final = 0x32
_PUBLISH_BUT_FLAGS: Final = 0xF6
_PUBACK: Final = 0x40
_PINGREQ: Final = 0xC0
_NOBODYS_TOPIC: Final = "cunjing/nobody"
_PUBACK_HEAD: Final = 0x4002_0000
_MORE: Final = 0x80
_SHORTEST: Final = 5


class Client(Protocol):
    """What is used of ``paho.mqtt.client.Client``; the underscored names are what ``suits`` checks."""

    @property
    def _in_packet(self) -> Mapping[str, object]:
        """The packet that stock paho is in the middle of; ``command`` is 0 between packets."""

    def _sock_recv(self, bufsize: int) -> bytes:
        """Receives, over TLS or not; ``BlockingIOError`` when nothing is there."""

    def _packet_queue(self, command: int, packet: bytes, mid: int, qos: int) -> int:
        """Queues bytes and writes what can be written."""

    def loop_read(self) -> int:
        """Reads and handles one packet."""

    def socket(self) -> object | None:
        """The socket, ``None`` once it was closed."""

    def ack(self, mid: int, qos: int) -> int:
        """Sends one PUBACK."""

    def unsubscribe(self, topic: str) -> object:
        """Wants a filter no more."""


class Arrivals:
    """The batch that is being read: uplinks and the message ids to acknowledge them by, in arrival order."""

    __slots__ = ("mids", "received_ms", "size", "uplinks")

    def __init__(self) -> None:
        self.uplinks: list[Uplink] = []
        self.mids: list[int] = []
        self.size = 0
        self.received_ms = 0

    def add(self, topic: bytes, payload: bytes, mid: int, whole_bytes: int = 0) -> None:
        """One message from the stock path; a topic that is not UTF-8 stays recognisable and is refused further on."""
        self.uplinks.append(Uplink(self.received_ms, topic.decode("utf-8", "backslashreplace"), payload, whole_bytes))
        self.mids.append(mid)
        self.size += len(topic) + len(payload)

    @property
    def full(self) -> bool:
        """Whether the batch has reached its bound (law L10)."""
        return len(self.mids) >= MAX_MESSAGES or self.size >= MAX_BYTES


class PacketReader(Protocol):
    """One connection's way from bytes to uplinks and from message ids to PUBACKs."""

    @property
    def left(self) -> bool:
        """Whether it stopped because the batch was full: more may be there that no ``poll`` tells of (trap P16)."""

    def read(self, arrivals: Arrivals) -> None:
        """Takes what is there into ``arrivals``, bounded; the client knows afterwards whether it is still connected."""

    def ack(self, mids: Sequence[int]) -> None:
        """Acknowledges in this order."""

    def ping(self) -> None:
        """Asks for a sign of life: something comes back, and what does not matter."""


class StockReader:
    """paho as it comes: a packet a call. The fall-back, and what the read-ahead is compared with."""

    left = False

    def __init__(self, client: Client, readable: Callable[[object], bool] | None = None) -> None:
        self._client = client
        self._readable = readable or _readable

    def read(self, arrivals: Arrivals) -> None:
        """Reads packets while any are there; ``on_message`` adds them to ``arrivals``."""
        self.left = False
        while (sock := self._client.socket()) is not None and self._readable(sock):
            if arrivals.full:
                self.left = True
                return
            self._client.loop_read()

    def ack(self, mids: Sequence[int]) -> None:
        """One write an acknowledgement."""
        for mid in mids:
            self._client.ack(mid, 1)

    def ping(self) -> None:
        """By what paho offers: it pings by itself only after a whole keepalive, and gives up after two."""
        self._client.unsubscribe(_NOBODYS_TOPIC)


class Skimmed:
    """One PUBLISH that is beyond all bounds, as it passes: its beginning is kept, the rest is let go.

    Whoever sent it has been told by the broker that it was taken, so it has to be somewhere (law L2); 256 MiB, which is
    what MQTT allows, are not to lie in our memory for that.
    """

    def __init__(self, head: int, size: int, *, mqtt5: bool) -> None:
        self._qos = head >> 1 & 0x03
        self._size = self.missing = size
        self._mqtt5 = mqtt5
        self._kept = bytearray()

    def take(self, piece: bytes) -> None:
        """So much more of it, at most what is ``missing``."""
        self.missing -= len(piece)
        self._kept += piece[: MAX_BYTES - len(self._kept)]

    def end(self, arrivals: Arrivals) -> None:
        """All of it has passed."""
        kept, at = self._kept, 2 + int.from_bytes(self._kept[:2])
        topic, mid = bytes(kept[2:at]), 0
        if self._qos:
            mid, at = int.from_bytes(kept[at : at + 2]), at + 2
        if self._mqtt5:
            length, at = length_at(kept, at)
            at += length
        payload = bytes(kept[at : at + MAX_PAYLOAD_BYTES + 1]).ljust(MAX_PAYLOAD_BYTES + 1, b"\0")
        arrivals.add(topic, payload, mid, max(self._size - at, len(payload)))


def length_at(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5 §1.5.5) that is whole, and where it ends."""
    value = shift = 0
    for place in range(at, at + 4):
        value |= (data[place] & ~_MORE) << shift
        if data[place] < _MORE:
            return value, place + 1
        shift += 7
    return value, at + 4


class ReadAhead:
    """The shortcut. ``mqtt5`` says whether packets carry properties."""

    left = False

    def __init__(self, client: Client, *, mqtt5: bool) -> None:
        self._client = client
        self._mqtt5 = mqtt5
        self._receive = client._sock_recv  # noqa: SLF001 the name that ``suits`` has checked
        vars(client)["_sock_recv"] = self._serve
        self._bytes = b""
        self._at = 0
        self._topics: dict[bytes, str] = {}
        self._skimmed: Skimmed | None = None

    def read(self, arrivals: Arrivals) -> None:
        """Takes what is there: in place what is a plain PUBLISH, by paho what is not."""
        self.left = False
        while self._client.socket() is not None:
            if self._take(arrivals):
                if not self._receive_more():
                    return
            elif arrivals.full:
                self.left = True
                return
            else:
                self._client.loop_read()
                if not self._between_packets:
                    return  # paho waits for the rest of a packet, which is not there yet

    def _take(self, arrivals: Arrivals) -> bool:
        """Takes in place what can be; true until more has to come, else the batch is full or it is paho's turn."""
        if self._skimmed is None:
            if not self._between_packets:
                return False
            if self._decode(arrivals):
                return True
            size = 0 if arrivals.full else self._announced()
            if size <= WHOLE_BYTES:
                return size < 0
            self._skimmed = self._begin_skimming(size)
        return self._skim(self._skimmed, arrivals)

    def ack(self, mids: Sequence[int]) -> None:
        """All acknowledgements in one write; each is four bytes, success by omission in MQTT 5 as in 3.1.1."""
        joined = struct.pack(f"!{len(mids)}I", *[_PUBACK_HEAD | mid for mid in mids])
        self._client._packet_queue(_PUBACK, joined, 0, 1)  # noqa: SLF001 the name that ``suits`` has checked

    def ping(self) -> None:
        """PINGREQ."""
        self._client._packet_queue(_PINGREQ, bytes((_PINGREQ, 0)), 0, 0)  # noqa: SLF001 the name that ``suits`` has checked

    @property
    def _between_packets(self) -> bool:
        return self._client._in_packet["command"] == 0  # noqa: SLF001 the name that ``suits`` has checked

    def _serve(self, size: int) -> bytes:
        """What paho receives from now on: the buffer first, then the socket."""
        if self._at == len(self._bytes):
            self._bytes, self._at = self._receive(MAX_BYTES), 0
        piece = self._bytes[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _receive_more(self) -> bool:
        """Whether more came. At the end of the stream paho is asked to read, so that it closes as it always does."""
        try:
            more = self._receive(MAX_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            more = b""
        if not more:
            self._client.loop_read()
            return False
        self._bytes, self._at = self._bytes[self._at :] + more, 0
        return True

    def _decode(self, arrivals: Arrivals) -> bool:  # noqa: C901 one tight loop; a call a field costs more than the field
        """Decodes in place until bytes are missing (true), or the batch is full or paho's turn has come (false).

        Left to paho: whatever is not PUBLISH at QoS 1, packets of 16 KiB and more, 128 bytes and more of properties,
        and whatever does not add up. Lengths follow MQTT 5 §3.3, the remaining length §1.5.5.
        """
        data, at, end = self._bytes, self._at, len(self._bytes)
        uplinks, mids, topics, received_ms, mqtt5 = (
            arrivals.uplinks, arrivals.mids, self._topics, arrivals.received_ms, self._mqtt5,
        )  # fmt: skip
        room, last = MAX_MESSAGES - len(mids), min(end, at + MAX_BYTES - arrivals.size)
        started, missing = at, False
        while room > 0 and at < last:
            if data[at] & _PUBLISH_BUT_FLAGS != _PUBLISH_QOS_1:
                break
            if end - at < _SHORTEST:
                missing = True
                break
            length, start = data[at + 1], at + 2
            if length >= _MORE:
                if data[at + 2] >= _MORE:
                    break
                length, start = length - _MORE + (data[at + 2] << 7), at + 3
            stop = start + length
            if stop > end:
                missing = True
                break
            if length < _SHORTEST:
                break
            mid_at = start + 2 + (data[start] << 8 | data[start + 1])
            payload_at = mid_at + 2
            if mqtt5 and payload_at < stop:
                if data[payload_at] >= _MORE:
                    break
                payload_at += 1 + data[payload_at]
            elif mqtt5:
                break
            if payload_at > stop or mid_at == start + 2:
                break
            raw = data[start + 2 : mid_at]
            topic = topics.get(raw)
            if topic is None:
                topic = self._learn(raw)
            uplinks.append(Uplink(received_ms, topic, data[payload_at:stop]))
            mids.append(data[mid_at] << 8 | data[mid_at + 1])
            at = stop
            room -= 1
        self._at = at
        arrivals.size += at - started
        return missing or (at == end and not arrivals.full)

    def _announced(self) -> int:
        """How large the PUBLISH is that begins here, behind its head: 0 if none does, negative if that is to come."""
        data, at = self._bytes, self._at
        if at == len(data) or data[at] & _TYPE != _PUBLISH:
            return 0
        head = data[at + 1 : at + 5]
        if not any(byte < _MORE for byte in head):
            return -1 if len(head) < 4 else 0  # noqa: PLR2004 the longest there is; else it is paho's to refuse
        return length_at(head, 0)[0]

    def _begin_skimming(self, size: int) -> Skimmed:
        head = self._bytes[self._at]
        self._at = length_at(self._bytes, self._at + 1)[1]
        return Skimmed(head, size, mqtt5=self._mqtt5)

    def _skim(self, skimmed: Skimmed, arrivals: Arrivals) -> bool:
        """Lets pass what is there of it; whether more has to come."""
        piece = self._bytes[self._at : self._at + skimmed.missing]
        self._at += len(piece)
        skimmed.take(piece)
        if skimmed.missing:
            return True
        skimmed.end(arrivals)
        self._skimmed = None
        return False

    def _learn(self, raw: bytes) -> str:
        """The topic as text, remembered: a fleet has as many topics as devices. Bounded against invented ones."""
        if len(self._topics) >= _TOPICS_KNOWN:
            self._topics.clear()
        topic = raw.decode("utf-8", "backslashreplace")
        self._topics[raw] = topic
        return topic


def _readable(sock: object) -> bool:
    pending = getattr(sock, "pending", None)
    if pending is not None and pending():
        return True
    watch = select.poll()
    watch.register(sock, select.POLLIN)  # type: ignore[arg-type] # paho's sockets have a fileno; its type does not say so
    return bool(watch.poll(0))


class _Canned:
    """A socket that has received ``stream`` in small pieces and keeps what is sent."""

    def __init__(self, stream: bytes) -> None:
        self._pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]
        self.sent = b""

    def recv(self, _size: int) -> bytes:
        """The next piece, as a non-blocking socket gives it; a piece is never longer than asked for in this stream."""
        if not self._pieces:
            raise BlockingIOError
        piece, rest = self._pieces[0][:_size], self._pieces[0][_size:]
        self._pieces[:1] = [rest] if rest else []
        return piece

    def send(self, packet: bytes) -> int:
        """Keeps it."""
        self.sent += packet
        return len(packet)

    def readable(self, _sock: object) -> bool:
        """Whether a piece is left."""
        return bool(self._pieces)

    def close(self) -> None:
        """Nothing to let go of."""


_EXAM: Final = {
    False: bytes.fromhex("d000 320a 0004 612f622f 0007 7b7d 3a06 0001 63 ffff 7b d000 3003 0001 64 3205 0001 65 0100"),
    True: bytes.fromhex(
        "d000 320b 0004 612f622f 0007 00 7b7d 3a09 0001 63 ffff 02 0101 7b d000 3004 0001 64 00 3206 0001 65 0100 00"
    ),
}
"""PINGRESP, PUBLISH, PUBLISH again (in MQTT 5 with a property), PINGRESP, PUBLISH at QoS 0, PUBLISH without payload."""


def suits(make: Callable[[Arrivals], Client], *, mqtt5: bool) -> bool:
    """Whether the shortcut does with this paho what the stock path does: same uplinks, same acknowledgements.

    ``make`` gives a fresh client, not connected, whose ``on_message`` adds to the arrivals it is given.
    """
    try:
        stock, ahead = (_sit(make, mqtt5=mqtt5, shortcut=shortcut) for shortcut in (False, True))
    except (AttributeError, LookupError, TypeError, ValueError):
        return False
    return stock == ahead


def _sit(make: Callable[[Arrivals], Client], *, mqtt5: bool, shortcut: bool) -> tuple[object, ...]:
    arrivals = Arrivals()
    client, sock = make(arrivals), _Canned(_EXAM[mqtt5])
    vars(client)["_sock"] = sock
    reader = ReadAhead(client, mqtt5=mqtt5) if shortcut else StockReader(client, sock.readable)
    reader.read(arrivals)
    reader.ack([mid for mid in arrivals.mids if mid])
    return arrivals.uplinks, arrivals.mids, sock.sent
