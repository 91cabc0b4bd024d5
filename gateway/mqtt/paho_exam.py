"""Whether the installed paho still has the private names that the read-ahead leans on, and they still mean the same.

A few canned packets go through the stock path and through the shortcut before the first connection; nothing is
assumed from a version number. No paho is imported here.
"""

from collections.abc import Callable
from typing import Final

from gateway.mqtt.readahead import Arrivals, Client, ReadAhead, StockReader


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
