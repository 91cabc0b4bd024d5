"""What one sample says, quantity by quantity, and what became of it on arrival.

Every quantity carries its unit in its name and the range a wire can carry; the ranges below are the only
place where they are written. What a value means for a bin or a plant is never decided here.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

Millis: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z. The only form in which time travels inside the house (ADR 0010)."""

_Length = Annotated[float, Meta(ge=0, le=65_535)] | None
_Percent = Annotated[float, Meta(ge=0, le=100)] | None
_Temperature = Annotated[float, Meta(ge=-60, le=1_000)] | None
_Angle = Annotated[float, Meta(ge=0, le=180)] | None
_Voltage = Annotated[float, Meta(ge=0, le=1_000)] | None
_Signal = Annotated[float, Meta(ge=-200, le=100)] | None
_Flow = Annotated[float, Meta(ge=-100_000, le=100_000)] | None
_Volume = Annotated[float, Meta(ge=0, le=1e12)] | None
_Current = Annotated[float, Meta(ge=0, le=10_000)] | None
_Power = Annotated[float, Meta(ge=-100_000, le=100_000)] | None
_Flag = Annotated[float, Meta(ge=0, le=1, multiple_of=1)] | None
_Concentration = Annotated[float, Meta(ge=0, le=1_000_000)] | None
_Acidity = Annotated[float, Meta(ge=0, le=14)] | None


class Values(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """The quantities of one sample; ``None`` means that the sample does not speak of it. Flags are 0.0 or 1.0."""

    distance_mm: _Length = None
    level_mm: _Length = None
    fill_pct: _Percent = None
    temperature_c: _Temperature = None
    tilt_deg: _Angle = None
    battery_pct: _Percent = None
    battery_v: _Voltage = None
    rssi_dbm: _Signal = None
    snr_db: _Signal = None
    flow_m3h: _Flow = None
    volume_m3: _Volume = None
    pump_current_a: _Current = None
    blower_current_a: _Current = None
    power_kw: _Power = None
    mains_on: _Flag = None
    pump_on: _Flag = None
    float_high: _Flag = None
    fire_flag: _Flag = None
    full_flag: _Flag = None
    tilt_flag: _Flag = None
    cod_mgl: _Concentration = None
    nh3n_mgl: _Concentration = None
    ph: _Acidity = None


class Quantity(NamedTuple):
    """One row of the quantity table: its field name (unit included) and the range a wire can carry."""

    name: str
    low: float
    high: float
    is_flag: bool


def _quantity(field: msgspec.inspect.Field) -> Quantity:
    match field.type:
        case msgspec.inspect.UnionType(types=(msgspec.inspect.FloatType() as number, _)):
            low, high, step = number.ge, number.le, number.multiple_of
            if low is not None and high is not None:
                return Quantity(field.name, low, high, is_flag=step is not None)
    raise TypeError(f"{field.name} must be a float with a range, or None")


def _table() -> Mapping[str, Quantity]:
    match msgspec.inspect.type_info(Values):
        case msgspec.inspect.StructType(fields=fields):
            return MappingProxyType({field.name: _quantity(field) for field in fields})
    raise TypeError("Values must be a struct")


QUANTITIES: Final = _table()
"""Every quantity by name, in the order of ``Values``; derived from it, so the two cannot differ."""


class Quality(IntEnum):
    """What a bin's distance is worth (alerting.md §1); it judges the distance alone."""

    GOOD = 0
    BLIND = 1
    """Nearer than the sensor can see."""
    BAD = 2
    """No distance: it saw nothing, or leans too far."""
    BEYOND = 3
    """Past the bin: through an open lid, or to a floor that is deeper than was written down."""


class TimeSource(IntEnum):
    """Which time a reading got: the device's own, the device's corrected by its steady offset, or ours."""

    OK = 0
    CORRECTED = 1
    SERVER = 2


class RefusedValue(Struct, frozen=True, gc=False):
    """One value of a sample that was refused by itself: which, a reason fit for a metric, and a sentence.

    ``subject`` is a quantity, or the name of an optional part beside the values (``ts``, ``up``, ``time``, ``rxInfo``).
    """

    subject: str
    reason: str
    detail: str


class Sample(Struct, frozen=True, gc=False):
    """One sample as it stood on the wire: validated, not yet timed and not yet known to be new.

    ``boot`` and ``seq`` are 0…2³²-1; the boot of a LoRaWAN frame is its session until its epoch is known
    (``sequence.EPOCH``), and by its ``fingerprint`` it is known again when the device's counter has begun anew.
    ``ts_ms`` is the device's own clock, ``up_s`` its uptime in seconds. ``partial`` names the channel with which a
    frame went on that its codec does not know.
    """

    boot: int
    seq: int
    values: Values
    ts_ms: Millis | None = None
    up_s: float | None = None
    partial: str = ""
    refused: tuple[RefusedValue, ...] = ()
    fingerprint: bytes = b""


class Reading(Struct, frozen=True, gc=False):
    """What a device measured: a sample that is new, with the time it counts for.

    ``observed_ms`` is event time, ``received_ms`` the instant it reached us; ``device_ms`` is the raw device clock.
    """

    device: str
    asset: str
    boot: int
    seq: int
    observed_ms: Millis
    received_ms: Millis
    clock: TimeSource
    late: bool
    values: Values
    device_ms: Millis | None = None
    judged_pct: float | None = None
    """What the sample counted as in its bin, 0–100, judged when it arrived; ``None`` without a usable distance."""
    fingerprint: bytes = b""
    """See ``Sample``; only on its way into the journal, which does not read it back with the rest."""

    def judge(self, fill_pct: float) -> None:
        """Fills in the level that it counted as; for the line that has just made it, before anybody else holds it."""
        force_setattr(self, "judged_pct", fill_pct)
