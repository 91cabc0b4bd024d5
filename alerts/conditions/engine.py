"""Stage one: one asset, one input, the state after it and what was found. Keyed by asset, pure, and told the time.

It knows rules, their life cycle, declared work and what a plant is doing in one word; it knows no people, no texts and
no other asset but through ``Neighbours``.
"""

from typing import Final

from msgspec.structs import replace

from alerts.calendars import HOUR_MS, stamp
from alerts.conditions import bins, plants
from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.devices import DeviceMemory, hear
from alerts.conditions.filling import Filling, Forecast, follow, foretell
from alerts.conditions.finding import EngineStep, Finding, Found
from alerts.conditions.machine import Call, Instant, Machine, Move, advance, agrees, postpone, relapse
from alerts.conditions.machine import expire as expire_machine
from alerts.conditions.machine import reset as reset_machine
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import BinRule, DeviceRule, Neighbours, PlantRule, Scene, SilenceRule, TrafficRule
from alerts.conditions.state import AssetState, Plan, Slot
from alerts.conditions.traffic import LARGE, HourlyTraffic, add, deliver
from alerts.model import Condition, Detail, RunState
from alerts.timers import NEVER
from alerts.windows import Window, turned
from telemetry.inventory import Asset
from telemetry.reading import Millis, Reading, Values

_TROUBLES: Final = (
    ("no_power", RunState.NO_POWER),
    ("stopped", RunState.STOPPED),
    ("meter_fault", RunState.METER_FAULT),
)
"""Alerts that say what a plant is doing, the first that stands before the others."""


def run_state(plan: Plan, state: AssetState) -> RunState:
    """What the plant is doing, as far as its fresh signals tell; a silent plant is offline, never stopped."""
    memory = state.memory
    if any(window.begun for window in state.windows):
        return RunState.MAINTENANCE
    if not isinstance(memory, PlantMemory) or plan.asset.plant is None or not memory.first_ms:
        return RunState.UNKNOWN
    if all(state.machines[place].condition is Condition.ACTIVE for place in plan.silence):
        return RunState.OFFLINE
    for kind, name in _TROUBLES:
        place = plan.place.get(kind)
        if place is not None and state.machines[place].condition >= Condition.ACTIVE:
            return name
    return RunState.RUNNING if plants.runs(plan.asset.plant, memory) else RunState.IDLE


def followed(plan: Plan, state: AssetState, findings: list[Finding], at_ms: Millis, *, moved: bool) -> EngineStep:
    """The step to a state, with the plant's run state after it, and a finding where that is another."""
    if plan.asset.plant is None or not isinstance(state.memory, PlantMemory):
        return EngineStep(state, tuple(findings), moved)
    run = run_state(plan, state)
    if run == state.run:
        return EngineStep(state, tuple(findings), moved)
    findings.append(Finding(Found.RUN_STATE, at_ms, plan.asset.id, detail={"from": state.run, "to": run}))
    return EngineStep(replace(state, run=run), tuple(findings), moved=True)


SILENT: Final = Condition.ACTIVE
"""The condition of an offline machine while its device is stale."""

# Python 3.11 looks a member up in its enum in 65 ns, a global in 5; every sample asks twenty times.
_NORMAL: Final = Condition.NORMAL
_RAISE: Final = Call.RAISE
_NOTHING: Final = Call.NONE


