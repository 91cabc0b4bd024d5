"""What the bytes of each device model mean; one file a model, each exports ``CODEC``.

A codec knows a frame and nothing around it: no topic, no counter, no clock. It is written from the maker's layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct

from telemetry.reading import Millis, RefusedValue, Values
from telemetry.wire import Ignored, Rejected, Traffic

F_PORT: Final = "f_port"
"""The setting that every codec has: the LoRaWAN port on which the device sends what it measures."""

Settings: TypeAlias = Mapping[str, float]
"""What is set in a device and decides what its bytes mean, by name; a codec declares which there are."""


class Record(Struct, frozen=True, gc=False):
    """One set of values of a frame, with what was refused of it; ``ts_ms`` where the frame says when it was taken."""

    values: Values
    refused: tuple[RefusedValue, ...] = ()
    ts_ms: Millis | None = None


class Frame(Struct, frozen=True, gc=False):
    """What a frame says: one set of values or several timed ones, each with a value at least.

    ``partial`` names the channel with which it went on that the codec does not know; empty if it knew all.
    """

    records: tuple[Record, ...]
    partial: str = ""


Said: TypeAlias = Frame | Ignored | Rejected
"""What bytes say: values, or nothing that is measured, or why they cannot be read."""

Decode: TypeAlias = Callable[[bytes, int, Settings], Said]
"""Takes a frame's bytes, its LoRaWAN port and the device's settings. It answers on any bytes and never raises."""

Encode: TypeAlias = Callable[[Values], bytes]
"""Gives the bytes with which the device would say this, each value rounded to what the frame can carry.

Raises ``ValueError`` for a quantity that the device does not measure. For the simulator and for proofs.
"""


@dataclass(frozen=True, slots=True)
class Codec:
    """What a codec module exports as ``CODEC``.

    ``profile`` is its name in the inventory, ``settings`` those that it asks for, as they leave the factory.
    ``decode_own`` reads what comes on the device's own port.
    """

    profile: str
    settings: Settings
    decode_own: Decode
    encode: Encode

    @property
    def f_port(self) -> int:
        """The factory's port."""
        return int(self.settings[F_PORT])

    def decode(self, payload: bytes, port: int, settings: Settings) -> Said:
        """What a frame says under a device's ``settings``; those it does not name are the factory's.

        Port 0 and frames without a byte are the LoRaWAN stack's own traffic, whatever the model; another port than
        the device's carries something else than measurements.
        """
        if port == 0 or not payload:
            return Ignored(Traffic.MAC, alive=True)
        own = int(settings.get(F_PORT, self.settings[F_PORT]))
        if port != own:
            detail = f"a frame on port {port}; {self.profile} measures on port {own}, or on its setting {F_PORT}"
            return Ignored(Traffic.PORT, alive=True, detail=detail)
        return self.decode_own(payload, port, settings)


@cache
def codecs() -> Mapping[str, Codec]:
    """Every codec by profile, found by walking this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return MappingProxyType({module.CODEC.profile: module.CODEC for module in modules})
