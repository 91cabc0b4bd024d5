"""An asset with two devices: each is heard, silent, counted and excused for itself, and the asset by what both say."""

from typing import Final

import pytest
from msgspec.structs import replace

from alerts.build import assemble_whole
from alerts.conditions import engine
from alerts.conditions.bins import BinMemory
from alerts.conditions.finding import EngineStep, Finding, Found
from alerts.conditions.machine import IDLE, Machine
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import AssetState, Plan
from alerts.conditions.traffic import LARGE, HourlyTraffic
from alerts.model import Condition, RunState
from alerts.rules.flooded_device import FloodedDevice
from alerts.timers import NEVER
from alerts.windows import Window
from telemetry.inventory.file import parse
from telemetry.reading import Values
from tests.alerts.conditions.test_engine import FULL, LOW, STALE, Alone, Lived
from tests.telling_county import DAY, HOUR, MINUTE, POLICY_FILES, START_MS, WRITTEN

PARSED: Final = parse(
    f"""{WRITTEN.rstrip()}
      - {{id: lid, asset: pool, profile: native, power: battery, interval_s: 3600, installed_at: 2026-11-01T00:00:00Z}}
      - {{id: m-flow, asset: plant, profile: native, power: mains, interval_s: 600, installed_at: 2026-11-01T00:00:00Z}}
    """,
    "two.yaml",
    frozenset({"native"}),
)
assert PARSED.inventory is not None, PARSED.faults
PLANS: Final = assemble_whole(PARSED.inventory, POLICY_FILES).county.plans
POOL: Final = PLANS["pool"]
"""Its second device, at the lid, reports hourly, so that it is silent after three hours and not after two."""
LID_STALE: Final = 3 * HOUR
PLANT: Final = PLANS["plant"]


class Pair(Lived):
    """The asset; what is heard comes from the device that is said, by its place."""

    def __init__(self, plan: Plan = POOL) -> None:
        super().__init__(plan)

    def by(self, feeder: int) -> "Pair":
        self.device = self.plan.devices[feeder].id
        return self

    def each_of(self, rule: str) -> list[Machine]:
        slots = enumerate(self.plan.slots)
        return [self.state.machines[place] for place, slot in slots if slot.rule.kind == rule]

    def set(self, rule: str, machine: Machine, device: int = -1) -> "Pair":
        slots = zip(self.plan.slots, self.state.machines, strict=True)
        machines = (machine if (slot.rule.kind, slot.device) == (rule, device) else old for slot, old in slots)
        self.state = replace(self.state, machines=tuple(machines))
        return self


def seen_min(state: AssetState) -> list[float | None]:
    return [(each.seen_ms - START_MS) / MINUTE if each.seen_ms else None for each in state.devices]


def test_each_device_is_seen_for_itself_and_what_both_say_is_one_bins() -> None:
    pool = Pair()
    pool.by(0).hear(10, FULL)
    assert seen_min(pool.state) == [10, None]
    pool.by(1).hear(20, FULL)
    assert seen_min(pool.state) == [10, 20]
    assert pool.step.findings[0].device == "lid"
    assert pool.of("overflow").feeder == 1
    assert seen_min(pool.by(0).renew(30).state) == [30, 20]
    assert seen_min(pool.by(1).renew(40).state) == [30, 40]
    assert seen_min(pool.by(1).hear(50, LOW, observed_min=15, late=True).state) == [30, 50]
    assert pool.step.judged_pct == 10.0
    assert [each.observed_ms for each in pool.state.devices] == [START_MS + 10 * MINUTE, START_MS + 20 * MINUTE]


