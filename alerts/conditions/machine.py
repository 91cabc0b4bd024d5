"""How a condition is raised and cleared on one asset: every transition of the alert life cycle stands here, as a table.

The words come first, then the transitions, then ``TABLE``, which says where each of them belongs and by which law, then
what is asked of a machine. This file knows counts, delays and latches, and how long they hold. It does not know what a
bin is, who is told, or what time it is.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from alerts.model import Condition
from telemetry.reading import Millis

_ENOUGH: Final = 20
"""Doublings after which any delay is past its limit."""


class Timing(Struct, frozen=True, gc=False):
    """How long and how often a predicate must hold before it counts."""

    on_count: int = 1
    on_delay_ms: Millis = 0
    off_count: int = 1
    off_delay_ms: Millis = 0
    timer_promotes: bool = True
    latching: bool = False
    raises: int = 3
    """So many raises within ``raises_within_ms`` are flapping (T15), as are so many ``flaps`` in one episode."""
    raises_within_ms: Millis = 3_600_000
    flaps: int = 6
    calm_ms: Millis = 1_800_000
    """What is doubled while it flaps, where the off-delay is shorter than this."""
    calm_most_ms: Millis = 86_400_000
    more_raises: int = 4
    """So many within a longer window are flapping too."""
    more_within_ms: Millis = 21_600_000
    slow_raises: int = 6
    """And so many within the longest; what flaps so slowly is watched as long before it is believed."""
    slow_within_ms: Millis = 172_800_000
    left_ms: Millis = 21_600_000
    """After so long without a raise or a relapse it flaps no more."""

    def flaps_by(self, raised_ms: Sequence[Millis]) -> bool:
        """Whether these raises, the last of them now, are too many."""
        windows = ((self.raises, self.raises_within_ms), (self.more_raises, self.more_within_ms))
        return self.is_slow(raised_ms) or any(_are_within(raised_ms, most, within) for most, within in windows)

    def is_slow(self, raised_ms: Sequence[Millis]) -> bool:
        """Whether they are too many for the longest window."""
        return _are_within(raised_ms, self.slow_raises, self.slow_within_ms)

    @property
    def longest_ms(self) -> Millis:
        """How long a raise is remembered."""
        return max(self.raises_within_ms, self.more_within_ms, self.slow_within_ms)

    @property
    def most_raises(self) -> int:
        """How many raises are remembered."""
        return max(self.raises, self.more_raises, self.slow_raises)

    def calm_span_ms(self, *, slow: bool) -> Millis:
        """How long nothing may move before it flaps no more, and before its off-delay is halved again."""
        return self.slow_within_ms if slow else self.left_ms

    def recovery_ms(self, doublings: int) -> Millis:
        """The off-delay, doubled so often."""
        if not doublings:
            return self.off_delay_ms
        doubled = max(self.off_delay_ms, self.calm_ms) << min(doublings, _ENOUGH)
        return max(self.off_delay_ms, min(doubled, self.calm_most_ms))


def _are_within(raised_ms: Sequence[Millis], most: int, within_ms: Millis) -> bool:
    return len(raised_ms) >= most and raised_ms[-1] - raised_ms[-most] <= within_ms


class Call(IntEnum):
    """What a rule says about one sample."""

    NONE = 0
    """The sample has no usable value of the rule's quantity: it neither confirms nor interrupts."""
    RAISE = 1
    CLEAR = 2
    BETWEEN = 3
    """Neither raised nor beyond the clear threshold."""
    END = 4
    """Cleared at once, without delay: what the alert was about is gone (an emptying)."""


class Verdict(Struct, frozen=True, gc=False):
    """A rule's judgement of one sample; ``since_ms`` and ``due_ms`` (event time) replace the rule's own delay."""

    call: Call
    since_ms: Millis | None = None
    due_ms: Millis | None = None
    reason: str = ""


NONE: Final = Verdict(Call.NONE)
RAISE: Final = Verdict(Call.RAISE)
CLEAR: Final = Verdict(Call.CLEAR)
BETWEEN: Final = Verdict(Call.BETWEEN)


