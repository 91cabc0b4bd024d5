"""What a plant's signals show of each fault, and that a logger says what it is wired to and nothing else."""

from itertools import pairwise
from random import Random

import msgspec
import pytest

from firmware_sim.county import inventory
from firmware_sim.diary import PlantDiary, PumpState
from firmware_sim.firmware import Measured, plant_samples
from firmware_sim.fleet import PlantSite, fleet
from firmware_sim.logger import SENSED
from firmware_sim.scenario import HOUR_MS, Scenario, SignalSet, load
from firmware_sim.story import stories
from firmware_sim.traces import tell
from firmware_sim.truth_file import iso
from telemetry.reading import QUANTITIES

TEXT = """
seed: logger
start: 2026-11-22T16:00:00Z
hours: 96
fleet: {towns: 1, villages: 4, bins: 0, plants: 3, signal_sets: [all], plant_interval_s: 300}
radio: {reboots_per_month: 0, native_loss: 0, late: 0, duplicates: 0}
"""
FROM_H, TO_H = 30, 54


class Told:
    """What plant-0001 said before, during and after the one thing that happened to it, and its diary."""

    def __init__(self, event: str = "", text: str = TEXT) -> None:
        self.scenario = load(text + (f"events: [{{at: {FROM_H}, target: plant-0001, {event}}}]\n" if event else ""))
        site, story = next((site, story) for site, story in stories(self.scenario) if site.device == "plant-0001")
        assert isinstance(site, PlantSite)
        self.site, self.diary = site, PlantDiary()
        samples = list(plant_samples(self.scenario, site, story, Random(3), self.diary))
        self.before, self.during, self.after = (
            [one for one in samples if low <= (one.at_ms - self.scenario.start_ms) / HOUR_MS < high]
            for low, high in ((0, FROM_H), (FROM_H, TO_H), (TO_H, 96))
        )

    def state(self, hour: float) -> PumpState:
        return self.diary.look(self.scenario.start_ms + round(hour * HOUR_MS))[0]


def column(samples: list[Measured], name: str) -> list[float]:
    said = [getattr(one.values, name) for one in samples]
    assert None not in said
    return said


def volume(samples: list[Measured]) -> float:
    counted = column(samples, "volume_m3")
    return counted[-1] - counted[0]


def starts(samples: list[Measured]) -> int:
    return sum(now > before for before, now in pairwise(column(samples, "pump_on")))


USUAL = Told()


@pytest.mark.parametrize("signals", SignalSet)
def test_a_logger_says_what_it_is_wired_to_and_the_inventory_claims_no_more(signals: SignalSet) -> None:
    told = Told(text=TEXT.replace("[all]", f"[{signals}]"))
    said = {key for key, value in msgspec.structs.asdict(told.during[0].values).items() if value is not None}
    assert said == SENSED[signals] <= QUANTITIES.keys()
    (row, *_) = inventory(told.scenario)["assets"]
    assert ("rated_current_a" in row["plant"]) is ("pump_current_a" in said)
    assert ("start_level_mm" in row["plant"]) is ("level_mm" in said)
    assert "level_mm" in said or "alarm_level_mm" not in row["plant"]


def test_there_are_fourteen_sets_and_a_real_county_has_them_all() -> None:
    assert len(SignalSet) == len(SENSED) == 14
    real = load("{seed: 2, world: real, start: 2026-11-22T16:00:00Z, hours: 6, fleet: {bins: 0, plants: 14}}")
    assert {site.signals for site in fleet(real).plants} == set(SignalSet)
    assert len({tuple(site.signals for site in fleet(_seeded(real, n)).plants) for n in range(4)}) == 4


def _seeded(scenario: Scenario, seed: int) -> Scenario:
    return scenario.model_copy(update={"seed": seed})


def test_a_usual_day_runs_rests_and_counts() -> None:
    assert {0.0, 1.0} == set(column(USUAL.during, "pump_on"))
    assert set(column(USUAL.during, "mains_on")) == {1.0}
    assert set(column(USUAL.during, "float_high")) == {0.0}
    assert volume(USUAL.during) == pytest.approx(USUAL.site.design_m3d * USUAL.site.load, rel=0.3)


