"""What a plant's sample means: does water flow, is there a reason why it should, does the pump draw current.

Signals and memory only (alerting.md §3, domain.md §3); which silence is a stop is the rule's to say.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from alerts.conditions.habits import (
    NO_DAYS,
    NO_GAPS,
    NO_SUMS,
    DayEnd,
    FlowDays,
    Gaps,
    MeterDay,
    MeterSums,
    add_water,
    compare,
    learn_pause,
    quarter,
)
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis, Reading, Values
from telemetry.terms import DutyCycle

NO_LOAD_SHARE: Final = 0.05
"""Of the rated current: below it the motor draws nothing."""
RUNNING_SHARE: Final = 0.30
"""Of the rated current: above it the motor runs."""
IDLING_SHARE: Final = 0.40
"""Of the rated current: below it a motor that is on moves no water."""
JAMMED_SHARE: Final = 1.20
"""Of the rated current: above it the pump is held fast."""
USUAL_LEAST: Final = 0.75
USUAL_MOST: Final = 1.10
"""Of what it draws when water flows; in between it is as ever, whatever its plate is said to say."""
_ON_SHARE: Final = 0.15
_USUAL_WEIGHT: Final = 0.2
BARREN_MOST_MS: Final = 15 * MINUTE_MS
"""So much at most one sample adds to how long a pump has run, so that no deadline hangs on one frame."""
SEEN_STILL_MS: Final = 30 * MINUTE_MS
"""A level that stands still through so long a flow is frozen."""
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
    meter_ms: Millis = 0
    """When the flow meter last spoke."""
    rate_m3h: float | None = None
    """What it last gave as its rate."""
    frozen_ms: Millis = 0
    """Since when its rate is one and the same above the cut-off while its totaliser is flat; 0 when it is not so."""
    barren_ms: Millis = 0
    """How long the pump has run under load, start by start, since the meter last saw water."""
    last_run_ms: Millis = 0
    """When current or run bit last said that the pump runs."""
    runs_ms: tuple[Millis, Millis] = (0, 0)
    """When the pump began to run, the last two times."""
    float_ms: Millis = 0
    """When the float last spoke."""
    level_moved_ms: Millis = 0
    """When the level was last another than before."""
    rest_ms: Millis = 0
    """When a sign that can tell rest from stop last said that there is no work."""
    back_ms: Millis = 0
    """When mains came back, as long as nothing has run since."""
    gaps: Gaps = NO_GAPS
    """How long it is used to rest."""
    is_gap_broken: bool = False
    """Whether something that is no habit fell into the pause that runs: no power, no data, a day of rest."""
    days: FlowDays = NO_DAYS
    """How much water its days came to."""
    uncounted_m3: float = 0.0
    """How much water the rate has given since the totaliser last rose."""
    usual_a: float | None = None
    """What the pump draws when the meter sees water: the office may be wrong about its rated current."""
    sums: MeterSums = NO_SUMS
    """What its totaliser and its rate come to."""


class PlantSight(Struct, frozen=True, gc=False):
    """What one sample says about a plant, seen together with what is still fresh from before."""

    values: Values
    observed_ms: Millis
    flowing: bool | None
    """``None`` when this sample does not speak of flow."""
    demand: bool
    memory: PlantMemory
    flow: bool | None
    """By a meter that is still fresh, in this sample or before it."""
    drive: bool | None
    """Whether the pump runs, by a current or run bit that is still fresh."""
    speaks_of_drive: bool
    speaks: bool
    """Whether this sample speaks of flow, of demand or of the pump at all."""
    by_duty: bool
    """Whether it ought to run now by its duty windows or because it runs all day."""
    quiet_ms: Millis
    """Since when no water flows, by the meter and what the pump said at the same time; from where there is no work
    on a day of rest, since its end."""
    metered_quiet_ms: Millis
    """The same by the meter alone."""
    undriven_ms: Millis
    """Since when the pump does not run, in the same way."""
    is_rest_told: bool
    """Whether a sign that can tell rest from stop says now that there is no work, or the day is one of rest."""
    ended: DayEnd | None = None
    """The day that this sample has ended, where all of it is known."""
    compared: MeterDay | None = None
    """What totaliser and rate came to in a day's length, where this sample has ended a quarter of one."""


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
    flow = flowing if flowing is not None or memory.meter_ms < at - fresh_ms else memory.flowing
    level = values.level_mm if values.level_mm is not None else memory.level_mm
    float_high = values.float_high == 1.0 if values.float_high is not None else memory.float_high
    current = values.pump_current_a if values.pump_current_a is not None else memory.pump_current_a
    pump_on = values.pump_on == 1.0 if values.pump_on is not None else memory.pump_on
    is_off = _rests(design, calendar, at)
    by_duty = not is_off and _is_due(design, calendar, at)
    high = float_high or is_high(design, level)
    demand = not is_off and (high or by_duty)
    stalled = high and _pump_rests(design, current, pump_on=pump_on)
    drive = drives(design, current, pump_on=pump_on, usual_a=memory.usual_a)
    began = flowing is True and not memory.flowing
    drove = drives(design, memory.pump_current_a, pump_on=memory.pump_on, usual_a=memory.usual_a)
    started = driven and drive is True and drove is not True
    mains_on = values.mains_on == 1.0 if values.mains_on is not None else memory.mains_on
    ends_gap = began if memory.metered else started
    gap_from_ms = memory.last_flow_ms if memory.metered else memory.last_run_ms
    gaps = memory.gaps
    if ends_gap and gap_from_ms and not memory.is_gap_broken:
        gaps = learn_pause(gaps, quarter(calendar, gap_from_ms), at - gap_from_ms)
    acts = flow or drive
    silent_ms = at - memory.meter_ms
    is_run_told = silent_ms <= fresh_ms and (driven or memory.drive_ms > memory.meter_ms)
    water = _water(design, memory, values, at, fresh_ms)
    days, ended = _add_water(calendar, memory, values, at, water)
    sums, compared = _compare(memory, values, at, water)
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
        mains_on,
        pump_on,
        current,
        at if flowing is not None else memory.meter_ms,
        values.flow_m3h if values.flow_m3h is not None else memory.rate_m3h,
        _frozen_ms(design, memory, values, at, flowing=flowing),
        _barren_ms(design, memory, values, silent_ms if is_run_told else 0, current, flowing=flowing),
        at if driven and drive else memory.last_run_ms,
        (memory.runs_ms[1], at) if started else memory.runs_ms,
        at if values.float_high is not None else memory.float_ms,
        at if _moves(memory, values) else memory.level_moved_ms,
        memory.rest_ms,
        _back_ms(memory, values, at, runs=acts is True),
        gaps,
        not acts and (memory.is_gap_broken or is_off or mains_on is False),
        days,
        _uncounted_m3(design, memory, values, silent_ms if silent_ms <= fresh_ms else 0, flowing=flowing),
        _usual_a(design, memory, values, flowing=flowing),
        sums,
    )
    tells = not high and _tells_rest(design, after, at - fresh_ms)
    if tells and levelled:
        after = replace(after, rest_ms=at)
    day_ms = calendar.midnight(at) if _rests(design, calendar, at - DAY_MS) else 0
    quiet_ms = after.last_flow_ms or after.first_ms
    if drive is False and 0 < quiet_ms - after.last_run_ms <= fresh_ms:
        quiet_ms = after.last_run_ms  # the meter counts an interval as flow in which the pump has already stopped
    sight = PlantSight(
        values,
        at,
        flowing,
        demand,
        after,
        flow,
        drive,
        driven,
        driven or levelled or flowing is not None,
        by_duty,
        max(quiet_ms, day_ms),
        max(after.last_flow_ms or after.first_ms, day_ms),
        max(after.last_run_ms or after.first_ms, day_ms),
        tells or is_off,
        ended,
        compared,
    )
    return sight, after


