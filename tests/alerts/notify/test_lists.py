"""A village's week (V3): what is counted, who stands where, and that its head hears it on Monday, and only then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.model import Owed
from alerts.notify.lists import Crossing, Week, weeks
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.scenario_file import read
from tests.scenario_run import policy_files
from tests.virtual_line import VirtualLine

HOUR: Millis = 3_600_000
DAY = 24 * HOUR
MONDAY: Millis = 1_795_968_000_000 - 8 * HOUR  # 2026-11-30, midnight in Shanghai
COUNTY = read("lists").inventory
LAST = MONDAY - 7 * DAY


def test_a_week_counts_what_lies_in_it_and_names_the_bin_that_crosses_again() -> None:
    found = weeks(
        COUNTY,
        [
            Crossing("pool", LAST - 3 * HOUR, LAST + 2 * HOUR),
            Crossing("pool", LAST + DAY, LAST + DAY + 9 * HOUR),
            Crossing("road-pool", MONDAY - HOUR, None),
            Crossing("truck-pool", LAST - 5 * HOUR, LAST),
            Crossing("lone-pool", LAST + DAY, LAST + DAY + HOUR),
            Crossing("gone", LAST, None),
        ],
        LAST,
        MONDAY,
    )
    assert found["liutan"] == Week(3, 9 * HOUR, "pool", 3, 3)
    assert found["huaqiao"] == Week(1, HOUR, "", 2, 3)
    assert found["xinhe"] == Week(0, 0, "", 1, 3)


@given(st.lists(st.tuples(st.sampled_from(["pool", "lone-pool", "new-pool"]), st.integers(0, 200), st.integers(0, 99))))
def test_who_was_over_for_less_never_stands_behind(spans: list[tuple[str, int, int]]) -> None:
    crossings = [Crossing(asset, LAST + at * HOUR, LAST + (at + lasts) * HOUR) for asset, at, lasts in spans]
    found = weeks(COUNTY, crossings, LAST, MONDAY)
    ranks = sorted(week.rank for week in found.values())
    assert ranks[0] == 1
    assert all(week.longest_ms <= 7 * DAY for week in found.values())
    assert all(week.rank == 1 for week in found.values() if not week.crossings)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[VirtualLine]:
    made = VirtualLine(tmp_path / "journal.db", COUNTY, policy_files(lists=True), MONDAY - 3 * DAY)
    yield made
    made.close()


def sample(at_ms: Millis, seq: int, distance_mm: int) -> Uplink:
    said = f'{{"v": 1, "boot": 1, "seq": {seq}, "ts": {at_ms}, "readings": {{"distance_mm": {distance_mm}}}}}'
    return Uplink(at_ms, "cunjing/v1/xia/s-pool/telemetry", said.encode())


def test_the_head_of_a_village_hears_its_week_on_monday_once_and_over_a_restart(line: VirtualLine) -> None:
    at_ms = MONDAY - 3 * DAY + 8 * HOUR
    levels = [450, 450, 1150, 1150, 450, 450, 1150, 1150]
    for seq, distance_mm in enumerate(levels):
        line.take([sample(at_ms + seq * HOUR, seq, distance_mm)])
        line.commit()
    line.pipeline.advance(MONDAY + 7 * HOUR)
    line.commit()
    line.resume(MONDAY + 7 * HOUR)
    line.listen(MONDAY + 7 * HOUR, None, started=True)
    for hour in (8, 9, 31, 32):
        line.pipeline.advance(MONDAY + hour * HOUR)
        line.commit()
    told = [said for said in line.said if isinstance(said, Owed) and said.template == "list_village"]
    assert [(said.to, said.text) for said in told] == [
        ("head-yang", "【湘阳环卫】柳潭村上周（至29日）：过线2次，最长2小时，反复的是柳潭1号。全镇3村排第3。")
    ]
