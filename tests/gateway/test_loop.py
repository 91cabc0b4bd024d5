"""The machine's clock is set, or the machine stands still, under the real line: excused as a downtime, said, no flood.

Time is virtual here; real gateways whose clock is set are tests/e2e/test_clock_steps.py, the law is L13.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alerts.model import Owed
from gateway.requests import Housekeep, Tick
from telemetry.reading import Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine
from tests.told_day import Day

if TYPE_CHECKING:
    from gateway.journal.entry import Entry

EMPTY, FULL = Values(distance_mm=1_190.0), Values(distance_mm=230.0)
RUNS = Values(flow_m3h=2.0, mains_on=True, pump_on=True)
STANDS = Values(flow_m3h=0.0, mains_on=True, pump_on=False)
YEAR = 365 * DAY
FORWARD = pytest.mark.parametrize("step", [3 * HOUR, 7 * DAY, YEAR], ids=["3h", "7d", "1y"])


class House:
    """A county whose devices all speak, by clocks of their own that nobody sets."""

    def __init__(self, path: Path) -> None:
        self.said: list[Entry] = []
        self.hand = Hand(START_MS)
        self.line = TellingLine(path, COUNTY, POLICY_FILES, self.hand, self.said.append, lambda _message: None)
        self.seq = 0
        self.world_ms = START_MS
        """What the devices' clocks show."""

    def speak(self, **values: Values) -> None:
        """Every device says that all is well, but those of which something else is given."""
        self.seq += 1
        self.line.bring(
            [
                Uplink(
                    self.hand.at_ms,
                    f"cunjing/v1/xia/{device.id}/telemetry",
                    wire_bytes(
                        [
                            wire_form(
                                Sample(1, self.seq, values.get(device.asset, self._well(device.asset)), self.world_ms)
                            )
                        ]
                    ),
                )
                for device in COUNTY.devices.values()
            ]
        )

    def live(self, minutes: int, **values: Values) -> None:
        """Time passes, and every ten minutes all speak."""
        for _ in range(minutes // 10):
            self.world_ms += 10 * MINUTE
            self.line.live(self.hand.at_ms + 10 * MINUTE)
            self.speak(**values)

    def is_set(self, step: int) -> None:
        """The machine's clock is set; ours follows forward, never back."""
        self.hand.set_s += step / 1_000
        self.hand.at_ms += max(0, step)
        self.hand.ahead_s = max(0.0, self.hand.ahead_s - step / 1_000)
        self.line.order(Tick(self.hand.at_ms))

    def stands_still(self, ms: int) -> None:
        self.hand.passed_s += ms / 1_000
        self.hand.at_ms += ms
        self.world_ms += ms
        self.line.order(Tick(self.hand.at_ms))

    def told(self, since: int = 0) -> list[Owed]:
        return [owed for entry in self.said[since:] for owed in entry.owed]

    def happened(self, event: str, since: int = 0) -> list[str]:
        return [each.rule for entry in self.said[since:] for each in entry.events if each.event == event]

    @staticmethod
    def _well(asset: str) -> Values:
        return EMPTY if COUNTY.assets[asset].bin is not None else RUNS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "journal.db")
    with closing(made.line):
        made.speak()
        yield made


@FORWARD
def test_a_clock_set_forward_is_told_once_and_nothing_else_is(house: House, step: int) -> None:
    house.live(60)
    before = len(house.said)
    house.is_set(step)
    house.live(120)
    told = house.told(before)
    assert Counter(owed.rule for owed in told) - Counter(list=20) == Counter(clock_stepped=1)
    lists = [owed for owed in told if owed.rule == "list"]
    assert all(owed.at_ms >= house.hand.at_ms - 4 * HOUR for owed in lists), "lists of days that nobody saw"
    assert house.happened("raised", before) == ["clock_stepped"]
    assert house.happened("deaf", before) == [""]


@FORWARD
def test_a_chain_goes_on_step_by_step_from_where_it_was(house: House, step: int) -> None:
    house.live(60)
    house.live(30, pool=FULL)
    house.live(60, pool=FULL)
    assert [owed.rule for owed in house.told()].count("overflow") >= 1
    before = len(house.said)
    house.is_set(step)
    house.live(40, pool=FULL)
    texts = [owed for owed in house.told(before) if owed.rule not in ("list", "clock_stepped")]
    assert len(texts) <= 2, [(owed.rule, owed.kind, owed.step, owed.to) for owed in texts]