class Machine(Struct, frozen=True, gc=False, array_like=True):
    """Where one rule stands on one asset. Only ``wake`` is receive time, all else is event time."""

    condition: Condition = Condition.NORMAL
    since_ms: Millis = 0
    clear_since_ms: Millis = 0
    due_ms: Millis = 0
    wake_ms: Millis = 0
    count: int = 0
    flaps: int = 0
    episode: str = ""
    reason: str = ""
    """On which evidence the rule raised it, where it has several."""
    feeder: int = 0
    """Which of the asset's devices last fed it."""
    untold: bool = False
    """Raised by late samples only; the first confirming sample that is not late owes step 0."""
    latched: bool = False
    """The condition is gone, the episode waits for a person's reset."""
    raised_ms: tuple[Millis, ...] = ()
    """When it was raised lately."""
    moved_ms: Millis = 0
    """When it was last raised or relapsed."""
    doublings: int = 0
    """How often its off-delay was doubled because it flaps (T15); halved again for each calm span."""
    settled: bool = False
    """It flaps no more, though its off-delay may still be long."""
    slow: bool = False
    """It flaps over days, and is watched as long before it is believed."""
    noticed_ms: Millis = 0
    """When the crew was last to hear that it flaps."""

    @property
    def is_flapping(self) -> bool:
        """Whether it moved too often of late to be believed at once."""
        return self.doublings > 0 and not self.settled

    @property
    def begins_flapping(self) -> bool:
        """Whether the raise or relapse that led here was the one too many, and the crew is to hear so."""
        return self.noticed_ms > 0 and self.noticed_ms == self.moved_ms

    @property
    def is_open(self) -> bool:
        """Whether an episode is running: active, recovering, or latched."""
        return self.condition >= Condition.ACTIVE or self.latched


NOTICED_EVERY_MS: Final[Millis] = 7 * 86_400_000
"""So often at most the crew hears that a rule flaps on an asset."""

IDLE: Final = Machine()


class Instant(Struct, frozen=True, gc=False):
    """When a sample counts (event time), when it came, and which of the asset's devices spoke."""

    observed_ms: Millis
    received_ms: Millis
    late: bool
    feeder: int


class Move(IntEnum):
    """What became of an episode in one step; ``NONE`` is a move that nobody is told of."""

    NONE = 0
    RAISED = 1
    CONFIRMED = 2
    """An episode that only late samples had raised is now confirmed by one that is not late."""
    REIGNITED = 3
    """A latched episode is active again before anybody reset it."""
    RECOVERING = 4
    RELAPSED = 5
    CLEARED = 6
    LATCHED = 7
    STEADY = 8
    """What flapped stands still, and the condition holds."""


def _keep(machine: Machine, _verdict: Verdict, _timing: Timing, _at: Instant, _mint: str) -> tuple[Machine, Move]:
    """The same machine: the engine writes nothing down."""
    return machine, Move.NONE


