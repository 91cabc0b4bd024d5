"""What a bin's sample means: how full, how warm, upright or not, and whether somebody has just emptied it.

Geometry and memory only (alerting.md §1 and §3 "Emptied"); no rule's parameter and no time of day stands here.
"""

from math import cos, radians
from statistics import median_low
from typing import Final, TypeAlias

from msgspec import Struct

from alerts.conditions import rings
from alerts.conditions.rings import AFTER, LOOK_MS, PACKED, RING
from telemetry.inventory import BinGeometry
from telemetry.reading import Millis, Quality, Reading, Values

NO_ECHO_MM: Final = frozenset({0.0, 8190.0, 65535.0})
"""What sensors say when they saw nothing: ultrasonics 0, time-of-flight parts 8190, a register's end 65535."""

LEANING_DEG: Final = 30.0
STRAIGHT_DEG: Final = 5.0
PAST_THE_BIN: Final = 1.5
"""Up to so many times the depth it looked past the bin, through an open lid; what is further is no distance."""
RESETS_C: Final = frozenset({85.0, 127.0, -127.0})
"""What a thermometer says that has just begun anew."""
BLIND_FILL_PCT: Final = 95.0
BLIND_AFTER_PCT: Final = 70.0
BLIND_IN_A_ROW: Final = 3
EMPTY_PCT: Final = 15.0
LEAST_FALL_POINTS: Final = 8.0
LEAST_FALL_SHARE: Final = 0.4
PARTLY_POINTS: Final = 20.0
NOISES: Final = 3.0
"""A fall of less than so many times the site's own noise is none."""
VISIT_MS: Final[Millis] = 50 * 60_000
"""A truck's visit, and what settles in it, is over after this; readings so far apart are a slow device's."""
VOTES: Final = 3
"""So many of them in a row, two of a slow device's, must agree on a level."""
JUMP_POINTS_AN_HOUR: Final = 36.0
"""Nobody fills a bin so fast: what rises like this within one interval is a bag, a lid, another facet, a box."""
UP_THERE: Final = (0.5, 1.4)
"""Between these shares of its jump above where it had stood, a level is where it jumped to."""
AS_BEFORE_POINTS: Final = 3.0
NOTED: Final[Millis] = -1
"""In place of since when: the floor of this while past the bin is noted."""

_GOOD: Final = Quality.GOOD  # a global is found ten times sooner than an enum's member, and this is asked per sample
_BLIND: Final = Quality.BLIND
_BAD: Final = Quality.BAD
_BEYOND: Final = Quality.BEYOND


class Emptying(Struct, frozen=True, gc=False):
    """Somebody emptied the bin, or part of it: from which level to which."""

    from_pct: float
    to_pct: float
    wholly: bool


class Turn(Struct, frozen=True, gc=False, array_like=True):
    """What is under way: since when a fall is awaited (event time), and a jump from which the level is not back."""

    fallen_ms: Millis = 0
    stood_pct: float = -1.0
    """Where the level stood before it jumped."""
    jump_pct: float = 0.0


_STEADY: Final = Turn()


class BinMemory(Struct, frozen=True, gc=False, array_like=True):
    """What a bin's stream of samples has left behind; -1 and 0 mean not yet. All times are event time."""

    good_pct: float = -1.0
    blind_run: int = 0
    fill_pct: float = -1.0
    fill_ms: Millis = 0
    crest_pct: float = -1.0
    """The level at which the present fall began, be it one stray reading's."""
    fallen_pct: float = -1.0
    """The level from which a fall awaits what confirms it; -1 when none does."""
    emptied_ms: Millis = 0
    temperature_c: float | None = None
    temperature_ms: Millis = 0
    tilt_deg: float = 0.0
    full_flag: bool = False
    fire_flag: bool = False
    recent: bytes = b""
    """The last usable levels since the last emptying, at most 16, in tenths of a percent of two bytes each."""
    noise_pct: float = 0.0
    """How far single readings of this site lie off those around them, in points; learned now and then."""
    turn: Turn = _STEADY
    doubted: bool = False
    """Whether its last temperature was what a thermometer says that has just begun anew."""
    floors: bytes = b""
    """Distances just after emptyings, packed as ``rings`` has them."""
    floor_mm: float = 0.0
    """The floor that they show, where it is not the one that was written down; 0 without one. No person confirmed it:
    it says what is GOOD and what is emptied, and leaves the level that alerts are judged by as it was written."""
    past_ms: Millis = 0
    """Since when each distance is BEYOND; 0 where the last was not, ``NOTED`` when that was noted."""
    noises: bytes = b""
    """What ``noise_pct`` was learned from, packed as ``rings`` has it."""


