"""Which rule has to name which fault by when, and what is excused (docs/score.md, ``benchmarks/score/faults.py``)."""

from typing import Any

import pytest

from benchmarks.score import faults
from benchmarks.score.heard import Ear
from benchmarks.score.said import Said
from benchmarks.score.tally import Tally
from benchmarks.score.truth import Truth
from tests.score.made import bin_site, counted, ears, event, fault, levels, lie, plant_site, story, true
from tests.small_county import at, county, iso


def runs(*state: str, level: float = 500) -> dict[str, Any]:
    """One state an hour."""
    row = {"truth": "runs", "asset": "p", "from": iso(0), "step_s": 3_600, "state": list(state)}
    return {**row, "level_mm": [level] * len(state), "flow_m3h": [1.0] * len(state)}


def judged(truth: Truth, *said: Said, heard: dict[str, Ear] | None = None) -> Tally:
    tally = Tally()
    faults.judge_all(truth, story(*said), heard or {}, county(), tally)
    return tally


def seen(name: str, signals: str, rule: str, said_at: float, **more: Any) -> tuple[int, int]:  # noqa: ANN401 -- of ``fault``
    """What became of a fault that begins at ten o'clock in the morning."""
    wells = runs(*["RUNNING"] * 48, level=more.pop("level", 500))
    truth = true(plant_site(signals), wells, fault(name, 10, more.pop("ends", None)))
    return counted(judged(truth, event("raised", said_at, "p", rule=rule)), f"fault {name}.recall")


def test_names_of_sets_say_what_they_have() -> None:
    assert faults.name_signals("flow+current") == {"flow", "totaliser", "current"}
    assert faults.name_signals("level+run bit") == {"level", "run"}
    assert faults.name_signals("totaliser only") == {"totaliser"}
    assert faults.name_signals("all") == faults.EVERYTHING


@pytest.mark.parametrize(
    ("name", "signals", "rule", "in_time", "late"),
    [
        ("trip", "flow", "stopped", 22.3, 22.4),  # 12 h at 50 m³/d, and two intervals
        ("power_cut", "flow+mains", "no_power", 10.3, 10.4),
        ("power_cut", "flow", "offline", 10.7, 10.8),  # 2.5 intervals
        ("meter_dead", "flow+current", "meter_fault", 10.8, 10.9),  # half an hour of running
        ("meter_frozen", "flow", "meter_fault", 10.8, 10.9),
        ("wrong_unit", "flow", "unit_error", 34.3, 34.4),
        ("dry_run", "flow+current", "dry_run", 10.5, 10.6),
        ("jam", "flow+current", "dry_run", 10.5, 10.6),
        ("jam", "flow", "stopped", 22.3, 22.4),
        ("slow_clock", "flow", "clock_drift", 34.3, 34.4),
    ],
)
def test_a_fault_has_its_rules_time_and_two_intervals(
    name: str, signals: str, rule: str, in_time: float, late: float
) -> None:
    assert seen(name, signals, rule, in_time) == (1, 1)
    assert seen(name, signals, rule, late) == (0, 1)


def test_demand_makes_a_stop_due_sooner() -> None:
    assert seen("trip", "flow+level", "stopped", 12.3, level=950) == (1, 1)
    assert seen("trip", "flow+level", "stopped", 12.4, level=950) == (0, 1)
    assert seen("trip", "level+current", "stopped", 11.3, level=950) == (1, 1)
    assert seen("trip", "level+current", "stopped", 11.3, level=500) == (0, 0), "the well never calls for a pump"


@pytest.mark.parametrize(
    ("begins", "due"), [(10, 12), (19.9, 21.9), (20.5, 26.5), (21, 27), (23, 29), (1, 6), (3.9, 6), (4.5, 6.5)]
)
def test_a_stop_is_judged_two_hours_by_day_and_six_by_night(begins: float, due: float) -> None:
    truth = true(plant_site("flow+level"), runs(*["STOPPED"] * 48, level=950), fault("trip", begins))
    setting = faults.settle_where(truth.faults[0], truth, county())
    assert faults.stopped_on_demand(setting) == at(due)


def test_another_rule_is_no_answer_and_a_fault_that_was_soon_over_asks_for_none() -> None:
    assert seen("trip", "flow", "low_flow", 12) == (0, 1)
    assert seen("trip", "flow", "stopped", 40, ends=15) == (0, 0)


@pytest.mark.parametrize(
    ("name", "signals"), [("meter_dead", "flow"), ("dry_run", "level"), ("trip", "mains"), ("not_restarted", "mains")]
)
def test_what_a_set_cannot_see_is_not_asked_of_it(name: str, signals: str) -> None:
    assert seen(name, signals, "overflow", 12) == (0, 0)


def test_a_rule_that_learns_is_asked_nothing_before_it_can_have_learned() -> None:
    for begins, due in ((10, 0), (24 * 28, 1)):
        truth = true(plant_site("flow"), fault("pipe_cut", begins), hours=24 * 40)
        assert counted(judged(truth), "fault pipe_cut.recall") == (0, due)


def test_the_cells_of_plants_are_counted_apart_and_together() -> None:
    truth = true(plant_site("flow"), fault("trip", 10), bin_site(), fault("dead_sensor", 10, asset="a"))
    tally = judged(truth, event("raised", 11, "p", rule="stopped"))
    assert counted(tally, "cell flow × trip.recall") == counted(tally, "plants.recall") == (1, 1)
    assert counted(tally, "fault dead_sensor.recall") == (0, 1)


