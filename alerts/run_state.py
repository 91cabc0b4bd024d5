"""What a plant is doing, in one word for people: derived from its machines and memory, which alone are the truth."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alerts import plants
from alerts.model import Condition, RunState
from alerts.plan import AssetState, Plan
from alerts.plants import PlantMemory

CODES: Final[Mapping[RunState, int]] = MappingProxyType(
    {
        RunState.UNKNOWN: 0,
        RunState.RUNNING: 1,
        RunState.IDLE: 2,
        RunState.STOPPED: 3,
        RunState.NO_POWER: 4,
        RunState.METER_FAULT: 5,
        RunState.OFFLINE: 6,
        RunState.MAINTENANCE: 7,
    }
)
"""How a time series writes it (docs/series.md); a number is never given to another state."""


def run_state(plan: Plan, state: AssetState) -> RunState:
    """What the plant is doing, as far as its fresh signals tell; a silent plant is offline, never stopped."""
    memory = state.memory
    if not isinstance(memory, PlantMemory) or plan.asset.plant is None or not memory.first_ms:
        return RunState.UNKNOWN
    if all(state.machines[place].condition is Condition.ACTIVE for place in plan.silence):
        return RunState.OFFLINE
    for kind, name in (("no_power", RunState.NO_POWER), ("stopped", RunState.STOPPED)):
        place = plan.place.get(kind)
        if place is not None and state.machines[place].condition >= Condition.ACTIVE:
            return name
    return RunState.RUNNING if plants.runs(plan.asset.plant, memory) else RunState.IDLE