def observe(plan: Plan, state: AssetState, reading: Reading, neighbours: Neighbours) -> EngineStep:
    """T1–T8 for one reading: what it says about its asset, and that its device lives."""
    feeder, layout = plan.index[reading.device], plan.layout
    reading, silence = state.devices[feeder].in_order(reading), layout.silence[feeder]
    at = Instant(reading.observed_ms, reading.received_ms, reading.late, feeder)
    was_silent = state.machines[silence].condition is SILENT
    if was_silent:
        state = _bridge(plan, state, at)
    before = state
    sight, state = _absorb(plan, state, reading, feeder)
    findings = [Finding(Found.FRESH, at.received_ms, plan.asset.id, device=reading.device)] if was_silent else []
    if isinstance(sight, BinSight) and sight.emptying is not None:
        findings.append(_emptied(plan.asset, sight.emptying, at.received_ms))
    machines = standing = before.machines
    scene = Scene(plan.asset, plan.calendar, standing, layout.place, neighbours)
    moved = was_silent
    for place, slot, judge, is_own in layout.sign_of_life[feeder] if sight is None else layout.heard[feeder]:
        verdict = judge(sight if is_own else reading.values, scene)
        call = verdict.call
        if call is _NOTHING or (call is not _RAISE and standing[place].condition is _NORMAL):
            continue
        machine = standing[place]
        if place == silence and at.received_ms == before.devices[feeder].seen_ms:
            continue  # one message is one sign of life, however many samples it carries
        # Silence is counted by when things come.
        when = at if place != silence else Instant(at.received_ms, at.received_ms, at.late, feeder)
        after, move = advance(machine, verdict, slot.timing, when, _mint(plan, slot, at.received_ms))
        if after is machine:
            continue
        machines = (*machines[:place], after, *machines[place + 1 :])
        moved = True
        if move is not Move.NONE:
            findings.append(_finding(plan, state, slot, after, move, at, verdict.reason))
    if moved:
        state = replace(state, machines=machines)
    if plan.asset.bin is not None:
        # One older than the last processed is taken at its own word.
        judged = sight.fill_pct if isinstance(sight, BinSight) else bins.stated_pct(plan.asset.bin, reading.values)
        return EngineStep(state, tuple(findings), moved, judged)
    return followed(plan, state, findings, at.received_ms, moved=moved)


def renew(plan: Plan, state: AssetState, device: str, at_ms: Millis, neighbours: Neighbours) -> EngineStep:
    """A sign of life without a sample: it renews when its device was seen and feeds what watches its silence.

    After a silence the gap counts toward no delay (T8), just as before a sample.
    """
    feeder, layout = plan.index[device], plan.layout
    at = Instant(at_ms, at_ms, late=False, feeder=feeder)
    findings: list[Finding] = []
    before = state.devices[feeder]
    bridged_ms = before.bridged_ms
    if state.machines[layout.silence[feeder]].condition is SILENT:
        state, bridged_ms = _bridge(plan, state, at), at_ms
        findings.append(Finding(Found.FRESH, at_ms, plan.asset.id, device=device))
    seen = replace(before, seen_ms=at_ms, shift_ms=0, bridged_ms=bridged_ms)
    devices = (*state.devices[:feeder], seen, *state.devices[feeder + 1 :])
    state = AssetState(state.memory, devices, state.machines, state.run, state.windows, state.filling)
    ((place, slot, judge, _),) = layout.sign_of_life[feeder]
    machine, scene = state.machines[place], Scene(plan.asset, plan.calendar, state.machines, layout.place, neighbours)
    if machine.condition is not _NORMAL and at_ms != before.seen_ms:
        verdict = judge(Values(), scene)
        after, move = advance(machine, verdict, slot.timing, at, _mint(plan, slot, at_ms))
        state = replace(state, machines=(*state.machines[:place], after, *state.machines[place + 1 :]))
        if move is not Move.NONE:
            findings.append(_finding(plan, state, slot, after, move, at, verdict.reason))
    return followed(plan, state, findings, at_ms, moved=True)