def test_each_device_is_silent_for_itself_by_its_own_interval() -> None:
    pool = Pair()
    pool.by(0).hear(0, LOW)
    pool.by(1).hear(0, LOW)
    assert pool.due_min() == STALE / MINUTE
    pool.live(STALE / MINUTE)
    assert [(each.kind, each.device) for each in pool.step.findings] == [
        (Found.STALE, "s-pool"),
        (Found.RAISED, "s-pool"),
    ]
    assert pool.step.findings[1].episode.startswith("offline/s-pool/")
    assert pool.due_min() == LID_STALE / MINUTE
    assert pool.live(LID_STALE / MINUTE - 0.001).found() == []
    pool.live(LID_STALE / MINUTE)
    assert [(each.kind, each.device) for each in pool.step.findings] == [
        (Found.STALE, "lid"),
        (Found.RAISED, "lid"),
    ]
    assert [each.feeder for each in pool.each_of("offline")] == [0, 1]
    assert pool.due_min() == (NEVER - START_MS) / MINUTE
    pool.by(1).hear(200, LOW)
    assert [(each.kind, each.device) for each in pool.step.findings] == [
        (Found.FRESH, "lid"),
        (Found.RECOVERING, "lid"),
    ]
    pool.by(0).renew(201)
    assert [each.condition for each in pool.each_of("offline")] == [Condition.RECOVERING, Condition.RECOVERING]
    pool.by(0).renew(202)
    pool.by(1).renew(203)
    assert [each.condition for each in pool.each_of("offline")] == [Condition.NORMAL, Condition.NORMAL]


def test_a_plant_is_offline_when_nothing_of_it_speaks_any_more() -> None:
    plant = Pair(PLANT)
    plant.by(0).hear(0, Values(flow_m3h=2.0))
    plant.by(1).hear(15, Values(mains_on=1.0))
    plant.live(25)
    assert [(each.kind, each.device) for each in plant.step.findings] == [
        (Found.STALE, "m-plant"),
        (Found.RAISED, "m-plant"),
    ]
    assert plant.state.run == RunState.RUNNING
    plant.live(40)
    assert plant.state.run == RunState.OFFLINE


def test_a_silence_puts_off_what_the_silent_device_fed_and_nothing_else() -> None:
    for speaks, gap_ms in ((0, HOUR), (1, 0)):
        pool = Pair()
        pool.by(1).hear(0, LOW)
        pool.by(0).hear(10, FULL)
        before = pool.of("overflow")
        counting = Machine(Condition.RECOVERING, clear_since_ms=7, wake_ms=START_MS + DAY, feeder=speaks)
        pool.set("offline", Machine(Condition.ACTIVE, feeder=speaks), speaks).set("flooded_device", counting, speaks)
        pool.by(speaks).hear(70, Values(battery_pct=80.0))
        assert pool.each_of("flooded_device")[speaks] == counting, "its silence is no trouble to that"
        assert pool.of("overflow").since_ms == before.since_ms + gap_ms
        assert pool.each_of("offline")[speaks].condition is Condition.RECOVERING


def test_a_gap_is_counted_from_the_last_sample_or_from_what_bridged_it_and_never_backwards() -> None:
    for bridged_min, observed_min, gap_min in ((0, 70, 60), (40, 70, 30), (80, 70, 0), (0, 5, 0)):
        pool = Lived().hear(10, FULL)
        bridged = replace(pool.state.devices[0], bridged_ms=bridged_min and START_MS + bridged_min * MINUTE)
        pool.state = replace(pool.state, devices=(bridged,))
        silent = Pair.set(pool, "offline", Machine(Condition.ACTIVE), 0)  # type: ignore[arg-type] # of one as of two
        silent.hear(90, Values(battery_pct=80.0), observed_min=observed_min, late=True)
        assert silent.of("overflow").since_ms == START_MS + (10 + gap_min) * MINUTE


def test_a_first_word_of_all_has_no_gap_before_it() -> None:
    pool = Lived()
    pool.live(STALE / MINUTE)
    waiting = Machine(Condition.PENDING, since_ms=START_MS, count=1)
    Pair.set(pool, "overflow", waiting).renew(200)  # type: ignore[arg-type] # of one as of two
    assert pool.of("overflow") == waiting


