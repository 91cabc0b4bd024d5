"""One asset, one input: what stage one makes of samples, silence, signs of life, work and too many messages."""

from itertools import count
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.build import assemble_whole
from alerts.conditions import engine
from alerts.conditions.finding import EngineStep, Finding, Found
from alerts.conditions.machine import Machine
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import AssetState, Plan
from alerts.model import Condition, RunState
from alerts.timers import NEVER
from alerts.windows import Window
from telemetry.inventory import Asset
from telemetry.reading import Millis, Reading, TimeSource, Values
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS

PLANS: Final = assemble_whole(COUNTY, POLICY_FILES).county.plans
POOL: Final = PLANS["pool"]
PLANT: Final = PLANS["plant"]
STALE: Final = 2 * HOUR
"""After so long the pool's device is silent."""
COUNTED: Final = count(1)
FULL, HIGH, LOW = (Values(distance_mm=mm) for mm in (230.0, 400.0, 1100.0))
"""97, 80 and 10 percent."""


class Alone:
    """A village without another bin."""

    def temperatures_c(self, asset: Asset, at_ms: Millis, within_ms: Millis) -> list[float]:
        _ = asset, at_ms, within_ms
        return []


class Lived:
    """An asset through one input after the other, and what was found in each."""

    def __init__(self, plan: Plan = POOL, known_ms: Millis = START_MS) -> None:
        self.plan = plan
        self.device = plan.devices[0].id
        self.state = plan.born({device.id: known_ms for device in plan.devices})
        self.step = EngineStep(self.state, (), moved=False)

    def reading(
        self, at_min: float, values: Values, observed_min: float | None = None, *, late: bool = False
    ) -> Reading:
        at_ms = START_MS + round(at_min * MINUTE)
        observed_ms = at_ms if observed_min is None else START_MS + round(observed_min * MINUTE)
        asset = self.plan.asset.id
        return Reading(self.device, asset, 1, next(COUNTED), observed_ms, at_ms, TimeSource.OK, late, values)

    def hear(self, at_min: float, values: Values, observed_min: float | None = None, *, late: bool = False) -> "Lived":
        reading = self.reading(at_min, values, observed_min, late=late)
        return self._after(engine.observe(self.plan, self.state, reading, Alone()))

    def live(self, at_min: float) -> "Lived":
        return self._after(engine.expire(self.plan, self.state, START_MS + round(at_min * MINUTE)))

    def renew(self, at_min: float) -> "Lived":
        at_ms = START_MS + round(at_min * MINUTE)
        return self._after(engine.renew(self.plan, self.state, self.device, at_ms, Alone()))

    def work(self, window: Window) -> "Lived":
        return self._after(engine.declare_work(self.state, window))

    def due_min(self) -> float:
        return (engine.deadline_ms(self.plan, self.state) - START_MS) / MINUTE

    def of(self, rule: str) -> Machine:
        slots = enumerate(self.plan.slots)
        return next(self.state.machines[place] for place, slot in slots if slot.rule.kind == rule)

    def found(self) -> list[tuple[str, str]]:
        return [(finding.kind.value, finding.rule) for finding in self.step.findings]

    def _after(self, step: EngineStep) -> "Lived":
        self.step, self.state = step, step.state
        return self


def overflowing() -> Lived:
    return Lived().hear(0, FULL).hear(20, FULL)


def test_a_bin_that_is_full_twice_is_raised_with_its_evidence() -> None:
    pool = Lived().hear(0, FULL)
    assert (pool.found(), pool.step.moved, pool.step.judged_pct) == ([], True, 97.0)
    pool.hear(20, FULL)
    assert pool.found() == [("raised", "overflow"), ("raised", "over_two_thirds")] or pool.found() == [
        ("raised", "over_two_thirds"),
        ("raised", "overflow"),
    ]
    raised = next(finding for finding in pool.step.findings if finding.rule == "overflow")
    assert raised == Finding(
        Found.RAISED,
        START_MS + 20 * MINUTE,
        "pool",
        "overflow",
        "s-pool",
        "overflow/pool/20261122T235000Z",
        "P2",
        START_MS,
        detail={"fill_pct": 97.0, "full_flag": False},
    )
    assert pool.hear(40, FULL).step == EngineStep(pool.state, (), moved=False, judged_pct=97.0)


HALF: Final = Values(distance_mm=700.0)


