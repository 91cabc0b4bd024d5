"""The life cycle of an alert as a ladder of ifs, as it stood before ``alerts/conditions/machine.py`` became a table.

It is the oracle that the table is held equal to (``tests/alerts/conditions/test_machine.py``) and must never be made to
follow it. Where a law changes on purpose, it is written down here by hand, from the law and not from the table.
"""

from typing import Final

from msgspec.structs import replace

from alerts.conditions.machine import Call, Instant, Machine, Move, Timing, Verdict
from alerts.model import Condition
from telemetry.reading import Millis

NOTICED_EVERY_MS: Final[Millis] = 7 * 86_400_000
_BETTER: Final = (Call.CLEAR, Call.END)


def advance(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    """T1–T6, T12 and T15 for one sample. ``mint`` names a new episode; the same machine back means nothing moved."""
    call = verdict.call
    if call is Call.NONE:
        return machine, Move.NONE
    if machine.condition is Condition.NORMAL:
        if call is not Call.RAISE:
            return machine, Move.NONE
        since = at.observed_ms if verdict.since_ms is None else verdict.since_ms
        return _confirm(
            replace(machine, condition=Condition.PENDING, since_ms=since, count=0), verdict, timing, at, mint
        )
    if machine.condition is Condition.PENDING:
        if call is not Call.RAISE:
            return replace(machine, condition=Condition.NORMAL, wake_ms=0, count=0, untold=False), Move.NONE
        return _confirm(machine, verdict, timing, at, mint)
    if call is Call.END and not machine.is_flapping:  # what flaps is not believed at once
        return _normal(machine, timing)
    if machine.condition is Condition.ACTIVE:
        return _while_active(machine, call, timing, at)
    return _while_recovering(machine, call, timing, at)


def agrees(machine: Machine, verdict: Verdict) -> bool:
    """Whether the machine stands already where this verdict about its last sample would put it."""
    raises, clears = verdict.call is Call.RAISE, verdict.call in _BETTER
    match machine.condition:
        case Condition.NORMAL:
            return not raises
        case Condition.PENDING:
            return raises
        case Condition.ACTIVE:
            return not clears
    return clears


def expire(machine: Machine, timing: Timing, mint: str) -> tuple[Machine, Move]:
    """T3 and T6 by the clock: the running delay of a machine that only waits for time is over."""
    if machine.condition is Condition.PENDING:
        return _raised(machine, timing, mint, max(machine.since_ms, machine.due_ms), late=machine.untold)
    return _normal(machine, timing)


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
    return _moved(active, timing, at_ms, often=often, slow=False)


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


def _confirm(machine: Machine, verdict: Verdict, timing: Timing, at: Instant, mint: str) -> tuple[Machine, Move]:
    since = machine.since_ms if verdict.since_ms is None else verdict.since_ms
    due = since + timing.on_delay_ms if verdict.due_ms is None else verdict.due_ms
    count = machine.count + 1
    enough = count >= timing.on_count
    if enough and at.observed_ms >= due:
        raised = replace(machine, since_ms=since, reason=verdict.reason, feeder=at.feeder)
        return _raised(raised, timing, mint, at.observed_ms, late=at.late)
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


def _raised(machine: Machine, timing: Timing, mint: str, at_ms: Millis, *, late: bool) -> tuple[Machine, Move]:
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
    raised = _moved(raised, timing, at_ms, often=often, slow=timing.is_slow(lately))
    if machine.latched:
        return raised, Move.REIGNITED
    return replace(raised, episode=_name(mint, machine.episode)), Move.RAISED


def _moved(machine: Machine, timing: Timing, at_ms: Millis, *, often: bool, slow: bool) -> Machine:
    """T15: it was raised or relapsed. Once too ``often``, and its off-delay doubles; the crew hears of it weekly."""
    calmed = _calmed(machine, timing, at_ms)
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


def _calmed(machine: Machine, timing: Timing, at_ms: Millis) -> Machine:
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


def _while_active(machine: Machine, call: Call, timing: Timing, at: Instant) -> tuple[Machine, Move]:
    if call in _BETTER:
        leaving = replace(machine, condition=Condition.RECOVERING, clear_since_ms=at.observed_ms, count=0)
        return _recover(leaving, timing, at)
    if call is Call.RAISE and machine.untold and not at.late:
        return replace(machine, untold=False, feeder=at.feeder), Move.CONFIRMED
    calmed = _calmed(machine, timing, at.observed_ms)
    if calmed is not machine:
        steady = replace(calmed, feeder=at.feeder, flaps=0)
        return steady, Move.STEADY if machine.is_flapping else Move.NONE
    if machine.feeder != at.feeder:
        return replace(machine, feeder=at.feeder), Move.NONE
    return machine, Move.NONE


def _while_recovering(machine: Machine, call: Call, timing: Timing, at: Instant) -> tuple[Machine, Move]:
    if call in _BETTER:
        return _recover(machine, timing, at)
    confirms = call is Call.RAISE and machine.untold and not at.late
    relapsed = replace(
        relapse(machine, timing, at.observed_ms), feeder=at.feeder, untold=machine.untold and not confirms
    )
    return relapsed, Move.CONFIRMED if confirms else Move.RELAPSED


def _recover(machine: Machine, timing: Timing, at: Instant) -> tuple[Machine, Move]:
    due = machine.clear_since_ms + timing.recovery_ms(machine.doublings)
    count = machine.count + 1
    enough = count >= timing.off_count
    if enough and at.observed_ms >= due:
        return _normal(machine, timing)
    wake = at.received_ms + due - at.observed_ms if enough else 0
    return replace(machine, due_ms=due, wake_ms=wake, count=count, feeder=at.feeder), Move.RECOVERING


def _normal(machine: Machine, timing: Timing) -> tuple[Machine, Move]:
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