def test_a_plants_own_memory_is_put_off_by_a_silence_too() -> None:
    plant = Pair(PLANT)
    plant.by(1).hear(0, Values(flow_m3h=2.0))
    plant.by(1).hear(10, Values(flow_m3h=2.0))
    plant.set("offline", Machine(Condition.ACTIVE, feeder=1), 1)
    plant.by(1).renew(70)
    assert isinstance(plant.state.memory, PlantMemory)
    assert (plant.state.memory.first_ms, plant.state.memory.last_flow_ms) == (START_MS + HOUR, START_MS + 70 * MINUTE)


def test_our_own_deafness_excuses_each_device_by_what_fell_after_its_own_last_word() -> None:
    pool = Pair()
    pool.by(0).hear(10, LOW)
    pool.by(1).hear(30, LOW)
    excused = engine.excuse(pool.state, START_MS, START_MS + 40 * MINUTE)
    assert [each.shift_ms for each in excused.devices] == [30 * MINUTE, 10 * MINUTE]
    pool.state = excused
    pool.by(1).renew(50)
    assert [each.shift_ms for each in pool.state.devices] == [30 * MINUTE, 0]


def test_each_device_has_a_share_of_its_own_and_is_raised_under_its_own_name() -> None:
    pool = Pair()
    pool.by(0).hear(0, LOW)
    pool.by(1).hear(0, LOW)
    at_ms, state, findings = START_MS + MINUTE, pool.state, list[Finding]()
    lid = POOL.shares[1].messages
    assert lid < POOL.shares[0].messages
    for device, above in (("s-pool", False), ("lid", True)):
        for _ in range(lid + 1):
            step, is_above = engine.count(POOL, state, device, 10, at_ms, None)
            state = step.state
            findings += step.findings
        assert is_above is above
    raised = [(each.kind, each.rule, each.device, each.late) for each in findings]
    assert raised == [(Found.RAISED, "flooded_device", "lid", False)]
    assert findings[0].detail == {"messages": lid + 1, "bytes": 0, "share": lid}
    assert [each.traffic.messages for each in state.devices] == [lid + 1, lid + 1]
    assert [engine.hour_ms(POOL, state, device) for device in ("s-pool", "lid")] == [NEVER, at_ms + HOUR]
    flooding = state.machines[[slot.rule.kind for slot in POOL.slots].index("flooded_device") + 1]
    assert (flooding.condition, flooding.feeder, flooding.untold) == (Condition.ACTIVE, 1, False)
    both, _ = engine.count(POOL, state, "s-pool", 1_048_577, at_ms, None)
    for slot, machine, before in zip(POOL.slots, both.state.machines, pool.state.machines, strict=True):
        assert machine.condition is (Condition.ACTIVE if slot.rule.kind == "flooded_device" else before.condition)
    calm = engine.end_hour(POOL, state, "lid", at_ms + HOUR)
    assert (calm.findings, calm.state.devices[1].traffic) == ((), HourlyTraffic(at_ms + HOUR))
    assert calm.state.devices[0] == state.devices[0]


@pytest.mark.parametrize(("feeder", "missing"), [(0, 9), (1, 2)])
def test_what_a_start_reads_again_leaves_what_the_line_left(feeder: int, missing: int) -> None:
    pool = Pair()
    pool.by(0).hear(0, LOW)
    pool.by(1).hear(0, LOW)
    reading, before = pool.by(feeder).reading(200, LOW), pool.state
    counted, _ = engine.count(POOL, before, pool.device, 100, reading.received_ms, reading.observed_ms)
    after = engine.observe(POOL, counted.state, reading, Alone()).state
    assert engine.remember(POOL, before, reading) == after
    assert after.devices[feeder].traffic == HourlyTraffic(missing=missing)
    assert after.devices[1 - feeder] == before.devices[1 - feeder]