def test_an_emptying_is_found_and_ends_what_it_was_about() -> None:
    pool = overflowing().hear(40, LOW).hear(60, LOW)
    assert sorted(pool.found()) == [("cleared", "over_two_thirds"), ("cleared", "overflow"), ("emptied", "")]
    emptied = next(finding for finding in pool.step.findings if finding.kind is Found.EMPTIED)
    assert emptied.detail == {"from_pct": 97.0, "to_pct": 10.0}
    assert {each.reason for each in pool.step.findings if each.kind is Found.CLEARED} == {"emptied"}
    partly = Lived().hear(0, FULL).hear(20, HIGH).hear(40, HIGH)
    assert ("partly_emptied", "") not in partly.found()
    half = Lived().hear(0, FULL).hear(20, HALF).hear(40, HALF).hear(60, HALF).hear(80, HALF)
    assert ("partly_emptied", "") in half.found()


def test_the_first_sample_arms_the_silence_and_time_alone_raises_it() -> None:
    pool = Lived()
    assert pool.due_min() == STALE / MINUTE
    assert pool.hear(10, LOW).due_min() == 10 + STALE / MINUTE
    assert pool.live(10 + STALE / MINUTE - 0.001).step == EngineStep(pool.state, (), moved=False)
    pool.live(10 + STALE / MINUTE)
    assert pool.found() == [("stale", ""), ("raised", "offline")]
    assert [finding.device for finding in pool.step.findings] == ["s-pool", "s-pool"]
    assert pool.step.findings[1].detail == {"reason": "silent", "seen_ms": START_MS + 10 * MINUTE}
    assert pool.due_min() == (NEVER - START_MS) / MINUTE
    assert pool.live(1_000).found() == []


def test_a_device_that_never_spoke_is_silent_from_when_it_is_known() -> None:
    pool = Lived().live(STALE / MINUTE)
    assert pool.found() == [("stale", ""), ("raised", "offline")]
    assert pool.step.findings[1].detail == {"reason": "never_seen", "seen_ms": START_MS}


def test_the_gap_of_a_silence_counts_toward_no_delay() -> None:
    plant = Lived(PLANT).hear(0, Values(mains_on=0.0)).hear(10, Values(mains_on=1.0))
    assert plant.found() == [("recovering", "no_power")]
    assert plant.due_min() == 12
    silent = Lived(PLANT).hear(0, Values(mains_on=0.0)).hear(10, Values(mains_on=1.0))
    clear_since = silent.of("no_power").clear_since_ms
    silent.state = replace(silent.state, machines=_with(silent, "offline", condition=Condition.ACTIVE))
    assert silent.due_min() == (NEVER - START_MS) / MINUTE
    silent.hear(70, Values(flow_m3h=1.0))
    assert ("fresh", "") in silent.found()
    assert silent.of("no_power").clear_since_ms == clear_since + HOUR


def _with(lived: Lived, rule: str, **changes: object) -> tuple[Machine, ...]:
    slots = lived.plan.slots
    return tuple(
        replace(machine, **changes) if slot.rule.kind == rule else machine
        for slot, machine in zip(slots, lived.state.machines, strict=True)
    )


def test_two_messages_end_a_silence_and_several_samples_of_one_are_one() -> None:
    pool = Lived().hear(0, LOW).live(STALE / MINUTE)
    pool.hear(200, LOW)
    assert pool.found() == [("fresh", ""), ("recovering", "offline")]
    assert pool.hear(200, LOW).found() == []
    assert pool.of("offline").condition is Condition.RECOVERING
    assert pool.hear(201, LOW).found() == [("cleared", "offline")]
    assert pool.step.findings[0].device == "s-pool"


def test_silence_is_counted_by_when_things_come_and_levels_by_when_they_were_seen() -> None:
    pool = Lived().hear(0, LOW).live(STALE / MINUTE).hear(200, FULL, observed_min=60, late=True)
    assert pool.of("offline").clear_since_ms == START_MS + 200 * MINUTE
    assert pool.of("overflow").since_ms == START_MS + 60 * MINUTE
    assert pool.of("overflow").untold


def test_a_sign_of_life_feeds_the_silence_and_nothing_else() -> None:
    pool = Lived().hear(0, FULL)
    before = pool.of("overflow")
    pool.renew(30)
    assert (pool.found(), pool.of("overflow"), pool.due_min()) == ([], before, 30 + STALE / MINUTE)
    assert pool.step.moved
    pool.live(200)
    assert pool.found() == [("stale", ""), ("raised", "offline")]
    assert pool.renew(210).found() == [("fresh", ""), ("recovering", "offline")]
    assert pool.state.devices[0].bridged_ms == START_MS + 210 * MINUTE
    assert pool.renew(210).found() == []
    assert pool.renew(220).found() == [("cleared", "offline")]
    assert not pool.step.findings[0].late
    assert pool.of("overflow").since_ms == START_MS + 210 * MINUTE
    pool.hear(230, FULL)
    assert pool.of("overflow").condition is Condition.ACTIVE


