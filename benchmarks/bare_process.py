"""The 1.0 to beat: a paho subscriber that does nothing, MQTT 5, QoS 1, ``loop_forever``, its window as wide as ours.

``python -m benchmarks.bare_process PORT USER PASSWORD_FILE COUNT RESULT``; with COUNT 0 it only makes its session.
"""

import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.readahead import MAX_MESSAGES

FILTER = "cunjing/v1/+/+/+"


class Drained(Struct):
    """From the first message to the last: seconds by the wall and by the process's CPU."""

    messages: int
    seconds: float
    cpu_s: float


def main(port: int, username: str, password: str, count: int) -> Drained:
    """Takes ``count`` messages of its session and leaves; the session stays."""
    client = Client(CallbackAPIVersion.VERSION2, "bench-bare", protocol=MQTTv5)
    client.username_pw_set(username, password)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own gap
    properties.SessionExpiryInterval = 3_600
    properties.ReceiveMaximum = MAX_MESSAGES
    left, began_s, began_cpu_s, seconds, cpu_s = count, 0.0, 0.0, 0.0, 0.0

    def connected(client: Client, _data: object, flags: ConnectFlags, *_rest: Any) -> None:  # noqa: ANN401 -- not looked at
        if not flags.session_present:
            client.subscribe(FILTER, 1)
        elif not count:
            client.disconnect()

    def subscribed(client: Client, *_rest: Any) -> None:  # noqa: ANN401 -- not looked at
        if not count:
            client.disconnect()

    def arrived(client: Client, _data: object, _message: MQTTMessage) -> None:
        nonlocal left, began_s, began_cpu_s, seconds, cpu_s
        if left == count:
            began_s, began_cpu_s = time.monotonic(), time.process_time()
        left -= 1
        if not left:
            seconds, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
            client.disconnect()

    client.on_connect = connected
    client.on_subscribe = subscribed
    client.on_message = arrived
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_forever()
    return Drained(count - left, seconds, cpu_s)


if __name__ == "__main__":
    drained = main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text("ascii").strip(), int(sys.argv[4]))
    Path(sys.argv[5]).write_bytes(msgspec.json.encode(drained))