def test_a_new_parameter_judges_the_last_level_and_not_while_a_device_is_silent() -> None:
    at_ms = START_MS + 30 * MINUTE
    for fill_pct, condition in ((96.0, Condition.PENDING), (80.0, Condition.NORMAL)):
        pool = Pair()
        pool.by(1).hear(10, LOW)
        pool.state = replace(pool.state, memory=replace(pool.state.memory, fill_pct=fill_pct))
        step = engine.rejudge(POOL, pool.state, at_ms, Alone())
        pool.state = step.state
        waiting = Machine(condition, since_ms=START_MS + 10 * MINUTE, due_ms=START_MS + 10 * MINUTE, count=1)
        assert pool.of("overflow") == (waiting if condition is Condition.PENDING else IDLE)
        assert (step.findings, step.moved) == ((), True)
        assert engine.rejudge(POOL, pool.state, at_ms, Alone()) == EngineStep(pool.state, (), moved=False)
        for silent in (0, 1):
            pool.set("offline", IDLE, 1 - silent).set("offline", Machine(Condition.ACTIVE), silent)
            higher = replace(pool.state, memory=replace(pool.state.memory, fill_pct=10.0))
            assert engine.rejudge(POOL, higher, at_ms, Alone()) == EngineStep(higher, (), moved=False)


def test_an_empty_bin_is_judged_by_a_new_parameter_and_one_of_which_no_level_is_known_is_not() -> None:
    standing = Machine(Condition.ACTIVE, since_ms=START_MS, episode="overflow/pool/1", feeder=1)
    for fill_pct, moves in ((0.0, [Found.RECOVERING]), (-1.0, [])):
        pool = Pair().set("overflow", standing)
        memory = BinMemory(fill_pct=fill_pct, fill_ms=START_MS + MINUTE)
        step = engine.rejudge(POOL, replace(pool.state, memory=memory), START_MS + HOUR, Alone())
        assert [each.kind for each in step.findings] == moves
        assert [(each.at_ms, each.episode, each.late) for each in step.findings] == [
            (START_MS + HOUR, "overflow/pool/1", False) for _ in moves
        ]
        assert step.moved is bool(moves)


def test_a_bin_without_devices_is_judged_by_nothing() -> None:
    bare = Plan.of(POOL.asset, (), {slot.rule.kind: slot.rule for slot in POOL.slots}, POOL.calendar)
    state = replace(bare.born({}), memory=BinMemory(fill_pct=99.0, fill_ms=START_MS))
    assert engine.rejudge(bare, state, START_MS + HOUR, Alone()) == EngineStep(state, (), moved=False)
    assert engine.deadline_ms(bare, state) == NEVER
    waits = replace(IDLE, condition=Condition.RECOVERING, wake_ms=START_MS + HOUR)
    waiting = replace(state, machines=(waits, *state.machines[1:]))
    assert engine.deadline_ms(bare, waiting) == START_MS + HOUR


def test_the_first_of_several_windows_is_due_and_one_that_has_begun_is_enough() -> None:
    early, later = (
        Window(
            f"maintenance/plant/{number}", START_MS + number * HOUR, START_MS + (number + 2) * HOUR, "清洗", "office"
        )
        for number in (1, 2)
    )
    plant = Pair(PLANT)
    for feeder in (0, 1):
        plant.by(feeder).hear(0, Values(flow_m3h=2.0))
    plant.work(later)
    plant.work(early)
    for minute in range(0, 60, 10):
        for feeder in (0, 1):
            plant.by(feeder).hear(minute, Values(flow_m3h=2.0))
    assert plant.hear(55, Values(flow_m3h=2.0)).due_min() == 60
    plant.live(60)
    assert [(each.kind, each.reason) for each in plant.step.findings] == [
        (Found.WORK_BEGUN, early.id),
        (Found.RUN_STATE, ""),
    ]
    assert plant.state.run == RunState.MAINTENANCE
    gone = engine.withdraw_work(PLANT, plant.state, later.id, START_MS + 70 * MINUTE)
    assert (gone.findings, [each.id for each in gone.state.windows], gone.moved) == ((), [early.id], True)


def test_a_message_is_news_to_a_start_where_no_reading_tells_it() -> None:
    pool = Lived().hear(0, LOW)
    on_time, at_once = START_MS + 20 * MINUTE, START_MS
    for observed_ms, size, at_ms, moved in (
        (on_time, LARGE, on_time, True),
        (START_MS + 60 * MINUTE, 10, START_MS + 60 * MINUTE, False),
        (START_MS + 1, 10, at_once, True),
        (START_MS + 1, 10, START_MS + 1, False),
        (None, 10, on_time, True),
    ):
        step, above = engine.count(pool.plan, pool.state, "s-pool", size, at_ms, observed_ms)
        assert (step.moved, step.findings, above) == (moved, (), False)
        assert step.state != pool.state, "it is counted"


