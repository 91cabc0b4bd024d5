"""The watchman's notices: told once, ended by themselves, and the text of the day."""

from datetime import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.model import Event, MessageKind, Owed
from gateway import imports, shipped, start
from gateway.clock import Deafness, StandingClock
from gateway.health import Health, Part
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from gateway.watching.self_check import DAILY, Daily, Ear, OverdueRows, Watchman, overdue

COUNTY = Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml"
MORNING_MS = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
NUMBER = "13900009999"


class SetClock(StandingClock):
    """One whose machine may be set back."""

    back_s = 0.0

    def behind_s(self) -> float:
        return self.back_s


class Beside:
    """A house on which time passes by hand: the county's and the machine's alike."""

    def __init__(self, now_ms: int = MORNING_MS, kept: Pipeline | None = None, texted_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.ticks_s = 0.0
        self.clock = SetClock(now_ms)
        self.pipeline = start.anew(imports.checked(COUNTY), shipped.policy_files(), Memory(), now_ms)
        if kept is not None:
            self.pipeline.county.restore(self.pipeline.county.states, kept.county.alerts.values())
        self.pipeline.county.listen(now_ms, None, self.pipeline.changes, started=True)
        self.health = Health((), lambda: self.ticks_s)
        self.metrics = Metrics()
        self.ear = Ear(shortest_s=300.0, deaf_s=600.0, started_s=0.0)
        self.watchman = Watchman(
            self.pipeline,
            self.ear,
            self.health,
            self.metrics,
            self.clock,
            lambda: self.ticks_s,
            daily=Daily(NUMBER, time(7, 30), texted_ms),
        )
        self.live = True

    def pass_(self, minutes: float, *, heard: bool) -> None:
        for _ in range(round(minutes)):
            self.now_ms += MINUTE_MS
            self.ticks_s += 60
            self.health.turned()
            self.health.committed()
            self.health.couriered()
            self.pipeline.advance(self.now_ms)
            self.watchman.turn(self.now_ms, heard=heard, live=self.live)
            self.watchman.round(OverdueRows(), self.now_ms)
            self.pipeline.advance(self.now_ms)

    def told(self, rule: str) -> list[Owed]:
        return [said for said in self.pipeline.changes.log if isinstance(said, Owed) and said.rule == rule]

    def happened(self, rule: str) -> list[str]:
        log = self.pipeline.changes.log
        return [said.event for said in log if isinstance(said, Event) and said.rule == rule]

    def texts_of_the_day(self) -> list[Owed]:
        return [said for said in self.pipeline.changes.log if isinstance(said, Owed) and said.template == DAILY]


@pytest.fixture
def house() -> Beside:
    return Beside()


def test_ten_silent_minutes_are_told_once_and_end_with_the_first_message(house: Beside) -> None:
    house.pass_(30, heard=True)
    house.pass_(60, heard=False)
    (notice,) = house.told("house_deaf")
    assert (notice.to, notice.kind, notice.severity) == ("dispatch-wu", MessageKind.NOTICE, "P3")
    assert notice.text == "【湘阳环卫】22日值班电脑10分钟没收到任何设备消息。请看电脑和网络，期间请按常规巡查。"
    house.pass_(30, heard=True)
    assert house.happened("house_deaf") == ["raised", "cleared"]
    house.pass_(11, heard=False)
    assert len(house.told("house_deaf")) == 2


def test_a_broker_that_is_away_is_the_same_to_the_office(house: Beside) -> None:
    house.pass_(30, heard=True)
    house.live = False
    house.pass_(11, heard=False)
    assert len(house.told("house_deaf")) == 1
    assert [alert.detail["problem"] for alert in house.pipeline.county.alerts.values()] == [
        "not subscribed at the broker"
    ]


def test_a_restart_in_the_silence_tells_nobody_twice(house: Beside) -> None:
    house.pass_(5, heard=True)
    house.pass_(20, heard=False)
    again = Beside(house.now_ms, house.pipeline)
    again.pass_(40, heard=False)
    assert again.told("house_deaf") == []
    assert again.happened("house_deaf") == []
    again.pass_(1, heard=True)
    assert again.happened("house_deaf") == ["cleared"]


def test_rows_that_wait_are_a_notice_a_note_and_a_gauge_and_end(house: Beside) -> None:
    house.pass_(3, heard=True)
    for _ in range(8):
        house.now_ms += MINUTE_MS
        house.watchman.round(OverdueRows(owed=3, sending=1), house.now_ms)
        house.pipeline.advance(house.now_ms)
    (notice,) = house.told("house_stuck")
    assert notice.text.startswith("【湘阳环卫】22日值班电脑有短信或计时卡住了。")
    part = house.health.parts["auditor"]
    assert (part.ready, part.state) == (False, "overdue: 3 owed, 1 sending")
    assert 'cunjing_overdue{kind="owed"} 3.0' in house.metrics.exposition().decode()
    house.pass_(1, heard=True)
    assert house.happened("house_stuck") == ["raised", "cleared"]
    assert house.health.parts["auditor"] == Part(ready=True, state="nothing is overdue")
    assert 'cunjing_overdue{kind="owed"} 0.0' in house.metrics.exposition().decode()


def test_a_clock_that_was_set_is_told_once_a_day_however_often_and_is_over_by_itself(house: Beside) -> None:
    house.pass_(3, heard=True)
    for hours in (3, -3, 3):
        house.now_ms += MINUTE_MS
        house.watchman.overslept(Deafness(house.now_ms - MINUTE_MS, house.now_ms, hours * HOUR_MS))
    house.pass_(5, heard=True)
    (notice,) = house.told("clock_stepped")
    assert notice.text == "【湘阳环卫】22日值班电脑时间跳了3小时，已按停机处理，请核对电脑时间。"
    part = house.health.parts["clock"]
    assert not part.ready
    assert part.state.startswith("the machine's clock was set by +10800 s at 2026-11-22T02:04:00Z")
    assert "time server" in part.remedy
    house.pass_(24 * 60, heard=True)
    assert house.happened("clock_stepped") == ["raised", "cleared"]
    assert house.health.parts["clock"].ready


def test_a_pause_is_written_down_and_shown_and_nobody_is_told(house: Beside) -> None:
    house.watchman.overslept(Deafness(house.now_ms - 90_000, house.now_ms))
    house.pass_(5, heard=True)
    assert house.told("clock_stepped") == []
    assert [said.event for said in house.pipeline.changes.log if isinstance(said, Event)] == ["deaf"]
    part = house.health.parts["clock"]
    assert part.ready
    assert part.notes == ("nothing was done for 90 s until 2026-11-22T02:00:00Z, which counts as a downtime",)


def test_a_machine_that_shows_less_than_the_journal_is_told_at_the_start_and_until_it_does_not(house: Beside) -> None:
    house.clock.back_s = 10_800.0
    house.pass_(25 * 60, heard=True)
    assert [notice.text[6:] for notice in house.told("clock_stepped")] == [
        "22日值班电脑时间跳了3小时，已按停机处理，请核对电脑时间。"
    ]
    assert not house.health.parts["clock"].ready
    house.clock.back_s = 0.0
    house.pass_(1, heard=True)
    assert house.happened("clock_stepped") == ["raised", "cleared"]


def test_a_timer_that_nobody_rings_is_found(house: Beside) -> None:
    """As if the alarm clock had forgotten it: the state says when it was due, and nothing came of it."""
    house.pass_(15, heard=True)
    house.live = False
    house.pass_(11, heard=False)
    county = house.pipeline.county
    (episode,) = county.alerts
    county.alerts[episode] = replace(county.alerts[episode], repeat_ms=house.now_ms)
    house.pass_(10, heard=False)
    assert "timers" not in [alert.subject for alert in county.alerts.values()]
    house.pass_(1, heard=False)
    stuck = [alert for alert in county.alerts.values() if alert.rule == "house_stuck"]
    assert [(alert.subject, alert.detail["problem"]) for alert in stuck] == [("timers", "1 alerts")]


def test_what_waits_for_the_grace_after_a_start_is_not_overdue(house: Beside) -> None:
    before_ms = house.now_ms - HOUR_MS
    found = overdue(house.pipeline.county, house.pipeline.ledger, before_ms, listening=True)
    assert sum(found) == 0


def test_the_text_of_the_day_leaves_once_while_the_house_works() -> None:
    house = Beside(MORNING_MS - 3 * HOUR_MS)
    house.pass_(29, heard=True)
    assert house.texts_of_the_day() == []
    house.pass_(24 * 60, heard=True)
    (text,) = house.texts_of_the_day()
    assert (text.phone, text.text) == (
        NUMBER,
        "【湘阳环卫】22日7:30值班电脑正常。哪天没收到这条短信，请看值班电脑和网络。",
    )
    due_ms = MORNING_MS - 5 * HOUR_MS // 2
    assert house.pipeline.entry.meta[DAILY] == str(due_ms)
    again = Beside(due_ms + 10 * MINUTE_MS, texted_ms=due_ms)
    again.pass_(60, heard=True)
    assert again.texts_of_the_day() == []


def test_a_house_that_does_not_work_sends_no_text_of_the_day() -> None:
    house = Beside(MORNING_MS - 3 * HOUR_MS)
    for _ in range(300):
        house.now_ms += MINUTE_MS
        house.ticks_s += 60  # the loop turns, and neither commits nor does the courier look
        house.health.turned()
        house.watchman.round(OverdueRows(), house.now_ms)
    assert house.texts_of_the_day() == []
