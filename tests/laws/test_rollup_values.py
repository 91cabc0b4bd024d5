"""Each value of a rollup is computed a second time, in another way, from the same readings."""

from collections.abc import Sequence
from itertools import pairwise
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.build import assemble
from alerts.calendars import HOUR_MS
from alerts.conditions import bins
from alerts.episodes.county import Changes
from alerts.model import Event, RunState
from alerts.rollups.assets import Followed
from alerts.rollups.rows import BinRow, DeviceRow, Period, PlantRow, Row, hour_at, starts
from telemetry.reading import Millis, Reading
from tests.laws.test_restart_laws import COUNTY, MINUTE, PLANTS, POLICY_FILES, START_MS, bin_values, plant_values
from tests.laws.test_rollup_laws import PLANS, Heard, heard, readings, volumes

KNOWN = dict.fromkeys(COUNTY.devices, START_MS - 6 * HOUR_MS)
QUICK, DEEP = 60, 3_000

pools = st.lists(heard(("s-pool",), bin_values, st.none()), min_size=1, max_size=40)
plants = st.lists(heard(PLANTS, plant_values, st.none()), min_size=1, max_size=40)
totals = volumes.filter(lambda each: each is not None)
meters = st.lists(heard(("m-plant",), plant_values, totals), min_size=1, max_size=40)


def windows(told: Sequence[Reading]) -> list[Period]:
    """Every hour from when it is known until long after the last word."""
    span = Period(hour_at(KNOWN["s-pool"]).start_ms, hour_at(told[-1].observed_ms).end_ms + 30 * HOUR_MS)
    return [hour_at(start_ms) for start_ms in starts(span)]


def rolled(asset: str, told: Sequence[Reading]) -> list[tuple[Period, Sequence[Row]]]:
    """The rows, hour by hour."""
    one, carry = Followed(PLANS[asset], KNOWN), None
    found: list[tuple[Period, Sequence[Row]]] = []
    for window in windows(told):
        own = [reading for reading in told if window.start_ms <= reading.observed_ms < window.end_ms]
        folded = one.fold(carry, own, window)
        carry = folded.carry
        found.append((window, [each.row for each in folded.rows]))
    return found


def overlap(window: Period, from_ms: Millis, to_ms: Millis) -> Millis:
    return max(0, min(window.end_ms, to_ms) - max(window.start_ms, from_ms))


def hold_levels(story: list[Heard]) -> None:
    """Judged once from first to last without any hour, then sorted into hours; the intervals are cut by them."""
    told = sorted(readings(story), key=lambda one: (one.observed_ms, one.boot, one.seq))
    geometry = COUNTY.assets["pool"].bin
    assert geometry is not None
    memory, judged, emptied = bins.BinMemory(), list[tuple[Millis, float]](), list[Millis]()
    spans = list[list[float]]()  # from, to, level
    for reading in told:
        at_ms = reading.observed_ms
        sight, memory = bins.look(geometry, memory, reading)
        holds = bool(spans) and spans[-1][1] >= at_ms
        if holds:
            spans[-1][1] = at_ms
        if sight.fill_pct is not None:
            judged.append((at_ms, sight.fill_pct))
        if sight.fill_pct is not None or holds:
            level = spans[-1][2] if sight.fill_pct is None else sight.fill_pct
            spans.append([at_ms, at_ms + 2 * HOUR_MS, level])
        if sight.emptying is not None and sight.emptying.wholly:
            emptied.append(at_ms)
    for window, rows in rolled("pool", told):
        (row,) = [each for each in rows if isinstance(each, BinRow)]
        fills = [fill for at_ms, fill in judged if window.start_ms <= at_ms < window.end_ms]
        assert row.samples == len(fills)
        assert row.emptyings == sum(window.start_ms <= at_ms < window.end_ms for at_ms in emptied)
        known = sum(overlap(window, round(from_ms), round(to_ms)) for from_ms, to_ms, _ in spans)
        over = sum(overlap(window, round(from_ms), round(to_ms)) for from_ms, to_ms, level in spans if level > 66.7)
        assert (row.known_min, row.over_min) == (known / MINUTE, over / MINUTE)
        assert (row.exposure_points is None) == (known == 0)
        assert row.exposure_points is None or isclose(row.exposure_points, 0.5 * over / known)
        if fills:
            assert (row.fill_min_pct, row.fill_max_pct, row.fill_last_pct) == (min(fills), max(fills), fills[-1])
            assert isclose(row.fill_mean_pct or 0.0, sum(fills) / len(fills))
        else:
            assert row.fill_mean_pct is row.fill_min_pct is row.fill_max_pct is row.fill_last_pct is None


