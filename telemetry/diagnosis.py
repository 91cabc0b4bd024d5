"""What is wrong with a native payload that the strict decoder would not take, or that nothing is but an unknown key.

It is slow and thorough: it names the key, the quantity and the range, and judges a list sample by sample and a sample
value by value. What stands around the readings is as strict as in the fast decoder; no range is repeated here.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, TypeGuard

import msgspec

from telemetry.reading import QUANTITIES, RefusedValue, Sample, Values
from telemetry.wire import MAX_CLOCK, MAX_COUNTER, MAX_SAMPLES, Reason, Rejected, Samples, quoted

MAX_DEPTH: Final = 100
"""How deep lists and objects may lie in each other; a sample needs three, and what it says beside them may be its own.

How many there are is bounded by the payload's size alone.
"""

FIRMWARE: Final = re.compile("[ -~]{0,64}")
"""What a firmware may be called."""
_KEYS: Final = frozenset({"v", "boot", "seq", "ts", "up", "readings"})
_JSON_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {list: "a list", str: "a string", bool: "a boolean", int: "an integer", float: "a fraction"}
)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[{]}"))
_STEPS: Final = MappingProxyType({ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1})
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z|\\\Z)', re.DOTALL)

# The strict parser knows good UTF-8, good escapes and no NaN, but not 1e999 and not a key that stands there twice.
_syntax = msgspec.json.Decoder(float_hook=float)


class _Object(dict[str, Any]):
    """A JSON object, and which of its keys stand there twice: those say nothing."""

    doubled: frozenset[str] = frozenset()


class StatusFields(NamedTuple):
    """What a device's status says, as far as it can be read, and what of it cannot."""

    online: bool
    boot: int | None
    fw: str | None
    ts_ms: int | None
    refused: tuple[RefusedValue, ...]


class _Good(NamedTuple):
    sample: Sample
    unknown_keys: int


_Json: TypeAlias = object
_Part: TypeAlias = tuple[str, Callable[[object], bool], str]
"""A key that may be there, whether a value is one, and what is wanted."""


def diagnose(payload: bytes, device: str) -> Samples | Rejected:
    """The good samples of a payload with what was refused and ignored, or why it holds none. Never raises."""
    document = parsed(payload)
    if isinstance(document, Rejected):
        return document
    if isinstance(document, list):
        return _judge_list(document, device)
    if not isinstance(document, _Object):
        return Rejected(Reason.BAD_ENVELOPE, f"a sample or a list of samples is wanted, not {kind(document)}")
    judged = _judge(document)
    return judged if isinstance(judged, Rejected) else Samples(device, (judged.sample,), (), judged.unknown_keys)


def diagnose_status(payload: bytes) -> StatusFields | Rejected:
    """A status without those of its optional parts that cannot be read, or why it is none. Never raises."""
    document = parsed(payload)
    if isinstance(document, Rejected):
        return document
    if not isinstance(document, _Object):
        return Rejected(Reason.BAD_ENVELOPE, f"a status is an object, not {kind(document)}")
    online = document.get("online")
    if "online" in document.doubled:
        return Rejected(Reason.BAD_ENVELOPE, "a status: the key online stands there twice")
    if not isinstance(online, bool):
        found = f"not {kind(online)}" if "online" in document else "and is missing"
        return Rejected(Reason.BAD_ENVELOPE, f"a status: online must be true or false, {found}")
    parts, refused = _judge_parts(document, _STATUS_PARTS)
    return StatusFields(online, parts.get("boot"), parts.get("fw"), parts.get("ts"), tuple(refused))


def number_fault(name: str, value: float) -> RefusedValue | None:
    """Why a quantity cannot have a value, or ``None`` if it can. An integer of any size is welcome."""
    quantity = QUANTITIES[name]
    if isinstance(value, float) and not isfinite(value):
        return RefusedValue(name, Reason.NOT_FINITE, f"{name} is not a finite number")
    if not quantity.low <= value <= quantity.high:
        detail = f"{name} must lie in {quantity.low:g}…{quantity.high:g}, not {_shown(value)}"
        return RefusedValue(name, Reason.OUT_OF_RANGE, detail)
    if quantity.is_flag and value not in (0, 1):
        return RefusedValue(name, Reason.OUT_OF_RANGE, f"{name} must be 0 or 1, not {_shown(value)}")
    return None


def parsed(payload: bytes) -> _Json | Rejected:
    """A payload's JSON as Python has it, strictly read, or why it is none. Never raises."""
    if not payload:
        return Rejected(Reason.NOT_JSON, "the payload is empty")
    if _depth(payload) > MAX_DEPTH:
        return Rejected(Reason.NOT_JSON, f"lists and objects lie deeper than {MAX_DEPTH} in each other")
    try:
        _syntax.decode(payload)
        document: _Json = json.loads(payload.decode(), object_pairs_hook=_object)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        return Rejected(Reason.NOT_JSON, quoted(str(fault)))
    return document