def count(
    plan: Plan, state: AssetState, device: str, size: int, at_ms: Millis, observed_ms: Millis | None
) -> tuple[EngineStep, bool]:
    """One message of so many bytes, before what it says is heard; ``observed_ms`` if it brings something new.

    Answers as well whether it is above its device's share of the hour. ``moved`` is what a start could not tell from
    the readings: junk, large messages, and what came together with the one before.
    """
    feeder = plan.index[device]
    memory, share = state.devices[feeder], plan.shares[feeder]
    if observed_ms is None:
        traffic = add(memory.traffic, at_ms, size)
    else:
        traffic = _delivered(plan, memory, feeder, at_ms, observed_ms, size)
    above = traffic.exceeds(share, at_ms)
    if traffic is memory.traffic:
        return EngineStep(state, (), moved=False), above
    state = _with_traffic(state, feeder, traffic)
    findings: list[Finding] = []
    if above:
        state, findings = _weighed(plan, state, feeder, at_ms, at_ms)
    untold = observed_ms is None or size >= LARGE or at_ms == memory.seen_ms
    return EngineStep(state, tuple(findings), moved=untold or bool(findings)), above


def end_hour(plan: Plan, state: AssetState, device: str, at_ms: Millis) -> EngineStep:
    """The hour of a device that floods is over, which may have been a whole one below its share."""
    feeder = plan.index[device]
    state, findings = _weighed(plan, state, feeder, at_ms, at_ms - 1)
    missing = state.devices[feeder].traffic.missing
    return EngineStep(_with_traffic(state, feeder, HourlyTraffic(at_ms, missing=missing)), tuple(findings), moved=True)


def hour_ms(plan: Plan, state: AssetState, device: str) -> Millis:
    """When the hour of a device that floods is over, or ``NEVER``."""
    feeder = plan.index[device]
    if all(state.machines[place].condition is not SILENT for place, _ in plan.layout.traffic[feeder]):
        return NEVER
    return state.devices[feeder].traffic.since_ms + HOUR_MS


def rejudge(plan: Plan, state: AssetState, at_ms: Millis, neighbours: Neighbours) -> EngineStep:
    """A parameter was changed: the last level is judged by the new one, and never counted twice for the same."""
    memory = state.memory
    silent = not plan.devices or any(state.machines[place].condition is SILENT for place in plan.silence)
    if not isinstance(memory, BinMemory) or memory.fill_pct < 0 or silent:
        return EngineStep(state, (), moved=False)
    sight, at = bins.recall(memory), Instant(memory.fill_ms, at_ms, late=False, feeder=0)
    scene = Scene(plan.asset, plan.calendar, state.machines, plan.place, neighbours)
    machines, findings = list(state.machines), []
    for place, slot in enumerate(plan.slots):
        if not isinstance(slot.rule, BinRule):
            continue
        verdict = slot.rule.judge(sight, scene)
        if verdict.call is Call.NONE or agrees(machines[place], verdict):
            continue
        machines[place], move = advance(machines[place], verdict, slot.timing, at, _mint(plan, slot, at_ms))
        if move is not Move.NONE:
            findings.append(_finding(plan, state, slot, machines[place], move, at, "figures_changed"))
    moved = tuple(machines) != state.machines
    return EngineStep(replace(state, machines=tuple(machines)), tuple(findings), moved)


def remember(plan: Plan, state: AssetState, reading: Reading) -> AssetState:
    """What a reading that moved no machine leaves behind; rebuilds memory after a restart."""
    feeder = plan.index[reading.device]
    memory = state.devices[feeder]
    if reading.received_ms != memory.seen_ms:  # what came together has left a state of its own
        traffic = _delivered(plan, memory, feeder, reading.received_ms, reading.observed_ms, 0)
        state = _with_traffic(state, feeder, traffic)
    return _absorb(plan, state, state.devices[feeder].in_order(reading), feeder)[1]


def deadline_ms(plan: Plan, state: AssetState) -> Millis:
    """When time alone may next move this asset (receive time), or ``NEVER``."""
    due = min((window.due_ms for window in state.windows), default=NEVER)
    for index, place in enumerate(plan.silence):
        if state.machines[place].condition is not Condition.ACTIVE:
            due = min(due, offline_ms(plan, state, index))
    for slot, machine in zip(plan.slots, state.machines, strict=True):
        if machine.wake_ms and machine.wake_ms < due and not _is_stale(plan, state, slot, machine):
            due = machine.wake_ms
    return due