def postpone(memory: PlantMemory, gap_ms: Millis) -> PlantMemory:
    """T8: a gap in the data counts toward no delay."""
    return replace(
        memory,
        first_ms=memory.first_ms + gap_ms if memory.first_ms else 0,
        last_flow_ms=memory.last_flow_ms + gap_ms if memory.last_flow_ms else 0,
        stalled_ms=memory.stalled_ms + gap_ms if memory.stalled_ms else 0,
        frozen_ms=memory.frozen_ms + gap_ms if memory.frozen_ms else 0,
        last_run_ms=memory.last_run_ms + gap_ms if memory.last_run_ms else 0,
        rest_ms=memory.rest_ms + gap_ms if memory.rest_ms else 0,
        back_ms=memory.back_ms + gap_ms if memory.back_ms else 0,
        is_gap_broken=bool(memory.last_flow_ms or memory.last_run_ms),
    )


def runs(design: PlantDesign, memory: PlantMemory) -> bool:
    """Whether the plant is running by flow, current or run bit."""
    if memory.flowing or memory.pump_on:
        return True
    rated = design.rated_current_a
    return rated is not None and (memory.pump_current_a or 0.0) > RUNNING_SHARE * rated


def drives(
    design: PlantDesign, current_a: float | None, *, pump_on: bool | None, usual_a: float | None = None
) -> bool | None:
    """Whether the pump runs by its current, or by its run bit where the current says nothing; ``None``: not known."""
    if current_a is not None and design.rated_current_a is not None:
        return current_a > RUNNING_SHARE * min(design.rated_current_a, usual_a or design.rated_current_a)
    return pump_on


