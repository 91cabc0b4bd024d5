"""A short visit to a broker under a name of our own, for ``record`` and ``doctor``.

It leaves nothing behind: its session ends with its connection, and the gateway's is never touched.
"""

import secrets
from typing import Final

from gateway.clock import WallClock, monotonic_s
from gateway.health import Part
from gateway.mqtt.link import Batch, SessionPhase
from gateway.mqtt.source import MqttSource
from gateway.settings import Mqtt

_ATTEMPTS: Final = 2
"""One for each MQTT version that may be tried."""


class Unwelcome(Exception):  # noqa: N818 a state of the world, said in a sentence
    """The first connection does not come about; ``part`` says why and what to do."""

    def __init__(self, part: Part) -> None:
        super().__init__(f"{part.state}; {part.remedy}")
        self.part = part


class Visitor:
    """What arrives, in batches. A broker that does not let us in is told at once; a broken line is dialled again."""

    def __init__(self, settings: Mqtt, purpose: str) -> None:
        self.client_id = f"cunjing-{purpose}-{secrets.token_hex(4)}"
        named = settings.model_copy(update={"client_id": self.client_id})
        self._source = MqttSource(named, _Forgetful(), WallClock().now_ms, monotonic_s, session_expiry_s=0)
        self._version = self._source.state.version
        self._attempts = 0
        self._was_in = False

    def wait(self, timeout_s: float) -> Batch:
        """What has come, waiting for it up to so many seconds; ``Unwelcome`` when we are not let in."""
        before = self._source.state
        batch = self._source.wait(timeout_s)
        now = self._source.state
        self._was_in = self._was_in or self.is_in
        if not self._was_in and now.phase is SessionPhase.RESTING and now.part is not before.part:
            self._attempts += 1
            if self._attempts == _ATTEMPTS or now.version is self._version:
                raise Unwelcome(now.part)
            self._version = now.version
        return batch

    @property
    def is_in(self) -> bool:
        """Whether the connection stands and the broker has answered what we may hear."""
        return self._source.state.phase is SessionPhase.LIVE

    def done_with(self, batch: Batch) -> None:
        """The batch is kept: the broker need not send it again."""
        self._source.ack(batch)

    @property
    def part(self) -> Part:
        """How the connection is."""
        return self._source.state.part

    def leave(self) -> None:
        """DISCONNECT; nothing may be called after it."""
        self._source.stop()


class _Forgetful:
    """What the broker granted, for as long as the visit lasts."""

    def __init__(self) -> None:
        self._filters: frozenset[str] = frozenset()

    def remembered_filters(self) -> frozenset[str]:
        return self._filters

    def remember_filters(self, filters: frozenset[str]) -> None:
        self._filters = filters