def offline_ms(plan: Plan, state: AssetState, index: int) -> Millis:
    """When a device of the asset is called silent."""
    device = state.devices[index]
    return (device.seen_ms or device.known_ms) + plan.stale_after_ms[index] + device.shift_ms


def expire(plan: Plan, state: AssetState, at_ms: Millis) -> EngineStep:
    """T3, T5, T6 and T7 by time alone, and windows of work: whatever of this asset is due at ``at_ms``."""
    state, findings = _turn_windows(plan, state, at_ms)
    machines = list(state.machines)
    at = Instant(at_ms, at_ms, late=False, feeder=0)
    for place, slot in enumerate(plan.slots):
        machine = machines[place]
        silent = isinstance(slot.rule, SilenceRule) and machine.condition is not SILENT
        if silent and offline_ms(plan, state, slot.device) <= at_ms:
            after, move = _silenced(machine, slot, _mint(plan, slot, at_ms), at_ms)
            findings.append(Finding(Found.STALE, at_ms, plan.asset.id, device=plan.devices[slot.device].id))
        elif 0 < machine.wake_ms <= at_ms and not _is_stale(plan, state, slot, machine):
            after, move = expire_machine(machine, slot.timing, _mint(plan, slot, at_ms))
        else:
            continue
        machines[place] = after
        findings.append(_finding(plan, state, slot, after, move, at, ""))
    moved = bool(findings)
    if moved:
        state = replace(state, machines=tuple(machines))
    return followed(plan, state, findings, at_ms, moved=moved)


def declare_work(state: AssetState, window: Window) -> EngineStep:
    """The asset has one more window of declared work, which begins by its own time."""
    return EngineStep(replace(state, windows=(*state.windows, window)), (), moved=True)


def _turn_windows(plan: Plan, state: AssetState, at_ms: Millis) -> tuple[AssetState, list[Finding]]:
    """What work begins or is over by ``at_ms``."""
    if not state.windows:
        return state, []
    windows, changed = turned(state.windows, at_ms)
    findings = [
        _work_finding(plan, window, Found.WORK_OVER if window.begun else Found.WORK_BEGUN, at_ms) for window in changed
    ]
    return replace(state, windows=windows), findings


def withdraw_work(plan: Plan, state: AssetState, name: str, at_ms: Millis) -> EngineStep:
    """The asset without a window, as if the work had ended by itself."""
    gone = [window for window in state.windows if window.id == name]
    left = replace(state, windows=tuple(window for window in state.windows if window.id != name))
    findings = [_work_finding(plan, window, Found.WORK_OVER, at_ms) for window in gone if window.begun]
    return followed(plan, left, findings, at_ms, moved=bool(gone))


def _work_finding(plan: Plan, window: Window, kind: Found, at_ms: Millis) -> Finding:
    detail = {"reason": window.reason, "work": window.work.value, "window": window.id}
    until = {"until_ms": window.until_ms} if kind is Found.WORK_BEGUN else {}
    return Finding(kind, at_ms, plan.asset.id, reason=window.id, detail={**detail, **until})


def reset(plan: Plan, state: AssetState, kind: str) -> AssetState:
    """T12: the latched machine of a rule is released by a person."""
    place = plan.place[kind]
    machines = list(state.machines)
    machines[place] = reset_machine(machines[place])
    return replace(state, machines=tuple(machines))


def excuse(state: AssetState, from_ms: Millis, to_ms: Millis) -> AssetState:
    """Our own deafness from … to … moves every device's offline deadline by as much of it as fell after it was seen."""
    devices = tuple(
        replace(device, shift_ms=device.shift_ms + max(0, to_ms - max(from_ms, device.seen_ms or device.known_ms)))
        for device in state.devices
    )
    return replace(state, devices=devices)