@FORWARD
def test_what_happens_afterwards_is_told_by_devices_whose_clocks_nobody_set(house: House, step: int) -> None:
    house.live(120)
    house.is_set(step)
    house.live(20)
    before = len(house.said)
    house.live(60, pool=FULL)
    told = [owed for owed in house.told(before) if owed.rule in ("overflow", "over_two_thirds")]
    assert [owed.to for owed in told][:1] == ["cleaner"]


def test_a_machine_that_slept_takes_what_has_waited_as_history(house: House) -> None:
    """Its clock is put right when it wakes; what the broker kept was measured in the meantime and is late."""
    house.live(120)
    slept = 5 * HOUR
    early = [
        Sample(1, house.seq + 1, FULL, house.world_ms + 10 * MINUTE),
        Sample(1, house.seq + 2, FULL, house.world_ms + HOUR),
    ]
    house.seq += 2
    before = len(house.said)
    house.world_ms += slept
    house.hand.set_s += slept / 1_000
    house.hand.at_ms += slept
    house.line.bring(
        [Uplink(house.hand.at_ms, "cunjing/v1/xia/s-pool/telemetry", wire_bytes([wire_form(each)])) for each in early]
    )
    readings = [reading for entry in house.said[before:] for reading in entry.readings]
    assert [reading.late for reading in readings] == [True, True]
    house.live(60)
    assert [owed.rule for owed in house.told(before) if owed.asset == "pool"] == []


def test_a_clock_set_back_stops_nothing(house: House) -> None:
    house.live(60)
    house.live(30, pool=FULL)
    before = len(house.said)
    house.is_set(-3 * HOUR)
    house.live(120, pool=FULL)
    assert "overflow" in {owed.rule for owed in house.told()}
    assert [owed.rule for owed in house.told(before)].count("clock_stepped") == 1
    assert house.happened("raised", before) in (
        ["clock_stepped"],
        ["stopped", "clock_stepped"],
        ["clock_stepped", "stopped"],
    )


def test_a_machine_that_stood_still_excuses_everybody_and_tells_nobody(house: House) -> None:
    house.live(60)
    before = len(house.said)
    house.stands_still(6 * HOUR)
    house.live(60)
    assert house.happened("raised", before) == []
    assert house.happened("deaf", before) == [""]
    assert [owed.rule for owed in house.told(before) if owed.rule != "list"] == []


def test_a_start_goes_on_from_the_highest_instant_that_was_told(house: House) -> None:
    house.live(60)
    latest_ms = house.hand.at_ms
    house.line.end(-3 * HOUR)
    assert house.line._journal.restore().latest_ms == latest_ms


def test_a_receipt_is_waited_for_as_long_as_ever(house: House) -> None:
    house.live(60)
    house.live(60, pool=FULL)
    due = "SELECT key, receipt_due_ms FROM notification WHERE state = 'accepted' AND receipt_due_ms IS NOT NULL"
    awaited = house.line._beside.execute(due).fetchall()
    assert awaited
    house.is_set(3 * HOUR)
    assert dict(house.line._beside.execute(due).fetchall()) == {key: at_ms + 3 * HOUR for key, at_ms in awaited}


def test_a_start_while_the_broker_is_away_loses_no_list(house: House) -> None:
    house.line.deafen()
    house.line.kill(10 * MINUTE)
    before = len(house.said)
    house.line.live(house.hand.at_ms + 11 * HOUR)
    assert [owed.template for owed in house.told(before) if owed.rule == "list"] == ["list_noon_done", "list_evening"]


def test_what_a_wrong_year_made_old_is_kept_for_a_week_although_a_short_deafness_follows(tmp_path: Path) -> None:
    day = Day(tmp_path / "journal.db")
    with closing(day.line):
        county = day.line.pipeline.county
        since_ms = day.hand.at_ms
        day.hand.at_ms += 366 * DAY
        county.oversleep(since_ms, day.hand.at_ms, day.line.pipeline.changes)
        until_ms = day.hand.at_ms + 7 * DAY
        day.hand.at_ms += HOUR
        county.oversleep(day.hand.at_ms - 3 * MINUTE, day.hand.at_ms, day.line.pipeline.changes)
        day.line.order(Housekeep())
        day.restart()
        assert day.line.pipeline.county.unsettled_until_ms == until_ms