def test_a_late_sample_keeps_a_dead_device_alive_a_little_longer() -> None:
    truth = true(bin_site(), fault("dead_sensor", 10, asset="a"))
    said = event("raised", 13.4, rule="offline")
    assert counted(judged(truth, said), "fault dead_sensor.recall") == (0, 1)
    assert counted(judged(truth, said, heard=ears(9, 11)), "fault dead_sensor.recall") == (1, 1)


def test_a_silent_device_is_not_asked_about_another_fault() -> None:
    rows = [bin_site(), fault("tilted", 10, asset="a")]
    assert counted(judged(true(*rows)), "fault tilted.recall") == (0, 1)
    assert counted(judged(true(*rows, fault("dead_sensor", 9, asset="a"))), "fault tilted.recall") == (0, 0)
    assert counted(judged(true(*rows, fault("gateway_outage", 9, 12, asset="g01"))), "fault tilted.recall") == (0, 0)


# --- what is said of nothing


def right(truth: Truth, said: Said, kind: str) -> bool:
    hits, of = counted(judged(truth, said), f"{kind}.precision")
    assert of == 1
    return hits == 1


@pytest.mark.parametrize(
    ("rule", "hours", "true_then"),
    [("stopped", 11, True), ("low_flow", 11, True), ("stopped", 9, False), ("stopped", 35, False), ("jam", 11, False)],
)
def test_an_alert_speaks_of_a_fault_that_stands_or_is_just_over(rule: str, hours: float, true_then: bool) -> None:  # noqa: FBT001 -- the case and its double
    truth = true(plant_site("flow"), fault("trip", 10, 20))
    if rule == "jam":
        assert not counted(judged(truth, event("raised", hours, "p", rule=rule)), "plants.false_share")[1]
        return
    assert right(truth, event("raised", hours, "p", rule=rule), rule) is true_then


def test_a_rest_day_excuses_nothing() -> None:
    truth = true(plant_site("flow"), fault("rest_day", 10, 34))
    tally = judged(truth, event("raised", 23, "p", rule="stopped"))
    assert counted(tally, "plants.false_share") == (1, 1)
    assert counted(tally, "stopped.false") == (1, 48)


def test_a_dead_meter_is_a_stop_to_whoever_has_nothing_else() -> None:
    said = event("raised", 23, "p", rule="stopped")
    assert right(true(plant_site("flow+level"), fault("meter_dead", 10)), said, "stopped")
    assert not right(true(plant_site("flow+current"), fault("meter_dead", 10)), said, "stopped")


def test_a_level_that_does_stand_so_high_needs_no_fault() -> None:
    said = event("raised", 10, "p", rule="level_high")
    assert right(true(plant_site("flow+level"), runs(*["IDLE"] * 48, level=1_450)), said, "level_high")
    assert not right(true(plant_site("flow+level"), runs(*["IDLE"] * 48, level=900)), said, "level_high")


def test_a_silence_that_is_none_is_false_for_a_plant_and_a_bin_apart() -> None:
    truth = true(plant_site("flow"), bin_site(), fault("gateway_outage", 10, 14, asset="g01"))
    of_plant = judged(truth, event("raised", 12, "p", rule="offline"))
    assert counted(of_plant, "offline of plants.false") == (1, 48)
    assert counted(of_plant, "plants.false_share") == (0, 0), "a share of its own"
    assert right(truth, event("raised", 12, "a", rule="offline"), "offline")


def test_a_text_about_nothing_is_counted() -> None:
    truth = true(plant_site("flow"))
    owed = event("owed", 12.1, "p", rule="stopped", kind="first", to="crew")
    assert counted(judged(truth, event("raised", 12, "p", rule="stopped"), owed), "stopped.false_texts") == (1, 48)


# --- lies


@pytest.mark.parametrize(("named_at", "hit"), [(30, 1), (24 * 8, 1), (24 * 8 + 1, 0), (5, 0)])
def test_a_lying_sensor_is_named_within_seven_days_of_being_wrong(named_at: float, hit: int) -> None:
    truth = true(bin_site(), lie("stuck", 10, wrong=24), hours=24 * 20)
    assert counted(judged(truth, event("raised", named_at, rule="stuck")), "lies.named") == (hit, 1)


def test_a_lie_that_was_over_sooner_or_never_far_off_or_passes_need_not_be_named() -> None:
    for row in (lie("stuck", 10, wrong=24, ends=90), lie("stuck", 10, wrong=None), lie("bag", 10, wrong=11)):
        assert counted(judged(true(bin_site(), row, hours=24 * 20)), "lies.named") == (0, 0)


def test_an_honest_sensor_that_is_named_is_counted_by_hours() -> None:
    said = event("raised", 30, rule="blocked")
    assert counted(judged(true(bin_site()), said), "honest_named.false") == (1, 48)
    assert counted(judged(true(bin_site(), lie("covered", 20, wrong=22)), said), "honest_named.false") == (0, 48)


# --- missed rounds


def test_a_missed_round_is_due_where_there_is_something_to_collect() -> None:
    missed = {"truth": "missed", "asset": "a", "at": iso(8)}
    for pct, due in ((50, 1), (20, 0)):
        truth = true(bin_site(), levels(*[pct] * 48), missed)
        assert counted(judged(truth), "not_collected.recall") == (0, due)
        assert counted(judged(truth, event("raised", 11.5, rule="not_collected")), "not_collected.recall") == (due, due)
