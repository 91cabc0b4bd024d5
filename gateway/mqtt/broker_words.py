"""What a broker says to us, in sentences for ``/readyz`` and ``doctor``; and how long to wait before asking again.

Words and numbers only: nothing here opens a socket or knows paho.
"""

from typing import Final

from gateway.health import Part
from telemetry.tls_faults import TlsEnd, TlsFault, tls_fault

TAKEN_OVER: Final = 0x8E
"""MQTT 5's reason code 142: somebody else has come in under our client id."""
STEADY_S: Final = 60.0
"""A connection that has stood for so long is no longer thrown out all the time."""
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
_ENDINGS: Final = {
    0x81: (
        "收到不合规的报文 (malformed packet)",
        "look at the broker's log, and tell us what it says / 请把代理的日志发给我们",
    ),
    0x82: ("违反协议 (protocol error)", "look at the broker's log, and tell us what it says / 请把代理的日志发给我们"),
    0x87: ("不再允许 (not authorised)", "check the broker's ACL and password file / 请核对代理的用户和权限文件"),
    0x89: ("代理太忙 (server busy)", "look at the broker's load; we keep trying / 请看代理的负载，网关会再试"),
    0x8B: ("代理正在关闭 (server shutting down)", "start the broker again / 请重新启动代理"),
    0x8D: (
        "保活超时 (keep alive timeout)",
        "see whether the gateway's machine is overloaded / 请看网关所在机器是否过载",
    ),
    0x93: ("未确认的报文太多 (receive maximum exceeded)", "look at the broker's log / 请看代理的日志"),
    0x95: ("报文太大 (packet too large)", "raise the broker's max_packet_size / 请调大代理的 max_packet_size"),
    0x96: ("报文太密 (message rate too high)", "look at the broker's limits / 请看代理的限额"),
    0x97: ("超出限额 (quota exceeded)", "look at the broker's limits / 请看代理的限额"),
    0x98: ("被管理员断开 (administrative action)", "ask who runs the broker / 请问代理的管理员"),
    0x9C: ("代理要求换服务器 (use another server)", "set [mqtt] url to the new one / 请改 [mqtt] url"),
    0x9D: ("代理已搬走 (server moved)", "set [mqtt] url to the new one / 请改 [mqtt] url"),
    0xA0: ("连接时间到限 (maximum connect time)", "look at the broker's limits / 请看代理的限额"),
}
"""Why a broker ends a connection that stood (MQTT 5 §3.14.2.1), and what to do."""


def refused(url: str, username: str | None, code: int, name: str) -> Part:
    """The broker answered CONNECT with ``code`` (MQTT 5's reason code)."""
    why, remedy = _REFUSALS.get(code, ("it gives no further reason", "look at the broker's log"))
    who = f"user {username!r}" if username else "us without a user name"
    return Part(ready=False, state=f"the broker at {url} refuses {who}: {why} ({name}, 0x{code:02x})", remedy=remedy)


def tls_end(url: str) -> TlsEnd:
    """The broker as an end that speaks TLS."""
    return TlsEnd(url, "[mqtt] url", "[mqtt] ca_file", "mqtt://")


def undialled(url: str, failure: Exception) -> Part:
    """No connection came about; where TLS is to blame, it has words of its own."""
    fault = getattr(failure, "fault", None) or tls_fault(failure, tls_end(url))
    if isinstance(fault, TlsFault):
        return Part(ready=False, state=f"the broker at {url} cannot be reached: {fault.state}", remedy=fault.remedy)
    return unreachable(url, str(failure))


def unreachable(url: str, why: str) -> Part:
    """No connection came about."""
    remedy = "check [mqtt] url, whether the broker runs, and the network between"
    if url.startswith("mqtt://") and why.startswith("it "):  # somebody is there, and does not answer as a broker
        remedy += "; 若这个端口只讲 TLS，请把网址开头改成 mqtts:// (if this port speaks TLS only, write mqtts://)"
    return Part(ready=False, state=f"the broker at {url} cannot be reached: {why}", remedy=remedy)


def lost(url: str, why: str) -> Part:
    """A connection that stood is gone; we dial again."""
    return Part(
        ready=False,
        state=f"the connection to {url} was lost: {why}",
        remedy="nothing to do if it comes back; else look at the broker's log",
    )


def ended(url: str, code: int) -> Part | None:
    """The broker has ended a connection that stood, and has said why; ``None`` where its word needs no explaining."""
    if code not in _ENDINGS:
        return None
    why, remedy = _ENDINGS[code]
    state = f"the connection to {url} was lost: the broker has put us out, {why}, 0x{code:02x}"
    return Part(ready=False, state=state, remedy=remedy)


def silent(url: str, seconds: float) -> Part:
    """The connection stands, and nobody answers on it."""
    return Part(
        ready=False,
        state=f"代理没有回音 (half-open): the connection to {url} stood, and nothing came back for {seconds:.0f} s",
        remedy="代理进程停住了，或者中间的网络断了；请看代理所在的机器、它的进程和日志，网关会自己再连 "
        "(the broker's process stands still, or the network between is cut: look at its machine; we dial again)",
    )


def taken_over(url: str, client_id: str, *, said: bool) -> Part:
    """Somebody else comes in under our client id: the broker has said so, or has thrown us out again and again."""
    how = (
        "session taken over, reason code 142"
        if said
        else "thrown out again and again soon after we were let in, as one whose session is taken over"
    )
    return Part(
        ready=False,
        state=f"另一个程序用同一个客户端编号 {client_id!r} 连上了 {url}，把我们顶掉了 ({how}): "
        "another client uses our client id, and messages go now to the one, now to the other",
        remedy="请停掉另一个网关，或给它另起 [mqtt] client_id（先看有没有两个网关进程、忘关的旧机器、测试程序） "
        "(stop the other gateway, or give it a [mqtt] client_id of its own)",
    )


def unsubscribed(url: str, username: str | None, filters: tuple[str, ...]) -> Part:
    """The broker does not grant a subscription."""
    return Part(
        ready=False,
        state=f"the broker at {url} does not let {username or 'us'} subscribe to {', '.join(filters)}",
        remedy="allow it in the broker's ACL, or take it out of [mqtt] topics",
    )


def subscribed(url: str, protocol: str, version: str | None, sessions_lost: int, thrown_out: int = 0) -> Part:
    """All is well, with what is worth knowing."""
    notes = []
    if thrown_out:
        notes.append(f"同一个客户端编号被别的程序用过，顶掉我们 {thrown_out} 次 (our session was taken over)")
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
