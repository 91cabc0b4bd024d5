"""The machine's table is the ladder of ifs that it replaced, over random lives and over steps that were recorded."""

from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Final, NamedTuple

import pytest

from alerts.conditions import machine as table
from alerts.conditions.machine import IDLE, Call, Instant, Machine, Timing, Verdict
from alerts.model import Condition
from tests.oracles import ladder, machine_steps

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
QUICK: Final = 20_000
DEEP: Final = 1_000_000
LIFE: Final = 400
"""Steps of one machine before another is born, with other figures."""
HABITS: Final = tuple(
    [call for call, weight in zip(Call, weights, strict=True) for _ in range(weight)]
    for weights in [(1, 8, 4, 2, 1), (1, 12, 1, 1, 1), (1, 4, 8, 1, 3), (1, 4, 2, 8, 1), (1, 4, 1, 1, 8), (1,) * 5]
)
"""What one sensor says more often than another."""


class Asked(NamedTuple):
    """One thing that is asked of a machine: the name of a function and what follows the machine."""

    name: str
    given: tuple[object, ...]


def drawn_timing(random: Random) -> Timing:
    """Figures as a rule may have them, and some that only a test would give."""
    return Timing(
        on_count=random.choice([1, 1, 2, 3]),
        on_delay_ms=random.choice([0, 0, MINUTE, 10 * MINUTE, 2 * HOUR]),
        off_count=random.choice([1, 1, 2, 3]),
        off_delay_ms=random.choice([0, 0, 2 * MINUTE, 15 * MINUTE, 3 * HOUR]),
        timer_promotes=random.random() < 0.7,
        latching=random.random() < 0.3,
        raises=random.choice([2, 3, 3, 6]),
        raises_within_ms=random.choice([10 * MINUTE, HOUR, 3 * HOUR]),
        flaps=random.choice([1, 2, 3, 6]),
        calm_ms=random.choice([0, MINUTE, 30 * MINUTE]),
        calm_most_ms=random.choice([HOUR, 24 * HOUR]),
        more_raises=random.choice([3, 4, 8]),
        more_within_ms=random.choice([HOUR, 6 * HOUR]),
        slow_raises=random.choice([2, 4, 6, 12]),
        slow_within_ms=random.choice([6 * HOUR, 48 * HOUR]),
        left_ms=random.choice([HOUR, 6 * HOUR]),
    )


def drawn_verdict(random: Random, habit: list[Call], at_ms: int) -> Verdict:
    """What a rule may say at an instant; some know since when, and until when it would wait."""
    since_ms = at_ms - random.randrange(3 * HOUR) if random.random() < 0.15 else None
    due_ms = at_ms + random.randint(-HOUR, HOUR) if random.random() < 0.15 else None
    return Verdict(random.choice(habit), since_ms, due_ms, random.choice(["", "", "flag", "jump"]))


def walk(seed: int, steps: int, answer: Callable[[Asked, Machine], object]) -> Iterator[tuple[Asked, Machine, object]]:
    """Machines that live through what may befall them; ``answer`` says where each step leads."""
    random = Random(seed)
    for number in range(steps):
        if number % LIFE == 0:
            machine, timing, habit = IDLE, drawn_timing(random), random.choice(HABITS)
            at_ms, gaps = 30 * 24 * HOUR, random.choice([(0, 1, 5, 20), (1, 5, 20, 60), (5, 60, 400, 3_000)])
        at_ms += random.choice(gaps) * MINUTE
        asked = _drawn(random, machine, timing, habit, at_ms)
        came = answer(asked, machine)
        yield asked, machine, came
        if isinstance(came, tuple):
            machine = came[0]
        elif isinstance(came, Machine):
            machine = came


def _drawn(random: Random, machine: Machine, timing: Timing, habit: list[Call], at_ms: int) -> Asked:
    """The next thing, as the engine might ask it; now and then what it never does."""
    chance, mint = random.random(), f"e{at_ms // random.choice([1, HOUR])}"
    waits = 0 < machine.wake_ms <= at_ms
    if (waits and chance < 0.6) or chance < 0.01:
        return Asked("expire", (timing, mint))
    if (machine.latched and chance < 0.1) or chance < 0.02:
        return Asked("reset", ())
    if (machine.condition is Condition.RECOVERING and chance < 0.08) or chance < 0.03:
        return Asked("relapse", (timing, at_ms))
    if chance < 0.05:
        return Asked("postpone", (random.randrange(5 * HOUR),))
    verdict = drawn_verdict(random, habit, at_ms)
    if chance < 0.07:
        return Asked("agrees", (verdict,))
    lag_ms = random.choice([0, 0, 0, 5_000, 3 * HOUR])
    late = lag_ms > 2 * HOUR or random.random() < 0.1
    at = Instant(at_ms - lag_ms, at_ms, late=late, feeder=random.choice([0, 0, 0, 1]))
    return Asked("advance", (verdict, timing, at, mint))


def asked_of(module: ModuleType) -> Callable[[Asked, Machine], object]:
    """Whoever answers what is asked: the product or the oracle."""
    return lambda asked, machine: getattr(module, asked.name)(machine, *asked.given)


def stays(machine: Machine, came: object) -> bool:
    """Whether it is the same machine: the engine writes down no other."""
    return came is machine or (isinstance(came, tuple) and came[0] is machine)


@pytest.mark.parametrize("steps", [QUICK, pytest.param(DEEP, marks=pytest.mark.deep)])
def test_the_table_is_the_ladder(steps: int) -> None:
    ask = asked_of(table)
    for asked, machine, expected in walk(20_261_130, steps, asked_of(ladder)):
        came = ask(asked, machine)
        assert (came, stays(machine, came)) == (expected, stays(machine, expected)), (asked, machine)


@pytest.mark.parametrize("module", [ladder, table], ids=["ladder", "table"])
def test_every_recorded_step_is_answered_as_it_was(module: ModuleType) -> None:
    steps = machine_steps.load()
    assert len(steps) == machine_steps.MOST
    strange = [step for step in steps if getattr(module, step.name)(*step.given) != step.answer]
    assert strange == []
