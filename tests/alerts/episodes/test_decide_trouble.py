"""The house about itself: what a person has to mend is told to the dispatcher once, by day; it ends by itself."""

from pathlib import Path

import pytest

from alerts.alert import pack_alert, unpack_alert
from alerts.episodes.decide import Trouble
from alerts.model import Event, MessageKind, Owed
from gateway import imports, shipped, start
from gateway.pipeline import Pipeline
from gateway.replay import Memory

COUNTY = Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml"
MORNING_MS = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def pipeline() -> Pipeline:
    made = start.anew(imports.checked(COUNTY), shipped.policy_files(), Memory(), MORNING_MS - 24 * HOUR)
    made.county.listen(MORNING_MS - 24 * HOUR, None, made.changes, started=True)
    made.finish()
    return made


def watch(pipeline: Pipeline, at_ms: int, problem: str = "the token is not known", part: str = "series") -> None:
    pipeline.county.watch(Trouble("series_paused", part, problem), at_ms, pipeline.changes)


def told(pipeline: Pipeline) -> list[Owed]:
    return [each for each in pipeline.changes.log if isinstance(each, Owed) and each.rule == "series_paused"]


def happened(pipeline: Pipeline) -> list[str]:
    log = pipeline.changes.log
    return [each.event for each in log if isinstance(each, Event) and each.rule == "series_paused"]


def test_the_dispatcher_gets_one_notice_after_ten_minutes(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS)
    pipeline.advance(MORNING_MS + 10 * MINUTE - 1)
    assert told(pipeline) == []
    watch(pipeline, MORNING_MS + 5 * MINUTE)
    pipeline.advance(MORNING_MS + 24 * HOUR)
    (notice,) = told(pipeline)
    assert (notice.to, notice.kind, notice.severity, notice.asset) == ("dispatch-wu", MessageKind.NOTICE, "P3", "xiang")
    assert notice.at_ms == MORNING_MS + 10 * MINUTE
    assert notice.text.startswith("【湘阳环卫】22日值班电脑的历史曲线存不进去了。")
    assert happened(pipeline) == ["raised"]


def test_what_is_mended_meanwhile_is_told_to_nobody(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS)
    watch(pipeline, MORNING_MS + 9 * MINUTE, "")
    pipeline.advance(MORNING_MS + 24 * HOUR)
    assert told(pipeline) == []
    assert happened(pipeline) == ["raised", "cleared"]


def test_that_it_works_is_no_news(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS, "")
    assert happened(pipeline) == []


def test_a_notice_of_the_night_waits_for_the_day(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS + 13 * HOUR)
    pipeline.advance(MORNING_MS + 21 * HOUR)
    assert told(pipeline) == []
    pipeline.advance(MORNING_MS + 22 * HOUR)
    assert [notice.at_ms for notice in told(pipeline)] == [MORNING_MS + 22 * HOUR]


def test_it_outlives_a_restart_and_is_not_retired_by_one(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS)
    kept = [
        unpack_alert(pack_alert(alert)) for alert in pipeline.county.alerts.values() if alert.rule == "series_paused"
    ]
    again = start.anew(imports.checked(COUNTY), shipped.policy_files(), Memory(), MORNING_MS - 24 * HOUR)
    again.county.restore(again.county.states, kept)
    again.county.listen(MORNING_MS + MINUTE, MORNING_MS, again.changes, started=True)
    again.advance(MORNING_MS + HOUR)
    assert [notice.to for notice in told(again)] == ["dispatch-wu"]
    watch(again, MORNING_MS + 2 * HOUR, "")
    assert happened(again) == ["cleared"]


def test_two_parts_are_two_cases(pipeline: Pipeline) -> None:
    watch(pipeline, MORNING_MS)
    watch(pipeline, MORNING_MS, part="rollups")
    watch(pipeline, MORNING_MS + MINUTE, "")
    pipeline.advance(MORNING_MS + HOUR)
    assert happened(pipeline) == ["raised", "raised", "cleared"]
    assert [notice.episode.split("/")[1] for notice in told(pipeline)] == ["rollups"]
