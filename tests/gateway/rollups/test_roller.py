"""What is closed when, what a late reading repairs, what is left as it is, and what goes on after a mistake."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alerts.build import assemble
from gateway.journal.entry import Dirty, Entry, Rolled
from gateway.rollups.roller import AFTER_MS, StepBounds
from gateway.rollups.scope import ROLLUPS, RollupScope
from telemetry.reading import Millis, Reading, TimeSource, Values
from telemetry.series import Measurement
from tests.gateway.journal.entries import contents
from tests.laws.test_restart_laws import COUNTY, POLICY_FILES
from tests.laws.test_rollup_laws import PLANS, SCOPE
from tests.rolling import Rolling, columns

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MIDNIGHT = 1_795_449_600_000
"""2026-11-24 00:00 in the county."""
BEGAN = MIDNIGHT - 2 * HOUR
SINCE = RollupScope.of(COUNTY, PLANS, dict.fromkeys(COUNTY.devices, BEGAN))
BIN_HOUR, PLANT_HOUR = Measurement.BIN_HOUR, Measurement.PLANT_HOUR


@pytest.fixture
def rolling(tmp_path: Path) -> Iterator[Rolling]:
    with closing(Rolling(tmp_path / "journal.db", SINCE)) as opened:
        opened.turn(BEGAN)
        yield opened


def said(device: str, at_ms: Millis, delay_ms: Millis = 1_000, **values: float) -> Reading:
    asset = COUNTY.devices[device].asset
    return Reading(
        device, asset, 1, at_ms % 2**32, at_ms, at_ms + delay_ms, TimeSource.OK, late=False, values=Values(**values)
    )


def level(at_ms: Millis, fill_pct: float, device: str = "s-pool") -> Reading:
    return said(device, at_ms, distance_mm=1_200.0 - 10.0 * fill_pct)


def rows(rolling: Rolling, measurement: Measurement, subject: str) -> list[Mapping[str, Any]]:
    return columns(rolling.tables(), measurement, subject)


def value(counter: Any) -> float:  # noqa: ANN401 -- Prometheus' own
    return float(counter._value.get())


def through(rolling: Rolling, to_ms: Millis) -> None:
    """Time goes on, a quarter of an hour at a time."""
    at_ms = BEGAN
    while at_ms < to_ms:
        at_ms = min(at_ms + 15 * MINUTE, to_ms)
        rolling.until_idle(at_ms)


def test_an_hour_is_closed_a_few_minutes_after_its_end_and_for_everybody(rolling: Rolling) -> None:
    rolling.commit([level(BEGAN + MINUTE, 80)])
    rolling.until_idle(BEGAN + HOUR + AFTER_MS - 1)
    assert rows(rolling, BIN_HOUR, "pool") == []
    rolling.until_idle(BEGAN + HOUR + AFTER_MS)
    tables = rolling.tables()
    assert {subject for _, subject in tables[BIN_HOUR]} == {"pool", "road", "round"}
    assert {subject for _, subject in tables[PLANT_HOUR]} == {"plant"}
    assert {subject for _, subject in tables[Measurement.DEVICE_HOUR]} == set(COUNTY.devices)
    assert columns(tables, BIN_HOUR, "pool")[0]["over_min"] == 59.0
    assert columns(tables, BIN_HOUR, "road")[0]["samples"] == 0
    assert columns(tables, Measurement.TOWN_HOUR, "qingshi") == [
        {"sites": 1.0, "sites_over": 1.0, "exposure_points": 0.5}
    ]
    assert {start_ms for start_ms, _ in tables[BIN_HOUR]} == {BEGAN}


def test_after_a_start_the_broker_has_time_to_hand_over_what_it_kept(rolling: Rolling) -> None:
    back_ms = BEGAN + 2 * HOUR + 30 * MINUTE
    rolling.restart()
    rolling.until_idle(back_ms)
    assert rows(rolling, BIN_HOUR, "pool") == []
    rolling.commit([level(BEGAN + MINUTE, 80, "s-pool")])
    rolling.until_idle(back_ms + AFTER_MS)
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "pool")] == [1, 0]
    assert value(rolling.metrics.rollup_repairs) == 0


def test_what_comes_while_an_hour_is_closed_belongs_to_its_own_hour(rolling: Rolling) -> None:
    end_ms = BEGAN + HOUR
    rolling.commit([level(end_ms - 1, 10), level(end_ms, 20), level(end_ms - 2, 15), level(end_ms + MINUTE, 30)])
    through(rolling, end_ms + HOUR + AFTER_MS)
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "pool")] == [2, 2]
    assert value(rolling.metrics.rollup_repairs) == 0, "what was in its hour is not late"


def test_a_late_reading_repairs_its_hour_its_day_and_its_town(rolling: Rolling) -> None:
    rolling.commit([level(MIDNIGHT + hour * HOUR, 30) for hour in (9, 10, 11)])
    through(rolling, MIDNIGHT + DAY + HOUR)
    before = rolling.tables()
    assert columns(before, Measurement.BIN_DAY, "pool")[-1]["exposure_points"] == 0.0
    posted = len(rolling.posts)
    rolling.commit([level(MIDNIGHT + 9 * HOUR + 30 * MINUTE, 80)])
    through(rolling, MIDNIGHT + DAY + HOUR)
    after = rolling.tables()
    at_nine = MIDNIGHT + 9 * HOUR
    assert {(kind, *key) for kind in after for key in after[kind] if after[kind][key] != before[kind].get(key)} == {
        (Measurement.BIN_HOUR, at_nine, "pool"),
        (Measurement.DEVICE_HOUR, at_nine, "s-pool"),
        (Measurement.TOWN_HOUR, at_nine, "qingshi"),
        (Measurement.BIN_DAY, MIDNIGHT, "pool"),
        (Measurement.DEVICE_DAY, MIDNIGHT, "s-pool"),
        (Measurement.TOWN_DAY, MIDNIGHT, "qingshi"),
    }
    written = [row for post in rolling.posts[posted:] for row in post.rows]
    assert len(written) == 6, "what is as it was is not written again"
    assert columns(after, BIN_HOUR, "pool")[11]["over_min"] == 30.0
    # known from 09:00 until two hours after 11:00: four hours, the first of them half over the line
    assert columns(after, Measurement.BIN_DAY, "pool")[-1]["exposure_points"] == pytest.approx(0.25 / 4)
    assert columns(after, Measurement.TOWN_DAY, "qingshi")[-1]["exposure_points"] == pytest.approx(0.25 / 10)
    assert value(rolling.metrics.rollup_repairs) == 2, "the next day begins with the last levels of this one"


def test_what_a_late_reading_changed_of_a_bin_is_over_in_a_day(rolling: Rolling) -> None:
    rolling.commit([level(MIDNIGHT + place * 20 * MINUTE, 30) for place in range(3 * 72)])
    through(rolling, MIDNIGHT + 3 * DAY + HOUR)
    rolling.commit([level(MIDNIGHT + 9 * HOUR + 30 * MINUTE, 80)])
    through(rolling, MIDNIGHT + 3 * DAY + HOUR)
    assert value(rolling.metrics.rollup_repairs) == 2, "its own day and the next, which ends as it did"


def test_a_late_reading_repairs_the_present_day_as_far_as_it_is_closed(rolling: Rolling) -> None:
    through(rolling, MIDNIGHT + 5 * HOUR + AFTER_MS)
    rolling.commit([level(MIDNIGHT + 3 * HOUR + 30 * MINUTE, 80)])
    rolling.until_idle(MIDNIGHT + 5 * HOUR + AFTER_MS)
    assert [row["over_min"] for row in rows(rolling, BIN_HOUR, "pool")] == [0.0] * 5 + [30.0, 60.0]
    through(rolling, MIDNIGHT + 6 * HOUR + AFTER_MS)
    assert rows(rolling, BIN_HOUR, "pool")[-1]["over_min"] == 30.0, "and the next hour starts from it"
    assert rows(rolling, Measurement.BIN_DAY, "pool") != [], "the day before"


def test_what_a_day_leaves_otherwise_repairs_the_next_day_too(rolling: Rolling) -> None:
    meter = [
        said("m-plant", MIDNIGHT - HOUR, volume_m3=100.0),
        said("m-plant", MIDNIGHT + 10 * MINUTE, volume_m3=110.0),
    ]
    rolling.commit(meter)
    through(rolling, MIDNIGHT + DAY + HOUR)
    assert [row["volume_m3"] for row in rows(rolling, Measurement.PLANT_DAY, "plant")] == [0.0, 10.0]
    rolling.commit([said("m-plant", MIDNIGHT - 10 * MINUTE, volume_m3=104.0)])
    rolling.until_idle(MIDNIGHT + DAY + HOUR)
    assert [row["volume_m3"] for row in rows(rolling, Measurement.PLANT_DAY, "plant")] == [4.0, 6.0]
    assert rows(rolling, Measurement.PLANT_DAY, "plant")[-1]["load_pct"] == 12.0


def test_a_reading_from_before_anything_was_known_makes_its_day(rolling: Rolling) -> None:
    through(rolling, MIDNIGHT + 2 * HOUR)
    rolling.commit([level(BEGAN - DAY, 80, "s-road")])
    rolling.until_idle(MIDNIGHT + 2 * HOUR)
    hours = rows(rolling, BIN_HOUR, "road")
    assert [row["over_min"] for row in hours[:3]] == [60.0, 60.0, 0.0]
    assert len(hours) == 24 + 3
    assert len(rows(rolling, Measurement.BIN_DAY, "road")) == 2
    assert len(rows(rolling, Measurement.BIN_DAY, "pool")) == 1


def test_a_day_of_which_readings_were_let_go_is_left_as_it_is(rolling: Rolling) -> None:
    rolling.commit([level(MIDNIGHT + 9 * HOUR, 80), level(MIDNIGHT + 2 * DAY, 10, "s-road")])
    through(rolling, MIDNIGHT + 2 * DAY + 12 * HOUR)
    before = rolling.tables()
    rolling.expire(MIDNIGHT + 2 * DAY + 12 * HOUR, keep_days=1)
    assert len(contents(rolling.path)["reading"]) == 1
    rolling.commit([level(MIDNIGHT + 9 * HOUR + 30 * MINUTE, 5)])
    rolling.until_idle(MIDNIGHT + 2 * DAY + 12 * HOUR)
    assert rolling.tables() == before
    assert value(rolling.metrics.rollup_frozen) == 1
    assert contents(rolling.path)["rollup_dirty"] == []
    rolling.commit([level(MIDNIGHT + DAY + 9 * HOUR, 50)])
    rolling.until_idle(MIDNIGHT + 2 * DAY + 12 * HOUR)
    assert value(rolling.metrics.rollup_frozen) == 1, "the day after is still all there"
    assert rolling.tables() != before


def test_a_day_that_is_too_long_ago_is_left_as_it_is(rolling: Rolling) -> None:
    through(rolling, MIDNIGHT + 12 * DAY)
    before = rolling.tables()
    rolling.commit([level(MIDNIGHT + HOUR, 80)])
    rolling.until_idle(MIDNIGHT + 12 * DAY)
    assert (rolling.tables() == before, value(rolling.metrics.rollup_frozen)) == (True, 1)
    rolling.commit([level(MIDNIGHT + 5 * DAY - HOUR, 80)])
    rolling.until_idle(MIDNIGHT + 12 * DAY)
    assert (rolling.tables() == before, value(rolling.metrics.rollup_frozen)) == (False, 1)


def test_a_day_of_a_device_that_is_gone_is_left_as_it_is(rolling: Rolling) -> None:
    rolling.commit([said("m-plant", MIDNIGHT + HOUR, flow_m3h=3.0), said("m-radio", MIDNIGHT + HOUR, level_mm=500.0)])
    through(rolling, MIDNIGHT + 5 * HOUR)
    before = rolling.tables()
    plan = PLANS["plant"]
    alone = type(plan).of(plan.asset, plan.devices[1:], {s.rule.kind: s.rule for s in plan.slots}, plan.calendar)
    rolling.restart(RollupScope.of(COUNTY, {**PLANS, "plant": alone}, dict.fromkeys(COUNTY.devices, BEGAN)))
    rolling.commit([said("m-radio", MIDNIGHT + 2 * HOUR, level_mm=600.0)])
    rolling.until_idle(MIDNIGHT + 5 * HOUR)
    assert (rolling.tables() == before, value(rolling.metrics.rollup_frozen)) == (True, 1)


def test_readings_wait_for_their_hour_whatever_retention_says(rolling: Rolling) -> None:
    rolling.commit([level(BEGAN + MINUTE, 30), level(BEGAN + HOUR + MINUTE, 40), level(BEGAN + HOUR + 2 * MINUTE, 40)])
    rolling.expire(BEGAN + 30 * DAY, keep_days=1)
    assert len(contents(rolling.path)["reading"]) == 3
    rolling.turn(BEGAN + HOUR + AFTER_MS)
    rolling.expire(BEGAN + 30 * DAY, keep_days=1)
    assert [row[0] for row in contents(rolling.path)["reading"]] == [2, 3]
    through(rolling, BEGAN + 2 * HOUR + AFTER_MS)
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "pool")] == [1, 2]


def test_our_mistake_about_one_asset_stops_no_other_and_it_begins_anew(rolling: Rolling) -> None:
    through(rolling, BEGAN + HOUR + AFTER_MS)
    (pool,) = rolling.reader.carries(["pool"]).values()
    rolling.journal.commit(Entry(rolled=[Rolled(carries=(pool._replace(blob=b"nonsense"),))]))
    rolling.commit([level(BEGAN + HOUR + MINUTE, 30), level(BEGAN + HOUR + MINUTE, 30, "s-road")])
    through(rolling, BEGAN + 3 * HOUR + AFTER_MS)
    assert value(rolling.metrics.rollup_bugs) == 1
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "road")] == [0, 1, 0]
    assert len(rows(rolling, BIN_HOUR, "pool")) == 2, "one hour of it is missing"


def test_the_first_day_begins_with_the_oldest_reading(tmp_path: Path) -> None:
    with closing(Rolling(tmp_path / "journal.db", SCOPE)) as rolling:
        rolling.commit([level(MIDNIGHT + 3 * HOUR + 5 * MINUTE, 30), level(MIDNIGHT + 4 * HOUR, 40)])
        rolling.turn(MIDNIGHT + 5 * DAY)
        rolling.until_idle(MIDNIGHT + 5 * DAY + HOUR)
        tables = rolling.tables()
        assert min(start_ms for start_ms, _ in tables[BIN_HOUR]) == MIDNIGHT + 3 * HOUR
        assert len(columns(tables, BIN_HOUR, "pool")) == 5 * 24 - 3
        assert [row["samples"] for row in columns(tables, Measurement.BIN_DAY, "pool")] == [2, 0, 0, 0, 0]


def test_a_journal_that_had_let_readings_go_begins_behind_them(tmp_path: Path) -> None:
    with closing(Rolling(tmp_path / "journal.db", SCOPE)) as rolling:
        rolling.commit([level(MIDNIGHT, 30), level(MIDNIGHT + 5 * HOUR, 40), level(MIDNIGHT + 6 * HOUR, 50)])
        rolling.journal.admit([])
        rolling.expire(MIDNIGHT + 5 * HOUR + DAY, keep_days=1)
        rolling.restart()
        rolling.turn(MIDNIGHT + 10 * HOUR)
        rolling.until_idle(MIDNIGHT + 11 * HOUR)
        assert min(start_ms for start_ms, _ in rolling.tables()[BIN_HOUR]) == MIDNIGHT + HOUR
        assert value(rolling.metrics.rollup_frozen) == 0


def test_posts_are_bounded(tmp_path: Path) -> None:
    with closing(Rolling(tmp_path / "journal.db", SINCE, StepBounds(assets=2))) as rolling:
        rolling.turn(BEGAN)
        rolling.until_idle(BEGAN + HOUR + AFTER_MS)
        assert [len(post.carries) for post in rolling.posts] == [0, 2, 2, 0]
        assert [post.progress is not None for post in rolling.posts] == [True, False, False, True]


@pytest.mark.parametrize("durably", [False, True])
@pytest.mark.parametrize("posts", range(1, 6))
def test_a_death_in_the_middle_of_an_hour_loses_nothing_that_comes_before_it_is_closed_again(
    tmp_path: Path, posts: int, *, durably: bool
) -> None:
    with closing(Rolling(tmp_path / "journal.db", SINCE, StepBounds(assets=1))) as rolling:
        rolling.turn(BEGAN)
        devices = ("m-plant", "s-pool", "s-road", "s-round")
        rolling.commit([level(BEGAN + MINUTE, 80, device) for device in devices[1:]])
        rolling.commit([said("m-plant", BEGAN + MINUTE, volume_m3=100.0)])
        through(rolling, BEGAN + HOUR + AFTER_MS)
        rolling.dies_after, rolling.dies_durably = posts, durably
        rolling.turn(BEGAN + 2 * HOUR + AFTER_MS)
        assert rolling.dies_after <= 0
        rolling.commit([level(BEGAN + 90 * MINUTE, 30, device) for device in devices[1:]])
        rolling.commit([said("m-plant", BEGAN + 90 * MINUTE, volume_m3=103.0)])
        rolling.until_idle(BEGAN + 2 * HOUR + AFTER_MS)
        rolling.until_idle(BEGAN + 2 * HOUR + 2 * AFTER_MS)
        for bin_ in ("pool", "road", "round"):
            assert [(row["over_min"], row["samples"]) for row in rows(rolling, BIN_HOUR, bin_)] == [
                (59.0, 1),
                (30.0, 1),
            ]
        assert [row["volume_m3"] for row in rows(rolling, PLANT_HOUR, "plant")] == [0.0, 3.0]


def test_what_was_seen_before_a_restart_and_not_yet_again_is_not_taken_for_done(rolling: Rolling) -> None:
    hours = [level(BEGAN + hour * HOUR + MINUTE, 80) for hour in range(5)]
    slow = [level(BEGAN + HOUR + number * MINUTE, 30) for number in range(2, 9)]
    rolling.commit([*hours, *slow])
    rolling.until_idle(BEGAN + HOUR + AFTER_MS)
    rolling.restart(bounds=StepBounds(page=1, waiting=1))
    rolling.turn(BEGAN + 6 * HOUR)
    rolling.until_idle(BEGAN + 6 * HOUR + AFTER_MS)
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "pool")] == [1, 8, 1, 1, 1, 0]


def test_readings_of_an_asset_that_nobody_follows_are_passed_over(rolling: Rolling) -> None:
    stray = replace(level(BEGAN + MINUTE, 30), asset="gone")
    rolling.commit([stray, level(BEGAN + HOUR + MINUTE, 30), replace(stray, observed_ms=BEGAN - DAY)])
    through(rolling, BEGAN + HOUR + AFTER_MS)
    assert [row["samples"] for row in rows(rolling, BIN_HOUR, "pool")] == [0]
    assert rolling.reader.position(ROLLUPS) == 1


def test_a_day_of_an_asset_or_town_that_is_gone_is_clean_again(rolling: Rolling) -> None:
    gone = (Dirty(MIDNIGHT - DAY, "asset", "gone"), Dirty(MIDNIGHT - DAY, "area", "gone"))
    rolling.journal.commit(Entry(rolled=[Rolled(dirty=gone)]))
    rolling.until_idle(BEGAN)
    assert contents(rolling.path)["rollup_dirty"] == []


def test_a_zone_half_an_hour_off_has_days_of_whole_hours(tmp_path: Path) -> None:
    county = changed(COUNTY, county=changed(COUNTY.county, timezone="Asia/Kolkata"))
    plans = assemble(county, POLICY_FILES)[0].plans
    midnight = MIDNIGHT + 2 * HOUR + 30 * MINUTE
    with closing(
        Rolling(tmp_path / "journal.db", RollupScope.of(county, plans, dict.fromkeys(county.devices, BEGAN)))
    ) as rolling:
        rolling.turn(BEGAN)
        through(rolling, midnight + DAY + 2 * HOUR)
        rolling.commit([level(midnight + 45 * MINUTE, 80)])
        rolling.until_idle(midnight + DAY + 2 * HOUR)
        tables = rolling.tables()
        assert [row["samples"] for row in columns(tables, Measurement.BIN_DAY, "pool")] == [0, 1]
        assert {start_ms for start_ms, _ in tables[Measurement.BIN_DAY]} == {midnight - DAY, midnight}
