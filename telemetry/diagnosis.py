"""What is wrong with a native payload that the strict decoder would not take, or that nothing is but an unknown key.

It is slow and thorough: it names the key, the quantity and the range, and judges a list sample by sample. It accepts
nothing that the strict decoder refuses for another reason than unknown keys, and repeats no range.
"""

import json
from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, TypeGuard

import msgspec

from telemetry.reading import QUANTITIES, Sample, Values
from telemetry.wire import MAX_CLOCK, MAX_COUNTER, MAX_SAMPLES, Reason, Rejected, Samples, quoted

MAX_BRACKETS: Final = 512
"""Openings in one payload; nesting can be no deeper, so no parser's stack decides what we take."""

_KEYS: Final = frozenset({"v", "boot", "seq", "ts", "up", "readings"})
_JSON_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "an integer", float: "a fraction"}
)

# The strict parser knows good UTF-8, good escapes and no NaN, but not 1e999 and not a key that stands there twice.
_syntax = msgspec.json.Decoder(float_hook=float)


class _Doubled(NamedTuple):
    """An object in which a key stands twice, so that it says nothing."""

    key: str


class _Good(NamedTuple):
    sample: Sample
    unknown_keys: int


_Json: TypeAlias = object


def diagnose(payload: bytes, device: str) -> Samples | Rejected:
    """The good samples of a payload with what was refused and ignored, or why it holds none. Never raises."""
    document = _parsed(payload)
    if isinstance(document, Rejected):
        return document
    if isinstance(document, list):
        return _judge_list(document, device)
    if not isinstance(document, dict | _Doubled):
        return Rejected(Reason.BAD_ENVELOPE, f"a sample or a list of samples is wanted, not {_kind(document)}")
    judged = _judge(document)
    return judged if isinstance(judged, Rejected) else Samples(device, (judged.sample,), (), judged.unknown_keys)


def number_fault(name: str, value: float) -> Rejected | None:
    """Why a quantity cannot have a value, or ``None`` if it can. An integer of any size is welcome."""
    quantity = QUANTITIES[name]
    if isinstance(value, float) and not isfinite(value):
        return Rejected(Reason.NOT_FINITE, f"{name} is not a finite number")
    if not quantity.low <= value <= quantity.high:
        return Rejected(
            Reason.OUT_OF_RANGE, f"{name} must lie in {quantity.low:g}…{quantity.high:g}, not {_shown(value)}"
        )
    if quantity.is_flag and value not in (0, 1):
        return Rejected(Reason.OUT_OF_RANGE, f"{name} must be 0 or 1, not {_shown(value)}")
    return None


def _parsed(payload: bytes) -> _Json | Rejected:
    if not payload:
        return Rejected(Reason.NOT_JSON, "the payload is empty")
    if payload.count(b"[") + payload.count(b"{") > MAX_BRACKETS:
        return Rejected(Reason.NOT_JSON, f"more than {MAX_BRACKETS} brackets")
    try:
        _syntax.decode(payload)
        document: _Json = json.loads(payload.decode(), object_pairs_hook=_object)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        return Rejected(Reason.NOT_JSON, quoted(str(fault)))
    return document


def _object(pairs: list[tuple[str, _Json]]) -> _Json:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return _Doubled(next(key for key in keys if keys.count(key) > 1))


def _judge_list(items: list[_Json], device: str) -> Samples | Rejected:
    if not items:
        return Rejected(Reason.EMPTY_LIST, "a list without a sample")
    if len(items) > MAX_SAMPLES:
        return Rejected(Reason.TOO_MANY, f"{len(items)} samples; a list has at most {MAX_SAMPLES}")
    good: list[_Good] = []
    refused: list[Rejected] = []
    for place, item in enumerate(items, start=1):
        judged = _judge(item)
        if isinstance(judged, Rejected):
            refused.append(Rejected(judged.reason, f"sample {place}: {judged.detail}"))
        else:
            good.append(judged)
    if not good:
        return Rejected(refused[0].reason, f"none of {len(items)} samples is good; {refused[0].detail}")
    unknown_keys = sum(one.unknown_keys for one in good)
    return Samples(device, tuple(one.sample for one in good), tuple(refused), unknown_keys)


def _judge(item: _Json) -> _Good | Rejected:
    if isinstance(item, _Doubled):
        return Rejected(Reason.BAD_SAMPLE, f"the key {quoted(item.key)} stands there twice")
    if not isinstance(item, dict):
        return Rejected(Reason.BAD_SAMPLE, f"a sample is an object, not {_kind(item)}")
    fault = _header_fault(item)
    if fault is not None:
        return Rejected(Reason.BAD_SAMPLE, fault)
    readings = item["readings"]
    values = _judge_readings(readings)
    if isinstance(values, Rejected):
        return values
    up_s = float(item["up"]) if "up" in item else None
    sample = Sample(item["boot"], item["seq"], Values(**values), item.get("ts"), up_s)
    return _Good(sample, len(item.keys() - _KEYS) + len(readings) - len(values))


def _header_fault(item: dict[str, _Json]) -> str | None:
    """The first thing wrong around the readings, as a sentence."""
    for key in ("v", "boot", "seq", "readings"):
        if key not in item:
            return f"{key} is missing"
    if not _is_whole(item["v"], 1, 1):
        return "v must be 1, the only version there is"
    for key, most in (("boot", MAX_COUNTER), ("seq", MAX_COUNTER), ("ts", MAX_CLOCK)):
        if key in item and not _is_whole(item[key], 0, most):
            return f"{key} must be an integer in 0…{most}, not {_shown(item[key])}"
    up = item.get("up", 0)
    if not (_is_number(up) and 0 <= up <= MAX_CLOCK):
        return f"up must be seconds in 0…{MAX_CLOCK}, not {_shown(up)}"
    return None


def _judge_readings(readings: _Json) -> dict[str, float] | Rejected:
    if isinstance(readings, _Doubled):
        return Rejected(Reason.BAD_SAMPLE, f"the reading {quoted(readings.key)} stands there twice")
    if not isinstance(readings, dict):
        return Rejected(Reason.BAD_SAMPLE, f"readings must be an object, not {_kind(readings)}")
    values: dict[str, float] = {}
    for name, value in readings.items():
        if name not in QUANTITIES:
            continue
        if not _is_number(value):
            return Rejected(Reason.BAD_SAMPLE, f"{name} must be a number, not {_kind(value)}")
        fault = number_fault(name, value)
        if fault is not None:
            return fault
        values[name] = float(value)
    if not values:
        return Rejected(Reason.NO_READINGS, "readings holds no quantity that we know")
    return values


def _is_number(value: _Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: _Json, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _kind(value: _Json) -> str:
    return _JSON_NAMES.get(type(value), "null" if value is None else "an object")


def _shown(value: _Json) -> str:
    return quoted(repr(value)).strip("'") if _is_number(value) else _kind(value)