def hold_volume(story: list[Heard]) -> None:
    """What the hours say together is the last value less the first, and what every reset took away."""
    told = sorted(readings(story), key=lambda one: (one.observed_ms, one.boot, one.seq))
    values = [reading.values.volume_m3 for reading in told if reading.values.volume_m3 is not None]
    taken = sum(max(0.0, before - after) for before, after in pairwise(values))
    rows = [row for _, found in rolled("plant", told) for row in found if isinstance(row, PlantRow)]
    assert isclose(sum(row.volume_m3 or 0.0 for row in rows), values[-1] - values[0] + taken, abs_tol=1e-6)
    assert sum(row.volume_m3 is not None for row in rows) == len({reading.observed_ms // HOUR_MS for reading in told})


def run_states(told: Sequence[Reading], until_ms: Millis) -> list[tuple[Millis, RunState]]:
    """When the gateway says that the plant is in which run state, if each reading reaches it at once."""
    county = assemble(COUNTY, POLICY_FILES)[0]
    county.restore({asset: plan.born(KNOWN) for asset, plan in county.plans.items()}, list[Alert]())
    changes = Changes()
    county.listen(KNOWN["m-plant"], None, changes, started=True)
    for reading in told:
        county.observe(replace(reading, received_ms=reading.observed_ms), changes)
    county.advance(until_ms, changes)
    events = [said for said in changes.log if isinstance(said, Event) and said.event == "run_state"]
    return [(event.at_ms, RunState(str((event.detail or {})["to"]))) for event in events]


def hold_run_states(story: list[Heard]) -> None:
    """The whole county says when a run state changes; between two changes it lasts."""
    told = sorted(readings(story), key=lambda one: (one.observed_ms, one.boot, one.seq))
    hours = rolled("plant", told)
    end_ms = hours[-1][0].end_ms
    changes = [(KNOWN["m-plant"], RunState.UNKNOWN), *run_states(told, end_ms), (end_ms, RunState.UNKNOWN)]
    for window, rows in hours:
        (row,) = [each for each in rows if isinstance(each, PlantRow)]
        for state in RunState:
            spans = ((at_ms, to_ms) for (at_ms, name), (to_ms, _) in pairwise(changes) if name is state)
            stood = sum(overlap(window, *span) for span in spans)
            assert getattr(row, f"state_{state}_s") == stood / 1_000, (window, state)


def hold_counts(story: list[Heard]) -> None:
    """Every reading is received in one hour, and running time is never longer than the hour."""
    told = readings(story)
    rows = [row for _, found in rolled("plant", told) for row in found]
    assert sum(row.received for row in rows if isinstance(row, DeviceRow)) == len(told)
    assert all(0.0 <= row.running_s <= 3_600.0 for row in rows if isinstance(row, PlantRow))


LAWS = {
    "levels": (pools, hold_levels),
    "volume": (meters, hold_volume),
    "run_states": (plants, hold_run_states),
    "counts": (plants, hold_counts),
}


@pytest.mark.parametrize("law", LAWS)
def test_another_computation_agrees(law: str) -> None:
    stories, hold = LAWS[law]
    settings(max_examples=QUICK, deadline=None)(given(stories)(hold))()


@pytest.mark.deep
@pytest.mark.parametrize("law", LAWS)
def test_another_computation_agrees_on_thousands_of_stories(law: str) -> None:
    stories, hold = LAWS[law]
    settings(max_examples=DEEP, deadline=None)(given(stories)(hold))()