def test_a_silence_that_comes_again_while_it_ends_goes_on() -> None:
    pool = Lived().hear(0, LOW).live(STALE / MINUTE).renew(200)
    episode = pool.of("offline").episode
    pool.live(200 + STALE / MINUTE)
    assert pool.found() == [("stale", ""), ("relapsed", "offline")]
    assert pool.of("offline").episode == episode


def test_our_own_deafness_moves_the_deadline_by_what_fell_after_the_last_word() -> None:
    pool = Lived().hear(10, LOW)
    for from_min, to_min, moved_min in ((0, 40, 30), (20, 40, 20), (0, 5, 0)):
        state = engine.excuse(pool.state, START_MS + from_min * MINUTE, START_MS + to_min * MINUTE)
        assert engine.offline_ms(POOL, state, 0) == START_MS + (10 + moved_min) * MINUTE + STALE
    twice = engine.excuse(engine.excuse(pool.state, START_MS, START_MS + HOUR), START_MS, START_MS + HOUR)
    assert twice.devices[0].shift_ms == 100 * MINUTE
    unheard = engine.excuse(Lived().state, START_MS - HOUR, START_MS + HOUR)
    assert unheard.devices[0].shift_ms == HOUR


def test_a_sample_older_than_the_last_is_a_sign_of_life_judged_at_its_own_word() -> None:
    pool = Lived().hear(60, LOW).hear(70, FULL, observed_min=30, late=True)
    assert (pool.step.judged_pct, pool.of("overflow").condition) == (97.0, Condition.NORMAL)
    assert pool.due_min() == 70 + STALE / MINUTE
    assert pool.state.devices[0].observed_ms == START_MS + 60 * MINUTE


def test_a_parameter_that_was_changed_judges_the_last_level_once() -> None:
    pool = Lived().hear(0, HIGH).hear(20, HIGH)
    assert pool.found() == [("raised", "over_two_thirds")]
    at_ms = START_MS + 30 * MINUTE
    assert engine.rejudge(POOL, pool.state, at_ms, Alone()) == EngineStep(pool.state, (), moved=False)
    full = Lived()
    full.state = replace(pool.state, memory=replace(pool.state.memory, fill_pct=40.0))
    step = engine.rejudge(POOL, full.state, at_ms, Alone())
    assert [(each.kind, each.rule, each.reason) for each in step.findings] == [
        (Found.RECOVERING, "over_two_thirds", "figures_changed")
    ]
    assert step.moved
    silent = replace(full.state, machines=_with(pool, "offline", condition=Condition.ACTIVE))
    assert not engine.rejudge(POOL, silent, at_ms, Alone()).moved
    assert not engine.rejudge(POOL, Lived().state, at_ms, Alone()).moved


def test_a_plant_is_what_its_fresh_signals_say_and_each_change_is_found() -> None:
    plant = Lived(PLANT)
    assert engine.run_state(PLANT, plant.state) is RunState.UNKNOWN
    plant.hear(0, Values(flow_m3h=2.0, mains_on=1.0))
    assert plant.step.findings[-1].detail == {"from": "", "to": RunState.RUNNING}
    assert plant.step.moved, "or a start would find it in another"
    assert plant.hear(10, Values(flow_m3h=2.0, mains_on=1.0)).step == EngineStep(plant.state, (), moved=False)
    plant.hear(20, Values(flow_m3h=0.0, mains_on=1.0))
    assert plant.found() == [("run_state", "")]
    assert plant.state.run == RunState.IDLE
    plant.hear(30, Values(mains_on=0.0))
    assert (plant.found()[0], plant.state.run) == (("raised", "no_power"), RunState.NO_POWER)
    assert (plant.step.findings[0].severity, plant.step.findings[0].detail) == ("P2", {"mains_on": False})
    plant.live(100)
    assert plant.state.run == RunState.OFFLINE
    assert engine.run_state(POOL, Lived().state) is RunState.UNKNOWN


