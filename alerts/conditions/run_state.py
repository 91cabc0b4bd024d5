"""What a plant is doing, in one word for people: derived from its machines and memory, which alone are the truth."""

from msgspec.structs import replace

from alerts.conditions import plants
from alerts.conditions.finding import Finding, Found, Step
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import AssetState, Plan
from alerts.model import Condition, RunState
from telemetry.reading import Millis


def run_state(plan: Plan, state: AssetState) -> RunState:
    """What the plant is doing, as far as its fresh signals tell; a silent plant is offline, never stopped."""
    memory = state.memory
    if any(window.begun for window in state.windows):
        return RunState.MAINTENANCE
    if not isinstance(memory, PlantMemory) or plan.asset.plant is None or not memory.first_ms:
        return RunState.UNKNOWN
    if all(state.machines[place].condition is Condition.ACTIVE for place in plan.silence):
        return RunState.OFFLINE
    for kind, name in (("no_power", RunState.NO_POWER), ("stopped", RunState.STOPPED)):
        place = plan.place.get(kind)
        if place is not None and state.machines[place].condition >= Condition.ACTIVE:
            return name
    return RunState.RUNNING if plants.runs(plan.asset.plant, memory) else RunState.IDLE


def followed(plan: Plan, state: AssetState, findings: list[Finding], at_ms: Millis, *, moved: bool) -> Step:
    """The step to a state, with the plant's run state after it, and a finding where that is another."""
    if plan.asset.plant is None or not isinstance(state.memory, PlantMemory):
        return Step(state, tuple(findings), moved)
    run = run_state(plan, state)
    if run == state.run:
        return Step(state, tuple(findings), moved)
    findings.append(Finding(Found.RUN_STATE, at_ms, plan.asset.id, detail={"from": state.run, "to": run}))
    return Step(replace(state, run=run), tuple(findings), moved=True)