def _delivered(
    plan: Plan, memory: DeviceMemory, feeder: int, at_ms: Millis, observed_ms: Millis, size: int
) -> HourlyTraffic:
    spread_ms, interval_ms = observed_ms - memory.observed_ms, plan.devices[feeder].interval_s * 1000
    return deliver(memory.traffic, at_ms, size, memory.seen_ms, spread_ms, interval_ms)


def _with_traffic(state: AssetState, feeder: int, traffic: HourlyTraffic) -> AssetState:
    if traffic is state.devices[feeder].traffic:
        return state
    said = replace(state.devices[feeder], traffic=traffic)
    devices = (*state.devices[:feeder], said, *state.devices[feeder + 1 :])
    return AssetState(state.memory, devices, state.machines, state.run, state.windows, state.filling)


def _weighed(
    plan: Plan, state: AssetState, feeder: int, at_ms: Millis, hour_of_ms: Millis
) -> tuple[AssetState, list[Finding]]:
    """What a device has said in its hour, held against what it may."""
    device, traffic = plan.devices[feeder], state.devices[feeder].traffic
    at, findings = Instant(at_ms, at_ms, late=False, feeder=feeder), list[Finding]()
    for place, slot in plan.layout.traffic[feeder]:
        machine, rule = state.machines[place], slot.rule
        assert isinstance(rule, TrafficRule)  # noqa: S101 - the layout has no others there
        verdict = rule.weigh(traffic, device.interval_s, hour_of_ms)
        if agrees(machine, verdict):
            continue
        after, move = advance(machine, verdict, slot.timing, at, _mint(plan, slot, at_ms))
        state = replace(state, machines=(*state.machines[:place], after, *state.machines[place + 1 :]))
        if move is not Move.NONE:
            findings.append(_finding(plan, state, slot, after, move, at, verdict.reason))
    return state, findings


def _absorb(
    plan: Plan, state: AssetState, reading: Reading, feeder: int
) -> tuple[BinSight | plants.PlantSight | None, AssetState]:
    """Memory and signs of life after a reading; one older than the last processed is only a sign of life."""
    device = state.devices[feeder]
    older = reading.observed_ms < device.observed_ms
    seen = hear(device, reading, older=older)
    devices = (seen,) if len(state.devices) == 1 else (*state.devices[:feeder], seen, *state.devices[feeder + 1 :])
    if older:
        return None, AssetState(state.memory, devices, state.machines, state.run, state.windows, state.filling)
    if isinstance(state.memory, BinMemory):
        assert plan.asset.bin is not None  # noqa: S101 - a bin has a geometry: the inventory was checked
        level, after = bins.look(plan.asset.bin, state.memory, reading)
        filling = _learn(plan, state, level, after)
        return level, AssetState(after, devices, state.machines, state.run, state.windows, filling)
    assert plan.asset.plant is not None  # noqa: S101 - a plant has a design: the inventory was checked
    sight, memory = plants.look(plan.asset.plant, plan.calendar, plan.fresh_ms, state.memory, reading)
    return sight, AssetState(memory, devices, state.machines, state.run, state.windows)


def _learn(plan: Plan, state: AssetState, sight: BinSight, memory: BinMemory) -> Filling:
    """What the bin's hours teach, once one is over; while a fall is awaited it is not known yet what it was.

    The level is that of some readings, so it is the one at the reading in their middle.
    """
    before, emptied = state.memory, sight.emptying is not None
    assert isinstance(before, BinMemory)  # noqa: S101 - its memory is a bin's
    at_ms = before.fill_ms or memory.fill_ms
    if sight.fill_pct is None or (not emptied and (at_ms < state.filling.ends_ms or memory.fallen_pct >= 0.0)):
        return state.filling
    return follow(state.filling, plan.calendar, at_ms, bins.steady_pct(memory), memory.noise_pct, emptied=emptied)