def is_as_ever(usual_a: float | None, current_a: float) -> bool:
    """Whether it draws what it draws when the meter sees water, so that it neither idles nor is held fast."""
    return usual_a is not None and USUAL_LEAST * usual_a <= current_a <= USUAL_MOST * usual_a


def is_loaded(design: PlantDesign, current_a: float | None, usual_a: float | None = None) -> bool:
    """Whether the current is that of a pump that moves water, neither idling nor jammed."""
    rated = design.rated_current_a
    if current_a is None or rated is None or current_a < NO_LOAD_SHARE * rated:
        return False
    return IDLING_SHARE * rated <= current_a <= JAMMED_SHARE * rated or is_as_ever(usual_a, current_a)


def cutoff_m3h(design: PlantDesign) -> float:
    """Below this a meter's rate is noise."""
    if design.low_cutoff_m3h is not None:
        return design.low_cutoff_m3h
    return CUTOFF_SHARE * design.design_m3d / 24.0


class Unseen(StrEnum):
    """What a plant's set of signals cannot show, by the signal that is missing."""

    NO_RUN = "no_run"
    NO_METER = "no_meter"
    NO_CURRENT = "no_current"
    NO_RATED_CURRENT = "no_rated_current"
    NO_LEVEL = "no_level"
    NO_START_LEVEL = "no_start_level"
    NO_MAINS = "no_mains"


def list_unseen(design: PlantDesign, heard: Collection[str]) -> list[Unseen]:
    """What nobody would be told of a plant that speaks of these quantities alone."""
    metered = not {"flow_m3h", "volume_m3"}.isdisjoint(heard)
    current = "pump_current_a" in heard
    is_told_by_clock = bool(design.duty_windows) or design.duty is DutyCycle.CONTINUOUS
    rest_is_told = is_told_by_clock or "float_high" in heard
    missing = {
        Unseen.NO_RUN: not (metered or current or "pump_on" in heard),
        Unseen.NO_METER: not metered,
        Unseen.NO_CURRENT: not current,
        Unseen.NO_RATED_CURRENT: current and design.rated_current_a is None,
        Unseen.NO_LEVEL: not rest_is_told and "level_mm" not in heard,
        Unseen.NO_START_LEVEL: not rest_is_told and "level_mm" in heard and design.start_level_mm is None,
        Unseen.NO_MAINS: "mains_on" not in heard,
    }
    return [unseen for unseen, is_missing in missing.items() if is_missing]


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


def _frozen_ms(
    design: PlantDesign, memory: PlantMemory, values: Values, at_ms: Millis, *, flowing: bool | None
) -> Millis:
    """Since when the rate is frozen above the cut-off; the totaliser has to speak against it."""
    rate = values.flow_m3h
    if rate is None:
        return 0 if flowing else memory.frozen_ms
    if flowing is not False or rate != memory.rate_m3h or rate < cutoff_m3h(design):
        return 0
    return memory.frozen_ms or memory.meter_ms or at_ms


def _barren_ms(
    design: PlantDesign,
    memory: PlantMemory,
    values: Values,
    passed_ms: Millis,
    current_a: float | None,
    *,
    flowing: bool | None,
) -> Millis:
    """How long the pump has run and the meter seen nothing; a sample counts for the time since the meter's last."""
    rate = values.flow_m3h
    is_alive = rate is not None and rate >= cutoff_m3h(design) and rate != memory.rate_m3h
    if flowing or is_alive:  # a totaliser that counts whole cubic metres stands for a while beside a rate that moves
        return 0
    if flowing is None or not memory.meter_ms or not is_loaded(design, current_a, memory.usual_a):
        return memory.barren_ms
    return memory.barren_ms + min(passed_ms, BARREN_MOST_MS)


class _Water(NamedTuple):
    """What flowed since the meter last spoke."""

    counted_m3: float | None
    """By its totaliser, where that tells it."""
    by_rate_m3: float
    is_gap: bool


