"""The machine's table is the ladder of ifs that it replaced, over random lives and over steps that were recorded."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Final, NamedTuple, TypeAlias

import pytest

from alerts.conditions import machine as table
from alerts.conditions.machine import (
    IDLE,
    TABLE,
    WHILE_FLAPPING,
    Call,
    Instant,
    Machine,
    Rows,
    Timing,
    Transition,
    Verdict,
    index,
)
from alerts.model import Condition
from tests.oracles import ladder, machine_steps

PAGE: Final = (Path(__file__).parents[3] / "docs" / "laws.md").read_text("utf-8")
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
QUICK: Final = 20_000
DEEP: Final = 1_000_000
STEPS: Final = 200
"""Steps of one machine before another is born, with other parameters."""
HABITS: Final = tuple(
    [call for call, weight in zip(Call, weights, strict=True) for _ in range(weight)]
    for weights in [(1, 8, 4, 2, 1), (1, 12, 1, 1, 1), (1, 4, 8, 1, 3), (1, 4, 2, 8, 1), (1, 4, 1, 1, 8), (1,) * 5]
)
"""What one sensor says more often than another."""


class Life(NamedTuple):
    """What stays as it is from one machine's birth to the next one's."""

    timing: Timing
    habit: list[Call]
    gaps_min: tuple[int, ...]
    late: float
    """The share of samples that are late."""


class Asked(NamedTuple):
    """One thing that is asked of a machine: the name of a function and what follows the machine."""

    name: str
    given: tuple[Any, ...]


Cell: TypeAlias = tuple[bool, Condition, Call]
"""Whether it flaps, where it stands, and what the rule says."""


def drawn_timing(random: Random) -> Timing:
    """Parameters as a rule may have them, and some that only a test would give."""
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
        if number % STEPS == 0:
            machine, at_ms = IDLE, 30 * 24 * HOUR
            life = Life(
                Timing() if random.random() < 0.1 else drawn_timing(random),
                random.choice(HABITS),
                random.choice([(0, 1, 5, 20), (1, 5, 20, 60), (5, 60, 400, 3_000)]),
                random.choice([0.0, 0.1, 0.7]),
            )
        at_ms += random.choice(life.gaps_min) * MINUTE
        asked = _drawn(random, machine, life, at_ms)
        came = answer(asked, machine)
        yield asked, machine, came
        if isinstance(came, tuple):
            machine = came[0]
        elif isinstance(came, Machine):
            machine = came


def _drawn(random: Random, machine: Machine, life: Life, at_ms: int) -> Asked:
    """The next thing, as the engine might ask it; now and then what it never does."""
    chance, mint = random.random(), f"e{at_ms // random.choice([1, HOUR])}"
    waits = 0 < machine.wake_ms <= at_ms
    if (waits and chance < 0.6) or chance < 0.01:
        return Asked("expire", (life.timing, mint))
    if (machine.latched and chance < 0.1) or chance < 0.02:
        return Asked("reset", ())
    if (machine.condition is Condition.RECOVERING and chance < 0.08) or chance < 0.03:
        return Asked("relapse", (life.timing, at_ms))
    if chance < 0.05:
        return Asked("postpone", (random.randrange(5 * HOUR),))
    verdict = drawn_verdict(random, life.habit, at_ms)
    if chance < 0.07:
        return Asked("agrees", (verdict,))
    late = random.random() < life.late
    lag_ms = random.choice([0, 3 * HOUR] if late else [0, 0, 5_000, MINUTE])
    at = Instant(at_ms - lag_ms, at_ms, late=late, feeder=random.choice([0, 0, 0, 1]))
    return Asked("advance", (verdict, life.timing, at, mint))


def asked_of(module: ModuleType) -> Callable[[Asked, Machine], object]:
    """Whoever answers what is asked: the product or the oracle."""
    return lambda asked, machine: getattr(module, asked.name)(machine, *asked.given)


def stays(machine: Machine, came: object) -> bool:
    """Whether it is the same machine: the engine writes down no other."""
    return came is machine or (isinstance(came, tuple) and came[0] is machine)


def different(came: object, expected: object, machine: Machine) -> bool:
    """Whether two answers differ; a machine that is the same is not one that only looks the same."""
    return (came, stays(machine, came)) != (expected, stays(machine, expected))


@cache
def quick_walk() -> list[tuple[Asked, Machine, object]]:
    return list(walk(20_261_130, QUICK, asked_of(ladder)))


@pytest.mark.parametrize("module", [ladder, table], ids=["ladder", "table"])
def test_every_recorded_step_is_answered_as_it_was(module: ModuleType) -> None:
    steps = machine_steps.load()
    assert len(steps) == machine_steps.MOST
    strange = [step for step in steps if getattr(module, step.name)(*step.given) != step.answer]
    assert strange[:1] == []


def test_the_table_is_the_ladder() -> None:
    ask = asked_of(table)
    strange = [
        (asked, machine) for asked, machine, said in quick_walk() if different(ask(asked, machine), said, machine)
    ]
    assert strange[:1] == []


@pytest.mark.deep
def test_the_table_is_the_ladder_over_a_million_steps() -> None:
    ask = asked_of(table)
    for asked, machine, said in walk(20_261_201, DEEP, asked_of(ladder)):
        assert not different(ask(asked, machine), said, machine), (asked, machine)


def test_every_condition_has_every_call() -> None:
    assert {condition: set(rows) for condition, rows in TABLE.items()} == {
        condition: set(Call) for condition in Condition
    }
    assert all(rows.keys() <= TABLE[condition].keys() for condition, rows in WHILE_FLAPPING.items())


def cell(asked: Asked, machine: Machine) -> Cell | None:
    """Where in the table a step looks, if it does."""
    verdict = asked.given[0] if asked.name == "advance" else None
    return (machine.is_flapping, machine.condition, verdict.call) if isinstance(verdict, Verdict) else None


def test_the_walk_comes_by_every_cell_flapping_and_not() -> None:
    cells = set(product([False, True], Condition, Call))
    assert {found for asked, machine, _ in quick_walk() if (found := cell(asked, machine))} == cells


def test_every_law_of_the_table_stands_on_the_page_of_laws_and_none_is_left_out() -> None:
    cited = {law for _, _, row in rows_of(TABLE, WHILE_FLAPPING) for law in row.laws}
    assert cited <= set(re.findall(r"^\| ([LT][0-9]+) \|", PAGE, re.MULTILINE))
    assert cited == {"L5", "T1", "T2", "T3", "T4", "T5", "T6", "T12", "T15"}


def rows_of(*tables: Rows) -> Iterator[tuple[Condition, Call, Transition]]:
    """Every row of such tables, in their order."""
    for each in tables:
        for condition, rows in each.items():
            for call, row in rows.items():
                yield condition, call, row


def test_the_page_of_laws_has_the_table_as_it_is() -> None:
    lines = [
        f"| {condition.name.lower()}{note} | {call.name.lower()} | {', '.join(row.laws)} | {row.says} |"
        for rows, note in ((TABLE, ""), (WHILE_FLAPPING, ", flapping"))
        for condition, call, row in rows_of(rows)
    ]
    assert "\n".join(lines) in PAGE, "docs/laws.md is to say:\n" + "\n".join(lines)


ACTS: Final = sorted({row.act for _, _, row in rows_of(TABLE)}, key=lambda act: act.__name__)
PLACES: Final = [
    (flapping, *row[:2]) for flapping, rows in ((False, TABLE), (True, WHILE_FLAPPING)) for row in rows_of(rows)
]


@pytest.mark.parametrize(("flapping", "condition", "call"), PLACES)
def test_a_row_that_is_changed_is_found_out(flapping: bool, condition: Condition, call: Call) -> None:  # noqa: FBT001 -- a row
    rows = WHILE_FLAPPING if flapping else TABLE
    row = rows[condition][call]
    steps = [step for step in quick_walk() if cell(step[0], step[1]) == (flapping, condition, call)]
    for act in ACTS:
        changed = {**rows, condition: {**rows[condition], call: row._replace(act=act)}}
        look_up = index(TABLE, changed) if flapping else index(changed)
        do = look_up[condition][call]
        found = any(different(do(machine, *asked.given), said, machine) for asked, machine, said in steps)
        assert found is (act is not row.act), act.__name__
