"""The MQTT source: one thread owns the socket, reads what is there, and acknowledges only what it is told is durable.

The only home of paho in the gateway, and nothing of its threads: no ``loop_start``, no exception that crosses its
callbacks (traps P2 to P8). When to dial and what to subscribe is decided in ``session.py``; here are the packets.
"""

import random
import select
import ssl
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.mqtt import broker_words as words
from gateway.mqtt.broker_words import SESSION_EXPIRY_S
from gateway.mqtt.link import Greeting, SubscriptionMemory, Version
from gateway.mqtt.readahead import MAX_MESSAGES, Arrivals, PacketReader, ReadAhead, StockReader, suits
from gateway.mqtt.session import GREETED_WITHIN_S, KEEPALIVE_S, Session
from gateway.settings import Mqtt
from telemetry.reading import Millis
from telemetry.tls_faults import TlsFault, TlsTrouble, worded

_VERSION_TOPIC: Final = "$SYS/broker/version"
_PROTOCOLS: Final = {Version.FIVE: MQTTProtocolVersion.MQTTv5, Version.THREE: MQTTProtocolVersion.MQTTv311}


class MqttSource(Session):
    """A session with the broker of ``settings``: ``wait``, commit, ``ack``, all on one thread.

    ``session_expiry_s`` is how long the broker keeps it when the connection ends; 0 is for visitors. ``keepalive_s`` is
    how long either side may be silent.
    """

    def __init__(
        self,
        settings: Mqtt,
        memory: SubscriptionMemory,
        now_ms: Callable[[], Millis],
        monotonic: Callable[[], float],
        session_expiry_s: int = SESSION_EXPIRY_S,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        super().__init__(
            settings,
            memory,
            open_link=lambda version: Connection(settings, version, session_expiry_s, keepalive_s),
            now_ms=now_ms,
            monotonic=monotonic,
            draw=random.uniform,
            keepalive_s=keepalive_s,
        )


class Connection:
    """One connection, from dialling to its end; facts that paho's callbacks bring are kept until somebody asks.

    Made for every attempt anew, so nothing of an old one can leak into the next. ``SettingsFault`` when the password
    cannot be read.
    """

    def __init__(self, settings: Mqtt, version: Version, session_expiry_s: int, keepalive_s: int = KEEPALIVE_S) -> None:
        self._settings = settings
        self._session_expiry_s = session_expiry_s
        self._keepalive_s = keepalive_s
        self._client = _client(version, settings.client_id, clean=session_expiry_s == 0)
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.read_password())
        self._mqtt5 = version is Version.FIVE
        self._arrivals = Arrivals()
        self._asked: int | None = None
        self._reader: PacketReader = (
            ReadAhead(self._client, mqtt5=self._mqtt5) if _shortcut(version) else StockReader(self._client)
        )
        self.greeting: Greeting | None = None
        self.granted: tuple[int, ...] | None = None
        self.broker_version: str | None = None
        self.closed: str | None = None
        self.closed_code: int | None = None
        self._client.on_connect = self._greeted
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._arrived

    def dial(self) -> None:
        """Connects and sends CONNECT; blocks, bounded, and raises ``OSError`` when it does not come about."""
        if self._settings.tls:
            self._client.tls_set_context(_trusting(self._settings))
        host, port = self._settings.endpoint
        try:
            if self._mqtt5:
                properties = _connect_properties(self._session_expiry_s)
                self._client.connect(host, port, self._keepalive_s, clean_start=False, properties=properties)
            else:
                self._client.connect(host, port, self._keepalive_s)
        except (ConnectionResetError, TimeoutError) as error:
            # A port that does not speak TLS hangs up at the first word of it, or waits for the rest of that word.
            if self._settings.tls and (isinstance(error, ConnectionResetError) or "handshake" in str(error)):
                raise Untrusted(worded(TlsTrouble.PLAIN, words.tls_end(self._settings.url))) from error
            raise

    def fileno(self) -> int | None:
        """What ``poll`` watches; ``None`` once it is closed."""
        sock = self._client.socket()
        return None if sock is None else sock.fileno()

    @property
    def left(self) -> bool:
        """Whether more may be there that no ``poll`` tells of."""
        return self._reader.left

    def read(self, arrivals: Arrivals) -> None:
        """Takes what is there, bounded."""
        self._arrivals = arrivals
        self._reader.read(arrivals)

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledges in this order."""
        self._reader.ack(mids)

    @property
    def wants_write(self) -> bool:
        """Whether something waits for room in the socket."""
        return self._client.want_write()

    def write(self) -> None:
        """Writes what waits."""
        self._client.loop_write()

    def ping(self) -> None:
        """Asks for a sign of life. When to, and when to give up, is not left to paho: it takes two keepalives."""
        self._reader.ping()

    def subscribe(self, filters: Sequence[str]) -> None:
        """Asks for them at QoS 1; ``granted`` is the answer. Retained messages come only with a new subscription."""
        self.granted = None
        if self._mqtt5:
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            _, self._asked = self._client.subscribe([(name, options) for name in filters])
        else:
            _, self._asked = self._client.subscribe([(name, 1) for name in filters])

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Wants them no more."""
        self._client.unsubscribe(list(filters))

    def ask_version(self) -> None:
        """Asks a MQTT 5 broker what it is; QoS 0, so the answer takes no place in the window and is never an uplink."""
        if self._mqtt5:
            self._client.subscribe(_VERSION_TOPIC, options=SubscribeOptions(qos=0))

    def close(self) -> None:
        """DISCONNECT, which keeps the session, and the end of the socket; bounded even if the broker reads no more."""
        self._client.disconnect()
        for _ in range(10):
            sock = self._client.socket()
            if sock is None:
                return
            room = select.poll()
            room.register(sock.fileno(), select.POLLOUT)
            if not room.poll(100):
                break
            self._client.loop_write()
        if (sock := self._client.socket()) is not None:
            sock.close()

    def _greeted(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        keepalive_s = getattr(properties, "ServerKeepAlive", 0)
        self.greeting = Greeting(reason.value, reason.getName(), flags.session_present, keepalive_s)

    def _subscribed(
        self, _client: Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if mid == self._asked:
            self.granted = tuple(reason.value for reason in reasons)

    def _disconnected(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        who = "the line says"
        if flags.is_disconnect_packet_from_server:
            who, self.closed_code = "the broker says", reason.value
        self.closed = f"{who} {str(reason).lower()}"

    def _arrived(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message._topic == _VERSION_TOPIC.encode() and message.qos == 0:  # noqa: SLF001 ``topic`` raises for bytes that are no UTF-8
            self.broker_version = message.payload[:80].decode("ascii", "replace")
            return
        _add(self._arrivals, message)


def _add(arrivals: Arrivals, message: MQTTMessage) -> None:
    arrivals.add(message._topic, bytes(message.payload), message.mid)  # noqa: SLF001 ``topic`` raises for bytes that are no UTF-8


def _client(version: Version, client_id: str, *, clean: bool = False) -> Client:
    return Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if version is Version.FIVE else clean,
        protocol=_PROTOCOLS[version],
        reconnect_on_failure=False,
        manual_ack=True,
    )


class Untrusted(OSError):  # noqa: N818 a state of the world, said in a sentence
    """TLS does not come about; ``fault`` says what is wrong and what to do."""

    def __init__(self, fault: TlsFault) -> None:
        super().__init__(fault.state)
        self.fault = fault


def _trusting(settings: Mqtt) -> ssl.SSLContext:
    """Whom we trust; ``Untrusted`` where the CA file is not what it should be."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # an SSLError is one too
        kind = TlsTrouble.CA_UNREADABLE
        if isinstance(error, FileNotFoundError):
            kind = TlsTrouble.CA_MISSING
        elif isinstance(error, ssl.SSLError):
            kind = TlsTrouble.CA_NO_CERTIFICATE
        raise Untrusted(worded(kind, words.tls_end(settings.url), str(settings.ca_file))) from error
    context.sslsocket_class = _ClosingSocket
    return context


class _ClosingSocket(ssl.SSLSocket):
    """One that is not left open when TLS does not come about on it; paho lets go of it and forgets it."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 ssl's own signature
        """Bounded like everything before CONNACK."""
        try:
            self.settimeout(GREETED_WITHIN_S)
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _connect_properties(session_expiry_s: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own gap
    properties.SessionExpiryInterval = session_expiry_s
    properties.ReceiveMaximum = MAX_MESSAGES
    # No MaximumPacketSize: what is larger the broker would acknowledge to its sender and then drop (case K5).
    return properties


@cache
def _shortcut(version: Version) -> bool:
    """Whether the read-ahead may be used with the paho that is installed; asked once a process."""

    def make(arrivals: Arrivals) -> Client:
        client = _client(version, "exam")
        client.on_message = lambda _client, _data, message: _add(arrivals, message)
        return client

    return suits(make, mqtt5=version is Version.FIVE)
