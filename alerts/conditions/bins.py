"""What a bin's sample means: how full, how warm, upright or not, and whether somebody has just emptied it.

Geometry and memory only (alerting.md §1 and §3 "Emptied"); no rule's parameter and no time of day stands here.
"""

from math import cos, radians
from typing import Final

from msgspec import Struct

from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Quality, Reading, Values

NO_ECHO_MM: Final = frozenset({0.0, 8190.0, 65535.0})
"""What sensors say when they saw nothing: ultrasonics 0, time-of-flight parts 8190, a register's end 65535."""

LEANING_DEG: Final = 30.0
STRAIGHT_DEG: Final = 5.0
BEYOND_FLOOR: Final = 1.15
BLIND_FILL_PCT: Final = 95.0
BLIND_AFTER_PCT: Final = 70.0
BLIND_IN_A_ROW: Final = 3
EMPTY_PCT: Final = 15.0
LEAST_FALL_POINTS: Final = 8.0
LEAST_FALL_SHARE: Final = 0.4
PARTLY_POINTS: Final = 20.0

_GOOD: Final = Quality.GOOD  # a global is found ten times sooner than an enum's member, and this is asked per sample
_BLIND: Final = Quality.BLIND
_BAD: Final = Quality.BAD


class Emptying(Struct, frozen=True, gc=False):
    """Somebody emptied the bin, or part of it: from which level to which."""

    from_pct: float
    to_pct: float
    wholly: bool


class BinMemory(Struct, frozen=True, gc=False, array_like=True):
    """What a bin's stream of samples has left behind; -1 and 0 mean not yet. All times are event time."""

    good_pct: float = -1.0
    blind_run: int = 0
    fill_pct: float = -1.0
    fill_ms: Millis = 0
    crest_pct: float = -1.0
    """The level at which the present fall began."""
    fallen_pct: float = -1.0
    """The level from which a fall awaits its second sample; -1 when none does."""
    emptied_ms: Millis = 0
    temperature_c: float | None = None
    temperature_ms: Millis = 0
    tilt_deg: float = 0.0
    full_flag: bool = False
    fire_flag: bool = False


_NOTHING: Final = BinMemory()


class BinSight(Struct, frozen=True, gc=False):
    """What one sample says about a bin; ``None`` where it has no usable value."""

    quality: Quality | None
    fill_pct: float | None
    full: bool
    temperature_c: float | None
    before_c: float | None
    before_ms: Millis
    tilt_deg: float | None
    fire: bool
    observed_ms: Millis
    emptying: Emptying | None


def emptied_ms(memory: object) -> Millis:
    """When a bin was emptied last; 0 for one of which that was not seen, and for what is no bin."""
    return memory.emptied_ms if isinstance(memory, BinMemory) else 0


def recent_c(memory: object, at_ms: Millis, within_ms: Millis) -> float | None:
    """The last temperature of a bin, if it is no further than ``within_ms`` from an instant."""
    if not isinstance(memory, BinMemory) or abs(at_ms - memory.temperature_ms) > within_ms:
        return None
    return memory.temperature_c


def steady_pct(memory: BinMemory) -> float:
    """The level of the last three readings, in which one stray one does not count."""
    return memory.fill_pct


def look(geometry: BinGeometry, memory: BinMemory, reading: Reading) -> tuple[BinSight, BinMemory]:
    """One sample, judged against what the bin's samples said before; gives also the memory that it leaves."""
    values = reading.values
    at = reading.observed_ms
    tilt = values.tilt_deg if values.tilt_flag is None else _tilt(values)
    quality, fill, good, blind_run = _fill(geometry, memory, values.distance_mm, tilt or 0.0)
    emptying, fallen, crest = (None, memory.fallen_pct, memory.crest_pct)
    if fill is not None:
        emptying, fallen, crest = _fall(memory, fill)
    sight = BinSight(
        quality,
        fill,
        values.full_flag == 1.0,
        values.temperature_c,
        memory.temperature_c,
        memory.temperature_ms,
        tilt,
        values.fire_flag == 1.0,
        at,
        emptying,
    )
    felt = values.temperature_c is not None
    return sight, BinMemory(
        good,
        blind_run,
        memory.fill_pct if fill is None else fill,
        memory.fill_ms if fill is None else at,
        crest,
        fallen,
        at if emptying is not None and emptying.wholly else memory.emptied_ms,
        values.temperature_c if felt else memory.temperature_c,
        at if felt else memory.temperature_ms,
        memory.tilt_deg if tilt is None else tilt,
        values.full_flag == 1.0,
        values.fire_flag == 1.0,
    )