def test_work_begins_and_ends_by_its_own_time_and_may_be_withdrawn() -> None:
    window = Window("maintenance/plant/1", START_MS + 30 * MINUTE, START_MS + 60 * MINUTE, "清洗", "office")
    plant = Lived(PLANT).hear(0, Values(flow_m3h=2.0)).work(window)
    assert (plant.step.moved, plant.found()) == (True, [])
    assert plant.state.run == RunState.RUNNING
    plant.hear(20, Values(flow_m3h=2.0))
    assert plant.due_min() == 30
    plant.live(30)
    assert plant.found() == [("work_begun", ""), ("run_state", "")]
    assert list((plant.step.findings[0].detail or {}).items()) == [
        ("reason", "清洗"),
        ("work", "maintenance"),
        ("window", window.id),
        ("until_ms", window.until_ms),
    ]
    begun = plant.state
    assert plant.state.run == RunState.MAINTENANCE
    plant.hear(45, Values(flow_m3h=2.0)).live(60)
    assert plant.found() == [("work_over", ""), ("run_state", "")]
    assert (plant.step.findings[0].detail or {}).get("until_ms") is None
    assert plant.state.windows == ()
    at_ms = START_MS + 40 * MINUTE
    gone = engine.withdraw_work(PLANT, begun, window.id, at_ms)
    assert [each.kind for each in gone.findings] == [Found.WORK_OVER, Found.RUN_STATE]
    assert engine.withdraw_work(PLANT, begun, "another", at_ms) == EngineStep(begun, (), moved=False)
    unbegun = Lived(PLANT).hear(0, Values(flow_m3h=2.0)).work(window).state
    assert engine.withdraw_work(PLANT, unbegun, window.id, at_ms) == EngineStep(
        replace(unbegun, windows=()), (), moved=True
    )


def said(plan: Plan, state: AssetState, messages: int, at_ms: Millis) -> tuple[EngineStep, bool]:
    step, above = EngineStep(state, (), moved=False), False
    for _ in range(messages):
        step, above = engine.count(plan, step.state, "s-pool", 10, at_ms, None)
    return step, above


def test_a_device_above_its_share_is_raised_until_a_whole_hour_was_below() -> None:
    pool = Lived().hear(0, LOW)
    share = POOL.shares[0].messages
    at_ms = START_MS + MINUTE
    step, above = said(POOL, pool.state, share, at_ms)
    assert (above, step.findings) == (False, ())
    step, above = said(POOL, step.state, 1, at_ms)
    assert (above, [(each.kind, each.rule) for each in step.findings]) == (True, [(Found.RAISED, "flooded_device")])
    assert step.moved
    assert engine.hour_ms(POOL, step.state, "s-pool") == at_ms + HOUR
    assert engine.hour_ms(POOL, pool.state, "s-pool") == NEVER
    again, above = said(POOL, step.state, 1, at_ms)
    assert (above, again.findings) == (True, ())
    later, above = said(POOL, again.state, 1, at_ms + HOUR)
    assert (above, later.findings) == (False, ()), "not yet a whole hour below"
    flooding = engine.end_hour(POOL, again.state, "s-pool", at_ms + HOUR)
    assert (flooding.findings, flooding.moved) == ((), True)
    assert engine.hour_ms(POOL, flooding.state, "s-pool") == at_ms + 2 * HOUR
    calm = engine.end_hour(POOL, flooding.state, "s-pool", at_ms + 2 * HOUR)
    assert [(each.kind, each.rule) for each in calm.findings] == [(Found.CLEARED, "flooded_device")]


def test_a_message_in_its_turn_moves_nothing_and_one_of_a_backlog_neither() -> None:
    pool, half_ms = Lived().hear(0, LOW), 10 * MINUTE
    for after_ms, spread_ms, is_counted in (
        (2 * half_ms, 2 * half_ms, False),
        (half_ms, 0, False),
        (half_ms - 1, 0, True),
        (half_ms - 1, -half_ms, False),
        (0, half_ms, False),
        (0, half_ms - 1, True),
    ):
        step, above = engine.count(POOL, pool.state, "s-pool", 100, START_MS + after_ms, START_MS + spread_ms)
        assert (step.findings, step.moved, above) == ((), is_counted and not after_ms, False)
        assert step.state.devices[0].traffic.messages == (2 if is_counted else 0)


@pytest.mark.parametrize("gap_min", [20, 200])
def test_what_a_start_reads_again_leaves_what_the_line_left(gap_min: int) -> None:
    pool, again = Lived().hear(0, LOW), Lived().hear(0, LOW)
    at_ms = START_MS + gap_min * MINUTE
    reading = Reading("s-pool", "pool", 1, next(COUNTED), at_ms, at_ms, TimeSource.OK, late=False, values=LOW)
    counted, _ = engine.count(POOL, pool.state, "s-pool", 100, at_ms, at_ms)
    observed = engine.observe(POOL, counted.state, reading, Alone())
    assert engine.remember(POOL, again.state, reading) == observed.state