def _depth(payload: bytes) -> int:
    """How deep the brackets outside of strings lie, so that no parser's stack decides what we take."""
    brackets = _STRING.sub(b"", payload).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _object(pairs: list[tuple[str, _Json]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        times = Counter(key for key, _ in pairs)
        found.doubled = frozenset(key for key, count in times.items() if count > 1)
    return found


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
    """One sample: refused as a whole if nobody can say whose it is, or if none of its values counts."""
    if not isinstance(item, _Object):
        return Rejected(Reason.BAD_SAMPLE, f"a sample is an object, not {kind(item)}")
    fault = _header_fault(item)
    if fault is not None:
        return Rejected(Reason.BAD_SAMPLE, fault)
    readings = item["readings"]
    values, refused = _judge_readings(readings)
    if not values:
        if refused:
            return Rejected(refused[0].reason, refused[0].detail)
        return Rejected(Reason.NO_READINGS, "readings holds no quantity that we know")
    times, late_refused = _judge_parts(item, _TIMES)
    sample = Sample(
        item["boot"],
        item["seq"],
        Values(**values),
        times.get("ts"),
        None if "up" not in times else float(times["up"]),
        refused=(*refused, *late_refused),
    )
    return _Good(sample, len(item.keys() - _KEYS) + len(readings.keys() - QUANTITIES.keys()))


def _header_fault(item: _Object) -> str | None:
    """The first thing wrong with what a sample must have, as a sentence."""
    for key in ("v", "boot", "seq", "readings"):
        if key not in item:
            return f"{key} is missing"
        if key in item.doubled:
            return f"the key {key} stands there twice"
    if not _is_whole(item["v"], 1, 1):
        return "v must be 1, the only version there is"
    for key in ("boot", "seq"):
        if not _is_whole(item[key], 0, MAX_COUNTER):
            return f"{key} must be an integer in 0…{MAX_COUNTER}, not {_shown(item[key])}"
    if not isinstance(item["readings"], _Object):
        return f"readings must be an object, not {kind(item['readings'])}"
    return None


def _judge_parts(item: _Object, wanted_parts: Iterable[_Part]) -> tuple[dict[str, Any], list[RefusedValue]]:
    """The optional parts that can be read, and those that cannot."""
    found: dict[str, Any] = {}
    refused: list[RefusedValue] = []
    for key, is_one, wanted in wanted_parts:
        if key not in item:
            continue
        if key in item.doubled:
            refused.append(RefusedValue(key, Reason.BAD_SAMPLE, f"{key} stands there twice"))
        elif is_one(item[key]):
            found[key] = item[key]
        else:
            refused.append(RefusedValue(key, Reason.BAD_SAMPLE, f"{key} must be {wanted}, not {_shown(item[key])}"))
    return found, refused


def _judge_readings(readings: _Object) -> tuple[dict[str, float], list[RefusedValue]]:
    """Each quantity by itself."""
    values: dict[str, float] = {}
    refused: list[RefusedValue] = []
    for name, value in readings.items():
        if name not in QUANTITIES:
            continue
        if name in readings.doubled:
            refused.append(RefusedValue(name, Reason.BAD_SAMPLE, f"{name} stands there twice"))
        elif not _is_number(value):
            refused.append(RefusedValue(name, Reason.BAD_SAMPLE, f"{name} must be a number, not {kind(value)}"))
        elif (fault := number_fault(name, value)) is not None:
            refused.append(fault)
        else:
            values[name] = float(value)
    return values, refused


def _is_number(value: _Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: _Json, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_ts(value: _Json) -> bool:
    return _is_whole(value, 0, MAX_CLOCK)


def _is_up(value: _Json) -> bool:
    return _is_number(value) and 0 <= value <= MAX_CLOCK


def _is_boot(value: _Json) -> bool:
    return _is_whole(value, 0, MAX_COUNTER)


def _is_fw(value: _Json) -> bool:
    return isinstance(value, str) and FIRMWARE.fullmatch(value) is not None


_TS: Final = ("ts", _is_ts, f"an integer in 0…{MAX_CLOCK}")
_TIMES: Final = (_TS, ("up", _is_up, f"seconds in 0…{MAX_CLOCK}"))
"""The optional times of a sample: whether a value is one, and what is wanted."""
_STATUS_PARTS: Final = (
    ("boot", _is_boot, f"an integer in 0…{MAX_COUNTER}"),
    ("fw", _is_fw, "at most 64 plain signs"),
    _TS,
)
"""The optional parts of a status, in the same way."""


def kind(value: _Json) -> str:
    """What a JSON value is, in a sentence."""
    return _JSON_NAMES.get(type(value), "null" if value is None else "an object")


def _shown(value: _Json) -> str:
    return quoted(repr(value)).strip("'") if _is_number(value) else kind(value)