def test_a_tripped_pump_draws_nothing_and_its_well_fills() -> None:
    told = Told("kind: plant_stop, hours: 24")
    assert max(column(told.during, "pump_current_a")) < 0.05
    assert volume(told.during) == 0
    assert column(told.during, "level_mm")[-1] > told.site.start_level_mm
    assert told.state(40) is PumpState.STOPPED
    assert volume(told.after) > 0


def test_a_power_cut_is_a_last_gasp_and_then_silence() -> None:
    told = Told("kind: power_cut, hours: 24")
    assert column(told.during, "mains_on") == [0.0]
    assert told.state(40) is PumpState.NO_POWER


def test_a_pump_that_does_not_come_back_has_power_and_demand_and_does_not_run() -> None:
    told = Told("kind: not_restarted, hours: 24, size: 2")
    assert column(told.during, "mains_on")[0] == 0.0
    back = told.during[1:]
    assert back[0].at_ms >= told.scenario.start_ms + 32 * HOUR_MS
    assert set(column(back, "mains_on")) == {1.0}
    assert set(column(back, "pump_on")) == {0.0}
    assert column(back, "level_mm")[-1] > told.site.start_level_mm
    assert (told.state(31), told.state(40)) == (PumpState.NO_POWER, PumpState.STOPPED)
    faults = [row for row in tell(told.scenario, "x").truth() if row["truth"] == "fault"]
    hour = {n: iso(told.scenario.start_ms + n * HOUR_MS) for n in (30, 32, 54)}
    assert [(row["fault"], row["from"], row["to"]) for row in faults] == [
        ("power_cut", hour[30], hour[32]),
        ("not_restarted", hour[32], hour[54]),
    ]


def test_a_dry_pump_runs_on_a_fraction_of_its_current_and_moves_nothing() -> None:
    told = Told("kind: dry_run, hours: 24")
    assert set(column(told.during, "pump_on")) == {1.0}
    assert all(amps < 0.4 * told.site.rated_current_a for amps in column(told.during, "pump_current_a"))
    assert min(column(told.during, "pump_current_a")) > 0.1 * told.site.rated_current_a
    assert set(column(told.during, "flow_m3h")) == {0.0}
    assert volume(told.during) == 0


def test_a_jammed_pump_draws_too_much_and_moves_nothing() -> None:
    told = Told("kind: jam, hours: 24")
    assert all(amps > 1.2 * told.site.rated_current_a for amps in column(told.during, "pump_current_a"))
    assert set(column(told.during, "flow_m3h")) == {0.0}
    assert column(told.during, "level_mm")[-1] > told.site.start_level_mm


@pytest.mark.parametrize(("kind", "share"), [("pipe_cut", 0.3), ("rest_day", 0.15)])
def test_where_no_water_comes_hardly_any_is_pumped_and_the_well_stays_low(kind: str, share: float) -> None:
    told = Told(f"kind: {kind}, hours: 24")
    assert volume(told.during) < share * volume(USUAL.during)
    assert max(column(told.during, "level_mm")) <= told.site.start_level_mm + 15
    assert told.state(50) is not PumpState.STOPPED, "nothing is wrong with the pump"


def test_rain_brings_more_and_nothing_is_wrong() -> None:
    told = Told("kind: rain_inflow, hours: 24, size: 2")
    assert volume(told.during) > 2 * volume(USUAL.during)
    assert max(column(told.during, "pump_current_a")) < told.site.rated_current_a


def test_a_clogging_pump_moves_ever_less_and_runs_ever_longer() -> None:
    told = Told("kind: slow_blockage, hours: 60, size: 30")
    rates = [rate for rate in column([*told.during, *told.after], "flow_m3h") if rate]
    assert rates[0] > 0.93 * told.site.pump_m3h
    late = [
        rate for one in told.after if one.at_ms < told.scenario.start_ms + 89 * HOUR_MS if (rate := one.values.flow_m3h)
    ]
    assert 0.25 * told.site.pump_m3h < late[-1] < 0.45 * told.site.pump_m3h
    running = [sum(column(some, "pump_on")) / len(some) for some in (USUAL.after, told.after)]
    assert running[1] > 1.4 * running[0]
    assert volume(told.after) == pytest.approx(volume(USUAL.after), rel=0.2), "all the water is pumped in the end"