_NOTHING: Final = BinMemory()
_Followed: TypeAlias = tuple[Emptying | None, float, float, bytes, float, Turn]
"""An emptying, if one is confirmed, and what is remembered: crest, awaited fall, ring, noise, what is under way."""


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
    """The level of the last three readings, above the learned floor if there is one; one stray one does not count."""
    return median_low(rings.levels(memory.recent[-2 * VOTES :]) or (memory.fill_pct,))


def look(geometry: BinGeometry, memory: BinMemory, reading: Reading) -> tuple[BinSight, BinMemory]:
    """One sample, judged against what the bin's samples said before; gives also the memory that it leaves."""
    values = reading.values
    at = reading.observed_ms
    tilt = values.tilt_deg if values.tilt_flag is None else _tilt(values)
    quality, fill, level, good, blind_run = _fill(geometry, memory, values.distance_mm, tilt or 0.0)
    if level is None:
        emptying, crest, fallen = None, memory.crest_pct, memory.fallen_pct
        recent, noise, turn = memory.recent, memory.noise_pct, memory.turn
    else:
        emptying, crest, fallen, recent, noise, turn = _follow(memory, level, at)
    noises = memory.noises
    # A slow device's readings differ by what was brought and taken, and tell nothing of its noise.
    if level is not None and memory.fill_ms < at - at % LOOK_MS and at - memory.fill_ms < VISIT_MS:
        noises = rings.note_noise(noises, memory.recent)
        noise = rings.noise_pct(noises)
    floors, floor_mm, past_ms = memory.floors, memory.floor_mm, memory.past_ms
    if quality is _BEYOND or past_ms or emptying is not None:
        floors, floor_mm, past_ms = _sound(geometry, memory, values, quality, at, emptied=emptying is not None)
        if floor_mm != memory.floor_mm:  # levels are others from here on
            crest, fallen, recent, turn = -1.0, -1.0, b"", _STEADY
    warmth, doubted = values.temperature_c, memory.doubted
    if warmth is not None:
        reset = warmth in RESETS_C and values.fire_flag != 1.0
        warmth, doubted = None if reset and not doubted else warmth, reset
    sight = BinSight(
        quality,
        fill,
        values.full_flag == 1.0,
        warmth,
        memory.temperature_c,
        memory.temperature_ms,
        tilt,
        values.fire_flag == 1.0,
        at,
        emptying,
    )
    return sight, BinMemory(
        good,
        blind_run,
        memory.fill_pct if fill is None else fill,
        memory.fill_ms if fill is None else at,
        crest,
        fallen,
        at if emptying is not None and emptying.wholly else memory.emptied_ms,
        memory.temperature_c if warmth is None else warmth,
        memory.temperature_ms if warmth is None else at,
        memory.tilt_deg if tilt is None else tilt,
        values.full_flag == 1.0,
        values.fire_flag == 1.0,
        recent,
        noise,
        turn,
        doubted,
        floors,
        floor_mm,
        past_ms,
        noises,
    )


