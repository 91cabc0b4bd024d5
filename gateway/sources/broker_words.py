"""What a broker says to us, in sentences for ``/readyz`` and ``doctor``; and how long to wait before asking again.

Words and figures only: nothing here opens a socket or knows paho.
"""

from typing import Final

from gateway.health import Part

SESSION_EXPIRY_S: Final = 30 * 86_400
"""How long the broker keeps our session and queues for it; at least a week (trap P1)."""

UNSUPPORTED_PROTOCOL: Final = 0x84
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
ENFORCES_WINDOW: Final = (2, 1, 2)
"""The first mosquitto that was seen to keep to the receive window (trap B4)."""

_REFUSALS: Final = {
    0x84: ("it does not speak the MQTT version that [mqtt] protocol asks for", 'set [mqtt] protocol = "auto"'),
    0x85: ("it does not accept our client id", "check [mqtt] client_id against the broker's rules"),
    0x86: (
        "user name or password are wrong",
        "check [mqtt] username and password_file against the broker's password file",
    ),
    0x87: (
        "not authorised: user name or password are wrong, or the user may not connect",
        "check [mqtt] username and password_file, and the broker's password file and ACL",
    ),
    0x88: ("it is not available", "look at the broker's log"),
    0x89: ("it is busy", "look at the broker's load; we keep trying"),
    0x8A: ("we are banned", "look at the broker's ban list"),
    0x95: ("our packet was too large", "look at the broker's max_packet_size"),
    0x97: ("our quota is exceeded", "look at the broker's limits"),
    0x9F: ("we connect too often", "look at the broker's connection rate limit; we keep trying"),
}


def refused(url: str, username: str | None, code: int, name: str) -> Part:
    """The broker answered CONNECT with ``code`` (MQTT 5's reason code)."""
    why, remedy = _REFUSALS.get(code, ("it gives no further reason", "look at the broker's log"))
    who = f"user {username!r}" if username else "us without a user name"
    return Part(ready=False, state=f"the broker at {url} refuses {who}: {why} ({name}, 0x{code:02x})", remedy=remedy)


def unreachable(url: str, why: str) -> Part:
    """No connection came about."""
    return Part(
        ready=False,
        state=f"the broker at {url} cannot be reached: {why}",
        remedy="check [mqtt] url, whether the broker runs, and the network between",
    )


def lost(url: str, why: str) -> Part:
    """A connection that stood is gone; we dial again."""
    return Part(
        ready=False,
        state=f"the connection to {url} was lost: {why}",
        remedy="nothing to do if it comes back; else look at the broker's log",
    )


def unsubscribed(url: str, username: str | None, filters: tuple[str, ...]) -> Part:
    """The broker does not grant a subscription."""
    return Part(
        ready=False,
        state=f"the broker at {url} does not let {username or 'us'} subscribe to {', '.join(filters)}",
        remedy="allow it in the broker's ACL, or take it out of [mqtt] topics",
    )


def subscribed(url: str, protocol: str, version: str | None, sessions_lost: int) -> Part:
    """All is well, with what is worth knowing."""
    notes = []
    if sessions_lost:
        notes.append(
            f"the broker forgot our session {sessions_lost} time(s) and what it had queued; check its persistence"
        )
    if protocol == "3.1.1":
        notes.append("MQTT 3.1.1: the receive window is the broker's own (mosquitto: 20), which bounds throughput")
    if version and (release := mosquitto_release(version)) and release < ENFORCES_WINDOW:
        notes.append(
            f"{version} is older than 2.1.2 and overruns the receive window: nothing is lost, a backlog takes memory"
        )
    return Part(
        ready=True,
        state=f"subscribed at {url} (MQTT {protocol}{f', {version}' if version else ''})",
        notes=tuple(notes),
    )


def mosquitto_release(version: str) -> tuple[int, ...] | None:
    """The release in ``mosquitto version 2.0.11``; ``None`` for another broker's words."""
    words = version.split()
    if len(words) != 3 or words[0] != "mosquitto":  # noqa: PLR2004 name, "version", number
        return None
    numbers = words[2].split(".")
    return tuple(map(int, numbers)) if all(number.isdecimal() for number in numbers) else None


def longest_wait_s(failures: int) -> float:
    """The bound below which the next wait is drawn (full jitter): doubles from a second to half a minute."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 10))
