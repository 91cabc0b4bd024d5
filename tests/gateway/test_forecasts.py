"""When a bin would be over its line: said each hour by a replay, brought to the desk by entries, shown there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from alerts.conditions.filling import Forecast, LevelForecast
from gateway import shipped, start
from gateway.desk.projection import Projection
from gateway.journal.entry import Entry
from gateway.replay import Memory, replay
from telemetry.wire import Uplink
from tests.small_county import at, county

DAYS = 5


def filling(days: float = DAYS) -> Iterator[Uplink]:
    """A bin that fills by 2 % an hour from 06:00 to 18:00, and is emptied at each midnight."""
    for nth in range(round(days * 72)):
        hours = nth / 3
        level = 2.0 * min(max(hours % 24 - 6, 0.0), 12.0)
        said = {"distance_mm": round(1000 - 8.5 * (level + 20.0)), "temperature_c": 9.0}
        body = {"v": 1, "boot": 1, "seq": nth + 1, "ts": at(hours), "readings": said}
        yield Uplink(at(hours), "cunjing/v1/xiang/bin-1/telemetry", json.dumps(body).encode())


def printed(*, verbose: bool) -> list[dict[str, Any]]:
    lines = replay(filling(), county(), shipped.policy_files(), verbose=verbose)
    return [said for said in map(json.loads, lines) if said["event"] == "forecast"]


def test_a_replay_says_it_each_hour_from_the_fourth_day_on_and_only_if_asked() -> None:
    assert printed(verbose=False) == []
    said = printed(verbose=True)
    assert {(each["asset"], each["at"][13:]) for each in said} == {("a", ":00:00Z")}
    assert 40 <= len(said) <= 2 * 24, "once an hour of the last two days"
    assert [sorted(each["detail"]) for each in said] == [["high_at", "low_at", "overflow_at", "two_thirds_at"]] * len(
        said
    )
    foretold = [each["detail"] for each in said if each["detail"]["two_thirds_at"]]
    assert foretold
    assert all(each["low_at"] <= each["two_thirds_at"] for each in foretold)


def test_each_entry_brings_what_is_foretold_anew_and_nothing_between_two_hours() -> None:
    memory = Memory()
    pipeline = start.anew(county(), shipped.policy_files(), memory, at(0))
    pipeline.county.listen(at(0), None, pipeline.changes, started=True)
    brought = []
    for uplink in filling():
        pipeline.take(uplink)
        memory.keep(pipeline.entry)
        entry, _ = pipeline.finish()
        if entry.forecasts:
            brought.append(uplink.received_ms)
            assert set(entry.forecasts) == {"a"}
    assert len(brought) <= 24 * DAYS + 2 * DAYS, "once an hour, and at an emptying"
    shown = Projection.of(county(), pipeline.county.states, (), pipeline.county.forecast).assets["a"].forecast
    assert shown == pipeline.county.forecast("a")
    assert shown is not None
    assert pipeline.county.forecast("p") is None, "a plant does not fill"


@pytest.mark.parametrize("found", [LevelForecast(None, None), LevelForecast(Forecast(3, 2, 4), Forecast(5, 4, 0))])
def test_the_desk_shows_the_last_that_an_entry_brought(found: LevelForecast) -> None:
    projection = Projection.of(county(), {}, ())
    assert projection.assets["a"].forecast is None
    projection.apply(Entry(forecasts={"a": found}))
    assert projection.assets["a"].forecast == found
