"""What one key of the configuration may be: addresses, topic filters; each refusal says how to write it.

Which keys there are stands in ``settings.py``. Nothing here looks at another key.
"""

import re
from ipaddress import ip_network
from typing import Annotated, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""Which schemes a broker's URL may have, and the port each is on where none is named."""
PLACE_OF_A_TILE: Final = ("{z}", "{x}", "{y}")
"""What a browser fills in; nothing else may stand in braces."""
_NAMED_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Endpoint(NamedTuple):
    """A host and a port."""

    host: str
    port: int


class Tiles(NamedTuple):
    """The pictures of land that lie under the map, and whose they are."""

    url: str
    credit: str

    @property
    def origin(self) -> str:
        """Where a browser must be allowed to ask for them; empty where that is the desk's own address."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _broker_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError('write it as "mqtt://host:1883", or "mqtts://host:8883" for TLS')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; use username and password_file")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("nothing may follow the port")
    _ = parts.port  # raises for a port that cannot be
    return value


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('write it as "http://host:port", or with https')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; a token file is enough")
    _ = parts.port  # raises for a port that cannot be
    return value.rstrip("/")


def _tile_url(value: str) -> str:
    example = '"http://tiles.example/{z}/{x}/{y}.png", or as a path beginning with one /'
    bare = value
    for place in PLACE_OF_A_TILE:
        if place not in value:
            raise ValueError(f"{place} is missing, which says which tile; write it as {example}")
        bare = bare.replace(place, "0")
    if not bare.isascii() or not bare.isprintable() or set(bare) & set(" \\\"'<>{}[]"):
        raise ValueError(f"it holds what no browser fills in; only {{z}}, {{x}} and {{y}} may change: {example}")
    parts = urlsplit(value)
    if bare.startswith("/") and not parts.netloc:
        return value
    if parts.scheme not in ("http", "https") or not _NAMED_HOST.fullmatch(parts.netloc):
        raise ValueError(f"write it as {example}; the host is a name or an IPv4 address, without user and password")
    _ = parts.port  # raises for a port that cannot be
    return value


def _topic_filter(value: str) -> str:
    levels = value.split("/")
    if not value or "\0" in value or len(value.encode()) > 65_535:  # noqa: PLR2004 an MQTT string's two length bytes
        raise ValueError("a topic filter is 1 to 65535 bytes without NUL")
    if "#" in "".join(levels[:-1]) or any(len(level) > 1 and ("+" in level or "#" in level) for level in levels):
        raise ValueError('"+" and "#" stand alone between slashes, and "#" only at the end')
    return value


def _listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65_535:  # noqa: PLR2004 TCP's own limit
        raise ValueError('write it as "host:port", for example "127.0.0.1:8080"')
    return Endpoint(host.strip("[]"), int(port))


def _network(value: str) -> str:
    try:
        found = ip_network(value)
    except ValueError:
        raise ValueError('write a proxy as an address, "10.0.0.5", or its network, "10.0.0.0/24"') from None
    if found.prefixlen == 0:
        raise ValueError("that is everybody: whoever is believed may call himself what he likes; name the proxy alone")
    return str(found)


BrokerUrl: TypeAlias = Annotated[str, AfterValidator(_broker_url)]
ServerUrl: TypeAlias = Annotated[str, AfterValidator(_server_url)]
TileUrl: TypeAlias = Annotated[str, AfterValidator(_tile_url)]
TopicFilter: TypeAlias = Annotated[str, AfterValidator(_topic_filter)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
Listen: TypeAlias = Annotated[Endpoint, BeforeValidator(_listen)]
