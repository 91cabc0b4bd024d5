"""What a session with a broker is made of: the values it hands on, and the two ports it stands on.

Words only. Who speaks MQTT is ``source.py``, who decides is ``session.py``.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from msgspec import Struct

from gateway.health import Part
from gateway.mqtt.readahead import Arrivals
from telemetry.wire import Uplink


class Version(Enum):
    """The MQTT versions that we speak."""

    FIVE = "5"
    THREE = "3.1.1"


class SessionPhase(Enum):
    """Where the session stands."""

    RESTING = "resting"
    DIALLING = "dialling"
    GREETING = "greeting"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    STOPPED = "stopped"


class Greeting(NamedTuple):
    """What CONNACK said: MQTT 5's reason code and name, and whether the broker still knew our session.

    ``keepalive_s`` is what the broker wants instead of what we named; 0 where it does not mind.
    """

    code: int
    name: str
    session_present: bool
    keepalive_s: int = 0


class Batch(Struct, frozen=True):
    """What one wake brought, in arrival order: ``mids[i]`` belongs to ``uplinks[i]`` (0: QoS 0, not acknowledged).

    ``generation`` is the connection that brought it; on another one a message id names another message (trap P8).
    """

    uplinks: list[Uplink]
    mids: list[int]
    generation: int


class SessionState(Struct, frozen=True):
    """The session as others may see it, from any thread; ``part`` is its line on ``/readyz``.

    ``sessions_lost`` counts how often the broker had forgotten a session that we had subscribed before, ``thrown_out``
    how often somebody else came in under our client id, or it looked like that.
    """

    phase: SessionPhase
    part: Part
    generation: int
    version: Version
    session_present: bool | None
    sessions_lost: int
    reconnects: int
    thrown_out: int = 0


class SubscriptionMemory(Protocol):
    """Where the filters of the broker's session are remembered over restarts; called on the loop's thread."""

    def remembered_filters(self) -> frozenset[str]:
        """The filters that the broker last granted; empty before the first time."""

    def remember_filters(self, filters: frozenset[str]) -> None:
        """Keeps them, durably."""


class MqttLink(Protocol):
    """One connection, from dialling to its end (``source.Connection``). Facts are ``None`` until they are known.

    ``closed`` says how it ended, ``closed_code`` why if the broker said so (MQTT 5's reason code of DISCONNECT).
    """

    greeting: Greeting | None
    granted: tuple[int, ...] | None
    broker_version: str | None
    closed: str | None
    closed_code: int | None

    def dial(self) -> None:
        """Blocks until CONNECT is sent; ``OSError`` when it cannot be. Called on a thread of its own."""

    def fileno(self) -> int | None:
        """What ``poll`` watches; ``None`` once closed."""

    @property
    def left(self) -> bool:
        """Whether more may be there that no ``poll`` tells of."""

    def read(self, arrivals: Arrivals) -> None:
        """Takes what is there, bounded; never raises for what the world sends."""

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Sends PUBACKs in this order."""

    @property
    def wants_write(self) -> bool:
        """Whether something waits for room in the socket."""

    def write(self) -> None:
        """Writes what waits."""

    def ping(self) -> None:
        """Asks for a sign of life."""

    def subscribe(self, filters: Sequence[str]) -> None:
        """Asks for them; ``granted`` becomes the answer."""

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Wants them no more."""

    def ask_version(self) -> None:
        """Asks what the broker is; ``broker_version`` may become the answer."""

    def close(self) -> None:
        """Ends the connection and keeps the session."""