def test_a_machine_of_a_silent_device_wakes_by_no_time_but_one_that_counts_messages_does() -> None:
    wakes = Machine(Condition.RECOVERING, wake_ms=START_MS + 30 * MINUTE, episode="x/pool/1", feeder=1)
    for rule, device, silent, due_min in (
        ("overflow", -1, 0, 30),
        ("overflow", -1, 1, STALE / MINUTE),
        ("flooded_device", 1, 1, 30),
    ):
        pool = Pair().set(rule, wakes, device)
        pool.set("offline", Machine(Condition.ACTIVE), silent)
        other = {0: LID_STALE, 1: STALE}[silent] / MINUTE
        assert pool.due_min() == min(due_min, other)
        pool.live(30 - 0.001)
        assert pool.found() == []
        pool.live(30)
        assert pool.found() == ([("cleared", rule)] if due_min == 30 else [])


@pytest.mark.parametrize(
    ("rule", "device", "feeder", "named"),
    [
        ("over_two_thirds", -1, 0, "s-pool"),
        ("over_two_thirds", -1, 1, "lid"),
        ("flooded_device", 0, 1, "s-pool"),
        ("flooded_device", 1, 0, "lid"),
    ],
)
def test_a_finding_names_the_device_that_it_is_about_or_that_fed_it(
    rule: str, device: int, feeder: int, named: str
) -> None:
    waits = Machine(Condition.RECOVERING, wake_ms=START_MS + HOUR, episode="x/pool/1", feeder=feeder)
    pool = Pair().set(rule, waits, device)
    pool.live(60)
    assert pool.step.findings == (Finding(Found.CLEARED, START_MS + HOUR, "pool", rule, named, "x/pool/1"),)


def test_an_hour_runs_while_one_of_several_rules_about_it_stands() -> None:
    rules = {slot.rule.kind: slot.rule for slot in POOL.slots}
    plan = Plan.of(POOL.asset, POOL.devices, {**rules, "fewer": FloodedDevice(times=2)}, POOL.calendar)
    pool = Pair(plan)
    pool.by(1).hear(0, LOW)
    state, raised = pool.state, list[Finding]()
    for _ in range(3):
        step, _above = engine.count(plan, state, "lid", 10, START_MS + MINUTE, None)
        state, raised = step.state, [*raised, *step.findings]
    assert [(each.rule, (each.detail or {})["share"]) for each in raised] == [("flooded_device", 2)]
    assert engine.hour_ms(plan, state, "lid") == START_MS + MINUTE + HOUR
    assert engine.hour_ms(plan, state, "s-pool") == NEVER


def test_a_flood_that_has_to_last_waits_by_its_own_time_and_not_by_messages() -> None:
    rules = {slot.rule.kind: slot.rule for slot in POOL.slots}
    rules["flooded_device"] = FloodedDevice(on_delay_s=600)
    pool = Pair(Plan.of(POOL.asset, POOL.devices, rules, POOL.calendar))
    pool.by(1).hear(0, LOW)
    share, at_ms = pool.plan.shares[1].messages, START_MS + MINUTE
    for number in range(1, share + 3):
        pool.step, above = engine.count(pool.plan, pool.state, "lid", 10, at_ms + number, None)
        pool.state = pool.step.state
        assert (above, pool.step.findings) == (number > share, ())
    waits = Machine(
        Condition.PENDING,
        since_ms=at_ms + share + 1,
        due_ms=at_ms + share + 1 + 10 * MINUTE,
        wake_ms=at_ms + share + 1 + 10 * MINUTE,
        count=1,
        feeder=1,
    )
    assert pool.each_of("flooded_device") == [IDLE, waits]
    assert pool.live(12).found() == [("raised", "flooded_device")]