def stated_pct(geometry: BinGeometry, values: Values) -> float | None:
    """The level that a sample states by itself, whatever came before it; ``None`` unless its distance is GOOD."""
    quality, fill, _, _ = _fill(geometry, _NOTHING, values.distance_mm, _tilt(values) or 0.0)
    return fill if quality is _GOOD else None


def recall(memory: BinMemory) -> BinSight:
    """The last level once more, as if a sample said it and nothing else."""
    at_ms = memory.fill_ms
    return BinSight(Quality.GOOD, memory.fill_pct, memory.full_flag, None, None, 0, None, False, at_ms, None)  # noqa: FBT003 -- positional, as in look


def _tilt(values: Values) -> float | None:
    """Degrees from upright; a tilt flag counts as leaning, a flag of 0 alone as upright."""
    if values.tilt_flag == 1.0:
        return max(LEANING_DEG, values.tilt_deg or 0.0)
    if values.tilt_deg is None and values.tilt_flag is not None:
        return 0.0
    return values.tilt_deg


def _fill(
    geometry: BinGeometry, memory: BinMemory, distance_mm: float | None, tilt_deg: float
) -> tuple[Quality | None, float | None, float, int]:
    """Quality, counted fill in percent, last GOOD fill and the run of BLIND samples after this one."""
    if distance_mm is None:
        return None, None, memory.good_pct, memory.blind_run
    if distance_mm in NO_ECHO_MM or tilt_deg >= LEANING_DEG:
        return _BAD, None, memory.good_pct, memory.blind_run
    d = distance_mm * cos(radians(tilt_deg)) if tilt_deg >= STRAIGHT_DEG else distance_mm
    if d > BEYOND_FLOOR * geometry.empty_mm:
        return _BAD, None, memory.good_pct, memory.blind_run
    if d < geometry.blind_mm:
        run = memory.blind_run + 1
        full = memory.good_pct >= BLIND_AFTER_PCT or run >= BLIND_IN_A_ROW
        return _BLIND, BLIND_FILL_PCT if full else None, memory.good_pct, run
    share = (geometry.empty_mm - d) / geometry.height_mm
    fill = round(min(max(share, 0.0), 1.0) * 100.0, 1)
    return _GOOD, fill, fill, 0


def _fall(memory: BinMemory, fill: float) -> tuple[Emptying | None, float, float]:
    """The emptying that this level confirms, the level a fall waits from, and the crest of the present fall."""
    crest = memory.crest_pct if 0.0 <= fill < memory.fill_pct else fill
    waiting = memory.fallen_pct >= 0.0
    start = memory.fallen_pct if waiting else crest
    if start - fill < LEAST_FALL_POINTS:
        return None, -1.0, crest
    for fallen, wholly in ((_emptied, True), (_partly, False)):
        if fallen(start, fill):
            if waiting and fallen(start, memory.fill_pct):
                return Emptying(start, fill, wholly), -1.0, fill
            return None, start, crest
    return None, -1.0, crest


def _emptied(start: float, fill: float) -> bool:
    return fill <= EMPTY_PCT and start - fill >= max(LEAST_FALL_POINTS, LEAST_FALL_SHARE * start)


def _partly(start: float, fill: float) -> bool:
    return fill > EMPTY_PCT and start - fill >= PARTLY_POINTS
