"""Hypothesis strategies for what the house speaks of: one home, so that each law draws from the same world."""

import json
from typing import Any, TypeAlias

from hypothesis import strategies as st

from telemetry.reading import QUANTITIES, Quantity, Sample, Values

COUNTER_MAX = 2**32 - 1

Json: TypeAlias = Any


def quantity_values(quantity: Quantity) -> st.SearchStrategy[float]:
    """Any value that the wire can carry for a quantity."""
    if quantity.is_flag:
        return st.sampled_from((0.0, 1.0))
    return st.floats(quantity.low, quantity.high)


def values() -> st.SearchStrategy[Values]:
    """Values of one sample: at least one quantity, each in its range."""
    each: dict[str, st.SearchStrategy[float]] = {name: quantity_values(one) for name, one in QUANTITIES.items()}
    some = st.fixed_dictionaries({}, optional=each).filter(bool)
    return some.map(lambda spoken: Values(**spoken))


def counters() -> st.SearchStrategy[int]:
    """A boot or a seq, often near the ends."""
    return st.one_of(st.integers(0, 5), st.integers(COUNTER_MAX - 5, COUNTER_MAX), st.integers(0, COUNTER_MAX))


def samples() -> st.SearchStrategy[Sample]:
    """A sample as a native device could send it."""
    clocks = st.none() | st.integers(0, 2**53)
    uptimes = st.none() | st.floats(0, 2**53)
    return st.builds(Sample, counters(), counters(), values(), clocks, uptimes)


def wire_form(sample: Sample) -> dict[str, Json]:
    """A sample as the JSON object of the native envelope."""
    readings = {name: value for name in QUANTITIES if (value := getattr(sample.values, name)) is not None}
    wire: dict[str, Json] = {"v": 1, "boot": sample.boot, "seq": sample.seq, "readings": readings}
    if sample.ts_ms is not None:
        wire["ts"] = sample.ts_ms
    if sample.up_s is not None:
        wire["up"] = sample.up_s
    return wire


def wire_bytes(wire: Json) -> bytes:
    """JSON as a device writes it: UTF-8, no spaces."""
    return json.dumps(wire, separators=(",", ":"), ensure_ascii=False).encode()


def json_values() -> st.SearchStrategy[Json]:
    """Any JSON value, small."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8)

    def inner(part: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
        names = st.text(st.characters(codec="utf-8"), max_size=8)
        return st.lists(part, max_size=4) | st.dictionaries(names, part, max_size=4)

    return st.recursive(leaves, inner, max_leaves=12)


def almost_samples() -> st.SearchStrategy[Json]:
    """Objects that look like a sample, with anything in any place: what a broken firmware sends."""
    odd = st.one_of(st.sampled_from((0, 1, True, 1.0, -1, 2**32, 1e300, None, "1")), json_values())
    readings = st.dictionaries(st.sampled_from((*QUANTITIES, "humidity_pct")), odd, max_size=4) | json_values()
    whole = {"v": st.just(1) | odd, "boot": odd, "seq": odd, "readings": readings}
    return st.fixed_dictionaries({}, optional={**whole, "ts": odd, "up": odd, "x": odd}) | st.fixed_dictionaries(whole)


def topics() -> st.SearchStrategy[str]:
    """Topics that lead somewhere, nearly do, or are noise."""
    kinds = st.sampled_from(("telemetry", "status", "cmd", "event", ""))
    names = st.sampled_from(("bin-0003", "bin-0004", "bin-9999", "BIN", "x" * 33, ""))
    native = st.builds(
        lambda county, name, kind: f"cunjing/v1/{county}/{name}/{kind}",
        st.sampled_from(("xiang", "heng")),
        names,
        kinds,
    )
    euis = st.sampled_from(
        ("24e124713b000004", "24E124713B000004", "24e124713b000005", "24e124713b000006", "0", "g" * 16)
    )
    lora = st.builds(
        lambda eui, event: f"application/1/device/{eui}/event/{event}", euis, st.sampled_from(("up", "join"))
    )
    return native | lora | st.text()