def stated_pct(geometry: BinGeometry, values: Values) -> float | None:
    """The level that a sample states by itself, whatever came before it; ``None`` unless its distance is GOOD."""
    quality, fill, *_ = _fill(geometry, _NOTHING, values.distance_mm, _tilt(values) or 0.0)
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
) -> tuple[Quality | None, float | None, float | None, float, int]:
    """Quality, counted fill, level above the learned floor, both in percent, last GOOD fill and the run of BLIND."""
    if distance_mm is None:
        return None, None, None, memory.good_pct, memory.blind_run
    if distance_mm in NO_ECHO_MM or tilt_deg >= LEANING_DEG:
        return _BAD, None, None, memory.good_pct, memory.blind_run
    d = _upright(distance_mm, tilt_deg)
    if d > geometry.empty_mm:
        deepest = max(memory.floor_mm, geometry.empty_mm)
        if d >= deepest + rings.tolerance_mm(deepest):
            quality = _BEYOND if d <= PAST_THE_BIN * deepest else _BAD
            return quality, None, None, memory.good_pct, memory.blind_run
    if d < geometry.blind_mm:
        run = memory.blind_run + 1
        full = BLIND_FILL_PCT if memory.good_pct >= BLIND_AFTER_PCT or run >= BLIND_IN_A_ROW else None
        return _BLIND, full, full, memory.good_pct, run
    share = (geometry.empty_mm - d) / geometry.height_mm
    fill = round(min(max(share, 0.0), 1.0) * 100.0, 1)
    if not memory.floor_mm:
        return _GOOD, fill, fill, fill, 0
    share = (memory.floor_mm - d) / (memory.floor_mm - geometry.full_mm)
    return _GOOD, fill, round(min(max(share, 0.0), 1.0) * 100.0, 1), fill, 0


def _upright(distance_mm: float, tilt_deg: float) -> float:
    return distance_mm * cos(radians(tilt_deg)) if tilt_deg >= STRAIGHT_DEG else distance_mm


def _sound(
    geometry: BinGeometry, memory: BinMemory, values: Values, quality: Quality | None, at_ms: Millis, *, emptied: bool
) -> tuple[bytes, float, Millis]:
    """What is known of the floor after an emptying, or after a while in which nothing but past the bin was seen."""
    floors, past_ms = memory.floors, memory.past_ms
    if quality is _BEYOND and past_ms != NOTED:
        past_ms = past_ms or at_ms
    elif quality is _GOOD or quality is _BLIND:
        past_ms = 0
    long = past_ms > 0 and quality is _BEYOND and at_ms - past_ms >= VISIT_MS
    if not emptied and not long:
        return floors, memory.floor_mm, past_ms
    floors = rings.note_floor(floors, _upright(values.distance_mm or 0.0, _tilt(values) or 0.0))
    return floors, rings.learned_mm(floors, geometry.empty_mm), NOTED if long else past_ms


def _before(memory: BinMemory) -> float:
    """The level before this sample, above the learned floor where there is one; -1 of none."""
    if not memory.floor_mm:
        return memory.fill_pct
    return int.from_bytes(memory.recent[-2:], "big") / 10 if memory.recent else -1.0


def _follow(memory: BinMemory, fill: float, at_ms: Millis) -> _Followed:
    """One level more; nearly all of them change nothing, and only make the ring longer."""
    before = memory.fill_pct if not memory.floor_mm else _before(memory)
    crest = memory.crest_pct if 0.0 <= fill < before else fill
    recent, noise = (memory.recent + PACKED[fill])[-RING:], memory.noise_pct
    if (
        memory.turn == _STEADY  # a state that was read from the journal has one of its own
        and crest - fill < LEAST_FALL_POINTS
        and (fill - before < LEAST_FALL_POINTS or before < 0.0)
        and memory.fallen_pct < 0.0
    ):
        return None, crest, -1.0, recent, noise, _STEADY
    return _turn(memory, fill, at_ms, crest, recent, noise)


