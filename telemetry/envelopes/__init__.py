"""The ways a device's words are wrapped for the broker; one file an envelope, each exports ``ENVELOPE``.

An envelope knows topics and wrappings; what the bytes of a device model mean is the business of ``codecs``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from telemetry.inventory import Inventory
from telemetry.wire import Address, Ignored, Reader, Rejected

NATIVE_PROFILE: Final = "native"
"""The profile of a device that speaks our own JSON; every other profile names a codec."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an envelope module exports as ``ENVELOPE``.

    ``topics`` names the topics that can be foreseen from the inventory, maybe none. ``match`` says where a topic
    leads; ``None`` means that it is not this envelope's, ``Rejected`` that it is, but leads to nobody, ``Ignored`` that
    nothing is measured there. ``read`` reads a telemetry payload, without a topic, as ``cunjing decode`` does.
    """

    name: str
    topics: Callable[[Inventory], Iterable[str]]
    match: Callable[[str, Inventory], Address | Ignored | Rejected | None]
    read: Reader


@cache
def envelopes() -> Mapping[str, Envelope]:
    """Every envelope by name, found by walking this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return MappingProxyType({module.ENVELOPE.name: module.ENVELOPE for module in modules})
