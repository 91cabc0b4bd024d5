"""The laws of what a device says: a frame counts once, and a refused value costs only itself.

Whatever comes again, in whichever order, and however often the gateway is started meanwhile.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.journal.reader import JournalReader
from telemetry.codecs import Frame, codecs
from telemetry.diagnosis import diagnose
from telemetry.reading import QUANTITIES, Sample
from telemetry.wire import Samples, Uplink
from tests.laws.test_restart_laws import difference
from tests.lorawan import DAY, MINUTE, START_MS, opened, up
from tests.strategies import samples, wire_bytes, wire_form

INTERVAL = 20 * MINUTE

Story = list[tuple[int, bool, bool]]
"""A device's lives between restarts: how many counts each has, whether only every other frame measures, and whether the
network tells no time."""


def sent(story: Story) -> Iterator[Uplink]:
    """Every frame once: counts from zero in each life, each frame with another level than all others."""
    at_ms, level = START_MS, 300
    for counts, is_quiet, is_timeless in story:
        for f_cnt in range(counts):
            level += 1
            frame = "" if is_quiet and f_cnt % 2 else f"0482{level.to_bytes(2, 'little').hex()}"
            more: dict[str, Any] = {"time": None} if is_timeless else {}
            yield up(f_cnt, frame, at_ms, **more)
            at_ms += INTERVAL
        at_ms += 3 * MINUTE - INTERVAL


def kept(path: Path) -> tuple[list[float], int]:
    """The levels that were committed, and how many frames lived without one."""
    with closing(JournalReader.open(path)) as journal:
        levels = [row["values"]["distance_mm"] for row in journal.readings()]
        (lives,) = journal._connection.execute("SELECT count(*) FROM sign_of_life").fetchone()
    return levels, lives


def measured(frames: Sequence[Uplink]) -> tuple[list[float], int]:
    """What those frames say, each once."""
    data = [json.loads(frame.payload)["data"] for frame in frames]
    levels = [300.0 + number for number, one in enumerate(data, 1) if one]
    return levels, data.count("")


stories: st.SearchStrategy[Story] = st.lists(
    st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), min_size=1, max_size=7
)


@settings(deadline=None, max_examples=25)
@given(stories, st.data())
def test_every_frame_of_a_device_that_restarts_is_committed_once_in_any_order_and_however_often_it_comes(
    story: Story, data: st.DataObject
) -> None:
    frames = list(sent(story))
    levels, lives = measured(frames)
    arrivals = data.draw(st.permutations(frames + data.draw(st.lists(st.sampled_from(frames), max_size=8))))
    restarts = data.draw(st.sets(st.integers(0, len(arrivals)), max_size=3))
    batch = data.draw(st.integers(1, 5))
    with TemporaryDirectory() as made:
        path = Path(made) / "journal.db"
        with closing(opened(path)) as line:
            for number in range(0, len(arrivals), batch):
                at_ms = START_MS + DAY + number * MINUTE
                line.take([replace(one, received_ms=at_ms) for one in arrivals[number : number + batch]])
                line.commit()
                if number in restarts:
                    alive = line.memory()
                    line.restart(at_ms)
                    assert not difference(line.memory(), alive)
        found, lived = kept(path)
    assert (sorted(found), lived) == (sorted(levels), lives)


odd_values: st.SearchStrategy[Any] = st.sampled_from([None, True, "92", [], {}, 1e300, -1e300, float("inf")])


@given(samples(), st.dictionaries(st.sampled_from(list(QUANTITIES)), odd_values, min_size=1), st.data())
def test_a_refused_value_changes_no_other_value_of_a_native_sample(
    said: Sample, odd: dict[str, Any], data: st.DataObject
) -> None:
    wire = wire_form(said)
    bare = diagnose(wire_bytes(wire), "bin-0003")
    odd = {name: value for name, value in odd.items() if name not in wire["readings"]}
    times = {name: "soon" for name in ("ts", "up") if name not in wire and data.draw(st.booleans())}
    shown = wire_bytes(wire | times | {"readings": wire["readings"] | odd}).replace(b"Infinity", b"1e999")
    found = diagnose(shown, "bin-0003")
    assert isinstance(found, Samples)
    assert isinstance(bare, Samples)
    assert replace(found.samples[0], refused=()) == bare.samples[0]
    assert {one.subject for one in found.samples[0].refused} == odd.keys() | times.keys()


GOOD = {"battery_pct": "01755c", "temperature_c": "03670101", "distance_mm": "04824408", "tilt_flag": "050001"}
BAD = {"battery_pct": "0175ff", "temperature_c": "0367a7fd", "tilt_flag": "050002"}


@given(st.permutations(list(GOOD)), st.sets(st.sampled_from(sorted(BAD))))
def test_a_refused_value_changes_no_other_value_of_a_frame(order: list[str], bad: set[str]) -> None:
    codec = codecs()["milesight-em400"]
    whole = codec.decode(bytes.fromhex("".join(GOOD[name] for name in order)), 85, {})
    found = codec.decode(bytes.fromhex("".join((BAD if name in bad else GOOD)[name] for name in order)), 85, {})
    assert isinstance(whole, Frame)
    assert isinstance(found, Frame)
    (all_good,), (some,) = whole.records, found.records
    assert {one.subject for one in some.refused} == bad
    for name in QUANTITIES:
        assert getattr(some.values, name) == (None if name in bad else getattr(all_good.values, name))