def _begin(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """T1; one sample may be enough for T3 as well."""
    since = at.observed_ms if verdict.since_ms is None else verdict.since_ms
    return _confirm(replace(machine, condition=Condition.PENDING, since_ms=since, count=0), verdict, timing, at, mint)


def _confirm(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """One more confirming sample: T3 once there are enough and the on-delay is over, else it waits on."""
    since = machine.since_ms if verdict.since_ms is None else verdict.since_ms
    due = since + timing.on_delay_ms if verdict.due_ms is None else verdict.due_ms
    count = machine.count + 1
    enough = count >= timing.on_count
    if enough and at.observed_ms >= due:
        held = replace(machine, since_ms=since, reason=verdict.reason, feeder=at.feeder)
        return _activate(held, timing, mint, at.observed_ms, late=at.late)
    waits = enough and timing.timer_promotes
    return (
        replace(
            machine,
            since_ms=since,
            due_ms=due,
            wake_ms=at.received_ms + due - at.observed_ms if waits else 0,
            count=count,
            reason=verdict.reason,
            feeder=at.feeder,
            untold=at.late,
        ),
        Move.NONE,
    )


def _drop(machine: Machine, _verdict: Verdict, _timing: Timing, _at: Instant, _mint: str) -> tuple[Machine, Move]:
    """T2: it was fleeting."""
    return replace(machine, condition=Condition.NORMAL, wake_ms=0, count=0, untold=False), Move.NONE


def _affirm(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """It still stands, and what only late samples had raised is told by the first that is not late."""
    if machine.untold and not at.late:
        return replace(machine, untold=False, feeder=at.feeder), Move.CONFIRMED
    return _hold(machine, verdict, timing, at, mint)


def _hold(machine: Machine, _verdict: Verdict, timing: Timing, at: Instant, _mint: str) -> tuple[Machine, Move]:
    """It stands and does not move, which in time is enough to believe it again (T15)."""
    calmed = _calm(machine, timing, at.observed_ms)
    if calmed is not machine:
        steady = replace(calmed, feeder=at.feeder, flaps=0)
        return steady, Move.STEADY if machine.is_flapping else Move.NONE
    if machine.feeder != at.feeder:
        return replace(machine, feeder=at.feeder), Move.NONE
    return machine, Move.NONE


def _recover(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """T4; one sample may be enough for T6 as well."""
    leaving = replace(machine, condition=Condition.RECOVERING, clear_since_ms=at.observed_ms, count=0)
    return _clear(leaving, verdict, timing, at, mint)


def _clear(machine: Machine, _verdict: Verdict, timing: Timing, at: Instant, _mint: str) -> tuple[Machine, Move]:
    """One more clear sample: T6 once there are enough and the off-delay is over, else it waits on."""
    due = machine.clear_since_ms + timing.recovery_ms(machine.doublings)
    count = machine.count + 1
    enough = count >= timing.off_count
    if enough and at.observed_ms >= due:
        return _return_to_normal(machine, timing)
    wake = at.received_ms + due - at.observed_ms if enough else 0
    return replace(machine, due_ms=due, wake_ms=wake, count=count, feeder=at.feeder), Move.RECOVERING


def _end(machine: Machine, _verdict: Verdict, timing: Timing, _at: Instant, _mint: str) -> tuple[Machine, Move]:
    """T6 at once: no sample is counted and no delay awaited."""
    return _return_to_normal(machine, timing)


def _relapse(machine: Machine, _verdict: Verdict, timing: Timing, at: Instant, _mint: str) -> tuple[Machine, Move]:
    """T5, by a sample."""
    return replace(relapse(machine, timing, at.observed_ms), feeder=at.feeder), Move.RELAPSED


def _affirm_relapse(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """T5, and what only late samples had raised is told by the first that is not late."""
    relapsed, move = _relapse(machine, verdict, timing, at, mint)
    if machine.untold and not at.late:
        return replace(relapsed, untold=False), Move.CONFIRMED
    return relapsed, move


def _activate(machine: Machine, timing: Timing, mint: str, at_ms: Millis, *, late: bool) -> tuple[Machine, Move]:
    """T3: an episode begins, or a latched one goes on."""
    lately = (*(each for each in machine.raised_ms if at_ms - each <= timing.longest_ms), at_ms)
    lately = lately[-timing.most_raises :]
    often = timing.flaps_by(lately)
    raised = replace(
        machine,
        condition=Condition.ACTIVE,
        due_ms=0,
        wake_ms=0,
        count=0,
        flaps=machine.flaps if machine.latched and not often else 0,
        untold=late,
        latched=False,
        raised_ms=lately,
    )
    raised = _count_move(raised, timing, at_ms, often=often, slow=timing.is_slow(lately))
    if machine.latched:
        return raised, Move.REIGNITED
    return replace(raised, episode=_name(mint, machine.episode)), Move.RAISED


def _count_move(machine: Machine, timing: Timing, at_ms: Millis, *, often: bool, slow: bool) -> Machine:
    """T15: it was raised or relapsed. Once too ``often``, and its off-delay doubles; the crew hears of it weekly."""
    calmed = _calm(machine, timing, at_ms)
    begins = often and not calmed.is_flapping
    is_news = begins and (not machine.noticed_ms or at_ms - machine.noticed_ms >= NOTICED_EVERY_MS)
    return replace(
        calmed,
        moved_ms=at_ms,
        doublings=calmed.doublings + often,
        settled=calmed.settled and not often,
        slow=calmed.slow or slow,
        noticed_ms=at_ms if is_news else machine.noticed_ms,
    )


def _calm(machine: Machine, timing: Timing, at_ms: Millis) -> Machine:
    """T15: each span in which nothing moved halves the off-delay, and after the first it flaps no more."""
    if not machine.doublings:
        return machine
    spans = max(0, at_ms - machine.moved_ms) // timing.calm_span_ms(slow=machine.slow)
    if not spans:
        return machine
    left = max(0, machine.doublings - spans)
    moved_ms = machine.moved_ms + spans * timing.calm_span_ms(slow=machine.slow)
    return replace(machine, doublings=left, settled=left > 0, slow=machine.slow and left > 0, moved_ms=moved_ms)


def _name(mint: str, last: str) -> str:
    """A name that no episode had: one uplink may carry several of one second."""
    if last == mint:
        return f"{mint}-2"
    if last.startswith(f"{mint}-"):
        return f"{mint}-{int(last.rpartition('-')[2]) + 1}"
    return mint


def _return_to_normal(machine: Machine, timing: Timing) -> tuple[Machine, Move]:
    """T6: the episode is over, or waits for a person's reset (T12) where the rule is latching."""
    rested = replace(
        machine,
        condition=Condition.NORMAL,
        since_ms=0,
        clear_since_ms=0,
        due_ms=0,
        wake_ms=0,
        count=0,
        untold=False,
    )
    if timing.latching:
        return replace(rested, latched=True), Move.LATCHED
    return rested, Move.CLEARED


Act: TypeAlias = Callable[[Machine, Verdict, Timing, Instant, str], tuple[Machine, Move]]
"""What ``advance`` is given, and what it answers."""


class Transition(NamedTuple):
    """What follows when a rule says this of a machine that stands there: by which laws, and in words for a reader."""

    laws: tuple[str, ...]
    act: Act
    says: str


Rows: TypeAlias = Mapping[Condition, Mapping[Call, Transition]]

TABLE: Final[Rows] = MappingProxyType(
    {
        Condition.NORMAL: {
            Call.NONE: Transition(("L5",), _keep, "nothing is known that was not known before"),
            Call.RAISE: Transition(("T1", "T3"), _begin, "pending, or active at once where one sample is enough"),
            Call.CLEAR: Transition(("T1",), _keep, "all is well"),
            Call.BETWEEN: Transition(("T1",), _keep, "all is well below the raising threshold"),
            Call.END: Transition(("T1",), _keep, "nothing stands that could end"),
        },
        Condition.PENDING: {
            Call.NONE: Transition(("L5",), _keep, "it neither confirms nor interrupts"),
            Call.RAISE: Transition(("T3",), _confirm, "active after enough such samples and the on-delay"),
            Call.CLEAR: Transition(("T2",), _drop, "fleeting: nobody hears of it"),
            Call.BETWEEN: Transition(("T2",), _drop, "fleeting: nobody hears of it"),
            Call.END: Transition(("T2",), _drop, "fleeting: nobody hears of it"),
        },
        Condition.ACTIVE: {
            Call.NONE: Transition(("L5",), _keep, "what is missing ends no alert"),
            Call.RAISE: Transition(("T3", "T15"), _affirm, "it stands; told now if only late samples had said so"),
            Call.CLEAR: Transition(("T4", "T6"), _recover, "recovering, or over at once where one sample is enough"),
            Call.BETWEEN: Transition(("T4", "T15"), _hold, "it stands until a sample is beyond the clearing threshold"),
            Call.END: Transition(
                ("T6", "T12"), _end, "what it was about is gone: over, or latched until a person resets it"
            ),
        },
        Condition.RECOVERING: {
            Call.NONE: Transition(("L5",), _keep, "what is missing ends no alert"),
            Call.RAISE: Transition(
                ("T5", "T3", "T15"),
                _affirm_relapse,
                "the same episode again; told now if only late samples had said so",
            ),
            Call.CLEAR: Transition(
                ("T6", "T12"), _clear, "over, or latched, after enough such samples and the off-delay"
            ),
            Call.BETWEEN: Transition(
                ("T5", "T15"), _relapse, "the same episode again; too often, and it flaps: look at its sensor"
            ),
            Call.END: Transition(
                ("T6", "T12"), _end, "what it was about is gone: over, or latched until a person resets it"
            ),
        },
    }
)
"""Every condition with every call."""

WHILE_FLAPPING: Final[Rows] = MappingProxyType(
    {
        Condition.ACTIVE: {
            Call.END: Transition(("T15", "T4"), _recover, "one clear sample more: what flaps is not believed at once"),
        },
        Condition.RECOVERING: {
            Call.END: Transition(("T15", "T6"), _clear, "one clear sample more: what flaps is not believed at once"),
        },
    }
)
"""What follows instead while it flaps (T15): an end, as of an emptying, counts like any clear sample."""


def index(rows: Rows, instead: Rows = MappingProxyType({})) -> tuple[tuple[Act, ...], ...]:
    """The acts by the numbers of condition and call: each sample that is not quiet looks here, so it is quick."""
    found = {condition: {**rows[condition], **instead.get(condition, {})} for condition in Condition}
    return tuple(tuple(found[condition][call].act for call in Call) for condition in Condition)


_ACTS: Final = index(TABLE)
_ACTS_WHILE_FLAPPING: Final = index(TABLE, WHILE_FLAPPING)

_AGREEING: Final[Mapping[Condition, frozenset[Call]]] = MappingProxyType(
    {
        Condition.NORMAL: frozenset(Call) - {Call.RAISE},
        Condition.PENDING: frozenset({Call.RAISE}),
        Condition.ACTIVE: frozenset(Call) - {Call.CLEAR, Call.END},
        Condition.RECOVERING: frozenset({Call.CLEAR, Call.END}),
    }
)
"""Calls that would put a machine where it stands."""


def advance(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """T1–T6, T12 and T15 for one sample. ``mint`` names a new episode; the same machine back means nothing moved."""
    acts = _ACTS_WHILE_FLAPPING if machine.is_flapping else _ACTS
    return acts[machine.condition][verdict.call](machine, verdict, timing, at, mint)


def agrees(machine: Machine, verdict: Verdict) -> bool:
    """Whether the machine stands already where this verdict about its last sample would put it."""
    return verdict.call in _AGREEING[machine.condition]


def expire(machine: Machine, timing: Timing, mint: str) -> tuple[Machine, Move]:
    """T3 and T6 by the clock: the running delay of a machine that only waits for time is over."""
    if machine.condition is Condition.PENDING:
        return _activate(machine, timing, mint, max(machine.since_ms, machine.due_ms), late=machine.untold)
    return _return_to_normal(machine, timing)


def relapse(machine: Machine, timing: Timing, at_ms: Millis) -> Machine:
    """T5: it was getting better and is not any more; too often, and it flaps (T15)."""
    often = machine.flaps + 1 >= timing.flaps
    active = replace(
        machine,
        condition=Condition.ACTIVE,
        clear_since_ms=0,
        due_ms=0,
        wake_ms=0,
        count=0,
        flaps=0 if often else machine.flaps + 1,
    )
    return _count_move(active, timing, at_ms, often=often, slow=False)


def reset(machine: Machine) -> Machine:
    """T12: a person resets a latched machine whose condition is gone."""
    return replace(machine, latched=False)


def postpone(machine: Machine, gap_ms: Millis) -> Machine:
    """T8: a gap in the data counts toward no delay."""
    if machine.doublings:
        machine = replace(machine, moved_ms=machine.moved_ms + gap_ms)
    if machine.condition is Condition.PENDING:
        return replace(machine, since_ms=machine.since_ms + gap_ms, due_ms=machine.due_ms + gap_ms, wake_ms=0)
    if machine.condition is Condition.RECOVERING:
        return replace(
            machine, clear_since_ms=machine.clear_since_ms + gap_ms, due_ms=machine.due_ms + gap_ms, wake_ms=0
        )
    return machine
