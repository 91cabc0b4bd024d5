"""Restarts change nothing (L6), and neither does a crash between any two steps (L1, L2), whatever a county sends."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.model import Actor
from telemetry.inventory.file import parse
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.gateway.journal.entries import contents
from tests.scenario_run import policy_files
from tests.seen import see
from tests.strategies import wire_bytes, wire_form
from tests.virtual_line import VirtualLine

START_MS = 1_795_390_200_000
"""2026-11-23 07:30 in the county."""

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

PARSED = parse(
    """
    county: {id: xia, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫, rounds: {am: "07:00-11:00", pm: "14:30-16:30"}}
    areas:
      - {id: qingshi, name: 青石镇, level: town}
      - {id: liutan, name: 柳潭村, level: village, parent: qingshi}
    people:
      - {id: cleaner, name: 李大姐, phone: "13900000001", duties: [{role: cleaner, area: liutan}]}
      - {id: crew, name: 陈工, phone: "13900000003", duties: [{role: crew, area: qingshi}]}
      - {id: office, name: 吴调度, phone: "13900000004", duties: [{role: dispatcher, area: qingshi, hours: "07:00-21:00"}]}
      - {id: head, name: 柳书记, phone: "13900000005", duties: [{role: village_head, area: liutan}]}
      - {id: leader, name: 何镇长, phone: "13900000006", duties: [{role: town_leader, area: qingshi}]}
    radio_gateways: [{id: g1, name: 柳潭村部网关, area: liutan}]
    assets:
      - {id: pool, kind: bin, name: 柳潭村1号垃圾池, short: 柳潭1号, area: liutan, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: road, kind: bin, name: 柳潭村2号垃圾池, short: 柳潭2号, area: liutan, roadside: true, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: round, kind: bin, name: 柳潭村3号垃圾桶, short: 柳潭3号, area: liutan, collection: {rounds: [am, pm], days: daily}, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: plant, kind: plant, name: 禾田污水站, short: 禾田站, area: liutan, plant: {design_m3d: 50, rated_current_a: 7, start_level_mm: 900, alarm_level_mm: 1400}}
    devices:
      - {id: s-pool, asset: pool, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-road, asset: road, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-round, asset: round, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: m-plant, asset: plant, profile: native, power: mains, interval_s: 600, installed_at: 2026-11-01T00:00:00Z}
      - {id: m-radio, asset: plant, profile: native, power: mains, interval_s: 600, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
    """,  # noqa: E501 -- a row is a row
    "tiny.yaml",
    frozenset({"native"}),
)
assert PARSED.inventory is not None
COUNTY = PARSED.inventory
POLICY_FILES = policy_files()
BINS, PLANTS = ("s-pool", "s-road", "s-round"), ("m-plant", "m-radio")


@dataclass(frozen=True)
class Said:
    """Something a device says after a while: samples, each with how long ago it was taken; -1 is a clock of 1970."""

    after_ms: Millis
    device: str
    boot: int
    ago_ms: tuple[Millis, ...]
    values: tuple[Values, ...]
    repeats: int = 0
    """Which of its earlier uplinks it sends again instead; 0 is none."""


@dataclass(frozen=True)
class Spoken:
    """A person says something about whatever episode is the oldest."""

    after_ms: Millis
    resets: bool


Happening: TypeAlias = Said | Spoken

gaps = st.sampled_from((0, 1, SECOND, 7 * MINUTE, 20 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 9 * HOUR))
agos = st.sampled_from((0, 0, 0, 0, MINUTE, 25 * MINUTE, 3 * HOUR, -1))
boots = st.sampled_from((1, 1, 1, 2))


def _some(**each: tuple[float | None, ...]) -> st.SearchStrategy[Values]:
    drawn = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in each.items()})
    return drawn.map(lambda kept: Values(**kept)).filter(lambda values: values != Values())


bin_values = _some(
    distance_mm=(None, 1_190.0, 900.0, 600.0, 480.0, 230.0, 230.0, 100.0, 65_535.0),
    temperature_c=(None, 20.0, 20.0, 44.0, 52.0, 66.0, 75.0),
    tilt_deg=(None, 2.0, 2.0, 45.0),
    full_flag=(None, None, 0.0, 1.0),
    battery_pct=(None, 90.0, 15.0),
)
plant_values = _some(
    level_mm=(None, 500.0, 950.0, 950.0, 1_450.0),
    flow_m3h=(None, 0.0, 0.0, 3.0),
    pump_current_a=(None, 0.0, 6.0),
    mains_on=(None, 1.0, 1.0, 0.0),
    float_high=(None, 0.0, 1.0),
)


def _said(devices: tuple[str, ...], values: st.SearchStrategy[Values]) -> st.SearchStrategy[Said]:
    lengths = st.sampled_from((1, 1, 1, 3))
    return lengths.flatmap(
        lambda n: st.builds(
            Said,
            gaps,
            st.sampled_from(devices),
            boots,
            st.tuples(*[agos] * n),
            st.tuples(*[values] * n),
            st.sampled_from((0, 0, 0, 0, 1, 3)),
        )
    )


happenings = st.lists(
    st.one_of(
        _said(BINS, bin_values),
        _said(BINS, bin_values),
        _said(PLANTS, plant_values),
        st.builds(Spoken, gaps, st.booleans()),
    ),
    min_size=4,
    max_size=25,
)


def told(story: Sequence[Happening]) -> Iterator[tuple[Millis, Uplink | Spoken]]:
    """The story with instants and bytes."""
    now_ms, seq, sent = START_MS, 0, list[Uplink]()
    for happening in story:
        now_ms += happening.after_ms
        if isinstance(happening, Spoken):
            yield now_ms, happening
            continue
        topic, wires = f"cunjing/v1/xia/{happening.device}/telemetry", []
        for ago_ms, values in zip(happening.ago_ms, happening.values, strict=True):
            seq += 1
            ts_ms = 0 if ago_ms < 0 else now_ms - ago_ms
            wires.append(wire_form(Sample(happening.boot, seq, values, ts_ms, float(seq))))
        again = happening.repeats
        uplink = Uplink(now_ms, topic, wire_bytes(wires if len(wires) > 1 else wires[0]))
        if again and len(sent) >= again:
            uplink = replace(sent[-again], received_ms=now_ms)
        sent.append(uplink)
        yield now_ms, uplink


def do(line: VirtualLine, at_ms: Millis, what: Uplink | Spoken) -> None:
    """One happening on one line, not yet durable."""
    if isinstance(what, Uplink):
        line.take([what])
        return
    line.pipeline.advance(at_ms)
    county, changes = line.pipeline.county, line.pipeline.changes
    for episode in sorted(county.alerts)[:1]:
        if what.resets:
            county.reset(episode, Actor("office", "desk"), at_ms, changes)
        else:
            see(county, episode, "office", at_ms, changes)


def plain(story: Sequence[Happening], path: Path) -> VirtualLine:
    """The story without any restart."""
    line = VirtualLine(path, COUNTY, POLICY_FILES, START_MS)
    for at_ms, what in told(story):
        do(line, at_ms, what)
        line.commit()
    return line


class Restart(Enum):
    """Whether a process ends after a step, and whether it left a snapshot."""

    NONE = 0
    KILLED = 1
    ENDED = 2


QUICK, DEEP = 40, 2_000


def difference(found: object, expected: object) -> str:
    """Where two nested values first differ; pytest's own comparison of a whole county takes minutes."""
    if found == expected:
        return ""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        pairs = [(f"[{key!r}]", found[key], expected[key]) for key in found]
    elif isinstance(found, list | tuple) and isinstance(expected, list | tuple) and len(found) == len(expected):
        pairs = [(f"[{i}]", one, other) for i, (one, other) in enumerate(zip(found, expected, strict=True))]
    else:
        return f": {found!r} != {expected!r}"[:2_000]
    return next((where + difference(one, other) for where, one, other in pairs if one != other), ": in kind")


def hold_restarts(story: list[Happening], restarts: list[Restart]) -> None:
    with TemporaryDirectory() as made:
        calm, rough = Path(made) / "calm.db", Path(made) / "rough.db"
        with closing(plain(story, calm)) as once, closing(VirtualLine(rough, COUNTY, POLICY_FILES, START_MS)) as again:
            for number, (at_ms, what) in enumerate(told(story)):
                do(again, at_ms, what)
                restart = restarts[number % len(restarts)]
                again.commit(snapshot=restart is Restart.ENDED)
                if restart is not Restart.NONE:
                    alive = again.memory()
                    again.restart(at_ms)
                    assert not difference(again.memory(), alive)
            end_ms = at_ms + 30 * HOUR
            for line in (once, again):
                line.pipeline.advance(end_ms)
                line.commit()
            assert not difference(again.said, once.said)
            assert not difference(again.memory(), once.memory())


restarts = st.lists(st.sampled_from(Restart), min_size=1, max_size=7)


@settings(max_examples=QUICK, deadline=None)
@given(happenings, restarts)
def test_restarts_change_no_event_and_what_is_restored_is_what_was_alive(
    story: list[Happening], restarts: list[Restart]
) -> None:
    hold_restarts(story, restarts)


class Death(Enum):
    """Between which two steps a process dies."""

    NEVER = 0
    BEFORE_COMMIT = 1
    BEFORE_ACK = 2
    AFTER_ACK = 3


KEPT = ("event", "alert", "notification")
"""What a journal says; positions, snapshots and the numbers of names say only how it was written."""


def journal(path: Path) -> dict[str, Any]:
    """What it says, with names for numbers; a refused uplink may come twice."""
    tables = contents(path)
    devices, assets = ({row[0]: row[1] for row in tables[name]} for name in ("device", "asset"))
    readings = [(number, devices[device], assets[asset], *rest) for number, device, asset, *rest in tables["reading"]]
    statuses = {devices[device]: rest for device, *rest in tables["device_status"]}
    refused = {row[2:] for row in tables["quarantine"]}
    return {name: tables[name] for name in KEPT} | {"reading": readings, "status": statuses, "quarantine": refused}


def hold_crashes(story: list[Happening], batch: int, deaths: list[Death]) -> None:
    sent = [one for one in story if isinstance(one, Said)]
    queue = [what for _, what in told(sent) if isinstance(what, Uplink)]
    end_ms = START_MS + sum(one.after_ms for one in sent) + 30 * HOUR
    coming = iter(deaths)
    with TemporaryDirectory() as made:
        calm, rough = Path(made) / "calm.db", Path(made) / "rough.db"
        with closing(plain(sent, calm)) as once, closing(VirtualLine(rough, COUNTY, POLICY_FILES, START_MS)) as again:
            while queue:
                held, death = queue[:batch], next(coming, Death.NEVER)
                again.take(held)
                if death is Death.BEFORE_COMMIT:
                    again.restart(held[0].received_ms)
                    continue
                again.commit()
                if death is Death.BEFORE_ACK:
                    again.restart(held[-1].received_ms)
                    continue
                del queue[:batch]
                if death is Death.AFTER_ACK:
                    again.restart(held[-1].received_ms)
            for line in (once, again):
                line.pipeline.advance(end_ms)
                line.commit()
            assert not difference(again.memory(), once.memory())
        assert not difference(journal(rough), journal(calm))


@settings(max_examples=QUICK, deadline=None)
@given(happenings, st.integers(1, 6), st.lists(st.sampled_from(Death), max_size=12))
def test_a_crash_between_any_two_steps_leaves_the_same_journal(
    story: list[Happening], batch: int, deaths: list[Death]
) -> None:
    hold_crashes(story, batch, deaths)


@pytest.mark.deep
@settings(max_examples=DEEP, deadline=None)
@given(happenings, restarts)
def test_restarts_change_no_event_in_thousands_of_stories(story: list[Happening], restarts: list[Restart]) -> None:
    hold_restarts(story, restarts)


@pytest.mark.deep
@settings(max_examples=DEEP, deadline=None)
@given(happenings, st.integers(1, 6), st.lists(st.sampled_from(Death), max_size=12))
def test_crashes_leave_the_same_journal_in_thousands_of_stories(
    story: list[Happening], batch: int, deaths: list[Death]
) -> None:
    hold_crashes(story, batch, deaths)
