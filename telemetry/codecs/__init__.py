"""What the bytes of each device model mean; one file a model, each exports ``CODEC``.

A codec knows a frame and nothing around it: no topic, no counter, no clock. It is written from the maker's layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct

from telemetry.reading import Values
from telemetry.wire import Rejected


class Frame(Struct, frozen=True, gc=False):
    """What a frame says. ``partial`` means that it went on with something the codec does not know."""

    values: Values
    partial: bool = False


Decode: TypeAlias = Callable[[bytes, int], Frame | Rejected]
"""Takes a frame's bytes and its LoRaWAN port. It answers on any bytes and never raises."""

Encode: TypeAlias = Callable[[Values], bytes]
"""Gives the bytes with which the device would say this, each value rounded to what the frame can carry.

Raises ``ValueError`` for a quantity that the device does not measure. For the simulator and for proofs.
"""


@dataclass(frozen=True, slots=True)
class Codec:
    """What a codec module exports as ``CODEC``; ``profile`` is its name in the inventory, ``f_port`` the factory's."""

    profile: str
    f_port: int
    decode: Decode
    encode: Encode


@cache
def codecs() -> Mapping[str, Codec]:
    """Every codec by profile, found by walking this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return MappingProxyType({module.CODEC.profile: module.CODEC for module in modules})