def test_what_came_together_has_left_a_state_of_its_own_and_is_not_counted_again() -> None:
    pool = Lived().hear(0, LOW)
    after = engine.remember(POOL, pool.state, pool.reading(0, LOW))
    assert after.devices[0].traffic == pool.state.devices[0].traffic
    assert engine.remember(POOL, pool.state, pool.reading(1, LOW)).devices[0].traffic.messages == 2


def test_two_samples_of_one_instant_are_two_samples() -> None:
    assert Lived().hear(0, FULL).hear(0, FULL).found() == [("raised", "overflow"), ("raised", "over_two_thirds")]


def test_what_comes_near_the_sensor_is_judged_by_what_it_counts_for() -> None:
    assert Lived().hear(0, HIGH).hear(20, Values(distance_mm=150.0)).step.judged_pct == 95.0
    assert Lived().hear(0, LOW).hear(20, Values(distance_mm=150.0)).step.judged_pct is None


def test_what_only_late_samples_say_is_late_and_so_is_an_end_that_they_tell() -> None:
    told: list[tuple[str, bool]] = []
    pool = Lived()
    for minute, values, late in (
        (0, HIGH, True),
        (20, HIGH, True),
        (40, LOW, True),
        (60, HIGH, True),
        (80, HIGH, False),
        (100, LOW, True),
        (120, HIGH, False),
        (140, LOW, False),
        (160, HIGH, True),
        (180, LOW, False),
        (200, Values(distance_mm=1090.0), True),
    ):
        pool.hear(minute, values, late=late)
        told += [(each.kind.value, each.late) for each in pool.step.findings if each.rule == "over_two_thirds"]
        assert all(each.detail is None for each in pool.step.findings if each.kind is Found.RECOVERING)
    assert told == [
        ("raised", True),
        ("recovering", True),
        ("relapsed", True),
        ("confirmed", False),
        ("recovering", False),
        ("relapsed", False),
        ("recovering", False),
        ("relapsed", True),
        ("recovering", False),
        ("cleared", True),
    ]


def test_the_raise_and_the_relapse_that_are_one_too_many_say_so_and_nothing_after_them() -> None:
    often, half = Lived(), Values(distance_mm=800.0)
    told: list[tuple[str, bool]] = []
    for minute, values in enumerate((HIGH, HIGH, half, half) * 3):
        often.hear(minute, values)
        told += [(each.kind.value, each.flapping) for each in often.step.findings if each.rule == "over_two_thirds"]
    up_and_down = [("raised", False), ("recovering", False), ("cleared", False)]
    assert told == [*up_and_down, *up_and_down, ("raised", True), *2 * [("recovering", False)]]
    unsteady = Lived().hear(0, HIGH).hear(20, HIGH)
    for time in range(1, 7):
        assert not unsteady.hear(20 + 40 * time, half).step.findings[-1].flapping
        unsteady.hear(40 + 40 * time, HIGH)
        assert [(each.kind, each.flapping) for each in unsteady.step.findings] == [(Found.RELAPSED, time == 6)]


def test_a_time_that_is_due_later_than_a_silence_waits() -> None:
    pool = Lived().hear(0, LOW)
    for wake_min, due_min in ((10 * 60, STALE / MINUTE), (90, 90)):
        waits = {"condition": Condition.RECOVERING, "wake_ms": START_MS + wake_min * MINUTE}
        pool.state = replace(pool.state, machines=_with(pool, "overflow", **waits))
        assert pool.due_min() == due_min


def test_a_state_of_another_plan_is_our_own_mistake() -> None:
    pool = overflowing()
    short = replace(pool.state, machines=pool.state.machines[:-1])
    with pytest.raises(ValueError, match="shorter"):
        engine.deadline_ms(POOL, short)
    silent = replace(short, machines=_with(pool, "offline", condition=Condition.ACTIVE)[:-1])
    with pytest.raises(ValueError, match="shorter"):
        engine.renew(POOL, silent, "s-pool", START_MS + HOUR, Alone())
    due = _with(pool, "overflow", condition=Condition.PENDING, wake_ms=START_MS)
    with pytest.raises(TypeError, match="overflow cannot watch pool"):
        engine.expire(POOL, replace(pool.state, memory=PlantMemory(), machines=due), START_MS + HOUR)


def test_a_person_resets_what_latched_and_nothing_else() -> None:
    pool = overflowing()
    pool.state = replace(pool.state, machines=_with(pool, "fire", latched=True, episode="fire/pool/1"))
    after = engine.reset(POOL, pool.state, "fire")
    assert not Lived()._after(EngineStep(after, (), moved=True)).of("fire").latched
    assert after == replace(pool.state, machines=_with(pool, "fire", latched=False))