def forecast(plan: Plan, state: AssetState, target_pct: float) -> Forecast | None:
    """When a bin will reach a level if nobody comes; ``None`` where that cannot be said, as of one that is silent."""
    memory = state.memory
    if not isinstance(memory, BinMemory) or memory.fill_pct < 0.0 or not plan.devices:
        return None
    if all(state.machines[place].condition is SILENT for place in plan.silence):
        return None
    middle_ms = memory.fill_ms - plan.devices[0].interval_s * 1_000
    return foretell(state.filling, plan.calendar, middle_ms, bins.steady_pct(memory), target_pct)


def _bridge(plan: Plan, state: AssetState, at: Instant) -> AssetState:
    """T8: the first word after a silence; what the silent device fed does not count the gap."""
    device = state.devices[at.feeder]
    gap = max(0, at.observed_ms - max(device.observed_ms, device.bridged_ms))
    if not device.observed_ms:
        return state
    machines = tuple(
        postpone(machine, gap) if machine.feeder == at.feeder and slot.device < 0 else machine
        for slot, machine in zip(plan.slots, state.machines, strict=True)
    )
    memory = plants.postpone(state.memory, gap) if isinstance(state.memory, PlantMemory) else state.memory
    return AssetState(memory, state.devices, machines, state.run, state.windows, state.filling)


def _silenced(machine: Machine, slot: Slot, mint: str, at_ms: Millis) -> tuple[Machine, Move]:
    if machine.condition is Condition.RECOVERING:
        return relapse(machine, slot.timing, at_ms), Move.RELAPSED
    silent = replace(machine, condition=Condition.PENDING, since_ms=at_ms, feeder=slot.device)
    return expire_machine(silent, slot.timing, mint)


def _is_stale(plan: Plan, state: AssetState, slot: Slot, machine: Machine) -> bool:
    if not plan.devices or isinstance(slot.rule, TrafficRule):
        return False
    return state.machines[plan.silence[machine.feeder]].condition is Condition.ACTIVE


def _mint(plan: Plan, slot: Slot, at_ms: Millis) -> str:
    return f"{slot.rule.kind}/{plan.subject(slot)}/{stamp(at_ms)}"


def _finding(
    plan: Plan, state: AssetState, slot: Slot, machine: Machine, move: Move, at: Instant, reason: str
) -> Finding:
    device = plan.devices[slot.device] if slot.device >= 0 else None
    told_late = at.late if move in (Move.CLEARED, Move.LATCHED, Move.RELAPSED) else machine.untold
    raises = move in (Move.RAISED, Move.CONFIRMED, Move.REIGNITED)
    detail = _evidence(plan, state, slot, machine) if raises else None
    return Finding(
        Found[move.name],
        at.received_ms,
        plan.asset.id,
        slot.rule.kind,
        device.id if device is not None else plan.devices[machine.feeder].id,
        machine.episode,
        slot.rule.severity_of(plan.asset, detail) if detail is not None else "",
        machine.since_ms,
        told_late,
        reason,
        detail,
        machine.begins_flapping and (raises or move is Move.RELAPSED),
    )


def _evidence(plan: Plan, state: AssetState, slot: Slot, machine: Machine) -> Detail:
    rule = slot.rule
    if isinstance(rule, TrafficRule):
        return rule.evidence(state.devices[slot.device].traffic, plan.devices[slot.device].interval_s)
    if isinstance(rule, DeviceRule):
        return rule.evidence(state.devices[slot.device])
    if isinstance(rule, BinRule) and isinstance(state.memory, BinMemory):
        return rule.evidence(state.memory, machine)
    if isinstance(rule, PlantRule) and isinstance(state.memory, PlantMemory):
        return rule.evidence(state.memory, machine)
    raise TypeError(f"{rule.kind} cannot watch {plan.asset.id}")


def _emptied(asset: Asset, emptying: bins.Emptying, at_ms: Millis) -> Finding:
    kind = Found.EMPTIED if emptying.wholly else Found.PARTLY_EMPTIED
    return Finding(kind, at_ms, asset.id, detail={"from_pct": emptying.from_pct, "to_pct": emptying.to_pct})
