"""What is in quarantine, and what became of it when it was looked at again. Values only, no SQLite."""

from typing import NamedTuple

from telemetry.reading import Millis


class Aside(NamedTuple):
    """One in quarantine, whole."""

    id: int
    received_ms: Millis
    topic: str
    payload: bytes
    reason: str


class Looked(NamedTuple):
    """What became of one in quarantine that was looked at again; refused again, it stays for the reason of now."""

    id: int
    at_ms: Millis
    result: str
    reason: str
    detail: str