def _water(design: PlantDesign, memory: PlantMemory, values: Values, at_ms: Millis, fresh_ms: Millis) -> _Water:
    """A totaliser that fell was reset, and nothing is known by it."""
    silent_ms, rate = at_ms - memory.meter_ms, values.flow_m3h or 0.0
    is_gap = silent_ms > fresh_ms
    by_rate_m3 = rate * silent_ms / HOUR_MS if rate >= cutoff_m3h(design) and not is_gap else 0.0
    counted = None
    if values.volume_m3 is not None and memory.volume_m3 is not None and values.volume_m3 >= memory.volume_m3:
        counted = values.volume_m3 - memory.volume_m3
    return _Water(counted, by_rate_m3, is_gap)


def _add_water(
    calendar: Calendar, memory: PlantMemory, values: Values, at_ms: Millis, water: _Water
) -> tuple[FlowDays, DayEnd | None]:
    """The days after what the meter says now, by its totaliser; where that tells nothing, by its rate."""
    if values.volume_m3 is None and values.flow_m3h is None:
        return memory.days, None
    if memory.volume_m3 is None or (values.volume_m3 is not None and water.counted_m3 is None):
        return add_water(memory.days, calendar, at_ms, water.by_rate_m3, is_missing=water.is_gap)
    over_midnight = water.is_gap and at_ms >= memory.days.ends_ms
    return add_water(memory.days, calendar, at_ms, water.counted_m3 or 0.0, is_missing=over_midnight)


def _compare(memory: PlantMemory, values: Values, at_ms: Millis, water: _Water) -> tuple[MeterSums, MeterDay | None]:
    """Totaliser and rate of one sample that tells both, after one not long before."""
    if values.flow_m3h is None or water.counted_m3 is None or water.is_gap:
        return memory.sums, None
    return compare(memory.sums, at_ms, water.counted_m3, water.by_rate_m3)


def _uncounted_m3(
    design: PlantDesign, memory: PlantMemory, values: Values, passed_ms: Millis, *, flowing: bool | None
) -> float:
    """What the rate gives while the totaliser, which speaks as well, stands."""
    if flowing or memory.volume_m3 is None:
        return 0.0
    rate = values.flow_m3h
    if values.volume_m3 is None or rate is None or rate < cutoff_m3h(design):
        return memory.uncounted_m3
    return memory.uncounted_m3 + rate * passed_ms / HOUR_MS


def _usual_a(design: PlantDesign, memory: PlantMemory, values: Values, *, flowing: bool | None) -> float | None:
    """What it draws when water flows, the last times above all; a pump that has just stopped says nothing of it."""
    current, rated = values.pump_current_a, design.rated_current_a
    if not flowing or current is None or rated is None or current < _ON_SHARE * rated:
        return memory.usual_a
    if memory.usual_a is None:
        return current
    return memory.usual_a + _USUAL_WEIGHT * (current - memory.usual_a)


def _back_ms(memory: PlantMemory, values: Values, at_ms: Millis, *, runs: bool) -> Millis:
    """When mains came back, until it goes again or anything runs."""
    if runs or values.mains_on == 0.0:
        return 0
    return at_ms if values.mains_on == 1.0 and memory.mains_on is False else memory.back_ms


def _rests(design: PlantDesign, calendar: Calendar, at_ms: Millis) -> bool:
    return bool(design.rest_days) and calendar.local(at_ms).weekday() in design.rest_days


def _is_due(design: PlantDesign, calendar: Calendar, at_ms: Millis) -> bool:
    """Whether it ought to run by the clock alone."""
    if design.duty_windows:
        return any(calendar.is_within(at_ms, window) for window in design.duty_windows)
    return design.duty is DutyCycle.CONTINUOUS


def _tells_rest(design: PlantDesign, memory: PlantMemory, oldest_ms: Millis) -> bool:
    """Whether a sign is there by which rest can be told from stop: a float, or a level that moves with the water.

    A pump's current or run bit is none: it is the same when a pump rests and when it has tripped.
    """
    if memory.float_ms >= oldest_ms and memory.float_ms:
        return True
    if memory.level_mm is None or design.start_level_mm is None:
        return False
    return not _is_level_frozen(memory)


def _moves(memory: PlantMemory, values: Values) -> bool:
    """Whether the level is another than before; the first that is heard is."""
    return values.level_mm is not None and (values.level_mm != memory.level_mm or not memory.level_moved_ms)


def _is_level_frozen(memory: PlantMemory) -> bool:
    """Whether it was told and stood still while water was pumped: through a whole cycle, or through half an hour."""
    moved, told = memory.level_moved_ms, memory.level_ms
    flowed = ((memory.starts_ms, memory.last_flow_ms), (memory.runs_ms, memory.last_run_ms))
    return any(
        (before and moved <= before and told >= start) or (start and moved <= start <= min(last, told) - SEEN_STILL_MS)
        for (before, start), last in flowed
    )


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