def test_short_cycles_are_many_and_each_moves_little() -> None:
    every_minute = TEXT.replace("plant_interval_s: 300", "plant_interval_s: 60")
    usual, told = Told(text=every_minute), Told("kind: short_cycling, hours: 24", every_minute)
    assert starts(told.during) > 4 * starts(usual.during)
    assert volume(told.during) == pytest.approx(volume(usual.during), rel=0.2)
    assert starts(told.after) < 2 * starts(usual.after)


def test_a_dead_meter_shows_nothing_while_the_pump_runs() -> None:
    told = Told("kind: meter_dead, hours: 24")
    assert set(column(told.during, "flow_m3h")) == {0.0}
    assert volume(told.during) == 0
    assert max(column(told.during, "pump_current_a")) > 0.8 * told.site.rated_current_a
    assert max(column(told.during, "level_mm")) <= told.site.start_level_mm + 15
    assert PumpState.RUNNING in {told.state(hour / 10) for hour in range(300, 540)}
    assert 0 < volume(told.after) < 1.3 * volume(USUAL.after), "what it missed it never counts"


def test_a_frozen_meter_shows_one_rate_and_no_sum() -> None:
    told = Told("kind: meter_frozen, hours: 24")
    first = next(i for i, one in enumerate(told.during) if one.values.flow_m3h)
    assert len(set(column(told.during[first:], "flow_m3h"))) == 1
    assert volume(told.during[first:]) == 0
    assert volume(told.after) > 0


def test_a_wrong_unit_is_in_the_rate_and_not_in_the_sum() -> None:
    told = Told("kind: wrong_unit, hours: 24")
    most = max(column(told.during, "flow_m3h"))
    assert most == pytest.approx(told.site.pump_m3h / 3.6, rel=0.05)
    assert volume(told.during) == pytest.approx(volume(USUAL.during), rel=0.1)


def test_a_totaliser_begins_anew_and_goes_on_counting() -> None:
    told = Told("kind: totaliser_reset")
    counted = column([*told.before, *told.during], "volume_m3")
    falls = [i for i, (before, after) in enumerate(pairwise(counted)) if after < before]
    assert len(falls) == 1
    assert counted[falls[0] + 1] < 5
    assert volume(told.during) == pytest.approx(volume(USUAL.during), rel=0.1)


def test_a_slow_clock_falls_behind_by_its_minutes_a_day_and_is_put_right() -> None:
    scenario = Told("kind: slow_clock, hours: 24, size: 48").scenario
    lags: dict[float, float] = {}
    for uplink in tell(scenario, "x").uplinks:
        if "plant-0001" in uplink.topic:
            said = msgspec.json.decode(uplink.payload)
            lags[(uplink.at_ms - scenario.start_ms) / HOUR_MS] = (uplink.at_ms - said["ts"]) / 60_000

    def lag(low: float, high: float) -> list[float]:
        return [minutes for at, minutes in lags.items() if low < at < high]

    assert max(map(abs, lag(0, FROM_H))) < 1
    assert max(lag(53, 53.9)) == pytest.approx(48, abs=2)
    assert max(map(abs, lag(54.1, 96))) < 1


def test_a_real_meter_creeps_where_nothing_flows_and_a_plain_one_does_not() -> None:
    real = Told(text=TEXT + "world: real\nreality: {mishaps: 0}\n")
    crept = [one.values.flow_m3h or 0 for one in real.during if not one.values.pump_on]
    assert 0 < sum(rate > 0 for rate in crept) < len(crept)
    assert max(crept) < 0.1, "below any low cut-off"
    assert not [one for one in USUAL.during if not one.values.pump_on and one.values.flow_m3h]