def _turn(memory: BinMemory, fill: float, at_ms: Millis, crest: float, recent: bytes, noise: float) -> _Followed:
    """The same where a level has just risen or fallen by much, or a fall or a jump is under way.

    An emptying is confirmed by the second low sample, since alerts end by it. A partial one waits until the visit must
    be over: what a truck takes later in the same visit is the same emptying.
    """
    before, waits, apart = _before(memory), memory.fallen_pct >= 0.0, at_ms - memory.fill_ms >= VISIT_MS
    turn = _jump(memory, fill, at_ms)
    start = memory.fallen_pct
    if not waits and crest - fill >= LEAST_FALL_POINTS:
        start = rings.held(memory.recent, 2 if apart else VOTES)
    if start <= EMPTY_PCT and at_ms - memory.emptied_ms < VISIT_MS:  # it settles after the emptying just seen
        start = -1.0
    if waits and _emptied(start, before, noise) and _agrees(start, before, fill, apart=apart):
        return _confirm(turn, Emptying(start, fill, wholly=True), recent, noise)
    if not _emptied(start, fill, noise) and not _partly(start, fill, noise):
        return None, crest, -1.0, recent, noise, Turn(0, turn.stood_pct, turn.jump_pct) if turn.jump_pct else _STEADY
    if not waits:
        if rings.settles(memory.recent, fill, start):
            return None, crest, -1.0, recent, noise, turn
        return None, crest, start, recent, noise, Turn(at_ms, turn.stood_pct, turn.jump_pct)
    if fill > EMPTY_PCT and at_ms - turn.fallen_ms >= VISIT_MS:
        return _confirm(turn, Emptying(start, fill, wholly=False), recent, noise)
    return None, crest, start, recent, noise, turn


def _confirm(turn: Turn, found: Emptying, recent: bytes, noise: float) -> _Followed:
    """A fall is over: an emptying, unless the level has only come back to where it stood before it jumped."""
    back = turn.jump_pct and _is_up(turn, found.from_pct) and found.to_pct > turn.stood_pct - AS_BEFORE_POINTS
    return None if back else found, found.to_pct, -1.0, recent[-AFTER:], noise, _STEADY


def _jump(memory: BinMemory, fill: float, at_ms: Millis) -> Turn:
    """What is under way, with the jump that this level makes, and without one that is over or outgrown."""
    turn, before = memory.turn, _before(memory)
    if turn.jump_pct and memory.fallen_pct < 0.0 and not _is_up(turn, before):
        turn = _STEADY
    quick = JUMP_POINTS_AN_HOUR * (at_ms - memory.fill_ms) / 3_600_000
    if turn.jump_pct or before < 0.0 or fill - before < max(LEAST_FALL_POINTS, quick):
        return turn
    stood = median_low(rings.levels(memory.recent[-2 * VOTES :]) or (before,))
    if before - stood >= LEAST_FALL_POINTS or fill - stood < LEAST_FALL_POINTS:  # back from one stray low reading
        return turn
    return Turn(turn.fallen_ms, stood, fill - stood)


def _is_up(turn: Turn, level: float) -> bool:
    least, most = UP_THERE
    return least * turn.jump_pct <= level - turn.stood_pct <= most * turn.jump_pct


def _emptied(start: float, fill: float, noise: float) -> bool:
    return fill <= EMPTY_PCT and start - fill >= max(LEAST_FALL_POINTS, LEAST_FALL_SHARE * start, NOISES * noise)


def _partly(start: float, fill: float, noise: float) -> bool:
    return fill > EMPTY_PCT and start - fill >= max(PARTLY_POINTS, NOISES * noise)


def _agrees(start: float, before: float, fill: float, *, apart: bool) -> bool:
    """Whether a second sample confirms an emptying: it is low too and nearer to the first than to what was before.

    A slow device's may be above 15 % again already.
    """
    if fill <= EMPTY_PCT:
        return start - fill >= (start - before) / 2
    return apart and start - fill >= max(PARTLY_POINTS, LEAST_FALL_SHARE * start)
