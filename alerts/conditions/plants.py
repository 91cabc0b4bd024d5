"""What a plant's sample means: does water flow, is there a reason why it should, does the pump draw current.

Signals and memory only (alerting.md §3, domain.md §3); which silence is a stop is the rule's to say.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import Calendar
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis, Reading, Values
from telemetry.terms import DutyCycle

NO_LOAD_SHARE: Final = 0.05
"""Of the rated current: below it the motor draws nothing."""
RUNNING_SHARE: Final = 0.30
"""Of the rated current: above it the motor runs."""
CUTOFF_SHARE: Final = 0.05
"""Of the design's mean flow: the cut-off of a meter whose own is not known."""


class PlantMemory(Struct, frozen=True, gc=False, array_like=True):
    """What a plant's stream of samples has left behind; ``None`` and 0 mean not yet. Times are event time."""

    first_ms: Millis = 0
    volume_m3: float | None = None
    metered: bool = False
    """Whether a flow meter has ever spoken."""
    sensed: bool = False
    """Whether anything but the flow meter has ever spoken of demand or of the pump."""
    flowing: bool = False
    last_flow_ms: Millis = 0
    starts_ms: tuple[Millis, Millis] = (0, 0)
    """When flow began, the last two times."""
    stalled_ms: Millis = 0
    """Since when the well is at start level while the pump does nothing; 0 when it is not so."""
    level_mm: float | None = None
    float_high: bool = False
    level_ms: Millis = 0
    """When level or float last spoke."""
    drive_ms: Millis = 0
    """When current or run bit last spoke."""
    mains_on: bool | None = None
    pump_on: bool | None = None
    pump_current_a: float | None = None


class PlantSight(Struct, frozen=True, gc=False):
    """What one sample says about a plant, seen together with what is still fresh from before."""

    values: Values
    observed_ms: Millis
    flowing: bool | None
    """``None`` when this sample does not speak of flow."""
    demand: bool
    memory: PlantMemory


def look(
    design: PlantDesign, calendar: Calendar, fresh_ms: Millis, memory: PlantMemory, reading: Reading
) -> tuple[PlantSight, PlantMemory]:
    """One sample, with what earlier ones said less than ``fresh_ms`` ago; gives also the memory that it leaves."""
    values = reading.values
    at = reading.observed_ms
    memory = _forget(memory, at - fresh_ms)
    levelled = values.level_mm is not None or values.float_high is not None
    driven = values.pump_current_a is not None or values.pump_on is not None
    flowing = _flowing(design, memory, values)
    level = values.level_mm if values.level_mm is not None else memory.level_mm
    float_high = values.float_high == 1.0 if values.float_high is not None else memory.float_high
    current = values.pump_current_a if values.pump_current_a is not None else memory.pump_current_a
    pump_on = values.pump_on == 1.0 if values.pump_on is not None else memory.pump_on
    demand = _demand(design, calendar, level, at, float_high=float_high)
    stalled = is_high(design, level) and _pump_rests(design, current, pump_on=pump_on)
    began = flowing is True and not memory.flowing
    after = PlantMemory(
        memory.first_ms or at,
        values.volume_m3 if values.volume_m3 is not None else memory.volume_m3,
        memory.metered or flowing is not None,
        memory.sensed or _senses(values),
        memory.flowing if flowing is None else flowing,
        at if flowing else memory.last_flow_ms,
        (memory.starts_ms[1], at) if began else memory.starts_ms,
        (memory.stalled_ms or at) if stalled else 0,
        level,
        float_high,
        at if levelled else memory.level_ms,
        at if driven else memory.drive_ms,
        values.mains_on == 1.0 if values.mains_on is not None else memory.mains_on,
        pump_on,
        current,
    )
    return PlantSight(values, at, flowing, demand, after), after


def postpone(memory: PlantMemory, gap_ms: Millis) -> PlantMemory:
    """T8: a gap in the data counts toward no delay."""
    return replace(
        memory,
        first_ms=memory.first_ms + gap_ms if memory.first_ms else 0,
        last_flow_ms=memory.last_flow_ms + gap_ms if memory.last_flow_ms else 0,
        stalled_ms=memory.stalled_ms + gap_ms if memory.stalled_ms else 0,
    )


def runs(design: PlantDesign, memory: PlantMemory) -> bool:
    """Whether the plant is running by flow, current or run bit."""
    if memory.flowing or memory.pump_on:
        return True
    rated = design.rated_current_a
    return rated is not None and (memory.pump_current_a or 0.0) > RUNNING_SHARE * rated


def cutoff_m3h(design: PlantDesign) -> float:
    """Below this a meter's rate is noise."""
    if design.low_cutoff_m3h is not None:
        return design.low_cutoff_m3h
    return CUTOFF_SHARE * design.design_m3d / 24.0


def _forget(memory: PlantMemory, oldest_ms: Millis) -> PlantMemory:
    """The memory without the demand and drive signals of a sensor that has fallen silent while another speaks."""
    if memory.level_ms < oldest_ms:
        memory = replace(memory, level_mm=None, float_high=False)
    if memory.drive_ms < oldest_ms:
        memory = replace(memory, pump_on=None, pump_current_a=None)
    return memory


def _flowing(design: PlantDesign, memory: PlantMemory, values: Values) -> bool | None:
    """The totaliser decides where two of its values are known, else the rate; a fall is a reset, not a flow."""
    if values.volume_m3 is not None and memory.volume_m3 is not None and values.volume_m3 >= memory.volume_m3:
        return values.volume_m3 > memory.volume_m3
    if values.flow_m3h is not None:
        return values.flow_m3h >= cutoff_m3h(design)
    return None


def _demand(
    design: PlantDesign, calendar: Calendar, level_mm: float | None, at_ms: Millis, *, float_high: bool
) -> bool:
    if design.rest_days and calendar.local(at_ms).weekday() in design.rest_days:
        return False
    if float_high or is_high(design, level_mm):
        return True
    if design.duty_windows:
        return any(calendar.is_within(at_ms, window) for window in design.duty_windows)
    return design.duty is DutyCycle.CONTINUOUS


def is_high(design: PlantDesign, level_mm: float | None) -> bool:
    """Whether the well stands at the level at which the pump should start."""
    return level_mm is not None and design.start_level_mm is not None and level_mm >= design.start_level_mm


def _pump_rests(design: PlantDesign, current_a: float | None, *, pump_on: bool | None) -> bool:
    if current_a is not None and design.rated_current_a is not None:
        return current_a < NO_LOAD_SHARE * design.rated_current_a
    return pump_on is False


def _senses(values: Values) -> bool:
    return not (
        values.level_mm is None
        and values.float_high is None
        and values.pump_current_a is None
        and values.blower_current_a is None
        and values.pump_on is None
    )
